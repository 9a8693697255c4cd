//! Where the next page begins: behind which row, of which query, at which instant.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::access::HubId;
use domain::money::Currency;
use domain::time::{Instant, is_storable};
use prost::Message;
use service_kit::StoredInstant;
use sha2::{Digest as _, Sha256};

use super::BreakdownQuery;
use super::order::{Place, Value};

/// A text that is no page token of this query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageTokenError;

impl std::fmt::Display for PageTokenError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the next_page_token of an answer to this very query, or empty for the first page")
    }
}

/// The end of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageToken {
    /// The instant that all pages are about.
    pub as_of: Instant,
    /// The place of the page's last row.
    pub last: Place,
}

/// The token as it travels; opaque to callers.
#[derive(Clone, PartialEq, Message)]
struct Encoded {
    #[prost(bytes = "vec", tag = "1")]
    query_hash: Vec<u8>,
    #[prost(int64, tag = "2")]
    as_of_micros: i64,
    #[prost(int64, optional, tag = "3")]
    number: Option<i64>,
    #[prost(string, optional, tag = "4")]
    text: Option<String>,
    #[prost(int64, tag = "5")]
    client: i64,
}

impl PageToken {
    pub fn write(self, query: &BreakdownQuery) -> String {
        let (number, text) = match self.last.value {
            None => (None, None),
            Some(Value::Number(number)) => (Some(number), None),
            Some(Value::Text(text)) => (None, Some(text.to_string())),
            Some(Value::Amount(currency, minor_units)) => (Some(minor_units), Some(currency.to_owned())),
        };
        let encoded = Encoded {
            query_hash: hash(query),
            as_of_micros: StoredInstant::from(self.as_of).0,
            number,
            text,
            client: self.last.client.get(),
        };
        URL_SAFE_NO_PAD.encode(encoded.encode_to_vec())
    }

    pub fn read(token: &str, query: &BreakdownQuery) -> Result<Self, PageTokenError> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| PageTokenError)?;
        let encoded = Encoded::decode(bytes.as_slice()).map_err(|_| PageTokenError)?;
        if encoded.query_hash != hash(query) {
            return Err(PageTokenError);
        }
        let as_of = StoredInstant(encoded.as_of_micros).into();
        if !is_storable(as_of) || query.as_of.is_some_and(|asked| asked != as_of) {
            return Err(PageTokenError);
        }
        let value = match (encoded.number, encoded.text) {
            (Some(minor_units), Some(currency)) => {
                let currency: Currency = currency.parse().map_err(|_| PageTokenError)?;
                Some(Value::Amount(currency.code(), minor_units))
            }
            (number, text) => number.map(Value::Number).or(text.map(|text| Value::Text(text.into()))),
        };
        Ok(Self { as_of, last: Place { value, client: HubId::try_from(encoded.client).map_err(|_| PageTokenError)? } })
    }
}

/// What a query is, in few bytes.
fn hash(query: &BreakdownQuery) -> Vec<u8> {
    let BreakdownQuery { partner, search, filter, order, descending, as_of } = query;
    // The search comes last, because only it may hold any character.
    let text = format!("{partner}/{order:?}/{descending}/{as_of:?}/{filter:?}/{search}");
    Sha256::digest(text).to_vec()
}

#[cfg(test)]
mod tests {
    use super::super::{BreakdownFilter, BreakdownOrder};
    use super::*;

    fn query() -> BreakdownQuery {
        BreakdownQuery {
            partner: HubId::try_from(1001).expect("a hub id"),
            search: "müller".to_owned(),
            filter: BreakdownFilter::default(),
            order: BreakdownOrder::Points,
            descending: true,
            as_of: None,
        }
    }

    fn token(value: Option<Value>) -> PageToken {
        PageToken {
            as_of: "2025-01-20T00:00:00.000001Z".parse().expect("a time"),
            last: Place { value, client: HubId::try_from(2002).expect("a hub id") },
        }
    }

    #[test]
    fn a_token_is_read_back_by_its_own_query() {
        for value in [None, Some(Value::Number(-1)), Some(Value::Text("".into())), Some(Value::Amount("EUR", 0))] {
            assert_eq!(PageToken::read(&token(value.clone()).write(&query()), &query()), Ok(token(value)));
        }
    }

    #[test]
    fn a_token_of_another_query_is_refused() {
        let written = token(None).write(&query());
        let others = [
            BreakdownQuery { partner: HubId::try_from(1002).expect("a hub id"), ..query() },
            BreakdownQuery { search: "mueller".to_owned(), ..query() },
            BreakdownQuery { order: BreakdownOrder::Client, ..query() },
            BreakdownQuery { descending: false, ..query() },
            BreakdownQuery { filter: BreakdownFilter { shared: Some(true), ..BreakdownFilter::default() }, ..query() },
            BreakdownQuery { as_of: Some(token(None).as_of), ..query() },
        ];
        for other in others {
            assert_eq!(PageToken::read(&written, &other), Err(PageTokenError), "{other:?}");
        }
    }

    #[test]
    fn a_token_that_was_made_up_cannot_ask_for_an_instant_that_a_query_could_not() {
        let far = PageToken { as_of: "+12025-01-20T00:00:00Z".parse().expect("a time"), ..token(None) };
        assert_eq!(PageToken::read(&far.write(&query()), &query()), Err(PageTokenError));
        let dated = BreakdownQuery { as_of: Some(token(None).as_of), ..query() };
        assert_eq!(PageToken::read(&token(None).write(&dated), &dated), Ok(token(None)));
        let other = PageToken { as_of: "2025-01-21T00:00:00Z".parse().expect("a time"), ..token(None) };
        assert_eq!(PageToken::read(&other.write(&dated), &dated), Err(PageTokenError));
    }

    #[test]
    fn garbage_is_no_token() {
        for garbage in ["x", "====", "AAAA", "not a token", "Zm9v"] {
            assert_eq!(PageToken::read(garbage, &query()), Err(PageTokenError), "{garbage}");
        }
    }
}
