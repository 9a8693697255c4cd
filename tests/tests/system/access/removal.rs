//! The removal wizard.

use contracts::wire::access::confirm_removal_request::DefaultDecision;
use contracts::wire::access::preview_removal_request::Selection;
use contracts::wire::access::{
    self, AccessRole, Asset, AssetDecision, ClientSelection, ClientUserState, ConfirmRemovalRequest, EndedRelationship,
    PreviewRemovalRequest, PreviewRemovalResponse,
};
use system_tests::{Cluster, at, by, fields, metadata, on_both_databases, reason};
use tonic::{Response, Status};

const BOSS: &str = "boss@client.example";
const ANNA: &str = "anna@agency.example";
const BRUNO: &str = "bruno@agency.example";
const CARLA: &str = "carla@client.example";
const CAM: &str = "cam@agency.example";
const STRANGER: &str = "stranger@nowhere.example";
const CLIENT: &str = "clients/2002";
const PARTNER: &str = "partners/1001";

/// Two employees of an agency, Anna being Partner admin and Bruno not, in a client account with its own people.
struct Account {
    anna: Person,
    bruno: Person,
    carla: String,
}

/// Somebody in the partner account and in the client account.
struct Person {
    employee: String,
    user: String,
}

impl Account {
    async fn open(cluster: &Cluster) -> Self {
        cluster.partner(1001, &["agency.example"]).await;
        cluster.client(2002, "US").await;
        cluster.employee_with(1001, CAM, AccessRole::ClientAccessManager).await;
        cluster.user_with(2002, BOSS, "SUPER_ADMIN").await;
        let account = Self {
            anna: Person {
                employee: cluster.employee_with(1001, ANNA, AccessRole::None).await,
                user: cluster.user_with(2002, ANNA, "PARTNER_ADMIN").await,
            },
            bruno: Person {
                employee: cluster.employee_with(1001, BRUNO, AccessRole::None).await,
                user: cluster.user_with(2002, BRUNO, "STANDARD").await,
            },
            carla: cluster.user_with(2002, CARLA, "STANDARD").await,
        };
        // Who is removed at the instant of being added never was there.
        cluster.clock.set(at("2026-01-05T09:00:00Z"));
        account
    }
}

fn asset(client: i64, id: &str, owner: &str) -> Asset {
    Asset {
        name: format!("clients/{client}/assets/{id}"),
        kind: "form".to_owned(),
        display_name: format!("Asset {id}"),
        owner: owner.to_owned(),
    }
}

async fn keep(cluster: &Cluster, client: i64, assets: &[Asset]) {
    let parent = format!("clients/{client}");
    let request = access::BatchUpdateAssetsRequest { parent, assets: assets.to_vec(), ..Default::default() };
    cluster.access().batch_update_assets(request).await.expect("kept");
}

async fn owner_of(cluster: &Cluster, asset: &str) -> String {
    let request = access::ListAssetsRequest { parent: CLIENT.to_owned(), ..Default::default() };
    let listed = cluster.access().list_assets(request).await.expect("assets").into_inner().assets;
    let found = listed.into_iter().find(|listed| listed.name.ends_with(&format!("/{asset}")));
    found.expect("the asset").owner
}

fn from_client(employees: &[&str]) -> PreviewRemovalRequest {
    let selection = ClientSelection {
        client: CLIENT.to_owned(),
        partner: PARTNER.to_owned(),
        employees: employees.iter().map(ToString::to_string).collect(),
    };
    PreviewRemovalRequest { selection: Some(Selection::Client(selection)) }
}

fn off_boarding(employee: &str) -> PreviewRemovalRequest {
    PreviewRemovalRequest { selection: Some(Selection::Employee(employee.to_owned())) }
}

async fn preview(
    cluster: &Cluster,
    actor: &str,
    request: PreviewRemovalRequest,
) -> Result<PreviewRemovalResponse, Status> {
    cluster.access().preview_removal(by(actor, request)).await.map(Response::into_inner)
}

fn confirmation(token: &str) -> ConfirmRemovalRequest {
    ConfirmRemovalRequest { token: token.to_owned(), ..Default::default() }
}

fn leaving_all(token: &str) -> ConfirmRemovalRequest {
    ConfirmRemovalRequest { default_decision: Some(DefaultDecision::LeaveWithoutOwner(true)), ..confirmation(token) }
}

