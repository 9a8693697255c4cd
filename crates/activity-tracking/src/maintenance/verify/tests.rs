//! In whatever stretches, the same is found. By hand (`tests/plans`): how long it takes to verify very many activities, beside what the database itself takes to find
//! the last one of each pair.

use std::time::Instant as Stopwatch;

use chrono::TimeDelta;
use contracts::wire::access as wire;
use contracts::wire::maintenance::VerifyRequest;
use contracts::wire::maintenance::maintenance_service_client::MaintenanceServiceClient;
use domain::access::{AccessChange, AccessFact, Actor, Audit, ClientUserId, EmailAddress, EmployeeId, HubId};
use domain::activity::{Activity, ActivityAction, Attribution, CatalogueAction, Judgement, Origin, Verdict};
use domain::policy::Policy;
use domain::servicing::{CountedActivity, periods};
use sea_orm::{ActiveValue::Set, ConnectionTrait as _, EntityTrait as _, Statement};
use service_kit::feed::store_cursor;
use service_kit::maintenance::{Findings, server};
use service_kit::{Clock, Database, Identity, connect};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::side_by_side::Stretches;
use super::stretch::{Found, verify_stretch};
use super::*;
use crate::entity::{servicing_pair, servicing_period};
use crate::store::activity::Recorded;
use crate::store::change::NewChange;
use crate::testing::{TestDatabase, rows_by_hand};

/// How many activities a pair has.
const ACTIVITIES_PER_PAIR: u64 = 20;
/// How many pairs a partner has.
const PAIRS_PER_PARTNER: u64 = 500;
/// How many rows are written at once.
const ROWS_AT_ONCE: usize = 2_000;

fn hub_id(number: u64) -> HubId {
    HubId::try_from(i64::try_from(number).expect("a small number")).expect("a hub id")
}

fn at(text: &str) -> Instant {
    format!("{text}T00:00:00Z").parse().expect("an instant")
}

/// Two partners work for each client, and one person of each.
struct World {
    rows: u64,
    policy: Arc<Policy>,
}

impl World {
    const fn pairs(&self) -> u64 {
        self.rows / ACTIVITIES_PER_PAIR
    }

    const fn partners(&self) -> u64 {
        self.pairs() / PAIRS_PER_PARTNER + 2
    }

    fn pair(&self, number: u64) -> Pair {
        Pair { client: hub_id(1_000_000 + number / 2), partner: hub_id(1 + number % self.partners()) }
    }

    fn address(partner: HubId) -> EmailAddress {
        format!("anna@agency{partner}.example").parse().expect("an address")
    }

    fn employee(partner: HubId) -> EmployeeId {
        EmployeeId(Uuid::from_u128(u128::try_from(partner.get()).expect("a hub id")))
    }

    fn facts(&self) -> impl Iterator<Item = AccessFact> {
        let country = || "US".parse().expect("a country");
        let of_partner = move |number| {
            let partner = hub_id(number);
            let domain = format!("agency{partner}.example").parse().expect("a domain");
            let added = AccessFact::PartnerAdded {
                partner,
                display_name: format!("Agency {partner}"),
                country: country(),
                email_domains: [domain].into(),
            };
            let employee = AccessFact::EmployeeAdded {
                partner,
                employee: Self::employee(partner),
                address: Self::address(partner),
                display_name: "Anna".to_owned(),
                partner_employee: true,
                access_role: domain::access::AccessRole::default(),
            };
            [added, employee]
        };
        let of_pair = move |number: u64| {
            let Pair { client, partner } = self.pair(number);
            let client_added = number.is_multiple_of(2).then(|| AccessFact::ClientAdded {
                client,
                display_name: format!("Client {client}"),
                country: country(),
            });
            let user = AccessFact::ClientUserAdded {
                client,
                user: ClientUserId(Uuid::from_u128(u128::from(number) + 1_000_000_000)),
                address: Self::address(partner),
                display_name: "Anna".to_owned(),
                permission_set: domain::access::PermissionSet::partner_admin(),
            };
            client_added.into_iter().chain([user])
        };
        (1..=self.partners()).flat_map(of_partner).chain((0..self.pairs()).flat_map(of_pair))
    }

    /// Activities come in the order of time, each of another pair than the one before.
    fn activity(&self, number: u64) -> (u64, Recorded) {
        let pair_number = number.wrapping_mul(2_654_435_761) % self.pairs();
        let Pair { client, partner } = self.pair(pair_number);
        let span = TimeDelta::days(700).num_microseconds().expect("a span");
        let step = span / i64::try_from(self.rows).expect("a small number");
        let occur_time = at("2024-01-01") + TimeDelta::microseconds(step * i64::try_from(number).expect("small"));
        let action = CatalogueAction::new("blog", "publish").expect("an action");
        let activity = Activity {
            client,
            id: format!("evt-{number}").parse().expect("an id"),
            address: Self::address(partner),
            occur_time,
            action: ActivityAction::Catalogue(action.clone()),
            origin: Origin::Person,
            target_object_id: Some(format!("post-{number}").parse().expect("an object")),
        };
        let judgement = Judgement {
            verdict: Verdict::Counted { expire_time: self.policy.expire_time(occur_time) },
            attribution: Some(Attribution { partner, employee: Self::employee(partner) }),
            action: Some(action),
        };
        (pair_number, Recorded { activity, judgement, record_time: occur_time, provisional: false })
    }

