//! The fields of a record, and what is wrong with them.

use chrono::{DateTime, Utc};
use domain::time::{Instant, cut_to_microseconds, is_storable};
use serde_json::Value;

/// A field's text; nothing where it is absent, null or empty.
pub(super) fn text(record: &Value, field: &str) -> Result<Option<String>, String> {
    match record.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(format!("{field}: is not a text")),
    }
}

/// The same of a field that must be there.
pub(super) fn required_text(record: &Value, field: &str) -> Result<String, String> {
    text(record, field)?.ok_or_else(|| is_missing(field))
}

/// An id, which some versions of the APIs give as a number. Of a number with a fraction, or of more than 64 bits, the
/// parser keeps an approximation: two of them could become one.
pub(super) fn id(record: &Value, field: &str) -> Result<Option<String>, String> {
    match record.get(field) {
        Some(Value::Number(number)) if number.is_u64() || number.is_i64() => Ok(Some(number.to_string())),
        Some(Value::Number(_)) => Err(format!("{field}: is not a whole number of at most 64 bits")),
        _ => text(record, field),
    }
}

/// The same of an id that must be there.
pub(super) fn required_id(record: &Value, field: &str) -> Result<String, String> {
    id(record, field)?.ok_or_else(|| is_missing(field))
}

/// RFC 3339, or milliseconds since 1970.
pub(super) fn required_time(record: &Value, field: &str) -> Result<Instant, String> {
    let wrong = || format!("{field}: is not a time in RFC 3339 or in milliseconds since 1970");
    let time: Option<DateTime<Utc>> = match record.get(field) {
        None | Some(Value::Null) => return Err(is_missing(field)),
        Some(Value::String(text)) => DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()),
        Some(Value::Number(number)) => number.as_i64().and_then(DateTime::from_timestamp_millis),
        Some(_) => None,
    };
    time.filter(|time| is_storable(*time)).map(cut_to_microseconds).ok_or_else(wrong)
}

fn is_missing(field: &str) -> String {
    format!("{field}: is missing")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_a_text_or_a_whole_number_and_never_an_approximation() {
        let id_of = |value: Value| id(&json!({ "id": value }), "id");
        assert_eq!(id_of(json!("a")), Ok(Some("a".to_owned())));
        assert_eq!(id_of(json!(u64::MAX)), Ok(Some("18446744073709551615".to_owned())));
        assert_eq!(id_of(json!(-1)), Ok(Some("-1".to_owned())));
        for nothing in [json!(null), json!("")] {
            assert_eq!(id_of(nothing), Ok(None));
        }
        let too_long: Value = serde_json::from_str("18446744073709551616").expect("a number");
        for approximate in [json!(1.5), too_long] {
            assert_eq!(id_of(approximate), Err("id: is not a whole number of at most 64 bits".to_owned()));
        }
    }
}
