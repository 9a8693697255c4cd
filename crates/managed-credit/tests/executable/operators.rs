//! What operators see from outside: health and metrics, on a port of their own.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use contracts::wire::access::access_management_service_client::AccessManagementServiceClient;
use contracts::wire::access::{GetPartnerRequest, WatchAccessRequest};
use tonic::Code;
use tonic::transport::Channel;

use crate::process::{FREE_PORTS, Finished, NOWHERE, SAMPLE, Services, run};

/// Far above what a sample of everything that is measured takes to be renewed.
const MEASURING_LIMIT: Duration = Duration::from_secs(30);

/// Services with a port for operators.
struct Observed {
    services: Services,
    operations: String,
}

impl Observed {
    fn start(names: &[&str], data_dir: &Path, flags: &[&str]) -> Self {
        let data_dir = data_dir.to_str().expect("a path of text");
        let mut arguments = vec!["serve"];
        arguments.extend(names);
        arguments.extend(["--log", "off", "--data-dir", data_dir, "--operations-listen", "127.0.0.1:0"]);
        arguments.extend(FREE_PORTS);
        arguments.extend(flags);
        let services = Services::start(&arguments, if names == ["all"] { 3 } else { names.len() });
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
        let mut stream = TcpStream::connect(&self.operations).expect("operators are answered");
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("to ask");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        answer
    }

    /// The value of a series, once there is one that fits.
    fn measured(&self, series: &str, fits: impl Fn(f64) -> bool) -> f64 {
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

    let unknown = GetPartnerRequest { name: "partners/7".to_owned(), ..GetPartnerRequest::default() };
    let refused = AccessManagementServiceClient::new(channel.clone()).get_partner(unknown).await;
    assert_eq!(refused.expect_err("no such partner").code(), Code::NotFound);
    let get = "managedcredit.access.v1.AccessManagementService/GetPartner";
    observed.measured(&calls(get, "NOT_FOUND"), |count| count == 1.0);

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
    observed.measured("managed_credit_provisional_activities", |count| count == counted);
    assert!(observed.scrape().contains("# HELP managed_credit_waiting_tasks "));
}
