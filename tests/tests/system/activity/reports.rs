//! ListIdleAssignments and ListUnmatchedAddresses: what each case is told, that the step it names helps, and that nobody is
//! told of others.

use contracts::wire::access::{self, AccessRole, link_client_result};
use contracts::wire::activity::{
    IdleAssignment, ListIdleAssignmentsRequest, ListIdleAssignmentsResponse, ListUnmatchedAddressesRequest,
    ListUnmatchedAddressesResponse, NotCountedReason, RemedyKind, UnmatchedAddress, UnmatchedAddressCase,
    VerdictOutcome,
};
use system_tests::{Cluster, at, by, fields, on_both_databases, reason, stamp};
use tonic::{Code, Response, Status};

use super::{ANNA, agency};

const BEN: &str = "ben@agency.example";
const CARLA: &str = "carla@freemail.example";
const ADMIN: &str = "admin@agency.example";

async fn idle(
    cluster: &Cluster,
    actor: &str,
    request: ListIdleAssignmentsRequest,
) -> Result<ListIdleAssignmentsResponse, Status> {
    let request = ListIdleAssignmentsRequest { at_least_revisions: cluster.known_revisions(), ..request };
    cluster.activity().list_idle_assignments(by(actor, request)).await.map(Response::into_inner)
}

async fn unmatched(
    cluster: &Cluster,
    actor: &str,
    request: ListUnmatchedAddressesRequest,
) -> Result<ListUnmatchedAddressesResponse, Status> {
    let request = ListUnmatchedAddressesRequest { at_least_revisions: cluster.known_revisions(), ..request };
    cluster.activity().list_unmatched_addresses(by(actor, request)).await.map(Response::into_inner)
}

fn idle_of(partner: i64) -> ListIdleAssignmentsRequest {
    ListIdleAssignmentsRequest { partner: format!("partners/{partner}"), ..Default::default() }
}

fn unmatched_of(partner: i64) -> ListUnmatchedAddressesRequest {
    ListUnmatchedAddressesRequest { partner: format!("partners/{partner}"), ..Default::default() }
}

fn unmatched_in(client: i64) -> ListUnmatchedAddressesRequest {
    ListUnmatchedAddressesRequest { client: format!("clients/{client}"), ..Default::default() }
}

/// Everything that is idle for a partner now.
async fn all_idle(cluster: &Cluster, partner: i64) -> Vec<IdleAssignment> {
    idle(cluster, "platform", idle_of(partner)).await.expect("a page").assignments
}

/// Everything that is unmatched for a partner now.
async fn all_unmatched(cluster: &Cluster, partner: i64) -> Vec<UnmatchedAddress> {
    unmatched(cluster, "platform", unmatched_of(partner)).await.expect("a page").addresses
}

/// The client, the address, the state and the step of each.
fn idle_lines(assignments: &[IdleAssignment]) -> Vec<String> {
    let line = |one: &IdleAssignment| {
        let state = one.state().as_str_name().trim_start_matches("IDLE_ASSIGNMENT_STATE_");
        let kind = one.remedy.as_ref().expect("a remedy").kind();
        let kind = kind.as_str_name().trim_start_matches("REMEDY_KIND_").to_owned();
        format!("{} {} {state}: {kind}", one.client.trim_start_matches("clients/"), one.email_address)
    };
    assignments.iter().map(line).collect()
}

/// The client, the address, the case and the step of each.
fn unmatched_lines(addresses: &[UnmatchedAddress]) -> Vec<String> {
    let line = |one: &UnmatchedAddress| {
        let case = one.case().as_str_name().trim_start_matches("UNMATCHED_ADDRESS_CASE_").to_owned();
        let kind = one.remedy.as_ref().expect("a remedy").kind();
        let kind = kind.as_str_name().trim_start_matches("REMEDY_KIND_").to_owned();
        format!("{} {} {case}: {kind}", one.client.trim_start_matches("clients/"), one.email_address)
    };
    addresses.iter().map(line).collect()
}

