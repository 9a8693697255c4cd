//! From what is known to the facts of an explanation: the same in the service and in the property tests.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::facts::{CountedFacts, ExplanationFacts, NotCountedFacts};
use super::view::PartnerView;
use crate::access::EmailAddress;
use crate::credit::credit_facts::{CreditFacts, RELATIONSHIP_MINIMUM, Terms};
use crate::credit::loss::MinimumFacts;
use crate::credit::managed_credit::ManagedCredit;
use crate::credit::subscription::Mrr;
use crate::policy::Policy;
use crate::servicing::Standing;
use crate::time::{Instant, Period};

/// Everything that an explanation rests on.
#[derive(Debug)]
pub struct ExplanationGrounds<'a> {
    /// Access, for one partner, client and instant.
    pub view: PartnerView<'a>,
    /// What holds for all clients alike.
    pub terms: Terms<'a>,
    /// What is known of the client.
    pub credit_facts: &'a CreditFacts,
    /// Where the relationship stands, with a minimum of one activity (R57).
    pub relationship: Standing,
    /// What the client is worth at the instant.
    pub credit: ManagedCredit,
    /// Everybody of whom the evidence tells.
    pub evidenced: &'a BTreeSet<EmailAddress>,
    /// The counted activities that had occurred by the instant, newest first.
    pub counted: Vec<CountedFacts>,
    /// Those that do not count, newest first.
    pub not_counted: Vec<NotCountedFacts>,
}

impl From<ExplanationGrounds<'_>> for ExplanationFacts {
    fn from(grounds: ExplanationGrounds<'_>) -> Self {
        let ExplanationGrounds { view, terms, credit_facts, relationship, credit, evidenced, counted, not_counted } =
            grounds;
        let PartnerView { partner, as_of, .. } = view;
        let policy = terms.policy;
        let currency = match credit.mrr {
            Mrr::Known { mrr, .. } => Some(mrr.currency),
            Mrr::Unknown => None,
        };
        Self {
            partner: view.partner_facts(),
            client: view.client_facts(&credit_facts.countries),
            as_of,
            people: view.people_facts(evidenced, policy),
            counted,
            not_counted,
            relationship,
            first_serviced: first_serviced(credit_facts, view),
            minimum: MinimumFacts::of(partner, terms, as_of),
            earning_since: credit_facts.earning_since(partner, terms, as_of),
            last_loss: credit_facts.last_loss(partner, terms, as_of),
            endings: view.endings(policy),
            units_per_point: currency.and_then(|currency| policy.units_per_point_at(currency, as_of)),
            units_since: currency.and_then(|currency| policy.units_per_point_since(currency, as_of)),
            outlasting_from: credit.expire_time.and_then(|end| outlasting_from(policy, as_of, end)),
            something_qualifies: policy.qualifying_example_of_each_tool(as_of).next().is_some(),
            credit,
        }
    }
}

/// From when on, before `end`, work still counts at `end`; nothing where all work after `as_of` does.
fn outlasting_from(policy: &Policy, as_of: Instant, end: Instant) -> Option<Instant> {
    let ahead = Period::between(as_of + TimeDelta::microseconds(1), end);
    let stretches = policy.occurred_for(Period::at(end)).into_iter().rev();
    let outlasting = stretches.filter_map(|stretch| stretch.overlap(ahead));
    // Without a break until the end: stretches of different windows may touch.
    let from = outlasting.fold(end, |from, stretch| if stretch.end == Some(from) { stretch.start } else { from });
    (ahead.start < from && from < end).then_some(from)
}

fn first_serviced(credit_facts: &CreditFacts, view: PartnerView<'_>) -> Option<Instant> {
    let work = credit_facts.servicing.get(&view.partner)?;
    let starts = work.periods_of(RELATIONSHIP_MINIMUM).iter().map(|period| period.start);
    starts.filter(|start| *start <= view.as_of).min()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::access::AccessHistory;
    use crate::credit::testing::{at, hub};
    use crate::credit::{CountryHistory, ServicingFacts, SubscriptionHistory};
    use crate::policy::testing::policy_with;
    use crate::servicing::{PeriodEndCause, ServicingPeriod};
    use crate::time::LAST_STORABLE;

    #[test]
    fn r63_where_the_window_became_shorter_only_later_work_outlasts_the_credit() {
        let end = at("2025-03-11T12:00:00Z");
        let shorter = policy_with("days = 60 },", "days = 60 }, { from = 2025-02-01, days = 10 },");
        let first = at("2025-03-01T12:00:00.000001Z");
        assert_eq!(outlasting_from(&shorter, at("2025-02-15T00:00:00Z"), end), Some(first));
        assert_eq!(outlasting_from(&shorter, at("2025-03-01T11:59:59.999999Z"), end), Some(first));
        assert_eq!(outlasting_from(&shorter, at("2025-03-01T12:00:00Z"), end), None);
        assert_eq!(outlasting_from(&shorter, first, end), None);
    }

    #[test]
    fn r54_with_one_window_all_work_that_is_done_from_now_on_outlasts_the_credit_until_the_end_of_time() {
        let policy = Policy::embedded();
        let outlasting = |as_of, end| outlasting_from(&policy, at(as_of), end);
        assert_eq!(outlasting("2025-01-10T12:00:00Z", at("2025-03-11T12:00:00Z")), None);
        assert_eq!(outlasting("2025-03-11T11:59:59.999999Z", at("2025-03-11T12:00:00Z")), None);
        assert_eq!(outlasting("9999-12-01T00:00:00Z", LAST_STORABLE), None);
    }

    #[test]
    fn the_first_work_is_that_of_the_first_period_that_had_begun() {
        let period = |start, end| ServicingPeriod { start: at(start), end: at(end), end_cause: PeriodEndCause::Lapsed };
        let periods = vec![
            period("2025-01-10T12:00:00Z", "2025-03-11T12:00:00Z"),
            period("2025-04-01T00:00:00Z", "2025-05-31T00:00:00Z"),
        ];
        let work = ServicingFacts { periods: BTreeMap::from([(1, periods)]), last_activity_time: None };
        let facts = CreditFacts {
            client: hub(2002),
            countries: CountryHistory::default(),
            subscriptions: SubscriptionHistory::default(),
            servicing: BTreeMap::from([(hub(1001), work)]),
            sold: Vec::new(),
        };
        let history = AccessHistory::default();
        let view = |as_of| PartnerView { history: &history, partner: hub(1001), client: hub(2002), as_of: at(as_of) };
        let first = Some(at("2025-01-10T12:00:00Z"));
        assert_eq!(first_serviced(&facts, view("2025-01-10T11:59:59.999999Z")), None);
        assert_eq!(first_serviced(&facts, view("2025-01-10T12:00:00Z")), first);
        assert_eq!(first_serviced(&facts, view("2025-06-01T00:00:00Z")), first);
    }
}
