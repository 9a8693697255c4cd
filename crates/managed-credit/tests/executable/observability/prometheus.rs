//! A real Prometheus, with the rules of deploy/observability, that scrapes services every second until the test ends.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Map, Value};
use tempfile::TempDir;
use url::form_urlencoded;

use crate::operators::get;
use crate::process::signal;
use crate::tools::{assert_installed, tool};

/// Far above what it takes to listen.
const START_LIMIT: Duration = Duration::from_secs(60);

/// What is scraped.
pub struct Target<'t> {
    /// The label that Kubernetes would set.
    pub namespace: &'t str,
    /// The port of operators.
    pub address: &'t str,
}

/// A rule, as Prometheus understands it.
#[derive(Debug)]
pub struct Rule {
    pub name: String,
    pub query: String,
    pub is_alert: bool,
    /// `ok` once it has been evaluated without an error.
    pub health: String,
    labels: Value,
    annotations: Value,
}

impl Rule {
    pub fn label(&self, name: &str) -> &str {
        self.labels[name].as_str().unwrap_or_default()
    }

    pub fn annotation(&self, name: &str) -> &str {
        self.annotations[name].as_str().unwrap_or_default()
    }
}

/// It runs until the test ends.
pub struct Prometheus {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Prometheus {
    /// With the rules in a folder.
    pub fn start(rules: &Path, targets: &[Target<'_>]) -> Self {
        assert_installed("prometheus", &["--version"]);
        let folder = tempfile::tempdir().expect("a folder");
        let configuration = folder.path().join("prometheus.json");
        std::fs::write(&configuration, configured(rules, targets).to_string()).expect("to write");
        let mut command = tool("prometheus");
        command.arg(format!("--config.file={}", configuration.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
        command.args(["--web.listen-address=127.0.0.1:0", "--log.format=json"]);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it is installed");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let (sender, receiver) = mpsc::channel();
        // Its log is read to the end: otherwise it would wait for a reader.
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let said: Value = serde_json::from_str(&line).unwrap_or_default();
                if said["msg"] == "Listening on" {
                    // Nobody waits any more where the test has ended.
                    let _ = sender.send(said["address"].as_str().unwrap_or_default().to_owned());
                }
            }
        });
        let address = receiver.recv_timeout(START_LIMIT).expect("it listens");
        Self { child, address, _folder: folder }
    }

    /// What an instant query answers, or what is wrong with it.
    pub fn query(&self, query: &str) -> Result<Vec<Value>, String> {
        let answer = self.ask("query", &[("query", query)])?;
        answer["result"].as_array().cloned().ok_or_else(|| format!("no vector: {answer}"))
    }

    /// The values of a label of the series that a selector selects.
    pub fn label_values(&self, label: &str, selector: &str) -> Vec<String> {
        let answer = self.ask(&format!("label/{label}/values"), &[("match[]", selector)]).expect("label values");
        serde_json::from_value(answer).expect("a list of text")
    }

    /// The labels of all series that there are.
    pub fn series(&self) -> Vec<Map<String, Value>> {
        let answer = self.ask("series", &[("match[]", r#"{__name__=~".+"}"#)]).expect("series");
        serde_json::from_value(answer).expect("a list of labels")
    }

    pub fn rules(&self) -> Vec<Rule> {
        let answer = self.ask("rules", &[]).expect("rules");
        let groups = answer["groups"].as_array().expect("groups").iter();
        let rules = groups.flat_map(|group| group["rules"].as_array().expect("rules"));
        let text = |rule: &Value, key: &str| rule[key].as_str().expect("text").to_owned();
        let read = |rule: &Value| Rule {
            name: text(rule, "name"),
            query: text(rule, "query"),
            is_alert: rule["type"] == "alerting",
            health: text(rule, "health"),
            labels: rule["labels"].clone(),
            annotations: rule["annotations"].clone(),
        };
        rules.map(read).collect()
    }

    fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let question: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let answer = get(&self.address, &format!("/api/v1/{path}?{question}"));
        let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("no HTTP: {answer}"))?;
        let mut body: Value = serde_json::from_str(body).map_err(|error| format!("{error}: {body}"))?;
        if body["status"] == "success" { Ok(body["data"].take()) } else { Err(body.to_string()) }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // What watches over its time passes that on, and not the signal that nobody can pass on.
        signal("TERM", self.child.id());
        let _ = self.child.wait();
    }
}

/// The configuration, as JSON, which is YAML too.
fn configured(rules: &Path, targets: &[Target<'_>]) -> Value {
    let targets = targets
        .iter()
        .map(|target| serde_json::json!({"targets": [target.address], "labels": {"namespace": target.namespace}}));
    let job = serde_json::json!({"job_name": "managed-credit", "static_configs": targets.collect::<Vec<_>>()});
    serde_json::json!({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [rules.join("managed-credit.rules.yaml")],
        "scrape_configs": [job],
    })
}
