//! Four times the load that the services sustain, for a minute: what becomes of memory, of what was acknowledged, and how
//! soon everything is as before. `cargo bench -p managed-credit --bench load`; a figure, not a test.
//!
//! The real executable serves on SQLite in a temporary folder. First as many callers as keep it busy say how much it
//! sustains; then calls are begun four times as often, whether or not those before have been answered.

#![allow(clippy::print_stdout, reason = "it is made to be read")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use contracts::wire::access::access_management_service_client::AccessManagementServiceClient;
use contracts::wire::access::{self, CreateClientRequest, CreateClientUserRequest};
use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use contracts::wire::activity::{Activity, CatalogueAction, ListActivitiesRequest, Origin, RecordActivitiesRequest};
use prost_types::Timestamp;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

const CLIENTS: u64 = 100;
/// How many activities one call records.
const BATCH: u64 = 10;
/// Callers that keep the services busy.
const CALLERS: usize = 64;
const CONNECTIONS: usize = 16;
const SUSTAINED_FOR: Duration = Duration::from_secs(10);
const OVERLOADED_FOR: Duration = Duration::from_secs(60);
const TIMES: u64 = 4;
/// What one machine can have under way; what would be more is not begun, and counted.
const MAXIMUM_UNDER_WAY: usize = 4_000;
const DEADLINE: Duration = Duration::from_secs(5);

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Served {
    /// What the system says of its memory, in megabytes: `VmRSS` now, `VmHWM` at most.
    fn megabytes(&self, name: &str) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find(|line| line.starts_with(name)).context("memory is told")?;
        let kilobytes: u64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
        Ok(kilobytes / 1_024)
    }
}

