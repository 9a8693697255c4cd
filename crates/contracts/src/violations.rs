//! Collects everything that is wrong with a request, to report it at once.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use domain::time::Instant;
use prost_types::Timestamp;
use tonic_types::FieldViolation;
use uuid::Uuid;

use crate::{Failure, Revision, instant};

/// The most revisions that a read may name.
const MAXIMUM_REVISIONS: usize = 10;

/// The longest display name, in characters.
pub const DISPLAY_NAME_LENGTH: usize = 200;

/// What is wrong with a request so far.
#[derive(Debug, Default)]
pub struct Violations(Vec<FieldViolation>);

impl Violations {
    /// Notes that `field` is wrong; the description says what would be right.
    pub fn add(&mut self, field: impl Into<String>, description: impl Display) {
        self.0.push(FieldViolation::new(field, description.to_string()));
    }

    /// The value, or a violation of `field`.
    pub fn check<T, E: Display>(&mut self, field: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|problem| self.add(field, problem)).ok()
    }

    /// The value of a text, or a violation of `field`.
    pub fn parse<T: FromStr<Err: Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        self.check(field, text.parse::<T>())
    }

    /// A text of 1 to `maximum` characters without control characters and outer white space, or a violation.
    pub fn text(&mut self, field: &str, text: &str, maximum: usize) -> Option<String> {
        let is_right = !text.is_empty()
            && text.trim() == text
            && text.chars().count() <= maximum
            && !text.chars().any(char::is_control);
        if is_right {
            return Some(text.to_owned());
        }
        self.add(field, format!("1 to {maximum} characters, without control characters and outer white space"));
        None
    }

    /// The instant of a timestamp that may be absent; a violation where it is out of range.
    pub fn optional_instant(&mut self, field: &str, timestamp: Option<&Timestamp>) -> Option<Instant> {
        self.check(field, instant(timestamp?))
    }

    /// As `optional_instant`; also a violation where it is after `now`, because nothing is recorded ahead of its time
    /// (R22).
    pub fn optional_past_instant(
        &mut self,
        field: &str,
        timestamp: Option<&Timestamp>,
        now: Instant,
    ) -> Option<Instant> {
        let instant = self.optional_instant(field, timestamp)?;
        if instant > now {
            self.add(field, "now or earlier; absent means now");
            return None;
        }
        Some(instant)
    }

    /// The instant of a timestamp that must be there, or a violation.
    pub fn instant(&mut self, field: &str, timestamp: Option<&Timestamp>) -> Option<Instant> {
        if timestamp.is_none() {
            self.add(field, "is needed");
        }
        self.optional_instant(field, timestamp)
    }

    /// The UUID of a text that may be empty, or a violation.
    pub fn optional_uuid(&mut self, field: &str, text: &str) -> Option<Uuid> {
        if text.is_empty() {
            return None;
        }
        let uuid = Uuid::try_parse(text).map_err(|_| "a UUID, for example 0190a0b0-0000-7000-8000-000000000001");
        self.check(field, uuid)
    }

    /// The value of a text that may be empty, or a violation.
    pub fn parse_optional<T: FromStr<Err: Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        if text.is_empty() { None } else { self.parse(field, text) }
    }

    /// A text of at most `maximum` characters without control characters and outer white space, or a violation.
    pub fn optional_text(&mut self, field: &str, text: &str, maximum: usize) -> Option<String> {
        if text.is_empty() { Some(String::new()) } else { self.text(field, text, maximum) }
    }

    /// The revisions that a read must know.
    pub fn revisions(&mut self, field: &str, texts: &[String]) -> Vec<Revision> {
        if texts.len() > MAXIMUM_REVISIONS {
            self.add(field, format!("at most {MAXIMUM_REVISIONS} revisions"));
            return Vec::new();
        }
        let indexed = texts.iter().enumerate();
        indexed.filter_map(|(index, text)| self.parse(&format!("{field}[{index}]"), text)).collect()
    }

    /// The values that a list names, of which there are `all`; what is none of them is a violation. `one` is what a value is
    /// called, `enumeration` where its values stand.
    pub fn values<T: Ord>(
        &mut self,
        field: &str,
        stated: &[i32],
        all: usize,
        (one, enumeration): (&str, &str),
        known: impl Fn(i32) -> Option<T>,
    ) -> BTreeSet<T> {
        if stated.len() > all {
            self.add(field, format!("each {one} once at most"));
            return BTreeSet::new();
        }
        let right = || format!("a value of {enumeration}, but unspecified");
        let indexed = stated.iter().enumerate();
        let values = indexed
            .filter_map(|(index, number)| self.check(&format!("{field}[{index}]"), known(*number).ok_or_else(right)));
        values.collect()
    }

    /// A number from 1 to `maximum` where 0 stands for `default`, or a violation.
    pub fn bounded(&mut self, field: &str, number: i32, default: u32, maximum: u32) -> Option<u32> {
        match u32::try_from(number) {
            Ok(0) => Some(default),
            Ok(number) if number <= maximum => Some(number),
            _ => {
                self.add(field, format!("1 to {maximum}; 0 means {default}"));
                None
            }
        }
    }

    /// What was read, if nothing at all is wrong. `value` is only asked then, so that it may use `?` on its parts.
    ///
    /// # Errors
    /// All violations.
    pub fn finish<T>(self, value: impl FnOnce() -> Option<T>) -> Result<T, Failure> {
        if self.0.is_empty() { value().ok_or_else(Failure::internal) } else { Err(Failure::of_fields(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use domain::access::HubId;

    use super::*;

    #[test]
    fn every_wrong_field_is_named_with_its_path() {
        let mut violations = Violations::default();
        let hub_id: Option<HubId> = violations.parse("hub_id", "x");
        let name = violations.text("partner.display_name", " ", 200);
        let failure = violations.finish(|| Some((hub_id?, name?))).expect_err("both are wrong");
        assert!(failure.message().contains("hub_id: ") && failure.message().contains("partner.display_name: "));
    }

    #[test]
    fn a_text_has_limits() {
        let mut violations = Violations::default();
        assert_eq!(violations.text("t", "é", 1), Some("é".to_owned()));
        for wrong in ["", " a", "a ", "ab", "\u{7}"] {
            assert_eq!(violations.text("t", wrong, 1), None, "{wrong:?}");
        }
    }

    #[test]
    fn zero_stands_for_the_default_and_bounds_are_kept() {
        let mut violations = Violations::default();
        assert_eq!(violations.bounded("page_size", 0, 50, 1_000), Some(50));
        assert_eq!(violations.bounded("page_size", 1_000, 50, 1_000), Some(1_000));
        assert_eq!(violations.bounded("page_size", 1_001, 50, 1_000), None);
        assert_eq!(violations.bounded("page_size", -1, 50, 1_000), None);
    }
}
