//! ListServicing: which relationships, by which pages, and who may see them.

use contracts::wire::access::AccessRole;
use contracts::wire::activity::{ListServicingRequest, ListServicingResponse, Servicing, ServicingState};
use managed_credit::running::Part;
use sea_orm::ConnectionTrait as _;
use system_tests::{Cluster, at, by, fields, on_both_databases, reason, stamp};
use tonic::{Code, Response, Status};

use super::super::{ANNA, agency};

const ADMIN: &str = "admin@agency.example";

async fn list(cluster: &Cluster, actor: &str, request: ListServicingRequest) -> Result<ListServicingResponse, Status> {
    let request = ListServicingRequest { at_least_revisions: cluster.known_revisions(), ..request };
    cluster.activity().list_servicing(by(actor, request)).await.map(Response::into_inner)
}

/// What each page of a list has.
pub(super) async fn pages(cluster: &Cluster, mut request: ListServicingRequest) -> Vec<Vec<Servicing>> {
    let mut pages = Vec::new();
    loop {
        let page = list(cluster, "platform", request.clone()).await.expect("a page");
        pages.push(page.servicings);
        if page.next_page_token.is_empty() {
            return pages;
        }
        request.page_token = page.next_page_token;
    }
}

fn of_partner(partner: i64) -> ListServicingRequest {
    ListServicingRequest { partner: format!("partners/{partner}"), ..Default::default() }
}

fn of_client(client: i64) -> ListServicingRequest {
    ListServicingRequest { client: format!("clients/{client}"), ..Default::default() }
}

/// The partner, the client and the state of each.
fn lines(servicings: &[Servicing]) -> Vec<String> {
    let line = |one: &Servicing| {
        let state = one.state().as_str_name().trim_start_matches("SERVICING_STATE_");
        format!("{} {} {state}", one.partner.trim_start_matches("partners/"), one.client.trim_start_matches("clients/"))
    };
    servicings.iter().map(line).collect()
}

/// Two agencies that serviced clients 2002 to 2005: the first all of them, the second the last two.
async fn two_agencies(cluster: &Cluster) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.partner(1002, &["studio.example"]).await;
    cluster.employee(1001, ANNA).await;
    cluster.employee(1002, "bea@studio.example").await;
    for client in 2002..=2006 {
        cluster.client(client, "US").await;
        for address in [ANNA, "bea@studio.example"] {
            cluster.user(client, address).await;
        }
    }
    for (client, address, when) in [
        (2002, ANNA, "2025-01-10"),
        (2003, ANNA, "2025-11-20"),
        (2004, ANNA, "2025-12-20"),
        (2004, "bea@studio.example", "2025-12-21"),
        (2005, ANNA, "2025-10-01"),
        (2005, "bea@studio.example", "2025-12-22"),
    ] {
        cluster.work(client, &format!("by-{address}"), address, when, "blog/publish").await;
    }
    // Nothing of it ever counted.
    cluster.work(2006, "preview", ANNA, "2025-12-20", "blog/preview").await;
}

on_both_databases!(relationships_of_a_partner_or_of_a_client_are_all_of_which_something_had_counted, |cluster| {
    two_agencies(&cluster).await;
    let listed = async |request| lines(&list(&cluster, "platform", request).await.expect("a page").servicings);
    let all = ["1001 2002 ENDED", "1001 2003 EXPIRING", "1001 2004 ACTIVE", "1001 2005 ENDED"];
    assert_eq!(listed(of_partner(1001)).await, all);
    assert_eq!(listed(of_client(2005)).await, ["1001 2005 ENDED", "1002 2005 ACTIVE"]);
    let of_both = ListServicingRequest { client: "clients/2004".to_owned(), ..of_partner(1002) };
    assert_eq!(listed(of_both).await, ["1002 2004 ACTIVE"]);
    assert!(listed(of_client(2006)).await.is_empty());
    // What had not begun yet, nobody knew of.
    let as_of_time = Some(stamp("2025-12-21"));
    let dated = |request| ListServicingRequest { as_of_time, ..request };
    assert_eq!(listed(dated(of_client(2005))).await, ["1001 2005 ENDED"]);
    assert_eq!(listed(dated(of_client(2004))).await, ["1001 2004 ACTIVE", "1002 2004 ACTIVE"]);

    use ServicingState::{Active, Ended, Expiring};
    for (states, expected) in [
        (vec![Ended], vec![all[0], all[3]]),
        (vec![Active, Expiring], vec![all[1], all[2]]),
        (vec![ServicingState::None], vec![]),
    ] {
        let states = states.into_iter().map(i32::from).collect();
        assert_eq!(listed(ListServicingRequest { states, ..of_partner(1001) }).await, expected);
    }
    let page = list(&cluster, "platform", of_client(2004)).await.expect("a page");
    let first = &page.servicings[0];
    assert_eq!((first.employees[0].email_address.as_str(), first.employees[0].counted_activities), (ANNA, 1));
    assert_eq!((first.tools[0].tool.as_str(), first.tools[0].live_activities), ("blog", 1));
    assert!(first.last_activity.is_some());
    assert_eq!(page.as_of_time, Some(stamp("2026-01-01")));
});

