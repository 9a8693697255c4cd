//! The Employees tab: users of partner accounts.

use contracts::wire::access::{self, AccessRole, Employee};
use prost_types::FieldMask;
use system_tests::{Cluster, at, by, fields, metadata, on_both_databases, reason, stamp};
use tonic::{Code, Status};

const SARA: &str = "sara@agency.example";
const CAM: &str = "cam@agency.example";
const PAUL: &str = "paul@agency.example";
const CARLA: &str = "carla@freelance.example";
const STRANGER: &str = "stranger@elsewhere.example";

/// The names of Sara, Cam, Paul and Carla in partner 1001.
async fn agency(cluster: &Cluster) -> [String; 4] {
    cluster.partner(1001, &["agency.example"]).await;
    [
        cluster.employee_with(1001, SARA, AccessRole::SuperAdmin).await,
        cluster.employee_with(1001, CAM, AccessRole::ClientAccessManager).await,
        cluster.employee_with(1001, PAUL, AccessRole::None).await,
        cluster.employee_with(1001, CARLA, AccessRole::None).await,
    ]
}

fn tab() -> access::ListEmployeesRequest {
    access::ListEmployeesRequest { parent: "partners/1001".to_owned(), ..Default::default() }
}

async fn list(cluster: &Cluster, request: access::ListEmployeesRequest) -> access::ListEmployeesResponse {
    cluster.access().list_employees(request).await.expect("a page").into_inner()
}

fn addresses(page: &access::ListEmployeesResponse) -> Vec<&str> {
    page.employees.iter().map(|employee| employee.email_address.as_str()).collect()
}

fn get(name: &str) -> access::GetEmployeeRequest {
    access::GetEmployeeRequest { name: name.to_owned() }
}

async fn employee(cluster: &Cluster, name: &str) -> Employee {
    let answer = cluster.access().get_employee(get(name)).await.expect("an employee").into_inner();
    answer.employee.expect("an employee")
}

fn update(name: &str, changed: Employee, paths: &[&str]) -> access::UpdateEmployeeRequest {
    let paths = paths.iter().map(ToString::to_string).collect();
    access::UpdateEmployeeRequest {
        employee: Some(Employee { name: name.to_owned(), ..changed }),
        update_mask: Some(FieldMask { paths }),
        ..Default::default()
    }
}

fn deletion(name: &str) -> access::DeleteEmployeeRequest {
    access::DeleteEmployeeRequest { name: name.to_owned(), ..Default::default() }
}

fn creation(address: &str) -> access::CreateEmployeeRequest {
    let employee =
        Employee { email_address: address.to_owned(), display_name: "Somebody".to_owned(), ..Employee::default() };
    access::CreateEmployeeRequest { parent: "partners/1001".to_owned(), employee: Some(employee), ..Default::default() }
}

fn refusal(status: &Status) -> (Code, String) {
    (status.code(), reason(status))
}

fn missing(permission: &str) -> (Code, String, String) {
    (Code::PermissionDenied, "PERMISSION_MISSING".to_owned(), permission.to_owned())
}

fn refused_permission(status: &Status) -> (Code, String, String) {
    (status.code(), reason(status), metadata(status, "permission"))
}

on_both_databases!(r21_an_address_in_the_domain_is_verified, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    for (address, is_verified) in [("anna@agency.example", true), ("carla@mail.agency.example", false)] {
        let created = cluster.access().create_employee(creation(address)).await.expect("an employee").into_inner();
        let employee = created.employee.expect("an employee");
        assert_eq!((employee.domain_verified, employee.partner_employee), (is_verified, Some(true)), "{address}");
    }
});

on_both_databases!(the_employees_tab_shows_whoever_works_for_the_partner_with_check_mark_role_and_clients, |cluster| {
    let [.., carla] = agency(&cluster).await;
    cluster.partner(1002, &[]).await;
    cluster.employee(1002, "other@elsewhere.example").await;
    for client in [2001, 2002] {
        cluster.client(client, "US").await;
        cluster.user(client, PAUL).await;
    }
    cluster.clock.set(at("2026-01-02"));
    cluster.link(&carla, 2001, "2026-01-01").await;

    let page = list(&cluster, tab()).await;
    let rows: Vec<_> = page
        .employees
        .iter()
        .map(|row| (row.email_address.as_str(), row.domain_verified, row.access_role(), row.client_count))
        .collect();
    assert_eq!(
        rows,
        [
            (CAM, true, AccessRole::ClientAccessManager, 0),
            (CARLA, false, AccessRole::None, 1),
            (PAUL, true, AccessRole::None, 2),
            (SARA, true, AccessRole::SuperAdmin, 0),
        ]
    );
    assert_eq!((page.total_size, page.next_page_token.as_str()), (4, ""));

    let verified = |is_verified| access::ListEmployeesRequest { domain_verified: Some(is_verified), ..tab() };
    let linked = |is_linked| access::ListEmployeesRequest { linked: Some(is_linked), ..tab() };
    let search = |text: &str| access::ListEmployeesRequest { search: text.to_owned(), ..tab() };
    for (request, expected) in [
        (verified(false), &[CARLA][..]),
        (verified(true), &[CAM, PAUL, SARA]),
        (linked(true), &[CARLA, PAUL]),
        (linked(false), &[CAM, SARA]),
        (search("FREELANCE"), &[CARLA]),
        (search("nobody"), &[]),
    ] {
        assert_eq!(addresses(&list(&cluster, request.clone()).await), expected, "{request:?}");
    }
});

