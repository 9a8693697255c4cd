//! What credit would be under another policy, by the same facts; nothing is stored.
//!
//! Credit, points and why there is none are compared: they follow from periods alone, also for a past instant. States and
//! times do not (R63). Facts that arrive while it goes on may or may not be in it.

use std::collections::{BTreeMap, BTreeSet};

use contracts::wire::activity;
use contracts::wire::activity::servicing_feed_service_client::ServicingFeedServiceClient;
use contracts::wire::credit as wire;
use contracts::{ClientName, PartnerName, Revision, servicing_change_from_wire, tier_to_wire, timestamp};
use domain::access::HubId;
use domain::credit::{ClientPoints, CreditFacts, ManagedCredit, PartnerPoints, ServicingFacts, Terms};
use domain::policy::Policy;
use domain::tier::{CreditedTiers, performance_tier};
use domain::time::Instant;
use service_kit::streaming::Messages;
use service_kit::{MAXIMUM_ANSWER_BYTES, ServiceError};

use super::breakdown::clients_of;
use super::reading::Basis;
use crate::CreditCalculation;
use crate::evidence::{Deadline, away};
use crate::store::sold_credits::{self, SalesByPartner};
use crate::store::{clients, servicing, subscriptions, tiers};

/// The most clients that activity-tracking lets be named; of more, all are asked for.
const MAXIMUM_CLIENTS: usize = 10_000;

/// How many clients are compared at once.
const CLIENTS_AT_ONCE: usize = 200;

/// What is asked.
#[derive(Debug)]
pub(crate) struct SimulationQuery {
    pub policy: Policy,
    pub as_of: Option<Instant>,
    /// Absent means all.
    pub partner: Option<HubId>,
    pub at_least: Vec<Revision>,
    pub deadline: Deadline,
}

/// What has been compared so far.
#[derive(Debug, Default)]
struct Compared {
    pairs: i64,
    differing: i64,
    /// By both policies.
    partners: BTreeMap<HubId, [PartnerPoints; 2]>,
}

/// A simulation that may begin.
#[derive(Debug)]
pub(crate) struct Simulation {
    policy: Policy,
    basis: Basis,
    partner: Option<HubId>,
    /// Those of the partner; empty means all.
    clients: BTreeSet<HubId>,
}

impl CreditCalculation {
    pub(crate) async fn begin_simulation(&self, query: SimulationQuery) -> Result<Simulation, ServiceError> {
        let SimulationQuery { policy, as_of, partner, at_least, deadline } = query;
        let (transaction, basis) = self.begin_reading(&at_least, as_of, deadline).await?;
        let clients = match partner {
            Some(partner) => {
                self.require_partner(&transaction, &domain::access::Actor::Platform, partner).await?;
                clients_of(&transaction, partner, basis.as_of).await?.into_iter().collect()
            }
            None => BTreeSet::new(),
        };
        Ok(Simulation { policy, basis, partner, clients })
    }

    pub(crate) async fn simulate(
        &self,
        simulation: Simulation,
        messages: Messages<wire::SimulatePolicyResponse>,
    ) -> Result<(), ServiceError> {
        let mut simulated = Simulated::open(self, &simulation).await?;
        let sales = sold_credits::all(self.database.connection()).await?;
        let mut compared = Compared::default();
        let everybody: BTreeSet<HubId> = if simulation.partner.is_some() {
            simulation.clients.clone()
        } else {
            let known = servicing::every_client(self.database.connection()).await?;
            known.into_iter().chain(sales.keys().copied()).collect()
        };
        let mut ahead: Vec<HubId> = everybody.into_iter().rev().collect();
        while !ahead.is_empty() || !simulated.is_over() {
            let (chunk, work) = simulated.next_clients(&mut ahead).await?;
            self.compare(&simulation, &chunk, work, &sales, &mut compared, &messages).await?;
        }
        self.finish(&simulation, compared, &messages).await
    }

