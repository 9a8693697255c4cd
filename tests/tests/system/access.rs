//! access-management through gRPC.

use contracts::wire::access::link_client_result::Outcome;
use contracts::wire::access::{self, AssignmentOrigin, AssignmentState};
use domain::time::Instant;
use system_tests::{Cluster, at, fields, metadata, on_both_databases, reason, stamp};
use tonic::{Code, Request};
use tonic_types::RpcStatusExt as _;

on_both_databases!(everything_that_is_wrong_with_a_request_is_reported_at_once, |cluster| {
    let partner = access::Partner {
        display_name: " ".to_owned(),
        country_code: "it".to_owned(),
        email_domains: vec!["agency.example".to_owned(), "co.uk".to_owned()],
        ..access::Partner::default()
    };
    let year_10000 = prost_types::Timestamp { seconds: 253_402_300_800, nanos: 0 };
    let request = access::CreatePartnerRequest { hub_id: 0, partner: Some(partner), effective_time: Some(year_10000) };
    let refused = cluster.access().create_partner(request).await.expect_err("all of it is wrong");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_FIELDS"));
    assert_eq!(
        fields(&refused),
        ["effective_time", "hub_id", "partner.display_name", "partner.country_code", "partner.email_domains[1]"]
    );
});

on_both_databases!(r37_a_domain_belongs_to_one_partner_and_to_no_shared_provider, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    let taken = cluster.partner_since(1002, &["Agency.Example"], "2024-01-01").await.expect_err("taken");
    assert_eq!((taken.code(), reason(&taken).as_str()), (Code::FailedPrecondition, "EMAIL_DOMAIN_TAKEN"));
    assert!(!taken.message().contains("1001"), "who holds a domain is nobody else's business: {}", taken.message());
    let shared = cluster.partner_since(1002, &["gmail.com"], "2024-01-01").await.expect_err("shared");
    assert_eq!(reason(&shared), "SHARED_MAIL_PROVIDER");
    cluster.partner(1002, &[]).await;
    let foreign = cluster.employee_since(1002, "anna@agency.example", "2024-01-01").await.expect_err("foreign");
    assert_eq!(reason(&foreign), "ADDRESS_IN_FOREIGN_DOMAIN");
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

on_both_databases!(r21_an_address_in_the_domain_is_verified, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    for (address, is_verified) in [("anna@agency.example", true), ("carla@mail.agency.example", false)] {
        let employee = access::Employee {
            email_address: address.to_owned(),
            display_name: "Anna".to_owned(),
            ..access::Employee::default()
        };
        let request = access::CreateEmployeeRequest {
            parent: "partners/1001".to_owned(),
            employee: Some(employee),
            effective_time: None,
        };
        let created = cluster.access().create_employee(request).await.expect("an employee").into_inner();
        let employee = created.employee.expect("an employee");
        assert_eq!((employee.domain_verified, employee.partner_employee), (is_verified, Some(true)), "{address}");
    }
});

on_both_databases!(r39_a_removed_user_cannot_be_removed_again, |cluster| {
    cluster.client(2002, "US").await;
    let name = cluster.user(2002, "anna@agency.example").await;
    cluster.remove(&name, "2025-01-01").await.expect("a removal");
    let again = cluster.remove(&name, "2025-01-02").await.expect_err("removed already");
    assert_eq!((again.code(), reason(&again).as_str()), (Code::FailedPrecondition, "ILLEGAL_TRANSITION"));
    assert_eq!(metadata(&again, "state"), "removed");
    let nobody = "clients/2002/users/0190a0b0-0000-7000-8000-000000000001";
    let unknown = cluster.remove(nobody, "2025-01-02").await.expect_err("nobody");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_CLIENT_USER"));
    // Added again is another user.
    let again = cluster.user_since(2002, "anna@agency.example", "2025-02-01").await.expect("a new user");
    assert_ne!(again, name);
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

on_both_databases!(r24_each_client_of_a_batch_of_links_has_a_result_of_its_own, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    let carla = cluster.employee(1001, "carla@freemail.example").await;
    for client in [2001, 2002, 2003] {
        cluster.client(client, "US").await;
    }
    cluster.user(2002, "carla@freemail.example").await;
    cluster.link(&carla, 2003, "2024-06-01").await;
    let request = access::BatchLinkClientsRequest {
        employee: carla,
        clients: ["clients/2003", "clients/2001", "clients/9999", "clients/2002"].map(str::to_owned).to_vec(),
        effective_time: Some(stamp("2025-01-01")),
    };
    let answer = cluster.access().batch_link_clients(request).await.expect("results").into_inner();
    let outcomes: Vec<String> = answer
        .results
        .into_iter()
        .map(|result| match result.outcome.expect("an outcome") {
            Outcome::Assignment(assignment) => {
                assert_eq!(assignment.origin(), AssignmentOrigin::ByHand);
                assert_eq!(assignment.start_time, Some(stamp("2025-01-01")));
                format!("{} {:?}", result.client, assignment.state())
            }
            Outcome::Error(status) => format!("{} {:?}", result.client, Code::from(status.code)),
        })
        .collect();
    let pending = AssignmentState::PendingUser;
    let effective = AssignmentState::Effective;
    assert_eq!(
        outcomes,
        [
            "clients/2003 AlreadyExists".to_owned(),
            format!("clients/2001 {pending:?}"),
            "clients/9999 NotFound".to_owned(),
            format!("clients/2002 {effective:?}"),
        ]
    );
});

on_both_databases!(a_batch_of_links_over_its_limits_is_refused_whole, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    let anna = cluster.employee(1001, "anna@agency.example").await;
    let asked = |clients: Vec<String>| access::BatchLinkClientsRequest {
        employee: anna.clone(),
        clients,
        effective_time: None,
    };
    let too_many = (1..=1_001).map(|id| format!("clients/{id}")).collect();
    for (clients, field) in [
        (Vec::new(), "clients"),
        (too_many, "clients"),
        (vec!["clients/1".to_owned(), "clients/1".to_owned()], "clients[1]"),
        (vec!["partners/1".to_owned()], "clients[0]"),
    ] {
        let refused = cluster.access().batch_link_clients(asked(clients)).await.expect_err("over its limits");
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec![field.to_owned()]));
    }
});

