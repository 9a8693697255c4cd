//! The rows of a partner's points breakdown: from the copies, and from activity-tracking where the copies cannot know
//! how a relationship stood (R63).

use std::collections::{BTreeMap, BTreeSet};

use domain::access::{CountryCode, HubId};
use domain::credit::{
    CreditQuestion, ManagedCredit, Mrr, Relationship, ServicingPartner, StoredRelationship, managed_credit,
    stored_relationship,
};
use domain::policy::Policy;
use domain::servicing::ServicingPeriod;
use domain::tier::Tier;
use domain::time::Instant;
use service_kit::{ReadTransaction, ServiceError};

use crate::evidence::EvidenceSource;
use crate::store::clients::KnownClient;
use crate::store::servicing::PeriodsByPartner;
use crate::store::{servicing, subscriptions};

/// How many activities make a relationship, whatever a tier needs (R57).
const RELATIONSHIP_MINIMUM: u32 = 1;

/// One client for one partner at one instant (R124).
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub partner: HubId,
    pub client: HubId,
    /// Absent while access-management has not introduced the client.
    pub display_name: Option<String>,
    /// The name without case and accents.
    pub search_name: Option<String>,
    /// The country as of the instant.
    pub country: Option<CountryCode>,
    pub growth_market: bool,
    pub credit: ManagedCredit,
}

/// Everything that a row is computed from.
#[derive(Debug)]
pub(super) struct RowFacts {
    partner: HubId,
    pub client: HubId,
    pub known: Option<KnownClient>,
    mrr: Mrr,
    servicing_partners: Vec<ServicingPartner>,
    relationship: StoredRelationship,
    earning: StoredRelationship,
    /// Whether the client has a subscription, or the partner ever serviced it.
    has_facts: bool,
}

impl RowFacts {
    /// Whether anything at all is known of the client.
    pub const fn is_known(&self) -> bool {
        self.known.is_some() || self.has_facts
    }

    fn speaks_of_later(&self) -> bool {
        self.relationship.speaks_of_later || self.earning.speaks_of_later
    }

    /// The row. Its credit and points are right in any case; its state and times once `settle` has been asked.
    pub fn row(&self, policy: &Policy, as_of: Instant) -> Row {
        let country = self.known.as_ref().and_then(|known| known.country_at(as_of));
        let credit = managed_credit(&CreditQuestion {
            partner: self.partner,
            client: self.client,
            country,
            mrr: self.mrr,
            servicing_partners: &self.servicing_partners,
            relationship: self.relationship.relationship,
            earning: self.earning.relationship,
            policy,
            as_of,
        });
        Row {
            partner: self.partner,
            client: self.client,
            display_name: self.known.as_ref().map(|known| known.display_name.clone()),
            search_name: self.known.as_ref().map(|known| known.search_name.clone()),
            country,
            growth_market: country.is_some_and(|country| policy.is_growth_market_at(country, as_of)),
            credit,
        }
    }

    /// Replaces what the copy says of the relationship by what is known for certain.
    pub fn settled(mut self, relationship: Relationship, earning: Relationship) -> Self {
        self.relationship = StoredRelationship { relationship, speaks_of_later: false };
        self.earning = StoredRelationship { relationship: earning, speaks_of_later: false };
        self
    }
}

/// The tier that a partner officially holds. No tier is granted yet, so every partner holds none.
const fn credited_tier(_partner: HubId, _as_of: Instant) -> Option<Tier> {
    None
}

/// How many live activities a partner needs to earn (R57).
pub(super) fn minimum_of(partner: HubId, policy: &Policy, as_of: Instant) -> u32 {
    policy.minimum_activities_at(credited_tier(partner, as_of), as_of)
}

