//! A record of the CMS audit log: who it was is a number, and the record has no id of its own.

use contracts::wire::activity::{self as wire, Activity};
use contracts::{ActivityName, timestamp};
use domain::access::HubId;
use domain::activity::{ActivityId, ActivityIdError};
use domain::time::Instant;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::fields::{id, required_id, required_text, required_time};
use super::users::Users;

/// What the source is called in the policy's mapping.
const SYSTEM: &str = "CMS_AUDIT";

/// The most characters of an activity id.
const MAXIMUM_ID_CHARACTERS: usize = 128;

/// The activity of a record; or what is wrong with it.
pub(super) fn activity_of(client: HubId, users: &Users, record: &Value) -> Result<Activity, String> {
    let event = Event::of(record)?;
    let address = users.address_of(&event.user)?.to_string();
    let activity = event.activity_id().map_err(|problem| format!("record: {problem}"))?;
    Ok(Activity {
        name: ActivityName { client, activity }.to_string(),
        email_address: address,
        occur_time: Some(timestamp(event.time)),
        action: Some(wire::activity::Action::SourceAction(wire::SourceAction {
            system: SYSTEM.to_owned(),
            category: event.object_type,
            subcategory: String::new(),
            action: event.event,
        })),
        origin: wire::Origin::Person.into(),
        target_object_id: event.object,
    })
}

/// What tells one record from another: who did what to which object, and when. The names of the object and of the person
/// are left out, because a renaming makes no other record.
struct Event {
    object_type: String,
    /// Empty for what is one of its kind in the account.
    object: String,
    event: String,
    user: String,
    time: Instant,
}

impl Event {
    fn of(record: &Value) -> Result<Self, String> {
        Ok(Self {
            object_type: required_text(record, "objectType")?,
            object: id(record, "objectId")?.unwrap_or_default(),
            event: required_text(record, "event")?,
            user: required_id(record, "userId")?,
            time: required_time(record, "timestamp")?,
        })
    }

    /// The same for the same event for ever, because it is what makes a second import change nothing (R60): whatever was
    /// imported under another id would be counted again. Two records that agree in all five are one.
    fn activity_id(&self) -> Result<ActivityId, ActivityIdError> {
        let time = self.time.format("%Y%m%dT%H%M%S%.fZ").to_string();
        let parts = [&self.object_type, &self.object, &self.event, &self.user, &time].map(String::as_str);
        readable_id(&parts).unwrap_or_else(|| hashed_id(&parts)).parse()
    }
}

/// The parts themselves, where they can be told apart again: the object alone, in the middle, may have hyphens of its own.
fn readable_id(parts: &[&str; 5]) -> Option<String> {
    let [object_type, object, event, user, time] = parts;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    let are_plain = [object_type, event, user, time].into_iter().all(|part| part.bytes().all(is_plain))
        && object.bytes().all(|byte| is_plain(byte) || byte == b'-');
    let id = format!("cms-{object_type}-{object}-{event}-{user}-{time}");
    (are_plain && id.len() <= MAXIMUM_ID_CHARACTERS).then_some(id)
}

