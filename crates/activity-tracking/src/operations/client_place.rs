//! Where a page of a list ends whose rows are by client.

use std::ops::Bound;

use domain::access::HubId;

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
        let clients = std::collections::BTreeSet::from([2001, 2002, 2003].map(client));
        let reached = |place: &ClientPlace<i64>| clients.range(place.clients()).copied().collect::<Vec<_>>();
        assert_eq!(reached(&behind_row), [2002, 2003].map(client));
        assert_eq!(reached(&behind_client), [client(2003)]);
    }
}
