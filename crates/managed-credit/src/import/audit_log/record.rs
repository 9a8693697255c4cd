//! A record of the account-activity API as an activity.

use chrono::{DateTime, Utc};
use contracts::wire::activity::{self as wire, Activity};
use contracts::{ActivityName, activity_from_wire, timestamp};
use domain::access::HubId;
use domain::activity::ActivityId;
use domain::time::{Instant, cut_to_microseconds, is_storable};
use serde_json::Value;

/// What the source is called in the policy's mapping.
const SYSTEM: &str = "ACCOUNT_ACTIVITY";

/// The activity of a record, in the record's own words; or what is wrong with it. The API records only people's actions.
pub(super) fn activity_of(client: HubId, record: &Value) -> Result<Activity, String> {
    if !record.is_object() {
        return Err("is not a record of the account-activity API".to_owned());
    }
    let id = text_or_number(record, "id")?.ok_or("id: is missing")?;
    let activity: ActivityId = id.parse().map_err(|problem| format!("id: {problem}"))?;
    let person = record.get("actingUser").unwrap_or(&Value::Null);
    let address = text(person, "userEmail").map_err(|problem| format!("actingUser.{problem}"))?;
    let activity = Activity {
        name: ActivityName { client, activity }.to_string(),
        email_address: address.ok_or("actingUser.userEmail: is missing")?,
        occur_time: Some(timestamp(occur_time(record)?)),
        action: Some(wire::activity::Action::SourceAction(wire::SourceAction {
            system: SYSTEM.to_owned(),
            category: text(record, "category")?.ok_or("category: is missing")?,
            subcategory: text(record, "subCategory")?.unwrap_or_default(),
            action: text(record, "action")?.ok_or("action: is missing")?,
        })),
        origin: wire::Origin::Person.into(),
        target_object_id: text_or_number(record, "targetObjectId")?.unwrap_or_default(),
    };
    // As the service would, but without a record of any size having to travel there.
    activity_from_wire("record", &activity).map_err(|failure| failure.message().to_owned())?;
    Ok(activity)
}

/// A field's text; nothing where it is absent, null or empty.
fn text(record: &Value, field: &str) -> Result<Option<String>, String> {
    match record.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(format!("{field}: is not a text")),
    }
}

/// The same of a field that some versions of the API give as a number.
fn text_or_number(record: &Value, field: &str) -> Result<Option<String>, String> {
    match record.get(field) {
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        _ => text(record, field),
    }
}

/// RFC 3339, or milliseconds since 1970.
fn occur_time(record: &Value) -> Result<Instant, String> {
    let wrong = || "occurredAt: is not a time in RFC 3339 or in milliseconds since 1970".to_owned();
    let time: Option<DateTime<Utc>> = match record.get("occurredAt") {
        None | Some(Value::Null) => return Err("occurredAt: is missing".to_owned()),
        Some(Value::String(text)) => DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()),
        Some(Value::Number(number)) => number.as_i64().and_then(DateTime::from_timestamp_millis),
        Some(_) => None,
    };
    time.filter(|time| is_storable(*time)).map(cut_to_microseconds).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn client() -> HubId {
        "2002".parse().expect("a hub id")
    }

    fn record() -> Value {
        json!({
            "id": "evt-1", "category": "CRM_OBJECT", "subCategory": "CONTACT", "action": "CREATE",
            "targetObjectId": "501", "occurredAt": "2025-08-01T09:30:00.123Z",
            "actingUser": {"userId": 7, "userEmail": "Anna@Agency.example"}
        })
    }

    fn with(field: &str, value: Value) -> Value {
        let mut record = record();
        record[field] = value;
        record
    }

    #[test]
    fn r60_the_words_of_the_record_travel_as_they_are() {
        let activity = activity_of(client(), &record()).expect("a record");
        assert_eq!(activity.name, "clients/2002/activities/evt-1");
        let expected = wire::SourceAction {
            system: "ACCOUNT_ACTIVITY".to_owned(),
            category: "CRM_OBJECT".to_owned(),
            subcategory: "CONTACT".to_owned(),
            action: "CREATE".to_owned(),
        };
        assert_eq!(activity.action, Some(wire::activity::Action::SourceAction(expected)));
        assert_eq!((activity.target_object_id.as_str(), activity.origin()), ("501", wire::Origin::Person));
    }

    #[test]
    fn a_time_may_be_in_milliseconds_and_an_id_a_number() {
        let milliseconds = activity_of(client(), &with("occurredAt", json!(1_754_040_600_123_i64))).expect("a record");
        assert_eq!(milliseconds.occur_time, activity_of(client(), &record()).expect("a record").occur_time);
        assert_eq!(activity_of(client(), &with("id", json!(17))).expect("a record").name, "clients/2002/activities/17");
    }

    #[test]
    fn a_source_without_subcategory_or_object_is_right() {
        for field in ["subCategory", "targetObjectId"] {
            assert!(activity_of(client(), &with(field, Value::Null)).is_ok(), "{field}");
        }
    }

    #[test]
    fn a_record_that_cannot_be_read_names_the_field() {
        for (field, value, problem) in [
            ("id", json!(null), "id: is missing"),
            ("id", json!("a b"), "id: an activity id is"),
            ("id", json!(["a"]), "id: is not a text"),
            ("category", json!(""), "category: is missing"),
            ("action", json!(1), "action: is not a text"),
            ("occurredAt", json!(null), "occurredAt: is missing"),
            ("occurredAt", json!("yesterday"), "occurredAt: is not a time"),
            ("occurredAt", json!(1.5), "occurredAt: is not a time"),
            ("occurredAt", json!(i64::MAX), "occurredAt: is not a time"),
            ("actingUser", json!({"userId": 7}), "actingUser.userEmail: is missing"),
            ("actingUser", json!({"userEmail": 7}), "actingUser.userEmail: is not a text"),
            ("actingUser", json!({"userEmail": "anna"}), "record.email_address: "),
            ("category", json!("crm object"), "record.source_action: "),
            ("targetObjectId", json!("x".repeat(1_000_000)), "record.target_object_id: "),
            ("actingUser", json!("anna"), "actingUser.userEmail: is missing"),
        ] {
            let found = activity_of(client(), &with(field, value)).expect_err("not readable");
            assert!(found.starts_with(problem), "{found}");
        }
        assert!(activity_of(client(), &json!([1])).is_err());
    }
}