    /// Compares all pairs of these clients.
    async fn compare(
        &self,
        simulation: &Simulation,
        client_ids: &[HubId],
        mut simulated: BTreeMap<HubId, BTreeMap<HubId, ServicingFacts>>,
        sales: &BTreeMap<HubId, SalesByPartner>,
        compared: &mut Compared,
        messages: &Messages<wire::SimulatePolicyResponse>,
    ) -> Result<(), ServiceError> {
        let transaction = self.database.begin_read().await?;
        let mut known = clients::load(&*transaction, client_ids).await?;
        let mut histories = subscriptions::histories(&*transaction, client_ids).await?;
        let mut work = servicing::all_work(&*transaction, client_ids).await?;
        for client in client_ids {
            let facts = CreditFacts {
                client: *client,
                countries: known.remove(client).map(|known| known.countries).unwrap_or_default(),
                subscriptions: histories.remove(client).unwrap_or_default(),
                servicing: work.remove(client).unwrap_or_default(),
                sold: Vec::new(),
            };
            let other = CreditFacts { servicing: simulated.remove(client).unwrap_or_default(), ..facts.clone() };
            let mut partners: BTreeSet<HubId> = facts.servicing.keys().chain(other.servicing.keys()).copied().collect();
            let sold_to = sales.get(client);
            partners.extend(sold_to.into_iter().flat_map(BTreeMap::keys));
            let tiers = tiers::histories(&*transaction, &partners).await?;
            partners.retain(|partner| simulation.partner.is_none_or(|asked| asked == *partner));
            for partner in partners {
                let sold = sold_to.and_then(|sold_to| sold_to.get(&partner)).cloned().unwrap_or_default();
                let both = [&facts, &other].map(|facts| CreditFacts { sold: sold.clone(), ..facts.clone() });
                if let Some(difference) = self.compare_pair(simulation, partner, &both, &tiers, compared) {
                    let part = Some(wire::simulate_policy_response::Part::Credit(difference));
                    messages.send(wire::SimulatePolicyResponse { part }).await?;
                }
            }
        }
        Ok(())
    }

    fn compare_pair(
        &self,
        simulation: &Simulation,
        partner: HubId,
        [facts, other]: &[CreditFacts; 2],
        tiers: &CreditedTiers,
        compared: &mut Compared,
    ) -> Option<wire::CreditDifference> {
        let as_of = simulation.basis.as_of;
        let sides = [(facts, self.terms(tiers)), (other, Terms { policy: &simulation.policy, tiers })];
        let totals = compared.partners.entry(partner).or_default();
        for ((facts, terms), total) in sides.iter().zip(totals) {
            total.add(&ClientPoints::of(facts, partner, *terms, as_of));
        }
        compared.pairs += 1;
        let [before, after] = sides.map(|(facts, terms)| side(&facts.credit(partner, terms, as_of)));
        let client = ClientName(facts.client).to_string();
        (before != after).then(|| {
            compared.differing += 1;
            wire::CreditDifference {
                partner: PartnerName(partner).to_string(),
                client,
                before: Some(before),
                after: Some(after),
            }
        })
    }

    async fn finish(
        &self,
        simulation: &Simulation,
        compared: Compared,
        messages: &Messages<wire::SimulatePolicyResponse>,
    ) -> Result<(), ServiceError> {
        let as_of = simulation.basis.as_of;
        let mut managed = [0_i64, 0];
        for (partner, totals) in compared.partners {
            for (sum, total) in managed.iter_mut().zip(&totals) {
                *sum = sum.saturating_add(total.managed.points.0);
            }
            let policies = [&*self.policy, &simulation.policy];
            let points = totals.map(|total| total.tier_points());
            let [tier_before, tier_after] =
                [0, 1].map(|side| tier_to_wire(performance_tier(&points[side], policies[side], as_of)));
            if points[0] != points[1] || tier_before != tier_after {
                let difference = wire::PartnerDifference {
                    partner: PartnerName(partner).to_string(),
                    before: Some((&points[0]).into()),
                    after: Some((&points[1]).into()),
                    performance_tier_before: tier_before.into(),
                    performance_tier_after: tier_after.into(),
                };
                let part = Some(wire::simulate_policy_response::Part::Partner(difference));
                messages.send(wire::SimulatePolicyResponse { part }).await?;
            }
        }
        let summary = wire::SimulationSummary {
            as_of_time: Some(timestamp(as_of)),
            compared: compared.pairs,
            differing: compared.differing,
            points_before: domain::money::Points(managed[0]).to_string(),
            points_after: domain::money::Points(managed[1]).to_string(),
            policy_digest: self.policy.digest().to_owned(),
            simulated_policy_digest: simulation.policy.digest().to_owned(),
        };
        let part = Some(wire::simulate_policy_response::Part::Summary(summary));
        messages.send(wire::SimulatePolicyResponse { part }).await
    }
}

