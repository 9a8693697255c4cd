//! What is in `deploy/kubernetes`, against the executable: what one says of the other is so, and what an overlay renders runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde::Deserialize as _;
use serde_json::Value;
use service_kit::DRAIN_LIMIT;
use tonic::transport::Endpoint;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::operators::Observed;
use crate::postgresql::Databases;
use crate::process::{managed_credit, settings_of};

/// What is rendered, and how many workloads serve in it.
const OVERLAYS: [(&str, usize); 2] = [("overlays/dev", 1), ("overlays/production", 3)];

/// The label of pods that call and are none of ours.
const CALLS: &str = "managed-credit/calls";

/// A list that is not there is empty.
fn list<'read>(value: &'read Value, pointer: &str) -> &'read [Value] {
    value.pointer(pointer).map_or(&[], |found| found.as_array().expect("a list"))
}

fn text<'read>(value: &'read Value, pointer: &str) -> &'read str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} is expected in {value}"))
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer} is expected in {value}"))
}

fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// Whether labels have all that a selector wants; one that wants nothing takes everything.
fn selects(selector: &Value, labels: &Value) -> bool {
    assert!(selector.get("matchExpressions").is_none(), "not understood here: {selector}");
    let wanted = selector.get("matchLabels").and_then(Value::as_object);
    wanted.is_none_or(|wanted| wanted.iter().all(|(label, value)| labels.get(label) == Some(value)))
}

/// What a kustomization renders.
struct Manifests(Vec<Value>);

impl Manifests {
    fn render(kustomization: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/kubernetes").join(kustomization);
        let rendered = Command::new("kubectl").arg("kustomize").arg(&folder).output();
        let rendered = rendered.expect("kubectl: run the tests by tests/run, which installs it");
        let problem = String::from_utf8_lossy(&rendered.stderr);
        assert!(rendered.status.success(), "{kustomization}: {problem}");
        let objects = String::from_utf8(rendered.stdout).expect("output is text");
        let objects = serde_norway::Deserializer::from_str(&objects);
        Self(objects.map(|object| Value::deserialize(object).expect("YAML")).collect())
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |object| object["kind"] == kind)
    }

    fn named(&self, kind: &str, wanted: &str) -> &Value {
        self.of_kind(kind).find(|object| name(object) == wanted).unwrap_or_else(|| panic!("no {kind} {wanted}"))
    }

    fn workloads(&self) -> Vec<Workload<'_>> {
        let kinds = ["Deployment", "StatefulSet", "Job"];
        kinds.into_iter().flat_map(|kind| self.of_kind(kind)).map(Workload).collect()
    }

    /// Those whose pods a selector takes.
    fn selected(&self, selector: &Value) -> Vec<Workload<'_>> {
        self.workloads().into_iter().filter(|workload| selects(selector, workload.labels())).collect()
    }

    /// The workload that a selector takes: one, with this name.
    fn expect_selected(&self, selector: &Value, expected: &str) -> Workload<'_> {
        let names: Vec<&str> = self.selected(selector).iter().map(|workload| name(workload.0)).collect();
        assert_eq!(names, [expected], "{selector}");
        self.selected(selector)[0]
    }

    /// The service that a URL of ours leads to, with its workload.
    fn callee(&self, url: &str) -> (&Value, Workload<'_>) {
        let url = url::Url::parse(url).expect("a URL");
        let (host, port) = (url.host_str().expect("a host"), u64::from(url.port().expect("a port")));
        let service = self
            .of_kind("Service")
            .find(|service| host == format!("{}.{}.svc", name(service), text(service, "/metadata/namespace")));
        let service = service.unwrap_or_else(|| panic!("no Service is called {host}"));
        assert!(list(service, "/spec/ports").iter().any(|entry| entry["port"] == port), "{url} in {service}");
        (service, self.expect_selected(&selector_of(service), name(service)))
    }
}

