//! The manual's procedures, step by step, by the people who do them, and what each does to the credit.

use contracts::wire::access::{self, AccessType, AssignmentOrigin, AssignmentState, Notice};
use contracts::wire::credit::{GetManagedCreditRequest, ManagedCredit, NoCreditReason};
use system_tests::{Cluster, at, by, metadata, on_both_databases, reason, stamp};
use tonic::{Code, Status};
use tonic_types::RpcStatusExt as _;

/// Super admin of the partner account.
const SARA: &str = "sara@agency.example";
/// Has the Client Access Manager permission.
const CAM: &str = "cam@agency.example";
/// An employee with the partner's domain.
const ANNA: &str = "anna@agency.example";
/// An employee without it.
const CARLA: &str = "carla@freelance.example";
/// Super admin of the client account.
const BOSS: &str = "boss@client.example";

const PARTNER: &str = "partners/1001";
const CLIENT: &str = "clients/2002";

/// The programme before the agency does anything: partner, client with its super admin, and what the client pays.
async fn programme(cluster: &Cluster) {
    cluster.clock.set(at("2026-01-02T08:00:00Z"));
    cluster.partner(1001, &["agency.example"]).await;
    cluster.client(2002, "US").await;
    cluster.subscription(2002, "main", "1000.00 USD", "2025-01-01").await.expect("a subscription");
    let boss = access::ClientUser {
        email_address: BOSS.to_owned(),
        display_name: "Boss".to_owned(),
        permission_set: "SUPER_ADMIN".to_owned(),
        ..Default::default()
    };
    let boss =
        access::CreateClientUserRequest { parent: CLIENT.to_owned(), client_user: Some(boss), ..Default::default() };
    cluster.access().create_client_user(boss).await.expect("the client's super admin");
    employ(cluster, None, SARA, access::AccessRole::SuperAdmin).await;
}

/// The manual's "create the user in the partner account": by a person, or by the platform.
async fn employ(cluster: &Cluster, actor: Option<&str>, address: &str, role: access::AccessRole) -> access::Employee {
    let employee = access::Employee {
        email_address: address.to_owned(),
        display_name: address.split('@').next().unwrap_or_default().to_owned(),
        access_role: role.into(),
        ..Default::default()
    };
    let request =
        access::CreateEmployeeRequest { parent: PARTNER.to_owned(), employee: Some(employee), ..Default::default() };
    let request = by(actor.unwrap_or("platform"), request);
    let created = cluster.access().create_employee(request).await.expect("an employee").into_inner();
    cluster.note(&created.revision);
    created.employee.expect("an employee")
}

async fn credit(cluster: &Cluster, as_of: &str) -> ManagedCredit {
    cluster.managed_credit(1001, 2002, as_of).await.expect("a row")
}

async fn amount(cluster: &Cluster, as_of: &str) -> String {
    credit(cluster, as_of).await.credit.map(|money| money.amount).unwrap_or_default()
}

async fn link(cluster: &Cluster, actor: &str, employee: &str) -> Result<access::Assignment, String> {
    let request = access::BatchLinkClientsRequest {
        employee: employee.to_owned(),
        clients: vec![CLIENT.to_owned()],
        ..Default::default()
    };
    let linked = cluster.access().batch_link_clients(by(actor, request)).await.map_err(|status| reason(&status))?;
    cluster.note(&linked.get_ref().revision);
    match linked.into_inner().results.remove(0).outcome.expect("an outcome") {
        access::link_client_result::Outcome::Assignment(assignment) => Ok(assignment),
        access::link_client_result::Outcome::Error(error) => {
            Err(error.get_details_error_info().expect("a reason").reason)
        }
    }
}

/// An access link of an employee, made by the Client Access Manager, and approved by the client's super admin.
async fn invite(cluster: &Cluster, employee: &str) -> access::ApproveAccessLinkResponse {
    let request = access::CreateAccessLinkRequest { parent: employee.to_owned(), ..Default::default() };
    let token = cluster.access().create_access_link(by(CAM, request)).await.expect("a link").into_inner().token;
    let approved = approve(cluster, BOSS, &token).await.expect("an approval");
    cluster.note(&approved.revision);
    let again = approve(cluster, BOSS, &token).await.expect_err("a link works once");
    assert_eq!(reason(&again), "ACCESS_LINK_NOT_OPEN");
    approved
}

async fn approve(cluster: &Cluster, actor: &str, token: &str) -> Result<access::ApproveAccessLinkResponse, Status> {
    let request =
        access::ApproveAccessLinkRequest { client: CLIENT.to_owned(), token: token.to_owned(), ..Default::default() };
    cluster.access().approve_access_link(by(actor, request)).await.map(tonic::Response::into_inner)
}

async fn add(cluster: &Cluster, actor: &str, employee: &str) -> Result<access::ClientUser, Status> {
    let request = access::BatchAddEmployeesRequest {
        client: CLIENT.to_owned(),
        employees: vec![employee.to_owned()],
        permission_set: "STANDARD".to_owned(),
        ..Default::default()
    };
    let added = cluster.access().batch_add_employees(by(actor, request)).await?.into_inner();
    cluster.note(&added.revision);
    match added.results.into_iter().next().and_then(|result| result.outcome).expect("an outcome") {
        access::add_employee_result::Outcome::ClientUser(user) => Ok(user),
        other => panic!("{other:?}"),
    }
}

