//! activity-tracking.

use super::Expected::{Answered, Holding, Missing, Refused};
use super::{Rows, everybody, nobody, own, platform, theirs};

/// What reading how somebody services a client needs.
const NEEDED: &str = "VIEW_CREDIT";

pub const TRACKING: Rows = (
    "managedcredit.activity.v1.ActivityTrackingService",
    &[
        (
            "RecordActivities",
            &[
                platform(
                    r#"activities { name: "clients/$client/activities/mine" email_address: "$address" occur_time { seconds: 1766500000 } catalogue_action { tool: "form" action: "edit" } origin: ORIGIN_PERSON }"#,
                ),
                platform(
                    r#"validate_only: true activities { name: "clients/$client/activities/$activity" email_address: "$address" occur_time { seconds: 1766500000 } catalogue_action { tool: "form" action: "edit" } origin: ORIGIN_PERSON }"#,
                ),
            ],
        ),
        ("VoidActivity", &[platform(r#"name: "clients/$client/activities/$activity" reason: "mine""#)]),
        (
            "GetActivity",
            &[
                theirs(
                    r#"name: "clients/$client/activities/$activity""#,
                    "UNKNOWN_ACTIVITY",
                    Refused("UNKNOWN_ACTIVITY"),
                ),
                theirs(
                    r#"name: "clients/$shared/activities/$shared_activity""#,
                    "UNKNOWN_ACTIVITY",
                    Refused("UNKNOWN_ACTIVITY"),
                ),
                theirs(
                    r#"name: "clients/$shared/activities/$client_activity""#,
                    "UNKNOWN_ACTIVITY",
                    Refused("UNKNOWN_ACTIVITY"),
                ),
            ],
        ),
        (
            "ListActivities",
            &[
                nobody("", "INVALID_FIELDS"),
                nobody(r#"client: "clients/$shared""#, "INVALID_FIELDS"),
                nobody(r#"partner: "partners/$other" email_address: "$address""#, "INVALID_FIELDS"),
                theirs(r#"partner: "partners/$partner""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"partner: "partners/$other""#, Holding("of-dora"), NEEDED),
                own(r#"partner: "partners/$other" client: "clients/$client""#, Answered, NEEDED),
                own(r#"partner: "partners/$other" client: "clients/$shared""#, Holding("of-dora"), NEEDED),
                own(r#"partner: "partners/$other" employee: "partners/$other/employees/$employee""#, Answered, NEEDED),
            ],
        ),
        ("ListQualifyingActions", &[everybody("")]),
        (
            "GetServicing",
            &[
                theirs(r#"partner: "partners/$partner" client: "clients/$client""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                theirs(r#"partner: "partners/$partner" client: "clients/$shared""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"partner: "partners/$other" client: "clients/$client""#, Refused("UNKNOWN_CLIENT"), NEEDED),
                own(r#"partner: "partners/$other" client: "clients/$shared""#, Holding("of-dora"), NEEDED),
            ],
        ),
        (
            "BatchGetServicing",
            &[
                theirs(
                    r#"pairs { partner: "partners/$partner" client: "clients/$client" }"#,
                    "UNKNOWN_PARTNER",
                    Missing(NEEDED),
                ),
                // One pair of many is enough to be refused.
                own(
                    r#"pairs { partner: "partners/$other" client: "clients/$shared" } pairs { partner: "partners/$other" client: "clients/$client" }"#,
                    Answered,
                    NEEDED,
                ),
            ],
        ),
        (
            "ListServicing",
            &[
                nobody(r#"client: "clients/$shared""#, "INVALID_FIELDS"),
                theirs(r#"partner: "partners/$partner""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"partner: "partners/$other""#, Answered, NEEDED),
                own(r#"partner: "partners/$other" client: "clients/$client""#, Refused("UNKNOWN_CLIENT"), NEEDED),
                own(r#"partner: "partners/$other" client: "clients/$shared""#, Answered, NEEDED),
            ],
        ),
        (
            "ListIdleAssignments",
            &[
                theirs(r#"partner: "partners/$partner""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"partner: "partners/$other""#, Holding("clients/2002"), NEEDED),
                own(r#"partner: "partners/$other" client: "clients/$client""#, Answered, NEEDED),
            ],
        ),
        (
            "ListUnmatchedAddresses",
            &[
                nobody(r#"client: "clients/$shared""#, "INVALID_FIELDS"),
                theirs(r#"partner: "partners/$partner""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"partner: "partners/$other""#, Answered, NEEDED),
                own(r#"partner: "partners/$other" client: "clients/$client""#, Refused("UNKNOWN_CLIENT"), NEEDED),
                own(r#"partner: "partners/$other" client: "clients/$shared""#, Answered, NEEDED),
            ],
        ),
    ],
);

pub const FEED: Rows = (
    "managedcredit.activity.v1.ServicingFeedService",
    &[
        ("GetHeadRevision", &[platform("")]),
        ("WatchServicing", &[platform("")]),
        ("StreamServicing", &[platform(r#"policy_document: "$policy""#)]),
    ],
);
