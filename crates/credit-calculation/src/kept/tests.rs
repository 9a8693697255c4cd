//! What is held equals what the database says, whatever happens in between and whoever writes it.

use std::sync::Arc;

use chrono::TimeDelta;
use contracts::{Feed, ServicingChange};
use domain::access::{AccessFact, Actor, ClientUserId};
use domain::credit::{SoldCredit, SubscriptionChange};
use domain::money::Money;
use domain::policy::Policy;
use domain::servicing::{PeriodEndCause, ServicingPeriod};
use domain::tier::Tier;
use domain::time::Instant;
use proptest::prelude::*;
use sea_orm::prelude::Uuid;
use service_kit::feed::{Follow as _, lock_cursor, lock_head, store_cursor, store_head};
use service_kit::stored_position;
use tokio::runtime::Runtime;

use super::*;
use crate::CreditCalculation;
use crate::evidence::Deadline;
use crate::follow::{AccessFollower, ServicingFollower};
use crate::operations::{Row, rows_from_the_database, rows_that_are_held};
use crate::store::own_facts::Recorded;
use crate::store::{servicing, sold_credits, subscriptions, tiers};
use crate::testing::{NOW, TestService, agency, anna, at, dated_message, hub, servicing_message};

const PARTNERS: [i64; 2] = [1001, 1002];
const CLIENTS: [i64; 4] = [2001, 2002, 2003, 2004];

/// Something that happens. Numbers choose among a few.
#[derive(Debug, Clone)]
enum Event {
    /// A client is added, or gets another name and country.
    Client { client: usize, name: u8, growth: bool, day: i64 },
    /// Anna becomes a user there, or is one no more.
    User { client: usize, is_added: bool, day: i64 },
    /// Periods of both minimums, each of so many days from a day on; none where there are none.
    Servicing { changes: Vec<Work>, by_an_old_version: bool },
    /// A client pays.
    Pays { client: usize, units: i64, day: i64 },
    /// A partner sells.
    Sells { partner: usize, client: usize, day: i64 },
    /// The last sale of all is taken back.
    TakesBack,
    /// A partner is credited with a tier.
    Tier { partner: usize, tier: Option<Tier>, day: i64 },
    /// The facts of a partner are asked for.
    Every { partner: usize, day: i64 },
    /// Those of one client are.
    One { partner: usize, client: usize, day: i64 },
}

#[derive(Debug, Clone)]
struct Work {
    partner: usize,
    client: usize,
    days: [(i64, i64); 2],
}

fn event() -> impl Strategy<Value = Event> {
    let (partner, client, day) = (0..PARTNERS.len(), 0..CLIENTS.len(), 0_i64..400);
    let stretch = || (0_i64..400, 0_i64..90);
    let work = (partner.clone(), client.clone(), [stretch(), stretch()]).prop_map(|(partner, client, days)| Work {
        partner,
        client,
        days,
    });
    let tier = prop::option::of(prop::sample::select(vec![Tier::Gold, Tier::Elite]));
    prop_oneof![
        2 => (client.clone(), 0_u8..3, any::<bool>(), day.clone())
            .prop_map(|(client, name, growth, day)| Event::Client { client, name, growth, day }),
        2 => (client.clone(), any::<bool>(), day.clone())
            .prop_map(|(client, is_added, day)| Event::User { client, is_added, day }),
        4 => (prop::collection::vec(work, 0..3), prop::bool::weighted(0.2))
            .prop_map(|(changes, by_an_old_version)| Event::Servicing { changes, by_an_old_version }),
        2 => (client.clone(), 0_i64..100_000, day.clone())
            .prop_map(|(client, units, day)| Event::Pays { client, units, day }),
        1 => (partner.clone(), client.clone(), day.clone())
            .prop_map(|(partner, client, day)| Event::Sells { partner, client, day }),
        1 => Just(Event::TakesBack),
        1 => (partner.clone(), tier, day.clone()).prop_map(|(partner, tier, day)| Event::Tier { partner, tier, day }),
        4 => (partner.clone(), day.clone()).prop_map(|(partner, day)| Event::Every { partner, day }),
        4 => (partner, client, day).prop_map(|(partner, client, day)| Event::One { partner, client, day }),
    ]
}

fn day(number: i64) -> Instant {
    at("2025-01-01T00:00:00Z") + TimeDelta::days(number)
}

/// A service to which things happen.
struct World {
    test: TestService,
    access_position: u64,
    servicing_position: u64,
    sales: Vec<(i64, SoldCredit)>,
}

impl World {
    async fn start() -> Self {
        let mut test = TestService::start().await;
        let document = Policy::embedded().document().replace(
            "minimum_activities = []",
            "minimum_activities = [{ from = 2024-01-01, tier = \"ELITE\", minimum = 2 }]",
        );
        test.service.policy = Arc::new(Policy::parse(&document).expect("a policy"));
        let mut world = Self { test, access_position: 0, servicing_position: 0, sales: Vec::new() };
        let mut facts = agency();
        facts.push(AccessFact::PartnerAdded {
            partner: hub(1002),
            display_name: "Another agency".to_owned(),
            country: "IT".parse().expect("a country"),
            email_domains: [].into(),
        });
        for fact in facts {
            world.learn(0, fact).await;
        }
        world
    }