on_both_databases!(the_manuals_procedures_do_to_the_credit_what_the_manual_says, |cluster| {
    programme(&cluster).await;

    // Create the users in the partner account; who has the domain carries the check mark.
    cluster.clock.set(at("2026-01-02T09:00:00Z"));
    employ(&cluster, Some(SARA), CAM, access::AccessRole::ClientAccessManager).await;
    let anna = employ(&cluster, Some(SARA), ANNA, access::AccessRole::None).await;
    let carla = employ(&cluster, Some(SARA), CARLA, access::AccessRole::None).await;
    assert_eq!((anna.domain_verified, carla.domain_verified), (true, false));

    // Assign: the partner cannot link a client that it has nothing to do with, until the platform introduces it.
    assert_eq!(link(&cluster, CAM, &carla.name).await.expect_err("not its client"), "UNKNOWN_CLIENT");
    let introduced =
        access::IntroduceClientRequest { client: CLIENT.to_owned(), partner: PARTNER.to_owned(), ..Default::default() };
    cluster.access().introduce_client(introduced).await.expect("an introduction");
    assert_eq!(link(&cluster, CARLA, &carla.name).await.expect_err("a plain employee"), "PERMISSION_MISSING");
    let pending = link(&cluster, CAM, &carla.name).await.expect("a link");
    assert_eq!(pending.state(), AssignmentState::PendingUser);

    // Add to the client: by an access link that its super admin approves, then by the Partner admin.
    cluster.clock.set(at("2026-01-02T10:00:00Z"));
    let stranger = approve(&cluster, ANNA, "no token at all").await.expect_err("no user of the client");
    assert_eq!((stranger.code(), reason(&stranger).as_str()), (Code::NotFound, "UNKNOWN_CLIENT"));
    let approved = invite(&cluster, &anna.name).await;
    let anna_there = approved.client_user.expect("a user");
    assert_eq!(anna_there.permission_set, "PARTNER_ADMIN");
    let assigned = approved.assignment.expect("assigned automatically");
    assert_eq!((assigned.state(), assigned.origin()), (AssignmentState::Effective, AssignmentOrigin::Automatic));
    for actor in [SARA, CAM] {
        let refused = add(&cluster, actor, &carla.name).await.expect_err("not Partner admin there");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "PERMISSION_MISSING"));
    }
    let carla_there = add(&cluster, ANNA, &carla.name).await.expect("a user");
    let request = access::ListClientsRequest { partner: PARTNER.to_owned(), ..Default::default() };
    let tab = cluster.access().list_clients(by(CAM, request)).await.expect("the Clients tab").into_inner();
    let types: Vec<_> = tab.clients[0].employees.iter().map(access::EmployeeAccess::access_type).collect();
    assert_eq!((tab.total_size, types), (1, vec![AccessType::PartnerAdmin, AccessType::Standard]));

    // Work: credit appears at that instant, for who may see it.
    cluster.clock.set(at("2026-01-03T12:00:00Z"));
    cluster.work(2002, "a1", CARLA, "2026-01-03T10:00:00Z", "blog/publish").await;
    assert_eq!(amount(&cluster, "2026-01-03T09:59:59Z").await, "0.00");
    assert_eq!(amount(&cluster, "2026-01-03T10:00:00Z").await, "1000.00");
    for (actor, expected) in [(CAM, None), (CARLA, Some("PERMISSION_MISSING")), (BOSS, Some("UNKNOWN_PARTNER"))] {
        let request = GetManagedCreditRequest {
            partner: PARTNER.to_owned(),
            client: CLIENT.to_owned(),
            at_least_revisions: cluster.known_revisions(),
            ..Default::default()
        };
        let asked = cluster.credit().get_managed_credit(by(actor, request)).await;
        assert_eq!(asked.err().map(|status| reason(&status)).as_deref(), expected, "{actor}");
    }

    // Deactivate and reactivate: what was done goes on counting, what is done in between does not.
    cluster.clock.set(at("2026-01-04T08:00:00Z"));
    let name = carla_there.name.clone();
    let request = access::DeactivateClientUserRequest { name: name.clone(), ..Default::default() };
    let deactivated = cluster.access().deactivate_client_user(by(ANNA, request)).await.expect("deactivated");
    cluster.note(&deactivated.get_ref().revision);
    cluster.clock.set(at("2026-01-05T08:00:00Z"));
    let verdict = cluster.work(2002, "a2", CARLA, "2026-01-04T09:00:00Z", "blog/publish").await;
    assert_eq!(verdict.reason(), contracts::wire::activity::NotCountedReason::UserDeactivated);
    assert_eq!(amount(&cluster, "2026-01-04T09:00:00Z").await, "1000.00");
    let request = access::ReactivateClientUserRequest { name, ..Default::default() };
    let reactivated = cluster.access().reactivate_client_user(by(ANNA, request)).await.expect("reactivated");
    cluster.note(&reactivated.get_ref().revision);
    cluster.clock.set(at("2026-01-06T08:00:00Z"));
    cluster.work(2002, "a3", CARLA, "2026-01-05T09:00:00Z", "blog/publish").await;
    assert_eq!(credit(&cluster, "2026-01-06").await.expire_time, Some(stamp("2026-03-06T09:00:00Z")));

    // Remove all with the wizard: every asset needs a decision, and the credit is gone at that instant.
    let asset = |id: &str, owner: &access::ClientUser| access::Asset {
        name: format!("{CLIENT}/assets/{id}"),
        kind: "workflow".to_owned(),
        display_name: id.to_owned(),
        owner: owner.name.clone(),
    };
    let assets = access::BatchUpdateAssetsRequest {
        parent: CLIENT.to_owned(),
        assets: vec![asset("welcome", &anna_there), asset("newsletter", &carla_there)],
        ..Default::default()
    };
    cluster.access().batch_update_assets(assets).await.expect("assets");
    cluster.clock.set(at("2026-01-10T08:00:00Z"));
    let selection =
        access::ClientSelection { client: CLIENT.to_owned(), partner: PARTNER.to_owned(), employees: Vec::new() };
    let request = access::PreviewRemovalRequest {
        selection: Some(access::preview_removal_request::Selection::Client(selection)),
    };
    let preview = cluster.access().preview_removal(by(BOSS, request.clone())).await.expect("a preview").into_inner();
    assert_eq!((preview.removals.len(), preview.assets.len(), preview.ended_relationships.len()), (2, 2, 1));
    let confirm = access::ConfirmRemovalRequest { token: preview.token.clone(), ..Default::default() };
    let incomplete = cluster.access().confirm_removal(by(BOSS, confirm.clone())).await.expect_err("no decisions");
    assert_eq!(reason(&incomplete), "INCOMPLETE_DECISIONS");
    let missing = metadata(&incomplete, "missing_assets");
    assert!(missing.contains("clients/2002/assets/welcome") && missing.contains("clients/2002/assets/newsletter"));
    let confirm = access::ConfirmRemovalRequest {
        default_decision: Some(access::confirm_removal_request::DefaultDecision::LeaveWithoutOwner(true)),
        ..confirm
    };
    let removed = cluster.access().confirm_removal(by(BOSS, confirm.clone())).await.expect("a removal").into_inner();
    cluster.note(&removed.revision);
    assert_eq!((removed.client_users.len(), removed.ended_relationships.len()), (2, 1));
    let stale = cluster.access().confirm_removal(by(BOSS, confirm)).await.expect_err("done already");
    assert_eq!(stale.code(), Code::FailedPrecondition);
    assert_eq!(amount(&cluster, "2026-01-10T07:59:59Z").await, "1000.00");
    let gone = credit(&cluster, "2026-01-10T08:00:00Z").await;
    assert_eq!(gone.no_credit_reason(), NoCreditReason::AllEmployeesRemoved);
    assert_eq!(gone.credit.map(|money| money.amount).as_deref(), Some("0.00"));

    // Add again: nothing revives. Work again: credit, since that instant.
    cluster.clock.set(at("2026-01-11T08:00:00Z"));
    invite(&cluster, &anna.name).await;
    assert_eq!(amount(&cluster, "2026-01-11T08:00:00Z").await, "0.00");
    cluster.clock.set(at("2026-01-12T12:00:00Z"));
    cluster.work(2002, "a4", ANNA, "2026-01-12T10:00:00Z", "form/edit").await;
    assert_eq!(amount(&cluster, "2026-01-12T09:59:59Z").await, "0.00");
    let again = credit(&cluster, "2026-01-12T10:00:00Z").await;
    assert_eq!(again.credit.map(|money| money.amount).as_deref(), Some("1000.00"));
    assert_eq!(again.serviced_since_time, Some(stamp("2026-01-12T10:00:00Z")));

    // The audit log has all of it, for who may see it; what is worth telling is marked.
    let request =
        access::ListAccessChangesRequest { partner: PARTNER.to_owned(), notices_only: true, ..Default::default() };
    let log = cluster.access().list_access_changes(by(CAM, request)).await.expect("the audit log").into_inner();
    let told: Vec<Vec<Notice>> = log.changes.iter().rev().map(|change| change.notices().collect()).collect();
    assert_eq!(
        told,
        [
            vec![Notice::AccessLinkApproved],
            vec![Notice::Deactivated],
            vec![Notice::Reactivated],
            vec![Notice::Removed],
            vec![Notice::Removed, Notice::RelationshipEnded],
            vec![Notice::AccessLinkApproved],
        ]
    );
    let by_whom: Vec<&str> = log.changes.iter().rev().map(|change| change.actor.as_str()).collect();
    let at_the_client = "someone at the client";
    assert_eq!(by_whom, [at_the_client, ANNA, ANNA, at_the_client, at_the_client, at_the_client]);
});