/// Whether what somebody does now counts.
async fn counts_now(cluster: &Cluster, client: i64, address: &str) -> bool {
    let id = format!("now-{}", address.replace('@', "-"));
    cluster.work(client, &id, address, "2026-01-01", "blog/publish").await.outcome() == VerdictOutcome::Counted
}

fn is_linked(outcome: &link_client_result::Outcome) -> bool {
    matches!(outcome, link_client_result::Outcome::Assignment(_))
}

on_both_databases!(linked_but_not_counting_each_case_is_told_the_step_that_makes_work_count, |cluster| {
    let anna = agency(&cluster).await;
    for client in [2003, 2004] {
        cluster.client(client, "US").await;
        cluster.user(client, ANNA).await;
    }
    let carla = cluster.employee(1001, CARLA).await;
    assert!(is_linked(&cluster.link(&carla, 2002, "2025-03-01").await));
    cluster.deactivate(&anna, "2025-12-20").await.expect("deactivated");
    cluster.work(2003, "lapsed", ANNA, "2025-09-01", "form/edit").await;
    cluster.work(2004, "preview", ANNA, "2025-12-24", "blog/preview").await;
    let found = all_idle(&cluster, 1001).await;
    let of = |client: i64, address: &str| {
        let client = format!("clients/{client}");
        found.iter().find(|one| one.client == client && one.email_address == address).expect("a row").clone()
    };
    let mut lines = idle_lines(&found);
    lines.sort();
    assert_eq!(
        lines,
        [
            "2002 anna@agency.example SUSPENDED: REACTIVATE_CLIENT_USER",
            "2002 carla@freemail.example PENDING_USER: ADD_CLIENT_USER",
            "2003 anna@agency.example EFFECTIVE: WORK",
            "2004 anna@agency.example EFFECTIVE: USE_QUALIFYING_ACTION",
        ]
    );
    let pending = of(2002, CARLA);
    assert_eq!(
        (pending.automatic, pending.idle_since_time, pending.employee.as_str()),
        (false, Some(stamp("2025-03-01")), carla.as_str())
    );
    let lapsed = of(2003, ANNA);
    // Sixty days after the last that counted.
    assert_eq!((lapsed.automatic, lapsed.idle_since_time), (true, Some(stamp("2025-10-31"))));
    assert_eq!((lapsed.last_counted_time, lapsed.last_not_counted_time), (Some(stamp("2025-09-01")), None));
    let preview = of(2004, ANNA);
    assert_eq!(
        (preview.last_not_counted_time, preview.last_reason()),
        (Some(stamp("2025-12-24")), NotCountedReason::NonQualifyingAction)
    );
    assert!(preview.remedy.expect("a remedy").text.contains("blog preview"));

    // Each step done, work counts, and nothing is idle any more.
    cluster.user_since(2002, CARLA, "2025-12-31").await.expect("a user");
    cluster.reactivate(&anna, "2025-12-31").await.expect("reactivated");
    for (client, address) in [(2002, ANNA), (2002, CARLA), (2003, ANNA), (2004, ANNA)] {
        assert!(counts_now(&cluster, client, address).await, "{client} {address}");
    }
    assert!(all_idle(&cluster, 1001).await.is_empty());
});