/// The selector of a Service is a map of labels, unlike every other.
fn selector_of(service: &Value) -> Value {
    serde_json::json!({ "matchLabels": service["spec"]["selector"] })
}

/// Something that has pods.
#[derive(Debug, Clone, Copy)]
struct Workload<'read>(&'read Value);

impl<'read> Workload<'read> {
    fn pod(self) -> &'read Value {
        &self.0["spec"]["template"]["spec"]
    }

    fn labels(self) -> &'read Value {
        &self.0["spec"]["template"]["metadata"]["labels"]
    }

    fn container(self) -> &'read Value {
        let [container] = list(self.pod(), "/containers") else { panic!("one container a pod: {}", self.0) };
        assert!(list(self.pod(), "/initContainers").is_empty());
        container
    }

    fn arguments(self) -> Vec<&'read str> {
        list(self.container(), "/args").iter().map(|argument| argument.as_str().expect("text")).collect()
    }

    /// The variables that the executable is given, by name.
    fn variables(self) -> BTreeMap<&'read str, &'read Value> {
        list(self.container(), "/env").iter().map(|variable| (text(variable, "/name"), variable)).collect()
    }

    /// The values of variables whose names end so.
    fn values(self, ending: &str) -> BTreeMap<&'read str, &'read str> {
        let named = self.variables().into_iter().filter(|(name, _)| name.ends_with(ending));
        named.map(|(name, variable)| (name, text(variable, "/value"))).collect()
    }

    /// The port on which an address listens, which must be one that other pods reach.
    fn port(address: &str) -> u64 {
        let port = address.strip_prefix("0.0.0.0:").unwrap_or_else(|| panic!("{address} reaches nobody"));
        port.parse().expect("a port")
    }

    /// The port of operators.
    fn operations(self) -> u64 {
        Self::port(self.values("_OPERATIONS_LISTEN").values().next().expect("where operators are answered"))
    }

    fn container_port(self, wanted: &str) -> u64 {
        let port = list(self.container(), "/ports").iter().find(|port| port["name"] == wanted);
        number(port.unwrap_or_else(|| panic!("no port is called {wanted}")), "/containerPort")
    }

    fn container_ports(self) -> BTreeSet<u64> {
        list(self.container(), "/ports").iter().map(|port| number(port, "/containerPort")).collect()
    }
}

fn all_rendered() -> Vec<Manifests> {
    ["migrate", "overlays/dev", "overlays/production"].map(Manifests::render).into()
}

#[test]
fn every_variable_of_a_container_is_one_that_the_program_knows() {
    for manifests in all_rendered() {
        for workload in manifests.workloads() {
            let known = settings_of(workload.arguments()[0]);
            assert!(known.contains("MANAGED_CREDIT_DATA_DIR"), "{known:?}");
            for name in workload.variables().into_keys().filter(|name| name.starts_with("MANAGED_CREDIT_")) {
                assert!(known.contains(name), "{name} in {}", workload.0);
            }
        }
    }
}

