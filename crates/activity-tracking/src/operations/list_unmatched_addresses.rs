//! "Acting in the client but matching nobody": addresses whose work counts for nobody because of who they are.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::{AccessFact, AccessHistory, Actor, EmailAddress, HubId};
use domain::activity::{Reader, UNMATCHED_REASONS, UnmatchedAddress, UnmatchedWork, unmatched_addresses};
use domain::policy::Policy;
use domain::time::{Instant, Period};
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};

use super::client_place::{ClientPlace, LookedAt};
use super::read::{Answer, Moment, Reading};
use crate::ActivityTracking;
use crate::store::PersonInClient;
use crate::store::activity::{addresses_at_work, unmatched_work};

/// How many addresses of a client a page looks at, at most.
const ADDRESSES_PER_PAGE: usize = 1_000;

/// Whose work is asked about, and who asks.
pub(crate) struct UnmatchedQuestion {
    /// As the people of this partner may see it; absent for the platform, which then states the client.
    pub partner: Option<HubId>,
    /// Absent: in all of the partner's.
    pub client: Option<HubId>,
    /// Only what occurred since; absent: as far back as an activity would still count.
    pub from: Option<Instant>,
    pub after: Option<ClientPlace<EmailAddress>>,
    /// How many addresses the page has at most.
    pub limit: usize,
    pub moment: Moment,
}

/// A page of addresses.
#[derive(Debug, Default)]
pub(crate) struct UnmatchedPage {
    /// By client, then address.
    pub addresses: Vec<UnmatchedAddress>,
    /// Behind what the next page begins; absent on the last one.
    pub next: Option<ClientPlace<EmailAddress>>,
}

/// What both ways of reading the report need.
struct Report<'a> {
    reading: &'a Reading,
    policy: &'a Policy,
    from: Instant,
    after: Option<ClientPlace<EmailAddress>>,
    limit: usize,
}

impl ActivityTracking {
    pub(crate) async fn list_unmatched_addresses(
        &self,
        question: UnmatchedQuestion,
    ) -> Result<Answer<UnmatchedPage>, ServiceError> {
        let UnmatchedQuestion { partner, client, from, after, limit, moment } = question;
        let reading = self.begin_reading(&moment).await?;
        if let Some(partner) = partner {
            self.require_partner(&reading, &moment.actor, partner).await?;
        }
        reading.require_existing(partner, client, &moment.actor).await?;
        let from = from.unwrap_or_else(|| counting_from(&self.policy, reading.as_of_time));
        let report = Report { reading: &reading, policy: &self.policy, from, after, limit };
        let page = match (partner, client) {
            (Some(partner), client) => report.of_partner(partner, client).await?,
            (None, Some(client)) => report.of_client(client).await?,
            (None, None) => UnmatchedPage::default(),
        };
        Ok(reading.answer(page))
    }
}

/// Where an address is in the list.
pub(crate) fn unmatched_place(row: &UnmatchedAddress) -> ClientPlace<EmailAddress> {
    ClientPlace { client: row.client, row: Some(row.address.clone()) }
}

/// The earliest occur time of what would still count.
fn counting_from(policy: &Policy, as_of: Instant) -> Instant {
    let stretches = policy.occurred_for(Period::at(as_of));
    stretches.first().map_or(as_of, |first| first.start)
}