async fn confirm(
    cluster: &Cluster,
    actor: &str,
    request: ConfirmRemovalRequest,
) -> Result<access::ConfirmRemovalResponse, Status> {
    let confirmed = cluster.access().confirm_removal(by(actor, request)).await?.into_inner();
    cluster.note(&confirmed.revision);
    Ok(confirmed)
}

/// Whom a preview would remove: address and how many assets.
fn removals(preview: &PreviewRemovalResponse) -> Vec<(String, i32)> {
    let address = |row: &access::PlannedRemoval| row.client_user.clone().unwrap_or_default().email_address;
    preview.removals.iter().map(|row| (address(row), row.asset_count)).collect()
}

/// What became of a call, in a word.
fn word<T>(outcome: &Result<T, Status>) -> String {
    outcome.as_ref().map_or_else(reason, |_| "OK".to_owned())
}

fn ended(client: i64, partner: i64) -> EndedRelationship {
    EndedRelationship { client: format!("clients/{client}"), partner: format!("partners/{partner}") }
}

async fn newest_position(cluster: &Cluster) -> u64 {
    let request = access::ListAccessChangesRequest { page_size: 1, ..Default::default() };
    let changes = cluster.access().list_access_changes(request).await.expect("changes").into_inner().changes;
    changes.first().map(|change| change.position).unwrap_or_default()
}

on_both_databases!(r40_r71_the_wizard_shows_everybody_and_everything_and_ends_the_relationship, |cluster| {
    let account = Account::open(&cluster).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2025-01-01").await.expect("a subscription");
    cluster.work(2002, "a", ANNA, "2026-01-01T00:00:00Z", "blog/publish").await;
    keep(
        &cluster,
        2002,
        &[
            asset(2002, "a", &account.anna.user),
            asset(2002, "b", &account.bruno.user),
            asset(2002, "c", &account.bruno.user),
            asset(2002, "d", &account.carla),
        ],
    )
    .await;

    let shown = preview(&cluster, ANNA, from_client(&[])).await.expect("a preview");
    assert_eq!(removals(&shown), [(ANNA.to_owned(), 1), (BRUNO.to_owned(), 2)]);
    assert_eq!(shown.removals[1].employee, account.bruno.employee);
    assert_eq!(shown.removals[1].client_display_name, "Client 2002");
    assert_eq!(
        shown.assets,
        [
            asset(2002, "a", &account.anna.user),
            asset(2002, "b", &account.bruno.user),
            asset(2002, "c", &account.bruno.user)
        ]
    );
    assert_eq!(shown.ended_relationships, [ended(2002, 1001)]);
    assert_eq!(shown.clients_without_permission, Vec::<String>::new());
    let points = async |as_of| cluster.managed_credit(1001, 2002, as_of).await.expect("a row").points.expect("points");
    assert_eq!(points("2026-01-05T09:00:00Z").await, "10.00", "a preview does nothing");

    let given_away = ConfirmRemovalRequest {
        decisions: vec![
            AssetDecision { asset: format!("{CLIENT}/assets/b"), new_owner: account.carla.clone() },
            AssetDecision { asset: format!("{CLIENT}/assets/c"), new_owner: String::new() },
        ],
        default_decision: Some(DefaultDecision::NewOwner(account.carla.clone())),
        reason: "The project is over".to_owned(),
        ..confirmation(&shown.token)
    };
    let removed = confirm(&cluster, ANNA, given_away).await.expect("a removal");
    let states: Vec<(String, ClientUserState)> =
        removed.client_users.iter().map(|user| (user.email_address.clone(), user.state())).collect();
    assert_eq!(states, [(ANNA.to_owned(), ClientUserState::Removed), (BRUNO.to_owned(), ClientUserState::Removed)]);
    assert_eq!(removed.ended_relationships, [ended(2002, 1001)]);
    for (asset, owner) in [("a", account.carla.as_str()), ("b", &account.carla), ("c", ""), ("d", &account.carla)] {
        assert_eq!(owner_of(&cluster, asset).await, owner, "{asset}");
    }
    // R71: at that very instant.
    assert_eq!(points("2026-01-05T08:59:59Z").await, "10.00");
    assert_eq!(points("2026-01-05T09:00:00Z").await, "0.00");

    // What changed hands first, then who is gone; only the last removal ended the relationship.
    let request = access::ListAccessChangesRequest { page_size: 5, ..Default::default() };
    let changes = cluster.access().list_access_changes(request).await.expect("changes").into_inner().changes;
    let told: Vec<(bool, usize)> = changes
        .iter()
        .map(|change| {
            let is_removal = matches!(change.fact, Some(access::access_change::Fact::ClientUserRemoved(_)));
            (is_removal, change.ended_relationships.len())
        })
        .collect();
    assert_eq!(told, [(true, 1), (true, 0), (false, 0), (false, 0), (false, 0)]);
    assert!(changes.iter().all(|change| change.reason == "The project is over" && change.actor == ANNA));
});

