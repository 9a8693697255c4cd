//! A programme that is written by several callers at once, each of which goes on with a write until it is acknowledged.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use contracts::Revision;
use contracts::wire::access::access_management_service_client::AccessManagementServiceClient;
use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use contracts::wire::credit::credit_calculation_service_client::CreditCalculationServiceClient;
use contracts::wire::{access, activity, credit};
use managed_credit::running::Part;
use prost_types::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::world::World;

pub const ANNA: &str = "anna@agency.example";
pub const CARLA: &str = "carla@other.example";

/// How many activities Anna has in each client.
pub const ACTIVITIES: i32 = 12;

/// How many callers write.
const CALLERS: usize = 4;

/// 2024-01-01, since when everything exists.
const LONG_AGO: i64 = 1_704_067_200;
/// 2025-11-10, when Anna began to work.
const WORK: i64 = 1_762_732_800;
/// 2025-12-01, as of which is asked.
pub const AS_OF: i64 = 1_764_547_200;

pub const fn stamp(seconds: i64) -> Timestamp {
    Timestamp { seconds, nanos: 0 }
}

/// The hub id of the client of a number.
pub const fn hub_id(number: u32) -> i64 {
    10_000 + number as i64
}

/// Whether Carla, of the other partner, works there.
pub const fn is_shared(number: u32) -> bool {
    number.is_multiple_of(3)
}

/// Whether what Carla did there was taken back.
pub const fn is_voided(number: u32) -> bool {
    number.is_multiple_of(6)
}

/// What the client of a number pays, in cents.
pub const fn cents(number: u32) -> i64 {
    (100 + number as i64) * 100 + number as i64 % 100
}

/// A write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Client,
    User(&'static str),
    Work(&'static str),
    Void,
    Pay,
}

fn steps(number: u32) -> Vec<Step> {
    let mut steps = vec![Step::Client, Step::User(ANNA), Step::Work(ANNA), Step::Pay];
    if is_shared(number) {
        steps.extend([Step::User(CARLA), Step::Work(CARLA)]);
    }
    if is_voided(number) {
        steps.push(Step::Void);
    }
    steps
}

/// What was acknowledged.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Every acknowledged write of access-management is one change, and every one of credit-calculation too.
    pub access_changes: u64,
    pub subscriptions: u64,
    /// Those whose writes all are acknowledged.
    pub clients: Vec<u32>,
    /// The newest revision of each feed.
    revisions: Vec<Revision>,
    /// How many calls were made for it.
    pub calls: u64,
}

impl Ledger {
    fn note(&mut self, revision: &str) {
        let revision: Revision = revision.parse().expect("a revision");
        match self.revisions.iter_mut().find(|known| known.feed == revision.feed) {
            Some(known) => known.position = known.position.max(revision.position),
            None => self.revisions.push(revision),
        }
    }

    pub fn revisions(&self) -> Vec<String> {
        self.revisions.iter().map(ToString::to_string).collect()
    }
}

/// Clients of the services, whatever becomes of their processes.
#[derive(Debug, Clone)]
pub struct Callers {
    pub access: AccessManagementServiceClient<Channel>,
    pub activity: ActivityTrackingServiceClient<Channel>,
    pub credit: CreditCalculationServiceClient<Channel>,
}

impl Callers {
    pub fn of(world: &World) -> Self {
        let channel = |part| Endpoint::from_shared(world.url(part).to_owned()).expect("a URL").connect_lazy();
        Self {
            access: AccessManagementServiceClient::new(channel(Part::Access)),
            activity: ActivityTrackingServiceClient::new(channel(Part::Activity)),
            credit: CreditCalculationServiceClient::new(channel(Part::Credit)),
        }
    }
}

/// What is being written.
pub struct Writing {
    callers: JoinSet<()>,
    /// How many writes are acknowledged.
    pub acknowledged: watch::Receiver<usize>,
    /// How many there are.
    pub steps: usize,
}

