//! Access links: made for an employee, approved by a client.

use contracts::wire::access::{self, AccessLinkState, AccessRole, AssignmentOrigin, AssignmentState, ClientUserState};
use system_tests::{Cluster, at, by, fields, metadata, on_both_databases, reason, stamp};
use tonic::{Code, Response, Status};

const CAM: &str = "cam@agency.example";
const ANNA: &str = "anna@agency.example";
const CARLA: &str = "carla@freemail.example";
const BOSS: &str = "boss@client.example";
/// Of the right form and of no link.
const WRONG_TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// An agency with a Client Access Manager, and a client account with its super admin. Anna's address is of the agency's
/// domain, Carla's is not.
struct Agency {
    anna: String,
    carla: String,
}

impl Agency {
    async fn found(cluster: &Cluster) -> Self {
        cluster.partner(1001, &["agency.example"]).await;
        cluster.employee_with(1001, CAM, AccessRole::ClientAccessManager).await;
        for client in [2002, 2003] {
            cluster.client(client, "US").await;
            cluster.user_with(client, BOSS, "SUPER_ADMIN").await;
        }
        Self { anna: cluster.employee(1001, ANNA).await, carla: cluster.employee(1001, CARLA).await }
    }
}

async fn create_as(
    cluster: &Cluster,
    actor: &str,
    employee: &str,
    access_link: access::AccessLink,
) -> Result<access::CreateAccessLinkResponse, Status> {
    let request = access::CreateAccessLinkRequest {
        parent: employee.to_owned(),
        access_link: Some(access_link),
        ..Default::default()
    };
    cluster.access().create_access_link(by(actor, request)).await.map(Response::into_inner)
}

/// The token of a new link.
async fn invite(cluster: &Cluster, employee: &str) -> String {
    create_as(cluster, CAM, employee, access::AccessLink::default()).await.expect("a link").token
}

async fn approve(
    cluster: &Cluster,
    actor: &str,
    client: &str,
    token: &str,
) -> Result<access::ApproveAccessLinkResponse, Status> {
    let request =
        access::ApproveAccessLinkRequest { client: client.to_owned(), token: token.to_owned(), ..Default::default() };
    cluster.access().approve_access_link(by(actor, request)).await.map(Response::into_inner)
}

async fn revoke(cluster: &Cluster, actor: &str, name: &str) -> Result<access::AccessLink, Status> {
    let request = access::RevokeAccessLinkRequest { name: name.to_owned(), ..Default::default() };
    let answer = cluster.access().revoke_access_link(by(actor, request)).await?.into_inner();
    Ok(answer.access_link.expect("a link"))
}

async fn list(
    cluster: &Cluster,
    actor: &str,
    employee: &str,
    page_size: i32,
    page_token: &str,
) -> Result<access::ListAccessLinksResponse, Status> {
    let (parent, page_token) = (employee.to_owned(), page_token.to_owned());
    let request = access::ListAccessLinksRequest { parent, page_size, page_token };
    cluster.access().list_access_links(by(actor, request)).await.map(Response::into_inner)
}

/// How many changes the access log has.
async fn head(cluster: &Cluster) -> String {
    let head = cluster.access_feed().get_head_revision(access::GetHeadRevisionRequest {}).await;
    head.expect("a revision").into_inner().revision
}

