//! Where people stand in a list.

use domain::access::EmailAddress;
use domain::time::Instant;
use sea_orm::prelude::Uuid;
use service_kit::page::Place;

/// By address, and of one address by when each was added.
pub(super) fn place_of_person(address: &EmailAddress, added: Instant, id: Uuid) -> Place {
    // With its sign turned, so that times before 1970 come first in bytes too.
    let added = (added.timestamp_micros() ^ i64::MIN).to_be_bytes();
    // No address holds a zero byte, so that a shorter one comes before those that it begins.
    [address.as_str().as_bytes(), &[0], &added, id.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_stand_by_address_and_then_by_when_they_were_added() {
        let place = |address: &str, added: &str, id| {
            let (address, added) = (address.parse().expect("an address"), added.parse().expect("a time"));
            place_of_person(&address, added, Uuid::from_u128(id))
        };
        let in_order = [
            place("anna@agency.example", "1969-12-31T23:59:59Z", 9),
            place("anna@agency.example", "1970-01-01T00:00:00Z", 8),
            place("anna@agency.example", "2026-01-01T00:00:00Z", 1),
            place("anna@agency.example", "2026-01-01T00:00:00Z", 2),
            place("anna@agency.example.org", "1969-12-31T23:59:59Z", 0),
        ];
        assert!(in_order.is_sorted());
    }
}
