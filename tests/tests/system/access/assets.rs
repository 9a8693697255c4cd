//! What client users own.

use contracts::wire::access::{self, AccessRole, Asset, Notice};
use system_tests::{Cluster, by, fields, on_both_databases, reason};
use tonic::{Code, Response, Status};

const BOSS: &str = "boss@client.example";
const ANNA: &str = "anna@agency.example";
const BRUNO: &str = "bruno@agency.example";
const CARLA: &str = "carla@client.example";
const CLIENT: &str = "clients/2002";

/// A client account with its super admin, two of its own people, and two of an agency, of whom Anna is Partner admin.
struct Account {
    anna: String,
    bruno: String,
    carla: String,
}

impl Account {
    async fn open(cluster: &Cluster) -> Self {
        cluster.partner(1001, &["agency.example"]).await;
        cluster.client(2002, "US").await;
        cluster.employee_with(1001, ANNA, AccessRole::None).await;
        cluster.employee_with(1001, BRUNO, AccessRole::None).await;
        cluster.user_with(2002, BOSS, "SUPER_ADMIN").await;
        Self {
            anna: cluster.user_with(2002, ANNA, "PARTNER_ADMIN").await,
            bruno: cluster.user_with(2002, BRUNO, "STANDARD").await,
            carla: cluster.user_with(2002, CARLA, "STANDARD").await,
        }
    }
}

fn asset(id: &str, owner: &str) -> Asset {
    Asset {
        name: format!("{CLIENT}/assets/{id}"),
        kind: "workflow".to_owned(),
        display_name: format!("Asset {id}"),
        owner: owner.to_owned(),
    }
}

async fn update(cluster: &Cluster, assets: &[Asset], deleted: &[&str]) -> Result<i32, Status> {
    let request = access::BatchUpdateAssetsRequest {
        parent: CLIENT.to_owned(),
        assets: assets.to_vec(),
        deleted_assets: deleted.iter().map(|id| format!("{CLIENT}/assets/{id}")).collect(),
        ..Default::default()
    };
    Ok(cluster.access().batch_update_assets(request).await?.into_inner().asset_count)
}

async fn list(
    cluster: &Cluster,
    actor: &str,
    request: access::ListAssetsRequest,
) -> Result<access::ListAssetsResponse, Status> {
    let request = access::ListAssetsRequest { parent: CLIENT.to_owned(), ..request };
    cluster.access().list_assets(by(actor, request)).await.map(Response::into_inner)
}

/// The ids that the actor sees, in order; or why it sees none.
async fn seen(cluster: &Cluster, actor: &str) -> Result<Vec<String>, String> {
    let listed = list(cluster, actor, access::ListAssetsRequest::default()).await.map_err(|status| reason(&status))?;
    Ok(listed.assets.iter().map(id).collect())
}

fn id(asset: &Asset) -> String {
    asset.name.rsplit('/').next().unwrap_or_default().to_owned()
}

on_both_databases!(assets_are_kept_replaced_as_a_whole_and_forgotten, |cluster| {
    let account = Account::open(&cluster).await;
    let first = [asset("a", &account.anna), asset("b", &account.bruno), asset("c", "")];
    assert_eq!(update(&cluster, &first, &[]).await.expect("kept"), 3);

    let renamed = Asset { display_name: "Another".to_owned(), kind: "form".to_owned(), ..asset("b", &account.carla) };
    assert_eq!(update(&cluster, std::slice::from_ref(&renamed), &["a", "never-was"]).await.expect("kept"), 2);
    let listed = list(&cluster, "platform", access::ListAssetsRequest::default()).await.expect("assets");
    assert_eq!(listed.assets, [renamed, asset("c", "")]);
});