on_both_databases!(r31_an_approved_link_makes_the_employee_an_active_partner_admin, |cluster| {
    let agency = Agency::found(&cluster).await;
    let created = create_as(&cluster, CAM, &agency.anna, access::AccessLink::default()).await.expect("a link");
    let link = created.access_link.expect("a link");
    assert_eq!(created.token.len(), 43, "256 bits");
    assert_eq!((link.state(), link.creator.as_str(), link.client.as_str()), (AccessLinkState::Open, CAM, ""));
    assert_eq!((link.create_time, link.expire_time), (Some(stamp("2026-01-01")), Some(stamp("2026-01-31"))));
    assert!(link.name.starts_with(&format!("{}/accessLinks/", agency.anna)));

    cluster.clock.set(at("2026-01-02"));
    let approved = approve(&cluster, BOSS, "clients/2002", &created.token).await.expect("an approval");
    let user = approved.client_user.expect("a user");
    assert_eq!(
        (user.email_address.as_str(), user.display_name.as_str(), user.permission_set.as_str(), user.state()),
        (ANNA, "anna", "PARTNER_ADMIN", ClientUserState::Active)
    );
    assert_eq!((user.start_time, approved.employee), (Some(stamp("2026-01-02")), agency.anna.clone()));
    // R23: her address is in the domain.
    let assignment = approved.assignment.expect("an assignment");
    assert_eq!(
        (assignment.state(), assignment.origin(), assignment.client.as_str()),
        (AssignmentState::Effective, AssignmentOrigin::Automatic, "clients/2002")
    );
    let links = list(&cluster, CAM, &agency.anna, 0, "").await.expect("links").access_links;
    assert_eq!(
        links,
        [access::AccessLink { state: AccessLinkState::Approved.into(), approved_client_user: user.name, ..link }]
    );

    // R24: Carla's is not, and is linked by hand. As Partner admin she adds a colleague.
    let token = invite(&cluster, &agency.carla).await;
    let approved = approve(&cluster, BOSS, "clients/2002", &token).await.expect("an approval");
    assert_eq!(approved.assignment, None);
    let colleague = cluster.employee(1001, "new@agency.example").await;
    let addition = access::BatchAddEmployeesRequest {
        client: "clients/2002".to_owned(),
        employees: vec![colleague],
        permission_set: "STANDARD".to_owned(),
        ..Default::default()
    };
    cluster.access().batch_add_employees(by(CARLA, addition)).await.expect("a Partner admin adds");
});

on_both_databases!(r30_the_token_is_shown_once_and_a_repeat_of_the_request_is_without_it, |cluster| {
    let agency = Agency::found(&cluster).await;
    let request = || access::CreateAccessLinkRequest {
        parent: agency.anna.clone(),
        request_id: "0190a0b0-0000-7000-8000-000000000001".to_owned(),
        ..Default::default()
    };
    let first = cluster.access().create_access_link(by(CAM, request())).await.expect("a link").into_inner();
    let repeat = cluster.access().create_access_link(by(CAM, request())).await.expect("the link").into_inner();
    assert_eq!(repeat, access::CreateAccessLinkResponse { token: String::new(), ..first.clone() });
    assert_eq!(list(&cluster, CAM, &agency.anna, 0, "").await.expect("links").access_links.len(), 1);
    approve(&cluster, BOSS, "clients/2002", &first.token).await.expect("the first token works");

    let approval = |token: &str| access::ApproveAccessLinkRequest {
        client: "clients/2002".to_owned(),
        token: token.to_owned(),
        request_id: "0190a0b0-0000-7000-8000-000000000002".to_owned(),
        ..Default::default()
    };
    let token = invite(&cluster, &agency.carla).await;
    let first = cluster.access().approve_access_link(by(BOSS, approval(&token))).await.expect("approved").into_inner();
    let repeat = cluster.access().approve_access_link(by(BOSS, approval(&token))).await.expect("the first answer");
    assert_eq!(repeat.into_inner(), first);
});

