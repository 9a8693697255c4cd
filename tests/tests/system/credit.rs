//! credit-calculation through gRPC: subscriptions, the breakdown, the "why", and where its facts come from.

mod breakdown;
mod permission;
mod points;
mod repeats;
mod simulation;
mod statements;
mod tier;
mod why;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use contracts::wire::credit::{
    self, ConditionKind, ConditionStatus, CreditState, ManagedCreditOrder, NoCreditReason, PointsAbsentReason,
    RemedyAim,
};
use contracts::wire::{access, activity};
use domain::policy::Policy;
use futures_util::future::join_all;
use managed_credit::running::Part;
use system_tests::{Cluster, ClusterOptions, DatabaseKind, at, by, fields, metadata, on_both_databases, reason, stamp};
use tonic::Code;
use tonic_types::StatusExt as _;

fn amount(money: Option<&credit::Money>) -> String {
    money.map(|money| format!("{} {}", money.amount, money.currency_code)).unwrap_or_default()
}

/// A partner 1001 with Anna, who is a user of these clients.
async fn agency(cluster: &Cluster, clients: &[i64]) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, "anna@agency.example").await;
    for client in clients {
        cluster.client(*client, "US").await;
        cluster.user(*client, "anna@agency.example").await;
    }
}

/// A client of this name that Anna is a user of.
async fn named_client(cluster: &Cluster, hub_id: i64, display_name: &str, country_code: &str) {
    let request = access::CreateClientRequest {
        hub_id,
        client: Some(access::Client {
            display_name: display_name.to_owned(),
            country_code: country_code.to_owned(),
            ..access::Client::default()
        }),
        effective_time: Some(stamp("2024-01-01")),
        ..Default::default()
    };
    let created = cluster.access().create_client(request).await.expect("a client");
    cluster.note(&created.get_ref().revision);
    cluster.user(hub_id, "anna@agency.example").await;
}

/// Anna publishes a blog post.
async fn anna_works(cluster: &Cluster, client: i64, id: &str, when: &str) {
    let verdict = cluster.work(client, id, "anna@agency.example", when, "blog/publish").await;
    assert_eq!(verdict.outcome(), activity::VerdictOutcome::Counted, "{id}");
}

fn clients(page: &credit::ListManagedCreditsResponse) -> Vec<i64> {
    let names = page.managed_credits.iter().map(|row| row.client.trim_start_matches("clients/"));
    names.map(|id| id.parse().expect("a hub id")).collect()
}

fn ordered(order: ManagedCreditOrder, descending: bool) -> credit::ListManagedCreditsRequest {
    credit::ListManagedCreditsRequest {
        order: order.into(),
        descending,
        ..credit::ListManagedCreditsRequest::default()
    }
}

fn searching(text: &str) -> credit::ListManagedCreditsRequest {
    credit::ListManagedCreditsRequest { client_search: text.to_owned(), ..credit::ListManagedCreditsRequest::default() }
}

// Subscriptions

on_both_databases!(a_subscription_that_exists_is_told_with_what_differs, |cluster| {
    // R79: the client need not be known.
    cluster.subscription(2002, "main", "1000.00 USD", "2025-01-01").await.expect("a subscription");
    let repeat = cluster.subscription(2002, "main", "1000 USD", "2025-01-01").await.expect_err("exists");
    assert_eq!((repeat.code(), reason(&repeat).as_str()), (Code::AlreadyExists, "SUBSCRIPTION_EXISTS"));
    assert_eq!(metadata(&repeat, "differing_fields"), "");
    let other = cluster.subscription(2002, "main", "1000.01 USD", "2025-01-02").await.expect_err("exists");
    assert_eq!(metadata(&other, "differing_fields"), "mrr,effective_time");
    // A repeat that states no time does not differ in it.
    let subscription = credit::Subscription {
        mrr: Some(credit::Money { currency_code: "USD".to_owned(), amount: "1000.00".to_owned() }),
        ..credit::Subscription::default()
    };
    let undated = credit::CreateSubscriptionRequest {
        parent: "clients/2002".to_owned(),
        subscription_id: "main".to_owned(),
        subscription: Some(subscription),
        ..Default::default()
    };
    let undated = cluster.credit().create_subscription(undated).await.expect_err("exists");
    assert_eq!(metadata(&undated, "differing_fields"), "");
});

on_both_databases!(what_does_not_fit_the_clients_subscriptions_is_refused, |cluster| {
    cluster.subscription(2002, "main", "1000.00 USD", "2025-01-01").await.expect("a subscription");
    let unknown = cluster.new_mrr(2002, "other", "1.00 USD", "2025-01-01").await.expect_err("unknown");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_SUBSCRIPTION"));
    let too_early = cluster.new_mrr(2002, "main", "1.00 USD", "2024-12-31").await.expect_err("not begun");
    assert_eq!(reason(&too_early), "UNKNOWN_SUBSCRIPTION");
    let other_currency =
        cluster.subscription(2002, "more", "1.00 EUR", "2025-06-01").await.expect_err("two currencies");
    assert_eq!(
        (other_currency.code(), reason(&other_currency).as_str()),
        (Code::FailedPrecondition, "CURRENCY_CONFLICT")
    );
    let too_much =
        cluster.subscription(2002, "more", "10000000000000.00 USD", "2025-06-01").await.expect_err("too much");
    assert_eq!((too_much.code(), reason(&too_much).as_str()), (Code::FailedPrecondition, "SUBSCRIPTION_LIMIT"));
    let ahead = cluster.new_mrr(2002, "main", "1.00 USD", "2026-01-01T00:00:00.000001Z").await.expect_err("ahead");
    assert_eq!((ahead.code(), fields(&ahead)), (Code::InvalidArgument, vec!["effective_time".to_owned()]));
});

