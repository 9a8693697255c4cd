//! Callers who may not call at all, or not this: their answer is the same whatever is asked.

use domain::time::Instant;
use managed_credit::running::Part;
use serde_json::json;
use service_kit::{Channel, Identity, new_key};
use system_tests::{Cluster, Proofs, claims_of};
use tonic::metadata::MetadataMap;

use super::identity::bearer;

/// Somebody who calls with a proof, or without one.
pub struct Caller {
    pub name: &'static str,
    pub channels: [Channel; 3],
    pub metadata: MetadataMap,
    /// What it may call, as `package.Service/Method`.
    may: &'static [&'static str],
    /// Why it may not call the rest.
    refusal: &'static str,
}

const UNPROVEN: &str = "CALLER_UNPROVEN";
const NOT_ALLOWED: &str = "CALLER_NOT_ALLOWED";

/// Whoever has a token of a super admin of theirs, or calls as the platform, were it believed.
const ANNA: &str = "anna@agency.example";

impl Caller {
    pub fn all(cluster: &Cluster, proofs: &Proofs, now: Instant) -> Vec<Self> {
        let channels = |identity: &Identity| Part::ALL.map(|part| cluster.channel_of(part, identity));
        let unproven = |name, metadata| Self {
            name,
            channels: channels(&proofs.anonymous()),
            metadata,
            may: &[],
            refusal: UNPROVEN,
        };
        let certified = |name, may| Self {
            name,
            channels: channels(&proofs.with_certificate(name)),
            metadata: MetadataMap::new(),
            may,
            refusal: NOT_ALLOWED,
        };
        let mut pretending = MetadataMap::new();
        pretending.insert("x-actor", "platform".parse().expect("ASCII"));
        let mut expired = claims_of(ANNA, now);
        expired.insert("exp".to_owned(), json!(now.timestamp() - 3_600));
        let mut of_others = claims_of(ANNA, now);
        of_others.insert("aud".to_owned(), json!("billing"));
        vec![
            unproven("anonymous", MetadataMap::new()),
            unproven("anonymous, as the platform", pretending),
            unproven("an expired token", bearer(&proofs.token(&expired))),
            unproven("a token for another audience", bearer(&proofs.token(&of_others))),
            unproven("a key that nobody has", bearer(&new_key().expect("a key"))),
            // Written out once more: whoever widens what a service may call has to do it here too.
            certified(
                "activity-tracking",
                &[
                    "managedcredit.access.v1.AccessFeedService/GetHeadRevision",
                    "managedcredit.access.v1.AccessFeedService/WatchAccess",
                ],
            ),
            certified(
                "credit-calculation",
                &[
                    "managedcredit.access.v1.AccessFeedService/WatchAccess",
                    "managedcredit.activity.v1.ActivityTrackingService/BatchGetServicing",
                    "managedcredit.activity.v1.ActivityTrackingService/GetServicing",
                    "managedcredit.activity.v1.ServicingFeedService/StreamServicing",
                    "managedcredit.activity.v1.ServicingFeedService/WatchServicing",
                    "managedcredit.maintenance.v1.MaintenanceService/GetStatus",
                ],
            ),
            certified("importer", &["managedcredit.activity.v1.ActivityTrackingService/RecordActivities"]),
        ]
    }

    /// Why it may not call this RPC, `package.Service/Method`; nothing where it may.
    pub fn refusal(&self, rpc: &str) -> Option<&'static str> {
        (!self.may.contains(&rpc)).then_some(self.refusal)
    }
}
