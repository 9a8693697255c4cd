//! The dashboard and the alerts of deploy/observability against what is measured: a real Prometheus asks running services,
//! and answers every question that people's screens and pagers would ask it.

mod prometheus;
mod questions;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use contracts::wire::activity::{Activity, BatchGetServicingRequest, RecordActivitiesRequest, ServicingPair};
use contracts::wire::credit::ListManagedCreditsRequest;
use contracts::wire::credit::credit_calculation_service_client::CreditCalculationServiceClient;
use serde_json::Value;
use service_kit::Clock;
use tonic::Code;

use crate::operators::{Observed, record_what_ends_soon};
use crate::process::{NOWHERE, SAMPLE, Services, edit_by_giulia, run};
use crate::tools::REPOSITORY;
use prometheus::{Prometheus, Rule, Target};
use questions::{Dashboard, Measured, exclusions_of_rpcs, metrics, rpcs};

/// Where the dashboard and the rules are.
fn folder() -> PathBuf {
    Path::new(REPOSITORY).join("deploy/observability")
}

/// Far above what everything takes to be measured, scraped, and asked about.
const ANSWER_LIMIT: Duration = Duration::from_secs(90);

/// Services that are well: all three, with the sample programme, a credit that ends soon, and people who work.
struct Well {
    observed: Observed,
    calls: u32,
}

impl Well {
    async fn start(folder: &Path) -> Self {
        let services = Services::start_all(folder);
        services.urls.import_sample().await;
        record_what_ends_soon(&services).await;
        services.terminate();
        services.wait();
        // What ends soon is measured at the start.
        Self { observed: Observed::start(&["all"], folder, &[]), calls: 0 }
    }

    /// Somebody does something that counts, and somebody looks at the credit.
    async fn work(&mut self) {
        self.calls += 1;
        let occurred = contracts::timestamp(Clock::System.now());
        let request = edit_by_giulia(&format!("observed-{}", self.calls), occurred);
        let url = self.observed.services.url("activity-tracking");
        let mut tracking = ActivityTrackingServiceClient::connect(url).await.expect("it is ready");
        tracking.record_activities(request).await.expect("it is recorded");
        let url = self.observed.services.url("credit-calculation");
        let mut calculation = CreditCalculationServiceClient::connect(url).await.expect("it is ready");
        let mut credits_of = async |partner: &str| {
            let parent = partner.to_owned();
            calculation
                .list_managed_credits(ListManagedCreditsRequest { parent, ..ListManagedCreditsRequest::default() })
                .await
        };
        credits_of("partners/1001").await.expect("a breakdown");
        assert_eq!(credits_of("partners/77").await.expect_err("no such partner").code(), Code::NotFound);
    }
}

/// An activity-tracking that is not well: access-management is away, so that its verdicts are provisional.
struct Alone(Observed);

impl Alone {
    fn start(folder: &Path) -> Self {
        let observed = Observed::start(&["activity"], folder, &["--access-url", NOWHERE]);
        let url = observed.services.url("activity-tracking");
        let log = format!("{SAMPLE}/audit-log/2001.json");
        let flags = ["--access-url", NOWHERE, "--activity-url", &url, "--credit-url", NOWHERE];
        let imported = run(&[&["import", "audit-log", "--client", "2001", &log], &flags[..]].concat());
        assert!(imported.stdout.contains("Provisional: "), "{imported:?}");
        Self(observed)
    }

    /// What fails by its fault, and what is refused as too much. Where the machine is busy, callers may give up before they
    /// are told: what came of it is asked of Prometheus.
    async fn fail(&self) {
        let url = self.0.services.url("activity-tracking");
        let mut tracking = ActivityTrackingServiceClient::connect(url).await.expect("it is ready");
        let pair = ServicingPair { partner: "partners/1001".to_owned(), client: "clients/2001".to_owned() };
        let mut request = tonic::Request::new(BatchGetServicingRequest {
            pairs: vec![pair],
            at_least_revisions: vec!["access-1".to_owned()],
            ..BatchGetServicingRequest::default()
        });
        request.set_timeout(Duration::from_secs(1));
        tracking.batch_get_servicing(request).await.expect_err("it cannot know that");
        let too_large = Activity { name: "x".repeat(5_000_000), ..Activity::default() };
        let request = RecordActivitiesRequest { activities: vec![too_large], ..RecordActivitiesRequest::default() };
        tracking.record_activities(request).await.expect_err("it is too large");
    }
}

