//! A case on the domain functions alone.

use std::collections::BTreeSet;

use domain::access::{
    AccessChange, AccessFact, AccessHistory, AccessRole, Actor, Audit, ClientUserId, EmailAddress, EmployeeId, HubId,
};
use domain::activity::{Activity, ActivityAction, Judgement, Origin, Verdict, judge};
use domain::credit::{
    CreditQuestion, ManagedCredit, NoCreditReason, PointsOutcome, ServicingPartner, SubscriptionChange,
    SubscriptionHistory, managed_credit,
};
use domain::money::Money;
use domain::policy::Policy;
use domain::servicing::{CountedActivity, ServicingState, Standing, standing};
use domain::tier::{TierChange, TierHistory};
use domain::time::Instant;
use uuid::Uuid;

use crate::case::credit_line;
use crate::{Case, Expectation, Fact, at};

/// What the domain functions say to each expectation of a case but those of explanations, which only the system gives.
///
/// # Panics
/// A fact that is refused.
#[must_use]
pub fn answers_of_domain(case: &Case, policy: &Policy) -> Vec<String> {
    let world = World::of(case, policy);
    case.expect.iter().filter_map(|expected| world.answer(expected)).collect()
}

/// All facts of a case.
struct World<'policy> {
    policy: &'policy Policy,
    history: AccessHistory,
    activities: Vec<Activity>,
    subscriptions: Vec<(HubId, SubscriptionChange)>,
    tiers: Vec<(HubId, TierChange)>,
    voided: BTreeSet<(HubId, String)>,
}

fn hub_id(number: i64) -> HubId {
    HubId::try_from(number).expect("a hub id")
}

fn address(text: &str) -> EmailAddress {
    text.parse().expect("an address")
}

impl<'policy> World<'policy> {
    fn of(case: &Case, policy: &'policy Policy) -> Self {
        let mut world = Self {
            policy,
            history: AccessHistory::default(),
            activities: Vec::new(),
            subscriptions: Vec::new(),
            tiers: Vec::new(),
            voided: BTreeSet::new(),
        };
        for (index, fact) in case.facts.iter().enumerate() {
            world.take(index as u64 + 1, fact);
        }
        world
    }