/// The facts of these clients, in their order, of whom `known` says what access-management has said: a fixed number of
/// queries per thousand clients.
pub(super) async fn load(
    transaction: &ReadTransaction,
    partner: HubId,
    client_ids: &[HubId],
    mut known: BTreeMap<HubId, KnownClient>,
    policy: &Policy,
    as_of: Instant,
) -> Result<Vec<RowFacts>, ServiceError> {
    let histories = subscriptions::histories(&**transaction, client_ids).await?;
    let periods = servicing::periods(&**transaction, client_ids, partner, as_of).await?;
    let last_activity_times = servicing::last_activity_times(&**transaction, client_ids, partner).await?;
    let nobody = PeriodsByPartner::new();
    let minimum = minimum_of(partner, policy, as_of);
    let facts_of = |client: &HubId| {
        let periods = periods.get(client).unwrap_or(&nobody);
        let own = periods.get(&partner);
        let last_activity_time = last_activity_times.get(client).copied();
        let stored = |minimum| {
            let periods = own.and_then(|own| own.get(&minimum)).map_or(&[][..], Vec::as_slice);
            stored_relationship(periods, last_activity_time, as_of, policy.longest_warning_days())
        };
        RowFacts {
            partner,
            client: *client,
            known: known.remove(client),
            mrr: histories.get(client).map_or(Mrr::Unknown, |history| history.mrr_at(as_of)),
            servicing_partners: servicing_partners(periods, policy, as_of),
            relationship: stored(RELATIONSHIP_MINIMUM),
            earning: stored(minimum),
            has_facts: histories.contains_key(client) || own.is_some(),
        }
    };
    Ok(client_ids.iter().map(facts_of).collect())
}

/// Who earns at an instant, each with its own tier's minimum, and since when its relationship exists (R6, R57, R97).
fn servicing_partners(periods: &PeriodsByPartner, policy: &Policy, as_of: Instant) -> Vec<ServicingPartner> {
    let earning = periods.iter().filter_map(|(partner, by_minimum)| {
        period_at(by_minimum, minimum_of(*partner, policy, as_of), as_of)?;
        let relationship = period_at(by_minimum, RELATIONSHIP_MINIMUM, as_of)?;
        Some(ServicingPartner { partner: *partner, serviced_since: relationship.start })
    });
    earning.collect()
}

fn period_at(
    by_minimum: &BTreeMap<u32, Vec<ServicingPeriod>>,
    minimum: u32,
    as_of: Instant,
) -> Option<&ServicingPeriod> {
    by_minimum.get(&minimum)?.iter().find(|period| period.start <= as_of && as_of < period.end)
}

/// Asks activity-tracking about the relationships that the copies cannot answer for: one call for a thousand of them and
/// for each minimum.
pub(super) async fn settle(
    facts: Vec<RowFacts>,
    source: &EvidenceSource<'_>,
    policy: &Policy,
) -> Result<Vec<RowFacts>, ServiceError> {
    let unsettled: Vec<_> = facts.iter().filter(|facts| facts.speaks_of_later()).map(|facts| facts.client).collect();
    if unsettled.is_empty() {
        return Ok(facts);
    }
    let minimum = minimum_of(source.partner, policy, source.as_of);
    let mut standings: BTreeMap<u32, BTreeMap<HubId, Relationship>> = BTreeMap::new();
    for minimum in BTreeSet::from([RELATIONSHIP_MINIMUM, minimum]) {
        let of_minimum = source.standings(&unsettled, minimum).await?.into_iter().map(Relationship::from);
        standings.insert(minimum, unsettled.iter().copied().zip(of_minimum).collect());
    }
    let standing = |minimum, client| standings.get(&minimum).and_then(|found| found.get(&client)).copied();
    let settled = facts.into_iter().map(|facts| {
        let client = facts.client;
        match standing(RELATIONSHIP_MINIMUM, client).zip(standing(minimum, client)) {
            Some((relationship, earning)) => facts.settled(relationship, earning),
            None => facts,
        }
    });
    Ok(settled.collect())
}
