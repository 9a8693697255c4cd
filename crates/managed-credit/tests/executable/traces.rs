//! Traces, as a collector receives them, and the ids of traces in logs.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::process::{FREE_PORTS, Services, edit_by_giulia, managed_credit};

/// A trace that somebody else has begun, and the work in it for which they call.
const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLERS_SPAN_ID: &str = "b7ad6b7169203331";

/// Far above what following a feed and sending traces take.
const LIMIT: Duration = Duration::from_secs(30);

/// A span of the trace, and whose it is.
#[derive(Debug, Clone)]
struct Sent {
    service: String,
    span: Span,
}

/// A collector of traces.
#[derive(Debug, Clone, Default)]
struct Collector(Arc<Mutex<Vec<Sent>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for of_resource in request.into_inner().resource_spans {
            let attributes = of_resource.resource.unwrap_or_default().attributes;
            let name = attributes.into_iter().find(|attribute| attribute.key == "service.name");
            let Some(Value::StringValue(service)) = name.and_then(|name| name.value?.value) else {
                return Err(Status::invalid_argument("whose?"));
            };
            let spans = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            let sent = spans.map(|span| Sent { service: service.clone(), span });
            self.0.lock().expect("a list").extend(sent);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn start() -> (Self, SocketAddr) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let server = Server::builder().add_service(TraceServiceServer::new(collector.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        (collector, address)
    }

    /// The span of this name in the trace, once it has been sent.
    async fn span_of_trace(&self, name: &str) -> Sent {
        let asked = Instant::now();
        loop {
            let sent = self.0.lock().expect("a list").clone();
            let found = sent.iter().find(|sent| hex(&sent.span.trace_id) == TRACE_ID && sent.span.name == name);
            if let Some(found) = found {
                return found.clone();
            }
            assert!(asked.elapsed() < LIMIT, "{name} in {sent:#?}");
            tokio::task::yield_now().await;
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Records an activity of the sample that makes a credit, for the sake of the trace.
async fn record_in_trace(services: &Services) -> Result<(), Status> {
    let occurred = "2025-08-30T10:00:00Z".parse().expect("a time");
    let mut request = Request::new(edit_by_giulia("traced", occurred));
    let parent = format!("00-{TRACE_ID}-{CALLERS_SPAN_ID}-01");
    request.metadata_mut().insert("traceparent", parent.parse().expect("ASCII"));
    let url = services.url("activity-tracking");
    let mut tracking = ActivityTrackingServiceClient::connect(url).await.expect("it is ready");
    tracking.record_activities(request).await.map(drop)
}

/// A service that sends what it traces, soon.
fn traced(service: &str, data_dir: &Path, flags: &[&str], collector: SocketAddr) -> Command {
    let mut arguments = vec!["serve", service, "--log", "warn", "--data-dir", data_dir.to_str().expect("text")];
    arguments.extend(FREE_PORTS);
    arguments.extend(flags);
    let mut command = managed_credit(&arguments);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}")).env("OTEL_BSP_SCHEDULE_DELAY", "100");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_from_recording_through_every_service_to_the_change_of_credit() {
    let (collector, address) = Collector::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let start =
        |service: &str, flags: &[&str]| Services::start_by(&mut traced(service, folder.path(), flags, address), 1);
    let access = start("access", &[]);
    let access_url = access.url("access-management");
    let activity = start("activity", &["--access-url", &access_url]);
    let activity_url = activity.url("activity-tracking");
    let credit = start("credit", &["--access-url", &access_url, "--activity-url", &activity_url]);
    let system = access.urls.clone().with(&activity.urls).with(&credit.urls);
    system.import_sample().await;
    record_in_trace(&activity).await.expect("it is recorded");

    let recording = "managedcredit.activity.v1.ActivityTrackingService/RecordActivities";
    let recorded = collector.span_of_trace(recording).await;
    assert_eq!(recorded.service, "activity-tracking");
    assert_eq!(hex(&recorded.span.parent_span_id), CALLERS_SPAN_ID);
    let of_recording = |sent: &Sent| hex(&sent.span.parent_span_id) == hex(&recorded.span.span_id);
    let asked = collector.span_of_trace("managedcredit.access.v1.AccessFeedService/GetHeadRevision").await;
    assert_eq!((asked.service.as_str(), of_recording(&asked)), ("access-management", true));
    let committed = collector.span_of_trace("commit").await;
    assert_eq!((committed.service.as_str(), of_recording(&committed)), ("activity-tracking", true));
    let taken_over = collector.span_of_trace("take over servicing").await;
    assert_eq!((taken_over.service.as_str(), of_recording(&taken_over)), ("credit-calculation", true));
    let sent = collector.0.lock().expect("a list").clone();
    let text = format!("{sent:?}");
    assert!(!text.contains('@'), "traces name no person: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_followed_by_its_id_in_logs_where_traces_are_sent_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data_dir, log) = (folder.path().join("data"), folder.path().join("log"));
    let mut arguments =
        vec!["serve", "all", "--log", "warn,service_kit=info,tower_http=debug,credit_calculation=debug"];
    arguments.extend(["--data-dir", data_dir.to_str().expect("text")]);
    arguments.extend(FREE_PORTS);
    let mut command = managed_credit(&arguments);
    command.stderr(File::create(&log).expect("a file"));
    let services = Services::start_by(&mut command, 3);
    services.urls.import_sample().await;
    record_in_trace(&services).await.expect("it is recorded");
    services.urls.settle("partners/1001").await;
    services.terminate();
    assert_eq!(services.wait().0.code(), Some(0));
    let log = fs::read_to_string(&log).expect("a log");
    let of_trace = format!("trace_id=\"{TRACE_ID}\"");
    for work in
        ["ActivityTrackingService/RecordActivities", "AccessFeedService/GetHeadRevision", "credit rests on the change"]
    {
        assert!(log.lines().any(|line| line.contains(work) && line.contains(&of_trace)), "{work}: {log}");
    }
    assert!(!log.contains("otel."), "what only traces need is not for people: {log}");
    let ids: Vec<&str> = log.lines().filter_map(|line| line.split("trace_id=").nth(1)).collect();
    assert!(ids.iter().any(|id| !id.starts_with(&format!("\"{TRACE_ID}"))), "every call has a trace of its own");
}

/// Calls are committed together, by nobody's own work: each has to find in the log what became of it all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_fails_is_found_in_the_log_by_the_id_that_its_caller_was_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data_dir, log) = (folder.path().join("data"), folder.path().join("log"));
    let mut arguments = vec!["serve", "all", "--log", "error", "--data-dir", data_dir.to_str().expect("text")];
    arguments.extend(FREE_PORTS);
    let mut command = managed_credit(&arguments);
    command.stderr(File::create(&log).expect("a file"));
    let services = Services::start_by(&mut command, 3);
    let spoil = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('ALTER TABLE activity RENAME TO gone')";
    let database = data_dir.join("activity-tracking.sqlite3");
    let spoilt = Command::new("python3").args(["-c", spoil]).arg(&database).status();
    assert!(spoilt.expect("python3, which tests/run installs").success());
    let failed = record_in_trace(&services).await.expect_err("there is no table");
    let id = failed.metadata().get("x-request-id").expect("an id").to_str().expect("ASCII").to_owned();
    services.terminate();
    services.wait();
    let log = fs::read_to_string(&log).expect("a log");
    let told = |line: &str| {
        line.contains("a call failed") && line.contains(&format!("request_id=\"{id}\"")) && line.contains(TRACE_ID)
    };
    assert!(log.lines().any(told), "{id} in {log}");
}

#[test]
fn traces_that_cannot_be_sent_are_refused_with_their_setting() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere: SocketAddr = "127.0.0.1:1".parse().expect("an address");
    let mut command = traced("access", folder.path(), &[], nowhere);
    let refused = command.env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json").output().expect("the executable is built");
    let stderr = String::from_utf8(refused.stderr).expect("text");
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr.contains("OTEL_EXPORTER_OTLP_PROTOCOL") && stderr.contains("grpc"), "{stderr}");
    // A collector that is away is no reason to stop, or to wait long at the end.
    let services = Services::start_by(&mut traced("access", folder.path(), &[], nowhere), 1);
    services.terminate();
    assert_eq!(services.wait().0.code(), Some(0));
}
