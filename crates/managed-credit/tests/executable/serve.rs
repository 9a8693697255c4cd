use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use contracts::wire::access::WatchAccessRequest;
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use contracts::wire::activity::WatchServicingRequest;
use contracts::wire::activity::servicing_feed_service_client::ServicingFeedServiceClient;
use contracts::wire::credit::ExplainCreditRequest;
use contracts::wire::credit::credit_calculation_service_client::CreditCalculationServiceClient;
use tonic::transport::Channel;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::process::{FREE_PORTS, Services, managed_credit, run, services_with_sample};

/// Open watch streams are no reason to wait: far below the limit for calls under way.
const PROMPT_STOP: Duration = Duration::from_secs(5);

/// Far above what judging the sample again takes.
const JUDGING_LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn every_service_is_healthy_when_it_says_that_it_is_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = Services::start_all(folder.path());
    for (name, grpc_names) in [
        ("access-management", ["access.v1.AccessManagementService", "access.v1.AccessFeedService"]),
        ("activity-tracking", ["activity.v1.ActivityTrackingService", "activity.v1.ServicingFeedService"]),
        ("credit-calculation", ["credit.v1.CreditCalculationService", "credit.v1.CreditCalculationService"]),
    ] {
        let channel = Channel::from_shared(services.url(name)).expect("a URL").connect().await.expect("it is ready");
        for grpc_name in grpc_names {
            let service = format!("managedcredit.{grpc_name}");
            let answer = HealthClient::new(channel.clone()).check(HealthCheckRequest { service }).await;
            assert_eq!(answer.expect("health").into_inner().status, ServingStatus::Serving as i32, "{grpc_name}");
        }
    }
}

// The client's side of the streams goes on while the test waits for the process.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_with_open_watch_streams_ends_promptly_with_exit_code_0() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = Services::start_all(folder.path());
    let mut access = AccessFeedServiceClient::connect(services.url("access-management")).await.expect("it is ready");
    let mut changes = access.watch_access(WatchAccessRequest::default()).await.expect("a stream").into_inner();
    assert!(changes.message().await.expect("the stream is open").is_some_and(|message| message.caught_up));
    let mut servicing =
        ServicingFeedServiceClient::connect(services.url("activity-tracking")).await.expect("it is ready");
    let mut periods = servicing.watch_servicing(WatchServicingRequest::default()).await.expect("a stream").into_inner();
    assert!(periods.message().await.expect("the stream is open").is_some());

    let asked = Instant::now();
    services.terminate();
    let (status, _) = services.wait();
    assert_eq!(status.code(), Some(0));
    assert!(asked.elapsed() < PROMPT_STOP, "it took {:?}", asked.elapsed());
    while let Ok(Some(_)) = changes.message().await {}
}

#[test]
fn facts_survive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = Services::start_all(folder.path());
    let imported = before.ask(&["import", "programme", crate::process::SAMPLE]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    before.terminate();
    assert_eq!(before.wait().0.code(), Some(0));
    let after = Services::start_all(folder.path());
    let again = after.ask(&["import", "programme", crate::process::SAMPLE]);
    assert!(
        again.stdout.lines().any(|line| line.contains("clients.csv") && line.contains("0 ┆         8")),
        "{again:?}"
    );
}

#[test]
fn an_address_that_is_not_loopback_is_refused_with_its_setting() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().to_str().expect("text");
    let refused = run(&["serve", "access", "--data-dir", data_dir, "--access-listen", "0.0.0.0:0"]);
    assert_eq!(refused.code, Some(1));
    for expected in ["--access-listen", "0.0.0.0:0", "loopback", "127.0.0.1"] {
        assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    }
}

#[test]
fn a_crash_leaves_no_core_dump() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().to_str().expect("text");
    // In a folder of its own, and with leave to write as much as it likes.
    let mut command = Command::new("bash");
    let script =
        "cd \"$1\" && ulimit -c unlimited && exec \"$0\" serve access --data-dir . --access-listen 127.0.0.1:0";
    command.args(["-c", script, env!("CARGO_BIN_EXE_managed-credit"), data_dir]);
    let services = Services::start_by(&mut command, 1);
    services.signal("ABRT");
    assert!(!services.wait().0.core_dumped());
}

/// The id of a call goes along with the calls that are made for it, so that it is found in every service's log.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_found_by_its_id_in_the_log_of_every_service_that_it_reached() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data");
    let log = folder.path().join("log");
    let mut arguments = vec!["serve", "all", "--log", "warn,service_kit=info,tower_http=debug", "--data-dir"];
    arguments.push(data_dir.to_str().expect("text"));
    arguments.extend(FREE_PORTS);
    let mut command = managed_credit(&arguments);
    command.stderr(fs::File::create(&log).expect("a file"));
    let services = Services::start_by(&mut command, 3);
    services.urls.import_sample().await;
    let mut credit = CreditCalculationServiceClient::connect(services.url("credit-calculation")).await.expect("ready");
    let mut question = tonic::Request::new(ExplainCreditRequest {
        partner: "partners/1001".to_owned(),
        client: "clients/2004".to_owned(),
        ..ExplainCreditRequest::default()
    });
    question.metadata_mut().insert("x-request-id", "this-call".parse().expect("ASCII"));
    credit.explain_credit(question).await.expect("an explanation");
    services.terminate();
    assert_eq!(services.wait().0.code(), Some(0));
    let log = fs::read_to_string(&log).expect("a log");
    for rpc in ["CreditCalculationService/ExplainCredit", "ActivityTrackingService/GetServicing"] {
        let found = log.lines().any(|line| line.contains(rpc) && line.contains("request_id=\"this-call\""));
        assert!(found, "{rpc}: {log}");
    }
}

