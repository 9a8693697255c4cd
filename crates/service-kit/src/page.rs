//! Pages of a list that is made anew for each of them: a page begins behind the last row of the one before, so that rows
//! which come or go in between neither repeat nor hide others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::Violations;
use prost::Message;
use sha2::{Digest as _, Sha256};

/// The most rows of a page.
pub const MAXIMUM_PAGE_SIZE: u32 = 1_000;
/// The rows of a page where nothing is said.
pub const DEFAULT_PAGE_SIZE: u32 = 50;
/// The most bytes of a page's rows, but for a single larger one: most clients read answers of up to 4 MiB.
const BYTES_PER_PAGE: usize = 3 * 1_024 * 1_024;

/// A text that is no page token of this query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the next_page_token of an answer to this very query, or empty for the first page")]
pub struct PageTokenError;

/// The place of a row in its list: bytes whose order is the list's.
pub type Place = Vec<u8>;

/// Where a page begins, of which query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageStart {
    query_hash: Vec<u8>,
    after: Option<Place>,
}

/// Which page of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Where it begins.
    pub start: PageStart,
    /// How many rows it has at most.
    pub size: usize,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The token of the next page; empty on the last one.
    pub next_page_token: String,
    /// How many rows all pages have together.
    pub total_size: usize,
}

impl<T> ListPage<T> {
    /// `total_size` as answers say it.
    #[must_use]
    pub fn stated_total_size(&self) -> i32 {
        i32::try_from(self.total_size).unwrap_or(i32::MAX)
    }
}

/// The token as it travels; opaque to callers.
#[derive(Clone, PartialEq, Message)]
struct Encoded {
    #[prost(bytes = "vec", tag = "1")]
    query_hash: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    after: Vec<u8>,
}

impl PageRequest {
    /// Reads `page_size` and `page_token`; what is wrong is a violation. `query` is the request without both.
    pub fn read(violations: &mut Violations, query: &impl Message, page_size: i32, page_token: &str) -> Option<Self> {
        let size = violations.bounded("page_size", page_size, DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE);
        let start = violations.check("page_token", PageStart::read(query, page_token));
        Some(Self { start: start?, size: usize::try_from(size?).ok()? })
    }

    /// The page of these rows, each with its place; `descending` turns the order around.
    #[must_use]
    pub fn page<T>(&self, rows: Vec<(Place, T)>, descending: bool) -> ListPage<T> {
        self.start.page(rows, descending, self.size)
    }

    /// The page of these rows as messages, each with its place: of large ones fewer than were asked for, so that the answer
    /// is not more than a client reads.
    #[must_use]
    pub fn page_of_messages<T, M: Message>(
        &self,
        rows: Vec<(Place, T)>,
        descending: bool,
        message: impl Fn(&T) -> M,
    ) -> ListPage<M> {
        let page = self.start.cut(rows, descending, self.size);
        let (rows, cut_behind) = fitting(page.rows, None, |(place, _)| place.clone(), |(_, row)| message(&row));
        let next_page_token = cut_behind.map_or(page.next_page_token, |place| self.start.token_after(&place));
        ListPage { rows, next_page_token, total_size: page.total_size }
    }
}

/// Of the rows of a page those that one answer holds, as messages, and behind which place the next page begins: behind
/// the last of them, where they are not all, else at `next`.
pub fn fitting<T, P, M: Message>(
    rows: Vec<T>,
    next: Option<P>,
    place: impl Fn(&T) -> P,
    message: impl Fn(T) -> M,
) -> (Vec<M>, Option<P>) {
    let places: Vec<P> = rows.iter().map(place).collect();
    let mut messages: Vec<M> = rows.into_iter().map(message).collect();
    let fitting = count_that_fits(messages.iter().map(M::encoded_len));
    let next = if fitting < messages.len() { places.into_iter().nth(fitting - 1) } else { next };
    messages.truncate(fitting);
    (messages, next)
}

/// How many of the rows of a page, as messages of these lengths in bytes, one answer holds: of large ones fewer than were
/// asked for, so that it is not more than a client reads; one at least.
fn count_that_fits(lengths: impl Iterator<Item = usize>) -> usize {
    let mut bytes = 0;
    let fitting = lengths.take_while(|length| {
        bytes += length;
        bytes <= BYTES_PER_PAGE
    });
    fitting.count().max(1)
}

impl PageStart {
    /// Reads a token; an empty one is the first page. `query` is the request without its page size and token.
    ///
    /// # Errors
    /// A token that is none, or of another query.
    pub fn read(query: &impl Message, token: &str) -> Result<Self, PageTokenError> {
        let query_hash = Sha256::digest(query.encode_to_vec()).to_vec();
        if token.is_empty() {
            return Ok(Self { query_hash, after: None });
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| PageTokenError)?;
        let encoded = Encoded::decode(bytes.as_slice()).map_err(|_| PageTokenError)?;
        if encoded.query_hash != query_hash {
            return Err(PageTokenError);
        }
        Ok(Self { query_hash, after: Some(encoded.after) })
    }