    fn service(&self) -> &CreditCalculation {
        &self.test.service
    }

    async fn learn(&mut self, since: i64, fact: AccessFact) {
        let message = dated_message(self.access_position, &[(&day(since).to_rfc3339(), fact)]);
        let follower = AccessFollower::new(self.service().clone());
        self.access_position = follower.apply(message).await.expect("a fact").position;
    }

    async fn happen(&mut self, event: &Event) {
        match event {
            Event::Client { client, name, growth, day } => {
                let (client, display_name) = (hub(CLIENTS[*client]), format!("Name {name}"));
                let country = if *growth { "IN" } else { "IT" }.parse().expect("a country");
                let added = AccessFact::ClientAdded { client, display_name: display_name.clone(), country };
                self.learn(0, added).await;
                let (display_name, country) = (Some(display_name), Some(country));
                self.learn(*day, AccessFact::ClientUpdated { client, display_name, country }).await;
            }
            Event::User { client, is_added, day } => {
                let client = hub(CLIENTS[*client]);
                let user = ClientUserId(Uuid::from_u128(u128::try_from(client.get()).expect("a positive number")));
                let fact = if *is_added {
                    let permission_set = "STANDARD".parse().expect("a permission set");
                    let (address, display_name) = (anna(), "Anna".to_owned());
                    AccessFact::ClientUserAdded { client, user, address, display_name, permission_set }
                } else {
                    AccessFact::ClientUserRemoved { client, user, address: anna() }
                };
                self.learn(*day, fact).await;
            }
            Event::Servicing { changes, by_an_old_version } => self.service_clients(changes, *by_an_old_version).await,
            Event::Pays { .. } | Event::Sells { .. } | Event::TakesBack | Event::Tier { .. } => {
                self.record(event).await;
            }
            Event::Every { partner, day: by } => self.compare(hub(PARTNERS[*partner]), Wanted::Every, day(*by)).await,
            Event::One { partner, client, day: by } => {
                let wanted = Wanted::Client(hub(CLIENTS[*client]));
                self.compare(hub(PARTNERS[*partner]), wanted, day(*by)).await;
            }
        }
    }

    async fn service_clients(&mut self, changes: &[Work], by_an_old_version: bool) {
        let first = self.servicing_position + 1;
        let changes: Vec<_> = (first..).zip(changes).map(|(position, work)| servicing_change(position, work)).collect();
        let service = self.service();
        if by_an_old_version {
            let transaction = service.database.begin_write().await.expect("a transaction");
            let mut cursor = lock_cursor(&*transaction, Feed::Servicing).await.expect("the cursor");
            cursor.position += u64::try_from(changes.len()).expect("few");
            cursor.caught_up_time = Some(cursor.caught_up_time.unwrap_or(at(NOW)) + TimeDelta::microseconds(1));
            servicing::replace(&*transaction, changes).await.expect("rows");
            store_cursor(&*transaction, &cursor).await.expect("the cursor");
            transaction.commit().await.expect("a commit");
            self.servicing_position = cursor.position;
        } else {
            let follower = ServicingFollower::new(service.clone());
            let cursor = follower.apply(servicing_message(&changes, true, self.access_position)).await;
            self.servicing_position = cursor.expect("changes").position;
        }
    }

    /// Appends to the own facts, as any version does.
    async fn record(&mut self, event: &Event) {
        let service = &self.test.service;
        let transaction = service.database.begin_write().await.expect("a transaction");
        let mut head = lock_head(&*transaction, Feed::Credit).await.expect("the head");
        let (position, time) = (stored_position(head.next_position()), at(NOW));
        let recorded = Recorded { position, time, actor: &Actor::Platform };
        match event {
            Event::Pays { client, units, day: since } => {
                let change = SubscriptionChange {
                    subscription: "main".parse().expect("an id"),
                    position: head.next_position(),
                    effective_time: day(*since),
                    mrr: euros(*units),
                };
                let client = hub(CLIENTS[*client]);
                let row =
                    subscriptions::append(&*transaction, &mut head, client, &change, time, &Actor::Platform).await;
                row.expect("a row");
            }
            Event::Sells { partner, client, day: closed } => {
                let sale = SoldCredit {
                    id: format!("sale-{position}").parse().expect("an id"),
                    client: hub(CLIENTS[*client]),
                    kind: "SOURCED".parse().expect("a kind"),
                    amount: euros(1_000),
                    close_time: day(*closed),
                };
                let partner = PARTNERS[*partner];
                let row = sold_credits::row(hub(partner), &sale, recorded);
                sold_credits::insert(&*transaction, row).await.expect("a row");
                head.advance(b"a sale");
                self.sales.push((partner, sale));
            }
            Event::TakesBack => {
                if let Some((partner, sale)) = self.sales.pop() {
                    let row = sold_credits::voiding_row(hub(partner), &sale.id, "a mistake", recorded);
                    sold_credits::insert_voiding(&*transaction, row).await.expect("a row");
                    head.advance(b"a voiding");
                }
            }
            Event::Tier { partner, tier, day: since } => {
                let row = tiers::grant_row(hub(PARTNERS[*partner]), *tier, day(*since), "a test", recorded);
                tiers::insert_grant(&*transaction, row).await.expect("a row");
                head.advance(b"a grant");
            }
            _ => unreachable!("no fact of this service"),
        }
        store_head(&*transaction, &head).await.expect("the head");
        transaction.commit().await.expect("a commit");
    }

