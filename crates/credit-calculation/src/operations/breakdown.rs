//! The rows of a partner's points breakdown: from the copies, and from activity-tracking where the copies cannot know
//! how a relationship stood (R63).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use domain::access::{CountryCode, HubId};
use domain::credit::{
    CreditFacts, ManagedCredit, Mrr, PointsOutcome, RELATIONSHIP_MINIMUM, Relationship, SoldCredit,
    SubscriptionHistory, Terms,
};
use domain::tier::CreditedTiers;
use domain::time::{FIRST_STORABLE, Instant, LAST_STORABLE};
use rust_decimal::Decimal;
use service_kit::{ReadTransaction, ServiceError};

use super::last_activities::RecordedLast;
use crate::evidence::EvidenceSource;
use crate::store::clients::{self, KnownClient};
use crate::store::servicing::WorkByPartner;
use crate::store::{contacts, servicing, sold_credits, subscriptions, tiers};

/// One client for one partner at one instant (R124).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub partner: HubId,
    pub client: HubId,
    /// Absent while access-management has not introduced the client.
    pub display_name: Option<Arc<str>>,
    /// The name without case and accents.
    pub search_name: Option<Arc<str>>,
    /// The country as of the instant.
    pub country: Option<CountryCode>,
    pub growth_market: bool,
    /// Absent where the MRR is unknown or its currency does not convert.
    pub units_per_point: Option<Decimal>,
    pub credit: ManagedCredit,
    pub sold_points: PointsOutcome,
    /// Absent where nothing was done, or nobody could be asked.
    pub last_activity: Option<LastActivity>,
}

/// What was done last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastActivity {
    pub occur_time: Instant,
    pub tool: String,
    pub action: String,
    /// Absent where it is nobody of the partner's.
    pub person: Option<String>,
}

/// What is known of a partner and a client.
#[derive(Debug)]
pub(crate) struct PairFacts {
    pub partner: HubId,
    pub known: Option<KnownClient>,
    pub credit_facts: CreditFacts,
    /// Since when the partner has had anything to do with the client: by its people, its work or its sales.
    pub since: Option<Instant>,
    /// What was done last of all, once it was asked for; nothing where the policy does not know what it was.
    last: OnceLock<Option<RecordedLast>>,
}

/// Everything that a row is computed from.
#[derive(Debug)]
pub(super) struct RowFacts {
    pair: Arc<PairFacts>,
    /// How the relationship stood, where it is known for certain.
    settled: Option<Settled>,
    last_activity: Option<LastActivity>,
}

impl Deref for RowFacts {
    type Target = PairFacts;

    fn deref(&self) -> &PairFacts {
        &self.pair
    }
}

impl From<Arc<PairFacts>> for RowFacts {
    fn from(pair: Arc<PairFacts>) -> Self {
        Self { pair, settled: None, last_activity: None }
    }
}

/// A relationship with a minimum of one, and with that of the tier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settled {
    relationship: Relationship,
    earning: Relationship,
}

/// The facts of clients, and the tiers of everybody who services one of them.
#[derive(Debug)]
pub(super) struct Loaded {
    pub facts: Vec<RowFacts>,
    pub tiers: CreditedTiers,
}

/// How many bytes the facts of a pair take without what follows, about; and each of what follows.
const BYTES_OF_PAIR: usize = 700;
const BYTES_OF_CHANGE: usize = 200;

impl PairFacts {
    /// Its people have been in contact with the client since `contact_since`; absent where they never were, or where it was
    /// not asked.
    fn new(
        partner: HubId,
        known: Option<KnownClient>,
        credit_facts: CreditFacts,
        contact_since: Option<Instant>,
    ) -> Self {
        let work = credit_facts.servicing.get(&partner).into_iter();
        let starts = work.flat_map(|work| work.periods.values().flatten()).map(|period| period.start);
        let sales = credit_facts.sold.iter().map(|sale| sale.close_time);
        let since = starts.chain(sales).chain(contact_since).min();
        Self { partner, known, credit_facts, since, last: OnceLock::new() }
    }

    pub const fn client(&self) -> HubId {
        self.credit_facts.client
    }

    /// Whether anything at all is known of the client, beside the work of others.
    pub fn is_known(&self) -> bool {
        let has_subscription = !self.credit_facts.subscriptions.changes().is_empty();
        let is_serviced = self.credit_facts.servicing.contains_key(&self.partner);
        self.known.is_some() || has_subscription || is_serviced || !self.credit_facts.sold.is_empty()
    }

    /// When the last of all that counts occurred, if an answer as of the instant may speak of it.
    fn last_time_by(&self, as_of: Instant) -> Option<Instant> {
        let work = self.credit_facts.servicing.get(&self.partner)?;
        work.last_activity_time.filter(|time| *time <= as_of)
    }

