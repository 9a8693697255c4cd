//! Two partners that share a client. Whatever is the first one's has a name that no answer to others may hold.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::wire::access::{self, AccessRole, Asset};
use contracts::wire::credit::{IssueStatementRequest, SaleKind, Tier};
use domain::policy::Policy;
use system_tests::{Cluster, by, stamp};

use super::names::Names;

const ANNA: &str = "anna@agency.example";
const CARLA: &str = "carla@agency.example";
const BRUNO: &str = "bruno@agency.example";
const BOSS: &str = "boss@client.example";
const DORA: &str = "dora@other.example";
const EVE: &str = "eve@other.example";

/// Since when everybody is there.
const LONG_AGO: &str = "2024-01-01";

/// What no answer to an outsider may hold, beside the ids that the services gave.
const TELLING: [&str; 20] = [
    "partners/1001",
    "partner 1001",
    "clients/2001",
    "client 2001",
    "agency.example",
    "client.example",
    "Agenzia Aurora",
    "Anna Altieri",
    "Bruno Bassi",
    "Carla Conti",
    "Bianca Boss",
    "Cantina Colombo",
    "7777",
    "4321",
    "statements/2025-11",
    "winter-campaign",
    "spring-campaign",
    "form-aurora",
    "main-plan",
    "deal-aurora",
];

/// What the walk is aimed at.
pub struct World {
    /// Theirs.
    pub theirs: Names,
    /// The same of a partner, a client and people that never were.
    pub nobodys: Names,
    /// What never was, of the partner and the client that are.
    pub nothing: Names,
    /// What no answer to an outsider may hold.
    pub telling: Vec<String>,
}

impl World {
    pub async fn make(cluster: &Cluster) -> Self {
        accounts(cluster).await;
        let anna = employee(cluster, 1001, ANNA, "Anna Altieri", AccessRole::SuperAdmin).await;
        let carla = employee(cluster, 1001, CARLA, "Carla Conti", AccessRole::ClientAccessManager).await;
        let bruno = employee(cluster, 1001, BRUNO, "Bruno Bassi", AccessRole::None).await;
        employee(cluster, 1002, DORA, "Dora Doria", AccessRole::SuperAdmin).await;
        let eve = employee(cluster, 1002, EVE, "Eve Esposito", AccessRole::None).await;

        for client in [2001, 2002] {
            user(cluster, client, BOSS, "Bianca Boss", "SUPER_ADMIN").await;
        }
        user(cluster, 2001, ANNA, "Anna Altieri", "PARTNER_ADMIN").await;
        user(cluster, 2001, BRUNO, "Bruno Bassi", "STANDARD").await;
        let carla_there = user(cluster, 2001, CARLA, "Carla Conti", "STANDARD").await;
        user(cluster, 2002, ANNA, "Anna Altieri", "PARTNER_ADMIN").await;
        let carla_shared = user(cluster, 2002, CARLA, "Carla Conti", "STANDARD").await;
        let dora_shared = user(cluster, 2002, DORA, "Dora Doria", "PARTNER_ADMIN").await;
        cluster.link(&eve, 2002, LONG_AGO).await;
        // The client's own side acts on one of the other partner's people: its audit log must not say who.
        deactivate_and_reactivate(cluster, &dora_shared).await;

        own_things(cluster, &carla_there, &carla_shared, &dora_shared).await;
        work(cluster).await;
        credit(cluster).await;
        let (link, token) = access_link(cluster, &carla).await;
        let removal = removal_token(cluster).await;

        let mut theirs = Names::default();
        theirs.set("partner", "1001");
        theirs.set("client", "2001");
        theirs.set("shared", "2002");
        theirs.set("other", "1002");
        theirs.set("employee", id(&carla));
        theirs.set("eve", id(&eve));
        theirs.set("user", id(&carla_there));
        theirs.set("shared_user", id(&carla_shared));
        theirs.set("address", CARLA);
        theirs.set("link", id(&link));
        theirs.set("token", &token);
        theirs.set("removal", &removal);
        theirs.set("activity", "winter-campaign");
        theirs.set("shared_activity", "spring-campaign");
        theirs.set("client_activity", "of-the-client");
        theirs.set("asset", "form-aurora");
        theirs.set("subscription", "main-plan");
        theirs.set("sold", "deal-aurora");
        theirs.set("month", "2025-11");
        theirs.set("own_month", "2025-12");
        theirs.set("domain", "agency.example");
        theirs.set("policy", Policy::embedded().document());

        let ids = [&anna, &carla, &bruno, &carla_there, &carla_shared, &link].map(|name| id(name).to_owned());
        let telling = TELLING.map(str::to_owned).into_iter().chain(ids).chain([token]).collect();
        let nothing = nothing(&theirs);
        let mut nobodys = nothing.clone();
        nobodys.set("partner", "1999");
        nobodys.set("client", "2999");
        nobodys.set("removal", removal_of_nobody(theirs.get("removal")));
        Self { nobodys: theirs.but(&nobodys), nothing: theirs.but(&nothing), theirs, telling }
    }
}

