//! `deploy/compose.yaml`, as Compose itself reads it, asks for what the program and its image have.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::process::{FREE_PORTS, Services, managed_credit, settings_of};

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy");

/// The services of ours, and the ports that they have wherever nothing else is said.
const PORTS: [(&str, &str, u16); 3] =
    [("access", "ACCESS", 50_051), ("activity", "ACTIVITY", 50_052), ("credit", "CREDIT", 50_053)];

/// Where operators are answered, by the image's settings.
const OPERATIONS_PORT: u16 = 9464;

/// What Compose makes of the file.
struct Composed(Value);

impl Composed {
    fn read() -> Self {
        let file = format!("{DEPLOY}/compose.yaml");
        let composed = Command::new("docker-compose").args(["--file", &file, "config", "--format", "json"]).output();
        let composed = composed.expect("docker-compose is on the PATH; tests/run installs it");
        assert!(composed.status.success(), "{}", String::from_utf8_lossy(&composed.stderr));
        Self(serde_json::from_slice(&composed.stdout).expect("JSON"))
    }

    fn service(&self, name: &str) -> &Value {
        &self.0["services"][name]
    }

    /// All of the program, by name.
    fn of_the_program(&self) -> Vec<(&str, &Value)> {
        let services = self.0["services"].as_object().expect("services");
        let is_ours = |service: &Value| text(&service["image"]).starts_with("managed-credit:");
        services
            .iter()
            .filter(|(_, service)| is_ours(service))
            .map(|(name, service)| (name.as_str(), service))
            .collect()
    }