on_both_databases!(employees_of_one_address_are_listed_in_the_order_in_which_they_were_there, |cluster| {
    agency(&cluster).await;
    let address = "again@agency.example";
    let mut names = Vec::new();
    for month in 2..8 {
        let again = cluster.employee_since(1001, address, &format!("2025-0{month}-01")).await.expect("an employee");
        cluster.delete_employee(&again, &format!("2025-0{month}-15")).await.expect("deleted");
        names.push(again);
    }
    let request = access::ListEmployeesRequest { search: address.to_owned(), show_deleted: true, ..tab() };
    let listed: Vec<_> = list(&cluster, request).await.employees.into_iter().map(|row| row.name).collect();
    assert_eq!(listed, names);
});

on_both_databases!(the_employees_tab_comes_in_pages_of_one_query, |cluster| {
    agency(&cluster).await;
    let first = access::ListEmployeesRequest { page_size: 3, ..tab() };
    let page = list(&cluster, first.clone()).await;
    assert_eq!((addresses(&page), page.total_size), (vec![CAM, CARLA, PAUL], 4));
    let second = access::ListEmployeesRequest { page_token: page.next_page_token, ..first.clone() };
    let page = list(&cluster, second.clone()).await;
    assert_eq!((addresses(&page), page.next_page_token.as_str()), (vec![SARA], ""));

    let wrong = access::ListEmployeesRequest {
        parent: "clients/1001".to_owned(),
        search: "x".repeat(201),
        page_size: -1,
        ..second
    };
    let refused = cluster.access().list_employees(wrong).await.expect_err("all of it is wrong");
    assert_eq!(fields(&refused), ["parent", "search", "page_size", "page_token"]);
});

on_both_databases!(changing_domains_never_rewrites_who_was_assigned, |cluster| {
    let [_, _, paul, _] = agency(&cluster).await;
    cluster.client(2002, "US").await;
    cluster.user(2002, PAUL).await;
    assert_eq!(employee(&cluster, &paul).await.client_count, 1);
    cluster.clock.set(at("2026-01-02"));
    let partner = access::Partner {
        name: "partners/1001".to_owned(),
        email_domains: vec!["other.example".to_owned()],
        ..Default::default()
    };
    let request = access::UpdatePartnerRequest { partner: Some(partner), ..Default::default() };
    cluster.access().update_partner(by(SARA, request)).await.expect("another domain");
    let after = employee(&cluster, &paul).await;
    assert_eq!((after.domain_verified, after.client_count), (false, 1), "it stops new assignments only (R25)");
});

on_both_databases!(r23_whoever_is_a_user_of_a_client_already_is_assigned_when_created, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.client(2002, "US").await;
    cluster.user(2002, PAUL).await;
    let created = cluster.access().create_employee(creation(PAUL)).await.expect("an employee").into_inner();
    assert_eq!(created.employee.expect("an employee").client_count, 1);
});

on_both_databases!(employees_are_made_changed_and_deleted_by_a_super_admin_of_the_partner, |cluster| {
    let [_, _, paul, _] = agency(&cluster).await;
    let role = Employee { access_role: AccessRole::ClientAccessManager.into(), ..Employee::default() };
    for person in [CAM, PAUL] {
        let refused = cluster.access().create_employee(by(person, creation("new@agency.example"))).await;
        assert_eq!(refused_permission(&refused.expect_err("no right")), missing("MANAGE_PARTNER"), "{person}");
        let refused = cluster.access().update_employee(by(person, update(&paul, role.clone(), &[]))).await;
        assert_eq!(refused_permission(&refused.expect_err("no right")), missing("MANAGE_PARTNER"), "{person}");
        let refused = cluster.access().delete_employee(by(person, deletion(&paul))).await;
        assert_eq!(refused_permission(&refused.expect_err("no right")), missing("MANAGE_PARTNER"), "{person}");
    }
    let refused = cluster.access().create_employee(by(STRANGER, creation("new@agency.example"))).await;
    assert_eq!(refusal(&refused.expect_err("a stranger")), (Code::NotFound, "UNKNOWN_PARTNER".to_owned()));

    cluster.access().create_employee(by(SARA, creation("new@agency.example"))).await.expect("her right");
    cluster.access().update_employee(by(SARA, update(&paul, role, &[]))).await.expect("her right");
    cluster.access().list_employees(by(PAUL, tab())).await.expect("what she gave him");
    cluster.access().delete_employee(by(SARA, deletion(&paul))).await.expect("her right");
    let refused = cluster.access().list_employees(by(PAUL, tab())).await.expect_err("gone");
    assert_eq!(refusal(&refused), (Code::NotFound, "UNKNOWN_PARTNER".to_owned()));
});