/// Other meanings for the words of what is of a partner or a client.
fn nothing(theirs: &Names) -> Names {
    let mut names = Names::default();
    for (number, word) in ["employee", "user", "shared_user", "link"].into_iter().enumerate() {
        names.set(word, format!("0190a0b0-0000-7000-8000-00000000000{number}"));
    }
    names.set("address", "nobody@never.example");
    names.set("token", "A".repeat(theirs.get("token").len()));
    names.set("activity", "no-activity");
    names.set("shared_activity", "no-other-activity");
    names.set("client_activity", "no-third-activity");
    names.set("asset", "no-asset");
    names.set("subscription", "no-plan");
    names.set("sold", "no-deal");
    names.set("month", "2025-09");
    names
}

fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

async fn accounts(cluster: &Cluster) {
    for (hub_id, display_name, domain) in
        [(1001, "Agenzia Aurora", "agency.example"), (1002, "Studio Due", "other.example")]
    {
        let partner = access::Partner {
            display_name: display_name.to_owned(),
            country_code: "IT".to_owned(),
            email_domains: vec![domain.to_owned()],
            ..Default::default()
        };
        let effective_time = Some(stamp(LONG_AGO));
        let request =
            access::CreatePartnerRequest { hub_id, partner: Some(partner), effective_time, ..Default::default() };
        let created = cluster.access().create_partner(request).await.expect("a partner");
        cluster.note(&created.get_ref().revision);
    }
    for (client, display_name) in [(2001, "Cantina Colombo"), (2002, "Distilleria Dorata")] {
        cluster.client(client, "IT").await;
        cluster.update_client(client, display_name, "IT", LONG_AGO).await.expect("a name");
    }
}

async fn employee(cluster: &Cluster, partner: i64, address: &str, display_name: &str, role: AccessRole) -> String {
    let employee = access::Employee {
        email_address: address.to_owned(),
        display_name: display_name.to_owned(),
        access_role: role.into(),
        ..Default::default()
    };
    let request = access::CreateEmployeeRequest {
        parent: format!("partners/{partner}"),
        employee: Some(employee),
        effective_time: Some(stamp(LONG_AGO)),
        ..Default::default()
    };
    let created = cluster.access().create_employee(request).await.expect("an employee").into_inner();
    cluster.note(&created.revision);
    created.employee.expect("an employee").name
}

async fn user(cluster: &Cluster, client: i64, address: &str, display_name: &str, permission_set: &str) -> String {
    let user = access::ClientUser {
        email_address: address.to_owned(),
        display_name: display_name.to_owned(),
        permission_set: permission_set.to_owned(),
        ..Default::default()
    };
    let request = access::CreateClientUserRequest {
        parent: format!("clients/{client}"),
        client_user: Some(user),
        effective_time: Some(stamp(LONG_AGO)),
        ..Default::default()
    };
    let created = cluster.access().create_client_user(request).await.expect("a client user").into_inner();
    cluster.note(&created.revision);
    created.client_user.expect("a client user").name
}

async fn deactivate_and_reactivate(cluster: &Cluster, user: &str) {
    let name = user.to_owned();
    let request = access::DeactivateClientUserRequest { name: name.clone(), ..Default::default() };
    cluster.access().deactivate_client_user(by(BOSS, request)).await.expect("deactivated");
    let request = access::ReactivateClientUserRequest { name, ..Default::default() };
    let reactivated = cluster.access().reactivate_client_user(by(BOSS, request)).await.expect("reactivated");
    cluster.note(&reactivated.get_ref().revision);
}