fn serve(folder: &std::path::Path) -> anyhow::Result<(Served, Vec<String>)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_managed-credit"))
        .args(["serve", "all", "--log", "off", "--access-listen", "127.0.0.1:0", "--activity-listen", "127.0.0.1:0"])
        .args(["--credit-listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()?;
    let ready = BufReader::new(child.stdout.take().context("piped")?).lines().take(3);
    let address = |line: std::io::Result<String>| {
        let line = line?;
        Ok(format!("http://{}", line.rsplit(' ').next().unwrap_or_default()))
    };
    let urls = ready.map(address).collect::<anyhow::Result<Vec<String>>>()?;
    ensure!(urls.len() == 3, "the services are not ready");
    Ok((Served(child), urls))
}

async fn write_programme(url: &str) -> anyhow::Result<()> {
    let mut client = AccessManagementServiceClient::connect(url.to_owned()).await?;
    let effective_time = Some(Timestamp { seconds: 1_704_067_200, nanos: 0 });
    let partner = access::Partner {
        display_name: "Agency".to_owned(),
        country_code: "IT".to_owned(),
        email_domains: vec!["agency.example".to_owned()],
        ..Default::default()
    };
    let partner =
        access::CreatePartnerRequest { hub_id: 1001, partner: Some(partner), effective_time, ..Default::default() };
    client.create_partner(partner).await?;
    let employee = access::Employee {
        email_address: "anna@agency.example".to_owned(),
        display_name: "Anna".to_owned(),
        ..Default::default()
    };
    let employee = access::CreateEmployeeRequest {
        parent: "partners/1001".to_owned(),
        employee: Some(employee),
        effective_time,
        ..Default::default()
    };
    client.create_employee(employee).await?;
    for number in 0..CLIENTS {
        let new =
            access::Client { display_name: "Client".to_owned(), country_code: "US".to_owned(), ..Default::default() };
        let hub_id = i64::try_from(10_000 + number)?;
        let message = CreateClientRequest { hub_id, client: Some(new), effective_time, ..Default::default() };
        client.create_client(message).await?;
        let user = access::ClientUser {
            email_address: "anna@agency.example".to_owned(),
            display_name: "Anna".to_owned(),
            permission_set: "STANDARD".to_owned(),
            ..Default::default()
        };
        let message = CreateClientUserRequest {
            parent: format!("clients/{hub_id}"),
            client_user: Some(user),
            effective_time,
            ..Default::default()
        };
        client.create_client_user(message).await?;
    }
    Ok(())
}

/// What became of calls.
#[derive(Debug, Default)]
struct Counts {
    acknowledged: AtomicU64,
    refused: AtomicU64,
    late: AtomicU64,
    other: AtomicU64,
}

/// Who calls activity-tracking, each call with activities of its own.
struct Load {
    channels: Vec<Channel>,
    next: AtomicU64,
    /// The calls that were acknowledged.
    acknowledged: Mutex<Vec<u64>>,
    now: i64,
}

impl Load {
    fn new(url: &str) -> anyhow::Result<Self> {
        let channel = || anyhow::Ok(Endpoint::from_shared(url.to_owned())?.tcp_nodelay(true).connect_lazy());
        let channels = (0..CONNECTIONS).map(|_| channel()).collect::<anyhow::Result<_>>()?;
        Ok(Self {
            channels,
            next: AtomicU64::new(0),
            acknowledged: Mutex::default(),
            now: service_kit::Clock::System.now().timestamp(),
        })
    }

    async fn call(&self, counts: &Counts) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let activity = |index| Activity {
            name: format!("clients/{}/activities/{number}-{index}", 10_000 + number % CLIENTS),
            email_address: "anna@agency.example".to_owned(),
            occur_time: Some(Timestamp {
                seconds: self.now - i64::try_from(number % 1_000_000).unwrap_or(0),
                nanos: 0,
            }),
            action: Some(contracts::wire::activity::activity::Action::CatalogueAction(CatalogueAction {
                tool: "form".to_owned(),
                action: "edit".to_owned(),
            })),
            origin: Origin::Person.into(),
            target_object_id: String::new(),
        };
        let activities = (0..BATCH).map(activity).collect();
        let mut request = Request::new(RecordActivitiesRequest { activities, ..Default::default() });
        request.set_timeout(DEADLINE);
        let channel = &self.channels[usize::try_from(number).unwrap_or(0) % CONNECTIONS];
        let answer = ActivityTrackingServiceClient::new(channel.clone()).record_activities(request).await;
        let count = match answer {
            Ok(_) => {
                self.acknowledged.lock().await.push(number);
                &counts.acknowledged
            }
            Err(status) if status.code() == Code::ResourceExhausted => &counts.refused,
            Err(status) if matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled) => &counts.late,
            Err(_) => &counts.other,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// How many calls a second are acknowledged where callers wait for their answers.
    async fn sustained(self: &Arc<Self>) -> u64 {
        let (counts, start) = (Arc::new(Counts::default()), Instant::now());
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (load, counts) = (Arc::clone(self), Arc::clone(&counts));
            callers.spawn(async move {
                while start.elapsed() < SUSTAINED_FOR {
                    load.call(&counts).await;
                }
            });
        }
        while callers.join_next().await.is_some() {}
        counts.acknowledged.load(Ordering::Relaxed) * 1_000 / u64::try_from(start.elapsed().as_millis()).unwrap_or(1)
    }

    /// Begins so many calls a second, whatever becomes of them; how many were not begun.
    async fn overload(self: &Arc<Self>, per_second: u64, counts: &Arc<Counts>) -> u64 {
        let (under_way, mut left_out) = (Arc::new(Semaphore::new(MAXIMUM_UNDER_WAY)), 0);
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        let (start, mut begun) = (Instant::now(), 0);
        let mut calls = JoinSet::new();
        while start.elapsed() < OVERLOADED_FOR {
            tick.tick().await;
            let due = u64::try_from(start.elapsed().as_millis()).unwrap_or(0) * per_second / 1_000;
            for _ in begun..due {
                let Ok(permit) = Arc::clone(&under_way).try_acquire_owned() else {
                    left_out += 1;
                    continue;
                };
                let (load, counts) = (Arc::clone(self), Arc::clone(counts));
                calls.spawn(async move {
                    load.call(&counts).await;
                    drop(permit);
                });
            }
            begun = due;
            while calls.try_join_next().is_some() {}
        }
        while calls.join_next().await.is_some() {}
        left_out
    }

    /// How long until ten calls in a row are acknowledged, each within a tenth of a second.
    async fn recovered(&self) -> Duration {
        let (start, mut in_a_row) = (Instant::now(), 0);
        while in_a_row < 10 {
            let (counts, asked) = (Counts::default(), Instant::now());
            self.call(&counts).await;
            let is_well = counts.acknowledged.into_inner() == 1 && asked.elapsed() < Duration::from_millis(100);
            in_a_row = if is_well { in_a_row + 1 } else { 0 };
        }
        start.elapsed()
    }

    /// How many acknowledged activities are not there.
    async fn lost(&self) -> anyhow::Result<usize> {
        let mut client = ActivityTrackingServiceClient::new(self.channels[0].clone());
        let mut there = std::collections::HashSet::new();
        for number in 0..CLIENTS {
            let client_name = format!("clients/{}", 10_000 + number);
            let mut request = ListActivitiesRequest { client: client_name, page_size: 1_000, ..Default::default() };
            loop {
                let page = client.list_activities(request.clone()).await?.into_inner();
                there.extend(page.activities.into_iter().filter_map(|recorded| recorded.activity).map(|one| one.name));
                request.page_token = page.next_page_token;
                if request.page_token.is_empty() {
                    break;
                }
            }
        }
        let acknowledged = self.acknowledged.lock().await;
        let names = acknowledged.iter().flat_map(|number| {
            (0..BATCH).map(move |index| format!("clients/{}/activities/{number}-{index}", 10_000 + number % CLIENTS))
        });
        Ok(names.filter(|name| !there.contains(name)).count())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (served, urls) = serve(folder.path())?;
    write_programme(&urls[0]).await?;
    let load = Arc::new(Load::new(&urls[1])?);
    let sustained = load.sustained().await;
    let before = served.megabytes("VmRSS")?;
    println!("sustained: {sustained} calls of {BATCH} activities a second, {before} MB");
    let counts = Arc::new(Counts::default());
    let left_out = load.overload(sustained * TIMES, &counts).await;
    let recovered = load.recovered().await;
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    println!(
        "{TIMES} times as much for {} s: {} calls acknowledged, {} refused at once, {} too late, {} failed, {left_out} not begun",
        OVERLOADED_FOR.as_secs(),
        count(&counts.acknowledged),
        count(&counts.refused),
        count(&counts.late),
        count(&counts.other),
    );
    println!("memory: {} MB at most, {} MB after it", served.megabytes("VmHWM")?, served.megabytes("VmRSS")?);
    println!("as before after {} ms", recovered.as_millis());
    println!("acknowledged activities lost: {}", load.lost().await?);
    Ok(())
}
