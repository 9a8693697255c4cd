//! Where a page of a list ends whose rows are by client.

use std::collections::BTreeSet;
use std::ops::Bound;

use domain::access::HubId;

/// How many clients a page looks at, at most.
const CLIENTS_PER_PAGE: usize = 200;

/// For how many clients their people are held at once.
const CLIENTS_AT_ONCE: usize = 10;

/// Behind which row of a client a page begins, by the key of the row there; without one, behind all rows of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientPlace<Key> {
    pub client: HubId,
    pub row: Option<Key>,
}

impl<Key: Ord> ClientPlace<Key> {
    /// Whether a row is behind the place.
    pub fn is_before(&self, client: HubId, key: &Key) -> bool {
        self.client < client || (self.client == client && self.row.as_ref().is_some_and(|row| row < key))
    }

    /// From which client on there are rows behind the place.
    pub const fn clients(&self) -> (Bound<HubId>, Bound<HubId>) {
        let first = if self.row.is_some() { Bound::Included(self.client) } else { Bound::Excluded(self.client) };
        (first, Bound::Unbounded)
    }
}

/// The clients that a page looks at.
pub(super) struct LookedAt {
    clients: Vec<HubId>,
    /// Whether these are not all that are left.
    has_more: bool,
}

impl LookedAt {
    /// Of these clients, behind a place.
    pub fn behind<Key: Ord>(clients: BTreeSet<HubId>, after: Option<&ClientPlace<Key>>) -> Self {
        let mut left: Vec<HubId> = match after {
            Some(after) => clients.range(after.clients()).copied().collect(),
            None => clients.into_iter().collect(),
        };
        let has_more = left.len() > CLIENTS_PER_PAGE;
        left.truncate(CLIENTS_PER_PAGE);
        Self { clients: left, has_more }
    }

    /// Some of them after the other, so many as are looked at at once.
    pub fn portions(&self) -> impl Iterator<Item = &[HubId]> {
        self.clients.chunks(CLIENTS_AT_ONCE)
    }

    /// Cuts off what is more than a page of the rows of these clients, and answers behind what the next one begins.
    pub fn cut<Row, Key>(
        &self,
        rows: &mut Vec<Row>,
        limit: usize,
        place: impl Fn(&Row) -> ClientPlace<Key>,
    ) -> Option<ClientPlace<Key>> {
        if rows.len() > limit {
            rows.truncate(limit);
            return rows.last().map(place);
        }
        let last = self.clients.last().filter(|_| self.has_more);
        last.map(|last| ClientPlace { client: *last, row: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: i64) -> HubId {
        HubId::try_from(number).expect("a hub id")
    }

    #[test]
    fn a_page_goes_on_behind_a_row_or_behind_a_client() {
        let behind_row = ClientPlace { client: client(2002), row: Some(5) };
        let behind_client = ClientPlace { client: client(2002), row: None };
        let rows = [(2001, 9), (2002, 4), (2002, 5), (2002, 6), (2003, 1)];
        let left = |place: &ClientPlace<i64>| {
            rows.into_iter().filter(|(number, key)| place.is_before(client(*number), key)).collect::<Vec<_>>()
        };
        assert_eq!(left(&behind_row), [(2002, 6), (2003, 1)]);
        assert_eq!(left(&behind_client), [(2003, 1)]);
        let clients = BTreeSet::from([2001, 2002, 2003].map(client));
        let reached = |place: &ClientPlace<i64>| clients.range(place.clients()).copied().collect::<Vec<_>>();
        assert_eq!(reached(&behind_row), [2002, 2003].map(client));
        assert_eq!(reached(&behind_client), [client(2003)]);
    }
}
