//! What operators see from outside: health and metrics, on a port of their own.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use contracts::wire::access::access_management_service_client::AccessManagementServiceClient;
use contracts::wire::access::{GetPartnerRequest, WatchAccessRequest};
use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use service_kit::Clock;
use tonic::Code;
use tonic::transport::Channel;

use crate::postgresql::Databases;
use crate::process::{FREE_PORTS, Finished, NOWHERE, SAMPLE, Services, edit_by_giulia, managed_credit, run};

/// Far above what a sample of everything that is measured takes to be renewed.
const MEASURING_LIMIT: Duration = Duration::from_secs(30);

/// Services with a port for operators.
pub struct Observed {
    pub services: Services,
    /// Its address.
    pub operations: String,
}

impl Observed {
    /// In a folder.
    pub fn start(names: &[&str], data_dir: &Path, flags: &[&str]) -> Self {
        let in_folder = ["--data-dir", data_dir.to_str().expect("a path of text")];
        Self::start_in(&in_folder, names, flags)
    }

    /// In databases that flags name.
    fn start_in(databases: &[&str], names: &[&str], flags: &[&str]) -> Self {
        let mut arguments = vec!["serve"];
        arguments.extend(names);
        arguments.extend(["--log", "off", "--operations-listen", "127.0.0.1:0"]);
        arguments.extend(FREE_PORTS);
        arguments.extend(databases);
        arguments.extend(flags);
        Self::start_by(&mut managed_credit(&arguments), if names == ["all"] { 3 } else { names.len() })
    }

    /// So many, by a command that says where operators are answered.
    pub fn start_by(command: &mut Command, count: usize) -> Self {
        let services = Services::start_by(command, count);
        let told = services.printed.lines().find_map(|line| line.strip_prefix("operators are answered on "));
        let operations = told.expect("it says where").to_owned();
        Self { services, operations }
    }

    fn healthcheck(&self, services: &[&str]) -> Finished {
        let url = format!("http://{}", self.operations);
        run(&[&["healthcheck", "--operations-url", &url], services].concat())
    }

    /// What is measured now.
    fn scrape(&self) -> String {
        get(&self.operations, "/metrics")
    }

    /// The value of a series, once there is one that fits.
    pub fn measured(&self, series: &str, fits: impl Fn(f64) -> bool) -> f64 {
        let asked = Instant::now();
        loop {
            let scraped = self.scrape();
            let value = scraped.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
            match value.map(|value| value.parse::<f64>().expect("a number")) {
                Some(value) if fits(value) => return value,
                _ => assert!(asked.elapsed() < MEASURING_LIMIT, "{series} in {scraped}"),
            }
        }
    }
}

/// What is answered by HTTP, headers included. By version 1.0, so that nothing of it is in chunks.
pub fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("somebody answers");
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").expect("to ask");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    answer
}

/// The series of a call.
fn calls(rpc: &str, code: &str) -> String {
    format!(
        "rpc_server_call_duration_seconds_count{{rpc_system_name=\"grpc\",rpc_method=\"{rpc}\",\
         rpc_response_status_code=\"{code}\"}}"
    )
}

#[test]
fn operators_are_told_which_services_are_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    let observed = Observed::start(&["access", "credit"], folder.path(), &["--activity-url", NOWHERE]);
    let well = |services: &[&str]| observed.healthcheck(services);
    assert_eq!((well(&[]).code, well(&[]).stdout.as_str()), (Some(0), "the process is well\n"));
    let both = well(&["access", "credit"]);
    assert_eq!((both.code, both.stdout.lines().count()), (Some(0), 2), "{both:?}");
    let other = well(&["all"]);
    assert_eq!(other.code, Some(1));
    assert!(other.stderr.contains("activity-tracking is not ready, or not of that process"), "{other:?}");
    observed.services.signal("TERM");
    let (operations, _) = (observed.operations.clone(), observed.services.wait());
    let gone = run(&["healthcheck", "--operations-url", &format!("http://{operations}")]);
    assert_eq!(gone.code, Some(1));
    assert!(gone.stderr.contains(&operations) && gone.stderr.contains("--operations-listen"), "{gone:?}");
}

