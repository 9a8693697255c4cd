//! A case through gRPC on the running system.

use std::collections::BTreeMap;

use contracts::wire::access::link_client_result::Outcome;
use contracts::wire::activity::VerdictOutcome;
use contracts::{instant, wire};
use prost_types::Timestamp;
use tonic::Status;

use crate::case::credit_line;
use crate::{Case, Cluster, Expectation, Fact};

/// What the running system says to each expectation of a case. All facts are recorded first, so that verdicts are those
/// of all facts known.
///
/// # Panics
/// A fact that is refused.
pub async fn answers_of_system(case: &Case, cluster: &Cluster) -> Vec<String> {
    let mut driven = Driven::default();
    for fact in &case.facts {
        driven.take(cluster, fact).await.unwrap_or_else(|status| panic!("{fact:?}: {status}"));
    }
    driven.answers(cluster, &case.expect).await
}

/// What a system has taken of a case, by the names that it gave.
#[derive(Debug, Default)]
pub struct Driven {
    employees: BTreeMap<(i64, String), String>,
    users: BTreeMap<(i64, String), String>,
    activities: Vec<wire::activity::Activity>,
}

impl Driven {
    /// What the system says to each expectation.
    pub async fn answers(&self, cluster: &Cluster, expect: &[Expectation]) -> Vec<String> {
        let mut answers = Vec::new();
        for expected in expect {
            answers.push(self.answer(cluster, expected).await);
        }
        answers
    }

    /// The name of somebody's user in a client account, as it was given last.
    fn user(&self, client: i64, email: &str) -> Result<String, Status> {
        let user = self.users.get(&(client, email.to_owned()));
        user.cloned().ok_or_else(|| Status::not_found("nobody was added"))
    }

    /// The name of an employee, as it was given last.
    fn employee(&self, partner: i64, email: &str) -> Result<String, Status> {
        let employee = self.employees.get(&(partner, email.to_owned()));
        employee.cloned().ok_or_else(|| Status::not_found("nobody was created"))
    }

    /// Records a fact.
    ///
    /// # Errors
    /// As the call that records it.
    pub async fn take(&mut self, cluster: &Cluster, fact: &Fact) -> Result<(), Status> {
        match fact {
            Fact::Partner { id, domains, since } => {
                let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
                cluster.partner_since(*id, &domains, since).await?;
            }
            Fact::Employee { of, email, since } => {
                let name = cluster.employee_since(*of, email, since).await?;
                self.employees.insert((*of, email.clone()), name);
            }
            Fact::Client { id, country, since } => cluster.client_since(*id, country, since).await?,
            Fact::User { client, email, since } => {
                let name = cluster.user_since(*client, email, since).await?;
                self.users.insert((*client, email.clone()), name);
            }
            Fact::Remove { client, email, at } => cluster.remove(&self.user(*client, email)?, at).await?,
            Fact::Deactivate { client, email, at } => {
                cluster.deactivate(&self.user(*client, email)?, at).await?;
            }
            Fact::Reactivate { client, email, at } => {
                cluster.reactivate(&self.user(*client, email)?, at).await?;
            }
            Fact::Link { of, email, client, since } => {
                match cluster.link(&self.employee(*of, email)?, *client, since).await {
                    Outcome::Assignment(_) => {}
                    Outcome::Error(status) => return Err(Status::new(status.code.into(), status.message)),
                }
            }
            Fact::Unlink { of, email, client, at } => {
                cluster.unlink(&self.employee(*of, email)?, *client, at).await?;
            }
            Fact::EndServices { of, client, at } => {
                cluster.end_services(*of, *client, at).await?;
            }
            Fact::Leave { id, at } => {
                cluster.leave(*id, at).await?;
            }
            Fact::Close { id, at } => {
                cluster.close(*id, at).await?;
            }
            Fact::Flag { of, email, flagged, at } => {
                cluster.flag(&self.employee(*of, email)?, *flagged, at).await?;
            }
            Fact::Delete { of, email, at } => {
                cluster.delete_employee(&self.employee(*of, email)?, at).await?;
            }
            Fact::Domains { of, domains, at } => {
                let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
                cluster.set_domains(*of, &domains, at).await?;
            }
            Fact::Void { client, activity } => {
                cluster.void(*client, activity, "A mistake").await?;
            }
            Fact::Tier { of, tier, since } => {
                let tier = wire::credit::Tier::from_str_name(&format!("TIER_{tier}")).expect("a tier");
                cluster.grant(*of, tier, since).await?;
            }
            Fact::Activity { id, client, email, at, action } => {
                let activity = Cluster::activity_of(*client, id, email, at, action);
                cluster.record(vec![activity.clone()]).await?;
                self.activities.push(activity);
            }
            Fact::Mrr { client, subscription, amount, since } => {
                match cluster.subscription(*client, subscription, amount, since).await {
                    Err(status) if status.code() == tonic::Code::AlreadyExists => {
                        cluster.new_mrr(*client, subscription, amount, since).await?;
                    }
                    created => created?,
                }
            }
        }
        Ok(())
    }

    async fn answer(&self, cluster: &Cluster, expected: &Expectation) -> String {
        match expected {
            Expectation::Verdict { activity, .. } => self.verdict(cluster, activity).await,
            Expectation::Loss { partner, client, at, .. } => {
                let explanation = cluster.explain(*partner, *client, at).await.expect("an explanation");
                explanation.loss.map_or_else(
                    || "- since -".to_owned(),
                    |loss| {
                        let cause = loss.cause().as_str_name().trim_start_matches("NO_CREDIT_REASON_").to_owned();
                        format!("{cause} since {}", loss.lose_time.as_ref().map(text).expect("an instant"))
                    },
                )
            }
            Expectation::Credit { partner, client, at, .. } => {
                let row = cluster.managed_credit(*partner, *client, at).await.expect("a row");
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
    async fn verdict(&self, cluster: &Cluster, id: &str) -> String {
        let ending = format!("/activities/{id}");
        let activity = self.activities.iter().find(|activity| activity.name.ends_with(&ending)).expect("the activity");
        let answer = cluster.record(vec![activity.clone()]).await.expect("a result");
        let result = answer.results.into_iter().next().expect("one result");
        assert!(result.duplicate, "{id} was recorded before");
        let Some(wire::activity::record_activity_result::Outcome::Verdict(verdict)) = result.outcome else {
            panic!("{id} was refused")
        };
        match verdict.outcome() {
            VerdictOutcome::Counted => "COUNTED".to_owned(),
            VerdictOutcome::Voided => "VOIDED".to_owned(),
            _ => verdict.reason().as_str_name().trim_start_matches("NOT_COUNTED_REASON_").to_owned(),
        }
    }
}

fn text(time: &Timestamp) -> String {
    instant(time).expect("a time").to_rfc3339()
}