async fn own_things(cluster: &Cluster, carla_there: &str, carla_shared: &str, dora_shared: &str) {
    let owned = [("form-aurora", carla_there), ("form-aurora", carla_shared), ("form-dora", dora_shared)];
    for (id, owner) in owned {
        let (client, _) = owner.split_once("/users/").expect("a client user");
        let asset = Asset {
            name: format!("{client}/assets/{id}"),
            kind: "form".to_owned(),
            display_name: id.to_owned(),
            owner: owner.to_owned(),
        };
        let request =
            access::BatchUpdateAssetsRequest { parent: client.to_owned(), assets: vec![asset], ..Default::default() };
        cluster.access().batch_update_assets(request).await.expect("an asset");
    }
}

async fn work(cluster: &Cluster) {
    cluster.work(2001, "winter-campaign", CARLA, "2025-12-20", "form/edit").await;
    cluster.work(2001, "winter-blog", BRUNO, "2025-12-21", "blog/publish").await;
    cluster.work(2002, "spring-campaign", CARLA, "2025-11-22", "list/edit").await;
    cluster.work(2002, "spring-login", ANNA, "2025-12-22", "account/login").await;
    cluster.work(2002, "of-the-client", BOSS, "2025-12-23", "cta/edit").await;
    cluster.work(2002, "of-dora", DORA, "2025-11-24", "blog/publish").await;
    cluster.work(2002, "of-dora-again", DORA, "2025-12-24", "blog/publish").await;
}

async fn credit(cluster: &Cluster) {
    cluster.subscription(2001, "main-plan", "7777.00 EUR", LONG_AGO).await.expect("a subscription");
    cluster.subscription(2002, "shared-plan", "1000.00 EUR", LONG_AGO).await.expect("a subscription");
    let sale = (SaleKind::Sourced, "4321.00 EUR");
    cluster.sale(1001, "deal-aurora", 2001, sale, "2025-10-01").await.expect("a sale");
    cluster.sale(1002, "deal-due", 2002, (SaleKind::Assisted, "500.00 EUR"), "2025-10-01").await.expect("a sale");
    for partner in [1001, 1002] {
        cluster.certify(partner, "2025-01-01", "2027-01-01").await.expect("a certification");
        cluster.grant(partner, Tier::Gold, "2025-06-01").await.expect("a tier");
    }
    for (partner, month) in [(1001, "2025-11"), (1002, "2025-12")] {
        let request = IssueStatementRequest {
            parent: format!("partners/{partner}"),
            month: month.to_owned(),
            at_least_revisions: cluster.known_revisions(),
        };
        let issued = cluster.credit().issue_statement(request).await.expect("a statement");
        cluster.note(&issued.get_ref().revision);
    }
}

async fn access_link(cluster: &Cluster, employee: &str) -> (String, String) {
    let access_link = access::AccessLink { client: "clients/2001".to_owned(), ..Default::default() };
    let request = access::CreateAccessLinkRequest {
        parent: employee.to_owned(),
        access_link: Some(access_link),
        ..Default::default()
    };
    let created = cluster.access().create_access_link(request).await.expect("a link").into_inner();
    cluster.note(&created.revision);
    (created.access_link.expect("the link").name, created.token)
}

async fn removal_token(cluster: &Cluster) -> String {
    let all = access::ClientSelection {
        client: "clients/2001".to_owned(),
        partner: "partners/1001".to_owned(),
        employees: Vec::new(),
    };
    let selection = access::preview_removal_request::Selection::Client(all);
    let request = access::PreviewRemovalRequest { selection: Some(selection) };
    cluster.access().preview_removal(request).await.expect("a preview").into_inner().token
}

/// The same token of a partner and a client that never were: it is no secret what is in it.
fn removal_of_nobody(token: &str) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(token).expect("a token");
    for (theirs, nobodys) in [("clients/2001", "clients/2999"), ("partners/1001", "partners/1999")] {
        let at = bytes.windows(theirs.len()).position(|window| window == theirs.as_bytes()).expect("what was asked");
        bytes[at..at + nobodys.len()].copy_from_slice(nobodys.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(bytes)
}