on_both_databases!(r30_every_token_that_does_not_work_gives_the_same_answer, |cluster| {
    let agency = Agency::found(&cluster).await;
    cluster.partner(1002, &[]).await;
    let dario = cluster.employee(1002, "dario@other.example").await;
    let deleted = cluster.employee(1001, "deleted@agency.example").await;
    let unflagged = cluster.employee(1001, "unflagged@agency.example").await;
    let used = invite(&cluster, &agency.anna).await;
    approve(&cluster, BOSS, "clients/2002", &used).await.expect("an approval");
    let revoked = create_as(&cluster, CAM, &agency.anna, access::AccessLink::default()).await.expect("a link");
    revoke(&cluster, CAM, &revoked.access_link.expect("a link").name).await.expect("a revocation");
    let until_noon = access::AccessLink { expire_time: Some(stamp("2026-01-01T12:00:00Z")), ..Default::default() };
    let expired = create_as(&cluster, CAM, &agency.anna, until_noon.clone()).await.expect("a link").token;
    let just_open = create_as(&cluster, CAM, &agency.carla, until_noon).await.expect("a link").token;
    let for_other = access::AccessLink { client: "clients/2003".to_owned(), ..Default::default() };
    let for_other = create_as(&cluster, "platform", &agency.anna, for_other).await.expect("a link").token;
    let of_deleted = invite(&cluster, &deleted).await;
    let deletion = access::DeleteEmployeeRequest { name: deleted, ..Default::default() };
    cluster.access().delete_employee(deletion).await.expect("a deletion");
    let of_unflagged = invite(&cluster, &unflagged).await;
    let unflagged = access::Employee { name: unflagged, partner_employee: Some(false), ..Default::default() };
    let unflagging = access::UpdateEmployeeRequest { employee: Some(unflagged), ..Default::default() };
    cluster.access().update_employee(unflagging).await.expect("an update");
    let of_left = create_as(&cluster, "platform", &dario, access::AccessLink::default()).await.expect("a link").token;
    let left = access::Partner {
        name: "partners/1002".to_owned(),
        state: access::PartnerState::Left.into(),
        ..Default::default()
    };
    let leaving = access::UpdatePartnerRequest { partner: Some(left), ..Default::default() };
    cluster.access().update_partner(leaving).await.expect("an update");

    cluster.clock.set(at("2026-01-01T11:59:59.999999Z"));
    approve(&cluster, BOSS, "clients/2002", &just_open).await.expect("open until its last microsecond");
    cluster.clock.set(at("2026-01-01T12:00:00Z"));
    let before = head(&cluster).await;
    let mut answers = Vec::new();
    for token in [
        "",
        "not a token",
        WRONG_TOKEN,
        &used,
        &revoked.token,
        &expired,
        &for_other,
        &of_deleted,
        &of_unflagged,
        &of_left,
    ] {
        let refused = approve(&cluster, BOSS, "clients/2002", token).await.expect_err("does not work");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "ACCESS_LINK_NOT_OPEN"), "{token}");
        answers.push((refused.message().to_owned(), refused.details().to_vec()));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(head(&cluster).await, before, "nothing is recorded");
    approve(&cluster, BOSS, "clients/2003", &for_other).await.expect("the client that it is for");
});

on_both_databases!(the_open_links_of_a_deleted_employee_are_revoked, |cluster| {
    let agency = Agency::found(&cluster).await;
    let used = invite(&cluster, &agency.anna).await;
    approve(&cluster, BOSS, "clients/2002", &used).await.expect("an approval");
    invite(&cluster, &agency.anna).await;
    invite(&cluster, &agency.carla).await;
    cluster.clock.set(at("2026-01-02"));
    let deletion = access::DeleteEmployeeRequest { name: agency.anna.clone(), ..Default::default() };
    cluster.access().delete_employee(deletion).await.expect("a deletion");

    let states = async |employee: &str| -> Vec<AccessLinkState> {
        let mut links = list(&cluster, CAM, employee, 0, "").await.expect("links").access_links;
        links.sort_by_key(|link| link.state);
        links.iter().map(access::AccessLink::state).collect()
    };
    assert_eq!(states(&agency.anna).await, [AccessLinkState::Approved, AccessLinkState::Revoked]);
    assert_eq!(states(&agency.carla).await, [AccessLinkState::Open], "a colleague's stays");
    let request = access::ListAccessChangesRequest {
        employee: agency.anna.clone(),
        kinds: vec!["access_link_revoked".to_owned(), "employee_deleted".to_owned()],
        ..Default::default()
    };
    let log = cluster.access().list_access_changes(request).await.expect("changes").into_inner().changes;
    assert_eq!(log.len(), 2, "the log tells both: {log:?}");
});