on_both_databases!(r74_removing_some_ends_nothing, |cluster| {
    let account = Account::open(&cluster).await;
    let shown = preview(&cluster, BOSS, from_client(&[&account.bruno.employee])).await.expect("a preview");
    assert_eq!(removals(&shown), [(BRUNO.to_owned(), 0)]);
    assert_eq!(shown.ended_relationships, []);
    // Nothing is owned, so nothing is to be decided.
    let removed = confirm(&cluster, BOSS, confirmation(&shown.token)).await.expect("a removal");
    assert_eq!((removed.client_users.len(), removed.ended_relationships.len()), (1, 0));
});

on_both_databases!(r41_a_preview_is_stale_once_anything_of_it_has_changed, |cluster| {
    let account = Account::open(&cluster).await;
    keep(&cluster, 2002, &[asset(2002, "a", &account.bruno.user)]).await;
    let only_bruno = || from_client(&[&account.bruno.employee]);
    let shown = preview(&cluster, ANNA, only_bruno()).await.expect("a preview");

    // What others do is nothing to it.
    keep(&cluster, 2002, &[asset(2002, "b", &account.anna.user)]).await;
    cluster.client(2003, "US").await;
    let again = preview(&cluster, ANNA, only_bruno()).await.expect("a preview");
    assert_eq!(shown.token, again.token);

    keep(&cluster, 2002, &[asset(2002, "c", &account.bruno.user)]).await;
    let stale = confirm(&cluster, ANNA, leaving_all(&shown.token)).await.expect_err("an asset more");
    assert_eq!(reason(&stale), "STALE_PREVIEW");

    let shown = preview(&cluster, ANNA, only_bruno()).await.expect("a preview");
    let request = access::DeactivateClientUserRequest { name: account.bruno.user.clone(), ..Default::default() };
    cluster.access().deactivate_client_user(request).await.expect("deactivated");
    let stale = confirm(&cluster, ANNA, leaving_all(&shown.token)).await.expect_err("another state");
    assert_eq!(reason(&stale), "STALE_PREVIEW");

    let shown = preview(&cluster, ANNA, only_bruno()).await.expect("a preview");
    let anna_only = preview(&cluster, BOSS, from_client(&[&account.anna.employee])).await.expect("a preview");
    confirm(&cluster, BOSS, leaving_all(&anna_only.token)).await.expect("a removal");
    let stale = confirm(&cluster, BOSS, leaving_all(&shown.token)).await.expect_err("Bruno is the last one now");
    assert_eq!(reason(&stale), "STALE_PREVIEW");

    let shown = preview(&cluster, BOSS, only_bruno()).await.expect("a preview");
    assert_eq!(shown.ended_relationships, [ended(2002, 1001)]);
    confirm(&cluster, BOSS, leaving_all(&shown.token)).await.expect("what is shown is removed");
});

