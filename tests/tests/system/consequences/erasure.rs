//! R128: an address is replaced by a pseudonym in every service, and nothing but the name is different.

use contracts::wire::activity::record_activity_result::Outcome;
use contracts::wire::credit::ListManagedCreditsRequest;
use domain::access::{AccessFact, Actor, Audit, HubId};
use managed_credit::running::Part;
use sea_orm::{ConnectOptions, ConnectionTrait as _, DatabaseConnection, DbBackend};
use service_kit::access_log::{FEED, append};
use service_kit::feed::{CHANGES_PER_MESSAGE, lock_head, store_head};
use service_kit::{Database, DatabaseSettings};
use system_tests::{Cluster, at, on_both_databases, reason};
use tonic_types::RpcStatusExt as _;

use super::{ANNA, Agency, JUST_BEFORE, LATER, NOW, THEN, agency, present, servicing, verdict_words, work};

/// What partner 1001 is told of its credit, its periods and the reasons at several instants, without what it is based on.
async fn everything_told(cluster: &Cluster) -> String {
    let mut told = Vec::new();
    for as_of in [JUST_BEFORE, THEN, LATER, NOW, "2026-03-01"] {
        for client in [2002, 2003] {
            let client_search = client.to_string();
            let request = ListManagedCreditsRequest { client_search, ..Default::default() };
            let page = cluster.breakdown(1001, as_of, request).await.expect("rows");
            told.push(format!("{as_of}: {} {:#?}", page.total_points, page.managed_credits));
            let explained = cluster.explain(1001, client, as_of).await.expect("an explanation");
            told.push(format!("{as_of}: {explained:#?}"));
            let found = cluster.servicing(1001, client, as_of).await.expect("a servicing");
            let (standing, periods, employees) =
                (&found.servicing, &found.periods, &found.servicing.as_ref().expect("a servicing").employees);
            told.push(format!("{as_of}: {standing:#?} {periods:#?} {employees:#?}"));
            let (counted, not_counted) = (&found.counted_activities, &found.not_counted_activities);
            told.push(format!("{as_of}: {counted:#?} {not_counted:#?}"));
        }
    }
    told.join("\n")
}

/// Anna in two clients: removed from one, deactivated in the other, with work that counts and work that does not.
async fn history_of_anna(cluster: &Cluster) {
    let Agency { user, .. } = agency(cluster).await;
    cluster.client(2003, "IN").await;
    let elsewhere = cluster.user(2003, ANNA).await;
    cluster.subscription(2003, "main", "500.00 EUR", "2024-01-01").await.expect("a subscription");
    cluster.work(2003, "one", ANNA, "2025-11-25", "form/edit").await;
    cluster.work(2003, "two", ANNA, "2025-12-21", "form/edit").await;
    cluster.work(2003, "login", ANNA, "2025-12-01", "account/login").await;
    cluster.remove(&user, THEN).await.expect("a removal");
    cluster.deactivate(&elsewhere, LATER).await.expect("deactivated");
    assert_eq!(work(cluster, "late", ANNA, LATER).await, "NO_USER_IN_CLIENT");
}

/// What was told of Anna, told of her pseudonym.
fn renamed(told: &str, pseudonym: &str) -> String {
    let (name, _) = pseudonym.split_once('@').expect("an address");
    told.replace("anna", name)
}

async fn beside(cluster: &Cluster, part: Part) -> DatabaseConnection {
    let mut options = ConnectOptions::new(cluster.database_url(part));
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await.expect("a connection")
}

/// In which columns of a service's database Anna still stands.
async fn traces(cluster: &Cluster, part: Part) -> Vec<&'static str> {
    let of_log = ["access_change.address", "access_change.actor", "access_change.payload", "request.answer"];
    let of_service: &[&str] = match part {
        Part::Access => &[],
        Part::Activity => &["activity.address", "activity.payload", "servicing_change.payload"],
        Part::Credit => &["partner_client.address", "subscription_change.actor"],
    };
    let database = beside(cluster, part).await;
    let mut found = Vec::new();
    for place in of_log.iter().chain(of_service).copied() {
        let (table, column) = place.split_once('.').expect("a column");
        let contains = match (database.get_database_backend(), column) {
            (DbBackend::Postgres, "payload" | "answer") => format!("position('anna'::bytea in {column}) > 0"),
            (_, "payload" | "answer") => format!("instr({column}, CAST('anna' AS BLOB)) > 0"),
            _ => format!("{column} LIKE '%anna%'"),
        };
        let sql = format!("SELECT 1 FROM {table} WHERE {contains}");
        let statement = sea_orm::Statement::from_string(database.get_database_backend(), sql);
        if database.query_one_raw(statement).await.expect("a query").is_some() {
            found.push(place);
        }
    }
    database.close().await.expect("to close");
    found
}

