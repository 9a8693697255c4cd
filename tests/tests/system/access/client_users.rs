//! Users of client accounts.

use contracts::wire::access::{self, AccessRole, ClientUser, ClientUserState};
use system_tests::{Cluster, at, by, fields, metadata, on_both_databases, reason, stamp};
use tonic::{Code, Response, Status};

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

/// An agency of four and another, in a client account whose super admin is Boss.
struct Agency {
    /// Partner admin there; plain in the partner account.
    anna: String,
    /// Standard there; plain in the partner account.
    bruno: String,
    /// Standard there; of the client's own people.
    carla: String,
    /// Standard there; of the other agency.
    dario: String,
    /// Nobody there; has the Client Access Manager permission in the partner account.
    cam: &'static str,
}

const BOSS: &str = "boss@client.example";
const ANNA: &str = "anna@agency.example";
const BRUNO: &str = "bruno@agency.example";
const CARLA: &str = "carla@client.example";
const DARIO: &str = "dario@other.example";
const STRANGER: &str = "stranger@nowhere.example";
const NOBODY: &str = "clients/2002/users/0190a0b0-0000-7000-8000-000000000001";

impl Agency {
    async fn found(cluster: &Cluster) -> Self {
        cluster.partner(1001, &["agency.example"]).await;
        cluster.partner(1002, &["other.example"]).await;
        cluster.client(2002, "US").await;
        for (partner, address, role) in [
            (1001, ANNA, AccessRole::None),
            (1001, BRUNO, AccessRole::None),
            (1002, DARIO, AccessRole::SuperAdmin),
            (1001, "cam@agency.example", AccessRole::ClientAccessManager),
        ] {
            cluster.employee_with(partner, address, role).await;
        }
        cluster.user_with(2002, BOSS, "SUPER_ADMIN").await;
        Self {
            anna: cluster.user_with(2002, ANNA, "PARTNER_ADMIN").await,
            bruno: cluster.user_with(2002, BRUNO, "STANDARD").await,
            carla: cluster.user_with(2002, CARLA, "STANDARD").await,
            dario: cluster.user_with(2002, DARIO, "STANDARD").await,
            cam: "cam@agency.example",
        }
    }
}

async fn deactivate(cluster: &Cluster, actor: &str, name: &str) -> Result<ClientUser, Status> {
    let request = access::DeactivateClientUserRequest { name: name.to_owned(), ..Default::default() };
    let answer = cluster.access().deactivate_client_user(by(actor, request)).await?.into_inner();
    Ok(answer.client_user.expect("a user"))
}

async fn reactivate(cluster: &Cluster, actor: &str, name: &str) -> Result<ClientUser, Status> {
    let request = access::ReactivateClientUserRequest { name: name.to_owned(), ..Default::default() };
    let answer = cluster.access().reactivate_client_user(by(actor, request)).await?.into_inner();
    Ok(answer.client_user.expect("a user"))
}

async fn remove(cluster: &Cluster, actor: &str, name: &str) -> Result<ClientUser, Status> {
    let request = access::RemoveClientUserRequest { name: name.to_owned(), ..Default::default() };
    let answer = cluster.access().remove_client_user(by(actor, request)).await?.into_inner();
    Ok(answer.client_user.expect("a user"))
}

async fn get(cluster: &Cluster, actor: &str, name: &str) -> Result<ClientUser, Status> {
    let request = access::GetClientUserRequest { name: name.to_owned() };
    let answer = cluster.access().get_client_user(by(actor, request)).await?.into_inner();
    Ok(answer.client_user.expect("a user"))
}

async fn list(
    cluster: &Cluster,
    actor: &str,
    request: access::ListClientUsersRequest,
) -> Result<access::ListClientUsersResponse, Status> {
    let request = access::ListClientUsersRequest { parent: "clients/2002".to_owned(), ..request };
    cluster.access().list_client_users(by(actor, request)).await.map(Response::into_inner)
}