on_both_databases!(the_subscriptions_of_a_client_are_listed_as_of_an_instant, |cluster| {
    cluster.subscription(2002, "main", "1000.00 USD", "2025-01-01").await.expect("a subscription");
    cluster.new_mrr(2002, "main", "1500.00 USD", "2025-06-15").await.expect("another MRR");
    cluster.subscription(2002, "add-on", "20.50 USD", "2025-03-01").await.expect("a subscription");
    let list = async |request: credit::ListSubscriptionsRequest, as_of: &str| {
        let parent = "clients/2002".to_owned();
        let request = credit::ListSubscriptionsRequest { parent, as_of_time: Some(stamp(as_of)), ..request };
        cluster.credit().list_subscriptions(request).await.expect("a list").into_inner()
    };
    let told = |page: &credit::ListSubscriptionsResponse| -> Vec<String> {
        let told = page.subscriptions.iter().map(|each| {
            let id = each.name.rsplit('/').next().unwrap_or_default();
            format!("{id} {} {}", amount(each.mrr.as_ref()), each.effective_time.expect("a time").seconds)
        });
        told.collect()
    };
    let begun = list(Default::default(), "2025-02-01").await;
    assert_eq!(told(&begun), [format!("main 1000.00 USD {}", stamp("2025-01-01").seconds)]);
    assert_eq!(amount(begun.mrr.as_ref()), "1000.00 USD");
    let whole = list(Default::default(), "2025-12-01").await;
    let add_on = format!("add-on 20.50 USD {}", stamp("2025-03-01").seconds);
    let main = format!("main 1500.00 USD {}", stamp("2025-06-15").seconds);
    assert_eq!(
        (told(&whole), amount(whole.mrr.as_ref())),
        (vec![add_on.clone(), main.clone()], "1520.50 USD".to_owned())
    );
    // The etag that an update may state is of the last change, whatever instant is asked about.
    assert_eq!(begun.subscriptions[0].etag, whole.subscriptions[1].etag);

    let first = list(credit::ListSubscriptionsRequest { page_size: 1, ..Default::default() }, "2025-12-01").await;
    let page_token = first.next_page_token.clone();
    let last = credit::ListSubscriptionsRequest { page_size: 1, page_token, ..Default::default() };
    let last = list(last, "2025-12-01").await;
    assert_eq!((told(&first), told(&last), last.next_page_token.as_str()), (vec![add_on], vec![main], ""));
    assert_eq!((last.total_size, amount(last.mrr.as_ref()).as_str()), (2, "1520.50 USD"));

    let nothing = list(Default::default(), "2024-12-31").await;
    assert_eq!((nothing.subscriptions.len(), nothing.mrr), (0, None));
    let by_a_person = by(
        "anna@agency.example",
        credit::ListSubscriptionsRequest { parent: "clients/2002".to_owned(), ..Default::default() },
    );
    let refused = cluster.credit().list_subscriptions(by_a_person).await.expect_err("platform only");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED"));
    let wrong = credit::ListSubscriptionsRequest { parent: "2002".to_owned(), page_size: -1, ..Default::default() };
    let wrong = cluster.credit().list_subscriptions(wrong).await.expect_err("wrong");
    assert_eq!(fields(&wrong), ["parent", "page_size"]);
});

on_both_databases!(an_update_to_what_is_recorded_already_changes_nothing, |cluster| {
    cluster.subscription(2002, "main", "1000.00 USD", "2025-01-01").await.expect("a subscription");
    let request = |amount: &str, time: Option<&str>| credit::UpdateSubscriptionRequest {
        subscription: Some(credit::Subscription {
            name: "clients/2002/subscriptions/main".to_owned(),
            mrr: Some(credit::Money { currency_code: "USD".to_owned(), amount: amount.to_owned() }),
            ..credit::Subscription::default()
        }),
        effective_time: time.map(stamp),
        ..Default::default()
    };
    let changed =
        cluster.credit().update_subscription(request("1500", Some("2025-06-15"))).await.expect("a change").into_inner();
    let changed_at = changed.subscription.expect("as recorded").effective_time;
    assert_eq!((changed.unchanged, changed.revision.as_str()), (false, "credit-2"));
    assert_eq!(changed_at, Some(stamp("2025-06-15")));
    for time in [Some("2025-06-15"), None] {
        let repeat = cluster.credit().update_subscription(request("1500.00", time)).await.expect("no change");
        let repeat = repeat.into_inner();
        let subscription = repeat.subscription.expect("as recorded");
        assert_eq!((repeat.unchanged, repeat.revision.as_str()), (true, "credit-2"), "{time:?}");
        assert_eq!(
            (subscription.effective_time, amount(subscription.mrr.as_ref())),
            (changed_at, "1500.00 USD".to_owned())
        );
    }
});