on_both_databases!(r41_every_asset_needs_a_decision_that_can_be_carried_out, |cluster| {
    let account = Account::open(&cluster).await;
    let off = cluster.user(2002, "off@client.example").await;
    let request = access::DeactivateClientUserRequest { name: off.clone(), ..Default::default() };
    cluster.access().deactivate_client_user(request).await.expect("deactivated");
    let owned: Vec<Asset> = ["a", "b", "c", "d"].iter().map(|id| asset(2002, id, &account.bruno.user)).collect();
    keep(&cluster, 2002, &owned).await;
    keep(&cluster, 2002, &[asset(2002, "other", &account.carla)]).await;
    let shown = preview(&cluster, ANNA, from_client(&[&account.bruno.employee])).await.expect("a preview");
    let before = newest_position(&cluster).await;

    let decision = |asset: &str, new_owner: &str| AssetDecision {
        asset: format!("{CLIENT}/assets/{asset}"),
        new_owner: new_owner.to_owned(),
    };
    let request = ConfirmRemovalRequest {
        decisions: vec![
            decision("a", &account.carla),
            decision("b", &off),
            decision("c", &account.bruno.user),
            decision("other", &account.anna.user),
        ],
        ..confirmation(&shown.token)
    };
    let refused = confirm(&cluster, ANNA, request).await.expect_err("one is missing, three are wrong");
    assert_eq!(reason(&refused), "INCOMPLETE_DECISIONS");
    assert_eq!(metadata(&refused, "missing_assets"), "clients/2002/assets/d");
    assert_eq!(
        metadata(&refused, "wrong_decisions"),
        "clients/2002/assets/b,clients/2002/assets/c,clients/2002/assets/other"
    );
    assert_eq!(newest_position(&cluster).await, before, "nothing is done in part");
    assert_eq!(owner_of(&cluster, "a").await, account.bruno.user);

    // Of very many, the first are named.
    let many: Vec<Asset> = (0..200).map(|number| asset(2002, &format!("n{number}"), &account.bruno.user)).collect();
    keep(&cluster, 2002, &many).await;
    let shown = preview(&cluster, ANNA, from_client(&[&account.bruno.employee])).await.expect("a preview");
    let refused = confirm(&cluster, ANNA, confirmation(&shown.token)).await.expect_err("no decision at all");
    let named = metadata(&refused, "missing_assets").split(',').count();
    let further: usize = metadata(&refused, "further_missing_assets").parse().expect("a number");
    assert_eq!(named + further, 204);
    assert!((1..=50).contains(&named), "{named}");
});

on_both_databases!(r27_r28_who_may_use_the_wizard_in_a_client_account, |cluster| {
    let account = Account::open(&cluster).await;
    const MISSING: &str = "PERMISSION_MISSING";
    for (actor, of_bruno, of_nobody, of_unknown_client) in [
        ("platform", "OK", "UNKNOWN_EMPLOYEE", "UNKNOWN_CLIENT"),
        (BOSS, "OK", "UNKNOWN_EMPLOYEE", "UNKNOWN_CLIENT"),
        (ANNA, "OK", "UNKNOWN_EMPLOYEE", MISSING),
        (BRUNO, MISSING, MISSING, MISSING),
        (CARLA, MISSING, MISSING, "UNKNOWN_CLIENT"),
        (CAM, MISSING, MISSING, MISSING),
        (STRANGER, "UNKNOWN_CLIENT", "UNKNOWN_CLIENT", "UNKNOWN_CLIENT"),
    ] {
        let nobody = format!("{PARTNER}/employees/0190a0b0-0000-7000-8000-000000000001");
        let elsewhere =
            ClientSelection { client: "clients/9".to_owned(), partner: PARTNER.to_owned(), employees: Vec::new() };
        let elsewhere = PreviewRemovalRequest { selection: Some(Selection::Client(elsewhere)) };
        for (request, expected) in [
            (from_client(&[&account.bruno.employee]), of_bruno),
            (from_client(&[&nobody]), of_nobody),
            (elsewhere, of_unknown_client),
        ] {
            let outcome = preview(&cluster, actor, request.clone()).await;
            assert_eq!(word(&outcome), expected, "{actor} {request:?}");
        }
    }
    // Whoever has the token must be allowed, too.
    let shown = preview(&cluster, BOSS, from_client(&[&account.bruno.employee])).await.expect("a preview");
    for actor in [BRUNO, CAM] {
        assert_eq!(word(&confirm(&cluster, actor, leaving_all(&shown.token)).await), MISSING, "{actor}");
    }
    assert_eq!(word(&confirm(&cluster, ANNA, leaving_all(&shown.token)).await), "OK");
});

