//! Writes that are made again, and updates of what somebody else has changed.

use contracts::wire::credit::{self, UpdateSubscriptionResponse};
use futures_util::future::join_all;
use prost_types::FieldMask;
use system_tests::{Cluster, fields, metadata, on_both_databases, reason};
use tonic::{Code, Status};

const ID: &str = "0190a0b0-0000-7000-8000-000000000001";
const OTHER_ID: &str = "0190a0b0-0000-7000-8000-000000000002";

fn paying(amount: &str) -> credit::Subscription {
    credit::Subscription {
        name: "clients/2002/subscriptions/main".to_owned(),
        mrr: Some(credit::Money { currency_code: "USD".to_owned(), amount: amount.to_owned() }),
        ..Default::default()
    }
}

fn creation(amount: &str, request_id: &str) -> credit::CreateSubscriptionRequest {
    credit::CreateSubscriptionRequest {
        parent: "clients/2002".to_owned(),
        subscription_id: "main".to_owned(),
        subscription: Some(paying(amount)),
        request_id: request_id.to_owned(),
        ..Default::default()
    }
}

async fn update(
    cluster: &Cluster,
    subscription: credit::Subscription,
    request_id: &str,
) -> Result<UpdateSubscriptionResponse, Status> {
    let request = credit::UpdateSubscriptionRequest {
        subscription: Some(subscription),
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    cluster.credit().update_subscription(request).await.map(tonic::Response::into_inner)
}

fn etag(answer: &UpdateSubscriptionResponse) -> &str {
    &answer.subscription.as_ref().expect("a subscription").etag
}

on_both_databases!(the_repeat_of_a_write_gives_the_first_answer, |cluster| {
    let created = cluster.credit().create_subscription(creation("1000", ID)).await.expect("created").into_inner();
    let changed = update(&cluster, paying("1500"), OTHER_ID).await.expect("changed");
    assert_eq!((changed.unchanged, changed.revision.as_str()), (false, "credit-2"));
    let repeat = cluster.credit().create_subscription(creation("1000", ID)).await.expect("again").into_inner();
    assert_eq!(repeat, created);
    assert_eq!(update(&cluster, paying("1500"), OTHER_ID).await.expect("again"), changed);
    // Without the id it is what it is: a subscription that exists, and an update that changes nothing.
    let exists = cluster.credit().create_subscription(creation("1000", "")).await.expect_err("exists");
    assert_eq!(reason(&exists), "SUBSCRIPTION_EXISTS");
    let unchanged = update(&cluster, paying("1500"), "").await.expect("nothing to do");
    assert_eq!((unchanged.unchanged, etag(&unchanged)), (true, etag(&changed)));

    for other in [
        cluster.credit().create_subscription(creation("1001", ID)).await.expect_err("other content"),
        update(&cluster, paying("2000"), OTHER_ID).await.expect_err("other content"),
        update(&cluster, paying("1000"), ID).await.expect_err("another call"),
    ] {
        assert_eq!((other.code(), reason(&other).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    }
});

on_both_databases!(of_the_same_request_made_many_times_at_once_one_writes_and_all_hear_the_same, |cluster| {
    let created = join_all((0..8).map(|_| async {
        let created = cluster.credit().create_subscription(creation("1000", ID)).await;
        created.expect("the first answer").into_inner()
    }));
    let created = created.await;
    assert!(created.iter().all(|answer| *answer == created[0] && answer.revision == "credit-1"), "{created:?}");
});

on_both_databases!(an_update_of_what_somebody_else_has_changed_is_refused, |cluster| {
    let created = cluster.credit().create_subscription(creation("1000", "")).await.expect("created").into_inner();
    let read = created.subscription.expect("a subscription");
    assert!(!read.etag.is_empty());
    // Another subscription of the client is none of its business.
    cluster.subscription(2002, "other", "1.00 USD", "2025-01-01").await.expect("a subscription");
    let mine = credit::Subscription { etag: read.etag.clone(), ..paying("1500") };
    let changed = update(&cluster, mine.clone(), "").await.expect("unchanged since it was read");
    assert_ne!(etag(&changed), read.etag);

    let refused = update(&cluster, credit::Subscription { etag: read.etag, ..paying("2000") }, "").await;
    let refused = refused.expect_err("it has changed since");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    assert_eq!(metadata(&refused, "etag"), etag(&changed));
    let present = credit::Subscription { etag: etag(&changed).to_owned(), ..paying("2000") };
    update(&cluster, present, "").await.expect("as it is now");
    update(&cluster, paying("2500"), "").await.expect("without an etag, whatever it is now");
});

on_both_databases!(an_update_changes_what_its_mask_names, |cluster| {
    cluster.subscription(2002, "main", "1000.00 USD", "2025-01-01").await.expect("a subscription");
    let masked = async |paths: &[&str], subscription| {
        let request = credit::UpdateSubscriptionRequest {
            subscription: Some(subscription),
            update_mask: Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
            ..Default::default()
        };
        cluster.credit().update_subscription(request).await.map(|answer| answer.into_inner().unchanged)
    };
    for (paths, amount) in [(&["mrr"][..], "1100"), (&["*"], "1200"), (&[], "1300")] {
        assert!(!masked(paths, paying(amount)).await.expect("a change"), "{paths:?}");
    }
    let wrong = masked(&["mrr", "name"], paying("1400")).await.expect_err("a name never changes");
    assert_eq!((wrong.code(), fields(&wrong)), (Code::InvalidArgument, vec!["update_mask.paths[1]".to_owned()]));
    let nothing = credit::Subscription { mrr: None, ..paying("1") };
    let wrong = masked(&["mrr"], nothing).await.expect_err("no amount");
    assert_eq!(fields(&wrong), ["subscription.mrr"]);
});