/// So many changes that whoever follows is told of what comes after them by a message of its own.
async fn fill_a_message(cluster: &mut Cluster) {
    cluster.stop_part(Part::Access).await;
    let database = Database::connect(&cluster.database_url(Part::Access), DatabaseSettings::with_connections(2))
        .await
        .expect("a database");
    let transaction = database.begin_write().await.expect("a transaction");
    let mut head = lock_head(&*transaction, FEED).await.expect("the head");
    for number in 0..i64::try_from(CHANGES_PER_MESSAGE).expect("a small number") {
        let fact = AccessFact::ClientAdded {
            client: HubId::try_from(10_000 + number).expect("a hub id"),
            display_name: "Somebody else".to_owned(),
            country: "US".parse().expect("a country"),
        };
        let (now, audit) = (at(NOW), Audit::default());
        append(&*transaction, &mut head, fact, now, now, &Actor::Platform, audit).await.expect("a row");
    }
    store_head(&*transaction, &head).await.expect("the head");
    transaction.commit().await.expect("a commit");
    database.close().await.expect("to close");
    cluster.note(&head.revision().to_string());
    cluster.start_part(Part::Access).await;
}

on_both_databases!(r128_after_an_erasure_all_is_as_it_was_but_for_the_name, |cluster| {
    history_of_anna(&cluster).await;
    let before = everything_told(&cluster).await;
    assert!(before.contains("form edit by anna") && before.contains(ANNA), "{before}");
    assert_eq!(
        traces(&cluster, Part::Activity).await,
        ["access_change.address", "access_change.payload", "activity.address", "activity.payload"]
    );
    let head = servicing(&cluster, 1001).await.revisions.remove(1);

    let pseudonym = cluster.erase(ANNA).await.expect("an erasure");

    assert!(pseudonym.ends_with("@agency.example") && !pseudonym.contains("anna"), "{pseudonym}");
    let after = everything_told(&cluster).await;
    assert_eq!(after, renamed(&before, &pseudonym));
    assert_eq!(servicing(&cluster, 1001).await.revisions[1], head, "no period is different, so that none is told");
    for part in Part::ALL {
        assert_eq!(traces(&cluster, part).await, [""; 0], "{part}");
    }
    let unknown = cluster.erase(ANNA).await.expect_err("she is gone");
    assert_eq!(reason(&unknown), "UNKNOWN_ADDRESS");
});

on_both_databases!(r128_followers_that_were_away_during_an_erasure_mend_what_they_had, |cluster| {
    history_of_anna(&cluster).await;
    cluster.client(2004, "US").await;
    let unknown = cluster.work(2004, "other", ANNA, "2025-12-06", "form/edit").await;
    assert_eq!(verdict_words(&unknown), "NO_USER_IN_CLIENT");
    let before = everything_told(&cluster).await;
    cluster.stop_part(Part::Activity).await;
    cluster.stop_part(Part::Credit).await;
    // What they have not read yet has the pseudonym when they do; what they have read has the address.
    cluster.user(2004, ANNA).await;
    fill_a_message(&mut cluster).await;
    let pseudonym = cluster.erase(ANNA).await.expect("an erasure");
    cluster.start_part(Part::Activity).await;
    cluster.start_part(Part::Credit).await;

    assert_eq!(everything_told(&cluster).await, renamed(&before, &pseudonym));
    let found = cluster.servicing(1001, 2004, NOW).await.expect("a servicing");
    assert_eq!(found.servicing.as_ref().expect("a servicing").employees[0].email_address, pseudonym);
    assert_eq!(
        (found.periods.len(), found.servicing.as_ref().expect("a servicing").employees[0].counted_activities),
        (1, 1),
        "what was recorded before counts"
    );
    let page = cluster.breakdown(1001, NOW, ListManagedCreditsRequest::default()).await.expect("rows");
    assert_eq!(page.total_size, 3);
    for part in Part::ALL {
        assert_eq!(traces(&cluster, part).await, [""; 0], "{part}");
    }
});

on_both_databases!(r128_what_is_sent_again_under_an_erased_address_changes_nothing, |cluster| {
    agency(&cluster).await;
    let sent = vec![Cluster::activity_of(2002, "again", ANNA, LATER, "blog/publish")];
    let request = contracts::wire::activity::RecordActivitiesRequest {
        activities: sent.clone(),
        request_id: "0190a0b0-0000-7000-8000-000000000001".to_owned(),
        ..Default::default()
    };
    let recorded = cluster.activity().record_activities(request.clone()).await.expect("a result").into_inner();
    cluster.note(&recorded.revision);
    let pseudonym = cluster.erase(ANNA).await.expect("an erasure");
    let before = servicing(&cluster, 1001).await;
    assert_eq!(before.counted_activities.len(), 2);

    // The answers of requests are forgotten with the address, so that this is tried anew.
    for again in [
        cluster.activity().record_activities(request).await.expect("a result").into_inner(),
        cluster.record(sent).await.expect("a result"),
    ] {
        let Some(Outcome::Error(error)) = &again.results[0].outcome else { panic!("{again:?}") };
        assert_eq!(error.get_details_error_info().expect("a reason").reason, "ACTIVITY_ID_REUSED");
    }
    assert_eq!(present(&cluster, "again", &pseudonym, LATER).await, "COUNTED");
    assert_eq!(servicing(&cluster, 1001).await.counted_activities, before.counted_activities);
});