impl Writing {
    /// Begins to write clients, by several callers at once.
    pub fn begin(world: &World, ledger: &Arc<Mutex<Ledger>>, numbers: Vec<u32>, random: &mut fastrand::Rng) -> Self {
        let (sender, acknowledged) = watch::channel(0);
        let sender = Arc::new(sender);
        let count = numbers.iter().map(|number| steps(*number).len()).sum();
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let mine = numbers.iter().copied().skip(caller).step_by(CALLERS).collect();
            let callers_of_world = Callers::of(world);
            let (ledger, sender, random) = (Arc::clone(ledger), Arc::clone(&sender), random.fork());
            let mut caller = Caller { callers: callers_of_world, ledger, sender, random };
            callers.spawn(async move { caller.write(mine).await });
        }
        Self { callers, acknowledged, steps: count }
    }

    /// Waits until all is acknowledged.
    pub async fn finish(mut self) {
        while let Some(ended) = self.callers.join_next().await {
            ended.expect("a caller");
        }
    }
}

struct Caller {
    callers: Callers,
    ledger: Arc<Mutex<Ledger>>,
    sender: Arc<watch::Sender<usize>>,
    random: fastrand::Rng,
}

impl Caller {
    async fn write(&mut self, numbers: Vec<u32>) {
        for number in numbers {
            for step in steps(number) {
                self.write_step(number, step).await;
                self.sender.send_modify(|acknowledged| *acknowledged += 1);
            }
            self.ledger.lock().expect("a ledger").clients.push(number);
        }
    }

    /// Calls until the write is acknowledged. Some calls are given up by their caller after a moment.
    async fn write_step(&mut self, number: u32, step: Step) {
        let (callers, ledger) = (self.callers.clone(), Arc::clone(&self.ledger));
        // An activity's name makes it safe to repeat too.
        let has_request_id = !matches!(step, Step::Work(_)) || self.random.bool();
        let request_id = if has_request_id { request_id(number, step) } else { String::new() };
        let random = Mutex::new(self.random.fork());
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(5))
            .with_max_delay(Duration::from_millis(200))
            .without_max_times();
        let call = || {
            let is_impatient = random.lock().expect("a generator").u8(..) < 24;
            let limit = random.lock().expect("a generator").u64(1..20);
            let limit = if is_impatient { Duration::from_millis(limit) } else { Duration::from_secs(10) };
            ledger.lock().expect("a ledger").calls += 1;
            call_once(callers.clone(), number, step, request_id.clone(), limit)
        };
        let revision = call.retry(pauses).when(may_work_later).await;
        let revision = revision.unwrap_or_else(|status| panic!("client {number}, {step:?}: {status}"));
        let mut ledger = self.ledger.lock().expect("a ledger");
        ledger.note(&revision);
        ledger.access_changes += u64::from(matches!(step, Step::Client | Step::User(_)));
        ledger.subscriptions += u64::from(step == Step::Pay);
    }
}

/// Everything but a refusal: whoever does not know what became of a call makes it again.
fn may_work_later(status: &Status) -> bool {
    use tonic::Code::{Aborted, Cancelled, DeadlineExceeded, Internal, ResourceExhausted, Unavailable, Unknown};
    let is_cut = matches!(status.code(), Unknown | Internal) && status.details().is_empty();
    is_cut || matches!(status.code(), Aborted | Cancelled | DeadlineExceeded | ResourceExhausted | Unavailable)
}

fn request_id(number: u32, step: Step) -> String {
    let index = steps(number).iter().position(|other| *other == step).expect("a step");
    format!("0190a0b0-0000-7000-8000-{:012}", u64::from(number) * 100 + index as u64)
}

fn client_name(number: u32) -> String {
    format!("clients/{}", hub_id(number))
}

