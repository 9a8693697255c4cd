//! The service on a database of its own, without servers: facts are handed to its followers directly.

use std::sync::Arc;

use contracts::wire::access::WatchAccessResponse;
use contracts::wire::activity::WatchServicingResponse;
use contracts::{Feed, ServicingChange};
use domain::access::{
    AccessChange, AccessFact, AccessRole, Actor, Audit, ClientUserId, EmailAddress, EmployeeId, HubId,
};
use domain::policy::Policy;
use domain::servicing::{PeriodEndCause, ServicingPeriod};
use domain::time::Instant;
use sea_orm::prelude::Uuid;
use service_kit::feed::Watermarks;
use service_kit::{Channel, Clock, Database, DatabaseSettings, Identity, ManualClock, connect};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::kept::Kept;
use crate::{CreditCalculation, Migrator};

/// What the clock shows.
pub(crate) const NOW: &str = "2026-01-01T00:00:00Z";

/// A service, and the folder that its database lives in.
pub(crate) struct TestService {
    pub service: CreditCalculation,
    _folder: TempDir,
}

impl TestService {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("credit.sqlite3").display());
        let database = Database::connect(&url, DatabaseSettings::with_connections(2)).await.expect("a database");
        database.migrate::<Migrator>().await.expect("migrations");
        let service = CreditCalculation {
            database,
            clock: Clock::Manual(ManualClock::new(at(NOW))),
            policy: Arc::new(Policy::embedded()),
            access: nowhere(),
            activity: nowhere(),
            watermarks: Watermarks::new(&[Feed::Access, Feed::Servicing]),
            kept: Arc::new(Kept::new()),
            background: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            evaluating: Arc::new(Semaphore::new(1)),
            simulating: Arc::new(Semaphore::new(1)),
        };
        Self { service, _folder: folder }
    }
}

/// Nobody listens there.
fn nowhere() -> Channel {
    connect("http://127.0.0.1:1", &Identity::default()).expect("a URL")
}

pub(crate) fn at(text: &str) -> Instant {
    text.parse().expect("a test writes valid times")
}

pub(crate) fn hub(number: i64) -> HubId {
    HubId::try_from(number).expect("a test writes valid hub ids")
}

/// Anna of partner 1001.
pub(crate) fn anna() -> EmailAddress {
    "anna@agency.example".parse().expect("a test writes valid addresses")
}

/// Partner 1001, and Anna.
pub(crate) fn agency() -> Vec<AccessFact> {
    let country = "IT".parse().expect("a country");
    let partner = AccessFact::PartnerAdded {
        partner: hub(1001),
        display_name: "Agency".to_owned(),
        country,
        email_domains: [].into(),
    };
    let employee = AccessFact::EmployeeAdded {
        partner: hub(1001),
        employee: EmployeeId(Uuid::from_u128(1)),
        address: anna(),
        display_name: "Anna".to_owned(),
        partner_employee: true,
        access_role: AccessRole::None,
    };
    vec![partner, employee]
}

/// A client that Anna is a user of.
pub(crate) fn client_with_anna(client: i64) -> Vec<AccessFact> {
    let country = "US".parse().expect("a country");
    let display_name = format!("Client {client}");
    let user = AccessFact::ClientUserAdded {
        client: hub(client),
        user: ClientUserId(Uuid::from_u128(u128::try_from(client).expect("a positive number"))),
        address: anna(),
        display_name: "Anna".to_owned(),
        permission_set: "STANDARD".parse().expect("a permission set"),
    };
    vec![AccessFact::ClientAdded { client: hub(client), display_name, country }, user]
}

/// A message of the access feed that has caught up, with facts of long ago.
pub(crate) fn access_message(after: u64, facts: Vec<AccessFact>) -> WatchAccessResponse {
    let dated: Vec<_> = facts.into_iter().map(|fact| ("2024-01-01T00:00:00Z", fact)).collect();
    dated_message(after, &dated)
}

/// A message of the access feed that has caught up, with facts and since when they are.
pub(crate) fn dated_message(after: u64, facts: &[(&str, AccessFact)]) -> WatchAccessResponse {
    let changes = (after + 1..).zip(facts).map(|(position, (time, fact))| {
        let (time, fact) = (at(time), fact.clone());
        let (actor, audit) = (Actor::Platform, Audit::default());
        let change = AccessChange { position, effective_time: time, record_time: time, actor, audit, fact };
        let mut change = contracts::wire::access::AccessChange::from(&change);
        change.chain_hash = position.to_be_bytes().to_vec();
        change
    });
    WatchAccessResponse { changes: changes.collect(), caught_up: true, send_time: None }
}

/// One period of partner 1001 with a client, from 20 December 2025 for 60 days, or none at all.
pub(crate) fn servicing_change(position: u64, client: i64, is_serviced: bool) -> ServicingChange {
    let start = at("2025-12-20T00:00:00Z");
    let period = ServicingPeriod { start, end: at("2026-02-18T00:00:00Z"), end_cause: PeriodEndCause::Lapsed };
    ServicingChange {
        position,
        partner: hub(1001),
        client: hub(client),
        periods: [(1, if is_serviced { vec![period] } else { Vec::new() })].into(),
        last_activity_time: is_serviced.then_some(start),
        record_time: start,
    }
}

/// A message of the servicing feed.
pub(crate) fn servicing_message(
    changes: &[ServicingChange],
    caught_up: bool,
    access_position: u64,
) -> WatchServicingResponse {
    let changes = changes.iter().map(|change| {
        let mut message = contracts::wire::activity::ServicingChange::from(change);
        message.chain_hash = change.position.to_be_bytes().to_vec();
        message
    });
    WatchServicingResponse { changes: changes.collect(), caught_up, access_position, send_time: None }
}