on_both_databases!(the_tab_needs_cam_access_and_everybody_sees_their_own_entry, |cluster| {
    let [sara, _, paul, _] = agency(&cluster).await;
    for person in [SARA, CAM] {
        let page = cluster.access().list_employees(by(person, tab())).await.expect("their right").into_inner();
        assert_eq!(page.total_size, 4, "{person}");
        cluster.access().get_employee(by(person, get(&paul))).await.expect("their right");
    }
    let refused = cluster.access().list_employees(by(PAUL, tab())).await.expect_err("no CAM access");
    assert_eq!(refused_permission(&refused), missing("VIEW_CLIENT_ACCESS"));
    let own = cluster.access().get_employee(by(PAUL, get(&paul))).await.expect("his own").into_inner();
    assert_eq!(own.employee.expect("an employee").email_address, PAUL);
    let nobody = "partners/1001/employees/0190a0b0-0000-7000-8000-000000000001";
    for other in [sara.as_str(), nobody] {
        let refused = cluster.access().get_employee(by(PAUL, get(other))).await.expect_err("no CAM access");
        assert_eq!(refused_permission(&refused), missing("VIEW_CLIENT_ACCESS"), "whether or not there is one");
    }
    for request in [by(STRANGER, get(&paul)), by(STRANGER, get(nobody))] {
        let refused = cluster.access().get_employee(request).await.expect_err("a stranger");
        assert_eq!(refusal(&refused), (Code::NotFound, "UNKNOWN_PARTNER".to_owned()));
        assert_eq!(refused.message(), "partner 1001 is not known");
    }
    let refused = cluster.access().get_employee(by(SARA, get(nobody))).await.expect_err("nobody");
    assert_eq!(refusal(&refused), (Code::NotFound, "UNKNOWN_EMPLOYEE".to_owned()));
    let elsewhere = paul.replace("partners/1001", "partners/1002");
    cluster.partner(1002, &[]).await;
    let refused = cluster.access().get_employee(get(&elsewhere)).await.expect_err("of another partner");
    assert_eq!(refusal(&refused), (Code::NotFound, "UNKNOWN_EMPLOYEE".to_owned()));
});