on_both_databases!(what_is_paid_at_an_instant_of_its_own_is_kept_also_where_it_changes_nothing_yet, |cluster| {
    cluster.subscription(2002, "main", "1000.00 USD", "2025-01-01").await.expect("a subscription");
    assert!(!cluster.new_mrr(2002, "main", "1000.00 USD", "2025-03-01").await.expect("a statement of its own"));
    // It arrives later, and is effective before.
    assert!(!cluster.new_mrr(2002, "main", "2000.00 USD", "2025-02-01").await.expect("a change"));
    cluster.partner(1001, &[]).await;
    for (as_of, expected) in [("2025-02-28", "2000.00 USD"), ("2025-03-01", "1000.00 USD")] {
        let row = cluster.managed_credit(1001, 2002, as_of).await.expect("a row");
        assert_eq!(amount(row.mrr.as_ref()), expected, "{as_of}");
    }
});

on_both_databases!(of_callers_who_create_at_once_one_creates_and_positions_have_no_gap, |cluster| {
    let create = async |id: String| {
        let subscription = credit::Subscription {
            mrr: Some(credit::Money { currency_code: "USD".to_owned(), amount: "1.00".to_owned() }),
            ..credit::Subscription::default()
        };
        let request = credit::CreateSubscriptionRequest {
            parent: "clients/2002".to_owned(),
            subscription_id: id,
            subscription: Some(subscription),
            ..Default::default()
        };
        cluster.credit().create_subscription(request).await
    };
    let same = join_all((0..8).map(|_| create("main".to_owned()))).await;
    let refused: Vec<_> = same.iter().filter_map(|outcome| outcome.as_ref().err()).map(reason).collect();
    assert_eq!(refused, vec!["SUBSCRIPTION_EXISTS"; 7]);
    let different = join_all((0..8).map(|number| create(format!("more-{number}")))).await;
    let revisions: BTreeSet<_> =
        different.into_iter().map(|outcome| outcome.expect("a subscription").into_inner().revision).collect();
    assert_eq!(revisions, (2..=9).map(|position| format!("credit-{position}")).collect());
});

on_both_databases!(everything_that_is_wrong_with_a_request_is_reported_at_once, |cluster| {
    let year_10000 = prost_types::Timestamp { seconds: 253_402_300_800, nanos: 0 };
    let create = credit::CreateSubscriptionRequest {
        parent: "clients/x".to_owned(),
        subscription_id: "a b".to_owned(),
        subscription: Some(credit::Subscription {
            mrr: Some(credit::Money { currency_code: "JPY".to_owned(), amount: "0.5".to_owned() }),
            ..credit::Subscription::default()
        }),
        effective_time: Some(year_10000),
        ..Default::default()
    };
    let refused = cluster.credit().create_subscription(create).await.expect_err("all of it is wrong");
    assert_eq!(fields(&refused), ["effective_time", "parent", "subscription_id", "subscription.mrr.amount"]);
    let list = credit::ListManagedCreditsRequest {
        parent: "partners/0".to_owned(),
        client_search: "x".repeat(201),
        order: 99,
        page_size: 1_001,
        as_of_time: Some(year_10000),
        at_least_revisions: vec!["credit-1".to_owned(), "x".to_owned()],
        ..credit::ListManagedCreditsRequest::default()
    };
    let refused = cluster.credit().list_managed_credits(list).await.expect_err("all of it is wrong");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(
        fields(&refused),
        ["as_of_time", "at_least_revisions[1]", "parent", "client_search", "order", "page_size"]
    );
    let explain = cluster.credit().explain_credit(credit::ExplainCreditRequest::default()).await.expect_err("empty");
    assert_eq!(fields(&explain), ["partner", "client"]);
});

on_both_databases!(what_nobody_introduced_is_not_found, |cluster| {
    let unknown = cluster.managed_credit(1001, 2002, "2025-01-01").await.expect_err("no partner");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_PARTNER"));
    let unknown = cluster.breakdown(1001, "2025-01-01", searching("")).await.expect_err("no partner");
    assert_eq!(reason(&unknown), "UNKNOWN_PARTNER");
    cluster.partner(1001, &[]).await;
    for unknown in [
        cluster.managed_credit(1001, 2002, "2025-01-01").await.expect_err("no client"),
        cluster.explain(1001, 2002, "2025-01-01").await.expect_err("no client"),
    ] {
        assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_CLIENT"));
    }
    // A subscription is something that is known of a client (R79), and activity-tracking does not know it.
    cluster.subscription(2002, "main", "10.00 USD", "2025-01-01").await.expect("a subscription");
    let explained = cluster.explain(1001, 2002, "2025-01-02").await.expect("an explanation");
    let row = explained.managed_credit.expect("a row");
    assert_eq!((row.state(), row.no_credit_reason()), (CreditState::NotManaged, NoCreditReason::NotManaged));
    assert_eq!((row.client_display_name.as_str(), amount(row.mrr.as_ref()).as_str()), ("", "10.00 USD"));
    let empty = cluster.breakdown(1001, "2025-01-02", searching("")).await.expect("no rows");
    assert_eq!((empty.total_size, empty.total_points.as_str(), empty.next_page_token.as_str()), (0, "0.00", ""));
});