    async fn compare(&self, partner: HubId, wanted: Wanted, by: Instant) {
        let held = rows_that_are_held(self.service(), partner, wanted, by).await.expect("an answer");
        let expected = rows_from_the_database(self.service(), partner, wanted, by, Deadline::now());
        let expected: Vec<Row> = expected.await.expect("an answer");
        if let Some(held) = held {
            assert_eq!(held, expected, "{partner}, {wanted:?} by {by}");
        }
        // A second time nothing has changed, and nothing is read.
        let again = rows_that_are_held(self.service(), partner, wanted, by).await.expect("an answer");
        assert_eq!(again.unwrap_or_else(|| expected.clone()), expected, "{partner}, {wanted:?} by {by}, again");
    }
}

fn euros(units: i64) -> Money {
    Money::parse("EUR".parse().expect("a currency"), &units.to_string()).expect("an amount")
}

fn servicing_change(position: u64, work: &Work) -> ServicingChange {
    let period = |(start, days): (i64, i64)| {
        let (start, end) = (day(start), day(start + days));
        ServicingPeriod { start, end, end_cause: PeriodEndCause::Lapsed }
    };
    let periods = |stretch: (i64, i64)| if stretch.1 == 0 { Vec::new() } else { vec![period(stretch)] };
    ServicingChange {
        position,
        partner: hub(PARTNERS[work.partner]),
        client: hub(CLIENTS[work.client]),
        periods: [(1, periods(work.days[0])), (2, periods(work.days[1]))].into(),
        last_activity_time: (work.days[0].1 > 0).then(|| day(work.days[0].0)),
        record_time: at(NOW),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_held_equals_what_the_database_says(events in prop::collection::vec(event(), 1..60)) {
        Runtime::new().expect("a runtime").block_on(async {
            let mut world = World::start().await;
            for event in &events {
                world.happen(event).await;
            }
            for partner in PARTNERS {
                world.compare(hub(partner), Wanted::Every, day(400)).await;
            }
        });
    }
}

#[tokio::test]
async fn only_what_has_changed_is_read_again() {
    let mut world = World::start().await;
    for client in 0..CLIENTS.len() {
        world.happen(&Event::User { client, is_added: true, day: 1 }).await;
        world.happen(&Event::Pays { client, units: 10, day: 1 }).await;
    }
    let held = |world: &World| world.service().kept.state().take(hub(1001), Wanted::Every);
    world.compare(hub(1001), Wanted::Every, day(400)).await;
    let before = held(&world).expect("all of them");
    world.happen(&Event::Pays { client: 2, units: 20, day: 2 }).await;
    assert!(world.service().held(hub(1001), Wanted::Client(hub(CLIENTS[0])), &[]).await.expect("an answer").is_some());
    assert!(held(&world).is_none(), "one of them is another");
    world.compare(hub(1001), Wanted::Every, day(400)).await;
    let after = held(&world).expect("all of them");
    let same: Vec<bool> =
        before.pairs.iter().zip(after.pairs.iter()).map(|(one, other)| Arc::ptr_eq(one, other)).collect();
    assert_eq!(same, [true, true, false, true]);
}

#[tokio::test]
async fn what_a_version_without_a_journal_took_over_is_read_from_the_database_until_another_follows() {
    let mut world = World::start().await;
    let work = |start| Work { partner: 0, client: 0, days: [(start, 30), (start, 0)] };
    let takes_over = |start, by_an_old_version| Event::Servicing { changes: vec![work(start)], by_an_old_version };
    world.happen(&takes_over(10, false)).await;
    world.compare(hub(1001), Wanted::Every, day(400)).await;
    let held = |world: &World| world.service().kept.state().take(hub(1001), Wanted::Every).is_some();
    assert!(held(&world));
    world.happen(&takes_over(20, true)).await;
    assert!(world.service().held(hub(1001), Wanted::Every, &[]).await.expect("an answer").is_none());
    world.happen(&takes_over(30, false)).await;
    world.compare(hub(1001), Wanted::Every, day(400)).await;
    assert!(held(&world));
}
