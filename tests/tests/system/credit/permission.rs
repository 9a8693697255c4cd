//! Who may write and read: the platform everything, people the credit of a partner whose permission they have.

use contracts::wire::access::AccessRole;
use contracts::wire::activity::VerdictOutcome;
use contracts::wire::credit;
use system_tests::{Cluster, by, metadata, on_both_databases, reason};
use tonic::{Code, Status};

use super::{agency, amount, anna_works, clients};

const ANNA: &str = "anna@agency.example";
const ADMIN: &str = "admin@agency.example";

/// What each read of a partner's credit says of a client to an actor who knows all that was written: the row, the number
/// of rows of the breakdown, and the whole explanation as text.
async fn read(cluster: &Cluster, actor: &str, partner: i64, client: i64) -> [Result<String, Status>; 3] {
    let (partner, client) = (format!("partners/{partner}"), format!("clients/{client}"));
    let at_least_revisions = cluster.known_revisions();
    let row = credit::GetManagedCreditRequest {
        partner: partner.clone(),
        client: client.clone(),
        at_least_revisions: at_least_revisions.clone(),
        as_of_time: None,
    };
    let list = credit::ListManagedCreditsRequest {
        parent: partner.clone(),
        at_least_revisions: at_least_revisions.clone(),
        ..Default::default()
    };
    let why = credit::ExplainCreditRequest { partner, client, at_least_revisions, as_of_time: None };
    let row = cluster.credit().get_managed_credit(by(actor, row)).await;
    let list = cluster.credit().list_managed_credits(by(actor, list)).await;
    let why = cluster.credit().explain_credit(by(actor, why)).await;
    [
        row.map(|row| amount(row.into_inner().managed_credit.expect("a row").credit.as_ref())),
        list.map(|page| format!("{:?}", clients(page.get_ref()))),
        why.map(|why| format!("{:?}", why.into_inner().explanation.expect("an explanation"))),
    ]
}

/// Code, reason and text, without the number of what was asked about.
fn refusal(outcome: &Result<String, Status>, number: i64) -> (Code, String, String) {
    let refused = outcome.as_ref().expect_err("refused");
    (refused.code(), reason(refused), refused.message().replace(&number.to_string(), "N"))
}

on_both_databases!(people_read_the_credit_of_the_partner_whose_permission_they_have, |cluster| {
    agency(&cluster, &[2002]).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    anna_works(&cluster, 2002, "a", "2025-12-20").await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    cluster.employee_with(1001, "cam@agency.example", AccessRole::ClientAccessManager).await;
    cluster.partner(1002, &["studio.example"]).await;
    cluster.employee_with(1002, "bea@studio.example", AccessRole::SuperAdmin).await;
    cluster.user(2002, "boss@client.example").await;
    let [row, list, why] = read(&cluster, "platform", 1001, 2002).await;
    let expected = [row.expect("a row"), list.expect("rows"), why.expect("an explanation")];
    assert_eq!(expected[..2], ["1000.00 USD", "[2002]"]);
    for allowed in [ADMIN, "CAM@Agency.Example"] {
        assert_eq!(read(&cluster, allowed, 1001, 2002).await.map(|answer| answer.expect("an answer")), expected);
    }
    for outcome in read(&cluster, ANNA, 1001, 2002).await {
        let missing = outcome.expect_err("no permission");
        assert_eq!((missing.code(), reason(&missing).as_str()), (Code::PermissionDenied, "PERMISSION_MISSING"));
        assert_eq!(metadata(&missing, "permission"), "VIEW_CREDIT");
    }
    for stranger in ["bea@studio.example", "boss@client.example", "nobody@nowhere.example"] {
        let hidden = read(&cluster, stranger, 1001, 2002).await;
        let absent = read(&cluster, stranger, 1999, 2002).await;
        for (hidden, absent) in hidden.iter().zip(&absent) {
            assert_eq!(refusal(hidden, 1001), refusal(absent, 1999), "{stranger}");
            assert_eq!(refusal(hidden, 1001).1, "UNKNOWN_PARTNER", "{stranger}");
        }
    }
});

