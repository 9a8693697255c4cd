//! Who may record and read: the platform everything, people what concerns a partner whose credit they may read.

use contracts::wire::access::AccessRole;
use contracts::wire::activity::{self, ServicingState};
use system_tests::{Cluster, by, metadata, on_both_databases, reason};
use tonic::{Code, Request, Status};

use super::{ANNA, agency};

const ADMIN: &str = "admin@agency.example";

/// How a partner services a client, asked by a person who knows all that was written.
async fn servicing(
    cluster: &Cluster,
    actor: &str,
    partner: i64,
    client: i64,
) -> Result<activity::GetServicingResponse, Status> {
    let request = activity::GetServicingRequest {
        partner: format!("partners/{partner}"),
        client: format!("clients/{client}"),
        at_least_revisions: cluster.known_revisions(),
        ..Default::default()
    };
    cluster.activity().get_servicing(by(actor, request)).await.map(tonic::Response::into_inner)
}

fn pairs(cluster: &Cluster, actor: &str, pairs: &[(i64, i64)]) -> Request<activity::BatchGetServicingRequest> {
    let pair = |(partner, client): &(i64, i64)| activity::ServicingPair {
        partner: format!("partners/{partner}"),
        client: format!("clients/{client}"),
    };
    let at_least_revisions = cluster.known_revisions();
    let pairs = pairs.iter().map(pair).collect();
    by(actor, activity::BatchGetServicingRequest { pairs, at_least_revisions, ..Default::default() })
}

/// Code, reason and text, without the number of what was asked about.
fn refusal(refused: &Status, number: i64) -> (Code, String, String) {
    (refused.code(), reason(refused), refused.message().replace(&number.to_string(), "N"))
}

on_both_databases!(people_read_the_servicing_of_the_partner_whose_credit_they_may_read, |cluster| {
    agency(&cluster).await;
    cluster.work(2002, "evt-1", ANNA, "2025-12-20", "blog/publish").await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    cluster.employee_with(1001, "cam@agency.example", AccessRole::ClientAccessManager).await;
    cluster.partner(1002, &["studio.example"]).await;
    cluster.employee_with(1002, "bea@studio.example", AccessRole::SuperAdmin).await;
    cluster.user(2002, "boss@client.example").await;
    for allowed in ["platform", ADMIN, "CAM@Agency.Example"] {
        let found = servicing(&cluster, allowed, 1001, 2002).await.expect("an answer");
        assert_eq!(found.counted_activities.len(), 1, "{allowed}");
        let batch = cluster.activity().batch_get_servicing(pairs(&cluster, allowed, &[(1001, 2002)])).await;
        assert_eq!(batch.expect("an answer").into_inner().servicings[0].state(), ServicingState::Active, "{allowed}");
    }
    // An employee of the partner hears what is missing; whoever is none, what they would hear of a partner that is none.
    let missing = servicing(&cluster, ANNA, 1001, 2002).await.expect_err("no permission");
    assert_eq!((missing.code(), reason(&missing).as_str()), (Code::PermissionDenied, "PERMISSION_MISSING"));
    assert_eq!(metadata(&missing, "permission"), "VIEW_CREDIT");
    for stranger in ["bea@studio.example", "boss@client.example", "nobody@nowhere.example"] {
        let hidden = servicing(&cluster, stranger, 1001, 2002).await.expect_err("invisible");
        let absent = servicing(&cluster, stranger, 1999, 2002).await.expect_err("no such partner");
        assert_eq!(refusal(&hidden, 1001), refusal(&absent, 1999), "{stranger}");
        assert_eq!((hidden.code(), reason(&hidden).as_str()), (Code::NotFound, "UNKNOWN_PARTNER"));
        // One pair of many is enough to be refused.
        let both = pairs(&cluster, stranger, &[(1002, 2002), (1001, 2002)]);
        let refused = cluster.activity().batch_get_servicing(both).await.expect_err("invisible");
        assert_eq!(reason(&refused), "UNKNOWN_PARTNER", "{stranger}");
    }
});

on_both_databases!(r127_a_client_with_which_the_partner_has_nothing_to_do_does_not_exist_for_its_people, |cluster| {
    agency(&cluster).await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    cluster.client(2003, "US").await;
    let hidden = servicing(&cluster, ADMIN, 1001, 2003).await.expect_err("nothing to do with it");
    let absent = servicing(&cluster, ADMIN, 1001, 2999).await.expect_err("no such client");
    assert_eq!(refusal(&hidden, 2003), refusal(&absent, 2999));
    assert_eq!((hidden.code(), reason(&hidden).as_str()), (Code::NotFound, "UNKNOWN_CLIENT"));
    servicing(&cluster, "platform", 1001, 2003).await.expect("the platform sees it");
    // A user there is something, also once it is removed.
    let user = cluster.user_since(2003, ANNA, "2025-06-01").await.expect("a user");
    cluster.remove(&user, "2025-07-01").await.expect("a removal");
    servicing(&cluster, ADMIN, 1001, 2003).await.expect("it had a user there");
});

on_both_databases!(a_permission_is_judged_by_what_the_read_must_know, |cluster| {
    agency(&cluster).await;
    let admin = cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    servicing(&cluster, ADMIN, 1001, 2002).await.expect("given before it was asked");
    cluster.delete_employee(&admin, "2026-01-01").await.expect("deleted");
    let refused = servicing(&cluster, ADMIN, 1001, 2002).await.expect_err("taken before it was asked");
    assert_eq!(reason(&refused), "UNKNOWN_PARTNER");
});

on_both_databases!(only_the_platform_records_what_people_did, |cluster| {
    agency(&cluster).await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    let activities = vec![Cluster::activity_of(2002, "evt-1", ANNA, "2025-12-20", "blog/publish")];
    let request = activity::RecordActivitiesRequest { activities, ..Default::default() };
    for actor in [ADMIN, ANNA] {
        let refused = cluster.activity().record_activities(by(actor, request.clone())).await.expect_err("a person");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED"));
        let feed = by(actor, activity::WatchServicingRequest::default());
        let refused = cluster.servicing_feed().watch_servicing(feed).await.expect_err("a person");
        assert_eq!(reason(&refused), "ACTOR_NOT_ALLOWED");
    }
});