/// For the others; each part with its length, so that no two events run into one text.
fn hashed_id(parts: &[&str; 5]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    format!("cms-{:x}", hash.finalize())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::super::RecordKind;
    use super::*;

    fn activity_of(record: &Value) -> Result<Activity, String> {
        let users = "user_id,email\n7,Anna@Agency.example\nab-c,bea@agency.example\n";
        let users = Users::parse("users.csv".as_ref(), users.into()).expect("right");
        RecordKind::CmsAudit(users).activity_of("2002".parse().expect("a hub id"), record)
    }

    fn id_of(record: &Value) -> String {
        let name = activity_of(record).expect("a record").name;
        name.strip_prefix("clients/2002/activities/").expect("of the client").to_owned()
    }

    fn record() -> Value {
        json!({
            "objectId": "9001", "userId": "7", "timestamp": "2025-08-01T09:30:00.123Z", "objectName": "Summer",
            "fullName": "Anna Bianchi", "event": "PUBLISHED", "objectType": "LANDING_PAGE"
        })
    }

    fn with(field: &str, value: impl Into<Value>) -> Value {
        let mut record = record();
        record[field] = value.into();
        record
    }

    #[test]
    fn r60_the_words_of_the_record_travel_as_they_are_under_the_address_of_the_user() {
        let activity = activity_of(&record()).expect("a record");
        let expected = wire::SourceAction {
            system: "CMS_AUDIT".to_owned(),
            category: "LANDING_PAGE".to_owned(),
            subcategory: String::new(),
            action: "PUBLISHED".to_owned(),
        };
        assert_eq!(activity.action, Some(wire::activity::Action::SourceAction(expected)));
        assert_eq!(activity.email_address, "anna@agency.example");
        assert_eq!((activity.target_object_id.as_str(), activity.origin()), ("9001", wire::Origin::Person));
    }

    #[test]
    fn r60_an_id_is_made_from_what_happened_and_never_changes() {
        assert_eq!(id_of(&record()), "cms-LANDING_PAGE-9001-PUBLISHED-7-20250801T093000.123Z");
        assert_eq!(id_of(&with("objectId", "a/b c")), HASHED_ID);
    }

    /// Computed apart from the code: an id that changes would import everything a second time.
    const HASHED_ID: &str = "cms-5f7ae45b0df21133ce93eff538f4314afe867ae3859ac3809a7a49a85df1055e";

    #[test]
    fn r60_the_same_event_in_another_writing_is_the_same() {
        let id = id_of(&record());
        for (field, value) in [
            ("timestamp", json!(1_754_040_600_123_i64)),
            ("timestamp", json!("2025-08-01T11:30:00.123000+02:00")),
            ("userId", json!(7)),
            ("objectId", json!(9001)),
            ("objectName", json!("Autumn")),
            ("fullName", json!(null)),
        ] {
            assert_eq!(id_of(&with(field, value.clone())), id, "{field} {value}");
        }
    }

    #[test]
    fn r60_another_event_has_another_id() {
        let mut records = vec![
            record(),
            with("objectId", "9001-PUBLISHED"),
            with("objectId", "9001.5"),
            with("objectId", "é"),
            with("objectId", "x".repeat(120)),
            with("objectId", "x".repeat(121)),
            with("objectId", Value::Null),
            with("objectType", "BLOG"),
            with("event", "UPDATED"),
            with("timestamp", "2025-08-01T09:30:00Z"),
            with("timestamp", "2025-08-01T09:30:00.123001Z"),
        ];
        // The hyphen of the user does not run into the object's.
        let mut hyphens = with("userId", "ab-c");
        records.push(hyphens.clone());
        hyphens["objectId"] = json!("9001-PUBLISHED-ab");
        records.push(hyphens);
        let ids: BTreeSet<String> = records.iter().map(id_of).collect();
        assert_eq!(ids.len(), records.len(), "{ids:?}");
    }

    #[test]
    fn an_id_that_would_be_too_long_or_has_odd_characters_is_a_hash() {
        let fixed = "cms-LANDING_PAGE--PUBLISHED-7-20250801T093000.123Z".len();
        let longest = "x".repeat(128 - fixed);
        assert_eq!(id_of(&with("objectId", longest.clone())).len(), 128);
        for odd in [longest + "x", "a b".to_owned(), "a/b".to_owned(), "a:b".to_owned(), "caffè".to_owned()] {
            let id = id_of(&with("objectId", odd.clone()));
            let hash = id.strip_prefix("cms-").expect("ours");
            assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{odd}: {id}");
        }
    }

    #[test]
    fn what_is_one_of_its_kind_in_the_account_has_no_object() {
        let activity = activity_of(&with("objectId", Value::Null)).expect("a record");
        assert_eq!(activity.name, "clients/2002/activities/cms-LANDING_PAGE--PUBLISHED-7-20250801T093000.123Z");
        assert_eq!(activity.target_object_id, "");
    }

    #[test]
    fn a_record_that_cannot_be_read_names_the_field() {
        for (field, value, problem) in [
            ("userId", json!(8), "userId: 8 is not in users.csv"),
            ("userId", json!(""), "userId: is missing"),
            ("userId", json!([7]), "userId: is not a text"),
            ("timestamp", json!(null), "timestamp: is missing"),
            ("timestamp", json!("yesterday"), "timestamp: is not a time"),
            ("event", json!(null), "event: is missing"),
            ("event", json!("was published"), "record.source_action: "),
            ("objectType", json!(1), "objectType: is not a text"),
            ("objectType", json!("BLOG/POST"), "record.source_action: "),
            ("objectId", json!({}), "objectId: is not a text"),
            ("objectId", json!("x".repeat(257)), "record.target_object_id: "),
        ] {
            let found = activity_of(&with(field, value)).expect_err("not readable");
            assert!(found.starts_with(problem), "{found}");
        }
    }
}