on_both_databases!(a_revision_that_is_not_there_yet_is_not_answered_without, |cluster| {
    cluster.partner(1001, &[]).await;
    let behind = async |ahead: &str| {
        let mut request = tonic::Request::new(credit::GetManagedCreditRequest {
            partner: "partners/1001".to_owned(),
            client: "clients/2002".to_owned(),
            at_least_revisions: vec![ahead.to_owned()],
            as_of_time: None,
        });
        // It is answered when four fifths have passed.
        request.set_timeout(Duration::from_secs(2));
        cluster.credit().get_managed_credit(request).await.expect_err("behind")
    };
    let (own, access, servicing) = tokio::join!(behind("credit-1"), behind("access-99"), behind("servicing-99"));
    for behind in [own, access, servicing] {
        assert_eq!((behind.code(), reason(&behind).as_str()), (Code::Unavailable, "FACTS_BEHIND"));
        assert!(behind.get_details_retry_info().is_some());
    }
});

// Credit

on_both_databases!(r98_a_currency_without_an_entry_has_credit_and_no_points, |cluster| {
    agency(&cluster, &[2001, 2002]).await;
    cluster.subscription(2001, "main", "1000.00 CHF", "2024-01-01").await.expect("a subscription");
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    anna_works(&cluster, 2001, "a", "2025-12-20").await;
    anna_works(&cluster, 2002, "b", "2025-12-20").await;
    let page = cluster.breakdown(1001, "2026-01-01", searching("")).await.expect("rows");
    let unsupported = &page.managed_credits[0];
    assert_eq!((amount(unsupported.credit.as_ref()).as_str(), &unsupported.points), ("1000.00 CHF", &None));
    assert_eq!(unsupported.points_absent_reason(), PointsAbsentReason::UnsupportedCurrency);
    assert_eq!(page.managed_credits[1].points.as_deref(), Some("10.00"));
    assert_eq!((page.total_points.as_str(), page.rows_without_points, page.total_size), ("10.00", 1, 2));
});

on_both_databases!(r127_an_unknown_mrr_is_not_zero, |cluster| {
    agency(&cluster, &[2001, 2002]).await;
    cluster.subscription(2002, "main", "0 USD", "2024-01-01").await.expect("a subscription");
    anna_works(&cluster, 2001, "a", "2025-12-20").await;
    anna_works(&cluster, 2002, "b", "2025-12-20").await;
    let unknown = cluster.managed_credit(1001, 2001, "2026-01-01").await.expect("a row");
    assert_eq!((unknown.mrr.as_ref(), unknown.credit.as_ref(), unknown.points.as_ref()), (None, None, None));
    assert_eq!(unknown.no_credit_reason(), NoCreditReason::MrrUnknown);
    assert_eq!(unknown.points_absent_reason(), PointsAbsentReason::MrrUnknown);
    assert_eq!((unknown.state(), unknown.servicing_partners), (CreditState::Active, 1));
    let nothing = cluster.managed_credit(1001, 2002, "2026-01-01").await.expect("a row");
    assert_eq!(
        (amount(nothing.mrr.as_ref()).as_str(), amount(nothing.credit.as_ref()).as_str()),
        ("0.00 USD", "0.00 USD")
    );
    assert_eq!(
        (nothing.points.as_deref(), nothing.no_credit_reason()),
        (Some("0.00"), NoCreditReason::NoPaidSubscription)
    );
});

on_both_databases!(r63_a_clients_country_is_a_fact_from_when_it_is_known_and_its_name_is_always_shown, |cluster| {
    cluster.partner(1001, &[]).await;
    cluster.client_since(2002, "IN", "2025-06-01").await.expect("a client");
    cluster.subscription(2002, "main", "1000.00 USD", "2025-01-01").await.expect("a subscription");
    for (as_of, country, multiplier) in [("2025-05-31T23:59:59.999999Z", "", 0), ("2025-06-01", "IN", 2)] {
        let row = cluster.managed_credit(1001, 2002, as_of).await.expect("a row");
        assert_eq!((row.country_code.as_str(), row.multiplier), (country, multiplier), "{as_of}");
        assert_eq!((row.growth_market, row.client_display_name.as_str()), (multiplier == 2, "Client 2002"), "{as_of}");
    }
});

on_both_databases!(example_02_as_of_20_january_later_work_does_not_speak, |cluster| {
    agency(&cluster, &[2002]).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    anna_works(&cluster, 2002, "a", "2025-01-10T12:00:00Z").await;
    anna_works(&cluster, 2002, "b", "2025-02-09T12:00:00Z").await;
    let as_known = |row: &credit::ManagedCredit| (row.serviced_since_time, row.expire_time, row.last_activity_time);
    let january = "2025-01-10T12:00:00Z";
    let then = (Some(stamp(january)), Some(stamp("2025-03-11T12:00:00Z")), Some(stamp(january)));
    let row = cluster.managed_credit(1001, 2002, "2025-01-20").await.expect("a row");
    assert_eq!(as_known(&row), then);
    // The same in a breakdown, whether it is ordered by what activity-tracking had to be asked for or not.
    for order in [ManagedCreditOrder::ExpireTime, ManagedCreditOrder::Points] {
        let page = cluster.breakdown(1001, "2025-01-20", ordered(order, false)).await.expect("rows");
        assert_eq!(page.managed_credits, std::slice::from_ref(&row));
    }
    let explained = cluster.explain(1001, 2002, "2025-01-20").await.expect("an explanation");
    assert_eq!(explained.managed_credit, Some(row));
    let later = cluster.managed_credit(1001, 2002, "2025-02-20").await.expect("a row");
    assert_eq!(later.expire_time, Some(stamp("2025-04-10T12:00:00Z")));
    assert_eq!(later.serviced_since_time, Some(stamp(january)));
});