#[test]
fn ports_are_those_on_which_the_program_listens() {
    for (overlay, count) in OVERLAYS {
        let manifests = Manifests::render(overlay);
        let (workloads, mut served) = (manifests.workloads(), BTreeSet::new());
        assert_eq!(workloads.len(), count);
        for workload in &workloads {
            let listening: BTreeSet<u64> = workload.values("_LISTEN").into_values().map(Workload::port).collect();
            assert_eq!(workload.container_ports(), listening, "{}", workload.0);
            assert_eq!(workload.container_port("operations"), workload.operations());
            let annotations = &workload.0["spec"]["template"]["metadata"]["annotations"];
            assert_eq!(annotations["prometheus.io/port"], workload.operations().to_string());
            assert_eq!(annotations["prometheus.io/path"], "/metrics");
            for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
                assert_eq!(number(workload.container(), &format!("/{probe}/grpc/port")), workload.operations());
            }
            served.extend(listening.into_iter().filter(|port| *port != workload.operations()));
        }
        let mut offered = BTreeSet::new();
        for service in manifests.of_kind("Service") {
            let workload = manifests.expect_selected(&selector_of(service), name(service));
            for port in list(service, "/spec/ports") {
                assert_eq!(workload.container_port(text(port, "/targetPort")), number(port, "/port"), "{service}");
                assert_ne!(number(port, "/port"), workload.operations(), "operators ask pods, not services");
                offered.insert(number(port, "/port"));
            }
        }
        assert_eq!(offered, served, "{overlay}");
        assert_eq!(offered, BTreeSet::from([50_051, 50_052, 50_053]));
    }
    let monitor = Manifests::render("components/pod-monitor");
    let [monitor] = monitor.0.as_slice() else { panic!("one object") };
    let production = Manifests::render("overlays/production");
    let monitored = production.selected(&monitor["spec"]["selector"]);
    assert_eq!(monitored.len(), 3);
    for workload in monitored {
        let port = text(monitor, "/spec/podMetricsEndpoints/0/port");
        assert_eq!(workload.container_port(port), workload.operations());
    }
}

#[test]
fn a_pod_has_longer_to_end_than_the_program_takes() {
    for (overlay, _) in OVERLAYS {
        for workload in Manifests::render(overlay).workloads() {
            let before = number(workload.container(), "/lifecycle/preStop/sleep/seconds");
            let limit = before + 2 * DRAIN_LIMIT.as_secs();
            assert!(number(workload.pod(), "/terminationGracePeriodSeconds") > limit, "{}", workload.0);
        }
    }
}

#[test]
fn every_object_is_about_workloads_that_exist() {
    for manifests in all_rendered() {
        for workload in manifests.workloads() {
            if let Some(selector) = workload.0.pointer("/spec/selector") {
                manifests.expect_selected(selector, name(workload.0));
            }
            manifests.named("ServiceAccount", text(workload.pod(), "/serviceAccountName"));
        }
        for budget in manifests.of_kind("PodDisruptionBudget") {
            manifests.expect_selected(&budget["spec"]["selector"], name(budget));
        }
        for scaler in manifests.of_kind("HorizontalPodAutoscaler") {
            let (kind, target) = (text(scaler, "/spec/scaleTargetRef/kind"), text(scaler, "/spec/scaleTargetRef/name"));
            let target = Workload(manifests.named(kind, target));
            assert!(target.0["spec"].get("replicas").is_none(), "applying it again would undo what was scaled");
            assert!(number(scaler, "/spec/minReplicas") >= 2);
        }
    }
    let production = Manifests::render("overlays/production");
    for kind in ["Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "ServiceAccount"] {
        let names: Vec<&str> = production.of_kind(kind).map(name).collect();
        assert_eq!(names, ["access-management", "activity-tracking", "credit-calculation"], "{kind}");
    }
}

/// The ports of a rule.
fn ports(rule: &Value) -> BTreeSet<u64> {
    list(rule, "/ports").iter().map(|port| number(port, "/port")).collect()
}

/// Whether a policy lets pods of one workload talk to those of another at a port: `direction` is `ingress` or `egress`.
fn allows(manifests: &Manifests, direction: &str, of: Workload<'_>, peer: Workload<'_>, port: u64) -> bool {
    let side = if direction == "ingress" { "/from" } else { "/to" };
    let is_ours = |entry: &Value| {
        entry.get("namespaceSelector").is_none()
            && entry.get("podSelector").is_some_and(|selector| selects(selector, peer.labels()))
    };
    manifests
        .of_kind("NetworkPolicy")
        .filter(|policy| selects(&policy["spec"]["podSelector"], of.labels()))
        .flat_map(|policy| list(policy, &format!("/spec/{direction}")))
        .any(|rule| ports(rule).contains(&port) && list(rule, side).iter().any(is_ours))
}