    /// What was done last by an instant, where that is the last of all and was asked for before.
    pub fn last_known_by(&self, as_of: Instant) -> Option<&Option<RecordedLast>> {
        self.last_time_by(as_of)?;
        self.last.get()
    }

    /// Keeps what was done last by an instant, where it is the last of all that is known here. Whatever makes another one the
    /// last changes the facts of the pair.
    pub fn keep_last(&self, as_of: Instant, occur_time: Instant, last: &Option<RecordedLast>) {
        if self.last_time_by(as_of) == Some(occur_time) {
            self.last.get_or_init(|| last.clone());
        }
    }

    /// How many bytes of memory the facts take, about.
    pub fn bytes(&self) -> usize {
        let facts = &self.credit_facts;
        let periods = facts.servicing.values().flat_map(|work| work.periods.values()).map(Vec::len);
        let work = facts.servicing.len() + periods.sum::<usize>();
        let names = self.known.as_ref().map_or(0, |known| known.display_name.len() + known.search_name.len());
        BYTES_OF_PAIR + names + BYTES_OF_CHANGE * (facts.subscriptions.changes().len() + facts.sold.len() + work)
    }

    fn speaks_of_later(&self, terms: Terms<'_>, as_of: Instant) -> bool {
        let minimums = [RELATIONSHIP_MINIMUM, terms.minimum_of(self.partner, as_of)];
        minimums
            .iter()
            .any(|minimum| self.credit_facts.relationship(self.partner, *minimum, terms.policy, as_of).speaks_of_later)
    }

    /// Whether anything of the partner's has counted there by the instant.
    pub fn has_activity(&self, as_of: Instant) -> bool {
        let work = self.credit_facts.servicing.get(&self.partner);
        work.is_some_and(|work| {
            work.last_activity_time.is_some()
                && work.periods_of(RELATIONSHIP_MINIMUM).iter().any(|period| period.start <= as_of)
        })
    }

    /// The row without what was done last. Its credit and points are right in any case; its state and times where it is
    /// settled.
    pub fn row(&self, terms: Terms<'_>, as_of: Instant, settled: Option<Settled>) -> Row {
        let Self { partner, known, credit_facts, .. } = self;
        let country = credit_facts.countries.country_at(as_of);
        let credit = match settled {
            Some(Settled { relationship, earning }) => {
                credit_facts.credit_with(*partner, terms, as_of, relationship, earning)
            }
            None => credit_facts.credit(*partner, terms, as_of),
        };
        Row {
            partner: *partner,
            client: credit_facts.client,
            display_name: known.as_ref().map(|known| Arc::clone(&known.display_name)),
            search_name: known.as_ref().map(|known| Arc::clone(&known.search_name)),
            country,
            growth_market: country.is_some_and(|country| terms.policy.is_growth_market_at(country, as_of)),
            units_per_point: match credit.mrr {
                Mrr::Known { mrr, .. } => terms.policy.units_per_point_at(mrr.currency, as_of),
                Mrr::Unknown => None,
            },
            credit,
            sold_points: credit_facts.sold_points(terms, as_of),
            last_activity: None,
        }
    }
}

impl RowFacts {
    /// The row. Its credit and points are right in any case; its state and times once `settle` has been asked.
    pub fn row(&self, terms: Terms<'_>, as_of: Instant) -> Row {
        Row { last_activity: self.last_activity.clone(), ..self.pair.row(terms, as_of, self.settled) }
    }

    /// Adds what was done last.
    pub fn with_last_activity(self, last_activity: Option<LastActivity>) -> Self {
        Self { last_activity, ..self }
    }

    /// Replaces what the copy says of the relationship by what is known for certain.
    pub fn settled(self, relationship: Relationship, earning: Relationship) -> Self {
        Self { settled: Some(Settled { relationship, earning }), ..self }
    }
}

/// The clients with which a partner had anything to do by an instant: by its people, its work or its sales; in order.
pub(super) async fn clients_of(
    transaction: &ReadTransaction,
    partner: HubId,
    by: Instant,
) -> Result<Vec<HubId>, ServiceError> {
    let mut clients: BTreeSet<HubId> = contacts::clients_of(&**transaction, partner, by).await?.into_iter().collect();
    let sales = sold_credits::by_client(&**transaction, partner).await?;
    let sold_to = sales.into_iter().filter(|(_, sales)| sales.iter().any(|sale| sale.close_time <= by));
    clients.extend(sold_to.map(|(client, _)| client));
    Ok(clients.into_iter().collect())
}

