//! Assignments by hand: link, unlink.

use contracts::wire::access::link_client_result::Outcome;
use contracts::wire::access::{self, AccessRole, AssignmentOrigin, AssignmentState};
use system_tests::{Cluster, at, by, fields, on_both_databases, reason, stamp};
use tonic::{Code, Status};
use tonic_types::RpcStatusExt as _;

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

const CAM: &str = "cam@agency.example";

/// An agency with a Client Access Manager; Anna's address is of its domain, Carla's is not.
async fn found(cluster: &Cluster) -> (String, String) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee_with(1001, CAM, AccessRole::ClientAccessManager).await;
    for client in [2001, 2002, 2003] {
        cluster.client(client, "US").await;
    }
    (cluster.employee(1001, "anna@agency.example").await, cluster.employee(1001, "carla@freemail.example").await)
}

/// Links as a person; answers with the reason or the state of each.
async fn link_as(cluster: &Cluster, actor: &str, employee: &str, clients: &[&str]) -> Result<Vec<String>, Status> {
    let request = access::BatchLinkClientsRequest {
        employee: employee.to_owned(),
        clients: clients.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    let answer = cluster.access().batch_link_clients(by(actor, request)).await?.into_inner();
    let word = |outcome| match outcome {
        Some(Outcome::Assignment(assignment)) => format!("{:?}", assignment.state()),
        Some(Outcome::Error(error)) => error.get_details_error_info().expect("a reason").reason,
        None => panic!("no outcome"),
    };
    Ok(answer.results.into_iter().map(|result| word(result.outcome)).collect())
}

async fn unlink(cluster: &Cluster, actor: &str, employee: &str, client: &str) -> Result<access::Assignment, Status> {
    let request =
        access::UnlinkClientRequest { employee: employee.to_owned(), client: client.to_owned(), ..Default::default() };
    let answer = cluster.access().unlink_client(by(actor, request)).await?.into_inner();
    Ok(answer.assignment.expect("an assignment"))
}

on_both_databases!(r26_a_partner_links_the_clients_that_exist_for_it, |cluster| {
    let (anna, carla) = found(&cluster).await;
    // A colleague is a user of one, and was of another; the third and the one that does not exist are told alike.
    cluster.user(2001, "anna@agency.example").await;
    let was_there = cluster.user(2002, "anna@agency.example").await;
    cluster.remove(&was_there, "2025-01-01").await.expect("a removal");
    let clients = ["clients/2001", "clients/2002", "clients/2003", "clients/9999"];
    let outcomes = link_as(&cluster, CAM, &carla, &clients).await.expect("results");
    assert_eq!(outcomes, ["PendingUser", "PendingUser", "UNKNOWN_CLIENT", "UNKNOWN_CLIENT"]);
    let request = |client: &str| access::BatchLinkClientsRequest {
        employee: anna.clone(),
        clients: vec![client.to_owned()],
        ..Default::default()
    };
    let mut messages = Vec::new();
    for client in ["clients/2003", "clients/9999"] {
        let answer = cluster.access().batch_link_clients(by(CAM, request(client))).await.expect("a result");
        let Some(Outcome::Error(error)) = answer.into_inner().results.remove(0).outcome else { panic!("{client}") };
        messages.push(error.message.replace(&client["clients/".len()..], ""));
        let refused = unlink(&cluster, CAM, &anna, client).await.expect_err("does not exist");
        assert_eq!(reason(&refused), "UNKNOWN_CLIENT", "{client}");
    }
    assert_eq!(messages[0], messages[1]);
    let introduction = access::IntroduceClientRequest {
        client: "clients/2003".to_owned(),
        partner: "partners/1001".to_owned(),
        ..Default::default()
    };
    cluster.access().introduce_client(introduction).await.expect("an introduction");
    assert_eq!(link_as(&cluster, CAM, &carla, &["clients/2003"]).await.expect("a result"), ["PendingUser"]);
});

on_both_databases!(r27_r29_who_has_cam_access_links_and_unlinks, |cluster| {
    let (anna, carla) = found(&cluster).await;
    cluster.user_with(2001, "anna@agency.example", "PARTNER_ADMIN").await;
    cluster.user_with(2001, "boss@client.example", "SUPER_ADMIN").await;
    for (actor, refused) in [
        // Partner admin there, and plain in the partner account.
        ("anna@agency.example", "PERMISSION_MISSING"),
        ("carla@freemail.example", "PERMISSION_MISSING"),
        ("boss@client.example", "UNKNOWN_PARTNER"),
        ("stranger@nowhere.example", "UNKNOWN_PARTNER"),
    ] {
        let outcome = link_as(&cluster, actor, &carla, &["clients/2001"]).await.expect_err("refused");
        assert_eq!(reason(&outcome), refused, "{actor}");
        let outcome = unlink(&cluster, actor, &anna, "clients/2001").await.expect_err("refused");
        assert_eq!(reason(&outcome), refused, "{actor}");
    }
    let unknown = "partners/1001/employees/0190a0b0-0000-7000-8000-000000000001";
    let outcome = unlink(&cluster, CAM, unknown, "clients/2001").await.expect_err("nobody");
    assert_eq!(reason(&outcome), "UNKNOWN_EMPLOYEE");
});

on_both_databases!(r25_what_is_unlinked_stays_so_until_it_is_linked_again, |cluster| {
    let (anna, carla) = found(&cluster).await;
    let user = cluster.user(2001, "anna@agency.example").await;
    cluster.clock.set(at("2026-01-02"));
    let ended = unlink(&cluster, CAM, &anna, "clients/2001").await.expect("an assignment");
    assert_eq!(
        (ended.state(), ended.origin(), ended.start_time),
        (AssignmentState::Ended, AssignmentOrigin::Automatic, Some(stamp("2026-01-02")))
    );
    let again = unlink(&cluster, CAM, &anna, "clients/2001").await.expect_err("nothing to unlink");
    assert_eq!((again.code(), reason(&again).as_str()), (Code::FailedPrecondition, "NOT_ASSIGNED"));
    // Removed and added again: stays unlinked.
    cluster.remove(&user, "2026-01-02").await.expect("a removal");
    cluster.user_since(2001, "anna@agency.example", "2026-01-02").await.expect("a user");
    let still = unlink(&cluster, CAM, &anna, "clients/2001").await.expect_err("stays unlinked");
    assert_eq!(reason(&still), "NOT_ASSIGNED");

    assert_eq!(link_as(&cluster, CAM, &anna, &["clients/2001"]).await.expect("a result"), ["Effective"]);
    let ended = unlink(&cluster, CAM, &anna, "clients/2001").await.expect("an assignment");
    assert_eq!((ended.state(), ended.origin()), (AssignmentState::Ended, AssignmentOrigin::ByHand));

    let never = unlink(&cluster, "platform", &carla, "clients/2003").await.expect_err("never linked");
    assert_eq!(reason(&never), "NOT_ASSIGNED");
});