on_both_databases!(assets_are_kept_all_or_none_and_owned_only_by_who_is_there, |cluster| {
    let account = Account::open(&cluster).await;
    update(&cluster, &[asset("a", &account.anna)], &[]).await.expect("kept");
    let gone = cluster.user(2002, "gone@client.example").await;
    cluster.remove(&gone, "2025-01-01").await.expect("a removal");
    let nobody = format!("{CLIENT}/users/0190a0b0-0000-7000-8000-000000000001");

    let assets = [asset("a", ""), asset("b", &gone), asset("c", &account.anna), asset("d", &nobody)];
    let refused = update(&cluster, &assets, &[]).await.expect_err("two owners are not there");
    assert_eq!(
        (fields(&refused), refused.code()),
        (vec!["assets[1].owner".to_owned(), "assets[3].owner".to_owned()], Code::InvalidArgument)
    );
    let listed = list(&cluster, "platform", access::ListAssetsRequest::default()).await.expect("assets");
    assert_eq!(listed.assets, [asset("a", &account.anna)], "nothing of it was kept");
});

on_both_databases!(everything_that_is_wrong_with_assets_is_reported_at_once, |cluster| {
    let account = Account::open(&cluster).await;
    let wrong = [
        Asset { name: "clients/2003/assets/a".to_owned(), ..asset("a", "") },
        Asset { kind: "Work flow".to_owned(), display_name: " ".to_owned(), ..asset("b", "clients/2003/users/x") },
        asset("c", &account.anna.replace("2002", "2003")),
        asset("d", ""),
        asset("d", ""),
    ];
    let refused = update(&cluster, &wrong, &["c"]).await.expect_err("all of it is wrong");
    assert_eq!(
        fields(&refused),
        [
            "assets[0].name",
            "assets[1].kind",
            "assets[1].display_name",
            "assets[1].owner",
            "assets[2].name",
            "assets[2].owner",
            "assets[4].name"
        ]
    );
    let none = update(&cluster, &[], &[]).await.expect_err("nothing to do");
    assert_eq!(fields(&none), ["assets"]);
    let too_many: Vec<Asset> = (0..1_001).map(|number| asset(&number.to_string(), "")).collect();
    assert_eq!(fields(&update(&cluster, &too_many, &[]).await.expect_err("too many")), ["assets"]);
    assert_eq!(update(&cluster, &too_many[..1_000], &[]).await.expect("as many as may be"), 1_000);
});

on_both_databases!(who_sees_what_is_owned_in_a_client_account, |cluster| {
    let account = Account::open(&cluster).await;
    cluster.employee_with(1001, "cam@agency.example", AccessRole::ClientAccessManager).await;
    let assets = [asset("a", &account.anna), asset("b", &account.bruno), asset("c", &account.carla), asset("d", "")];
    update(&cluster, &assets, &[]).await.expect("kept");
    let ids = |text: &str| Ok(text.split(' ').map(str::to_owned).collect::<Vec<_>>());
    let refused = |reason: &str| Err(reason.to_owned());
    for (actor, expected) in [
        ("platform", ids("a b c d")),
        (BOSS, ids("a b c d")),
        // A Partner admin: what the own partner's employees own.
        (ANNA, ids("a b")),
        (BRUNO, refused("PERMISSION_MISSING")),
        (CARLA, refused("PERMISSION_MISSING")),
        // R127: to who has nothing to do with the client, it does not exist.
        ("cam@agency.example", refused("UNKNOWN_CLIENT")),
        ("stranger@nowhere.example", refused("UNKNOWN_CLIENT")),
    ] {
        assert_eq!(seen(&cluster, actor).await, expected, "{actor}");
    }
    let of_carla = access::ListAssetsRequest { owner: account.carla.clone(), ..Default::default() };
    assert_eq!(list(&cluster, BOSS, of_carla.clone()).await.expect("assets").assets, [asset("c", &account.carla)]);
    assert_eq!(list(&cluster, ANNA, of_carla).await.expect("assets").assets, []);
    let update = access::BatchUpdateAssetsRequest {
        parent: CLIENT.to_owned(),
        assets: vec![asset("e", "")],
        ..Default::default()
    };
    let refused = cluster.access().batch_update_assets(by(BOSS, update)).await.expect_err("the vendor's facts");
    assert_eq!(reason(&refused), "ACTOR_NOT_ALLOWED");
    let unknown = access::ListAssetsRequest { parent: "clients/9".to_owned(), ..Default::default() };
    let unknown = cluster.access().list_assets(unknown).await.expect_err("no such client");
    assert_eq!(reason(&unknown), "UNKNOWN_CLIENT");
});