on_both_databases!(nobody_to_remove_is_told_from_somebody_who_is_not_there, |cluster| {
    let account = Account::open(&cluster).await;
    let away = cluster.employee_with(1001, "away@agency.example", AccessRole::None).await;
    let refused = preview(&cluster, ANNA, from_client(&[&account.bruno.employee, &away])).await.expect_err("not there");
    assert_eq!(reason(&refused), "NOBODY_TO_REMOVE");
    assert!(refused.message().contains(&away) && !refused.message().contains(&account.bruno.employee));
    // R127: the client's own people do not learn who else works for the partner.
    let refused = preview(&cluster, BOSS, from_client(&[&account.bruno.employee, &away])).await.expect_err("not there");
    assert_eq!(reason(&refused), "UNKNOWN_EMPLOYEE");
    assert!(!refused.message().contains("away"), "{}", refused.message());

    cluster.partner(1002, &[]).await;
    let others = ClientSelection { client: CLIENT.to_owned(), partner: "partners/1002".to_owned(), employees: vec![] };
    let others = PreviewRemovalRequest { selection: Some(Selection::Client(others)) };
    assert_eq!(word(&preview(&cluster, BOSS, others.clone()).await), "NOBODY_TO_REMOVE");
    assert_eq!(word(&preview(&cluster, "platform", others).await), "NOBODY_TO_REMOVE");
    assert_eq!(word(&preview(&cluster, "platform", off_boarding(&away)).await), "NOBODY_TO_REMOVE");
});

