//! A case through gRPC on the running system.

use std::collections::BTreeMap;

use contracts::wire::access::link_client_result::Outcome;
use contracts::wire::activity::VerdictOutcome;
use contracts::{instant, wire};
use prost_types::Timestamp;

use crate::case::credit_line;
use crate::{Case, Cluster, Expectation, Fact};

/// What the running system says to each expectation of a case. All facts are recorded first, so that verdicts are those
/// of all facts known.
pub async fn answers_of_system(case: &Case, cluster: &Cluster) -> Vec<String> {
    let mut world = World { cluster, employees: BTreeMap::new(), users: BTreeMap::new(), activities: Vec::new() };
    for fact in &case.facts {
        world.take(fact).await;
    }
    let mut answers = Vec::new();
    for expected in &case.expect {
        answers.push(world.answer(expected).await);
    }
    answers
}

struct World<'cluster> {
    cluster: &'cluster Cluster,
    employees: BTreeMap<(i64, String), String>,
    users: BTreeMap<(i64, String), String>,
    activities: Vec<wire::activity::Activity>,
}

impl World<'_> {
    async fn take(&mut self, fact: &Fact) {
        let cluster = self.cluster;
        match fact {
            Fact::Partner { id, domains, since } => {
                let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
                cluster.partner_since(*id, &domains, since).await.expect("a partner");
            }
            Fact::Employee { of, email, since } => {
                let name = cluster.employee_since(*of, email, since).await.expect("an employee");
                self.employees.insert((*of, email.clone()), name);
            }
            Fact::Client { id, country, since } => {
                cluster.client_since(*id, country, since).await.expect("a client");
            }
            Fact::User { client, email, since } => {
                let name = cluster.user_since(*client, email, since).await.expect("a client user");
                self.users.insert((*client, email.clone()), name);
            }
            Fact::Remove { client, email, at } => {
                let name = &self.users[&(*client, email.clone())];
                cluster.remove(name, at).await.expect("a removal");
            }
            Fact::Deactivate { client, email, at } => {
                let name = &self.users[&(*client, email.clone())];
                cluster.deactivate(name, at).await.expect("a deactivation");
            }
            Fact::Link { of, email, client, since } => {
                let name = &self.employees[&(*of, email.clone())];
                let outcome = cluster.link(name, *client, since).await;
                assert!(matches!(outcome, Outcome::Assignment(_)), "{outcome:?}");
            }
            Fact::Tier { of, tier, since } => {
                let tier = wire::credit::Tier::from_str_name(&format!("TIER_{tier}")).expect("a tier");
                cluster.grant(*of, tier, since).await.expect("a grant");
            }
            Fact::Activity { id, client, email, at, action } => {
                let activity = Cluster::activity_of(*client, id, email, at, action);
                cluster.record(vec![activity.clone()]).await.expect("a result");
                self.activities.push(activity);
            }
            Fact::Mrr { client, subscription, amount, since } => {
                let created = cluster.subscription(*client, subscription, amount, since).await;
                if created.is_err_and(|status| status.code() == tonic::Code::AlreadyExists) {
                    cluster.new_mrr(*client, subscription, amount, since).await.expect("an update");
                }
            }
        }
    }

    async fn answer(&self, expected: &Expectation) -> String {
        match expected {
            Expectation::Verdict { activity, .. } => self.verdict(activity).await,
            Expectation::Credit { partner, client, at, .. } => {
                let row = self.cluster.managed_credit(*partner, *client, at).await.expect("a row");
                let reason = match row.no_credit_reason() {
                    wire::credit::NoCreditReason::Unspecified => "-",
                    reason => reason.as_str_name().trim_start_matches("NO_CREDIT_REASON_"),
                };
                credit_line(
                    expected,
                    row.credit.as_ref().map(|credit| format!("{} {}", credit.amount, credit.currency_code)),
                    row.points.clone(),
                    reason,
                    row.serviced_since_time.as_ref().map(text),
                    row.expire_time.as_ref().map(text),
                    u32::try_from(row.servicing_partners).expect("a number of partners"),
                )
            }
        }
    }

    /// The present verdict, as a repeat of the activity is answered with it.
    async fn verdict(&self, id: &str) -> String {
        let ending = format!("/activities/{id}");
        let activity = self.activities.iter().find(|activity| activity.name.ends_with(&ending)).expect("the activity");
        let answer = self.cluster.record(vec![activity.clone()]).await.expect("a result");
        let result = answer.results.into_iter().next().expect("one result");
        assert!(result.duplicate, "{id} was recorded before");
        let Some(wire::activity::record_activity_result::Outcome::Verdict(verdict)) = result.outcome else {
            panic!("{id} was refused")
        };
        match verdict.outcome() {
            VerdictOutcome::Counted => "COUNTED".to_owned(),
            _ => verdict.reason().as_str_name().trim_start_matches("NOT_COUNTED_REASON_").to_owned(),
        }
    }
}

fn text(time: &Timestamp) -> String {
    instant(time).expect("a time").to_rfc3339()
}