fn side(credit: &ManagedCredit) -> wire::SimulatedCredit {
    wire::SimulatedCredit {
        credit: credit.credit.as_ref().map(Into::into),
        points: match credit.points {
            domain::credit::PointsOutcome::Known(points) => Some(points.to_string()),
            domain::credit::PointsOutcome::Absent(_) => None,
        },
        no_credit_reason: credit.no_credit_reason.map_or(wire::NoCreditReason::Unspecified, Into::into).into(),
    }
}

/// The work under the simulated policy, client by client in the order of hub ids.
struct Simulated {
    stream: tonic::Streaming<activity::StreamServicingResponse>,
    /// What was read ahead.
    next: Option<(HubId, BTreeMap<HubId, ServicingFacts>)>,
}

impl Simulated {
    async fn open(service: &CreditCalculation, simulation: &Simulation) -> Result<Self, ServiceError> {
        let client = ServicingFeedServiceClient::new(service.activity.clone());
        let mut client = client.max_decoding_message_size(MAXIMUM_ANSWER_BYTES);
        let request = activity::StreamServicingRequest {
            policy_document: simulation.policy.document().to_owned(),
            clients: if simulation.clients.len() <= MAXIMUM_CLIENTS {
                simulation.clients.iter().map(|client| ClientName(*client).to_string()).collect()
            } else {
                Vec::new()
            },
        };
        let stream = client.stream_servicing(request).await.map_err(away)?.into_inner();
        let mut simulated = Self { stream, next: None };
        simulated.advance().await?;
        Ok(simulated)
    }

    const fn is_over(&self) -> bool {
        self.next.is_none()
    }

    async fn advance(&mut self) -> Result<(), ServiceError> {
        self.next = match self.stream.message().await.map_err(away)? {
            None => None,
            Some(message) => {
                let ClientName(client) = message.client.parse().map_err(ServiceError::stored)?;
                Some((client, work(&message)?))
            }
        };
        Ok(())
    }

    /// The next clients of those that are known here and of those that the simulated policy has, with its work at them.
    async fn next_clients(
        &mut self,
        ahead: &mut Vec<HubId>,
    ) -> Result<(Vec<HubId>, BTreeMap<HubId, BTreeMap<HubId, ServicingFacts>>), ServiceError> {
        let (mut chunk, mut found) = (Vec::new(), BTreeMap::new());
        while chunk.len() < CLIENTS_AT_ONCE {
            let known = ahead.last().copied();
            let simulated = self.next.as_ref().map(|(client, _)| *client);
            let Some(client) = known.into_iter().chain(simulated).min() else { break };
            if known == Some(client) {
                ahead.pop();
            }
            if simulated == Some(client) {
                found.extend(self.next.take());
                self.advance().await?;
            }
            chunk.push(client);
        }
        Ok((chunk, found))
    }
}

fn work(message: &activity::StreamServicingResponse) -> Result<BTreeMap<HubId, ServicingFacts>, ServiceError> {
    let mut work = BTreeMap::new();
    for pair in &message.pairs {
        let change = servicing_change_from_wire(pair)?;
        let facts = ServicingFacts { periods: change.periods, last_activity_time: change.last_activity_time };
        work.insert(change.partner, facts);
    }
    Ok(work)
}