on_both_databases!(an_employee_is_off_boarded_from_all_clients_where_the_actor_may, |cluster| {
    let account = Account::open(&cluster).await;
    for client in [2003, 2004] {
        cluster.client(client, "US").await;
        cluster.user_with(client, BRUNO, "STANDARD").await;
    }
    cluster.user_with(2003, ANNA, "PARTNER_ADMIN").await;
    cluster.clock.set(at("2026-01-06T09:00:00Z"));
    let clients = |preview: &PreviewRemovalResponse| -> Vec<String> {
        let names = preview.removals.iter().map(|row| row.client_display_name.clone());
        names.collect()
    };

    let all = preview(&cluster, "platform", off_boarding(&account.bruno.employee)).await.expect("a preview");
    assert_eq!(clients(&all), ["Client 2002", "Client 2003", "Client 2004"]);
    assert_eq!(all.ended_relationships, [ended(2004, 1001)], "Anna stays in the others");

    // Anna is Partner admin in two of the clients; without CAM access she does not learn of the third.
    let shown = preview(&cluster, ANNA, off_boarding(&account.bruno.employee)).await.expect("a preview");
    assert_eq!(clients(&shown), ["Client 2002", "Client 2003"]);
    assert_eq!(shown.clients_without_permission, Vec::<String>::new());
    let request = access::UpdateEmployeeRequest {
        employee: Some(access::Employee {
            name: account.anna.employee.clone(),
            access_role: AccessRole::ClientAccessManager.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    cluster.access().update_employee(request).await.expect("CAM access");
    assert_eq!(word(&confirm(&cluster, ANNA, leaving_all(&shown.token)).await), "STALE_PREVIEW");
    let shown = preview(&cluster, ANNA, off_boarding(&account.bruno.employee)).await.expect("a preview");
    assert_eq!(clients(&shown), ["Client 2002", "Client 2003"]);
    assert_eq!(shown.clients_without_permission, ["clients/2004"]);

    // The client's super admin sees the own account only.
    let of_boss = preview(&cluster, BOSS, off_boarding(&account.bruno.employee)).await.expect("a preview");
    assert_eq!((clients(&of_boss), of_boss.clients_without_permission), (vec!["Client 2002".to_owned()], vec![]));
    for (actor, expected) in [
        // CAM access is not enough anywhere (R28).
        (CAM, "PERMISSION_MISSING"),
        (BRUNO, "PERMISSION_MISSING"),
        (STRANGER, "UNKNOWN_EMPLOYEE"),
        (CARLA, "UNKNOWN_EMPLOYEE"),
    ] {
        let outcome = preview(&cluster, actor, off_boarding(&account.bruno.employee)).await;
        assert_eq!(word(&outcome), expected, "{actor}");
        let nobody = format!("{PARTNER}/employees/0190a0b0-0000-7000-8000-000000000001");
        let unknown = preview(&cluster, actor, off_boarding(&nobody)).await;
        let expected = if actor == CAM { "UNKNOWN_EMPLOYEE" } else { expected };
        assert_eq!(word(&unknown), expected, "{actor} about nobody");
    }

    let removed = confirm(&cluster, ANNA, leaving_all(&shown.token)).await.expect("a removal");
    let removed: Vec<bool> = removed.client_users.iter().map(|user| user.name.starts_with("clients/2004")).collect();
    assert_eq!(removed, [false, false]);
    // Deleted in the partner account, the employee can still be removed from where it is.
    let request = access::DeleteEmployeeRequest { name: account.bruno.employee.clone(), ..Default::default() };
    cluster.access().delete_employee(request).await.expect("deleted");
    let rest = preview(&cluster, "platform", off_boarding(&account.bruno.employee)).await.expect("a preview");
    assert_eq!(clients(&rest), ["Client 2004"]);
    confirm(&cluster, "platform", leaving_all(&rest.token)).await.expect("a removal");
    let none = preview(&cluster, "platform", off_boarding(&account.bruno.employee)).await.expect_err("nowhere");
    assert_eq!(reason(&none), "NOBODY_TO_REMOVE");
});

on_both_databases!(what_is_wrong_with_a_wizard_request_is_reported_at_once, |cluster| {
    let account = Account::open(&cluster).await;
    let nothing = preview(&cluster, BOSS, PreviewRemovalRequest::default()).await.expect_err("no selection");
    assert_eq!(fields(&nothing), ["selection"]);
    let selection = ClientSelection {
        client: "clients/x".to_owned(),
        partner: PARTNER.to_owned(),
        employees: vec![
            account.anna.employee.clone(),
            account.anna.employee.clone(),
            account.anna.employee.replace("1001", "1002"),
            "nobody".to_owned(),
        ],
    };
    let wrong = PreviewRemovalRequest { selection: Some(Selection::Client(selection)) };
    let refused = preview(&cluster, BOSS, wrong).await.expect_err("all of it is wrong");
    let expected = ["client.client", "client.employees[1]", "client.employees[2]", "client.employees[3]"];
    assert_eq!(fields(&refused), expected);

    let asset = format!("{CLIENT}/assets/a");
    let wrong = ConfirmRemovalRequest {
        decisions: vec![
            AssetDecision { asset: asset.clone(), new_owner: "x".to_owned() },
            AssetDecision { asset, new_owner: String::new() },
        ],
        default_decision: Some(DefaultDecision::LeaveWithoutOwner(false)),
        ..confirmation("?")
    };
    let refused = confirm(&cluster, BOSS, wrong).await.expect_err("all of it is wrong");
    let expected = ["token", "decisions[0].new_owner", "decisions[1].asset", "leave_without_owner"];
    assert_eq!(fields(&refused), expected);
    for token in ["", "AAAA", "CgA"] {
        let refused = confirm(&cluster, BOSS, leaving_all(token)).await.expect_err("no token");
        assert_eq!(fields(&refused), ["token"], "{token}");
    }
});

on_both_databases!(of_two_who_confirm_at_once_one_removes, |cluster| {
    let account = Account::open(&cluster).await;
    keep(&cluster, 2002, &[asset(2002, "a", &account.bruno.user)]).await;
    let shown = preview(&cluster, BOSS, from_client(&[])).await.expect("a preview");
    let before = newest_position(&cluster).await;
    let (one, other) = tokio::join!(
        confirm(&cluster, BOSS, leaving_all(&shown.token)),
        confirm(&cluster, "platform", leaving_all(&shown.token)),
    );
    let mut words = [word(&one), word(&other)];
    words.sort();
    assert_eq!(words, ["NOBODY_TO_REMOVE", "OK"]);
    assert_eq!(newest_position(&cluster).await, before + 3, "one reassignment, two removals");
});

on_both_databases!(a_confirmation_is_safe_to_repeat_with_its_request_id, |cluster| {
    let account = Account::open(&cluster).await;
    let shown = preview(&cluster, ANNA, from_client(&[&account.bruno.employee])).await.expect("a preview");
    let request_id = "0190a0b0-0000-7000-8000-0000000000aa".to_owned();
    let request = ConfirmRemovalRequest { request_id, ..leaving_all(&shown.token) };
    let first = confirm(&cluster, ANNA, request.clone()).await.expect("a removal");
    let repeat = confirm(&cluster, ANNA, request).await.expect("the first answer");
    assert_eq!(first, repeat);
});

on_both_databases!(r127_of_other_partners_that_employ_a_removed_one_only_the_platform_hears, |cluster| {
    let account = Account::open(&cluster).await;
    cluster.partner(1002, &[]).await;
    cluster.employee_with(1002, "both@freelance.example", AccessRole::None).await;
    let both = cluster.employee_with(1001, "both@freelance.example", AccessRole::None).await;
    cluster.user_with(2002, "both@freelance.example", "STANDARD").await;
    cluster.clock.set(at("2026-01-06T09:00:00Z"));
    let everybody = [account.anna.employee.as_str(), &account.bruno.employee, &both];
    let shown = preview(&cluster, "platform", from_client(&everybody)).await.expect("a preview");
    assert_eq!(shown.ended_relationships, [ended(2002, 1001), ended(2002, 1002)]);
    let shown = preview(&cluster, ANNA, from_client(&everybody)).await.expect("a preview");
    assert_eq!(shown.ended_relationships, [ended(2002, 1001)]);
    let removed = confirm(&cluster, ANNA, leaving_all(&shown.token)).await.expect("a removal");
    assert_eq!(removed.ended_relationships, [ended(2002, 1001)]);
});

on_both_databases!(a_preview_that_clients_could_not_read_is_refused, |cluster| {
    let account = Account::open(&cluster).await;
    for portion in 0..5 {
        let ids = (0..1_000).map(|number| format!("n{portion}-{number}"));
        let long = |id: String| Asset {
            display_name: "\u{1F4C4}".repeat(200),
            ..asset(2002, &id, if portion < 4 { &account.bruno.user } else { &account.anna.user })
        };
        keep(&cluster, 2002, &ids.map(long).collect::<Vec<_>>()).await;
    }
    assert_eq!(word(&preview(&cluster, BOSS, from_client(&[])).await), "LIMIT_REACHED");
    let fewer = preview(&cluster, BOSS, from_client(&[&account.bruno.employee])).await.expect("it can be read");
    assert_eq!(fewer.assets.len(), 4_000);
});

on_both_databases!(more_assets_than_one_removal_gives_away_are_too_many, |cluster| {
    let account = Account::open(&cluster).await;
    for portion in 0..10 {
        let ids = (0..1_000).map(|number| format!("n{portion}-{number}"));
        let assets: Vec<Asset> = ids.map(|id| asset(2002, &id, &account.bruno.user)).collect();
        keep(&cluster, 2002, &assets).await;
    }
    let shown = preview(&cluster, ANNA, from_client(&[])).await.expect("as many as may be");
    assert_eq!((shown.assets.len(), shown.removals[1].asset_count), (10_000, 10_000));
    keep(&cluster, 2002, &[asset(2002, "one-more", &account.bruno.user)]).await;
    assert_eq!(word(&preview(&cluster, ANNA, from_client(&[])).await), "LIMIT_REACHED");
    assert_eq!(word(&confirm(&cluster, ANNA, leaving_all(&shown.token)).await), "LIMIT_REACHED");
});

on_both_databases!(r27_who_registers_another_partners_contractor_may_not_remove_them, |cluster| {
    const FREELANCE: &str = "freelance@nobody.example";
    let account = Account::open(&cluster).await;
    cluster.partner(1002, &[]).await;
    cluster.employee_with(1002, FREELANCE, AccessRole::None).await;
    let theirs = cluster.user_with(2002, FREELANCE, "STANDARD").await;
    cluster.clock.set(at("2026-01-06T09:00:00Z"));
    let registered = cluster.employee_since(1001, FREELANCE, "2026-01-06T08:00:00Z").await.expect("an employee");

    let request = access::RemoveClientUserRequest { name: theirs.clone(), ..Default::default() };
    let refused = cluster.access().remove_client_user(by(ANNA, request.clone())).await.expect_err("not her colleague");
    assert_eq!(reason(&refused), "PERMISSION_MISSING");
    assert_eq!(word(&preview(&cluster, ANNA, from_client(&[&registered])).await), "PERMISSION_MISSING");
    let all = preview(&cluster, ANNA, from_client(&[])).await.expect("a preview");
    let users: Vec<&str> =
        all.removals.iter().filter_map(|removal| Some(removal.client_user.as_ref()?.name.as_str())).collect();
    assert_eq!(users, [account.anna.user.as_str(), &account.bruno.user]);
    assert_eq!((all.clients_without_permission, all.ended_relationships), (vec![CLIENT.to_owned()], vec![]));
    // Whoever it is, the client's super admin may remove them.
    cluster.access().remove_client_user(by(BOSS, request)).await.expect("removed");
});
