//! Hostile texts: whatever is read is refused, or means what it says, and can be stored, printed and read again.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use hostile::{check, text};

use crate::access::{AssetId, CountryCode, EmailAddress, EmailDomain, HubId, PermissionSet};
use crate::activity::{ActivityId, CatalogueAction, TargetObjectId};
use crate::credit::{SoldCreditId, SubscriptionId};
use crate::money::{Currency, Money, Points};
use crate::statement::Month;

/// How often each kind of text is tried.
const EXECUTIONS: u32 = 400;

/// Longer is nothing that is read.
const MAXIMUM_BYTES: usize = 256 * 4;

/// What is read prints as something short that is read as the same, and that every database keeps and every terminal shows.
fn require_read_back<T: FromStr + Display + PartialEq + Debug>(text: &str) -> Option<String> {
    let read = text.parse::<T>().ok()?;
    let printed = read.to_string();
    assert!(printed.len() <= MAXIMUM_BYTES && !printed.chars().any(char::is_control), "{printed:?}");
    assert!(printed.parse::<T>().is_ok_and(|again| again == read), "{printed:?} is not read back");
    Some(printed)
}

fn has_one_spelling<T: FromStr + Display + PartialEq + Debug>(valid: &[&str]) {
    check(EXECUTIONS, text(valid), |text| {
        if let Some(printed) = require_read_back::<T>(&text) {
            assert_eq!(printed, text, "another spelling of the same");
        }
    });
}

#[test]
fn ids_are_read_in_one_spelling_or_not_at_all() {
    has_one_spelling::<HubId>(&["1", "2002", "9223372036854775807"]);
    has_one_spelling::<AssetId>(&["wf-7", "form:1"]);
    has_one_spelling::<PermissionSet>(&["STANDARD", "PARTNER_ADMIN"]);
    has_one_spelling::<ActivityId>(&["evt:1", "0190a0b0-0000-7000-8000-000000000001"]);
    has_one_spelling::<TargetObjectId>(&["42", "page 7"]);
    has_one_spelling::<CatalogueAction>(&["blog/publish", "landing_page/edit"]);
    has_one_spelling::<SubscriptionId>(&["main", "sub-1.a~b"]);
    has_one_spelling::<SoldCreditId>(&["deal-7"]);
}

#[test]
fn codes_months_and_points_are_read_in_one_spelling_or_not_at_all() {
    has_one_spelling::<CountryCode>(&["IT", "US"]);
    has_one_spelling::<Currency>(&["USD", "JPY", "KWD"]);
    has_one_spelling::<Month>(&["2026-10", "0001-01", "9999-12"]);
    has_one_spelling::<Points>(&["11.36", "-0.50", "92233720368547758.07"]);
}

#[test]
fn r8_an_address_or_domain_is_stored_as_it_is_compared_and_read_back() {
    let addresses = ["anna@agency.example", "\"a b\"@agency.example", "a.b+c@mail.agency.co.uk", "ÀÈ@àgency.example"];
    check(4 * EXECUTIONS, text(&addresses), |text| {
        require_read_back::<EmailAddress>(&text);
    });
    check(
        EXECUTIONS,
        text(&["agency.example", "mail.agency.co.uk", "xn--gency-uqa.example", "àgency.example"]),
        |text| {
            require_read_back::<EmailDomain>(&text);
        },
    );
}

/// The digits of a plain amount before and behind the point, without those that mean nothing.
fn significant(amount: &str) -> (&str, &str) {
    let amount = amount.strip_prefix('-').unwrap_or(amount);
    let (whole, decimals) = amount.split_once('.').unwrap_or((amount, ""));
    (whole.trim_start_matches('0'), decimals.trim_end_matches('0'))
}

#[test]
fn r96_an_amount_is_kept_digit_by_digit_or_refused() {
    let amounts = text(&["1234.50", "0", "0.01", "10000000000000.00", "1.234", "-0.00", "999999999999.999"]);
    check(4 * EXECUTIONS, amounts, |text| {
        for code in ["JPY", "USD", "KWD", "CLF"] {
            let currency: Currency = code.parse().expect("a currency");
            let Ok(money) = Money::parse(currency, &text) else { continue };
            assert!((0..=Money::MAXIMUM_MINOR_UNITS).contains(&money.minor_units), "{money:?}");
            assert_eq!(significant(&money.amount()), significant(&text), "{code}");
            assert_eq!(Money::parse(currency, &money.amount()), Ok(money));
        }
    });
}