#[test]
fn who_may_talk_to_whom_is_who_calls_whom_at_ports_that_exist() {
    for (overlay, _) in OVERLAYS {
        let manifests = Manifests::render(overlay);
        let denied = &manifests.named("NetworkPolicy", "default-deny")["spec"];
        assert_eq!(denied["podSelector"], serde_json::json!({}));
        assert_eq!(denied["policyTypes"], serde_json::json!(["Ingress", "Egress"]));
        assert!(denied.get("ingress").is_none() && denied.get("egress").is_none());
        for policy in manifests.of_kind("NetworkPolicy") {
            let subjects = manifests.selected(&policy["spec"]["podSelector"]);
            assert!(!subjects.is_empty(), "{policy}");
            for rule in list(policy, "/spec/ingress") {
                assert!(
                    !ports(rule).is_empty() && !list(rule, "/from").is_empty(),
                    "everybody, or every port: {policy}"
                );
                for subject in &subjects {
                    assert!(ports(rule).is_subset(&subject.container_ports()), "{policy}");
                }
            }
            let rules = list(policy, "/spec/ingress").iter().flat_map(|rule| list(rule, "/from"));
            let rules = rules.chain(list(policy, "/spec/egress").iter().flat_map(|rule| list(rule, "/to")));
            for selector in rules.filter_map(|entry| entry.get("podSelector")) {
                let is_others = selector["matchLabels"].get(CALLS).is_some();
                assert!(is_others || !manifests.selected(selector).is_empty(), "{selector} in {policy}");
            }
        }
        let mut calls = BTreeSet::new();
        for caller in manifests.workloads() {
            for url in upstreams(caller) {
                let (service, callee) = manifests.callee(url);
                let port = u64::from(url::Url::parse(url).expect("a URL").port().expect("a port"));
                assert!(allows(&manifests, "egress", caller, callee, port), "{} calls {url}", name(caller.0));
                assert!(allows(&manifests, "ingress", callee, caller, port), "{} calls {url}", name(caller.0));
                calls.insert((name(caller.0).to_owned(), name(service).to_owned()));
            }
        }
        for caller in manifests.workloads() {
            for callee in manifests.workloads().into_iter().filter(|callee| name(callee.0) != name(caller.0)) {
                let is_allowed = callee.container_ports().into_iter().any(|port| {
                    allows(&manifests, "ingress", callee, caller, port)
                        || allows(&manifests, "egress", caller, callee, port)
                });
                let is_called = calls.contains(&(name(caller.0).to_owned(), name(callee.0).to_owned()));
                assert_eq!(is_allowed, is_called, "{} to {}", name(caller.0), name(callee.0));
            }
        }
    }
}

/// The services that one calls, by the variables that say where they are.
fn upstreams(workload: Workload<'_>) -> Vec<&str> {
    let variables = ["MANAGED_CREDIT_ACCESS_URL", "MANAGED_CREDIT_ACTIVITY_URL"];
    let given = workload.variables();
    variables.iter().filter_map(|name| given.get(name)).map(|variable| text(variable, "/value")).collect()
}

/// An installation on this machine: what operators give it, and where it runs.
struct Installation {
    folder: tempfile::TempDir,
    databases: Databases,
    authority: CertifiedIssuer<'static, KeyPair>,
    /// Where the services that have started are called, by the addresses that manifests say.
    started: BTreeMap<String, String>,
}