    fn take(&mut self, position: u64, fact: &Fact) {
        let id = Uuid::from_u128(u128::from(position));
        match fact {
            Fact::Activity { id, client, email, at: when, action } => self.activities.push(Activity {
                client: hub_id(*client),
                id: id.parse().expect("an activity id"),
                address: address(email),
                occur_time: at(when),
                action: ActivityAction::Catalogue(action.parse().expect("tool/action")),
                origin: Origin::Person,
                target_object_id: None,
            }),
            Fact::Mrr { client, subscription, amount, since } => {
                let (amount, currency) = amount.split_once(' ').expect("an amount and a currency");
                let mrr = Money::parse(currency.parse().expect("a currency"), amount).expect("an amount");
                let subscription = subscription.parse().expect("a subscription id");
                let change = SubscriptionChange { subscription, position, effective_time: at(since), mrr };
                self.subscriptions.push((hub_id(*client), change));
            }
            Fact::Partner { id, domains, since } => {
                let email_domains = domains.iter().map(|domain| domain.parse().expect("a domain")).collect();
                let country = "IT".parse().expect("a country");
                let display_name = format!("Partner {id}");
                let fact = AccessFact::PartnerAdded { partner: hub_id(*id), display_name, country, email_domains };
                self.change(position, since, fact);
            }
            Fact::Employee { of, email, since } => {
                let fact = AccessFact::EmployeeAdded {
                    partner: hub_id(*of),
                    employee: EmployeeId(id),
                    address: address(email),
                    display_name: email.clone(),
                    partner_employee: true,
                    access_role: AccessRole::None,
                };
                self.change(position, since, fact);
            }
            Fact::Client { id, country, since } => {
                let country = country.parse().expect("a country");
                let display_name = format!("Client {id}");
                self.change(position, since, AccessFact::ClientAdded { client: hub_id(*id), display_name, country });
            }
            Fact::User { client, email, since } => {
                let fact = AccessFact::ClientUserAdded {
                    client: hub_id(*client),
                    user: ClientUserId(id),
                    address: address(email),
                    display_name: email.clone(),
                    permission_set: "STANDARD".parse().expect("a permission set"),
                };
                self.change(position, since, fact);
            }
            Fact::Remove { client, email, at } => {
                let (client, address) = (hub_id(*client), address(email));
                let user = self.history.client_user_spells(client, &address).last().expect("a user").user;
                self.change(position, at, AccessFact::ClientUserRemoved { client, user, address });
            }
            Fact::Deactivate { client, email, at } => {
                let (client, address) = (hub_id(*client), address(email));
                let user = self.history.client_user_spells(client, &address).last().expect("a user").user;
                self.change(position, at, AccessFact::ClientUserDeactivated { client, user, address });
            }
            Fact::Reactivate { client, email, at } => {
                let (client, address) = (hub_id(*client), address(email));
                let user = self.history.client_user_spells(client, &address).last().expect("a user").user;
                self.change(position, at, AccessFact::ClientUserReactivated { client, user, address });
            }
            Fact::Unlink { of, email, client, at } => {
                let (partner, employee, address) = self.employee(*of, email);
                let client = hub_id(*client);
                self.change(position, at, AccessFact::ClientUnlinked { client, partner, employee, address });
            }
            Fact::EndServices { of, client, at } => {
                let (partner, client) = (hub_id(*of), hub_id(*client));
                self.change(position, at, AccessFact::ServicesEnded { client, partner });
            }
            Fact::Leave { id, at } => self.change(position, at, AccessFact::PartnerLeft { partner: hub_id(*id) }),
            Fact::Close { id, at } => self.change(position, at, AccessFact::ClientClosed { client: hub_id(*id) }),
            Fact::Flag { of, email, flagged, at } => {
                let (partner, employee, address) = self.employee(*of, email);
                let fact = AccessFact::EmployeeUpdated {
                    partner,
                    employee,
                    address,
                    display_name: None,
                    partner_employee: Some(*flagged),
                    access_role: None,
                };
                self.change(position, at, fact);
            }
            Fact::Delete { of, email, at } => {
                let (partner, employee, address) = self.employee(*of, email);
                self.change(position, at, AccessFact::EmployeeDeleted { partner, employee, address });
            }
            Fact::Domains { of, domains, at } => {
                let email_domains = domains.iter().map(|domain| domain.parse().expect("a domain")).collect();
                self.change(position, at, AccessFact::PartnerDomainsSet { partner: hub_id(*of), email_domains });
            }
            Fact::Void { client, activity } => {
                self.voided.insert((hub_id(*client), activity.clone()));
            }
            Fact::Tier { of, tier, since } => {
                let tier = Some(tier.parse().expect("a tier"));
                let change = TierChange { position, effective_time: at(since), tier };
                self.tiers.push((hub_id(*of), change));
            }
            Fact::Link { of, email, client, since } => {
                let (partner, employee, address) = self.employee(*of, email);
                let client = hub_id(*client);
                self.change(position, since, AccessFact::ClientLinked { client, partner, employee, address });
            }
        }
    }

    /// The employee with an address whom a partner created last.
    fn employee(&self, partner: i64, email: &str) -> (HubId, EmployeeId, EmailAddress) {
        let (partner, address) = (hub_id(partner), address(email));
        let employees = self.history.employees(&address);
        let employee = employees.filter(|employee| employee.partner == partner).last().expect("an employee").employee;
        (partner, employee, address)
    }

    fn change(&mut self, position: u64, since: &str, fact: AccessFact) {
        let effective_time = at(since);
        let now = at("2026-01-01");
        self.history.admit(&fact, effective_time, now, self.policy).unwrap_or_else(|refusal| panic!("{refusal}"));
        let (actor, audit) = (Actor::Platform, Audit::default());
        let change = AccessChange { position, effective_time, record_time: now, actor, audit, fact };
        self.history.record(change);
    }

    fn judgement(&self, activity: &Activity) -> Judgement {
        let judgement = judge(activity, &self.history, self.policy);
        let is_voided = self.voided.contains(&(activity.client, activity.id.to_string()));
        if is_voided { judgement.voided() } else { judgement }
    }

