//! The Clients tab: where a partner's employees have access, of which kind (R42).

use contracts::wire::access::{self, AccessRole, AccessType, AssignmentOrigin, AssignmentState, ClientOrder};
use system_tests::{Cluster, at, by, fields, metadata, on_both_databases, reason};
use tonic::Code;

const CAM: &str = "cam@agency.example";
const PAUL: &str = "paul@agency.example";
const ANNA: &str = "anna@agency.example";
const CARLA: &str = "carla@freelance.example";

/// Everything but a filter.
const ALL: [AccessType; 5] = [
    AccessType::PartnerAdmin,
    AccessType::SuperAdmin,
    AccessType::Standard,
    AccessType::Deactivated,
    AccessType::LinkedOnly,
];

/// Partner 1001 and its people in four clients:
/// 2001 Anna is Partner admin, Paul works; 2002 Anna is super admin; 2003 Paul is deactivated; 2004 Carla is linked only.
async fn agency(cluster: &Cluster) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee_with(1001, CAM, AccessRole::ClientAccessManager).await;
    cluster.employee_with(1001, PAUL, AccessRole::None).await;
    cluster.employee_with(1001, ANNA, AccessRole::None).await;
    let carla = cluster.employee_with(1001, CARLA, AccessRole::None).await;
    for (client, display_name) in [(2001, "delta"), (2002, "Änder"), (2003, "Beta"), (2004, "Charlie")] {
        let stated = access::Client {
            display_name: display_name.to_owned(),
            country_code: "US".to_owned(),
            ..access::Client::default()
        };
        let request = access::CreateClientRequest { hub_id: client, client: Some(stated), ..Default::default() };
        cluster.access().create_client(request).await.expect("a client");
        cluster.user_with(client, "boss@client.example", "SUPER_ADMIN").await;
    }
    cluster.user_with(2001, ANNA, "PARTNER_ADMIN").await;
    cluster.user_with(2001, PAUL, "STANDARD").await;
    cluster.user_with(2002, ANNA, "SUPER_ADMIN").await;
    let paul = cluster.user_with(2003, PAUL, "STANDARD").await;
    // An instant later, so that he was active, and assigned, before.
    cluster.clock.set(at("2026-01-02"));
    let deactivation = access::DeactivateClientUserRequest { name: paul, ..Default::default() };
    cluster.access().deactivate_client_user(deactivation).await.expect("a deactivation");
    cluster.link(&carla, 2004, "2026-01-01").await;
}

fn tab(access_types: &[AccessType]) -> access::ListClientsRequest {
    access::ListClientsRequest {
        partner: "partners/1001".to_owned(),
        access_types: access_types.iter().map(|access_type| (*access_type).into()).collect(),
        order: ClientOrder::Client.into(),
        ..Default::default()
    }
}

async fn list(cluster: &Cluster, request: access::ListClientsRequest) -> access::ListClientsResponse {
    cluster.access().list_clients(by(CAM, request)).await.expect("a page").into_inner()
}

/// Each row as `2001: anna PartnerAdmin, paul Standard`.
fn rows(page: &access::ListClientsResponse) -> Vec<String> {
    let row = |row: &access::ClientAccess| {
        let client = row.client.as_ref().expect("a client").name.trim_start_matches("clients/");
        let who = |employee: &access::EmployeeAccess| format!("{} {:?}", employee.display_name, employee.access_type());
        format!("{client}: {}", row.employees.iter().map(who).collect::<Vec<_>>().join(", "))
    };
    page.clients.iter().map(row).collect()
}

on_both_databases!(r42_the_tab_shows_the_clients_in_which_employees_have_access_of_the_asked_types, |cluster| {
    agency(&cluster).await;
    let (admin, boss) = ("2001: anna PartnerAdmin", "2002: anna SuperAdmin");
    let (both, deactivated, linked) =
        ("2001: anna PartnerAdmin, paul Standard", "2003: paul Deactivated", "2004: carla LinkedOnly");
    for (access_types, expected) in [
        (&[][..], &[both, boss, deactivated][..]),
        (&ALL, &[both, boss, deactivated, linked]),
        (&[AccessType::PartnerAdmin], &[admin]),
        (&[AccessType::Standard], &["2001: paul Standard"]),
        (&[AccessType::SuperAdmin, AccessType::Deactivated], &[boss, deactivated]),
        (&[AccessType::LinkedOnly], &[linked]),
    ] {
        let page = list(&cluster, tab(access_types)).await;
        assert_eq!(rows(&page), expected, "{access_types:?}");
        assert_eq!(usize::try_from(page.total_size), Ok(expected.len()));
    }
});

on_both_databases!(a_row_tells_the_user_the_permission_set_and_the_assignment, |cluster| {
    agency(&cluster).await;
    let page = list(&cluster, tab(&ALL)).await;
    let paul = &page.clients[2].employees[0];
    assert!(paul.client_user.starts_with("clients/2003/users/"), "{}", paul.client_user);
    assert!(paul.employee.starts_with("partners/1001/employees/"), "{}", paul.employee);
    assert_eq!((paul.email_address.as_str(), paul.permission_set.as_str()), (PAUL, "STANDARD"));
    let assignment = paul.assignment.as_ref().expect("he is assigned");
    assert_eq!((assignment.state(), assignment.origin()), (AssignmentState::Suspended, AssignmentOrigin::Automatic));
    let carla = &page.clients[3].employees[0];
    assert_eq!((carla.client_user.as_str(), carla.permission_set.as_str()), ("", ""));
    let assignment = carla.assignment.as_ref().expect("she is assigned");
    assert_eq!((assignment.state(), assignment.origin()), (AssignmentState::PendingUser, AssignmentOrigin::ByHand));
});

