//! Hostile input: whatever is read is refused, or means what it says and is written back the same.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use hostile::{check, tampered, text};
use proptest::prelude::*;
use prost::Message;
use prost_types::Timestamp;

use super::*;

/// How often each kind of input is tried.
const EXECUTIONS: u32 = 400;

const UUID: &str = "0190a0b0-0000-7000-8000-000000000001";

fn has_one_spelling<T: FromStr + Display + PartialEq + Debug>(valid: &[&str]) {
    check(EXECUTIONS, text(valid), |text| {
        if let Ok(read) = text.parse::<T>() {
            assert_eq!(read.to_string(), text, "another spelling of the same");
        }
    });
}

#[test]
fn a_name_is_read_in_one_spelling_or_not_at_all() {
    has_one_spelling::<PartnerName>(&["partners/1001"]);
    has_one_spelling::<ClientName>(&["clients/2002"]);
    has_one_spelling::<EmployeeName>(&[&format!("partners/1001/employees/{UUID}")]);
    has_one_spelling::<ClientUserName>(&[&format!("clients/2002/users/{UUID}")]);
    has_one_spelling::<AccessLinkName>(&[&format!("partners/1001/employees/{UUID}/accessLinks/{UUID}")]);
    has_one_spelling::<AssetName>(&["clients/2002/assets/wf-7"]);
    has_one_spelling::<ActivityName>(&["clients/2002/activities/evt:1"]);
    has_one_spelling::<SubscriptionName>(&["clients/2002/subscriptions/main"]);
    has_one_spelling::<SoldCreditName>(&["partners/1001/soldCredits/deal-7"]);
    has_one_spelling::<StatementName>(&["partners/1001/statements/2026-10"]);
}

#[test]
fn a_revision_is_read_in_one_spelling_or_not_at_all() {
    has_one_spelling::<Revision>(&["access-57", "servicing-0", "credit-9223372036854775807"]);
}

#[test]
fn a_timestamp_is_an_instant_of_that_second_or_refused() {
    let seconds = prop_oneof![any::<i64>(), -70_000_000_000..300_000_000_000_i64];
    let nanos = prop_oneof![any::<i32>(), 0..1_000_000_000_i32];
    check(EXECUTIONS, (seconds, nanos), |(seconds, nanos)| {
        if let Ok(instant) = instant(&Timestamp { seconds, nanos }) {
            assert_eq!(timestamp(instant), Timestamp { seconds, nanos: nanos / 1_000 * 1_000 });
        }
    });
}

/// Encodings of the message, tampered with, that are still messages of that type.
fn messages<M: Message + Default + Debug>(valid: &M) -> impl Strategy<Value = M> + use<M> {
    let decoded = |bytes: Vec<u8>| M::decode(bytes.as_slice()).ok();
    tampered(vec![valid.encode_to_vec()]).prop_filter_map("it is no message", decoded)
}

#[test]
fn a_text_of_a_request_is_kept_as_it_is_or_refused() {
    check(EXECUTIONS, text(&["Agency", "Caffè Borgo"]), |text| {
        let mut violations = Violations::default();
        match violations.text("display_name", &text, 200) {
            Some(kept) => assert!(kept == text && (1..=200).contains(&text.chars().count()), "{text:?}"),
            None => assert!(violations.finish(|| Some(())).is_err(), "what is refused is named"),
        }
    });
}

#[test]
fn an_amount_of_a_request_is_kept_or_named() {
    let amount = wire::credit::Money { currency_code: "USD".to_owned(), amount: "1000.00".to_owned() };
    check(EXECUTIONS, messages(&amount), |stated| {
        let mut violations = Violations::default();
        let read = money_from_wire(&mut violations, "mrr", Some(&stated));
        assert_eq!(read.is_none(), violations.finish(|| Some(())).is_err(), "{stated:?}");
    });
}

#[test]
fn an_activity_is_read_or_its_wrong_fields_are_named() {
    let action = wire::activity::CatalogueAction { tool: "blog".to_owned(), action: "publish".to_owned() };
    let activity = wire::activity::Activity {
        name: "clients/2002/activities/evt:1".to_owned(),
        email_address: "anna@agency.example".to_owned(),
        occur_time: Some(Timestamp { seconds: 1_736_510_400, nanos: 1_000 }),
        origin: wire::activity::Origin::Person.into(),
        target_object_id: "42".to_owned(),
        action: Some(wire::activity::activity::Action::CatalogueAction(action)),
    };
    assert!(activity_from_wire("activities[0]", &activity).is_ok());
    check(EXECUTIONS, messages(&activity), |activity| {
        if let Err(failure) = activity_from_wire("activities[0]", &activity) {
            assert_eq!(failure.reason(), ErrorReason::InvalidFields);
            assert!(failure.message().contains("activities[0]."), "{}", failure.message());
        }
    });
}

#[test]
fn a_change_of_the_access_feed_is_read_or_refused_without_harm() {
    let partner = wire::access::PartnerAdded {
        partner: "partners/1001".to_owned(),
        display_name: "Agency".to_owned(),
        country_code: "IT".to_owned(),
        email_domains: vec!["agency.example".to_owned()],
    };
    let time = Timestamp { seconds: 1_736_510_400, nanos: 0 };
    let change = wire::access::AccessChange {
        position: 1,
        effective_time: Some(time),
        record_time: Some(time),
        fact: Some(wire::access::access_change::Fact::PartnerAdded(partner)),
        ..Default::default()
    };
    check(EXECUTIONS, messages(&change), |change| {
        let _ = access_change_from_wire(&change).map_err(|error| assert!(!error.field.is_empty()));
    });
}
