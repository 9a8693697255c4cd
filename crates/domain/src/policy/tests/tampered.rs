//! Documents that somebody has tampered with.

use chrono::TimeDelta;
use hostile::{check, tampered, text};

use super::*;

/// What every user of a policy asks of it, at the instants at which sums could leave the years that are kept.
fn ask_everything(policy: &Policy) {
    for at in [FIRST_STORABLE, at("2025-07-15T00:00:00Z"), LAST_STORABLE] {
        assert!((FIRST_STORABLE..=LAST_STORABLE).contains(&policy.expire_time(at)));
        assert!((FIRST_STORABLE..=LAST_STORABLE).contains(&policy.sold_credit_end(at)));
        for region in [Period::since(at), Period::between(at - TimeDelta::days(1), at)] {
            assert!(policy.occurred_for(region).iter().all(|period| period.start >= FIRST_STORABLE));
        }
        assert!((1..=100).contains(&policy.multiplier_at(country("IN"), at)));
        assert!(policy.currency_units_at(at).all(|(_, units)| units > Decimal::ZERO));
    }
    assert!(!policy.warning_days().is_empty() && !policy.minimums_ever().contains(&0));
}

fn require_policy_or_reasons(document: &str) {
    match Policy::parse(document) {
        Ok(policy) => {
            ask_everything(&policy);
            assert_eq!(Policy::parse(policy.document()), Ok(policy));
        }
        Err(PolicyError::Malformed(text)) => assert!(text.starts_with("line "), "{text}"),
        Err(PolicyError::Invalid(violations)) => {
            assert!(!violations.is_empty());
            assert!(
                violations.iter().all(|found| !found.entry.is_empty() && !found.problem.is_empty()),
                "{violations:?}"
            );
        }
        Err(PolicyError::TooLarge { bytes }) => assert!(bytes > Policy::MAXIMUM_DOCUMENT_BYTES),
    }
}

#[test]
fn a_document_that_was_tampered_with_is_a_policy_or_says_what_is_wrong() {
    check(60, tampered(vec![EMBEDDED_DOCUMENT.as_bytes().to_vec()]), |document| {
        require_policy_or_reasons(&String::from_utf8_lossy(&document));
    });
}

#[test]
fn any_value_in_the_place_of_another_is_right_or_refused() {
    const PLACES: [&str; 8] = [
        "currency = \"EUR\", units_per_point = 75 ",
        "multiplier = 2",
        "days = 60",
        "access_link_days = 30",
        "version = \"2025-07-15\"",
        "\"IN\"",
        "\"126.com\"",
        "[30, 14, 7, 1]",
    ];
    let values =
        text(&["75", "\"62.50\"", "1e3", "0001-01-01", "[1]", "{ a = 1 }", "\"\"\"a\"\"\"", "9223372036854775807"]);
    check(80, (proptest::sample::select(&PLACES[..]), values), |(place, value)| {
        let (name, _) = place.rsplit_once('=').unwrap_or_default();
        let separator = if name.is_empty() { "" } else { "=" };
        for value in [value.clone(), format!("{value:?}")] {
            require_policy_or_reasons(&changed(place, &format!("{name}{separator} {value}")));
        }
    });
}

#[test]
fn a_document_that_nests_without_end_is_refused() {
    for nested in ["[", "x = [", "x = {a = ", "a.", "[[", "x = [{a = ["] {
        let document = nested.repeat(Policy::MAXIMUM_DOCUMENT_BYTES / nested.len());
        assert!(matches!(Policy::parse(&document), Err(PolicyError::Malformed(_))), "{nested}");
    }
}
