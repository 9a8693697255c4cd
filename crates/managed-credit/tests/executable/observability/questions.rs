//! What the dashboard asks, and whether a question is about something that is measured.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{self, AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
use prost_reflect::DescriptorPool;
use regex_syntax::hir::literal::Extractor;
use serde_json::{Map, Value};
use tonic::Code;

use super::folder;
use super::prometheus::Prometheus;

/// The window that Grafana would choose: some scrapes.
const RATE_INTERVAL: &str = "10s";

/// The dashboard, as Grafana reads it.
pub struct Dashboard(Value);

impl Dashboard {
    pub fn read() -> Self {
        let text = std::fs::read_to_string(folder().join("managed-credit.dashboard.json")).expect("the dashboard");
        Self(serde_json::from_str(&text).expect("JSON"))
    }

    pub fn panels(&self) -> &[Value] {
        self.0["panels"].as_array().expect("panels")
    }

    /// What is asked, with the variables, and by which panel.
    pub fn written(&self) -> impl Iterator<Item = (String, String)> {
        let title = |panel: &Value| panel["title"].as_str().expect("a title").to_owned();
        let targets = |panel: &Value| panel["targets"].as_array().cloned().unwrap_or_default();
        let expression = |target: &Value| target["expr"].as_str().expect("an expression").to_owned();
        self.panels()
            .iter()
            .flat_map(move |panel| targets(panel).into_iter().map(move |target| (title(panel), expression(&target))))
    }

    /// What is asked when all is chosen, by panels and by the variables themselves.
    pub fn expressions(&self, prometheus: &Prometheus) -> Vec<(String, String)> {
        let mut chosen: Vec<(String, String)> = vec![("__rate_interval".to_owned(), RATE_INTERVAL.to_owned())];
        let filled = |text: &str, chosen: &[(String, String)]| {
            chosen.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${name}"), value))
        };
        let mut expressions = Vec::new();
        for variable in self.0["templating"]["list"].as_array().expect("variables") {
            let name = variable["name"].as_str().expect("a name").to_owned();
            let Some(asked) = variable["query"]["query"].as_str() else { continue };
            let (selector, label) = asked
                .strip_prefix("label_values(")
                .and_then(|asked| asked.strip_suffix(')')?.rsplit_once(", "))
                .expect("a question for the values of a label");
            let selector = filled(selector, &chosen);
            let values = prometheus.label_values(label, &selector);
            // As Grafana does it: what stands for all, or all of them.
            let all = variable["allValue"].as_str().map_or_else(|| any_of(&values), ToOwned::to_owned);
            expressions.push((name.clone(), format!("group by ({label}) ({selector})")));
            chosen.push((name, all));
        }
        expressions.extend(self.written().map(|(title, expression)| (title, filled(&expression, &chosen))));
        expressions
    }

    /// Which questions Prometheus does not answer with a number, and what it says.
    pub fn without_an_answer(&self, prometheus: &Prometheus) -> Vec<String> {
        let is_number = |series: &Value| {
            series["value"][1].as_str().and_then(|value| value.parse().ok()).is_some_and(f64::is_finite)
        };
        let problem = |expression: &str| match prometheus.query(expression) {
            Err(problem) => Some(problem),
            Ok(series) if series.iter().any(is_number) => None,
            Ok(series) => Some(format!("{} series without a number", series.len())),
        };
        let asked = self.expressions(prometheus).into_iter();
        asked.filter_map(|(whose, asked)| Some(format!("{whose}: {}: {asked}", problem(&asked)?))).collect()
    }
}

/// A pattern for any of these values, within quotes of PromQL.
fn any_of(values: &[String]) -> String {
    let escaped = values.iter().map(|value| regex_syntax::escape(value).replace('\\', r"\\"));
    format!("({})", escaped.collect::<Vec<_>>().join("|"))
}

/// The RPCs of the contracts, and whether they answer with a stream.
pub fn rpcs() -> Vec<(String, bool)> {
    let pool = DescriptorPool::decode(contracts::FILE_DESCRIPTOR_SET).expect("descriptors");
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let name =
        |method: &prost_reflect::MethodDescriptor| format!("{}/{}", method.parent_service().full_name(), method.name());
    methods.map(|method| (name(&method), method.is_server_streaming())).collect()
}