on_both_databases!(of_a_thousand_wrong_names_the_caller_is_told_the_first, |cluster| {
    let request = access::BatchLinkClientsRequest {
        employee: "partners/1001/employees/0190a0b0-0000-7000-8000-000000000001".to_owned(),
        clients: (1..=1_000).map(|id| format!("client/{id}")).collect(),
        effective_time: None,
    };
    let refused = cluster.access().batch_link_clients(request).await.expect_err("no name is right");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_FIELDS"));
    let reported = fields(&refused);
    assert_eq!(reported[..2], ["clients[0]", "clients[1]"]);
    assert!(refused.message().ends_with(&format!("; and {} more", 1_000 - reported.len())), "{}", refused.message());
});

on_both_databases!(people_are_refused_until_their_permissions_are_judged, |cluster| {
    let mut request = Request::new(access::CreateClientRequest::default());
    request.metadata_mut().insert("x-actor", "anna@agency.example".parse().expect("ASCII"));
    let refused = cluster.access().create_client(request).await.expect_err("a person");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED"));
});

/// Reads the access feed from a position until it has caught up.
async fn feed(cluster: &Cluster, after_position: u64, after_chain_hash: Vec<u8>) -> Vec<access::AccessChange> {
    let policy_digest = cluster.policy.digest().to_owned();
    let request = access::WatchAccessRequest { after_position, after_chain_hash, policy_digest };
    let mut stream = cluster.access_feed().watch_access(request).await.expect("a stream").into_inner();
    let mut changes = Vec::new();
    loop {
        let message = stream.message().await.expect("a message").expect("a stream that goes on");
        changes.extend(message.changes);
        if message.caught_up {
            return changes;
        }
    }
}

on_both_databases!(positions_are_gapless_however_many_write_at_once, |cluster| {
    let clients = 60;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let mut access = cluster.access();
        writers.spawn(async move {
            for client in (1..=clients).filter(|client| client % 8 == writer) {
                let stated = access::Client {
                    display_name: format!("Client {client}"),
                    country_code: "US".to_owned(),
                    ..access::Client::default()
                };
                let request =
                    access::CreateClientRequest { hub_id: client, client: Some(stated), effective_time: None };
                access.create_client(request).await.expect("a client");
            }
        });
    }
    writers.join_all().await;
    let changes = feed(&cluster, 0, Vec::new()).await;
    let positions: Vec<u64> = changes.iter().map(|change| change.position).collect();
    assert_eq!(positions, (1..=60).collect::<Vec<u64>>());

    let middle = &changes[29];
    let rest = feed(&cluster, middle.position, middle.chain_hash.clone()).await;
    assert_eq!(rest, changes[30..], "whoever resumes gets exactly what is missing");
});

on_both_databases!(a_cursor_of_another_history_is_refused, |cluster| {
    cluster.client(2002, "US").await;
    for (after_position, after_chain_hash) in [(1, vec![1, 2, 3]), (7, vec![1]), (0, vec![1])] {
        let policy_digest = String::new();
        let request = access::WatchAccessRequest { after_position, after_chain_hash, policy_digest };
        let refused = cluster.access_feed().watch_access(request).await.expect_err("another history");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "FEED_DIVERGED"));
    }
});

on_both_databases!(a_watcher_hears_of_new_changes_without_asking_again, |cluster| {
    let request =
        access::WatchAccessRequest { policy_digest: cluster.policy.digest().to_owned(), ..Default::default() };
    let mut stream = cluster.access_feed().watch_access(request).await.expect("a stream").into_inner();
    let first = stream.message().await.expect("a message").expect("a stream that goes on");
    assert!(first.changes.is_empty() && first.caught_up);
    cluster.client(2002, "US").await;
    let news = stream.message().await.expect("a message").expect("a stream that goes on");
    assert_eq!(news.changes.len(), 1);
});

on_both_databases!(a_change_takes_effect_now_even_if_the_clock_steps_back, |cluster| {
    let create = |hub_id| access::CreateClientRequest {
        hub_id,
        client: Some(access::Client {
            display_name: "Client".to_owned(),
            country_code: "US".to_owned(),
            ..access::Client::default()
        }),
        effective_time: None,
    };
    cluster.clock.set(at("2026-01-02"));
    cluster.access().create_client(create(1)).await.expect("a client");
    cluster.clock.set(at("2026-01-01"));
    let second = cluster.access().create_client(create(2)).await.expect("a client").into_inner();
    let since: Instant =
        contracts::instant(&second.client.and_then(|client| client.start_time).expect("a time")).expect("a time");
    assert_eq!(since, at("2026-01-02"));
});