impl Installation {
    fn new(test: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            databases: Databases::create(test),
            authority: authority.expect("an authority"),
            started: BTreeMap::new(),
        }
    }

    /// The Secrets that README.md of the overlay tells operators to make, as files of a volume.
    fn secret(&self, secret: &str, namespace: &str) -> BTreeMap<String, String> {
        let service = secret.strip_suffix("-tls").unwrap_or_else(|| panic!("no Secret is called {secret}"));
        let key = KeyPair::generate().expect("a key");
        let names = vec![format!("{service}.{namespace}.svc"), "localhost".to_owned()];
        let params = CertificateParams::new(names).expect("names");
        let certificate = params.signed_by(&key, &self.authority).expect("a certificate");
        let files =
            [("tls.crt", certificate.pem()), ("tls.key", key.serialize_pem()), ("ca.crt", self.authority.pem())];
        files.map(|(file, content)| (file.to_owned(), content)).into()
    }

    /// What a source of a volume puts into it.
    fn source(&self, manifests: &Manifests, workload: Workload<'_>, source: &Value) -> BTreeMap<String, String> {
        if let Some(secret) = source.get("secret") {
            return self.secret(text(secret, "/name"), text(workload.0, "/metadata/namespace"));
        }
        let map = source.get("configMap").unwrap_or_else(|| panic!("not understood here: {source}"));
        if map["optional"] == true {
            return BTreeMap::new();
        }
        let data = &manifests.named("ConfigMap", text(map, "/name"))["data"];
        serde_json::from_value(data.clone()).expect("files of text")
    }

    /// Where the container's volumes are on this machine, by the places where it sees them.
    fn mount(&self, manifests: &Manifests, workload: Workload<'_>) -> BTreeMap<String, PathBuf> {
        let mut mounted = BTreeMap::new();
        for mount in list(workload.container(), "/volumeMounts") {
            let (volume, place) = (text(mount, "/name"), text(mount, "/mountPath"));
            let folder = self.folder.path().join(name(workload.0)).join(volume);
            fs::create_dir_all(&folder).expect("a folder");
            let found = list(workload.pod(), "/volumes").iter().find(|entry| entry["name"] == volume);
            let is_claimed = list(workload.0, "/spec/volumeClaimTemplates").iter().any(|claim| name(claim) == volume);
            assert!(found.is_some() || is_claimed, "no volume is called {volume}");
            let single = found.filter(|volume| volume.get("configMap").is_some());
            let sources = found.into_iter().flat_map(|volume| list(volume, "/projected/sources")).chain(single);
            for (file, content) in sources.flat_map(|source| self.source(manifests, workload, source)) {
                fs::write(folder.join(file), content).expect("to write");
            }
            mounted.insert(place.to_owned(), folder);
        }
        mounted
    }

    /// The executable as the container runs it; a command in place of `serve` if given. Only ports differ: `at` says how.
    fn command(
        &self,
        manifests: &Manifests,
        workload: Workload<'_>,
        replacing: &[&str],
        at: impl Fn(&str) -> String,
    ) -> Command {
        let arguments = workload.arguments();
        let arguments = if replacing.is_empty() { arguments } else { [replacing, &arguments[1..]].concat() };
        let mut command = managed_credit(&arguments);
        let mounted = self.mount(manifests, workload);
        for (name, variable) in workload.variables() {
            let value = if let Some(secret) = variable.pointer("/valueFrom/secretKeyRef") {
                assert_eq!(text(secret, "/key"), "url");
                let service = text(secret, "/name").strip_suffix("-database").expect("the Secret of a database");
                self.databases.url(service.split('-').next().unwrap_or_default())
            } else if name.starts_with("MANAGED_CREDIT_") {
                let value = text(variable, "/value");
                let place = mounted.iter().find_map(|(place, folder)| {
                    value.strip_prefix(place).map(|rest| format!("{}{rest}", folder.display()))
                });
                place.unwrap_or_else(|| if name.ends_with("_LISTEN") { at(value) } else { self.url_of(value) })
            } else {
                assert!(name.starts_with("OTEL_") || name.starts_with("POD_"), "{name} is nobody's");
                continue;
            };
            command.env(name, value);
        }
        command
    }

    /// Where a service has started that a manifest says is at this address; what is no such address stays as it is.
    fn url_of(&self, value: &str) -> String {
        self.started.get(value).cloned().unwrap_or_else(|| value.to_owned())
    }

    /// Starts what a workload says.
    fn start(&mut self, manifests: &Manifests, workload: Workload<'_>) -> Observed {
        let mut check = self.command(manifests, workload, &["config", "check"], |address: &str| address.to_owned());
        let checked = check.output().expect("the executable is built");
        let problem = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{}: {problem}", name(workload.0));
        let mut command = self.command(manifests, workload, &[], |_: &str| "127.0.0.1:0".to_owned());
        let count = workload.container_ports().len() - 1;
        let observed = Observed::start_by(&mut command, count);
        for service in manifests.of_kind("Service").filter(|service| name(service) == name(workload.0) && count == 1) {
            let host = format!("{}.{}.svc", name(service), text(service, "/metadata/namespace"));
            let url = observed.services.url(name(service)).replace("http://127.0.0.1", "https://localhost");
            self.started.insert(format!("https://{host}:{}", number(service, "/spec/ports/0/port")), url);
        }
        observed
    }
}