/// What was read of clients, beside what access-management has said of them.
struct Found {
    histories: BTreeMap<HubId, SubscriptionHistory>,
    work: BTreeMap<HubId, WorkByPartner>,
    sales: BTreeMap<HubId, Vec<SoldCredit>>,
}

impl Found {
    /// The facts of a client, which are taken out.
    fn of_client(&mut self, client: HubId, known: Option<&KnownClient>) -> CreditFacts {
        CreditFacts {
            client,
            countries: known.map(|known| known.countries.clone()).unwrap_or_default(),
            subscriptions: self.histories.remove(&client).unwrap_or_default(),
            servicing: self.work.remove(&client).unwrap_or_default(),
            sold: self.sales.remove(&client).unwrap_or_default(),
        }
    }
}

/// The facts of these clients, in their order, of whom `known` says what access-management has said: a fixed number of
/// queries per thousand clients. They answer for every instant from `from` to `to`.
pub(super) async fn load(
    transaction: &ReadTransaction,
    partner: HubId,
    client_ids: &[HubId],
    mut known: BTreeMap<HubId, KnownClient>,
    (from, to): (Instant, Instant),
) -> Result<Loaded, ServiceError> {
    let mut found = Found {
        histories: subscriptions::histories(&**transaction, client_ids).await?,
        work: servicing::work(&**transaction, client_ids, partner, from, to).await?,
        sales: sold_credits::by_client(&**transaction, partner).await?,
    };
    let partners: BTreeSet<HubId> = found.work.values().flat_map(BTreeMap::keys).copied().chain([partner]).collect();
    let tiers = tiers::histories(&**transaction, &partners).await?;
    let facts_of = |client: &HubId| {
        let known = known.remove(client);
        let credit_facts = found.of_client(*client, known.as_ref());
        RowFacts::from(Arc::new(PairFacts::new(partner, known, credit_facts, None)))
    };
    Ok(Loaded { facts: client_ids.iter().map(facts_of).collect(), tiers })
}

/// Everything that is known of these clients, for every instant.
pub(super) async fn load_pairs(
    transaction: &ReadTransaction,
    partner: HubId,
    client_ids: &[HubId],
) -> Result<Vec<Arc<PairFacts>>, ServiceError> {
    let mut known = clients::load(&**transaction, client_ids).await?;
    let mut found = Found {
        histories: subscriptions::histories(&**transaction, client_ids).await?,
        work: servicing::work(&**transaction, client_ids, partner, FIRST_STORABLE, LAST_STORABLE).await?,
        sales: sold_credits::to_clients(&**transaction, partner, client_ids).await?,
    };
    let mut since = contacts::since(&**transaction, partner, client_ids).await?;
    let facts_of = |client: &HubId| {
        let known = known.remove(client);
        let credit_facts = found.of_client(*client, known.as_ref());
        Arc::new(PairFacts::new(partner, known, credit_facts, since.remove(client)))
    };
    Ok(client_ids.iter().map(facts_of).collect())
}

/// How the relationships stood that the copies cannot answer for, as activity-tracking says: one call for a thousand of
/// them and for each minimum.
pub(super) async fn settlements(
    facts: impl IntoIterator<Item = &PairFacts>,
    source: &EvidenceSource<'_>,
    terms: Terms<'_>,
) -> Result<BTreeMap<HubId, Settled>, ServiceError> {
    let unsettled = facts.into_iter().filter(|facts| facts.speaks_of_later(terms, source.as_of));
    let unsettled: Vec<HubId> = unsettled.map(PairFacts::client).collect();
    if unsettled.is_empty() {
        return Ok(BTreeMap::new());
    }
    let minimum = terms.minimum_of(source.partner, source.as_of);
    let relationships = source.standings(&unsettled, RELATIONSHIP_MINIMUM).await?;
    let earnings = if minimum == RELATIONSHIP_MINIMUM {
        relationships.clone()
    } else {
        source.standings(&unsettled, minimum).await?
    };
    let standings = relationships
        .into_iter()
        .zip(earnings)
        .map(|(relationship, earning)| Settled { relationship: relationship.into(), earning: earning.into() });
    Ok(unsettled.into_iter().zip(standings).collect())
}

/// Settles all of these relationships.
pub(super) async fn settle(
    facts: Vec<RowFacts>,
    source: &EvidenceSource<'_>,
    terms: Terms<'_>,
) -> Result<Vec<RowFacts>, ServiceError> {
    let settled = settlements(facts.iter().map(Deref::deref), source, terms).await?;
    let settle = |facts: RowFacts| RowFacts { settled: settled.get(&facts.client()).copied(), ..facts };
    Ok(facts.into_iter().map(settle).collect())
}