#[test]
fn config_check_tells_who_asks_beside_callers() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().to_str().expect("text");
    let flags = ["--operations-listen", "0.0.0.0:9464", "--grpc-web-origins", "https://a.example,https://b.example"];
    let checked = run(&[&["config", "check", "all", "--data-dir", data_dir], &flags[..]].concat());
    assert_eq!(checked.code, Some(0), "{checked:?}");
    for line in ["operators: on 0.0.0.0:9464, without proofs", "gRPC-Web: for pages of https://b.example"] {
        assert!(checked.stdout.lines().any(|printed| printed == line), "{checked:?}");
    }
    let wildcard = run(&["config", "check", "all", "--data-dir", data_dir, "--grpc-web-origins", "*"]);
    assert_eq!(wildcard.code, Some(2));
    assert!(wildcard.stderr.contains("an origin is expected"), "{wildcard:?}");
}

#[test]
fn an_address_of_operators_that_is_taken_is_named_with_its_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it listens").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().to_str().expect("text");
    let refused = run(&["serve", "access", "--data-dir", data_dir, "--operations-listen", &address]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--operations-listen") && refused.stderr.contains(&address), "{refused:?}");
}

// The client's side of the stream goes on while the test asks for metrics.
#[tokio::test(flavor = "multi_thread")]
async fn calls_are_measured_by_rpc_and_by_how_they_ended_and_what_callers_make_up_is_one_series() {
    let folder = tempfile::tempdir().expect("a folder");
    let observed = Observed::start(&["access"], folder.path(), &[]);
    let channel = Channel::from_shared(observed.services.url("access-management")).expect("a URL");
    let channel = channel.connect().await.expect("it is ready");
    let mut feed = AccessFeedServiceClient::new(channel.clone());
    let watch = "managedcredit.access.v1.AccessFeedService/WatchAccess";
    let mut changes = feed.watch_access(WatchAccessRequest::default()).await.expect("a stream").into_inner();
    assert!(changes.message().await.expect("the stream is open").is_some());
    assert!(!observed.scrape().contains(watch), "it has not ended yet");
    drop(changes);
    observed.measured(&calls(watch, "CANCELLED"), |count| count == 1.0);

    let unknown = GetPartnerRequest { name: "partners/7".to_owned() };
    let refused = AccessManagementServiceClient::new(channel.clone()).get_partner(unknown).await;
    assert_eq!(refused.expect_err("no such partner").code(), Code::NotFound);
    let get = "managedcredit.access.v1.AccessManagementService/GetPartner";
    observed.measured(&calls(get, "NOT_FOUND"), |count| count == 1.0);

    // A message of another RPC, which this one cannot read: the caller's fault, and measured as such.
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("it is ready");
    let codec = tonic_prost::ProstCodec::<WatchAccessRequest, WatchAccessRequest>::default();
    let path = tonic::codegen::http::uri::PathAndQuery::from_static(
        "/managedcredit.access.v1.AccessManagementService/GetPartner",
    );
    let of_another = WatchAccessRequest { after_position: 7, ..WatchAccessRequest::default() };
    let unread = client.unary(tonic::Request::new(of_another), path, codec).await;
    assert_eq!(unread.expect_err("no name").code(), Code::InvalidArgument);
    observed.measured(&calls(get, "INVALID_ARGUMENT"), |count| count == 1.0);
    assert!(!observed.scrape().contains(&calls(get, "INTERNAL")));

    for made_up in ["/x.Y/Z1", "/x.Y/Z2", "/grpc.health.v1.Health/Z"] {
        let mut client = tonic::client::Grpc::new(channel.clone());
        client.ready().await.expect("it is ready");
        let codec = tonic_prost::ProstCodec::<WatchAccessRequest, WatchAccessRequest>::default();
        let path = tonic::codegen::http::uri::PathAndQuery::from_static(made_up);
        let unknown = client.unary(tonic::Request::new(WatchAccessRequest::default()), path, codec).await;
        assert_eq!(unknown.expect_err("there is none").code(), Code::Unimplemented);
    }
    observed.measured(&calls("_OTHER", "UNIMPLEMENTED"), |count| count == 3.0);
    assert!(!observed.scrape().contains("x.Y"));
}

#[test]
fn provisional_answers_are_counted_in_a_metric_by_their_outcome() {
    let folder = tempfile::tempdir().expect("a folder");
    let observed = Observed::start(&["activity"], folder.path(), &["--access-url", NOWHERE]);
    let url = observed.services.url("activity-tracking");
    let log = format!("{SAMPLE}/audit-log/2001.json");
    let flags = ["--access-url", NOWHERE, "--activity-url", &url, "--credit-url", NOWHERE];
    let imported = run(&[&["import", "audit-log", "--client", "2001", &log], &flags[..]].concat());
    assert!(imported.stdout.contains("Provisional: "), "{imported:?}");
    let recorded = "managed_credit_recorded_activities_total{outcome=\"UNKNOWN_CLIENT\",provisional=\"true\"}";
    let counted = observed.measured(recorded, |count| count > 0.0);
    observed.measured("managed_credit_provisional_activities{service=\"activity-tracking\"}", |count| count == counted);
    assert!(observed.scrape().contains("# HELP managed_credit_waiting_tasks "));
}