on_both_databases!(the_copies_answer_alone_wherever_nothing_later_speaks, |cluster| {
    agency(&cluster, &[2002]).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    anna_works(&cluster, 2002, "a", "2025-12-01T12:00:00Z").await;
    anna_works(&cluster, 2002, "b", "2025-12-20T12:00:00Z").await;
    cluster.managed_credit(1001, 2002, "2026-01-01").await.expect("everything has arrived");
    cluster.stop_part(Part::Activity).await;

    let now = cluster.managed_credit(1001, 2002, "2026-01-01").await.expect("a row");
    assert_eq!((now.state(), amount(now.credit.as_ref()).as_str()), (CreditState::Active, "1000.00 USD"));
    let soon = cluster.managed_credit(1001, 2002, "2026-01-20").await.expect("a forecast");
    assert_eq!((soon.state(), soon.expire_time), (CreditState::Expiring, Some(stamp("2026-02-18T12:00:00Z"))));
    let last = cluster.managed_credit(1001, 2002, "2026-02-18T11:59:59.999999Z").await.expect("a forecast");
    assert_eq!(last.points.as_deref(), Some("10.00"));
    let lapsed = cluster.managed_credit(1001, 2002, "2026-02-18T12:00:00Z").await.expect("a forecast");
    assert_eq!((lapsed.state(), lapsed.no_credit_reason()), (CreditState::Ended, NoCreditReason::Lapsed));
    let before = cluster.managed_credit(1001, 2002, "2025-12-01T11:59:59.999999Z").await.expect("a row");
    assert_eq!((before.state(), before.last_activity_time), (CreditState::NotManaged, None));

    for refused in [
        cluster.managed_credit(1001, 2002, "2025-12-10").await.expect_err("only the activities can tell"),
        cluster.breakdown(1001, "2025-12-10", searching("")).await.expect_err("only the activities can tell"),
        cluster.explain(1001, 2002, "2026-01-01").await.expect_err("evidence is needed"),
    ] {
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "EVIDENCE_UNAVAILABLE"));
    }
    cluster.start_part(Part::Activity).await;
    let back = cluster.managed_credit(1001, 2002, "2025-12-10").await.expect("it can be asked again");
    assert_eq!(back.expire_time, Some(stamp("2026-01-30T12:00:00Z")));
});

on_both_databases!(a_copy_resumes_where_it_was_and_knows_what_happened_meanwhile, |cluster| {
    agency(&cluster, &[2002]).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    anna_works(&cluster, 2002, "a", "2025-12-20").await;
    cluster.managed_credit(1001, 2002, "2026-01-01").await.expect("everything has arrived");
    cluster.stop_part(Part::Credit).await;
    cluster.client(2003, "IN").await;
    cluster.user(2003, "anna@agency.example").await;
    anna_works(&cluster, 2003, "b", "2025-12-21").await;
    cluster.start_part(Part::Credit).await;
    cluster.subscription(2003, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    let page = cluster.breakdown(1001, "2026-01-01", searching("")).await.expect("rows");
    assert_eq!((clients(&page), page.total_points.as_str()), (vec![2002, 2003], "30.00"));
    let basis = page.basis.expect("a basis");
    assert_eq!(basis.as_of_time, Some(stamp("2026-01-01")));
    assert_eq!((basis.fresh_time, basis.policy_digest.len()), (Some(stamp("2026-01-01")), 64));
    let known = cluster.known_revisions();
    assert!(known.iter().all(|revision| basis.revisions.contains(revision)), "{known:?} in {:?}", basis.revisions);
});

// The breakdown

on_both_databases!(the_breakdown_has_every_client_that_the_partner_had_to_do_with_by_then, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.partner(1002, &["studio.example"]).await;
    for client in [2001, 2002, 2003, 2004] {
        cluster.client(client, "US").await;
    }
    // The user first, then the employee; the employee first, then the user; only a link; somebody else's.
    cluster.user_since(2001, "anna@agency.example", "2025-01-01").await.expect("a user");
    cluster.employee_since(1001, "anna@agency.example", "2025-02-01").await.expect("an employee");
    cluster.user_since(2002, "anna@agency.example", "2025-03-01").await.expect("a user");
    let carla = cluster.employee_since(1001, "carla@freemail.example", "2025-01-01").await.expect("an employee");
    cluster.link(&carla, 2003, "2025-04-01").await;
    cluster.employee(1002, "bea@studio.example").await;
    cluster.user(2004, "bea@studio.example").await;
    for (as_of, expected) in [
        ("2025-01-31T23:59:59Z", vec![]),
        ("2025-02-01", vec![2001]),
        ("2025-03-01", vec![2001, 2002]),
        ("2025-04-01", vec![2001, 2002, 2003]),
    ] {
        let page = cluster.breakdown(1001, as_of, searching("")).await.expect("rows");
        assert_eq!(clients(&page), expected, "{as_of}");
    }
});

