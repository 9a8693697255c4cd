//! access-management through gRPC: what holds for every call; each subject has a file of its own.

mod access_links;
mod assets;
mod audit_log;
mod client_users;
mod clients;
mod clients_tab;
mod employees;
mod feed;
mod links;
mod members;
mod model;
mod partners;
mod procedures;
mod removal;

use contracts::wire::access;
use contracts::wire::access::link_client_result::Outcome;
use system_tests::{by, fields, metadata, on_both_databases, reason};
use tonic::Code;
use tonic_types::RpcStatusExt as _;

on_both_databases!(everything_that_is_wrong_with_a_request_is_reported_at_once, |cluster| {
    let partner = access::Partner {
        display_name: " ".to_owned(),
        country_code: "it".to_owned(),
        email_domains: vec!["agency.example".to_owned(), "co.uk".to_owned()],
        ..access::Partner::default()
    };
    let year_10000 = prost_types::Timestamp { seconds: 253_402_300_800, nanos: 0 };
    let request = access::CreatePartnerRequest {
        hub_id: 0,
        partner: Some(partner),
        effective_time: Some(year_10000),
        ..Default::default()
    };
    let refused = cluster.access().create_partner(request).await.expect_err("all of it is wrong");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_FIELDS"));
    assert_eq!(
        fields(&refused),
        ["effective_time", "hub_id", "partner.display_name", "partner.country_code", "partner.email_domains[1]"]
    );
});

on_both_databases!(a_repeat_is_told_from_other_content, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    let repeat = cluster.partner_since(1001, &["agency.example"], "2024-01-01").await.expect_err("exists");
    assert_eq!((repeat.code(), reason(&repeat).as_str()), (Code::AlreadyExists, "PARTNER_EXISTS"));
    assert_eq!(metadata(&repeat, "differing_fields"), "");
    let other = cluster.partner_since(1001, &["other.example"], "2024-01-01").await.expect_err("exists");
    assert_eq!(metadata(&other, "differing_fields"), "email_domains");

    let name = cluster.employee(1001, "anna@agency.example").await;
    let repeat = cluster.employee_since(1001, "Anna@Agency.Example", "2024-01-01").await.expect_err("exists");
    assert_eq!((reason(&repeat).as_str(), metadata(&repeat, "name")), ("EMPLOYEE_EXISTS", name));

    cluster.client(2002, "US").await;
    let name = cluster.user(2002, "anna@agency.example").await;
    let repeat = cluster.user_since(2002, "anna@agency.example", "2024-01-01").await.expect_err("exists");
    assert_eq!((reason(&repeat).as_str(), metadata(&repeat, "name")), ("CLIENT_USER_EXISTS", name));
});

on_both_databases!(r22_nothing_is_recorded_ahead_of_its_time_or_against_what_came_later, |cluster| {
    let ahead = cluster.client_since(2002, "US", "2026-01-01T00:00:00.000001Z").await.expect_err("ahead");
    assert_eq!((fields(&ahead), ahead.code()), (vec!["effective_time".to_owned()], Code::InvalidArgument));
    cluster.client_since(2002, "US", "2026-01-01").await.expect("now is not ahead");
    cluster.client(2003, "US").await;
    cluster.user_since(2003, "anna@agency.example", "2025-06-01").await.expect("a user");
    let earlier = cluster.user_since(2003, "anna@agency.example", "2025-01-01").await.expect_err("the later one stays");
    assert_eq!((earlier.code(), reason(&earlier).as_str()), (Code::FailedPrecondition, "ILLEGAL_SEQUENCE"));
    let before_the_client =
        cluster.user_since(2003, "bruno@agency.example", "2023-01-01").await.expect_err("too early");
    assert_eq!((before_the_client.code(), reason(&before_the_client).as_str()), (Code::NotFound, "UNKNOWN_CLIENT"));
});

on_both_databases!(r22_what_an_earlier_effective_time_meets_is_told_by_the_reasons_that_each_call_names, |cluster| {
    cluster.partner_since(1001, &["agency.example"], "2025-06-01").await.expect("a partner");
    // R127: whose domain it is from then on is nobody else's business.
    let taken = cluster.partner_since(1002, &["agency.example"], "2025-01-01").await.expect_err("taken later");
    assert_eq!((taken.code(), reason(&taken).as_str()), (Code::FailedPrecondition, "EMAIL_DOMAIN_TAKEN"));
    assert!(!taken.message().contains("1001"), "{}", taken.message());
    assert!(taken.message().contains("2025-06-01T00:00:00Z"), "{}", taken.message());

    cluster.partner(1003, &[]).await;
    let carla = cluster.employee_since(1003, "carla@freemail.example", "2025-06-01").await.expect("an employee");
    let earlier = cluster.employee_since(1003, "carla@freemail.example", "2025-01-01").await.expect_err("there later");
    assert_eq!((earlier.code(), reason(&earlier).as_str()), (Code::FailedPrecondition, "ILLEGAL_SEQUENCE"));

    cluster.client_since(2002, "US", "2025-02-01").await.expect("a client");
    let user = cluster.user_since(2002, "carla@freemail.example", "2025-03-01").await.expect("a user");
    let before_the_client = cluster.remove(&user, "2025-01-01").await.expect_err("no client then");
    assert_eq!((before_the_client.code(), reason(&before_the_client).as_str()), (Code::NotFound, "UNKNOWN_CLIENT"));
    let before_the_user = cluster.remove(&user, "2025-02-15").await.expect_err("no user then");
    assert_eq!(
        (reason(&before_the_user).as_str(), metadata(&before_the_user, "state").as_str()),
        ("ILLEGAL_TRANSITION", "not a user")
    );
    cluster.remove(&user, "2025-08-01").await.expect("a removal");
    let earlier = cluster.remove(&user, "2025-07-01").await.expect_err("removed later");
    assert_eq!(reason(&earlier), "ILLEGAL_SEQUENCE");

    cluster.link(&carla, 2002, "2025-09-01").await;
    for (since, expected) in [
        ("2023-01-01", "UNKNOWN_PARTNER"),
        ("2025-01-15", "UNKNOWN_CLIENT"),
        ("2025-02-15", "UNKNOWN_EMPLOYEE"),
        ("2025-07-01", "ILLEGAL_SEQUENCE"),
        ("2025-10-01", "ALREADY_ASSIGNED"),
    ] {
        let Outcome::Error(error) = cluster.link(&carla, 2002, since).await else { panic!("{since} is refused") };
        assert_eq!(error.get_details_error_info().expect("a reason").reason, expected, "{since}");
    }
});

on_both_databases!(only_the_platform_makes_partners_and_clients_known, |cluster| {
    let client = access::Client {
        display_name: "Client".to_owned(),
        country_code: "US".to_owned(),
        ..access::Client::default()
    };
    let request = access::CreateClientRequest { hub_id: 2002, client: Some(client), ..Default::default() };
    let refused = cluster.access().create_client(by("anna@agency.example", request)).await.expect_err("a person");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED"));
});