    async fn fill(&self, test: &TestDatabase) {
        self.fill_access(test).await;
        let indexes = test.take_indexes().await;
        let mut living: Vec<Vec<CountedActivity>> = vec![Vec::new(); self.pairs() as usize];
        let mut numbers = 0..self.rows;
        loop {
            let some: Vec<_> = numbers.by_ref().take(ROWS_AT_ONCE).map(|number| self.activity(number)).collect();
            if some.is_empty() {
                break;
            }
            for (pair, recorded) in &some {
                living[*pair as usize].extend(recorded.life());
            }
            let some: Vec<Recorded> = some.into_iter().map(|(_, recorded)| recorded).collect();
            crate::store::activity::insert(test.connection(), &some).await.expect("to insert");
        }
        for index in indexes {
            test.run(&index).await;
        }
        self.fill_pairs(test, &living).await;
    }

    async fn fill_access(&self, test: &TestDatabase) {
        let (mut head, now) = (Head::start(Feed::Access), at("2023-01-01"));
        let mut facts = self.facts();
        loop {
            let mut messages = Vec::new();
            for fact in facts.by_ref().take(ROWS_AT_ONCE) {
                let change = AccessChange {
                    position: head.next_position(),
                    effective_time: now,
                    record_time: now,
                    actor: Actor::Platform,
                    audit: Audit::default(),
                    fact,
                };
                let mut message = wire::AccessChange::from(&change);
                head.advance(&message.encode_to_vec());
                message.chain_hash.clone_from(&head.chain_hash);
                messages.push(message);
            }
            if messages.is_empty() {
                break;
            }
            access_log::take_over(test.connection(), messages).await.expect("to take over");
        }
        let mut cursor = read_cursor(test.connection(), Feed::Access).await.expect("a cursor");
        (cursor.position, cursor.chain_hash) = (head.position, head.chain_hash);
        store_cursor(test.connection(), &cursor).await.expect("to store");
    }

    async fn fill_pairs(&self, test: &TestDatabase, living: &[Vec<CountedActivity>]) {
        let (connection, now) = (test.connection(), at("2026-01-01"));
        for (portion, some) in living.chunks(ROWS_AT_ONCE).enumerate() {
            let (mut pairs, mut rows, mut changes) = (Vec::new(), Vec::new(), Vec::new());
            for (place, activities) in some.iter().enumerate() {
                let pair = self.pair((portion * ROWS_AT_ONCE + place) as u64);
                let last_activity_time = activities.iter().map(|each| each.occur_time).max();
                let found = periods(activities, &[], 1);
                pairs.push(servicing_pair::ActiveModel {
                    client_id: Set(pair.client.get()),
                    partner_id: Set(pair.partner.get()),
                    last_activity_time: Set(last_activity_time.map(Into::into)),
                });
                rows.extend(found.iter().map(|period| servicing_period::ActiveModel {
                    client_id: Set(pair.client.get()),
                    partner_id: Set(pair.partner.get()),
                    minimum: Set(1),
                    start_time: Set(period.start.into()),
                    end_time: Set(period.end.into()),
                    end_cause: Set(period.end_cause.as_str().to_owned()),
                }));
                let periods = BTreeMap::from([(1, found)]);
                changes.push(NewChange {
                    pair,
                    periods,
                    last_activity_time,
                    cause: service_kit::TraceParent::current(),
                });
            }
            servicing_pair::Entity::insert_many(pairs).exec_without_returning(connection).await.expect("pairs");
            for some in rows.chunks(ROWS_AT_ONCE) {
                let some = some.to_vec();
                servicing_period::Entity::insert_many(some).exec_without_returning(connection).await.expect("periods");
            }
            change::append(connection, changes, now).await.expect("changes");
        }
    }
}

/// What is found where so many activities make a stretch, and so many are read at once.
async fn found(test: &Database, policy: &Arc<Policy>, per_stretch: u64, activities_at_once: usize) -> [Findings; 2] {
    let transactions = test.begin_reads().await.expect("transactions");
    let nothing = || Findings::nothing(100);
    let [mut verdicts, mut relationships] = [nothing(), nothing()];
    let told = Vec::new();
    let against = Arc::new(Against { policy: Arc::clone(policy), told, activities_at_once });
    let mut stretches = Stretches::of(per_stretch);
    while !stretches.is_over {
        let (number, stretch) = stretches.next(&transactions[0]).await.expect("a stretch");
        let found = Found { verdicts: nothing(), relationships: nothing() };
        let transaction = &transactions[number % transactions.len()];
        let found = verify_stretch(transaction, stretch, Arc::clone(&against), found).await.expect("it is read");
        verdicts.append(found.verdicts);
        relationships.append(found.relationships);
    }
    [verdicts, relationships]
}

