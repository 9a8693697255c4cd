//! Partners, clients and what is done there, through the public API.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use contracts::wire::access::access_management_service_client::AccessManagementServiceClient;
use contracts::wire::access::{
    self, CreateClientRequest, CreateClientUserRequest, CreateEmployeeRequest, CreatePartnerRequest,
    GetHeadRevisionRequest,
};
use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use contracts::wire::activity::record_activity_result::Outcome;
use contracts::wire::activity::{Activity, BatchGetServicingRequest, CatalogueAction, Origin, RecordActivitiesRequest};
use contracts::wire::activity::{RecordActivitiesResponse, ServicingPair, VerdictOutcome};
use contracts::wire::credit::credit_calculation_service_client::CreditCalculationServiceClient;
use contracts::wire::credit::{CreateSubscriptionRequest, GetManagedCreditRequest, Money, Subscription};
use prost_types::Timestamp;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::Arguments;
use crate::calls::{Observed, closed};
use crate::served::Served;
use crate::store::{Kind, Store};

/// 2024-01-01: before everything that is done.
const BEGINNING: Timestamp = Timestamp { seconds: 1_704_067_200, nanos: 0 };
const FIRST_PARTNER: u64 = 1_000;
const FIRST_CLIENT: u64 = 1_000_000;
/// How many facts are written at a time.
const WRITERS: usize = 16;
/// How many activities are done in one client before it is the turn of the next.
const IN_A_ROW: u64 = 10;
const CONNECTIONS: usize = 16;
/// How long a follower may take to know everything.
const CATCHING_UP_LIMIT: Duration = Duration::from_secs(1_800);

/// How many of everything. Client `n` works with the partners `n`, `n + 1` ... (modulo their number).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub partners: u64,
    pub clients: u64,
    pub partners_per_client: u64,
}

/// A running system with a programme.
#[derive(Debug)]
pub(crate) struct World {
    pub served: Served,
    pub store: Store,
    pub callers: Callers,
}

/// Whoever calls it.
#[derive(Debug, Clone)]
pub(crate) struct Callers {
    size: Size,
    access: Vec<Channel>,
    activity: Vec<Channel>,
    credit: Vec<Channel>,
    /// How many activities were made.
    next: Arc<AtomicU64>,
    /// In seconds: nothing that is made occurs later.
    now: i64,
}

impl World {
    pub async fn create(arguments: &Arguments, kind: Kind, size: Size) -> anyhow::Result<Self> {
        let store = Store::create(kind, &arguments.postgres).await?;
        let served = Served::start(&arguments.program, "all", &store.flags())?;
        let callers = Callers::new(&served.urls, size)?;
        callers.write_programme().await?;
        Ok(Self { served, store, callers })
    }
}

fn channels(url: &str) -> anyhow::Result<Vec<Channel>> {
    let channel = |_| anyhow::Ok(Endpoint::from_shared(url.to_owned())?.tcp_nodelay(true).connect_lazy());
    (0..CONNECTIONS).map(channel).collect()
}

pub(crate) fn partner_name(number: u64) -> String {
    format!("partners/{}", FIRST_PARTNER + number)
}

pub(crate) fn client_name(number: u64) -> String {
    format!("clients/{}", FIRST_CLIENT + number)
}

fn address(partner: u64) -> String {
    format!("anna@agency{partner}.example")
}

impl Callers {
    fn new(urls: &[String], size: Size) -> anyhow::Result<Self> {
        let [access, activity, credit] = urls else { bail!("three services are called") };
        Ok(Self {
            size,
            access: channels(access)?,
            activity: channels(activity)?,
            credit: channels(credit)?,
            next: Arc::default(),
            now: service_kit::Clock::System.now().timestamp(),
        })
    }

    /// For a caller with this number.
    pub fn access(&self, caller: u64) -> AccessManagementServiceClient<Channel> {
        AccessManagementServiceClient::new(of(&self.access, caller))
    }

    pub fn activity(&self, caller: u64) -> ActivityTrackingServiceClient<Channel> {
        ActivityTrackingServiceClient::new(of(&self.activity, caller))
    }

    pub fn credit(&self, caller: u64) -> CreditCalculationServiceClient<Channel> {
        CreditCalculationServiceClient::new(of(&self.credit, caller))
    }