/// What became of a call, in a word.
fn word<T>(outcome: &Result<T, Status>) -> String {
    outcome.as_ref().map_or_else(reason, |_| "OK".to_owned())
}

on_both_databases!(r27_who_may_deactivate_whom_in_a_client_account, |cluster| {
    let agency = Agency::found(&cluster).await;
    const MISSING: &str = "PERMISSION_MISSING";
    const UNKNOWN: &str = "UNKNOWN_CLIENT_USER";
    for (actor, of_bruno, of_carla, of_dario, of_nobody) in [
        // The client's super admin: everybody.
        (BOSS, "OK", "OK", "OK", UNKNOWN),
        // A Partner admin: the own partner's employees only, and learns of nobody else (R127).
        (ANNA, "OK", MISSING, MISSING, MISSING),
        // Others who work there.
        (BRUNO, MISSING, MISSING, MISSING, MISSING),
        (CARLA, MISSING, MISSING, MISSING, MISSING),
        // R28: a role in the partner account is not enough, and shows the own people only.
        (agency.cam, MISSING, UNKNOWN, UNKNOWN, UNKNOWN),
        (STRANGER, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
        ("platform", "OK", "OK", "OK", UNKNOWN),
    ] {
        for (name, expected) in [
            (agency.bruno.as_str(), of_bruno),
            (agency.carla.as_str(), of_carla),
            (agency.dario.as_str(), of_dario),
            (NOBODY, of_nobody),
        ] {
            let outcome = deactivate(&cluster, actor, name).await;
            assert_eq!(word(&outcome), expected, "{actor} {name}");
            if expected == "OK" {
                assert_eq!(outcome.expect("a user").state(), ClientUserState::Deactivated);
                let back = reactivate(&cluster, actor, name).await.expect("a user");
                assert_eq!(back.state(), ClientUserState::Active, "{actor} {name}");
            } else {
                assert_eq!(word(&reactivate(&cluster, actor, name).await), expected, "{actor} {name}");
                assert_eq!(word(&remove(&cluster, actor, name).await), expected, "{actor} {name}");
            }
        }
    }
    // What does not exist is told from what may not be seen by nothing.
    let unknown = deactivate(&cluster, STRANGER, NOBODY).await.expect_err("a stranger");
    let hidden = deactivate(&cluster, STRANGER, &agency.bruno).await.expect_err("a stranger");
    assert_eq!(unknown.message().replace(NOBODY, ""), hidden.message().replace(&agency.bruno, ""));
    assert_eq!(remove(&cluster, ANNA, &agency.bruno).await.expect("a user").state(), ClientUserState::Removed);
});

on_both_databases!(r27_a_partner_admin_manages_nobody_any_more_once_it_is_deactivated, |cluster| {
    let agency = Agency::found(&cluster).await;
    deactivate(&cluster, BOSS, &agency.anna).await.expect("a user");
    let outcome = deactivate(&cluster, ANNA, &agency.bruno).await;
    assert_eq!(word(&outcome), "PERMISSION_MISSING");
    assert!(outcome.expect_err("deactivated").message().contains("Partner admin"));
});

on_both_databases!(r39_an_illegal_transition_names_the_state, |cluster| {
    let agency = Agency::found(&cluster).await;
    let active = reactivate(&cluster, BOSS, &agency.bruno).await.expect_err("active");
    assert_eq!((reason(&active).as_str(), metadata(&active, "state").as_str()), ("ILLEGAL_TRANSITION", "active"));
    deactivate(&cluster, BOSS, &agency.bruno).await.expect("a user");
    let again = deactivate(&cluster, BOSS, &agency.bruno).await.expect_err("deactivated");
    assert_eq!((reason(&again).as_str(), metadata(&again, "state").as_str()), ("ILLEGAL_TRANSITION", "deactivated"));
    remove(&cluster, BOSS, &agency.bruno).await.expect("a user");
    let gone = reactivate(&cluster, BOSS, &agency.bruno).await.expect_err("removed");
    assert_eq!((reason(&gone).as_str(), metadata(&gone, "state").as_str()), ("ILLEGAL_TRANSITION", "removed"));
});

on_both_databases!(a_client_user_that_changed_since_it_was_read_is_not_changed, |cluster| {
    let agency = Agency::found(&cluster).await;
    let read = get(&cluster, BOSS, &agency.bruno).await.expect("a user");
    let asked = || access::DeactivateClientUserRequest {
        name: agency.bruno.clone(),
        etag: read.etag.clone(),
        ..Default::default()
    };
    cluster.access().deactivate_client_user(asked()).await.expect("what was read is what is there");
    let stale = cluster.access().deactivate_client_user(asked()).await.expect_err("changed since");
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    let present = get(&cluster, BOSS, &agency.bruno).await.expect("a user");
    assert_eq!(metadata(&stale, "etag"), present.etag);
});

on_both_databases!(only_the_clients_own_side_creates_and_updates_its_users, |cluster| {
    let agency = Agency::found(&cluster).await;
    let create = async |actor: &str, address: &str| {
        let client_user = ClientUser {
            email_address: address.to_owned(),
            display_name: "New".to_owned(),
            permission_set: "MARKETING".to_owned(),
            ..Default::default()
        };
        let (parent, client_user) = ("clients/2002".to_owned(), Some(client_user));
        let request = access::CreateClientUserRequest { parent, client_user, ..Default::default() };
        word(&cluster.access().create_client_user(by(actor, request)).await)
    };
    let update = async |actor: &str, name: &str, permission_set: &str| {
        let (name, permission_set) = (name.to_owned(), permission_set.to_owned());
        let client_user = Some(ClientUser { name, permission_set, ..Default::default() });
        let request = access::UpdateClientUserRequest { client_user, ..Default::default() };
        cluster.access().update_client_user(by(actor, request)).await.map(|answer| {
            let answer = answer.into_inner();
            (answer.client_user.expect("a user"), answer.revision)
        })
    };
    for (actor, refused) in [
        (ANNA, "PERMISSION_MISSING"),
        (CARLA, "PERMISSION_MISSING"),
        (agency.cam, "UNKNOWN_CLIENT"),
        (STRANGER, "UNKNOWN_CLIENT"),
    ] {
        assert_eq!(create(actor, "new@client.example").await, refused, "{actor}");
        assert_eq!(word(&update(actor, &agency.bruno, "SUPER_ADMIN").await), refused, "{actor}");
        assert_eq!(word(&update(actor, NOBODY, "SUPER_ADMIN").await), refused, "{actor}");
    }
    assert_eq!(create(BOSS, "new@client.example").await, "OK");
    assert_eq!(create(BOSS, "new@client.example").await, "CLIENT_USER_EXISTS");
    assert_eq!(word(&update(BOSS, NOBODY, "SALES").await), "UNKNOWN_CLIENT_USER");

    let (updated, revision) = update(BOSS, &agency.bruno, "SALES").await.expect("a user");
    assert_eq!((updated.permission_set.as_str(), updated.display_name.as_str()), ("SALES", "bruno"));
    let (same, unchanged) = update(BOSS, &agency.bruno, "SALES").await.expect("a user");
    assert_eq!((same, unchanged), (updated, revision), "what changes nothing is not recorded");
    assert_eq!(word(&update(BOSS, &agency.bruno, "NO_SUCH_SET").await), "INVALID_FIELDS");
    remove(&cluster, BOSS, &agency.bruno).await.expect("a user");
    assert_eq!(word(&update(BOSS, &agency.bruno, "SALES").await), "ILLEGAL_TRANSITION");
    assert_eq!(word(&update(BOSS, &agency.bruno, "SERVICE").await), "ILLEGAL_TRANSITION");
});

on_both_databases!(everything_that_is_wrong_with_an_update_is_reported_at_once, |cluster| {
    let client_user = ClientUser { name: "users/1".to_owned(), display_name: " ".to_owned(), ..Default::default() };
    let paths = ["display_name", "permission_set", "state"].map(str::to_owned).to_vec();
    let request = access::UpdateClientUserRequest {
        client_user: Some(client_user),
        update_mask: Some(prost_types::FieldMask { paths }),
        request_id: "7".to_owned(),
        ..Default::default()
    };
    let refused = cluster.access().update_client_user(request).await.expect_err("all of it is wrong");
    assert_eq!(
        fields(&refused),
        [
            "request_id",
            "client_user.name",
            "update_mask.paths[2]",
            "client_user.display_name",
            "client_user.permission_set"
        ]
    );
});

on_both_databases!(an_unknown_permission_set_is_reported_at_its_field, |cluster| {
    cluster.client(2002, "US").await;
    let user = cluster.user(2002, "somebody@client.example").await;
    let permission_set = "EVERYTHING".to_owned();
    let client_user = Some(ClientUser { name: user, permission_set: permission_set.clone(), ..Default::default() });
    let request = access::UpdateClientUserRequest { client_user, ..Default::default() };
    let refused = cluster.access().update_client_user(request).await.expect_err("not in the policy");
    assert_eq!(fields(&refused), ["client_user.permission_set"]);

    let client_user = Some(ClientUser {
        email_address: "new@client.example".to_owned(),
        display_name: "New".to_owned(),
        permission_set,
        ..Default::default()
    });
    let request =
        access::CreateClientUserRequest { parent: "clients/2002".to_owned(), client_user, ..Default::default() };
    let refused = cluster.access().create_client_user(request).await.expect_err("not in the policy");
    assert_eq!(fields(&refused), ["client_user.permission_set"]);
});

on_both_databases!(r127_a_client_user_is_seen_by_whom_it_concerns, |cluster| {
    let agency = Agency::found(&cluster).await;
    const MISSING: &str = "PERMISSION_MISSING";
    const UNKNOWN: &str = "UNKNOWN_CLIENT_USER";
    for (actor, of_bruno, of_carla, of_nobody) in [
        ("platform", "OK", "OK", UNKNOWN),
        (BOSS, "OK", "OK", UNKNOWN),
        (ANNA, "OK", MISSING, MISSING),
        // The user itself.
        (BRUNO, "OK", MISSING, MISSING),
        (CARLA, MISSING, "OK", MISSING),
        // Whose employee it is.
        (agency.cam, "OK", UNKNOWN, UNKNOWN),
        (DARIO, MISSING, MISSING, MISSING),
        (STRANGER, UNKNOWN, UNKNOWN, UNKNOWN),
    ] {
        for (name, expected) in
            [(agency.bruno.as_str(), of_bruno), (agency.carla.as_str(), of_carla), (NOBODY, of_nobody)]
        {
            assert_eq!(word(&get(&cluster, actor, name).await), expected, "{actor} {name}");
        }
    }
    remove(&cluster, BOSS, &agency.bruno).await.expect("a user");
    let removed = get(&cluster, agency.cam, &agency.bruno).await.expect("also a removed one");
    assert_eq!(removed.state(), ClientUserState::Removed);
});

on_both_databases!(the_users_of_a_client_account_are_listed_by_address_for_who_manages_them, |cluster| {
    let agency = Agency::found(&cluster).await;
    let addresses = |answer: access::ListClientUsersResponse| -> Vec<String> {
        answer.client_users.into_iter().map(|user| user.email_address).collect()
    };
    let everybody = Default::default;
    let of_boss = list(&cluster, BOSS, everybody()).await.expect("users");
    assert_eq!(of_boss.total_size, 5);
    assert_eq!(addresses(of_boss), [ANNA, BOSS, BRUNO, CARLA, DARIO]);
    assert_eq!(addresses(list(&cluster, ANNA, everybody()).await.expect("users")), [ANNA, BRUNO]);
    for (actor, refused) in [
        (BRUNO, "PERMISSION_MISSING"),
        (CARLA, "PERMISSION_MISSING"),
        (agency.cam, "UNKNOWN_CLIENT"),
        (STRANGER, "UNKNOWN_CLIENT"),
    ] {
        assert_eq!(word(&list(&cluster, actor, everybody()).await), refused, "{actor}");
    }

    deactivate(&cluster, BOSS, &agency.dario).await.expect("a user");
    remove(&cluster, BOSS, &agency.bruno).await.expect("a user");
    let in_states = |states: &[ClientUserState]| access::ListClientUsersRequest {
        states: states.iter().map(|state| (*state).into()).collect(),
        ..Default::default()
    };
    for (states, expected) in [
        (&[][..], &[ANNA, BOSS, CARLA, DARIO][..]),
        (&[ClientUserState::Removed], &[BRUNO]),
        (&[ClientUserState::Removed, ClientUserState::Deactivated], &[BRUNO, DARIO]),
    ] {
        assert_eq!(addresses(list(&cluster, BOSS, in_states(states)).await.expect("users")), expected, "{states:?}");
    }
    let search = |search: &str| access::ListClientUsersRequest { search: search.to_owned(), ..Default::default() };
    assert_eq!(addresses(list(&cluster, BOSS, search("ÁNN")).await.expect("users")), [ANNA]);
    assert_eq!(addresses(list(&cluster, BOSS, search("Client.EXAMPLE")).await.expect("users")), [BOSS, CARLA]);

    let wrong = access::ListClientUsersRequest {
        search: "x".repeat(201),
        states: vec![0, 9],
        page_size: 1_001,
        page_token: "?".to_owned(),
        ..Default::default()
    };
    let refused = list(&cluster, BOSS, wrong).await.expect_err("all of it is wrong");
    assert_eq!(fields(&refused), ["search", "states[0]", "states[1]", "page_size", "page_token"]);
});

on_both_databases!(the_users_of_a_client_account_come_in_pages, |cluster| {
    cluster.client(2002, "US").await;
    // The same address again is another user, and comes after the first.
    for address in ["b@client.example", "a@client.example"] {
        let first = cluster.user(2002, address).await;
        cluster.remove(&first, "2025-01-01").await.expect("a removal");
        cluster.user_since(2002, address, "2025-02-01").await.expect("a user");
    }
    let all = vec![ClientUserState::Active.into(), ClientUserState::Removed.into()];
    let mut seen = Vec::new();
    let mut page_token = String::new();
    loop {
        let request =
            access::ListClientUsersRequest { states: all.clone(), page_size: 1, page_token, ..Default::default() };
        let page = list(&cluster, "platform", request).await.expect("a page");
        assert_eq!((page.client_users.len(), page.total_size), (1, 4));
        seen.extend(page.client_users.iter().map(|user| format!("{} {:?}", user.email_address, user.state())));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(
        seen,
        ["a@client.example Removed", "a@client.example Active", "b@client.example Removed", "b@client.example Active"]
    );
    let unknown = access::ListClientUsersRequest { parent: "clients/9999".to_owned(), ..Default::default() };
    let unknown = cluster.access().list_client_users(unknown).await.expect_err("unknown");
    assert_eq!(reason(&unknown), "UNKNOWN_CLIENT");
});

on_both_databases!(r22_people_do_not_date_what_they_do, |cluster| {
    let agency = Agency::found(&cluster).await;
    cluster.clock.set(at("2026-01-02"));
    deactivate(&cluster, ANNA, &agency.bruno).await.expect("a user");
    cluster.clock.set(at("2026-01-03"));
    let back = reactivate(&cluster, ANNA, &agency.bruno).await.expect("a user");
    assert_eq!(back.start_time, Some(stamp("2026-01-01")), "the same user");
    // A change of now is dated now, and a person cannot date it otherwise (R22).
    let request = access::DeactivateClientUserRequest {
        name: agency.bruno,
        effective_time: Some(stamp("2025-12-31")),
        ..Default::default()
    };
    let dated = cluster.access().deactivate_client_user(by(ANNA, request)).await.expect_err("dated by a person");
    assert_eq!(fields(&dated), ["effective_time"]);
});