#[test]
fn a_second_process_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Services::start_all(folder.path());
    let data_dir = folder.path().to_str().expect("text");
    let mut arguments = vec!["serve", "all", "--data-dir", data_dir];
    arguments.extend(FREE_PORTS);
    let second = run(&arguments);
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("--data-dir") && second.stderr.contains("in use"), "{}", second.stderr);
    drop(first);
}

#[test]
fn a_port_that_is_taken_is_named_with_its_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it listens").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().to_str().expect("text");
    let refused = run(&["serve", "credit", "--data-dir", data_dir, "--credit-listen", &address]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--credit-listen") && refused.stderr.contains(&address), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_policy_judges_what_was_recorded_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data");
    let state = |services: &Services| {
        let question =
            ["breakdown", "--partner", "1001", "--search", "2004", "--as-of", "2025-09-01", "--format", "csv"];
        let answer = services.ask(&question);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        answer.stdout
    };
    let before = services_with_sample(&data_dir).await;
    assert!(state(&before).contains(",ENDED,LAPSED,,2025-08-09T10:00:00Z,"), "{}", state(&before));
    before.terminate();
    assert_eq!(before.wait().0.code(), Some(0));

    let policy = folder.path().join("policy.toml");
    let longer = include_str!("../../../domain/policy.toml").replace("days = 60", "days = 90");
    fs::write(&policy, longer).expect("a file");
    let after = Services::start_all_with(&data_dir, &["--policy", policy.to_str().expect("text")]);
    let expected = ",EXPIRING,,2025-03-12T09:00:00Z,2025-09-08T10:00:00Z,";
    let asked = Instant::now();
    // Judging goes on while the services answer already.
    while !state(&after).contains(expected) {
        assert!(asked.elapsed() < JUDGING_LIMIT, "{}", state(&after));
    }
}

#[test]
fn a_policy_that_is_not_valid_is_refused_with_all_its_entries() {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = folder.path().join("policy.toml");
    let embedded = include_str!("../../../domain/policy.toml");
    let wrong = embedded.replace("days = 60", "days = 0").replace("currency = \"ZAR\"", "currency = \"ZZZ\"");
    fs::write(&policy, wrong).expect("a file");
    let (policy, data_dir) = (policy.to_str().expect("text"), folder.path().to_str().expect("text"));
    let refused = run(&["serve", "access", "--data-dir", data_dir, "--policy", policy]);
    assert_eq!(refused.code, Some(1));
    for expected in ["--policy", "windows[0]", "currency_units["] {
        assert!(refused.stderr.contains(expected), "{expected} in {}", refused.stderr);
    }
}

#[test]
fn pending_migrations_are_refused_until_they_are_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("access.sqlite3").display());
    let serve = ["serve", "access", "--access-database-url", &url, "--access-listen", "127.0.0.1:0", "--log", "warn"];
    let refused = run(&serve);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--access-database-url") && refused.stderr.contains("--migrate"), "{refused:?}");
    let migrated = run(&["migrate", "--access-database-url", &url]);
    assert_eq!(
        (migrated.code, migrated.stdout.as_str()),
        (Some(0), "the database of access-management is up to date\n")
    );
    let services = Services::start(&serve, 1);
    services.terminate();
    assert_eq!(services.wait().0.code(), Some(0));
}

#[tokio::test]
async fn services_in_processes_of_their_own_make_one_system() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().to_str().expect("text");
    let with = |services: &[&str], flags: &[&str]| {
        let mut arguments = vec!["serve"];
        arguments.extend(services);
        arguments.extend(["--log", "warn", "--data-dir", data_dir]);
        arguments.extend(FREE_PORTS);
        arguments.extend(flags);
        Services::start(&arguments, services.len())
    };
    let access = with(&["access"], &[]);
    let others = with(&["activity", "credit"], &["--access-url", &access.url("access-management")]);
    let system = access.urls.clone().with(&others.urls);

    let imported = system.ask(&["import", "programme", crate::process::SAMPLE]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let log = format!("{}/audit-log/2001.json", crate::process::SAMPLE);
    let recorded = system.ask(&["import", "audit-log", "--client", "2001", &log]);
    assert!(recorded.stdout.contains("7 records; new: 7"), "{recorded:?}");
    assert!(!recorded.stdout.contains("Provisional"), "{recorded:?}");
}