/// Asks what kubelet would ask.
async fn probe(workload: Workload<'_>, observed: &Observed) {
    let channel = Endpoint::from_shared(format!("http://{}", observed.operations)).expect("a URL").connect().await;
    let mut health = HealthClient::new(channel.expect("operators are answered"));
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        let service = workload.container()[probe]["grpc"].get("service").and_then(Value::as_str).unwrap_or_default();
        assert_eq!(service.is_empty(), probe != "readinessProbe", "{probe} asks for {service:?}");
        let answer = health.check(HealthCheckRequest { service: service.to_owned() }).await;
        let answer = answer.unwrap_or_else(|status| panic!("{probe} of {}: {status}", name(workload.0)));
        assert_eq!(answer.get_ref().status, ServingStatus::Serving as i32, "{probe}");
    }
}

#[tokio::test]
async fn production_runs_as_rendered_after_its_migrations_and_its_services_prove_themselves_to_each_other() {
    let mut installation = Installation::new("production");
    let (migrations, production) = (Manifests::render("migrate"), Manifests::render("overlays/production"));
    let [migrate] = migrations.workloads()[..] else { panic!("one Job") };
    for (what, pointer) in [("image", "/spec/template/spec/containers/0/image"), ("namespace", "/metadata/namespace")] {
        for workload in production.workloads() {
            assert_eq!(text(workload.0, pointer), text(migrate.0, pointer), "the {what} of services and migrations");
        }
    }
    let same = |address: &str| address.to_owned();
    let migrated = installation.command(&migrations, migrate, &[], same).output().expect("the executable is built");
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let printed = String::from_utf8_lossy(&migrated.stdout).into_owned();
    assert_eq!(printed.matches("is up to date").count(), 3, "{printed}");

    let mut running = Vec::new();
    for workload in production.workloads() {
        running.push((workload, installation.start(&production, workload)));
    }
    for (workload, observed) in &running {
        probe(*workload, observed).await;
    }
    for (place, service, feed) in [
        (1, "activity-tracking", "access"),
        (2, "credit-calculation", "access"),
        (2, "credit-calculation", "servicing"),
    ] {
        let state = format!("managed_credit_feed_state{{service=\"{service}\",feed=\"{feed}\",state=\"OPEN\"}}");
        running[place].1.measured(&state, |is_so| is_so == 1.0);
    }
    for (_, observed) in running.into_iter().rev() {
        observed.services.terminate();
        assert_eq!(observed.services.wait().0.code(), Some(0));
    }
}

#[tokio::test]
async fn dev_runs_as_rendered_and_says_that_nobody_has_to_prove_who_they_are() {
    let mut installation = Installation::new("dev");
    let dev = Manifests::render("overlays/dev");
    let [workload] = dev.workloads()[..] else { panic!("one StatefulSet") };
    assert_eq!(number(workload.0, "/spec/replicas"), 1, "an embedded database serves one process");
    let observed = installation.start(&dev, workload);
    probe(workload, &observed).await;
    observed.services.terminate();
    let (ended, printed) = observed.services.wait();
    assert_eq!(ended.code(), Some(0));
    assert!(printed.contains("whoever reaches these addresses may do everything"), "{printed}");
}