on_both_databases!(r120_a_client_is_found_by_a_part_of_its_name_or_its_number, |cluster| {
    agency(&cluster, &[]).await;
    for (hub_id, name) in
        [(2001, "Caffè Rossi S.r.l."), (2002, "MÜLLER & Söhne"), (2003, "100% Natural_Foods"), (20010, "rossi bikes")]
    {
        named_client(&cluster, hub_id, name, "IT").await;
    }
    for (search, expected) in [
        ("caffe ROSSI", vec![2001]),
        ("rossi", vec![2001, 20010]),
        ("müller & s", vec![2002]),
        ("muller", vec![2002]),
        ("2001", vec![2001]),
        ("02001", vec![]),
        ("%", vec![2003]),
        ("_", vec![2003]),
        ("' OR 1=1 --", vec![]),
    ] {
        let page = cluster.breakdown(1001, "2026-01-01", searching(search)).await.expect("rows");
        assert_eq!((clients(&page), page.total_size as usize), (expected.clone(), expected.len()), "{search}");
    }
});

on_both_databases!(rows_come_in_the_asked_order_and_what_is_absent_comes_last, |cluster| {
    agency(&cluster, &[]).await;
    for (hub_id, name) in [(2001, "delta"), (2002, "Ábaco"), (2003, "charlie"), (2004, "bravo")] {
        named_client(&cluster, hub_id, name, "US").await;
    }
    cluster.subscription(2001, "main", "100.00 USD", "2024-01-01").await.expect("a subscription");
    cluster.subscription(2002, "main", "300.00 USD", "2024-01-01").await.expect("a subscription");
    cluster.subscription(2003, "main", "300.00 USD", "2024-01-01").await.expect("a subscription");
    anna_works(&cluster, 2001, "a", "2025-12-20").await;
    anna_works(&cluster, 2002, "b", "2025-12-10").await;
    anna_works(&cluster, 2004, "c", "2025-12-15").await;
    for (order, descending, expected) in [
        (ManagedCreditOrder::Unspecified, false, [2002, 2004, 2003, 2001]),
        (ManagedCreditOrder::ClientDisplayName, true, [2001, 2003, 2004, 2002]),
        (ManagedCreditOrder::Client, false, [2001, 2002, 2003, 2004]),
        (ManagedCreditOrder::Client, true, [2004, 2003, 2002, 2001]),
        // 2003 earns nothing: 0 points. 2004 has no known MRR: no points.
        (ManagedCreditOrder::Points, false, [2003, 2001, 2002, 2004]),
        (ManagedCreditOrder::Points, true, [2002, 2001, 2003, 2004]),
        // 2003 was never serviced.
        (ManagedCreditOrder::ExpireTime, false, [2002, 2004, 2001, 2003]),
        (ManagedCreditOrder::ExpireTime, true, [2001, 2004, 2002, 2003]),
    ] {
        let page = cluster.breakdown(1001, "2026-01-01", ordered(order, descending)).await.expect("rows");
        assert_eq!(clients(&page), expected, "{order:?} {descending}");
        assert_eq!((page.total_points.as_str(), page.rows_without_points), ("4.00", 1));
    }
});

on_both_databases!(pages_are_of_one_instant_and_a_token_belongs_to_its_query, |cluster| {
    agency(&cluster, &[2001, 2002, 2003, 2004, 2005]).await;
    for client in 2001..=2005 {
        let mrr = if client % 2 == 0 { "200.00 USD" } else { "100.00 USD" };
        cluster.subscription(client, "main", mrr, "2024-01-01").await.expect("a subscription");
        anna_works(&cluster, client, "a", "2025-12-20").await;
    }
    let first = credit::ListManagedCreditsRequest {
        parent: "partners/1001".to_owned(),
        order: ManagedCreditOrder::Points.into(),
        descending: true,
        page_size: 2,
        at_least_revisions: cluster.known_revisions(),
        ..credit::ListManagedCreditsRequest::default()
    };
    let (mut request, mut seen, mut pages) = (first.clone(), Vec::new(), 0);
    loop {
        let page = cluster.credit().list_managed_credits(request.clone()).await.expect("a page").into_inner();
        assert_eq!((page.total_size, page.total_points.as_str()), (5, "7.00"));
        assert_eq!(page.basis.as_ref().and_then(|basis| basis.as_of_time), Some(stamp("2026-01-01")));
        seen.extend(clients(&page));
        pages += 1;
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        // Everything lapses meanwhile; the pages go on about the instant of the first.
        cluster.clock.set(at("2026-06-01"));
    }
    assert_eq!((pages, seen), (3, vec![2002, 2004, 2001, 2003, 2005]));

    let token = request.page_token;
    let foreign = |changed: credit::ListManagedCreditsRequest| credit::ListManagedCreditsRequest {
        page_token: token.clone(),
        ..changed
    };
    cluster.partner(1002, &[]).await;
    for other in [
        foreign(credit::ListManagedCreditsRequest { parent: "partners/1002".to_owned(), ..first.clone() }),
        foreign(credit::ListManagedCreditsRequest { client_search: "Client".to_owned(), ..first.clone() }),
        foreign(credit::ListManagedCreditsRequest { descending: false, ..first.clone() }),
        foreign(credit::ListManagedCreditsRequest { as_of_time: Some(stamp("2026-01-01")), ..first.clone() }),
        credit::ListManagedCreditsRequest { page_token: "garbage".to_owned(), ..first.clone() },
    ] {
        let refused = cluster.credit().list_managed_credits(other).await.expect_err("of another query");
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["page_token".to_owned()]));
    }
    let larger = foreign(credit::ListManagedCreditsRequest { page_size: 9, ..first });
    let last = cluster.credit().list_managed_credits(larger).await.expect("another size of page is no other query");
    assert_eq!(clients(&last.into_inner()), [2005]);
});