    /// Behind which place the page begins.
    #[must_use]
    pub fn after(&self) -> Option<&[u8]> {
        self.after.as_deref()
    }

    /// The token of the page behind this place.
    #[must_use]
    pub fn token_after(&self, last: &[u8]) -> String {
        let encoded = Encoded { query_hash: self.query_hash.clone(), after: last.to_vec() };
        URL_SAFE_NO_PAD.encode(encoded.encode_to_vec())
    }

    /// The page of these rows, each with its place; `descending` turns the order around.
    #[must_use]
    pub fn page<T>(&self, rows: Vec<(Place, T)>, descending: bool, page_size: usize) -> ListPage<T> {
        let ListPage { rows, next_page_token, total_size } = self.cut(rows, descending, page_size);
        ListPage { rows: rows.into_iter().map(|(_, row)| row).collect(), next_page_token, total_size }
    }

    /// The page with the place of each row.
    fn cut<T>(&self, mut rows: Vec<(Place, T)>, descending: bool, page_size: usize) -> ListPage<(Place, T)> {
        let total_size = rows.len();
        rows.sort_by(|(one, _), (other, _)| if descending { other.cmp(one) } else { one.cmp(other) });
        let is_before = |place: &Place| {
            self.after.as_ref().is_some_and(|after| if descending { place >= after } else { place <= after })
        };
        let start = rows.partition_point(|(place, _)| is_before(place));
        let end = rows.len().min(start + page_size);
        let next_page_token = if end < rows.len() { self.token_after(&rows[end - 1].0) } else { String::new() };
        ListPage { rows: rows.drain(start..end).collect(), next_page_token, total_size }
    }
}

#[cfg(test)]
mod tests {
    use contracts::wire::access::ListPartnersRequest;

    use super::*;

    fn query(search: &str) -> ListPartnersRequest {
        ListPartnersRequest { search: search.to_owned(), ..ListPartnersRequest::default() }
    }

    fn rows(numbers: &[u8]) -> Vec<(Place, u8)> {
        numbers.iter().map(|number| (vec![*number], *number)).collect()
    }

    #[test]
    fn pages_follow_each_other_without_repeats_also_when_rows_come_and_go() {
        for (descending, expected) in [(false, [[1, 3], [5, 7]]), (true, [[7, 5], [3, 1]])] {
            let first = PageStart::read(&query(""), "").expect("a start").page(rows(&[5, 1, 7, 3]), descending, 2);
            assert_eq!((first.rows.as_slice(), first.total_size), (&expected[0][..], 4));
            let start = PageStart::read(&query(""), &first.next_page_token).expect("a start");
            // The last row of the first page is gone, and one that belongs before it has come.
            let changed: Vec<u8> = [1, 3, 5, 7].into_iter().filter(|number| *number != expected[0][1]).collect();
            let second = start.page(rows(&changed), descending, 2);
            assert_eq!((second.rows.as_slice(), second.next_page_token.as_str()), (&expected[1][..], ""));
        }
    }

    #[test]
    fn a_page_of_large_rows_has_fewer_of_them_and_none_is_lost() {
        let all: Vec<usize> = vec![1, 2, 3, 4, 5];
        let mebibytes = |row: &usize| query(&"x".repeat(if *row == 4 { 5 } else { 1 } * 1_024 * 1_024 - 100));
        let (mut token, mut pages) = (String::new(), Vec::new());
        loop {
            let start = PageStart::read(&query(""), &token).expect("a start");
            let rows = all.iter().map(|row| (vec![u8::try_from(*row).expect("small")], *row)).collect();
            let page = PageRequest { start, size: 10 }.page_of_messages(rows, false, mebibytes);
            assert_eq!(page.total_size, all.len());
            pages.push(page.rows.len());
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(pages, [3, 1, 1], "the large one alone");
    }

    #[test]
    fn a_token_is_of_one_query() {
        let token = PageStart::read(&query("a"), "").expect("a start").page(rows(&[1, 2]), false, 1).next_page_token;
        assert_eq!(PageStart::read(&query("a"), &token).map(|start| start.after), Ok(Some(vec![1])));
        for (search, token) in [("b", token.as_str()), ("a", "?"), ("a", "AAAA")] {
            assert_eq!(PageStart::read(&query(search), token), Err(PageTokenError), "{search} {token}");
        }
    }

    #[test]
    fn a_token_that_was_tampered_with_is_of_this_query_or_refused() {
        let start = PageStart::read(&query("a"), "").expect("a start");
        let token = start.token_after(&[1, 2, 3]);
        hostile::check(1_000, hostile::text(&[&token, "AAAA"]), |token| {
            if let Ok(read) = PageStart::read(&query("a"), &token) {
                assert_eq!(read.query_hash, start.query_hash);
            }
        });
    }
}