on_both_databases!(r127_a_client_with_which_the_partner_has_nothing_to_do_does_not_exist_for_its_people, |cluster| {
    agency(&cluster, &[2002]).await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    cluster.client(2003, "US").await;
    cluster.subscription(2003, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    // R79: of this one only what it pays is known.
    cluster.subscription(2004, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    let [absent_row, _, absent_why] = read(&cluster, ADMIN, 1001, 2999).await;
    for hidden in [2003, 2004] {
        let [row, list, why] = read(&cluster, ADMIN, 1001, hidden).await;
        assert_eq!(refusal(&row, hidden), refusal(&absent_row, 2999));
        assert_eq!(refusal(&why, hidden), refusal(&absent_why, 2999));
        assert_eq!(refusal(&row, hidden).1, "UNKNOWN_CLIENT");
        assert_eq!(list.expect("rows"), "[2002]");
        let [row, ..] = read(&cluster, "platform", 1001, hidden).await;
        assert_eq!(row.expect("the platform sees it"), "0.00 USD");
    }
    // What the platform introduced may be linked, and so be seen (R26).
    let introduction = contracts::wire::access::IntroduceClientRequest {
        client: "clients/2003".to_owned(),
        partner: "partners/1001".to_owned(),
        ..Default::default()
    };
    let introduced = cluster.access().introduce_client(introduction).await.expect("an introduction");
    cluster.note(&introduced.get_ref().revision);
    let [row, ..] = read(&cluster, ADMIN, 1001, 2003).await;
    assert_eq!(row.expect("a row"), "0.00 USD");
});

on_both_databases!(a_permission_is_judged_by_what_the_read_must_know, |cluster| {
    agency(&cluster, &[2002]).await;
    let admin = cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    for outcome in read(&cluster, ADMIN, 1001, 2002).await {
        outcome.expect("given before it was asked");
    }
    cluster.delete_employee(&admin, "2026-01-01").await.expect("deleted");
    for outcome in read(&cluster, ADMIN, 1001, 2002).await {
        assert_eq!(refusal(&outcome, 1001).1, "UNKNOWN_PARTNER", "taken before it was asked");
    }
});

on_both_databases!(only_the_platform_says_what_clients_pay, |cluster| {
    agency(&cluster, &[2002]).await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    let subscription = credit::Subscription {
        name: "clients/2002/subscriptions/main".to_owned(),
        mrr: Some(credit::Money { currency_code: "USD".to_owned(), amount: "1.00".to_owned() }),
        ..Default::default()
    };
    let create = credit::CreateSubscriptionRequest {
        parent: "clients/2002".to_owned(),
        subscription_id: "main".to_owned(),
        subscription: Some(subscription.clone()),
        ..Default::default()
    };
    let update = credit::UpdateSubscriptionRequest { subscription: Some(subscription), ..Default::default() };
    let refused = cluster.credit().create_subscription(by(ADMIN, create)).await.expect_err("a person");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED"));
    let refused = cluster.credit().update_subscription(by(ADMIN, update)).await.expect_err("a person");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED"));
});

on_both_databases!(r127_evidence_names_nobody_who_is_not_of_the_askers_partner, |cluster| {
    agency(&cluster, &[2002]).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    cluster.partner(1002, &["studio.example"]).await;
    cluster.employee(1002, "bea@studio.example").await;
    cluster.user(2002, "bea@studio.example").await;
    cluster.user(2002, "boss@client.example").await;
    // Carla is of both partners, and this work is the other one's.
    let carla = cluster.employee(1002, "carla@freemail.example").await;
    cluster.employee_since(1001, "carla@freemail.example", "2025-12-28").await.expect("an employee");
    cluster.user(2002, "carla@freemail.example").await;
    cluster.link(&carla, 2002, "2024-01-01").await;
    anna_works(&cluster, 2002, "a", "2025-12-20").await;
    for (id, address, action) in [
        ("b", "bea@studio.example", "form/edit"),
        ("c", "bea@studio.example", "account/login"),
        ("d", "boss@client.example", "form/edit"),
        ("e", "carla@freemail.example", "list/edit"),
    ] {
        cluster.work(2002, id, address, "2025-12-21", action).await;
    }
    assert_eq!(
        cluster.work(2002, "f", "carla@freemail.example", "2025-12-22", "list/create").await.outcome(),
        VerdictOutcome::Counted
    );
    let [row, _, why] = read(&cluster, ADMIN, 1001, 2002).await;
    assert_eq!(row.expect("a row"), "500.00 USD");
    let why = why.expect("an explanation");
    assert!(why.contains("blog publish by anna") && why.contains("carla"), "its own people: {why}");
    for foreign in ["bea", "boss", "1002", "studio", "list edit", "list create", "form edit"] {
        assert!(!why.contains(foreign), "{foreign} in {why}");
    }
    let request = contracts::wire::activity::GetServicingRequest {
        partner: "partners/1001".to_owned(),
        client: "clients/2002".to_owned(),
        at_least_revisions: cluster.known_revisions(),
        ..Default::default()
    };
    let evidence = cluster.activity().get_servicing(by(ADMIN, request)).await.expect("evidence").into_inner();
    let evidence = format!("{evidence:?}");
    assert!(evidence.contains(ANNA), "{evidence}");
    for foreign in ["bea", "boss", "carla", "1002"] {
        assert!(!evidence.contains(foreign), "{foreign} in {evidence}");
    }
});