pub fn activity(number: u32, who: &str, index: i32) -> activity::Activity {
    let name = who.split('@').next().unwrap_or_default();
    let action = activity::CatalogueAction { tool: "blog".to_owned(), action: "publish".to_owned() };
    // Carla came a day later.
    let start = if who == CARLA { WORK + 86_400 } else { WORK };
    activity::Activity {
        name: format!("{}/activities/{name}-{index}", client_name(number)),
        email_address: who.to_owned(),
        occur_time: Some(stamp(start + i64::from(index) * 3_600)),
        action: Some(activity::activity::Action::CatalogueAction(action)),
        origin: activity::Origin::Person.into(),
        ..Default::default()
    }
}

async fn call_once(
    mut callers: Callers,
    number: u32,
    step: Step,
    request_id: String,
    limit: Duration,
) -> Result<String, Status> {
    let client = client_name(number);
    let effective_time = Some(stamp(LONG_AGO));
    match step {
        Step::Client => {
            let new = access::Client {
                display_name: format!("Client {number}"),
                country_code: "US".to_owned(),
                ..Default::default()
            };
            let hub_id = hub_id(number);
            let message = access::CreateClientRequest {
                hub_id,
                client: Some(new),
                effective_time,
                request_id,
                ..Default::default()
            };
            Ok(callers.access.create_client(within(limit, message)).await?.into_inner().revision)
        }
        Step::User(address) => {
            let new = access::ClientUser {
                email_address: address.to_owned(),
                display_name: "User".to_owned(),
                permission_set: "STANDARD".to_owned(),
                ..Default::default()
            };
            let message = access::CreateClientUserRequest {
                parent: client,
                client_user: Some(new),
                effective_time,
                request_id,
                ..Default::default()
            };
            Ok(callers.access.create_client_user(within(limit, message)).await?.into_inner().revision)
        }
        Step::Work(who) => {
            let count = if who == ANNA { ACTIVITIES } else { 1 };
            let activities = (0..count).map(|index| activity(number, who, index)).collect();
            let message = activity::RecordActivitiesRequest { activities, request_id, ..Default::default() };
            Ok(callers.activity.record_activities(within(limit, message)).await?.into_inner().revision)
        }
        Step::Void => {
            let name = activity(number, CARLA, 0).name;
            let reason = "A mistake".to_owned();
            let message = activity::VoidActivityRequest { name, reason, request_id };
            Ok(callers.activity.void_activity(within(limit, message)).await?.into_inner().revision)
        }
        Step::Pay => {
            let mrr = credit::Money { currency_code: "USD".to_owned(), amount: decimal(cents(number)) };
            let message = credit::CreateSubscriptionRequest {
                parent: client,
                subscription_id: "main".to_owned(),
                subscription: Some(credit::Subscription { mrr: Some(mrr), ..Default::default() }),
                effective_time,
                request_id,
            };
            Ok(callers.credit.create_subscription(within(limit, message)).await?.into_inner().revision)
        }
    }
}

fn within<T>(limit: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(limit);
    request
}

/// Cents, or hundredths of points, with two decimals.
pub fn decimal(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// The partners and their employees.
pub async fn write_partners(world: &World, ledger: &Arc<Mutex<Ledger>>) {
    let mut access = Callers::of(world).access;
    let effective_time = Some(stamp(LONG_AGO));
    for (hub_id, domain, address) in [(1001, "agency.example", ANNA), (1002, "other.example", CARLA)] {
        let partner = access::Partner {
            display_name: "Partner".to_owned(),
            country_code: "IT".to_owned(),
            email_domains: vec![domain.to_owned()],
            ..Default::default()
        };
        let partner =
            access::CreatePartnerRequest { hub_id, partner: Some(partner), effective_time, ..Default::default() };
        access.create_partner(partner).await.expect("a partner");
        let employee = access::Employee {
            email_address: address.to_owned(),
            display_name: "Employee".to_owned(),
            ..Default::default()
        };
        let employee = access::CreateEmployeeRequest {
            parent: format!("partners/{hub_id}"),
            employee: Some(employee),
            effective_time,
            ..Default::default()
        };
        let created = access.create_employee(employee).await.expect("an employee").into_inner();
        let mut ledger = ledger.lock().expect("a ledger");
        ledger.access_changes += 2;
        ledger.note(&created.revision);
    }
}