on_both_databases!(an_assignment_is_idle_as_of_an_instant_by_what_had_occurred_by_then, |cluster| {
    agency(&cluster).await;
    cluster.work(2002, "evt-1", ANNA, "2025-02-01", "form/edit").await;
    cluster.work(2002, "evt-2", ANNA, "2025-06-01", "form/edit").await;
    let as_of = async |when: &str| {
        let request = ListIdleAssignmentsRequest { as_of_time: Some(stamp(when)), ..idle_of(1001) };
        let found = idle(&cluster, "platform", request).await.expect("a page");
        assert_eq!(found.as_of_time, Some(stamp(when)));
        found.assignments.first().map(|one| (one.idle_since_time, one.last_counted_time))
    };
    let (never, first) = ((Some(stamp("2024-01-01")), None), Some(stamp("2025-02-01")));
    assert_eq!(as_of("2025-01-31T23:59:59.999999Z").await, Some(never));
    assert_eq!(as_of("2025-02-01").await, None);
    assert_eq!(as_of("2025-04-01T23:59:59.999999Z").await, None);
    assert_eq!(as_of("2025-04-02").await, Some((Some(stamp("2025-04-02")), first)));
    assert_eq!(as_of("2025-06-01").await, None);
    assert_eq!(as_of("2023-12-31").await, None, "nothing was assigned yet");
    // What is voided does not count, and is no work either.
    cluster.void(2002, "evt-2", "a test record").await.expect("voided");
    assert_eq!(as_of("2025-06-01").await, Some((Some(stamp("2025-04-02")), first)));
    let voided = all_idle(&cluster, 1001).await;
    assert_eq!(voided[0].last_not_counted_time, None);
});

on_both_databases!(r73_what_an_ending_cut_off_leaves_an_assignment_idle, |cluster| {
    let anna = agency(&cluster).await;
    cluster.work(2002, "evt-1", ANNA, "2025-12-01", "form/edit").await;
    assert!(all_idle(&cluster, 1001).await.is_empty());
    cluster.remove(&anna, "2025-12-10").await.expect("a removal");
    assert!(all_idle(&cluster, 1001).await.is_empty(), "nothing is assigned to who is no user");
    cluster.user_since(2002, ANNA, "2025-12-12").await.expect("a user");
    let found = all_idle(&cluster, 1001).await;
    assert_eq!(idle_lines(&found), ["2002 anna@agency.example EFFECTIVE: WORK"]);
    assert_eq!(found[0].idle_since_time, Some(stamp("2025-12-12")));
    assert!(counts_now(&cluster, 2002, ANNA).await);
    assert!(all_idle(&cluster, 1001).await.is_empty());
});

