//! A record of the account-activity API, which records only what people do.

use contracts::wire::activity::{self as wire, Activity};
use contracts::{ActivityName, timestamp};
use domain::access::HubId;
use domain::activity::ActivityId;
use serde_json::Value;

use super::fields::{id, required_id, required_text, required_time, text};

/// What the source is called in the policy's mapping.
const SYSTEM: &str = "ACCOUNT_ACTIVITY";

/// The activity of a record; or what is wrong with it.
pub(super) fn activity_of(client: HubId, record: &Value) -> Result<Activity, String> {
    let activity: ActivityId = required_id(record, "id")?.parse().map_err(|problem| format!("id: {problem}"))?;
    let person = record.get("actingUser").unwrap_or(&Value::Null);
    let address = required_text(person, "userEmail").map_err(|problem| format!("actingUser.{problem}"))?;
    Ok(Activity {
        name: ActivityName { client, activity }.to_string(),
        email_address: address,
        occur_time: Some(timestamp(required_time(record, "occurredAt")?)),
        action: Some(wire::activity::Action::SourceAction(wire::SourceAction {
            system: SYSTEM.to_owned(),
            category: required_text(record, "category")?,
            subcategory: text(record, "subCategory")?.unwrap_or_default(),
            action: required_text(record, "action")?,
        })),
        origin: wire::Origin::Person.into(),
        target_object_id: id(record, "targetObjectId")?.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::RecordKind;
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

    fn activity_of(client: HubId, record: &Value) -> Result<Activity, String> {
        RecordKind::AccountActivity.activity_of(client, record)
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
            ("id", json!(1.5), "id: is not a whole number"),
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
    }
}
