//! Clients, introductions and the end of services.

use contracts::wire::access::{self, AccessRole, Client};
use contracts::wire::credit::NoCreditReason;
use prost_types::FieldMask;
use system_tests::{Cluster, at, by, fields, metadata, on_both_databases, reason, stamp};
use tonic::{Code, Status};

use super::feed::feed;

const SARA: &str = "sara@agency.example";
const CAM: &str = "cam@agency.example";
const PAUL: &str = "paul@agency.example";
const BOSS: &str = "boss@client.example";

/// Partner 1001 with its super admin, somebody with CAM access and a plain employee, who is a user of client 2002.
async fn agency(cluster: &Cluster) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee_with(1001, SARA, AccessRole::SuperAdmin).await;
    cluster.employee_with(1001, CAM, AccessRole::ClientAccessManager).await;
    cluster.employee_with(1001, PAUL, AccessRole::None).await;
    cluster.client(2002, "US").await;
    cluster.user(2002, PAUL).await;
}

/// 1,000 USD of client 2002, which Paul earns the partner by what he did on 5 January; now it is the 10th.
async fn servicing(cluster: &Cluster) {
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    cluster.clock.set(at("2026-01-10"));
    cluster.work(2002, "a1", PAUL, "2026-01-05", "blog/publish").await;
    let row = cluster.managed_credit(1001, 2002, "2026-01-10").await.expect("a row");
    assert_eq!(row.points.as_deref(), Some("10.00"));
}

async fn no_credit_reason(cluster: &Cluster) -> NoCreditReason {
    cluster.managed_credit(1001, 2002, "2026-01-10").await.expect("a row").no_credit_reason()
}

fn get(hub_id: i64) -> access::GetClientRequest {
    access::GetClientRequest { name: format!("clients/{hub_id}") }
}

fn update(changed: Client, paths: &[&str]) -> access::UpdateClientRequest {
    let paths = paths.iter().map(ToString::to_string).collect();
    access::UpdateClientRequest {
        client: Some(Client { name: "clients/2002".to_owned(), ..changed }),
        update_mask: Some(FieldMask { paths }),
        ..Default::default()
    }
}

fn closure() -> access::CloseClientRequest {
    access::CloseClientRequest { name: "clients/2002".to_owned(), ..Default::default() }
}

fn introduction(client: i64) -> access::IntroduceClientRequest {
    access::IntroduceClientRequest {
        client: format!("clients/{client}"),
        partner: "partners/1001".to_owned(),
        ..Default::default()
    }
}

fn end(client: i64) -> access::EndServicesRequest {
    access::EndServicesRequest {
        partner: "partners/1001".to_owned(),
        client: format!("clients/{client}"),
        ..Default::default()
    }
}

fn refusal(status: &Status) -> (Code, String) {
    (status.code(), reason(status))
}

on_both_databases!(r26_a_client_exists_for_its_users_and_for_cam_access_where_it_is_known, |cluster| {
    agency(&cluster).await;
    cluster.partner(1002, &[]).await;
    cluster.employee_with(1002, "rival@elsewhere.example", AccessRole::SuperAdmin).await;
    let boss = cluster.user_with(2002, BOSS, "SUPER_ADMIN").await;
    for person in [SARA, CAM, PAUL, BOSS] {
        let answer = cluster.access().get_client(by(person, get(2002))).await.expect("a client").into_inner();
        assert_eq!(answer.client.expect("a client").name, "clients/2002", "{person}");
    }
    cluster.client(2003, "US").await;
    cluster.user(2003, BOSS).await;
    for (person, client) in [("rival@elsewhere.example", 2002), (CAM, 2003), (PAUL, 2003), ("nobody@a.example", 2002)] {
        let refused = cluster.access().get_client(by(person, get(client))).await.expect_err("not known to them");
        assert_eq!(refusal(&refused), (Code::NotFound, "UNKNOWN_CLIENT".to_owned()), "{person}");
        let unknown = cluster.access().get_client(by(person, get(2999))).await.expect_err("no such client");
        assert_eq!(refused.message(), unknown.message().replace("2999", &client.to_string()), "both read alike");
    }
    cluster.remove(&boss, "2026-01-01").await.expect("a removal");
    cluster.access().get_client(by(BOSS, get(2002))).await.expect_err("no user there any more");
    cluster.access().get_client(get(2999)).await.expect_err("no such client, for the platform neither");
});