on_both_databases!(idle_assignments_are_of_open_clients_and_of_one_partner_by_pages, |cluster| {
    agency(&cluster).await;
    cluster.employee(1001, BEN).await;
    cluster.partner(1002, &["studio.example"]).await;
    cluster.employee(1002, "bea@studio.example").await;
    for client in 2003..=2030 {
        cluster.client(client, "US").await;
        for address in [ANNA, BEN, "bea@studio.example"] {
            cluster.user(client, address).await;
        }
    }
    cluster.close(2003, "2025-12-01").await.expect("closed");
    cluster.work(2004, "evt-1", ANNA, "2025-12-24", "form/edit").await;
    let all = all_idle(&cluster, 1001).await;
    let expected: Vec<(String, String)> = [(2002, ANNA), (2004, BEN)]
        .into_iter()
        .chain((2005..=2030).flat_map(|client| [(client, ANNA), (client, BEN)]))
        .map(|(client, address)| (format!("clients/{client}"), address.to_owned()))
        .collect();
    let of = |row: &IdleAssignment| (row.client.clone(), row.email_address.clone());
    let mut found: Vec<_> = all.iter().map(of).collect();
    found.sort();
    // The first page of 50 rows, of those that are.
    assert_eq!(found, expected[..50]);
    for page_size in [1, 7, 1_000] {
        let mut request = ListIdleAssignmentsRequest { page_size, ..idle_of(1001) };
        let mut rows = Vec::new();
        loop {
            let page = idle(&cluster, "platform", request.clone()).await.expect("a page");
            assert!(page.assignments.len() <= usize::try_from(page_size).expect("positive"));
            rows.extend(page.assignments);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        let is_sorted = rows.is_sorted_by_key(|row| (row.client.clone(), row.employee.clone()));
        assert!(is_sorted && rows[..50] == all, "{page_size}");
        let mut found: Vec<_> = rows.iter().map(of).collect();
        found.sort();
        assert_eq!(found, expected, "{page_size}");
    }
    let in_client = ListIdleAssignmentsRequest { client: "clients/2004".to_owned(), ..idle_of(1001) };
    let found = idle(&cluster, "platform", in_client).await.expect("a page").assignments;
    assert_eq!(idle_lines(&found), ["2004 ben@agency.example EFFECTIVE: WORK"]);
    let unknown = ListIdleAssignmentsRequest { client: "clients/2999".to_owned(), ..idle_of(1001) };
    assert!(idle(&cluster, "platform", unknown).await.expect("a page").assignments.is_empty());
});

on_both_databases!(pages_of_reports_speak_of_one_instant_and_their_tokens_are_of_one_query, |cluster| {
    agency(&cluster).await;
    cluster.employee(1001, CARLA).await;
    for client in [2003, 2004] {
        cluster.client(client, "US").await;
        cluster.user(client, ANNA).await;
    }
    for client in 2002..=2004 {
        cluster.work(client, "evt", CARLA, "2025-12-24", "form/edit").await;
    }
    let first = ListIdleAssignmentsRequest { page_size: 1, ..idle_of(1001) };
    let idle_page = idle(&cluster, "platform", first.clone()).await.expect("a page");
    let of_partner = ListUnmatchedAddressesRequest { page_size: 1, ..unmatched_of(1001) };
    cluster.user(2002, CARLA).await;
    cluster.user(2003, CARLA).await;
    let unmatched_page = unmatched(&cluster, "platform", of_partner.clone()).await.expect("a page");
    cluster.clock.set(at("2026-06-01"));
    let second = ListIdleAssignmentsRequest { page_token: idle_page.next_page_token.clone(), ..first };
    let second = idle(&cluster, "platform", second).await.expect("a page");
    assert_eq!((second.as_of_time, second.assignments.len()), (Some(stamp("2026-01-01")), 1));
    let second = ListUnmatchedAddressesRequest { page_token: unmatched_page.next_page_token.clone(), ..of_partner };
    let second = unmatched(&cluster, "platform", second).await.expect("a page");
    assert_eq!((second.as_of_time, second.addresses.len()), (Some(stamp("2026-01-01")), 1));
    // What counted no longer by now is out of sight where now is asked about.
    assert!(all_unmatched(&cluster, 1001).await.is_empty());

    for token in [idle_page.next_page_token, unmatched_page.next_page_token, "AAAA".to_owned()] {
        let page_token = token.clone();
        let other = ListIdleAssignmentsRequest { page_token, client: "clients/2002".to_owned(), ..idle_of(1001) };
        assert_eq!(fields(&idle(&cluster, "platform", other).await.expect_err("another query")), ["page_token"]);
        let other = ListUnmatchedAddressesRequest { page_token: token, ..unmatched_in(2002) };
        assert_eq!(fields(&unmatched(&cluster, "platform", other).await.expect_err("another query")), ["page_token"]);
    }
});

/// Partner 1001 with a super admin in the domain, who adds users to client 2002 as their Partner admin.
async fn agency_with_admin(cluster: &Cluster) {
    agency(cluster).await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    cluster.user_with(2002, ADMIN, "PARTNER_ADMIN").await;
}

/// Adds employees to client 2002 as the agency's admin does; answers with the names of their users.
async fn add_employees(cluster: &Cluster, employees: &[&str]) {
    let request = access::BatchAddEmployeesRequest {
        client: "clients/2002".to_owned(),
        employees: employees.iter().map(ToString::to_string).collect(),
        permission_set: "STANDARD".to_owned(),
        ..Default::default()
    };
    let added = cluster.access().batch_add_employees(by(ADMIN, request)).await.expect("results").into_inner();
    cluster.note(&added.revision);
}

on_both_databases!(acting_but_matching_nobody_each_case_is_told_the_step_that_makes_work_count, |cluster| {
    agency_with_admin(&cluster).await;
    // A contractor who is not linked; one who is not flagged; one who is no user; one of the domain who was unlinked.
    let contractor = cluster.employee(1001, CARLA).await;
    cluster.user(2002, CARLA).await;
    let unflagged = cluster.employee(1001, "uri@agency.example").await;
    cluster.user(2002, "uri@agency.example").await;
    cluster.flag(&unflagged, false, "2024-06-01").await.expect("not flagged");
    cluster.employee(1001, "nora@agency.example").await;
    let unlinked = cluster.employee(1001, BEN).await;
    cluster.user(2002, BEN).await;
    cluster.unlink(&unlinked, 2002, "2025-12-01").await.expect("unlinked");
    let people = [CARLA, "uri@agency.example", "nora@agency.example", BEN];
    for (number, address) in people.iter().enumerate() {
        for (time, day) in ["2025-12-10", "2025-12-24"].iter().enumerate() {
            cluster.work(2002, &format!("evt-{number}-{time}"), address, day, "form/edit").await;
        }
    }
    let found = all_unmatched(&cluster, 1001).await;
    assert_eq!(
        unmatched_lines(&found),
        [
            "2002 ben@agency.example UNLINKED: LINK_CLIENT",
            "2002 carla@freemail.example CONTRACTOR: LINK_CLIENT",
            "2002 nora@agency.example NO_ACTIVE_USER: ADD_CLIENT_USER",
            "2002 uri@agency.example NOT_FLAGGED: FLAG_EMPLOYEE",
        ]
    );
    let carla = &found[1];
    assert_eq!(
        (carla.display_name.as_str(), carla.reason(), carla.activities),
        ("carla", NotCountedReason::NotAssigned, 2)
    );
    assert_eq!((carla.first_time, carla.last_time), (Some(stamp("2025-12-10")), Some(stamp("2025-12-24"))));
    assert_eq!(carla.partner, "partners/1001");
    assert!(found[2].display_name.is_empty(), "no user of hers is known");

    assert!(is_linked(&cluster.link(&contractor, 2002, "2025-12-31").await));
    assert!(is_linked(&cluster.link(&unlinked, 2002, "2025-12-31").await));
    cluster.user_since(2002, "nora@agency.example", "2025-12-31").await.expect("a user");
    cluster.flag(&unflagged, true, "2025-12-31").await.expect("flagged");
    for address in people {
        assert!(counts_now(&cluster, 2002, address).await, "{address}");
    }
    assert!(all_unmatched(&cluster, 1001).await.is_empty(), "who matches by now is left out");
    // As of the day before, it was as it was.
    let before = ListUnmatchedAddressesRequest { as_of_time: Some(stamp("2025-12-30")), ..unmatched_of(1001) };
    assert_eq!(unmatched(&cluster, "platform", before).await.expect("a page").addresses.len(), 4);
});

on_both_databases!(an_address_in_no_account_is_told_to_who_added_it_and_once_created_its_work_counts, |cluster| {
    agency_with_admin(&cluster).await;
    // Anna and a colleague were added; their users remain when they are taken out of the account, or were never in it.
    let dora = cluster.employee(1001, "dora@agency.example").await;
    let other_anna = cluster.employee(1001, "anna@agency-mail.example").await;
    add_employees(&cluster, &[&dora, &other_anna]).await;
    for employee in [&dora, &other_anna] {
        cluster.delete_employee(employee, "2026-01-01").await.expect("deleted");
    }
    for address in ["dora@agency.example", "anna@agency-mail.example", "stranger@client.example"] {
        let id = format!("evt-{}", address.replace('@', "-"));
        cluster.work(2002, &id, address, "2026-01-01T00:00:01Z", "form/edit").await;
    }
    cluster.clock.set(at("2026-01-02"));
    let found = all_unmatched(&cluster, 1001).await;
    let expected =
        ["2002 anna@agency-mail.example SECOND_DOMAIN: ADD_EMPLOYEE", "2002 dora@agency.example UNKNOWN: ADD_EMPLOYEE"];
    assert_eq!(unmatched_lines(&found), expected);
    assert!(found[0].remedy.as_ref().expect("a remedy").text.contains(ANNA), "{found:?}");
    for one in &found {
        assert_eq!((one.reason(), one.partner.as_str()), (NotCountedReason::UnknownEmployee, "partners/1001"));
    }
    // The platform sees the stranger, too, of whom nobody is responsible.
    let seen = unmatched(&cluster, "platform", unmatched_in(2002)).await.expect("a page").addresses;
    let all = [expected[0], expected[1], "2002 stranger@client.example UNKNOWN: ADD_EMPLOYEE"];
    assert_eq!(unmatched_lines(&seen), all);
    assert_eq!((seen[0].partner.as_str(), seen[2].partner.as_str()), ("partners/1001", ""));

    // Created again, the domain assigns the client; the other is linked by hand.
    cluster.employee_since(1001, "dora@agency.example", "2026-01-02").await.expect("an employee");
    let again = cluster.employee_since(1001, "anna@agency-mail.example", "2026-01-02").await.expect("an employee");
    let left = all_unmatched(&cluster, 1001).await;
    assert_eq!(unmatched_lines(&left), ["2002 anna@agency-mail.example CONTRACTOR: LINK_CLIENT"]);
    assert!(is_linked(&cluster.link(&again, 2002, "2026-01-02").await));
    for address in ["dora@agency.example", "anna@agency-mail.example"] {
        let id = format!("then-{}", address.replace('@', "-"));
        let verdict = cluster.work(2002, &id, address, "2026-01-02", "form/edit").await;
        assert_eq!(verdict.outcome(), VerdictOutcome::Counted, "{address}");
    }
    assert!(all_unmatched(&cluster, 1001).await.is_empty());
});

on_both_databases!(r127_a_partner_is_told_of_nobody_whom_it_neither_has_nor_added, |cluster| {
    agency_with_admin(&cluster).await;
    cluster.partner(1002, &["studio.example"]).await;
    cluster.employee_with(1002, "boss@studio.example", AccessRole::SuperAdmin).await;
    cluster.employee(1002, "guest@freemail.example").await;
    cluster.user(2002, "guest@freemail.example").await;
    cluster.user(2002, "clerk@client.example").await;
    // An address of both accounts, and a person with the name of one of the other's.
    for partner in [1001, 1002] {
        cluster.employee(partner, CARLA).await;
    }
    cluster.user(2002, CARLA).await;
    for address in ["guest@freemail.example", "clerk@client.example", CARLA, "boss@agency.example"] {
        let id = format!("evt-{}", address.replace('@', "-"));
        cluster.work(2002, &id, address, "2025-12-24", "form/edit").await;
    }
    let agency = unmatched(&cluster, ADMIN, unmatched_of(1001)).await.expect("a page").addresses;
    assert_eq!(unmatched_lines(&agency), ["2002 carla@freemail.example CONTRACTOR: LINK_CLIENT"]);
    assert_eq!(agency[0].partner, "partners/1001");
    let studio = unmatched(&cluster, "boss@studio.example", unmatched_of(1002)).await.expect("a page").addresses;
    assert_eq!(
        unmatched_lines(&studio),
        ["2002 carla@freemail.example CONTRACTOR: LINK_CLIENT", "2002 guest@freemail.example CONTRACTOR: LINK_CLIENT"]
    );
    assert!(studio.iter().all(|one| one.partner == "partners/1002"));
    let told = format!("{agency:?}");
    assert!(!told.contains("1002") && !told.contains("studio") && !told.contains("Partner 1002"), "{told}");

    let everybody = unmatched(&cluster, "platform", unmatched_in(2002)).await.expect("a page").addresses;
    let of = |address: &str| everybody.iter().find(|one| one.email_address == address).expect("a row");
    assert_eq!(everybody.len(), 4);
    assert_eq!(of("guest@freemail.example").partner, "partners/1002");
    assert_eq!(of("boss@agency.example").case(), UnmatchedAddressCase::SecondDomain);
    // Assignments are nobody else's business either.
    assert!(idle(&cluster, ADMIN, idle_of(1001)).await.expect("a page").assignments.iter().all(|one| {
        one.employee.starts_with("partners/1001/")
            && one.remedy.as_ref().is_some_and(|remedy| remedy.kind() == RemedyKind::Work)
    }));
});

on_both_databases!(unmatched_work_is_counted_from_an_instant_until_another, |cluster| {
    agency_with_admin(&cluster).await;
    cluster.employee(1001, CARLA).await;
    cluster.user(2002, CARLA).await;
    for (id, day) in [("a", "2025-10-01"), ("b", "2025-11-10"), ("c", "2025-11-20"), ("d", "2025-12-24")] {
        cluster.work(2002, id, CARLA, day, "form/edit").await;
    }
    // It is also no work of nobody's that does not qualify.
    cluster.work(2002, "e", CARLA, "2025-12-25", "blog/preview").await;
    let counted = async |from: Option<&str>, as_of: Option<&str>| {
        let (from_time, as_of_time) = (from.map(stamp), as_of.map(stamp));
        let request = ListUnmatchedAddressesRequest { from_time, as_of_time, ..unmatched_of(1001) };
        let in_client = ListUnmatchedAddressesRequest { partner: String::new(), ..request.clone() };
        let in_client = ListUnmatchedAddressesRequest { client: "clients/2002".to_owned(), ..in_client };
        let found = unmatched(&cluster, "platform", request).await.expect("a page").addresses;
        let seen = unmatched(&cluster, "platform", in_client).await.expect("a page").addresses;
        assert_eq!(found, seen, "the same to the platform");
        found.first().map(|one| (one.activities, one.first_time, one.last_time))
    };
    // As far back as it would still count: sixty days, half-open.
    let last_two = Some((2, Some(stamp("2025-11-10")), Some(stamp("2025-11-20"))));
    assert_eq!(counted(None, Some("2025-12-01")).await, last_two);
    assert_eq!(
        counted(None, Some("2026-01-09")).await,
        Some((2, Some(stamp("2025-11-20")), Some(stamp("2025-12-24"))))
    );
    let without_first = counted(None, Some("2026-01-08T23:59:59.999999Z")).await;
    assert_eq!(without_first.map(|(activities, ..)| activities), Some(3));
    assert_eq!(counted(Some("2025-01-01"), None).await.map(|(activities, ..)| activities), Some(4));
    let one = Some((1, Some(stamp("2025-11-20")), Some(stamp("2025-11-20"))));
    assert_eq!(counted(Some("2025-11-20"), Some("2025-11-20")).await, one);
    assert_eq!(counted(Some("2025-11-21"), Some("2025-12-01")).await, None);
    let turned = ListUnmatchedAddressesRequest {
        from_time: Some(stamp("2025-12-02")),
        as_of_time: Some(stamp("2025-12-01")),
        ..unmatched_of(1001)
    };
    assert_eq!(fields(&unmatched(&cluster, "platform", turned).await.expect_err("turned around")), ["from_time"]);
});

on_both_databases!(pages_of_unmatched_addresses_follow_each_other, |cluster| {
    agency_with_admin(&cluster).await;
    for client in 2003..=2015 {
        cluster.client(client, "US").await;
    }
    for person in 0..4 {
        let address = format!("c{person}@freemail.example");
        cluster.employee(1001, &address).await;
        for client in 2002..=2015 {
            if (client + person) % 3 > 0 {
                cluster.user(client, &address).await;
                cluster.work(client, &format!("evt-{person}"), &address, "2025-12-24", "form/edit").await;
            }
        }
    }
    for stranger in 0..10 {
        let address = format!("s{stranger}@client.example");
        cluster.work(2002, &format!("of-stranger-{stranger}"), &address, "2025-12-24", "form/edit").await;
    }
    for request in [unmatched_of(1001), unmatched_in(2002)] {
        let whole = unmatched(&cluster, "platform", request.clone()).await.expect("a page");
        assert!(whole.next_page_token.is_empty() && whole.addresses.len() > 11, "{}", whole.addresses.len());
        assert!(whole.addresses.is_sorted_by_key(|one| (one.client.clone(), one.email_address.clone())));
        for page_size in [1, 5, 13] {
            let mut asked = ListUnmatchedAddressesRequest { page_size, ..request.clone() };
            let mut rows = Vec::new();
            loop {
                let page = unmatched(&cluster, "platform", asked.clone()).await.expect("a page");
                assert!(page.addresses.len() <= usize::try_from(page_size).expect("positive"));
                rows.extend(page.addresses);
                if page.next_page_token.is_empty() {
                    break;
                }
                asked.page_token = page.next_page_token;
            }
            assert_eq!(rows, whole.addresses, "{page_size}");
        }
    }
});

on_both_databases!(people_read_the_reports_of_the_partner_whose_credit_they_may_read, |cluster| {
    agency_with_admin(&cluster).await;
    cluster.client(2003, "US").await;
    assert_eq!(idle(&cluster, ADMIN, idle_of(1001)).await.expect("a page").assignments.len(), 2);
    unmatched(&cluster, ADMIN, unmatched_of(1001)).await.expect("a page");
    for (refused, absent) in [
        (
            idle(&cluster, ANNA, idle_of(1001)).await.expect_err("no permission"),
            idle(&cluster, ANNA, idle_of(1999)).await.expect_err("no such partner"),
        ),
        (
            unmatched(&cluster, ANNA, unmatched_of(1001)).await.expect_err("no permission"),
            unmatched(&cluster, ANNA, unmatched_of(1999)).await.expect_err("no such partner"),
        ),
    ] {
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "PERMISSION_MISSING"));
        assert_eq!((absent.code(), reason(&absent).as_str()), (Code::NotFound, "UNKNOWN_PARTNER"));
    }
    let refused = unmatched(&cluster, ADMIN, unmatched_in(2002)).await.expect_err("all addresses of a client");
    assert_eq!(fields(&refused), ["partner"]);
    let refused = unmatched(&cluster, "platform", ListUnmatchedAddressesRequest::default()).await;
    assert_eq!(fields(&refused.expect_err("whose?")), ["partner"]);
    let refused = idle(&cluster, ADMIN, ListIdleAssignmentsRequest::default()).await.expect_err("whose?");
    assert_eq!(fields(&refused), ["partner"]);
    let with =
        |client: i64| ListUnmatchedAddressesRequest { client: format!("clients/{client}"), ..unmatched_of(1001) };
    let hidden = unmatched(&cluster, ADMIN, with(2003)).await.expect_err("nothing to do with it");
    let absent = unmatched(&cluster, ADMIN, with(2999)).await.expect_err("no such client");
    assert_eq!(hidden.message().replace("2003", "N"), absent.message().replace("2999", "N"));
    assert_eq!((hidden.code(), reason(&hidden).as_str()), (Code::NotFound, "UNKNOWN_CLIENT"));
    let unknown = idle(&cluster, "platform", idle_of(1999)).await.expect_err("no such partner");
    assert_eq!(reason(&unknown), "UNKNOWN_PARTNER");
    let unknown = unmatched(&cluster, "platform", unmatched_in(2999)).await.expect_err("no such client");
    assert_eq!(reason(&unknown), "UNKNOWN_CLIENT");
});