on_both_databases!(pages_of_relationships_follow_each_other_and_speak_of_one_instant, |cluster| {
    two_agencies(&cluster).await;
    for page_size in 1..=4 {
        for request in [of_partner(1001), of_client(2005)] {
            let whole = list(&cluster, "platform", request.clone()).await.expect("a page");
            assert!(whole.next_page_token.is_empty());
            let pages = pages(&cluster, ListServicingRequest { page_size, ..request }).await;
            assert_eq!(pages.concat(), whole.servicings);
            assert!(
                pages.iter().all(|page| !page.is_empty() && page.len() <= usize::try_from(page_size).expect("few"))
            );
        }
    }
    let active = ListServicingRequest { states: vec![ServicingState::Active.into()], ..of_partner(1001) };
    assert_eq!(pages(&cluster, ListServicingRequest { page_size: 1, ..active }).await.concat().len(), 1);

    let request = ListServicingRequest { page_size: 2, ..of_partner(1001) };
    let first = list(&cluster, "platform", request.clone()).await.expect("a page");
    cluster.clock.set(at("2026-06-01"));
    let second = ListServicingRequest { page_token: first.next_page_token.clone(), ..request.clone() };
    let second = list(&cluster, "platform", second).await.expect("a page");
    assert_eq!((lines(&second.servicings)[0].as_str(), second.as_of_time), ("1001 2004 ACTIVE", first.as_of_time));
    // Where it is asked about now, it has ended.
    let anew = list(&cluster, "platform", of_partner(1001)).await.expect("a page");
    assert_eq!(lines(&anew.servicings)[2], "1001 2004 ENDED");

    // A token is of one query, and no other text is one.
    let dated = ListServicingRequest { as_of_time: Some(stamp("2026-01-01")), ..request.clone() };
    for (asked, token) in [
        (of_partner(1002), first.next_page_token.clone()),
        (dated, first.next_page_token),
        (request, "AAAA".to_owned()),
    ] {
        let refused = list(&cluster, "platform", ListServicingRequest { page_token: token, ..asked }).await;
        assert_eq!(fields(&refused.expect_err("a token of another query")), ["page_token"]);
    }
});

on_both_databases!(a_page_ends_after_a_thousand_pairs_that_a_state_leaves_out, |cluster| {
    agency(&cluster).await;
    cluster.work(2002, "first", ANNA, "2025-01-10", "blog/publish").await;
    let mut options = sea_orm::ConnectOptions::new(cluster.database_url(Part::Activity));
    options.max_connections(1).sqlx_logging(false);
    let database = sea_orm::Database::connect(options).await.expect("the database");
    for copied in [
        "servicing_pair (client_id, partner_id, last_activity_time)
            SELECT 10000 + i, partner_id, last_activity_time FROM servicing_pair, series",
        "servicing_period (client_id, partner_id, minimum, start_time, end_time, end_cause)
            SELECT 10000 + i, partner_id, minimum, start_time, end_time, end_cause FROM servicing_period, series",
    ] {
        let series = "WITH RECURSIVE series(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < 1500)";
        database.execute_unprepared(&format!("{series} INSERT INTO {copied}")).await.expect("to insert");
    }
    database.close().await.expect("to close");
    cluster.client(20_000, "US").await;
    cluster.user(20_000, ANNA).await;
    cluster.work(20_000, "last", ANNA, "2025-12-20", "blog/publish").await;

    let all = pages(&cluster, ListServicingRequest { page_size: 1_000, ..of_partner(1001) }).await;
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [1_000, 502]);
    let active = ListServicingRequest { states: vec![ServicingState::Active.into()], ..of_partner(1001) };
    let pages: Vec<Vec<String>> = pages(&cluster, active).await.iter().map(|page| lines(page)).collect();
    assert_eq!(pages, [vec![], vec!["1001 20000 ACTIVE".to_owned()]]);
});

