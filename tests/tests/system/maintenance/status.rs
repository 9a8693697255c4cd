//! Status: how far a service is.

use contracts::wire::maintenance::{FollowingState, GetStatusRequest, GetStatusResponse};
use managed_credit::running::Part;
use system_tests::{by, on_both_databases, reason, stamp};
use tonic::Code;

use super::{ANNA, agency, points, until_state};

/// Feeds with the revisions that are copied and settled, and in which state they are.
fn followed(status: &GetStatusResponse) -> Vec<(&str, &str, FollowingState)> {
    let of_feed = status.followed_feeds.iter();
    of_feed.map(|feed| (feed.revision.as_str(), feed.settled_revision.as_str(), feed.state())).collect()
}

on_both_databases!(every_service_tells_how_far_it_is, |cluster| {
    let before = cluster.status(Part::Access).await;
    assert_eq!((before.service.as_str(), before.revision.as_str()), ("access-management", "access-0"));
    agency(&cluster).await;
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));

    let access = cluster.status(Part::Access).await;
    assert_eq!((access.revision.as_str(), access.followed_feeds.len(), access.rejudging), ("access-4", 0, None));
    let activity = cluster.status(Part::Activity).await;
    assert_eq!((activity.service.as_str(), activity.revision.as_str()), ("activity-tracking", "servicing-1"));
    assert_eq!(followed(&activity), [("access-4", "access-4", FollowingState::Open)]);
    assert_eq!(activity.rejudging.expect("it judges").waiting_tasks, 0);
    assert_eq!(activity.provisional_activities, 0);
    let credit = cluster.status(Part::Credit).await;
    assert_eq!((credit.service.as_str(), credit.revision.as_str()), ("credit-calculation", "credit-1"));
    let both = [("access-4", "access-4", FollowingState::Open), ("servicing-1", "servicing-1", FollowingState::Open)];
    assert_eq!(followed(&credit), both);
    assert_eq!(credit.followed_feeds[0].caught_up_time, Some(stamp("2026-01-01")));
    for status in [&access, &activity, &credit] {
        assert_eq!(status.policy_version, cluster.policy.version());
        assert_eq!(status.policy_digest, cluster.policy.digest());
    }
    for part in Part::ALL {
        let refused = cluster.maintenance(part).get_status(by(ANNA, GetStatusRequest {})).await.expect_err("refused");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED"));
    }
});

on_both_databases!(a_feed_whose_owner_is_away_is_told, |cluster| {
    agency(&cluster).await;
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
    cluster.stop_part(Part::Access).await;
    for part in [Part::Activity, Part::Credit] {
        until_state(&cluster, part, "access", FollowingState::Interrupted).await;
        assert!(followed(&cluster.status(part).await).contains(&("access-4", "access-4", FollowingState::Interrupted)));
    }
    until_state(&cluster, Part::Credit, "servicing", FollowingState::Open).await;
    cluster.start_part(Part::Access).await;
    for part in [Part::Activity, Part::Credit] {
        until_state(&cluster, part, "access", FollowingState::Open).await;
    }
});