on_both_databases!(assets_are_listed_page_by_page, |cluster| {
    let account = Account::open(&cluster).await;
    let owners = [account.anna.as_str(), account.carla.as_str()];
    let assets: Vec<Asset> = (0..7).map(|number| asset(&format!("n{number}"), owners[number % 2])).collect();
    update(&cluster, &assets, &[]).await.expect("kept");
    for (actor, expected) in [(BOSS, 7), (ANNA, 4)] {
        let mut found = Vec::new();
        let mut request = access::ListAssetsRequest { page_size: 3, ..Default::default() };
        loop {
            let page = list(&cluster, actor, request.clone()).await.expect("a page");
            assert!(page.assets.len() <= 3);
            found.extend(page.assets.iter().map(id));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(found.len(), expected, "{actor}");
        assert!(found.is_sorted(), "{found:?}");
    }
    let wrong = access::ListAssetsRequest { page_token: "AAAA".to_owned(), ..Default::default() };
    assert_eq!(fields(&list(&cluster, BOSS, wrong).await.expect_err("no token")), ["page_token"]);
});

on_both_databases!(what_a_removed_user_owned_is_left_without_owner, |cluster| {
    let account = Account::open(&cluster).await;
    let assets: Vec<Asset> = (0..1_000).map(|number| asset(&format!("n{number}"), &account.bruno)).collect();
    update(&cluster, &assets, &[]).await.expect("kept");
    update(&cluster, &[asset("more", &account.bruno), asset("other", &account.anna)], &[]).await.expect("kept");
    let request = access::RemoveClientUserRequest { name: account.bruno.clone(), ..Default::default() };
    cluster.access().remove_client_user(by(ANNA, request)).await.expect("a removal");

    let of_bruno = access::ListAssetsRequest { owner: account.bruno.clone(), ..Default::default() };
    assert_eq!(list(&cluster, BOSS, of_bruno).await.expect("assets").assets, []);
    let of_anna = access::ListAssetsRequest { owner: account.anna.clone(), ..Default::default() };
    assert_eq!(list(&cluster, BOSS, of_anna).await.expect("assets").assets.len(), 1);

    let request = access::ListAccessChangesRequest { page_size: 3, ..Default::default() };
    let changes = cluster.access().list_access_changes(request).await.expect("changes").into_inner().changes;
    let reassigned = |change: &access::AccessChange| match &change.fact {
        Some(access::access_change::Fact::AssetsReassigned(reassigned)) => {
            Some((reassigned.assets.len(), reassigned.new_owner.clone(), reassigned.client_user.clone()))
        }
        _ => None,
    };
    // No change names more than a thousand.
    assert_eq!(reassigned(&changes[2]), Some((1_000, String::new(), account.bruno.clone())));
    assert_eq!(reassigned(&changes[1]), Some((1, String::new(), account.bruno.clone())));
    assert_eq!(changes[0].notices, [i32::from(Notice::Removed)]);
    assert_eq!(
        (changes[1].old_state.as_str(), changes[1].new_state.as_str()),
        (format!("OWNED_BY {}", id_of(&account.bruno)).as_str(), "NO_OWNER")
    );
});

fn id_of(user: &str) -> &str {
    user.rsplit('/').next().unwrap_or_default()
}

on_both_databases!(a_repeated_request_is_answered_as_the_first_time, |cluster| {
    let account = Account::open(&cluster).await;
    let request = access::BatchUpdateAssetsRequest {
        parent: CLIENT.to_owned(),
        assets: vec![asset("a", &account.anna)],
        request_id: "0190a0b0-0000-7000-8000-0000000000aa".to_owned(),
        ..Default::default()
    };
    cluster.access().batch_update_assets(request.clone()).await.expect("kept");
    update(&cluster, &[asset("b", "")], &["a"]).await.expect("kept");
    let repeat = cluster.access().batch_update_assets(request.clone()).await.expect("the first answer").into_inner();
    assert_eq!(repeat.asset_count, 1);
    assert_eq!(seen(&cluster, "platform").await, Ok(vec!["b".to_owned()]), "it was not done again");
    let other = access::BatchUpdateAssetsRequest { assets: vec![asset("c", "")], ..request };
    let refused = cluster.access().batch_update_assets(other).await.expect_err("other content");
    assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
});