// Why

/// The status of each condition that is not passed.
fn open_conditions(explanation: &credit::Explanation) -> Vec<(ConditionKind, ConditionStatus)> {
    let conditions = explanation.conditions.iter().map(|condition| (condition.kind(), condition.status()));
    conditions.filter(|(_, status)| *status != ConditionStatus::Passed).collect()
}

fn all_texts(explanation: &credit::Explanation) -> String {
    format!("{explanation:?}")
}

on_both_databases!(why_there_is_credit, |cluster| {
    agency(&cluster, &[2002]).await;
    cluster.partner(1002, &["studio.example"]).await;
    cluster.employee(1002, "bea@studio.example").await;
    cluster.user(2002, "bea@studio.example").await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    anna_works(&cluster, 2002, "a", "2025-12-20T12:00:00Z").await;
    cluster.work(2002, "b", "bea@studio.example", "2025-12-21T12:00:00Z", "form/edit").await;
    let explained = cluster.explain(1001, 2002, "2026-01-01").await.expect("an explanation");
    let row = explained.managed_credit.as_ref().expect("a row");
    assert_eq!((amount(row.credit.as_ref()).as_str(), row.servicing_partners), ("500.00 USD", 2));
    assert_eq!(open_conditions(&explained), []);
    assert_eq!((explained.loss.as_ref(), explained.remedy_aim()), (None, RemedyAim::Keep));
    let texts = all_texts(&explained);
    assert!(texts.contains("blog publish by anna on 20 December 2025"), "{texts}");
    // R127: other partners are a number.
    for foreign in ["bea", "1002", "studio"] {
        assert!(!texts.contains(foreign), "{foreign} in {texts}");
    }
});

on_both_databases!(why_a_credit_lapsed, |cluster| {
    agency(&cluster, &[2002]).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    anna_works(&cluster, 2002, "a", "2025-01-10T12:00:00Z").await;
    cluster.work(2002, "b", "anna@agency.example", "2025-03-01T12:00:00Z", "account/login").await;
    // Later work does not speak (R63).
    anna_works(&cluster, 2002, "c", "2025-06-01T12:00:00Z").await;
    let explained = cluster.explain(1001, 2002, "2025-04-01").await.expect("an explanation");
    let loss = explained.loss.as_ref().expect("a loss");
    assert_eq!((loss.cause(), loss.lose_time), (NoCreditReason::Lapsed, Some(stamp("2025-03-11T12:00:00Z"))));
    let lost: Vec<_> = loss.activities.iter().map(|activity| activity.text.as_str()).collect();
    assert_eq!(lost, ["blog publish by anna on 10 January 2025 counted until 11 March 2025 at 12:00 UTC."]);
    let open: Vec<_> = open_conditions(&explained).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(open, [ConditionKind::NotExpired, ConditionKind::ActivityMinimum]);
    assert!(!explained.remedy.is_empty() && explained.headline.contains("Client 2002"), "{}", explained.headline);
    let texts = all_texts(&explained);
    assert!(texts.contains("account login by anna") && !texts.contains("June"), "{texts}");
});

on_both_databases!(why_a_credit_ended_when_the_last_of_the_people_was_removed, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, "anna@agency.example").await;
    cluster.client(2002, "US").await;
    let user = cluster.user(2002, "anna@agency.example").await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    anna_works(&cluster, 2002, "a", "2025-12-01T12:00:00Z").await;
    cluster.remove(&user, "2025-12-24T08:00:00Z").await.expect("a removal");
    let explained = cluster.explain(1001, 2002, "2026-01-01").await.expect("an explanation");
    let loss = explained.loss.as_ref().expect("a loss");
    assert_eq!(
        (loss.cause(), loss.lose_time),
        (NoCreditReason::AllEmployeesRemoved, Some(stamp("2025-12-24T08:00:00Z")))
    );
    assert_eq!(loss.activities.len(), 1);
    let failed = |kind| open_conditions(&explained).contains(&(kind, ConditionStatus::Failed));
    assert!(failed(ConditionKind::NotEnded) && failed(ConditionKind::UserInClient));
    let there = explained.conditions.iter().find(|condition| condition.kind() == ConditionKind::UserInClient);
    let since = there.expect("the condition").since_time;
    assert_eq!(since, Some(stamp("2025-12-24T08:00:00Z")));
    // The day before, all was well, and nobody knew of the removal.
    let before = cluster.explain(1001, 2002, "2025-12-23").await.expect("an explanation");
    assert_eq!((open_conditions(&before), before.loss.as_ref()), (vec![], None));
    assert_eq!(before.managed_credit.expect("a row").expire_time, Some(stamp("2026-01-30T12:00:00Z")));
});

