//! A relationship told by a few facts, from which everything else of an explanation follows by the rules.

use crate::access::testing::POLICY;
use crate::access::{AssignmentOrigin, AssignmentState, ClientUserState, Ending, EndingCause};
use crate::activity::NotCountedReason;
use crate::credit::explain::{
    ActivityFacts, AssignmentFacts, ClientFacts, CountedFacts, EmploymentFacts, Explanation, ExplanationFacts,
    NotCountedFacts, PartnerFacts, PersonFacts, explain,
};
use crate::credit::testing::{at, hub, money};
use crate::credit::{CreditQuestion, Mrr, ServicingPartner, managed_credit};
use crate::servicing::{CountedActivity, ServicingState, Standing, periods, standing};
use crate::time::{Instant, Period};

/// Anna has been employee, user and assigned since 2 January 2025, published a blog post on 10 January, and nothing
/// else happened; the client pays 1,000 USD.
#[derive(Debug, Clone)]
pub(super) struct Story {
    pub(super) client: i64,
    pub(super) client_name: Option<&'static str>,
    pub(super) programme: Option<Period>,
    pub(super) closed_time: Option<Instant>,
    pub(super) people: Vec<PersonFacts>,
    pub(super) counted: Vec<CountedFacts>,
    pub(super) not_counted: Vec<NotCountedFacts>,
    pub(super) endings: Vec<(&'static str, EndingCause)>,
    pub(super) minimum_activities: u32,
    pub(super) mrr: Mrr,
    /// Partners that earn besides, with a younger relationship.
    pub(super) other_partners: i64,
}

impl Default for Story {
    fn default() -> Self {
        Self {
            client: 2002,
            client_name: Some("Rossi S.r.l."),
            programme: Some(Period::since(at("2024-01-01T00:00:00Z"))),
            closed_time: None,
            people: vec![anna()],
            counted: vec![counted(("blog", "publish", "2025-01-10T12:00:00Z"))],
            not_counted: vec![],
            endings: vec![],
            minimum_activities: 1,
            mrr: Mrr::Known { mrr: money("USD", "1000"), since: at("2024-01-01T00:00:00Z") },
            other_partners: 0,
        }
    }
}

pub(super) fn anna() -> PersonFacts {
    person("Anna Bianchi", "anna@agency.example")
}

/// An employee with an active user and an assignment.
pub(super) fn person(display_name: &str, address: &str) -> PersonFacts {
    let since = at("2025-01-02T09:00:00Z");
    PersonFacts {
        display_name: display_name.to_owned(),
        address: address.parse().expect("a test writes valid addresses"),
        employments: vec![EmploymentFacts { period: Period::since(since), partner_employee: true }],
        user_state: ClientUserState::Active,
        user_state_since: Some(since),
        assignment: Some(AssignmentFacts {
            state: AssignmentState::Effective,
            since,
            origin: AssignmentOrigin::Automatic,
        }),
    }
}

/// Something that Anna did and that counts for 60 days.
pub(super) fn counted((tool, action, time): (&str, &str, &str)) -> CountedFacts {
    let activity = activity(tool, action, time).activity;
    CountedFacts { expire_time: activity.occur_time + chrono::TimeDelta::days(60), activity }
}

/// Something that Anna did and that does not qualify.
pub(super) fn activity(tool: &str, action: &str, time: &str) -> NotCountedFacts {
    NotCountedFacts {
        activity: ActivityFacts {
            person: Some("Anna Bianchi".to_owned()),
            tool: tool.to_owned(),
            action: action.to_owned(),
            occur_time: at(time),
        },
        reason: NotCountedReason::NonQualifyingAction,
    }
}

impl Story {
    pub(super) fn explain(&self, as_of: &str) -> Explanation {
        explain(&self.facts(at(as_of)))
    }

    pub(super) fn facts(&self, as_of: Instant) -> ExplanationFacts {
        let endings: Vec<_> =
            self.endings.iter().map(|(time, cause)| Ending { time: at(time), cause: *cause }).collect();
        let activities: Vec<_> = self
            .counted_by(as_of)
            .iter()
            .map(|counted| CountedActivity {
                occur_time: counted.activity.occur_time,
                expire_time: counted.expire_time,
            })
            .collect();
        let relationship = standing(&activities, &endings, 1, as_of, 30);
        let earning = standing(&activities, &endings, self.minimum_activities, as_of, 30);
        let units_per_point = match self.mrr {
            Mrr::Known { mrr, .. } => POLICY.units_per_point_at(mrr.currency, as_of),
            Mrr::Unknown => None,
        };
        ExplanationFacts {
            partner: PartnerFacts { partner: hub(1), programme: self.programme },
            client: ClientFacts {
                client: hub(self.client),
                display_name: self.client_name.map(str::to_owned),
                closed_time: self.closed_time,
            },
            as_of,
            people: self.people.clone(),
            counted: self.counted_by(as_of),
            not_counted: self.not_counted.clone(),
            relationship,
            minimum_activities: self.minimum_activities,
            earning_periods: periods(&activities, &endings, self.minimum_activities),
            endings,
            units_per_point,
            credit: managed_credit(&CreditQuestion {
                partner: hub(1),
                client: hub(self.client),
                country: "IT".parse().ok(),
                mrr: self.mrr,
                servicing_partners: &self.servicing_partners(relationship, earning),
                relationship: relationship.into(),
                earning: earning.into(),
                policy: &POLICY,
                as_of,
            }),
        }
    }

    /// What was counted by an instant, newest first.
    fn counted_by(&self, as_of: Instant) -> Vec<CountedFacts> {
        let by_then = self.counted.iter().filter(|counted| counted.activity.occur_time <= as_of);
        let mut newest_first: Vec<_> = by_then.cloned().collect();
        newest_first.sort_by_key(|counted| std::cmp::Reverse(counted.activity.occur_time));
        newest_first
    }

    fn servicing_partners(&self, relationship: Standing, earning: Standing) -> Vec<ServicingPartner> {
        let earns = matches!(earning.state, ServicingState::Active | ServicingState::Expiring);
        let own = relationship
            .serviced_since
            .filter(|_| earns)
            .map(|serviced_since| ServicingPartner { partner: hub(1), serviced_since });
        let others = (0..self.other_partners)
            .map(|other| ServicingPartner { partner: hub(100 + other), serviced_since: at("2025-01-31T00:00:00Z") });
        own.into_iter().chain(others).collect()
    }
}