on_both_databases!(r31_who_approves_and_who_makes_lists_and_revokes_links, |cluster| {
    let agency = Agency::found(&cluster).await;
    cluster.user_with(2002, "users@client.example", "USER_ADMIN").await;
    cluster.user_with(2002, "plain@client.example", "STANDARD").await;
    cluster.user_with(2002, ANNA, "PARTNER_ADMIN").await;
    let created = create_as(&cluster, "platform", &agency.anna, access::AccessLink::default()).await.expect("a link");
    let name = created.access_link.expect("a link").name;
    for (actor, of_partner, of_client) in [
        // Partner admin there, and plain in the partner account.
        (ANNA, "PERMISSION_MISSING", "PERMISSION_MISSING"),
        ("plain@client.example", "UNKNOWN_PARTNER", "PERMISSION_MISSING"),
        (CAM, "", "UNKNOWN_CLIENT"),
        ("stranger@nowhere.example", "UNKNOWN_PARTNER", "UNKNOWN_CLIENT"),
    ] {
        // Whether the token works or not: permission comes first.
        for token in [created.token.as_str(), WRONG_TOKEN] {
            let refused = approve(&cluster, actor, "clients/2002", token).await.expect_err("refused");
            assert_eq!(reason(&refused), of_client, "{actor}");
        }
        if of_partner.is_empty() {
            continue;
        }
        let refusals = [
            create_as(&cluster, actor, &agency.anna, access::AccessLink::default()).await.map(|_| ()),
            list(&cluster, actor, &agency.anna, 0, "").await.map(|_| ()),
            revoke(&cluster, actor, &name).await.map(|_| ()),
        ];
        for refused in refusals {
            assert_eq!(reason(&refused.expect_err("refused")), of_partner, "{actor}");
        }
    }
    approve(&cluster, "users@client.example", "clients/2002", &created.token).await.expect("who may add users");
    let own = create_as(&cluster, CAM, &agency.carla, access::AccessLink::default()).await.expect("a link").token;
    approve(&cluster, "platform", "clients/2002", &own).await.expect("the platform");
    let unknown = approve(&cluster, "platform", "clients/9999", WRONG_TOKEN).await.expect_err("unknown");
    assert_eq!(reason(&unknown), "UNKNOWN_CLIENT");
});

on_both_databases!(r31_who_is_a_user_already_becomes_partner_admin_unless_super_admin, |cluster| {
    let agency = Agency::found(&cluster).await;
    for (index, (set, is_active, expected_set, changes)) in [
        // The approval itself is a change each time.
        ("STANDARD", true, "PARTNER_ADMIN", 2),
        ("STANDARD", false, "PARTNER_ADMIN", 3),
        ("PARTNER_ADMIN", true, "PARTNER_ADMIN", 1),
        ("PARTNER_ADMIN", false, "PARTNER_ADMIN", 2),
        ("SUPER_ADMIN", true, "SUPER_ADMIN", 1),
        ("SUPER_ADMIN", false, "SUPER_ADMIN", 2),
    ]
    .into_iter()
    .enumerate()
    {
        let client = 3_000 + i64::try_from(index).expect("small");
        cluster.client(client, "US").await;
        let user = cluster.user_with(client, ANNA, set).await;
        if !is_active {
            let request = access::DeactivateClientUserRequest { name: user.clone(), ..Default::default() };
            cluster.access().deactivate_client_user(request).await.expect("a deactivation");
        }
        let token = invite(&cluster, &agency.anna).await;
        let position = |revision: &str| revision.parse::<contracts::Revision>().expect("a revision").position;
        let before = position(&head(&cluster).await);
        let approved = approve(&cluster, "platform", &format!("clients/{client}"), &token).await.expect("approved");
        assert_eq!(position(&approved.revision) - before, changes, "{set} {is_active}");
        let present = approved.client_user.expect("a user");
        assert_eq!(
            (present.name.as_str(), present.permission_set.as_str(), present.state()),
            (user.as_str(), expected_set, ClientUserState::Active),
            "{set} {is_active}"
        );
        let assignment = approved.assignment.expect("an assignment");
        assert_eq!(assignment.state(), AssignmentState::Effective, "{set} {is_active}");
    }
});

