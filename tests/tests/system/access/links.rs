//! Assignments by hand: link, unlink.

use contracts::wire::access::link_client_result::Outcome;
use contracts::wire::access::{self, AssignmentOrigin, AssignmentState};
use system_tests::{fields, on_both_databases, reason, stamp};
use tonic::Code;

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
        ..Default::default()
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
        ..Default::default()
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
        ..Default::default()
    };
    let refused = cluster.access().batch_link_clients(request).await.expect_err("no name is right");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_FIELDS"));
    let reported = fields(&refused);
    assert_eq!(reported[..2], ["clients[0]", "clients[1]"]);
    assert!(refused.message().ends_with(&format!("; and {} more", 1_000 - reported.len())), "{}", refused.message());
});
