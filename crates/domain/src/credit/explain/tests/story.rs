//! A relationship told by a few facts, from which everything else of an explanation follows by the rules.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::access::{AssignmentOrigin, AssignmentState, ClientUserState, Ending, EndingCause};
use crate::activity::NotCountedReason;
use crate::credit::explain::{
    ActivityFacts, AssignmentFacts, ChangeFacts, ClientFacts, CountedFacts, EmploymentFacts, EndingFacts, Explanation,
    ExplanationFacts, NotCountedFacts, PartnerFacts, PersonChanges, PersonFacts, Prospect, explain,
};
use crate::credit::testing::{at, hub, money};
use crate::credit::{
    CountryHistory, CreditFacts, CreditQuestion, MinimumFacts, Mrr, ServicingFacts, ServicingPartner,
    SubscriptionChange, SubscriptionHistory, Terms, managed_credit,
};
use crate::policy::Policy;
use crate::policy::testing::policy_with;
use crate::servicing::{CountedActivity, ServicingState, Standing, periods, standing};
use crate::tier::{CreditedTiers, Tier, TierChange, TierHistory};
use crate::time::{Instant, Period};

/// How many activities a partner without a tier can need in a story.
const MINIMUMS: u32 = 4;

/// For each minimum from 1 on, the policy by which a tier, or a partner without one, needs so many.
fn policies(tier: &str) -> Vec<Policy> {
    let policy = |minimum| {
        let entry = format!(r#"[{{ from = 0001-01-01, tier = "{tier}", minimum = {minimum} }}]"#);
        policy_with("minimum_activities = []", &format!("minimum_activities = {entry}"))
    };
    (1..=MINIMUMS).map(policy).collect()
}

static OF_NO_TIER: LazyLock<Vec<Policy>> = LazyLock::new(|| policies("NONE"));
static OF_ELITE: LazyLock<Vec<Policy>> = LazyLock::new(|| policies("ELITE"));

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
    /// When the client stops to pay.
    pub(super) cancelled: Option<Instant>,
    /// From when on the partner is credited with Elite, which alone needs `minimum_activities` then.
    pub(super) minimum_rises: Option<Instant>,
    /// The change by which each of them came about.
    pub(super) ended_by: Option<ChangeFacts>,
    pub(super) country: Option<&'static str>,
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
            cancelled: None,
            minimum_rises: None,
            ended_by: None,
            country: Some("IT"),
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
        employments: vec![EmploymentFacts {
            period: Period::since(since),
            partner_employee: true,
            flag_since: Some(since),
        }],
        user_state: ClientUserState::Active,
        user_state_since: Some(since),
        user_since: Some(since),
        assignment: Some(AssignmentFacts {
            state: AssignmentState::Effective,
            since,
            origin: AssignmentOrigin::Automatic,
        }),
        unassigned_since: None,
        changes: PersonChanges::default(),
        prospect: Prospect::Counts { needs_link: false },
    }
}

/// The same to whom the client is not assigned, and never by itself.
pub(super) fn unassigned(person: PersonFacts) -> PersonFacts {
    PersonFacts { assignment: None, prospect: Prospect::Counts { needs_link: true }, ..person }
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
        let policies = if self.minimum_rises.is_some() { &OF_ELITE } else { &OF_NO_TIER };
        let policy = &policies[self.minimum_activities as usize - 1];
        let tiers = self.tiers();
        let terms = Terms { policy, tiers: &tiers };
        let relationship = standing(&activities, &endings, 1, as_of, 30);
        let earning = standing(&activities, &endings, terms.minimum_of(hub(1), as_of), as_of, 30);
        let credit_facts = self.credit_facts(&activities, &endings);
        let mrr = credit_facts.subscriptions.mrr_at(as_of);
        let (units_per_point, units_since) = match mrr {
            Mrr::Known { mrr, .. } => {
                let currency = mrr.currency;
                (policy.units_per_point_at(currency, as_of), policy.units_per_point_since(currency, as_of))
            }
            Mrr::Unknown => (None, None),
        };
        ExplanationFacts {
            partner: PartnerFacts { partner: hub(1), programme: self.programme, left: None },
            client: ClientFacts {
                client: hub(self.client),
                display_name: self.client_name.map(str::to_owned),
                is_known: true,
                closed_time: self.closed_time,
                country: self.country.and_then(|code| code.parse().ok()).zip(Some(at("2024-01-01T00:00:00Z"))),
            },
            as_of,
            people: self.people.clone(),
            counted: self.counted_by(as_of),
            not_counted: self.not_counted.clone(),
            relationship,
            first_serviced: activities.iter().map(|activity| activity.occur_time).min(),
            minimum: MinimumFacts::of(hub(1), terms, as_of),
            earning_since: credit_facts.earning_since(hub(1), terms, as_of),
            last_loss: credit_facts.last_loss(hub(1), terms, as_of),
            endings: self.ending_facts(as_of),
            units_per_point,
            units_since,
            outlasting_from: None,
            something_qualifies: true,
            credit: managed_credit(&CreditQuestion {
                partner: hub(1),
                client: hub(self.client),
                country: self.country.and_then(|code| code.parse().ok()),
                mrr,
                servicing_partners: &self.servicing_partners(relationship, earning),
                relationship: relationship.into(),
                earning: earning.into(),
                policy,
                as_of,
            }),
        }
    }

    fn tiers(&self) -> CreditedTiers {
        let elite = self.minimum_rises.map(|effective_time| TierChange {
            position: 1,
            effective_time,
            tier: Some(Tier::Elite),
        });
        CreditedTiers::from_iter([(hub(1), TierHistory::from_changes(elite))])
    }

    fn credit_facts(&self, activities: &[CountedActivity], endings: &[Ending]) -> CreditFacts {
        let of_minimum = |minimum| (minimum, periods(activities, endings, minimum));
        let servicing = ServicingFacts {
            periods: (1..=MINIMUMS).map(of_minimum).collect(),
            last_activity_time: activities.iter().map(|activity| activity.occur_time).max(),
        };
        let known = match self.mrr {
            Mrr::Known { mrr, since } => Some((mrr, since)),
            Mrr::Unknown => None,
        };
        let cancelled = self.cancelled.map(|time| (money("USD", "0"), time));
        let numbered = (1..).zip(known.into_iter().chain(cancelled));
        let subscriptions = numbered.map(|(position, (mrr, effective_time))| SubscriptionChange {
            subscription: "main".parse().expect("an id"),
            position,
            effective_time,
            mrr,
        });
        CreditFacts {
            client: hub(self.client),
            countries: CountryHistory::default(),
            subscriptions: SubscriptionHistory::from_changes(subscriptions),
            sold: Vec::new(),
            servicing: BTreeMap::from([(hub(1), servicing)]),
        }
    }

    fn ending_facts(&self, as_of: Instant) -> Vec<EndingFacts> {
        let endings = self.endings.iter().map(|(time, cause)| EndingFacts {
            time: at(time),
            cause: *cause,
            change: self.ended_by.clone(),
        });
        endings.filter(|ending| ending.time <= as_of).collect()
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