    /// What a container's program finds in its environment: what the image sets, and what Compose does.
    fn environment(&self, name: &str) -> BTreeMap<String, String> {
        let mut environment = image_environment();
        let composed = self.service(name)["environment"].as_object().expect("an environment");
        environment.extend(composed.iter().map(|(variable, value)| (variable.clone(), text(value).to_owned())));
        environment
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list")).iter().map(text).collect()
}

fn containerfile() -> String {
    std::fs::read_to_string(format!("{DEPLOY}/image/Containerfile")).expect("the Containerfile")
}

fn image_environment() -> BTreeMap<String, String> {
    let file = containerfile();
    let settings = file.lines().map(|line| line.trim_start_matches("ENV ").trim_end_matches('\\').trim());
    let settings = settings.filter_map(|line| line.strip_prefix("MANAGED_CREDIT_").and_then(|set| set.split_once('=')));
    let settings: BTreeMap<_, _> =
        settings.map(|(name, value)| (format!("MANAGED_CREDIT_{name}"), value.to_owned())).collect();
    assert!(!settings.is_empty(), "the image sets nothing");
    settings
}

/// The last number of an address or URL.
fn port(address: &str) -> u16 {
    address.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{address} has no port"))
}

#[test]
fn every_service_of_compose_starts_with_what_it_is_told() {
    let composed = Composed::read();
    for (name, _, _) in PORTS {
        let command = texts(&composed.service(name)["command"]);
        assert_eq!(command[..2], ["serve", name]);
        let checked = managed_credit(&["config", "check"])
            .args(&command[1..])
            .envs(composed.environment(name))
            .output()
            .expect("the executable is built");
        assert!(checked.status.success(), "{name}: {}", String::from_utf8_lossy(&checked.stderr));
    }
}

#[test]
fn every_setting_of_the_image_and_of_compose_is_one_of_the_program() {
    let composed = Composed::read();
    let known: BTreeSet<String> = ["serve", "migrate"].into_iter().flat_map(settings_of).collect();
    for (name, _) in composed.of_the_program() {
        let given: BTreeSet<String> = composed.environment(name).into_keys().collect();
        let unknown: Vec<&String> = given.difference(&known).collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
    }
}

#[test]
fn compose_publishes_the_ports_that_services_listen_on_to_this_machine_alone() {
    let composed = Composed::read();
    let mut published = BTreeSet::new();
    for (name, service) in composed.0["services"].as_object().expect("services") {
        for port in service["ports"].as_array().into_iter().flatten() {
            assert_eq!(text(&port["host_ip"]), "127.0.0.1", "{name}");
            assert!(published.insert(text(&port["published"])), "{name}: {port} is published twice");
        }
    }
    for (name, setting, expected) in PORTS {
        let environment = composed.environment(name);
        let listens = |setting: &str| port(&environment[&format!("MANAGED_CREDIT_{setting}_LISTEN")]);
        assert_eq!((listens(setting), listens("OPERATIONS")), (expected, OPERATIONS_PORT), "{name}");
        let ports = composed.service(name)["ports"].as_array().expect("ports");
        let targets: Vec<u64> = ports.iter().filter_map(|port| port["target"].as_u64()).collect();
        assert_eq!(targets, [u64::from(expected), u64::from(OPERATIONS_PORT)], "{name}");
        let exposed = containerfile().lines().find_map(|line| line.strip_prefix("EXPOSE ").map(str::to_owned));
        let exposed = exposed.expect("the image says its ports");
        assert!(targets.iter().all(|target| exposed.split(' ').any(|port| port == target.to_string())), "{exposed}");
        // Commands on this machine find them without being told where.
        assert_eq!(text(&ports[0]["published"]), expected.to_string(), "{name}");
    }
}

#[test]
fn services_of_compose_call_each_other_where_they_listen() {
    let composed = Composed::read();
    for (caller, called) in [("activity", "access"), ("credit", "access"), ("credit", "activity")] {
        let setting = |suffix: &str| format!("MANAGED_CREDIT_{}_{suffix}", called.to_uppercase());
        let url = Url::parse(&composed.environment(caller)[&setting("URL")]).expect("a URL");
        assert_eq!(url.host_str(), Some(called), "{caller}");
        assert_eq!(url.port(), Some(port(&composed.environment(called)[&setting("LISTEN")])), "{caller}");
    }
}

#[test]
fn compose_migrates_the_databases_that_are_served_before_they_are_served() {
    let composed = Composed::read();
    let (migrate, migrated) = (composed.service("migrate"), composed.environment("migrate"));
    assert_eq!(texts(&migrate["command"]), ["migrate"]);
    assert_eq!(text(&migrate["depends_on"]["postgres"]["condition"]), "service_healthy");
    let created = text(&composed.0["configs"]["databases"]["content"]);
    for (name, setting, _) in PORTS {
        let setting = format!("MANAGED_CREDIT_{setting}_DATABASE_URL");
        let served = &composed.environment(name)[&setting];
        assert_eq!(migrated.get(&setting), Some(served), "{name}");
        let after = &composed.service(name)["depends_on"]["migrate"]["condition"];
        assert_eq!(text(after), "service_completed_successfully", "{name}");
        let url = Url::parse(served).expect("a URL");
        let postgres = &composed.service("postgres")["environment"];
        assert_eq!(url.host_str(), Some("postgres"), "{name}");
        assert_eq!(url.username(), text(&postgres["POSTGRES_USER"]), "{name}");
        assert_eq!(url.password(), postgres["POSTGRES_PASSWORD"].as_str(), "{name}");
        assert!(created.contains(&format!("CREATE DATABASE {};", url.path().trim_start_matches('/'))), "{name}");
    }
}

#[test]
fn health_checks_of_compose_and_of_the_image_hold_for_services_that_are_ready() {
    let composed = Composed::read();
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().to_str().expect("text");
    let mut arguments =
        vec!["serve", "all", "--log", "warn", "--data-dir", data_dir, "--operations-listen", "127.0.0.1:0"];
    arguments.extend(FREE_PORTS);
    let services = Services::start(&arguments, 3);
    let told = services.printed.lines().find_map(|line| line.strip_prefix("operators are answered on "));
    let operations = format!("http://{}", told.expect("it says where"));

    let of_image = containerfile();
    let of_image = of_image.lines().find_map(|line| line.strip_prefix("HEALTHCHECK ")?.split_once(" CMD "));
    let of_image: Value = serde_json::from_str(of_image.expect("a health check").1).expect("a list");
    let mut checks = vec![texts(&of_image)];
    for (name, _, _) in PORTS {
        let check = texts(&composed.service(name)["healthcheck"]["test"]);
        assert_eq!((check[0], check.last()), ("CMD", Some(&name)));
        checks.push(check[1..].to_vec());
    }
    for check in checks {
        assert_eq!(check[..2], ["/managed-credit", "healthcheck"]);
        let answer = managed_credit(&check[1..]).env("MANAGED_CREDIT_OPERATIONS_URL", &operations).output();
        let answer = answer.expect("the executable is built");
        assert!(answer.status.success(), "{check:?}: {}", String::from_utf8_lossy(&answer.stderr));
    }
}

#[test]
fn containers_of_compose_have_this_version_no_rights_and_time_to_end() {
    let composed = Composed::read();
    let ours = composed.of_the_program();
    assert_eq!(ours.len(), PORTS.len() + 1);
    for (name, service) in ours {
        assert_eq!(text(&service["image"]), concat!("managed-credit:", env!("CARGO_PKG_VERSION")), "{name}");
        assert_eq!(service["read_only"], Value::Bool(true), "{name}");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        if name != "migrate" {
            let seconds =
                text(&service["stop_grace_period"]).strip_suffix('s').and_then(|seconds| seconds.parse().ok());
            assert!(seconds.map(Duration::from_secs) > Some(service_kit::DRAIN_LIMIT * 2), "{name}");
        }
    }
}