/// The slow reference is everything in one stretch, read at once.
async fn stretches_do_not_matter(test: TestDatabase) {
    let policy = Arc::new(Policy::embedded());
    let world = World { rows: 240, policy: Arc::clone(&policy) };
    world.fill(&test).await;
    for tampering in [
        "UPDATE activity SET verdict = 'NOT_ASSIGNED', expire_time = NULL WHERE activity_id IN ('evt-7', 'evt-100')",
        "UPDATE activity SET occur_time = occur_time - 1 WHERE activity_id = 'evt-50'",
        "DELETE FROM servicing_pair WHERE client_id = 1000001",
        "INSERT INTO servicing_pair VALUES (1, 1, 7), (1000003, 9, 7), (2000000, 1, 7)",
        "UPDATE servicing_period SET end_time = end_time + 1 WHERE client_id = 1000004",
    ] {
        test.run(tampering).await;
    }
    let (test, database) = test.reopened().await;
    let [verdicts, relationships] = found(&database, &policy, 1_000_000, 1_000_000).await;
    let mut empty = Findings::nothing(100);
    empty.checked(240);
    assert_ne!(verdicts, empty, "something is found");
    for (per_stretch, at_once) in [(1, 1), (1, 1_000), (7, 3), (39, 40), (40, 40), (41, 1_000), (100, 7), (1_000, 17)] {
        let [other_verdicts, other_relationships] = found(&database, &policy, per_stretch, at_once).await;
        assert_eq!(other_verdicts, verdicts, "{per_stretch}, {at_once}");
        assert_eq!(other_relationships, relationships, "{per_stretch}, {at_once}");
    }
    test.drop().await;
}

#[tokio::test]
async fn where_a_stretch_begins_changes_nothing_that_is_found_on_sqlite() {
    stretches_do_not_matter(TestDatabase::on_sqlite().await).await;
}

#[tokio::test]
async fn where_a_stretch_begins_changes_nothing_that_is_found_on_postgresql() {
    stretches_do_not_matter(TestDatabase::on_postgresql().await).await;
}

/// Prints how long the database takes to find the last activity of each pair, and the service to verify everything.
#[expect(clippy::print_stdout, reason = "it is made to be read")]
async fn measure(test: TestDatabase) {
    let policy = Arc::new(Policy::embedded());
    let world = World { rows: rows_by_hand(), policy: Arc::clone(&policy) };
    let started = Stopwatch::now();
    world.fill(&test).await;
    let is_postgresql = test.connection().get_database_backend() == sea_orm::DbBackend::Postgres;
    test.run(if is_postgresql { "VACUUM ANALYZE" } else { "ANALYZE" }).await;
    println!("{} activities of {} pairs, filled in {:?}", world.rows, world.pairs(), started.elapsed());
    let (test, database) = test.reopened().await;
    let nobody = connect("http://127.0.0.1:1", &Identity::default()).expect("a channel");
    let service = ActivityTracking::new(database, Clock::System, Arc::clone(&policy), nobody, 1, TaskTracker::new());
    let maintenance = server(service, crate::NAME, policy, TaskTracker::new(), CancellationToken::new());
    let mut client = MaintenanceServiceClient::new(maintenance);
    for _ in 0..3 {
        let started = Stopwatch::now();
        let last = "SELECT count(*) FROM (SELECT client_id, partner_id, max(occur_time) FROM activity \
                    GROUP BY client_id, partner_id) AS last";
        let backend = test.connection().get_database_backend();
        test.connection().query_one_raw(Statement::from_string(backend, last)).await.expect("a count");
        println!("GROUP BY {:?}", started.elapsed());
        let mut messages = client.verify(VerifyRequest::default()).await.expect("a stream").into_inner();
        let (mut subject, mut started, mut checked) = (String::new(), Stopwatch::now(), 0);
        while let Some(message) = messages.message().await.expect("a message") {
            if message.subject != subject {
                println!("  {checked} {subject} {:?}", started.elapsed());
                (subject, started) = (message.subject, Stopwatch::now());
            }
            checked = message.checked;
            assert_eq!(message.total_differences, 0, "{:?}", message.differences);
        }
        println!("  {checked} {subject} {:?}", started.elapsed());
    }
    test.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "by hand: takes minutes and gigabytes"]
async fn very_many_activities_are_verified_on_sqlite() {
    measure(TestDatabase::on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "by hand: takes minutes and gigabytes"]
async fn very_many_activities_are_verified_on_postgresql() {
    measure(TestDatabase::on_postgresql().await).await;
}