on_both_databases!(people_list_the_relationships_of_the_partner_whose_credit_they_may_read, |cluster| {
    two_agencies(&cluster).await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    cluster.employee_with(1002, "boss@studio.example", AccessRole::SuperAdmin).await;
    let found = list(&cluster, ADMIN, of_partner(1001)).await.expect("a page").servicings;
    assert_eq!(found.len(), 4);
    let of_both = ListServicingRequest { client: "clients/2005".to_owned(), ..of_partner(1001) };
    assert_eq!(lines(&list(&cluster, ADMIN, of_both).await.expect("a page").servicings), ["1001 2005 ENDED"]);

    let missing = list(&cluster, ANNA, of_partner(1001)).await.expect_err("no permission");
    assert_eq!((missing.code(), reason(&missing).as_str()), (Code::PermissionDenied, "PERMISSION_MISSING"));
    let stranger = list(&cluster, "boss@studio.example", of_partner(1001)).await.expect_err("invisible");
    let absent = list(&cluster, "boss@studio.example", of_partner(1999)).await.expect_err("no such partner");
    assert_eq!(stranger.message().replace("1001", "N"), absent.message().replace("1999", "N"));
    assert_eq!((stranger.code(), reason(&stranger).as_str()), (Code::NotFound, "UNKNOWN_PARTNER"));
    for unnamed in [of_client(2004), ListServicingRequest::default()] {
        let refused = list(&cluster, ADMIN, unnamed).await.expect_err("a person names the partner");
        assert_eq!(fields(&refused), ["partner"]);
    }
});

on_both_databases!(r127_relationships_with_what_does_not_exist_for_the_asker_are_not_found, |cluster| {
    two_agencies(&cluster).await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    cluster.client(2007, "US").await;
    let with = |client: i64| ListServicingRequest { client: format!("clients/{client}"), ..of_partner(1001) };
    let hidden = list(&cluster, ADMIN, with(2007)).await.expect_err("nothing to do with it");
    let absent = list(&cluster, ADMIN, with(2999)).await.expect_err("no such client");
    assert_eq!(hidden.message().replace("2007", "N"), absent.message().replace("2999", "N"));
    assert_eq!((hidden.code(), reason(&hidden).as_str()), (Code::NotFound, "UNKNOWN_CLIENT"));
    assert!(list(&cluster, "platform", with(2007)).await.expect("a page").servicings.is_empty());
    for (request, expected) in [
        (of_client(2999), "UNKNOWN_CLIENT"),
        (with(2999), "UNKNOWN_CLIENT"),
        (of_partner(1999), "UNKNOWN_PARTNER"),
        (ListServicingRequest { client: "clients/2002".to_owned(), ..of_partner(1999) }, "UNKNOWN_PARTNER"),
    ] {
        let refused = list(&cluster, "platform", request).await.expect_err("nothing of that name");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, expected));
    }
    let wrong = ListServicingRequest {
        partner: "clients/2002".to_owned(),
        client: "x".to_owned(),
        states: vec![0, 1, 9],
        minimum: 2,
        page_size: 1_001,
        page_token: "?".to_owned(),
        ..Default::default()
    };
    let refused = list(&cluster, "platform", wrong).await.expect_err("all of it is wrong");
    let expected = ["partner", "client", "states[0]", "states[2]", "minimum", "page_size", "page_token"];
    assert_eq!(fields(&refused), expected);
    let refused = list(&cluster, "platform", ListServicingRequest::default()).await.expect_err("whose?");
    assert_eq!(fields(&refused), ["partner"]);
});