on_both_databases!(r30_of_many_approvals_of_one_link_at_once_exactly_one_succeeds, |cluster| {
    let agency = Agency::found(&cluster).await;
    for round in 0..5 {
        let token = invite(&cluster, &agency.carla).await;
        let mut approvals = tokio::task::JoinSet::new();
        for client in ["clients/2002", "clients/2003", "clients/2002", "clients/2003"] {
            let mut access = cluster.access();
            let (client, token) = (client.to_owned(), token.clone());
            let request = access::ApproveAccessLinkRequest { client, token, ..Default::default() };
            approvals.spawn(async move { access.approve_access_link(by(BOSS, request)).await });
        }
        let outcomes = approvals.join_all().await;
        let refusals: Vec<String> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).map(reason).collect();
        assert_eq!(refusals, ["ACCESS_LINK_NOT_OPEN"; 3], "round {round}");
    }
    let approved = list(&cluster, CAM, &agency.carla, 0, "").await.expect("links").access_links;
    assert!(approved.iter().all(|link| link.state() == AccessLinkState::Approved), "{approved:?}");
});

on_both_databases!(r30_links_are_listed_newest_first_with_their_states, |cluster| {
    let agency = Agency::found(&cluster).await;
    let mut names = Vec::new();
    for day in 1..=5 {
        cluster.clock.set(at(&format!("2026-01-0{day}")));
        let expire_time = Some(stamp(&format!("2026-02-0{day}")));
        let asked = access::AccessLink { expire_time, ..Default::default() };
        names.push(create_as(&cluster, CAM, &agency.anna, asked).await.expect("a link").access_link.expect("one").name);
    }
    // Of one instant, in a fixed order.
    create_as(&cluster, "platform", &agency.anna, access::AccessLink::default()).await.expect("a link");
    invite(&cluster, &agency.carla).await;
    revoke(&cluster, CAM, &names[4]).await.expect("a revocation");
    cluster.clock.set(at("2026-02-02"));

    let mut seen: Vec<access::AccessLink> = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = list(&cluster, CAM, &agency.anna, 2, &page_token).await.expect("a page");
        seen.extend(page.access_links);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert!(seen.is_sorted_by_key(|link| std::cmp::Reverse(link.create_time.map(|time| time.seconds))));
    let whole = list(&cluster, CAM, &agency.anna, 6, "").await.expect("a page");
    assert_eq!((&whole.access_links, whole.next_page_token.as_str()), (&seen, ""));
    assert_eq!(seen.iter().filter(|link| link.creator == "platform").count(), 1);
    for (index, state) in [
        (0, AccessLinkState::Expired),
        (1, AccessLinkState::Expired),
        (2, AccessLinkState::Open),
        (3, AccessLinkState::Open),
        (4, AccessLinkState::Revoked),
    ] {
        let link = seen.iter().find(|link| link.name == names[index]).expect("listed");
        assert_eq!(link.state(), state, "{index}");
    }
    let of_another_list = list(&cluster, CAM, &agency.carla, 2, "?").await.expect_err("no token");
    assert_eq!(fields(&of_another_list), ["page_token"]);
    let nobody = "partners/1001/employees/0190a0b0-0000-7000-8000-000000000001";
    let unknown = list(&cluster, CAM, nobody, 0, "").await.expect_err("nobody");
    assert_eq!(reason(&unknown), "UNKNOWN_EMPLOYEE");
});

on_both_databases!(r30_revoking_again_is_harmless_and_an_approved_link_is_not_revoked, |cluster| {
    let agency = Agency::found(&cluster).await;
    let created = create_as(&cluster, CAM, &agency.anna, access::AccessLink::default()).await.expect("a link");
    let name = created.access_link.expect("a link").name;
    let first = revoke(&cluster, CAM, &name).await.expect("a revocation");
    assert_eq!(first.state(), AccessLinkState::Revoked);
    let before = head(&cluster).await;
    assert_eq!(revoke(&cluster, CAM, &name).await.expect("harmless"), first);
    assert_eq!(head(&cluster).await, before, "nothing is recorded");

    let created = create_as(&cluster, CAM, &agency.anna, access::AccessLink::default()).await.expect("a link");
    approve(&cluster, BOSS, "clients/2002", &created.token).await.expect("an approval");
    let name = created.access_link.expect("a link").name;
    let approved = revoke(&cluster, CAM, &name).await.expect_err("approved");
    assert_eq!(
        (approved.code(), reason(&approved).as_str(), metadata(&approved, "state").as_str()),
        (Code::FailedPrecondition, "ILLEGAL_TRANSITION", "approved")
    );
    // The name is of Anna's link, not of Carla's.
    let of_carla = name.replace(&agency.anna, &agency.carla);
    let unknown = revoke(&cluster, CAM, &of_carla).await.expect_err("another's");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_ACCESS_LINK"));
});

