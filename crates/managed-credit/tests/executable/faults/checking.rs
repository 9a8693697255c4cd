//! After a fault: no acknowledged write is missing, nothing counts twice, `verify` is clean, and the credit is what a
//! calculation on a sheet of paper says.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use contracts::wire::activity::GetServicingRequest;
use contracts::wire::credit::ListManagedCreditsRequest;
use contracts::wire::maintenance::maintenance_service_client::MaintenanceServiceClient;
use contracts::wire::maintenance::{GetStatusRequest, VerifyRequest};
use managed_credit::running::Part;
use tonic::transport::Endpoint;
use tonic::{Code, Status};

use super::world::World;
use super::writing::{ACTIVITIES, AS_OF, Callers, Ledger, cents, decimal, hub_id, is_shared, is_voided, stamp};

/// Far more than followers need to know everything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is an answer: services that have just been started may still be behind.
async fn patiently<T, F: Future<Output = Result<T, Status>>>(what: &str, ask: impl Fn() -> F) -> T {
    let start = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(status) => assert!(start.elapsed() < PATIENCE, "{what}: {status}"),
        }
    }
}

/// Credit and points of a partner by client.
type Credits = BTreeMap<i64, (String, String)>;

/// Of a client that two partners service, each has a half; an odd cent is the first one's, who came first (R97). Points
/// are a hundredth of the dollars, rounded half up (R96).
fn expected(partner: i64, clients: &[u32]) -> Credits {
    let mut credits = Credits::new();
    for number in clients.iter().copied() {
        let (has_carla, mrr) = (is_shared(number) && !is_voided(number), cents(number));
        let share = match partner {
            1001 if has_carla => mrr - mrr / 2,
            1001 => mrr,
            _ if has_carla => mrr / 2,
            _ => 0,
        };
        if partner == 1001 || is_shared(number) {
            credits.insert(hub_id(number), (decimal(share), decimal((share + 50) / 100)));
        }
    }
    credits
}

async fn credits(world: &World, partner: i64, revisions: Vec<String>) -> Result<Credits, Status> {
    let mut found = Credits::new();
    let mut request = ListManagedCreditsRequest {
        parent: format!("partners/{partner}"),
        as_of_time: Some(stamp(AS_OF)),
        at_least_revisions: revisions,
        page_size: 1_000,
        ..Default::default()
    };
    loop {
        let page = Callers::of(world).credit.list_managed_credits(request.clone()).await?.into_inner();
        for row in page.managed_credits {
            let client = row.client.trim_start_matches("clients/").parse().expect("a hub id");
            let credit = row.credit.map(|credit| credit.amount).unwrap_or_default();
            let before = found.insert(client, (credit, row.points.unwrap_or_default()));
            assert_eq!(before, None, "client {client} is listed once");
        }
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

async fn counted(world: &World, number: u32, revisions: Vec<String>) -> Result<i32, Status> {
    let request = GetServicingRequest {
        partner: "partners/1001".to_owned(),
        client: format!("clients/{}", hub_id(number)),
        as_of_time: Some(stamp(AS_OF)),
        at_least_revisions: revisions,
        ..Default::default()
    };
    let servicing = Callers::of(world).activity.get_servicing(request).await?.into_inner().servicing;
    Ok(servicing.map_or(0, |servicing| servicing.employees.iter().map(|anna| anna.counted_activities).sum()))
}

async fn differences(world: &World, part: Part) -> Result<Vec<String>, Status> {
    let channel = Endpoint::from_shared(world.url(part).to_owned()).expect("a URL").connect_lazy();
    let mut stream = MaintenanceServiceClient::new(channel).verify(VerifyRequest::default()).await?.into_inner();
    let mut found = Vec::new();
    while let Some(message) = stream.message().await? {
        found.extend(message.differences.iter().map(|difference| format!("{difference:?}")));
        if message.complete {
            return Ok(found);
        }
    }
    Err(Status::new(Code::Unavailable, "it was cut off"))
}

async fn head(world: &World, part: Part) -> Result<String, Status> {
    let channel = Endpoint::from_shared(world.url(part).to_owned()).expect("a URL").connect_lazy();
    Ok(MaintenanceServiceClient::new(channel).get_status(GetStatusRequest {}).await?.into_inner().revision)
}

/// Compares everything; `recent` are the clients whose activities are counted one by one.
pub async fn check(world: &World, ledger: &Ledger, recent: &[u32]) {
    let (revisions, mut clients) = (ledger.revisions(), ledger.clients.clone());
    clients.sort_unstable();
    let access = patiently("the head of access", || head(world, Part::Access)).await;
    assert_eq!(access, format!("access-{}", ledger.access_changes), "each acknowledged write is one change");
    let credit = patiently("the head of credit", || head(world, Part::Credit)).await;
    assert_eq!(credit, format!("credit-{}", ledger.subscriptions), "each acknowledged write is one change");
    for partner in [1001, 1002] {
        let found = patiently("a breakdown", || credits(world, partner, revisions.clone())).await;
        assert_eq!(found, expected(partner, &clients), "partner {partner}");
    }
    for number in recent.iter().copied() {
        let found = patiently("servicing", || counted(world, number, revisions.clone())).await;
        assert_eq!(found, ACTIVITIES, "client {number}");
    }
    for part in Part::ALL {
        let found = patiently("verification", || differences(world, part)).await;
        assert_eq!(found, Vec::<String>::new(), "{part}");
    }
}