    /// Whoever becomes a user of a client is assigned there by that.
    async fn write_programme(&self) -> anyhow::Result<()> {
        self.each(self.size.partners, Self::write_partner).await?;
        self.each(self.size.clients, Self::write_client).await?;
        let head =
            AccessFeedServiceClient::new(of(&self.access, 0)).get_head_revision(GetHeadRevisionRequest {}).await?;
        self.activity_knows(head.into_inner().revision).await
    }

    /// Does something for each number, several at a time.
    async fn each<F, Answer>(&self, count: u64, work: F) -> anyhow::Result<()>
    where
        F: Fn(Self, u64) -> Answer,
        Answer: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let mut running = JoinSet::new();
        for number in 0..count {
            if running.len() >= WRITERS {
                running.join_next().await.context("one runs")???;
            }
            running.spawn(work(self.clone(), number));
        }
        while let Some(done) = running.join_next().await {
            done??;
        }
        Ok(())
    }

    async fn write_partner(self, number: u64) -> anyhow::Result<()> {
        let partner = access::Partner {
            display_name: format!("Agency {number}"),
            country_code: "IT".to_owned(),
            email_domains: vec![format!("agency{number}.example")],
            ..Default::default()
        };
        let message = CreatePartnerRequest {
            hub_id: i64::try_from(FIRST_PARTNER + number)?,
            partner: Some(partner),
            effective_time: Some(BEGINNING),
            ..Default::default()
        };
        self.access(number).create_partner(message).await?;
        let employee =
            access::Employee { email_address: address(number), display_name: "Anna".to_owned(), ..Default::default() };
        let message = CreateEmployeeRequest {
            parent: partner_name(number),
            employee: Some(employee),
            effective_time: Some(BEGINNING),
            ..Default::default()
        };
        self.access(number).create_employee(message).await?;
        Ok(())
    }

    async fn write_client(self, number: u64) -> anyhow::Result<()> {
        let client = access::Client {
            display_name: format!("Client {number}"),
            country_code: "US".to_owned(),
            ..Default::default()
        };
        let message = CreateClientRequest {
            hub_id: i64::try_from(FIRST_CLIENT + number)?,
            client: Some(client),
            effective_time: Some(BEGINNING),
            ..Default::default()
        };
        self.access(number).create_client(message).await?;
        for partner in self.partners_of(number) {
            let user = access::ClientUser {
                email_address: address(partner),
                display_name: "Anna".to_owned(),
                permission_set: "STANDARD".to_owned(),
                ..Default::default()
            };
            let message = CreateClientUserRequest {
                parent: client_name(number),
                client_user: Some(user),
                effective_time: Some(BEGINNING),
                ..Default::default()
            };
            self.access(number).create_client_user(message).await?;
        }
        let mrr = Money { currency_code: "USD".to_owned(), amount: format!("{}.00", 100 + number % 900) };
        let message = CreateSubscriptionRequest {
            parent: client_name(number),
            subscription_id: "main".to_owned(),
            subscription: Some(Subscription { mrr: Some(mrr), ..Default::default() }),
            effective_time: Some(BEGINNING),
            ..Default::default()
        };
        self.credit(number).create_subscription(message).await?;
        Ok(())
    }

    fn partners_of(&self, client: u64) -> impl Iterator<Item = u64> + use<> {
        let Size { partners, partners_per_client, .. } = self.size;
        (0..partners_per_client.min(partners)).map(move |further| (client + further) % partners)
    }

    /// Something that was done in a client, and counts: a few seconds after what was made before, in the last 50 days.
    pub fn edit(&self, client: u64) -> Activity {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let partner = (client + (number / 7) % self.size.partners_per_client) % self.size.partners;
        self.edit_by(client, partner, number)
    }

    fn edit_by(&self, client: u64, partner: u64, number: u64) -> Activity {
        // Later and later, and from the beginning once the present is reached.
        let seconds = self.now - 50 * 86_400 + i64::try_from((number * 3) % (50 * 86_400)).unwrap_or_default();
        Activity {
            name: format!("{}/activities/{number}", client_name(client)),
            email_address: address(partner),
            occur_time: Some(Timestamp { seconds, nanos: 0 }),
            action: Some(contracts::wire::activity::activity::Action::CatalogueAction(CatalogueAction {
                tool: "form".to_owned(),
                action: "edit".to_owned(),
            })),
            origin: Origin::Person.into(),
            target_object_id: String::new(),
        }
    }

    /// Something that is done in a client by the partner whose turn it is there: some in a row in each client, in turn.
    pub fn edit_in_turn(&self, number: u64) -> Activity {
        let Size { partners, clients, partners_per_client } = self.size;
        let (client, turn) = (number / IN_A_ROW % clients, number / IN_A_ROW / clients);
        let partner = (client + turn % partners_per_client) % partners;
        self.edit_by(client, partner, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// So many edits, of whatever clients.
    pub fn mixed_edits(&self, count: usize) -> Vec<Activity> {
        (0..count).map(|_| self.edit(fastrand::u64(..self.size.clients))).collect()
    }

    /// So many edits of one client.
    pub fn edits_of_one(&self, count: usize) -> Vec<Activity> {
        let client = fastrand::u64(..self.size.clients);
        (0..count).map(|_| self.edit(client)).collect()
    }

    /// Records activities, all of which must count for good.
    pub async fn record(&self, caller: u64, activities: Vec<Activity>) -> anyhow::Result<RecordActivitiesResponse> {
        let answer = self.record_anyhow(caller, activities).await?;
        ensure!(!answer.provisional, "access-management could not be asked");
        Ok(answer)
    }

    /// Records activities, all of which must count, if only provisionally: where nothing is measured.
    pub async fn record_anyhow(
        &self,
        caller: u64,
        activities: Vec<Activity>,
    ) -> anyhow::Result<RecordActivitiesResponse> {
        let message = RecordActivitiesRequest { activities, ..Default::default() };
        let answer = self.activity(caller).record_activities(message).await?.into_inner();
        for result in &answer.results {
            match &result.outcome {
                Some(Outcome::Verdict(verdict)) => {
                    ensure!(verdict.outcome() == VerdictOutcome::Counted, "it does not count: {verdict:?}");
                }
                other => bail!("it is not recorded: {other:?}"),
            }
        }
        Ok(answer)
    }

    /// Waits until activity-tracking knows what access-management said.
    async fn activity_knows(&self, revision: String) -> anyhow::Result<()> {
        let pair = ServicingPair { partner: partner_name(0), client: client_name(0) };
        let question =
            BatchGetServicingRequest { pairs: vec![pair], at_least_revisions: vec![revision], ..Default::default() };
        until_answered(|| async { self.activity(0).batch_get_servicing(question.clone()).await.map(|_| ()) }).await
    }

    /// Waits until credit knows all that was recorded so far.
    pub async fn credit_knows_all(&self) -> anyhow::Result<()> {
        let revision = self.record(0, vec![self.edit(0)]).await?.revision;
        let question = GetManagedCreditRequest {
            partner: partner_name(0),
            client: client_name(0),
            at_least_revisions: vec![revision],
            ..Default::default()
        };
        until_answered(|| async { self.credit(0).get_managed_credit(question.clone()).await.map(|_| ()) }).await
    }

    /// Calls to activity-tracking that do nothing: what the transport alone takes, with as many callers.
    pub async fn call_idly(&self, callers: u64, time: Duration) -> anyhow::Result<Observed> {
        let channels = self.activity.clone();
        closed(callers, time, move |number| {
            let mut health = HealthClient::new(of(&channels, number));
            async move {
                let answer = health.check(HealthCheckRequest::default()).await?.into_inner();
                ensure!(answer.status() == ServingStatus::Serving, "it serves");
                Ok(())
            }
        })
        .await
    }

    pub const fn size(&self) -> Size {
        self.size
    }
}

/// For a caller with this number.
fn of(channels: &[Channel], caller: u64) -> Channel {
    channels[usize::try_from(caller).unwrap_or_default() % channels.len()].clone()
}

/// Asks until there is an answer: each question waits a while by itself.
async fn until_answered<Asked>(ask: impl Fn() -> Asked) -> anyhow::Result<()>
where
    Asked: Future<Output = Result<(), tonic::Status>>,
{
    let begin = Instant::now();
    loop {
        match ask().await {
            Ok(()) => return Ok(()),
            Err(status) => ensure!(begin.elapsed() < CATCHING_UP_LIMIT, "a follower does not come: {status}"),
        }
    }
}