/// What is measured: the metrics, their labels, and the values of these.
pub struct Measured {
    metrics: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Values that a label may have beside those that it has at the moment.
    possible: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Measured {
    /// What these series show.
    pub fn of(series: &[Map<String, Value>]) -> Self {
        let mut metrics: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for labels in series {
            let metric = metrics.entry(labels["__name__"].as_str().expect("a name").to_owned()).or_default();
            for (label, value) in labels.iter().filter(|(label, _)| *label != "__name__") {
                metric.entry(label.clone()).or_default().insert(value.as_str().expect("text").to_owned());
            }
        }
        let codes = (0..=16).map(|code| service_kit::status_name(Code::from_i32(code)).to_owned());
        let possible = [
            ("rpc_response_status_code", codes.collect()),
            ("rpc_method", rpcs().into_iter().map(|(rpc, _)| rpc).collect()),
        ];
        Self { metrics, possible: possible.into() }
    }

    pub fn metrics(&self) -> impl Iterator<Item = &String> {
        self.metrics.keys()
    }

    /// What an expression asks about that is not measured.
    pub fn objections(&self, expression: &str) -> Vec<String> {
        let parsed = match parser::parse(expression) {
            Ok(parsed) => parsed,
            Err(problem) => return vec![format!("{expression} is no PromQL: {problem}")],
        };
        let mut objections = Vec::new();
        for expression in parts(&parsed) {
            match expression {
                Expr::VectorSelector(selector) => objections.extend(self.of_selector(&selector)),
                Expr::Aggregate(AggregateExpr { expr, modifier: Some(modifier), .. }) => {
                    objections.extend(self.missing(&modifier, &expr));
                }
                Expr::Binary(BinaryExpr { lhs, rhs, modifier: Some(modifier), .. }) => match modifier.matching {
                    Some(on @ LabelModifier::Include(_)) => {
                        objections.extend([self.missing(&on, &lhs), self.missing(&on, &rhs)].concat());
                    }
                    Some(ignored) => objections.extend(self.missing(&ignored, &lhs)),
                    None => {}
                },
                _ => {}
            }
        }
        objections
    }

    fn of_selector(&self, selector: &VectorSelector) -> Vec<String> {
        let name = selector.name.as_deref().unwrap_or_default();
        let Some(labels) = self.metrics.get(name) else {
            return vec![format!("nobody measures {name}")];
        };
        let objection = |matcher: &Matcher| {
            let label = &matcher.name;
            let Some(values) = labels.get(label) else {
                return Some(format!("{name} has no label {label}"));
            };
            let possible = self.possible.get(label.as_str());
            let values = || values.iter().chain(possible.into_iter().flatten());
            match named(matcher) {
                Some(named) => {
                    let never = named.into_iter().find(|named| values().all(|value| value != named))?;
                    Some(format!("{label} of {name} is never {never}"))
                }
                None if values().any(|value| is_like(matcher, value)) => None,
                None => Some(format!("{label} of {name} is never like {}", matcher.value)),
            }
        };
        selector.matchers.matchers.iter().filter_map(objection).collect()
    }

    /// The labels of a grouping that nothing in the expression has.
    fn missing(&self, grouping: &LabelModifier, expression: &Expr) -> Vec<String> {
        let there = self.labels(expression);
        let missing = grouping.labels().labels.iter().filter(|label| !there.contains(*label));
        missing.map(|label| format!("nothing in {expression} has the label {label}")).collect()
    }

    /// The labels of all that an expression selects, and those that it makes.
    fn labels(&self, expression: &Expr) -> BTreeSet<String> {
        let mut labels = BTreeSet::new();
        for part in parts(expression) {
            match part {
                Expr::VectorSelector(VectorSelector { name: Some(name), .. }) => {
                    labels.extend(self.metrics.get(&name).into_iter().flat_map(BTreeMap::keys).cloned());
                }
                Expr::Call(Call { func, args }) if func.name == "label_replace" => {
                    if let Some(Expr::StringLiteral(made)) = args.args.get(1).map(AsRef::as_ref) {
                        labels.insert(made.val.clone());
                    }
                }
                _ => {}
            }
        }
        labels
    }
}

/// An expression and all that it is made of; of a range, what it is of.
fn parts(expression: &Expr) -> Vec<Expr> {
    struct Parts(Vec<Expr>);
    impl ExprVisitor for Parts {
        type Error = Infallible;
        fn pre_visit(&mut self, part: &Expr) -> Result<bool, Self::Error> {
            self.0.push(match part {
                Expr::MatrixSelector(range) => Expr::VectorSelector(range.vs.clone()),
                part => part.clone(),
            });
            Ok(true)
        }
    }
    let mut parts = Parts(Vec::new());
    let Ok(_) = walk_expr(&mut parts, expression);
    parts.0
}

/// What an expression selects.
fn selectors(expression: &str) -> impl Iterator<Item = VectorSelector> {
    let parsed = parser::parse(expression).expect("PromQL");
    parts(&parsed).into_iter().filter_map(|part| match part {
        Expr::VectorSelector(selector) => Some(selector),
        _ => None,
    })
}

/// The metrics that an expression selects.
pub fn metrics(expression: &str) -> impl Iterator<Item = String> {
    selectors(expression).filter_map(|selector| selector.name)
}

/// The conditions of an expression that leave RPCs out.
pub fn exclusions_of_rpcs(expression: &str) -> impl Iterator<Item = Matcher> {
    let matchers = selectors(expression).flat_map(|selector| selector.matchers.matchers);
    matchers.filter(|matcher| matcher.name == "rpc_method" && matches!(matcher.op, MatchOp::NotRe(_)))
}

/// The values that a matcher names where it names each of them, in a pattern too.
fn named(matcher: &Matcher) -> Option<Vec<String>> {
    match &matcher.op {
        MatchOp::Equal | MatchOp::NotEqual => Some(vec![matcher.value.clone()]),
        MatchOp::Re(_) | MatchOp::NotRe(_) => {
            let pattern = regex_syntax::parse(&matcher.value).expect("a pattern");
            let literals = Extractor::new().extract(&pattern);
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
            let exact = literals.literals().filter(|_| literals.is_exact())?;
            Some(exact.iter().map(|literal| text(literal.as_bytes())).collect())
        }
    }
}

/// Whether a value is like the pattern of a matcher, whether that asks for it or leaves it out.
fn is_like(matcher: &Matcher, value: &str) -> bool {
    matcher.is_match(value) != matches!(matcher.op, MatchOp::NotRe(_))
}