on_both_databases!(r63_a_country_holds_from_its_effective_time_on, |cluster| {
    cluster.client(2002, "US").await;
    let in_india = access::UpdateClientRequest {
        effective_time: Some(stamp("2025-06-01")),
        ..update(Client { country_code: "IN".to_owned(), ..Client::default() }, &[])
    };
    let answer = cluster.access().update_client(in_india).await.expect("an update").into_inner();
    let client = answer.client.expect("a client");
    assert_eq!((client.country_code.as_str(), client.display_name.as_str()), ("IN", "Client 2002"));

    let renamed = access::UpdateClientRequest {
        effective_time: Some(stamp("2025-03-01")),
        ..update(Client { display_name: "Renamed".to_owned(), ..Client::default() }, &[])
    };
    cluster.access().update_client(renamed).await.expect("an update");
    let changes = feed(&cluster, 0, Vec::new()).await;
    assert_eq!(changes.last().expect("a change").new_state, "OPEN US Renamed", "its country then stays (R22)");
});

on_both_databases!(an_update_of_a_client_is_the_platforms_and_records_only_what_is_new, |cluster| {
    agency(&cluster).await;
    let before = cluster.access().get_client(get(2002)).await.expect("a client").into_inner().client.expect("a client");
    let renamed = Client { display_name: "Renamed".to_owned(), country_code: "FR".to_owned(), ..Client::default() };
    let answer = cluster.access().update_client(update(renamed.clone(), &["display_name"])).await.expect("an update");
    let answer = answer.into_inner();
    let after = answer.client.expect("a client");
    assert_eq!((after.display_name.as_str(), after.country_code.as_str()), ("Renamed", "US"));
    let again = cluster.access().update_client(update(renamed.clone(), &["display_name"])).await.expect("a repeat");
    let again = again.into_inner();
    assert_eq!((again.client, again.revision), (Some(after), answer.revision));
    let stale = Client { etag: before.etag, ..renamed.clone() };
    let refused = cluster.access().update_client(update(stale, &[])).await.expect_err("stale");
    assert_eq!(refusal(&refused), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    let refused = cluster.access().update_client(by(SARA, update(renamed, &[]))).await.expect_err("a person");
    assert_eq!(refusal(&refused), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED".to_owned()));
    let refused = cluster.access().update_client(update(Client::default(), &["*", "hub_id"])).await;
    assert_eq!(
        fields(&refused.expect_err("all of it is wrong")),
        ["update_mask.paths[1]", "client.display_name", "client.country_code"]
    );
});

on_both_databases!(r76_a_closed_client_ends_every_relationship_there, |cluster| {
    agency(&cluster).await;
    servicing(&cluster).await;
    cluster.partner(1002, &[]).await;
    let introduced = access::IntroduceClientRequest { partner: "partners/1002".to_owned(), ..introduction(2002) };
    cluster.access().introduce_client(introduced).await.expect("an introduction");
    let refused = cluster.access().close_client(by(SARA, closure())).await.expect_err("a person");
    assert_eq!(refusal(&refused), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED".to_owned()));

    let closed = cluster.access().close_client(closure()).await.expect("a closure").into_inner();
    cluster.note(&closed.revision);
    assert_eq!(closed.client.expect("a client").close_time, Some(stamp("2026-01-10")));
    assert_eq!(no_credit_reason(&cluster).await, NoCreditReason::ClientClosed);
    let changes = feed(&cluster, 0, Vec::new()).await;
    assert_eq!(changes.last().expect("a change").ended_relationships, ["partners/1001", "partners/1002"]);
    let again = cluster.access().close_client(closure()).await.expect_err("closed");
    assert_eq!(refusal(&again), (Code::NotFound, "UNKNOWN_CLIENT".to_owned()));
});

on_both_databases!(r22_a_client_is_not_closed_before_what_was_done_there, |cluster| {
    agency(&cluster).await;
    cluster.user_since(2002, BOSS, "2025-06-01").await.expect("a user");
    let dated = |when: &str| access::CloseClientRequest { effective_time: Some(stamp(when)), ..closure() };
    let refused = cluster.access().close_client(dated("2025-03-01")).await.expect_err("somebody came later");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "ILLEGAL_SEQUENCE".to_owned()));
    let stale = access::CloseClientRequest { etag: "0".to_owned(), ..dated("2025-07-01") };
    let refused = cluster.access().close_client(stale).await.expect_err("stale");
    assert_eq!(refusal(&refused), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    cluster.access().close_client(dated("2025-07-01")).await.expect("after it");
});

on_both_databases!(r26_an_introduced_client_exists_for_the_partner, |cluster| {
    agency(&cluster).await;
    cluster.client(2003, "US").await;
    cluster.access().get_client(by(CAM, get(2003))).await.expect_err("not known to them yet");
    let refused = cluster.access().introduce_client(by(SARA, introduction(2003))).await.expect_err("a person");
    assert_eq!(refusal(&refused), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED".to_owned()));
    cluster.access().introduce_client(introduction(2003)).await.expect("an introduction");
    cluster.access().get_client(by(CAM, get(2003))).await.expect("known to them now");

    let again = cluster.access().introduce_client(introduction(2003)).await.expect_err("again");
    assert_eq!(refusal(&again), (Code::AlreadyExists, "ALREADY_INTRODUCED".to_owned()));
    let unknown = cluster.access().introduce_client(introduction(2999)).await.expect_err("no such client");
    assert_eq!(refusal(&unknown), (Code::NotFound, "UNKNOWN_CLIENT".to_owned()));
    let nobody = access::IntroduceClientRequest { partner: "partners/1999".to_owned(), ..introduction(2003) };
    let unknown = cluster.access().introduce_client(nobody).await.expect_err("no such partner");
    assert_eq!(refusal(&unknown), (Code::NotFound, "UNKNOWN_PARTNER".to_owned()));
    let refused = cluster.access().introduce_client(access::IntroduceClientRequest::default()).await;
    assert_eq!(fields(&refused.expect_err("both are missing")), ["partner", "client"]);
});

on_both_databases!(r76_a_super_admin_of_the_partner_ends_its_services_and_users_stay, |cluster| {
    agency(&cluster).await;
    servicing(&cluster).await;
    for person in [CAM, PAUL] {
        let refused = cluster.access().end_services(by(person, end(2002))).await.expect_err("no super admin");
        assert_eq!(refusal(&refused), (Code::PermissionDenied, "PERMISSION_MISSING".to_owned()), "{person}");
        assert_eq!(metadata(&refused, "permission"), "END_SERVICES");
    }
    let refused = cluster.access().end_services(by(BOSS, end(2002))).await.expect_err("nobody of the partner's");
    assert_eq!(refusal(&refused), (Code::NotFound, "UNKNOWN_PARTNER".to_owned()));

    let ended = cluster.access().end_services(by(SARA, end(2002))).await.expect("her right").into_inner();
    cluster.note(&ended.revision);
    assert_eq!(ended.end_time, Some(stamp("2026-01-10")));
    assert_eq!(no_credit_reason(&cluster).await, NoCreditReason::ServicesEnded);
    let changes = feed(&cluster, 0, Vec::new()).await;
    let change = changes.last().expect("a change");
    assert_eq!(change.ended_relationships, ["partners/1001"]);
    assert_eq!(
        (change.old_state.as_str(), change.new_state.as_str()),
        ("ASSIGNED_EMPLOYEES 1", "ASSIGNED_EMPLOYEES 0")
    );
    assert_eq!(change.actor, SARA);

    let tab = access::ListClientsRequest { partner: "partners/1001".to_owned(), ..Default::default() };
    let page = cluster.access().list_clients(by(SARA, tab)).await.expect("a page").into_inner();
    let row = &page.clients[0].employees[0];
    assert_eq!((row.email_address.as_str(), row.access_type()), (PAUL, access::AccessType::Standard), "he stays");
    assert_eq!(row.assignment, None, "and works there for nobody");
    let page = access::ListEmployeesRequest { parent: "partners/1001".to_owned(), ..Default::default() };
    let page = cluster.access().list_employees(page).await.expect("a page").into_inner();
    assert!(page.employees.iter().all(|employee| employee.client_count == 0));
});

on_both_databases!(there_are_services_to_end_only_where_the_partner_had_to_do_with_the_client, |cluster| {
    agency(&cluster).await;
    cluster.client(2003, "US").await;
    let refused = cluster.access().end_services(end(2003)).await.expect_err("nothing to end");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "NO_SERVICES".to_owned()));
    let refused = cluster.access().end_services(by(SARA, end(2003))).await.expect_err("not known to her");
    let unknown = cluster.access().end_services(by(SARA, end(2999))).await.expect_err("no such client");
    assert_eq!(refusal(&refused), (Code::NotFound, "UNKNOWN_CLIENT".to_owned()));
    assert_eq!(refused.message(), unknown.message().replace("2999", "2003"), "both read alike");
    let refused = cluster.access().end_services(end(2999)).await.expect_err("no such client");
    assert_eq!(refusal(&refused), (Code::NotFound, "UNKNOWN_CLIENT".to_owned()));
});

on_both_databases!(r36_the_permission_sets_are_those_of_the_policy, |cluster| {
    let request = by("anybody@a.example", access::ListPermissionSetsRequest {});
    let answer = cluster.access().list_permission_sets(request).await.expect("sets").into_inner();
    let sets: Vec<_> =
        answer.permission_sets.iter().map(|set| (set.name.as_str(), set.permissions.join(" "))).collect();
    let (manages_own, manages_all) =
        ("MANAGE_OWN_EMPLOYEES".to_owned(), "MANAGE_USERS APPROVE_ACCESS_LINKS".to_owned());
    for expected in [("STANDARD", String::new()), ("PARTNER_ADMIN", manages_own), ("SUPER_ADMIN", manages_all)] {
        assert!(sets.contains(&expected), "{expected:?} in {sets:?}");
    }
    assert!(sets.is_sorted(), "by name");
    let refused = cluster.access().list_permission_sets(by("nobody", access::ListPermissionSetsRequest {})).await;
    assert_eq!(reason(&refused.expect_err("no actor")), "ACTOR_NOT_ALLOWED");
});

/// Changes fields of client 2002 from an instant on; absent ones are not stated.
async fn told(cluster: &Cluster, display_name: Option<&str>, country: Option<&str>, when: &str) {
    let client = Client {
        name: "clients/2002".to_owned(),
        display_name: display_name.unwrap_or_default().to_owned(),
        country_code: country.unwrap_or_default().to_owned(),
        ..Default::default()
    };
    let request =
        access::UpdateClientRequest { client: Some(client), effective_time: Some(stamp(when)), ..Default::default() };
    let updated = cluster.access().update_client(request).await.expect("an update");
    cluster.note(&updated.get_ref().revision);
}

on_both_databases!(r63_what_an_update_does_not_state_is_left_to_what_is_told_later, |cluster| {
    servicing_of_agency(&cluster).await;
    // The name is told first; that it had moved to India before is told afterwards, and holds from then on.
    told(&cluster, Some("Malabar Trading"), None, "2026-01-08").await;
    told(&cluster, None, Some("IN"), "2026-01-06").await;
    for (as_of, points) in [("2026-01-05T12:00:00Z", "10.00"), ("2026-01-06", "20.00"), ("2026-01-09", "20.00")] {
        let row = cluster.managed_credit(1001, 2002, as_of).await.expect("a row");
        assert_eq!(
            (row.points.as_deref(), row.client_display_name.as_str()),
            (Some(points), "Malabar Trading"),
            "{as_of}"
        );
    }
});

on_both_databases!(r63_what_is_stated_for_an_instant_holds_from_it_on_also_where_it_changed_nothing, |cluster| {
    servicing_of_agency(&cluster).await;
    // In the US on the 8th, which was known; that it had been in India since the 6th is told afterwards.
    told(&cluster, None, Some("US"), "2026-01-08").await;
    told(&cluster, None, Some("IN"), "2026-01-06").await;
    for (as_of, points) in [("2026-01-05T12:00:00Z", "10.00"), ("2026-01-07", "20.00"), ("2026-01-08", "10.00")] {
        let row = cluster.managed_credit(1001, 2002, as_of).await.expect("a row");
        assert_eq!(row.points.as_deref(), Some(points), "{as_of}");
    }
    // Saying the very same of that instant again is a repeat.
    let before = cluster.known_revisions();
    told(&cluster, None, Some("US"), "2026-01-08").await;
    assert_eq!(cluster.known_revisions(), before);
});

async fn servicing_of_agency(cluster: &Cluster) {
    agency(cluster).await;
    servicing(cluster).await;
}
