//! A record of a log as an activity: the one thing in which the logs differ.

mod account_activity;
mod cms_audit;
mod fields;
mod users;

use contracts::activity_from_wire;
use contracts::wire::activity::Activity;
use domain::access::HubId;
use serde_json::Value;

pub(crate) use users::Users;

/// Which log the records are of.
#[derive(Debug)]
pub(crate) enum RecordKind {
    /// The vendor's account-activity API.
    AccountActivity,
    /// The vendor's CMS audit log, and who the users are that it names by number only.
    CmsAudit(Users),
}

impl RecordKind {
    /// The activity of a record, in the record's own words (R60); or what is wrong with it.
    pub(super) fn activity_of(&self, client: HubId, record: &Value) -> Result<Activity, String> {
        if !record.is_object() {
            return Err("is not a JSON object".to_owned());
        }
        let activity = match self {
            Self::AccountActivity => account_activity::activity_of(client, record)?,
            Self::CmsAudit(users) => cms_audit::activity_of(client, users, record)?,
        };
        // As the service would, but without a record of any size having to travel there.
        activity_from_wire("record", &activity).map_err(|failure| failure.message().to_owned())?;
        Ok(activity)
    }

    /// What the log is called.
    pub(super) const fn title(&self) -> &'static str {
        match self {
            Self::AccountActivity => "Audit log",
            Self::CmsAudit(_) => "CMS audit log",
        }
    }

    /// The table of users, where the records need one.
    pub(super) const fn users(&self) -> Option<&Users> {
        match self {
            Self::AccountActivity => None,
            Self::CmsAudit(users) => Some(users),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_object_is_no_record_of_any_log() {
        let client = "2002".parse().expect("a hub id");
        for kind in [RecordKind::AccountActivity, RecordKind::CmsAudit(Users::default())] {
            let problem = kind.activity_of(client, &json!([1])).expect_err("an array");
            assert_eq!(problem, "is not a JSON object");
        }
    }

    #[test]
    fn a_record_that_was_tampered_with_is_an_activity_or_says_which_field_is_wrong() {
        let client = "2002".parse().expect("a hub id");
        let users = Users::parse("users.csv".as_ref(), b"user_id,email\n7,a@agency.example\n".to_vec()).expect("right");
        let kinds = [RecordKind::AccountActivity, RecordKind::CmsAudit(users)];
        let records = [
            json!({"id": "a", "category": "CRM_OBJECT", "subCategory": "CONTACT", "action": "UPDATE", "targetObjectId": "42",
                   "occurredAt": "2025-08-01T10:00:00Z", "actingUser": {"userId": 7, "userEmail": "a@agency.example"}}),
            json!({"objectId": 42, "userId": 7, "timestamp": 1_754_000_000_000_i64, "objectName": "Post", "fullName": "A",
                   "event": "PUBLISHED", "objectType": "BLOG"}),
        ];
        for (kind, record) in kinds.iter().zip(&records) {
            assert!(kind.activity_of(client, record).is_ok(), "{record}");
        }
        let records = hostile::tampered(records.map(|record| record.to_string().into_bytes()).to_vec());
        hostile::check(1_000, records, |record| {
            let Ok(record) = serde_json::from_slice::<Value>(&record) else { return };
            for kind in &kinds {
                if let Err(problem) = kind.activity_of(client, &record) {
                    assert!(!problem.is_empty() && !problem.chars().any(char::is_control), "{problem:?}");
                }
            }
        });
    }
}
