//! Values spelled briefly for the tests of this room.

use std::sync::LazyLock;

pub(super) use crate::access::testing::{at, hub};
use crate::money::{Currency, Money};
use crate::servicing::{ServicingState, Standing};

pub(super) fn money(code: &str, amount: &str) -> Money {
    let currency = code.parse().expect("a test writes valid currencies");
    Money::parse(currency, amount).expect("a test writes valid amounts")
}

/// A standing whose times are left out where it never began.
pub(super) fn standing(state: ServicingState, since: &str, expires: &str, live_activities: u32) -> Standing {
    let began = state != ServicingState::None;
    Standing {
        state,
        serviced_since: began.then(|| at(since)),
        expire_time: began.then(|| at(expires)),
        last_activity_time: began.then(|| at(since)),
        live_activities,
    }
}

/// Every ISO currency that has a minor unit: of all codes of three letters, those that are read.
pub(super) static EVERY_CURRENCY: LazyLock<Vec<Currency>> = LazyLock::new(|| {
    let codes = ('A'..='Z').flat_map(|first| {
        ('A'..='Z').flat_map(move |second| ('A'..='Z').map(move |third| String::from_iter([first, second, third])))
    });
    codes.filter_map(|code| code.parse().ok()).collect()
});