impl Report<'_> {
    /// What the people of a partner may see, in one of its clients or in all of them.
    async fn of_partner(&self, partner: HubId, client: Option<HubId>) -> Result<UnmatchedPage, ServiceError> {
        let transaction = &*self.reading.transaction;
        let people = access_log::employee_addresses(transaction, partner).await?;
        let clients = match client {
            Some(client) => BTreeSet::from([client]),
            None => access_log::recorded_clients(transaction, partner, &people).await?,
        };
        let looked_at = LookedAt::behind(clients, self.after.as_ref());
        let mut addresses = Vec::new();
        for some in looked_at.portions() {
            let unmatched = self.in_clients(partner, &people, some).await?;
            addresses.extend(unmatched.into_iter().filter(|row| self.is_left(row)));
            if addresses.len() > self.limit {
                break;
            }
        }
        let next = looked_at.cut(&mut addresses, self.limit, unmatched_place);
        Ok(UnmatchedPage { addresses, next })
    }

    fn is_left(&self, row: &UnmatchedAddress) -> bool {
        self.after.as_ref().is_none_or(|after| after.is_before(row.client, &row.address))
    }

    /// All that the partner may see in these clients. `people` are at least everybody of the partner.
    async fn in_clients(
        &self,
        partner: HubId,
        people: &BTreeSet<EmailAddress>,
        clients: &[HubId],
    ) -> Result<Vec<UnmatchedAddress>, ServiceError> {
        let clients: BTreeSet<HubId> = clients.iter().copied().collect();
        let partners = BTreeSet::from([partner]);
        let others = [Question::Partners(&partners), Question::EmployeesAt(people)];
        let history = access_log::history_of_clients_and(&*self.reading.transaction, &clients, &others).await?;
        let mut visible: BTreeSet<PersonInClient> =
            clients.iter().flat_map(|client| people.iter().map(|person| (*client, person.clone()))).collect();
        visible.extend(users_added_by(&history, people));
        let work = self.work(visible.into_iter().collect()).await?;
        Ok(unmatched_addresses(&work, &history, Reader::Partner(partner), self.policy, self.reading.as_of_time))
    }

    /// What the platform sees in a client: in the database's order of addresses, by which it finds the next.
    async fn of_client(&self, client: HubId) -> Result<UnmatchedPage, ServiceError> {
        let transaction = &*self.reading.transaction;
        let after = self.after.as_ref().and_then(|after| after.row.as_ref());
        // One more than is looked at tells whether there are more.
        let all = addresses_at_work(transaction, client, after, ADDRESSES_PER_PAGE as u64 + 1).await?;
        let looked_at = &all[..all.len().min(ADDRESSES_PER_PAGE)];
        let work = self.work(looked_at.iter().map(|address| (client, address.clone())).collect()).await?;
        let history = self.history_of_everybody(client, &work).await?;
        let unmatched = unmatched_addresses(&work, &history, Reader::Platform, self.policy, self.reading.as_of_time);
        let mut unmatched: BTreeMap<EmailAddress, UnmatchedAddress> =
            unmatched.into_iter().map(|row| (row.address.clone(), row)).collect();
        let place = |last: &EmailAddress| ClientPlace { client, row: Some(last.clone()) };
        let mut addresses = Vec::new();
        for address in looked_at {
            addresses.extend(unmatched.remove(address));
            if addresses.len() == self.limit {
                return Ok(UnmatchedPage {
                    addresses,
                    next: Some(place(address)).filter(|_| all.last() != Some(address)),
                });
            }
        }
        let next = looked_at.last().filter(|_| all.len() > looked_at.len()).map(place);
        Ok(UnmatchedPage { addresses, next })
    }

    /// Everybody who did this, and everybody of the partners that have to do with the client; and whose domains are whose.
    async fn history_of_everybody(&self, client: HubId, work: &[UnmatchedWork]) -> Result<AccessHistory, ServiceError> {
        let (transaction, clients) = (&*self.reading.transaction, BTreeSet::from([client]));
        let there = access_log::history_of_clients(transaction, &clients).await?;
        let mut people: BTreeSet<EmailAddress> = work.iter().map(|work| work.address.clone()).collect();
        for partner in there.partners().map(|partner| partner.partner) {
            if there.exists_for(client, partner) {
                people.extend(access_log::employee_addresses(transaction, partner).await?);
            }
        }
        let others = [Question::AllPartners, Question::EmployeesAt(&people)];
        access_log::history_of_clients_and(transaction, &clients, &others).await
    }

    async fn work(&self, people: Vec<PersonInClient>) -> Result<Vec<UnmatchedWork>, ServiceError> {
        let (transaction, as_of) = (&*self.reading.transaction, self.reading.as_of_time);
        unmatched_work(transaction, people, &UNMATCHED_REASONS, self.from, as_of).await
    }
}

/// The users of the history's clients whom one of these people added.
fn users_added_by(history: &AccessHistory, people: &BTreeSet<EmailAddress>) -> impl Iterator<Item = PersonInClient> {
    history.changes().filter_map(|change| match (&change.fact, &change.actor) {
        (AccessFact::ClientUserAdded { client, address, .. }, Actor::Person(adder)) if people.contains(adder) => {
            Some((*client, address.clone()))
        }
        _ => None,
    })
}