on_both_databases!(r30_a_link_that_could_never_be_approved_is_refused, |cluster| {
    let agency = Agency::found(&cluster).await;
    for expire_time in ["2025-12-31", "2026-01-01", "2027-01-01T00:00:00.000001Z"] {
        let asked = access::AccessLink { expire_time: Some(stamp(expire_time)), ..Default::default() };
        let refused = create_as(&cluster, CAM, &agency.anna, asked).await.expect_err("not in its bounds");
        assert_eq!(fields(&refused), ["access_link.expire_time"], "{expire_time}");
    }
    for expire_time in ["2026-01-01T00:00:00.000001Z", "2027-01-01"] {
        let asked = access::AccessLink { expire_time: Some(stamp(expire_time)), ..Default::default() };
        create_as(&cluster, CAM, &agency.anna, asked).await.expect("in its bounds");
    }
    let wrong = access::AccessLink { client: "partners/1".to_owned(), ..Default::default() };
    let refused = create_as(&cluster, CAM, "partners/1001", wrong).await.expect_err("both are wrong");
    assert_eq!(fields(&refused), ["parent", "access_link.client"]);

    // R26: nobody of the agency ever was a user of it.
    let for_client = |client: &str| access::AccessLink { client: client.to_owned(), ..Default::default() };
    for client in ["clients/2003", "clients/9999"] {
        let refused = create_as(&cluster, CAM, &agency.anna, for_client(client)).await.expect_err("unknown");
        assert_eq!(reason(&refused), "UNKNOWN_CLIENT", "{client}");
    }
    cluster.user_with(2003, CARLA, "STANDARD").await;
    let created = create_as(&cluster, CAM, &agency.anna, for_client("clients/2003")).await.expect("a link");
    assert_eq!(created.access_link.expect("a link").client, "clients/2003");

    let nobody = "partners/1001/employees/0190a0b0-0000-7000-8000-000000000001";
    let refused = create_as(&cluster, CAM, nobody, access::AccessLink::default()).await.expect_err("nobody");
    assert_eq!(reason(&refused), "UNKNOWN_EMPLOYEE");
    // R33: only who works for the partner can be Partner admin.
    let unflagged =
        access::Employee { name: agency.carla.clone(), partner_employee: Some(false), ..Default::default() };
    let unflagging = access::UpdateEmployeeRequest { employee: Some(unflagged), ..Default::default() };
    cluster.access().update_employee(unflagging).await.expect("an update");
    let refused = create_as(&cluster, CAM, &agency.carla, access::AccessLink::default()).await.expect_err("unflagged");
    assert_eq!(reason(&refused), "PERMISSION_SET_NOT_ASSIGNABLE");
});

on_both_databases!(r30_an_employee_has_at_most_a_hundred_open_links, |cluster| {
    let agency = Agency::found(&cluster).await;
    let tomorrow = || access::AccessLink { expire_time: Some(stamp("2026-01-02")), ..Default::default() };
    let mut first = None;
    for _ in 0..100 {
        let created = create_as(&cluster, CAM, &agency.anna, tomorrow()).await.expect("a link");
        first.get_or_insert(created.access_link.expect("a link").name);
    }
    let refused = create_as(&cluster, CAM, &agency.anna, tomorrow()).await.expect_err("one too many");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "LIMIT_REACHED"));
    create_as(&cluster, CAM, &agency.carla, tomorrow()).await.expect("each employee for itself");
    revoke(&cluster, CAM, &first.expect("a link")).await.expect("a revocation");
    create_as(&cluster, CAM, &agency.anna, tomorrow()).await.expect("room again");
    create_as(&cluster, CAM, &agency.anna, tomorrow()).await.expect_err("and full again");
    cluster.clock.set(at("2026-01-02"));
    create_as(&cluster, CAM, &agency.anna, access::AccessLink::default()).await.expect("what is expired is not open");
});