on_both_databases!(the_tab_is_ordered_searched_and_paged, |cluster| {
    agency(&cluster).await;
    let clients = |page: &access::ListClientsResponse| -> Vec<String> {
        rows(page).iter().map(|row| row[..4].to_owned()).collect()
    };
    let ordered =
        |order: ClientOrder, descending| access::ListClientsRequest { order: order.into(), descending, ..tab(&[]) };
    for (order, descending, expected) in [
        (ClientOrder::Unspecified, false, ["2002", "2003", "2001"]),
        (ClientOrder::DisplayName, true, ["2001", "2003", "2002"]),
        (ClientOrder::Client, true, ["2003", "2002", "2001"]),
        (ClientOrder::EmployeeCount, false, ["2002", "2003", "2001"]),
        (ClientOrder::EmployeeCount, true, ["2001", "2003", "2002"]),
    ] {
        let page = list(&cluster, ordered(order, descending)).await;
        assert_eq!(clients(&page), expected, "{order:?} {descending}");
    }
    for (search, expected) in [("ander", "2002"), ("2003", "2003"), ("DELTA", "2001")] {
        let page = list(&cluster, access::ListClientsRequest { search: search.to_owned(), ..tab(&[]) }).await;
        assert_eq!(clients(&page), [expected], "{search}");
    }

    let mut request = access::ListClientsRequest { page_size: 2, ..ordered(ClientOrder::DisplayName, false) };
    let first = list(&cluster, request.clone()).await;
    assert_eq!((clients(&first), first.total_size), (vec!["2002".to_owned(), "2003".to_owned()], 3));
    request.page_token = first.next_page_token;
    let second = list(&cluster, request.clone()).await;
    assert_eq!((clients(&second), second.next_page_token.as_str()), (vec!["2001".to_owned()], ""));

    let wrong = access::ListClientsRequest {
        partner: "1001".to_owned(),
        access_types: vec![1, 0, 9],
        search: "x".repeat(201),
        order: 9,
        page_size: 1_001,
        ..request
    };
    let refused = cluster.access().list_clients(wrong.clone()).await.expect_err("all of it is wrong");
    assert_eq!(
        fields(&refused),
        ["partner", "access_types[1]", "access_types[2]", "search", "order", "page_size", "page_token"]
    );
    let too_many = access::ListClientsRequest { access_types: vec![1; 6], ..tab(&[]) };
    let refused = cluster.access().list_clients(too_many).await.expect_err("more than there are");
    assert_eq!(fields(&refused), ["access_types"]);
});

on_both_databases!(the_tab_needs_cam_access_in_that_partner_account, |cluster| {
    agency(&cluster).await;
    let refused = cluster.access().list_clients(by(ANNA, tab(&[]))).await.expect_err("a Partner admin without CAM");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "PERMISSION_MISSING"));
    assert_eq!(metadata(&refused, "permission"), "VIEW_CLIENT_ACCESS");
    for person in ["boss@client.example", "nobody@a.example"] {
        let refused = cluster.access().list_clients(by(person, tab(&[]))).await.expect_err("a stranger");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "UNKNOWN_PARTNER"), "{person}");
    }
    let unknown = access::ListClientsRequest { partner: "partners/1999".to_owned(), ..tab(&[]) };
    let refused = cluster.access().list_clients(unknown).await.expect_err("no such partner");
    assert_eq!(reason(&refused), "UNKNOWN_PARTNER");
});

on_both_databases!(r71_a_deleted_employee_whose_user_is_there_still_is_seen_so_that_it_can_be_removed, |cluster| {
    agency(&cluster).await;
    cluster.clock.set(at("2026-01-03"));
    let request = access::ListEmployeesRequest {
        parent: "partners/1001".to_owned(),
        search: ANNA.to_owned(),
        ..Default::default()
    };
    let anna = cluster.access().list_employees(request).await.expect("a page").into_inner().employees.remove(0).name;
    let deletion = access::DeleteEmployeeRequest { name: anna.clone(), ..Default::default() };
    cluster.access().delete_employee(deletion).await.expect("a deletion");
    let page = list(&cluster, tab(&[])).await;
    // Nobody is Partner admin who is no employee (R33).
    assert_eq!(rows(&page)[..2], ["2001: anna Standard, paul Standard", "2002: anna SuperAdmin"]);
    assert_eq!(page.clients[0].employees[0].assignment, None);
    assert_eq!(page.clients[0].employees[0].employee, anna);

    let again = cluster.employee_with(1001, ANNA, AccessRole::None).await;
    let page = list(&cluster, tab(&[])).await;
    assert_eq!(rows(&page)[0], "2001: anna PartnerAdmin, paul Standard", "one row a person");
    assert_eq!(page.clients[0].employees[0].employee, again);
});

on_both_databases!(whom_nobody_calls_an_employee_and_closed_clients_are_left_out, |cluster| {
    agency(&cluster).await;
    let employee = access::Employee {
        email_address: "office@agency.example".to_owned(),
        display_name: "office".to_owned(),
        partner_employee: Some(false),
        ..Default::default()
    };
    let request = access::CreateEmployeeRequest {
        parent: "partners/1001".to_owned(),
        employee: Some(employee),
        ..Default::default()
    };
    cluster.access().create_employee(request).await.expect("a user of the partner account");
    cluster.user_with(2002, "office@agency.example", "STANDARD").await;
    let close = access::CloseClientRequest { name: "clients/2001".to_owned(), ..Default::default() };
    cluster.access().close_client(close).await.expect("a closure");
    let page = list(&cluster, tab(&ALL)).await;
    assert_eq!(rows(&page), ["2002: anna SuperAdmin", "2003: paul Deactivated", "2004: carla LinkedOnly"]);
});