    fn standing(&self, partner: HubId, client: HubId, minimum: u32, as_of: Instant) -> Standing {
        let of_client = self.activities.iter().filter(|activity| activity.client == client);
        let counted: Vec<CountedActivity> = of_client
            .filter_map(|activity| {
                let judgement = self.judgement(activity);
                let is_theirs = judgement.attribution.is_some_and(|attribution| attribution.partner == partner);
                match judgement.verdict {
                    Verdict::Counted { expire_time } if is_theirs => {
                        Some(CountedActivity { occur_time: activity.occur_time, expire_time })
                    }
                    _ => None,
                }
            })
            .collect();
        let endings = self.history.endings(client, partner, self.policy);
        standing(&counted, &endings, minimum, as_of, self.policy.longest_warning_days())
    }

    /// How many activities a partner needs at an instant, by the tier that it is credited with (R57).
    fn minimum(&self, partner: HubId, as_of: Instant) -> u32 {
        let of_partner = self.tiers.iter().filter(|(holder, _)| *holder == partner).map(|(_, change)| *change);
        self.policy.minimum_activities_at(TierHistory::from_changes(of_partner).credited_at(as_of), as_of)
    }

    fn credit(&self, partner: HubId, client: HubId, as_of: Instant) -> ManagedCredit {
        let partners: BTreeSet<HubId> = self.history.partners().map(|partner| partner.partner).collect();
        let servicing: Vec<ServicingPartner> = partners
            .into_iter()
            .filter(|other| is_serviced(self.standing(*other, client, self.minimum(*other, as_of), as_of).state))
            .filter_map(|partner| {
                let serviced_since = self.standing(partner, client, 1, as_of).serviced_since?;
                Some(ServicingPartner { partner, serviced_since })
            })
            .collect();
        let of_client = self.subscriptions.iter().filter(|(paying, _)| *paying == client);
        let subscriptions = SubscriptionHistory::from_changes(of_client.map(|(_, change)| change.clone()));
        managed_credit(&CreditQuestion {
            partner,
            client,
            country: self.history.client(client).and_then(|known| known.country_at(as_of)),
            mrr: subscriptions.mrr_at(as_of),
            servicing_partners: &servicing,
            relationship: self.standing(partner, client, 1, as_of).into(),
            earning: self.standing(partner, client, self.minimum(partner, as_of), as_of).into(),
            policy: self.policy,
            as_of,
        })
    }

    fn answer(&self, expected: &Expectation) -> Option<String> {
        Some(match expected {
            Expectation::Loss { .. } => return None,
            Expectation::Verdict { activity, .. } => {
                let found = self.activities.iter().find(|found| found.id.as_str() == activity).expect("the activity");
                match self.judgement(found).verdict {
                    Verdict::Counted { .. } => "COUNTED".to_owned(),
                    Verdict::NotCounted(reason) => reason.to_string(),
                    Verdict::Voided => "VOIDED".to_owned(),
                }
            }
            Expectation::Credit { partner, client, at: when, .. } => {
                let credit = self.credit(hub_id(*partner), hub_id(*client), at(when));
                let points = match credit.points {
                    PointsOutcome::Known(points) => Some(points.to_string()),
                    PointsOutcome::Absent(_) => None,
                };
                let text = |time: Option<Instant>| time.map(|time| time.to_rfc3339());
                credit_line(
                    expected,
                    credit.credit.map(|credit| credit.to_string()),
                    points,
                    credit.no_credit_reason.map_or("-", reason_text),
                    text(credit.serviced_since),
                    text(credit.expire_time),
                    credit.servicing_partners,
                )
            }
        })
    }
}

const fn is_serviced(state: ServicingState) -> bool {
    matches!(state, ServicingState::Active | ServicingState::Expiring)
}

const fn reason_text(reason: NoCreditReason) -> &'static str {
    match reason {
        NoCreditReason::OwnAccount => "OWN_ACCOUNT",
        NoCreditReason::NotManaged => "NOT_MANAGED",
        NoCreditReason::Lapsed => "LAPSED",
        NoCreditReason::AllEmployeesRemoved => "ALL_EMPLOYEES_REMOVED",
        NoCreditReason::ServicesEnded => "SERVICES_ENDED",
        NoCreditReason::PartnerLeft => "PARTNER_LEFT",
        NoCreditReason::ClientClosed => "CLIENT_CLOSED",
        NoCreditReason::TierActivityMinimum => "TIER_ACTIVITY_MINIMUM",
        NoCreditReason::NoPaidSubscription => "NO_PAID_SUBSCRIPTION",
        NoCreditReason::MrrUnknown => "MRR_UNKNOWN",
    }
}