/// The alerts that fire or are about to: namespace, name, and of which service.
fn alerts(prometheus: &Prometheus) -> BTreeSet<(String, String, String)> {
    let text = |alert: &Value, label: &str| alert["metric"][label].as_str().unwrap_or_default().to_owned();
    let alerts = prometheus.query("ALERTS").expect("it can be asked");
    alerts.iter().map(|alert| (text(alert, "namespace"), text(alert, "alertname"), text(alert, "service"))).collect()
}

// Services answer while the test asks Prometheus.
#[tokio::test(flavor = "multi_thread")]
async fn every_question_of_dashboard_and_alerts_is_about_what_is_measured_and_has_an_answer() {
    let (well_folder, alone_folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut well = Well::start(well_folder.path()).await;
    let alone = Alone::start(alone_folder.path());
    let prometheus = Prometheus::start(
        &folder(),
        &[
            Target { namespace: "well", address: &well.observed.operations },
            Target { namespace: "alone", address: &alone.0.operations },
            Target { namespace: "gone", address: NOWHERE.trim_start_matches("http://") },
        ],
    );
    let dashboard = Dashboard::read();
    let about_to_fire = [
        ("alone", "ManagedCreditFeedNotFollowed", "activity-tracking"),
        ("alone", "ManagedCreditProvisionalVerdictsStay", "activity-tracking"),
        ("alone", "ManagedCreditServiceAbsent", "access-management"),
        ("alone", "ManagedCreditServiceAbsent", "credit-calculation"),
        ("gone", "ManagedCreditReplicaDown", ""),
    ];

    // Rates need work that goes on, and Prometheus some rounds: asked until everything has an answer.
    let asked = Instant::now();
    loop {
        well.work().await;
        alone.fail().await;
        let silent = dashboard.without_an_answer(&prometheus);
        let alerts = alerts(&prometheus);
        let quiet = about_to_fire.map(|(namespace, name, service)| (namespace.into(), name.into(), service.into()));
        let quiet: Vec<_> = quiet.into_iter().filter(|expected| !alerts.contains(expected)).collect();
        let is_evaluated = |rule: &Rule| {
            rule.health == "ok"
                && (rule.is_alert || prometheus.query(&rule.name).is_ok_and(|series| !series.is_empty()))
        };
        let unsure: Vec<_> = prometheus.rules().into_iter().filter(|rule| !is_evaluated(rule)).collect();
        if silent.is_empty() && quiet.is_empty() && unsure.is_empty() {
            break;
        }
        let late = asked.elapsed() > ANSWER_LIMIT;
        assert!(!late, "no answer: {silent:#?}\nno alert: {quiet:#?} of {alerts:#?}\nrules: {unsure:#?}");
    }

    let for_nothing: Vec<_> = alerts(&prometheus).into_iter().filter(|(namespace, ..)| namespace == "well").collect();
    assert!(for_nothing.is_empty(), "alerts of services that are well: {for_nothing:?}");

    let measured = Measured::of(&prometheus.series());
    let rules = prometheus.rules();
    let mut questions = dashboard.expressions(&prometheus);
    let shown: BTreeSet<_> = questions.iter().flat_map(|(_, asked)| metrics(asked)).collect();
    let ours = |name: &&String| ["managed_credit_", "db_client_", "rpc_"].iter().any(|prefix| name.starts_with(prefix));
    let hidden: Vec<_> = measured.metrics().filter(ours).filter(|name| !shown.contains(*name)).collect();
    assert!(hidden.is_empty(), "measured, and not on the dashboard: {hidden:?}");
    questions.extend(rules.iter().map(|rule| (rule.name.clone(), rule.query.clone())));
    let wrong = |(whose, asked): &(String, String)| (whose.clone(), measured.objections(asked));
    let wrong: Vec<_> = questions.iter().map(wrong).filter(|(_, objections)| !objections.is_empty()).collect();
    assert!(wrong.is_empty(), "asked about what nobody measures: {wrong:#?}");
    assert_that_streams_are_left_out_of_durations(&questions);
    assert_that_the_guide_knows_every_alert(&rules);
}

/// Where RPCs are left out, these are all that answer with a stream, and no others: how long a stream lasts says nothing.
fn assert_that_streams_are_left_out_of_durations(questions: &[(String, String)]) {
    let rpcs = rpcs();
    let mut checked = 0;
    for (whose, exclusion) in
        questions.iter().flat_map(|(whose, asked)| exclusions_of_rpcs(asked).map(move |exclusion| (whose, exclusion)))
    {
        for (rpc, is_stream) in &rpcs {
            assert_eq!(exclusion.is_match(rpc), !is_stream, "{whose}: {rpc}");
        }
        checked += 1;
    }
    assert!(checked > 0);
}

fn assert_that_the_guide_knows_every_alert(rules: &[Rule]) {
    let guide = std::fs::read_to_string(Path::new(REPOSITORY).join("deploy/README.md")).expect("the guide");
    let mut names = BTreeSet::new();
    for alert in rules.iter().filter(|rule| rule.is_alert) {
        let name = &alert.name;
        assert!(names.insert(name), "{name} is there twice");
        assert!(["critical", "warning"].contains(&alert.label("severity")), "{alert:?}");
        assert!(!alert.annotation("summary").is_empty() && !alert.annotation("description").is_empty(), "{alert:?}");
        let place = format!("deploy/README.md#alert-{}", name.to_lowercase());
        assert_eq!(alert.annotation("runbook_url"), place);
        let heading = format!("### Alert {name}");
        assert!(guide.lines().any(|line| line == heading), "the guide says nothing of {name}");
    }
    assert!(!names.is_empty());
}

#[test]
fn a_question_about_what_nobody_measures_is_objected_to() {
    let labels = |labels: Value| labels.as_object().expect("labels").clone();
    let measured = Measured::of(&[
        labels(serde_json::json!({"__name__": "feed_state", "service": "activity-tracking", "state": "OPEN"})),
        labels(serde_json::json!({"__name__": "feed_state", "service": "activity-tracking", "state": "STOPPED"})),
        labels(serde_json::json!({"__name__": "feed_lag", "service": "activity-tracking"})),
        labels(serde_json::json!({"__name__": "calls", "rpc_method": "a.B/C", "rpc_response_status_code": "OK"})),
    ]);
    for fine in [
        r#"max by (service) (feed_state{state=~"OPEN|STOPPED"}) == 1 unless on (service) feed_lag > 60"#,
        r#"feed_state{state="OPEN"} / ignoring (state) feed_lag"#,
        r#"sum by (package) (label_replace(calls{rpc_response_status_code="INTERNAL"}, "package", "$1", "rpc_method", "(.*)[.].*"))"#,
        r#"calls{rpc_method!~"managedcredit[.]access[.]v1[.]AccessFeedService/WatchAccess"}"#,
        r#"feed_lag{service=~"activity.*"}"#,
    ] {
        assert_eq!(measured.objections(fine), Vec::<String>::new(), "{fine}");
    }
    for (wrong, objection) in [
        ("feed_stat", "nobody measures feed_stat"),
        (r#"rate(feed_lag{services="activity-tracking"}[5m])"#, "feed_lag has no label services"),
        (r#"feed_state{state="STOPED"}"#, "state of feed_state is never STOPED"),
        (r#"feed_state{state!="STOPED"}"#, "state of feed_state is never STOPED"),
        (r#"feed_state{state=~"OPEN|(DIVERGED|STOPPED)"}"#, "state of feed_state is never DIVERGED"),
        (r#"feed_lag{service=~"credit.*"}"#, "service of feed_lag is never like credit.*"),
        (
            r#"calls{rpc_response_status_code=~"INTERNAL|UNKNWON"}"#,
            "rpc_response_status_code of calls is never UNKNWON",
        ),
        (
            r#"calls{rpc_method="managedcredit.access.v1.AccessFeedService/Watch"}"#,
            "is never managedcredit.access.v1.AccessFeedService/Watch",
        ),
        ("max by (service, stat) (feed_state)", "has the label stat"),
        ("feed_lag and on (servce) feed_state", "nothing in feed_lag has the label servce"),
        ("feed_lag and on (state) feed_state", "nothing in feed_lag has the label state"),
        ("max by (service) (", "is no PromQL"),
    ] {
        let objections = measured.objections(wrong);
        assert!(objections.iter().any(|said| said.contains(objection)), "{wrong}: {objections:?}");
    }
}

#[test]
fn every_panel_has_a_place_of_its_own_and_says_what_it_shows() {
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in Dashboard::read().panels() {
        let title = panel["title"].as_str().expect("a title");
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}");
        let at = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
        assert!(at("x") + at("w") <= 24, "{title}");
        for cell in (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y))) {
            assert!(places.insert(cell), "{title} is where another is, at {cell:?}");
        }
        if panel["type"] != "row" {
            assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{title}");
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
            assert!(panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()), "{title}");
        }
    }
}