on_both_databases!(an_update_changes_name_flag_and_role_and_never_the_address, |cluster| {
    let [_, _, paul, _] = agency(&cluster).await;
    let before = employee(&cluster, &paul).await;
    let changed = Employee {
        display_name: "Paul P.".to_owned(),
        partner_employee: Some(false),
        access_role: AccessRole::SuperAdmin.into(),
        ..Employee::default()
    };
    let named = update(&paul, changed.clone(), &["display_name", "partner_employee"]);
    let answer = cluster.access().update_employee(named).await.expect("an update").into_inner();
    let after = answer.employee.expect("an employee");
    assert_eq!((after.display_name.as_str(), after.partner_employee), ("Paul P.", Some(false)));
    assert_eq!((after.access_role(), after.email_address.as_str()), (AccessRole::None, PAUL));
    assert_ne!(after.etag, before.etag);
    let same = Employee { partner_employee: Some(false), ..Employee::default() };
    let again = cluster.access().update_employee(update(&paul, same, &[])).await.expect("a repeat").into_inner();
    assert_eq!((again.employee, again.revision), (Some(after), answer.revision), "nothing was recorded");

    let stale = Employee { etag: before.etag, ..changed.clone() };
    let refused = cluster.access().update_employee(update(&paul, stale, &[])).await.expect_err("stale");
    assert_eq!(refusal(&refused), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    let refused = cluster.access().update_employee(update(&paul, changed, &["email_address"])).await;
    assert_eq!(fields(&refused.expect_err("never")), ["update_mask.paths[0]"]);
    let wrong = Employee { access_role: 9, ..Employee::default() };
    let refused = cluster.access().update_employee(update("employees/1", wrong, &["*"])).await;
    assert_eq!(
        fields(&refused.expect_err("all of it is wrong")),
        ["employee.name", "employee.display_name", "employee.access_role"]
    );
});

on_both_databases!(r22_an_earlier_update_leaves_what_it_does_not_name_as_it_was_then, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    let paul = cluster.employee(1001, PAUL).await;
    let dated = |changed: Employee, when: &str| access::UpdateEmployeeRequest {
        effective_time: Some(stamp(when)),
        ..update(&paul, changed, &[])
    };
    let unflagged = Employee { partner_employee: Some(false), ..Employee::default() };
    cluster.access().update_employee(dated(unflagged, "2025-06-01")).await.expect("an update");
    let role = Employee { access_role: AccessRole::SuperAdmin.into(), ..Employee::default() };
    let answer = cluster.access().update_employee(dated(role, "2025-03-01")).await.expect("an update").into_inner();
    cluster.note(&answer.revision);
    assert_eq!(answer.employee.expect("an employee").partner_employee, Some(false));
    // The flag of March is the one of January: what was done in April is an employee's.
    cluster.client(2002, "US").await;
    cluster.user(2002, PAUL).await;
    let verdict = cluster.work(2002, "a1", PAUL, "2025-04-01", "blog/publish").await;
    assert_eq!(verdict.outcome(), contracts::wire::activity::VerdictOutcome::Counted);
    let verdict = cluster.work(2002, "a2", PAUL, "2025-06-02", "blog/publish").await;
    assert_eq!(verdict.reason(), contracts::wire::activity::NotCountedReason::NotPartnerEmployee);

    let refused = cluster.access().update_employee(dated(Employee::default(), "2025-01-01")).await;
    assert_eq!(fields(&refused.expect_err("nothing to change")), ["update_mask"]);
    let name = Employee { display_name: "Paul".to_owned(), ..Employee::default() };
    let refused = cluster.access().update_employee(dated(name, "2023-01-01")).await.expect_err("not there yet");
    assert_eq!(refusal(&refused), (Code::NotFound, "UNKNOWN_EMPLOYEE".to_owned()));
});

on_both_databases!(r75_a_deleted_employee_loses_its_assignments_and_its_users_stay, |cluster| {
    let [_, _, paul, _] = agency(&cluster).await;
    cluster.client(2002, "US").await;
    cluster.user(2002, PAUL).await;
    cluster.clock.set(at("2026-01-02"));
    let etag = employee(&cluster, &paul).await.etag;
    let stale = access::DeleteEmployeeRequest { etag: format!("{etag}0"), ..deletion(&paul) };
    let refused = cluster.access().delete_employee(stale).await.expect_err("stale");
    assert_eq!(refusal(&refused), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    let request = access::DeleteEmployeeRequest { etag, ..deletion(&paul) };
    let deleted = cluster.access().delete_employee(request).await.expect("a deletion").into_inner();
    let deleted = deleted.employee.expect("an employee");
    assert_eq!((deleted.delete_time, deleted.client_count), (Some(stamp("2026-01-02")), 0));
    assert_eq!(employee(&cluster, &paul).await, deleted);

    let again = cluster.access().delete_employee(deletion(&paul)).await.expect_err("gone");
    assert_eq!(refusal(&again), (Code::NotFound, "UNKNOWN_EMPLOYEE".to_owned()));
    assert_eq!(addresses(&list(&cluster, tab()).await), [CAM, CARLA, SARA]);
    let new = cluster.employee_with(1001, PAUL, AccessRole::None).await;
    assert_ne!(new, paul, "created again is another employee (R25)");
    let page = list(&cluster, access::ListEmployeesRequest { show_deleted: true, ..tab() }).await;
    assert_eq!(addresses(&page), [CAM, CARLA, PAUL, PAUL, SARA]);
    let counts: Vec<_> = page.employees[2..4].iter().map(|row| (row.name.as_str(), row.client_count)).collect();
    assert_eq!(counts, [(paul.as_str(), 0), (new.as_str(), 1)], "its user is there still");
});

on_both_databases!(r22_an_employee_is_not_deleted_before_what_it_did, |cluster| {
    cluster.partner(1001, &[]).await;
    let carla = cluster.employee(1001, CARLA).await;
    cluster.client(2002, "US").await;
    cluster.link(&carla, 2002, "2025-06-01").await;
    let dated = |when: &str| access::DeleteEmployeeRequest { effective_time: Some(stamp(when)), ..deletion(&carla) };
    let refused = cluster.access().delete_employee(dated("2025-03-01")).await.expect_err("linked later");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "ILLEGAL_SEQUENCE".to_owned()));
    cluster.access().delete_employee(dated("2025-07-01")).await.expect("after it");
});