/// Lets Giulia edit a form of Verde Vivo Garden 50 days ago, so that credit for 440.00 EUR a month ends in 10 days.
pub async fn record_what_ends_soon(services: &Services) {
    let occurred = contracts::timestamp(Clock::System.now() - TimeDelta::days(50));
    let url = services.url("activity-tracking");
    let mut tracking = ActivityTrackingServiceClient::connect(url).await.expect("it is ready");
    tracking.record_activities(edit_by_giulia("50-days-ago", occurred)).await.expect("it is recorded");
    services.urls.settle("partners/1001").await;
}

/// How services, their copies and their databases are, and what ends soon.
async fn what_is_measured(databases: &[&str]) {
    let observed = Observed::start_in(databases, &["all"], &[]);
    observed.services.urls.import_sample().await;
    record_what_ends_soon(&observed.services).await;
    let of = |name: &str, labels: &str| format!("managed_credit_{name}{{{labels}}}");
    for (service, feed) in
        [("activity-tracking", "access"), ("credit-calculation", "access"), ("credit-calculation", "servicing")]
    {
        let copy = format!("service=\"{service}\",feed=\"{feed}\"");
        let position = observed.measured(&of("feed_position", &copy), |position| position > 0.0);
        let owner = if feed == "access" { "access-management" } else { "activity-tracking" };
        let head = of("feed_head_position", &format!("service=\"{owner}\",feed=\"{feed}\""));
        observed.measured(&head, |head| head >= position);
        observed.measured(&of("feed_lag_seconds", &copy), |lag| lag < 60.0);
        observed.measured(&of("feed_state", &format!("{copy},state=\"OPEN\"")), |is_so| is_so == 1.0);
        observed.measured(&of("feed_state", &format!("{copy},state=\"DIVERGED\"")), |is_so| is_so == 0.0);
    }
    for service in ["access-management", "activity-tracking", "credit-calculation"] {
        let pool = format!("db_client_connection_pool_name=\"{service}\"");
        observed.measured(&format!("db_client_connection_max{{{pool}}}"), |maximum| maximum == 10.0);
        let idle = format!("db_client_connection_count{{{pool},db_client_connection_state=\"idle\"}}");
        observed.measured(&idle, |idle| (1.0..=10.0).contains(&idle));
    }
    observed.measured("managed_credit_waiting_activities", |waiting| waiting == 0.0);
    let of_activity = "service=\"activity-tracking\"";
    observed.measured(&of("waiting_tasks", of_activity), |waiting| waiting == 0.0);
    observed.measured(&of("oldest_waiting_task_seconds", of_activity), |age| age == 0.0);
    let measured = observed.measured(&of("measured_time_seconds", of_activity), |time| time > 0.0);
    observed.measured(&of("measured_time_seconds", of_activity), |time| time > measured);
    let scraped = observed.scrape();
    let info = "managed_credit_service_info{service=\"credit-calculation\",version=\"0.1.0\",policy_version=\"";
    assert!(scraped.contains(info), "{scraped}");
    for name in ["@", "partners/", "clients/", "giulia"] {
        assert!(!scraped.contains(name), "{name} in {scraped}");
    }

    // What ends soon is measured at the start, and then every minute.
    observed.services.terminate();
    assert_eq!(observed.services.wait().0.code(), Some(0));
    let observed = Observed::start_in(databases, &["all"], &[]);
    let of_credit = "service=\"credit-calculation\"";
    observed.measured(&of("expiring_credits", of_credit), |credits| credits == 1.0);
    observed.measured(&of("expiring_mrr", &format!("{of_credit},currency=\"EUR\"")), |mrr| mrr == 440.0);
}

#[tokio::test]
async fn how_services_are_and_what_ends_soon_is_measured_and_names_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    what_is_measured(&["--data-dir", folder.path().to_str().expect("text")]).await;
}

#[tokio::test]
async fn how_services_are_and_what_ends_soon_is_measured_on_postgresql_too() {
    let databases = Databases::create("measured");
    let flags = databases.flags();
    what_is_measured(&flags.iter().map(String::as_str).collect::<Vec<_>>()).await;
}