on_both_databases!(why_the_work_of_a_contractor_who_was_never_linked_does_not_count, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, "carla@freemail.example").await;
    cluster.client(2002, "US").await;
    cluster.user(2002, "carla@freemail.example").await;
    cluster.user(2002, "boss@client.example").await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    let verdict = cluster.work(2002, "a", "carla@freemail.example", "2025-12-20", "form/edit").await;
    assert_eq!(verdict.reason(), activity::NotCountedReason::NotAssigned);
    cluster.work(2002, "b", "boss@client.example", "2025-12-21", "form/edit").await;
    let explained = cluster.explain(1001, 2002, "2026-01-01").await.expect("an explanation");
    let row = explained.managed_credit.as_ref().expect("a row");
    assert_eq!((row.state(), row.no_credit_reason()), (CreditState::NotManaged, NoCreditReason::NotManaged));
    let failed: Vec<_> = open_conditions(&explained)
        .into_iter()
        .filter_map(|(kind, status)| (status == ConditionStatus::Failed).then_some(kind))
        .collect();
    let expected = [ConditionKind::ClientAssigned, ConditionKind::QualifyingActivity, ConditionKind::ActivityMinimum];
    assert_eq!(failed, expected);
    let texts = all_texts(&explained);
    assert!(texts.contains("form edit by carla") && texts.contains("was not assigned to the person"), "{texts}");
    assert!(!texts.contains("boss"), "{texts}");
});

on_both_databases!(why_serviced_clients_without_a_known_subscription_have_no_credit, |cluster| {
    agency(&cluster, &[2002]).await;
    anna_works(&cluster, 2002, "a", "2025-12-20").await;
    let explained = cluster.explain(1001, 2002, "2026-01-01").await.expect("an explanation");
    let unknown = ConditionStatus::Unknown;
    let expected = [(ConditionKind::PaidSubscription, unknown), (ConditionKind::SupportedCurrency, unknown)];
    assert_eq!(open_conditions(&explained), expected);
    assert!(explained.loss.is_none() && !explained.remedy.is_empty());
    assert_eq!(explained.conditions.len(), 15);
    let rules: Vec<_> = explained.conditions.iter().map(|condition| condition.rule.as_str()).collect();
    assert_eq!(rules[..4], ["R12", "R76", "R7a", "R20"]);
});

// Tiers

/// A policy under which a partner without a tier needs three live activities per client.
fn policy_of_three() -> Policy {
    let document = include_str!("../../../crates/domain/policy.toml");
    let three = r#"minimum_activities = [{ from = 0001-01-01, tier = "NONE", minimum = 3 }]"#;
    Policy::parse(&document.replace("minimum_activities = []", three)).expect("a policy")
}

async fn example_16_on(kind: DatabaseKind) {
    let options = ClusterOptions { policy: Arc::new(policy_of_three()), ..ClusterOptions::default() };
    let cluster = Cluster::start_with(kind, options).await;
    agency(&cluster, &[2002]).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    for (id, when) in [("a", "2025-10-01"), ("b", "2025-10-11"), ("c", "2025-10-21"), ("d", "2025-11-05")] {
        anna_works(&cluster, 2002, id, when).await;
    }
    let minimum = NoCreditReason::TierActivityMinimum;
    for (as_of, expected_reason, expected_credit, expires) in [
        ("2025-10-20T23:59:59Z", minimum, "0.00 USD", "2025-12-10"),
        // The third brings full credit from its instant; as known then, it goes when the oldest expires.
        ("2025-10-21", NoCreditReason::Unspecified, "1000.00 USD", "2025-11-30"),
        ("2025-11-05", NoCreditReason::Unspecified, "1000.00 USD", "2025-12-10"),
        ("2025-12-09T23:59:59Z", NoCreditReason::Unspecified, "1000.00 USD", "2025-12-10"),
        ("2025-12-10", minimum, "0.00 USD", "2026-01-04"),
        ("2026-01-04", NoCreditReason::Lapsed, "0.00 USD", "2026-01-04"),
    ] {
        let row = cluster.managed_credit(1001, 2002, as_of).await.expect("a row");
        let found = (row.no_credit_reason(), amount(row.credit.as_ref()), row.expire_time);
        assert_eq!(found, (expected_reason, expected_credit.to_owned(), Some(stamp(expires))), "{as_of}");
        assert_eq!(row.servicing_partners, i32::from(expected_reason == NoCreditReason::Unspecified), "{as_of}");
        let explained = cluster.explain(1001, 2002, as_of).await.expect("an explanation");
        assert_eq!(explained.managed_credit, Some(row), "{as_of}");
    }
    let short = cluster.explain(1001, 2002, "2025-12-10").await.expect("an explanation");
    let open = open_conditions(&short);
    assert_eq!(open, [(ConditionKind::ActivityMinimum, ConditionStatus::Failed)]);
    let lost = short.loss.as_ref().and_then(|loss| loss.lose_time);
    assert_eq!(lost, Some(stamp("2025-12-10")), "{short:?}");
    // R97 and the relationship speak of one activity, whatever the tier needs.
    assert_eq!(short.managed_credit.expect("a row").serviced_since_time, Some(stamp("2025-10-01")));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn example_16_fewer_activities_than_the_tier_needs_bring_nothing_on_sqlite() {
    example_16_on(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn example_16_fewer_activities_than_the_tier_needs_bring_nothing_on_postgresql() {
    example_16_on(DatabaseKind::Postgresql).await;
}
