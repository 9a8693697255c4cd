use domain::access::{AccessChange, AccessFact, Actor, Audit, EmailAddress};
use domain::credit::{PointsTotal, SubscriptionChange};
use domain::money::{Money, Points};
use sea_orm::EntityTrait as _;
use service_kit::access_log::{self, Question as AccessQuestion};
use service_kit::feed::{Follow as _, lock_head, store_head};

use super::*;
use crate::entity::{partner_client, subscription_change};
use crate::evidence::Deadline;
use crate::operations::{BreakdownFilter, BreakdownOrder, BreakdownQuery, Question};
use crate::store::{clients, contacts, subscriptions};
use crate::testing::{
    TestService, access_message, agency, anna, at, client_with_anna, dated_message, hub, servicing_change,
    servicing_message,
};

fn followers(service: &CreditCalculation) -> (AccessFollower, ServicingFollower) {
    (AccessFollower::new(service.clone()), ServicingFollower::new(service.clone()))
}

async fn listed(service: &CreditCalculation) -> Vec<i64> {
    let now = service.clock.now();
    let found = contacts::clients_of(service.database.connection(), hub(1001), now).await.expect("clients");
    found.into_iter().map(|client| client.get()).collect()
}

#[tokio::test]
async fn a_message_that_comes_again_changes_nothing() {
    let test = TestService::start().await;
    let (access, servicing) = followers(&test.service);
    let facts = || [agency(), client_with_anna(2002)].concat();
    let first = access.apply(access_message(0, facts())).await.expect("facts");
    assert_eq!(access.apply(access_message(0, facts())).await.expect("a repeat"), first);
    assert_eq!((first.position, first.chain_hash.as_slice()), (4, 4_u64.to_be_bytes().as_slice()));

    let change = servicing_change(1, 2003, true);
    let first = servicing.apply(servicing_message(std::slice::from_ref(&change), true, 4)).await.expect("a change");
    assert_eq!(servicing.apply(servicing_message(&[change], true, 4)).await.expect("a repeat"), first);
    assert_eq!(listed(&test.service).await, [2002, 2003]);
}

#[tokio::test]
async fn a_message_that_overlaps_adds_only_what_is_new() {
    let test = TestService::start().await;
    let (access, _) = followers(&test.service);
    access.apply(access_message(0, agency())).await.expect("facts");
    let cursor = access.apply(access_message(0, [agency(), client_with_anna(2002)].concat())).await.expect("more");
    assert_eq!(cursor.position, 4);
    let known = clients::load(test.service.database.connection(), &[hub(2002)]).await.expect("clients");
    assert_eq!(&*known[&hub(2002)].search_name, "client 2002");
}

fn moved_to(country: &str, display_name: &str) -> AccessFact {
    AccessFact::ClientUpdated {
        client: hub(2002),
        display_name: Some(display_name.to_owned()),
        country: Some(country.parse().expect("a country")),
    }
}

/// The name of client 2002, and its country at each of these instants.
async fn known_client(service: &CreditCalculation, instants: [&str; 3]) -> Option<(String, Vec<String>)> {
    let mut known = clients::load(service.database.connection(), &[hub(2002)]).await.expect("clients");
    let known = known.remove(&hub(2002))?;
    let country = |time| known.countries.country_at(at(time)).map_or("-".to_owned(), |country| country.to_string());
    Some((known.search_name.to_string(), instants.map(country).to_vec()))
}

#[tokio::test]
async fn r63_a_client_has_the_country_of_each_instant_and_its_latest_name() {
    let test = TestService::start().await;
    let (access, _) = followers(&test.service);
    let instants = ["2023-12-31T23:59:59Z", "2024-01-01T00:00:00Z", "2024-06-01T00:00:00Z"];
    access.apply(access_message(0, client_with_anna(2002))).await.expect("facts");
    let update = dated_message(2, &[("2024-06-01T00:00:00Z", moved_to("IN", "Été"))]);
    access.apply(update).await.expect("an update");
    let expected = |name: &str, countries: [&str; 3]| Some((name.to_owned(), countries.map(str::to_owned).to_vec()));
    assert_eq!(known_client(&test.service, instants).await, expected("ete", ["-", "US", "IN"]));

    // It arrives later, and is effective before: the name is that of the latest effective time.
    let earlier = dated_message(3, &[("2024-01-01T00:00:00Z", moved_to("CA", "Old"))]);
    access.apply(earlier).await.expect("an update");
    assert_eq!(known_client(&test.service, instants).await, expected("ete", ["-", "CA", "IN"]));

    // R22: taken back, as if it had not been said.
    let retraction = AccessFact::Retracted { position: 3, fact: Box::new(moved_to("IN", "Été")) };
    let retraction = dated_message(4, &[("2024-06-01T00:00:00Z", retraction)]);
    access.apply(retraction).await.expect("a retraction");
    assert_eq!(known_client(&test.service, instants).await, expected("old", ["-", "CA", "CA"]));
    let added = client_with_anna(2002).remove(0);
    let retraction = AccessFact::Retracted { position: 1, fact: Box::new(added) };
    access.apply(dated_message(5, &[("2024-01-01T00:00:00Z", retraction)])).await.expect("a retraction");
    assert_eq!(known_client(&test.service, instants).await, None);
}

#[tokio::test]
async fn r128_an_erased_address_stands_nowhere_any_more_and_its_contacts_stay() {
    let test = TestService::start().await;
    let (access, _) = followers(&test.service);
    access.apply(access_message(0, [agency(), client_with_anna(2002)].concat())).await.expect("facts");
    pay_everybody(&test.service, 2002..2003, &Actor::Person(anna())).await;
    let pseudonym = anna().pseudonym(sea_orm::prelude::Uuid::from_u128(7));
    let erased = AccessFact::AddressErased { pseudonym: pseudonym.clone(), first_position: 2 };
    access.apply(access_message(4, vec![erased])).await.expect("an erasure");

    assert_eq!(listed(&test.service).await, [2002]);
    let (connection, people) = (test.service.database.connection(), [anna(), pseudonym.clone()].into());
    let employees = access_log::history(connection, &[AccessQuestion::EmployeesAt(&people)]).await.expect("a history");
    assert_eq!((employees.employees(&anna()).count(), employees.employees(&pseudonym).count()), (0, 1));
    let contacts = partner_client::Entity::find().all(connection).await.expect("rows");
    assert_eq!(contacts.iter().map(|row| row.address.as_str()).collect::<Vec<_>>(), [pseudonym.as_str()]);
    let actors = subscription_change::Entity::find().all(connection).await.expect("rows");
    assert_eq!(actors.iter().map(|row| row.actor.as_str()).collect::<Vec<_>>(), [pseudonym.as_str()]);

    // A copy that takes over the log after the erasure never had the address.
    let fresh = TestService::start().await;
    let (access, _) = followers(&fresh.service);
    let rewritten = [agency(), client_with_anna(2002)].concat().into_iter().map(|fact| renamed(fact, &pseudonym));
    let erased = AccessFact::AddressErased { pseudonym: pseudonym.clone(), first_position: 2 };
    access.apply(access_message(0, rewritten.chain([erased]).collect())).await.expect("facts");
    assert_eq!(listed(&fresh.service).await, [2002]);
}

/// What the log has in place of a fact about Anna, once her address was erased.
fn renamed(fact: AccessFact, pseudonym: &EmailAddress) -> AccessFact {
    let time = at("2024-01-01T00:00:00Z");
    let (actor, audit) = (Actor::Platform, Audit::default());
    let change = AccessChange { position: 1, effective_time: time, record_time: time, actor, audit, fact };
    change.with_address_replaced(&anna(), pseudonym).fact
}

#[tokio::test]
async fn a_servicing_change_replaces_all_that_was_said_of_its_pair() {
    let test = TestService::start().await;
    let (_, servicing) = followers(&test.service);
    let both = [servicing_change(1, 2002, true), servicing_change(2, 2003, true)];
    servicing.apply(servicing_message(&both, true, 0)).await.expect("changes");
    assert_eq!(listed(&test.service).await, [2002, 2003]);
    // Of one pair the last change of a message counts.
    let changes = [servicing_change(3, 2002, false), servicing_change(4, 2003, false), servicing_change(5, 2003, true)];
    servicing.apply(servicing_message(&changes, true, 0)).await.expect("changes");
    assert_eq!(listed(&test.service).await, [2003]);
}

#[tokio::test]
async fn what_was_incorporated_is_only_said_when_caught_up_and_never_becomes_less() {
    let test = TestService::start().await;
    let (_, servicing) = followers(&test.service);
    let cursor = servicing.apply(servicing_message(&[], false, 9)).await.expect("a message");
    assert_eq!((cursor.incorporated_position, cursor.caught_up_time), (0, None));
    let cursor = servicing.apply(servicing_message(&[], true, 7)).await.expect("a message");
    assert_eq!((cursor.incorporated_position, cursor.caught_up_time), (7, Some(at(crate::testing::NOW))));
    let cursor = servicing.apply(servicing_message(&[], true, 5)).await.expect("a message");
    assert_eq!(cursor.incorporated_position, 7);
}

#[tokio::test]
async fn a_message_that_is_not_understood_leaves_everything_as_it_was() {
    let test = TestService::start().await;
    let (access, _) = followers(&test.service);
    let mut message = access_message(0, agency());
    message.changes[1].fact = None;
    access.apply(message).await.expect_err("a kind that this version does not know");
    assert_eq!(access.cursor().await.expect("a cursor").position, 0);
    access.apply(access_message(0, agency())).await.expect("nothing of it was stored");
}

#[tokio::test]
async fn a_breakdown_of_thousands_of_clients_adds_up_over_all_its_pages() {
    let test = TestService::start().await;
    let (access, servicing) = followers(&test.service);
    let mut position = 0;
    for first in (100_000..102_500).step_by(250) {
        let introduction = if position == 0 { agency() } else { Vec::new() };
        let clients: Vec<_> = (first..first + 250).flat_map(client_with_anna).collect();
        let message = access_message(position, [introduction, clients].concat());
        position = access.apply(message).await.expect("facts").position;
        let next = u64::try_from(first - 99_999).expect("a position");
        let changes: Vec<_> =
            (next..).zip(first..first + 250).map(|(next, client)| servicing_change(next, client, true)).collect();
        servicing.apply(servicing_message(&changes, true, position)).await.expect("changes");
    }
    pay_everybody(&test.service, 100_000..102_500, &Actor::Platform).await;

    let query = BreakdownQuery {
        filter: BreakdownFilter::default(),
        partner: hub(1001),
        search: "client".to_owned(),
        order: BreakdownOrder::ExpireTime,
        descending: true,
        as_of: None,
    };
    let (mut token, mut seen) = (None, Vec::new());
    loop {
        let start = token.map(|token: String| query.page_start(&token).expect("its own token"));
        let (actor, at_least) = (Actor::Platform, Vec::new());
        let question = Question { actor, as_of: None, at_least, deadline: Deadline::now() };
        let page = test.service.list_managed_credits(&query, start, 1_000, question).await.expect("a page");
        assert_eq!(
            (page.totals.rows, page.totals.managed),
            (2_500, PointsTotal { points: Points(2_500 * 10), clients_without_points: 0 })
        );
        seen.extend(page.rows.iter().map(|row| row.client.get()));
        token = page.next_page_token;
        if token.is_none() {
            break;
        }
    }
    assert!(seen.into_iter().eq(100_000..102_500));
}

/// 10 USD a month from every client, written as one transaction.
async fn pay_everybody(service: &CreditCalculation, client_ids: std::ops::Range<i64>, actor: &Actor) {
    let transaction = service.database.begin_write().await.expect("a transaction");
    let mut head = lock_head(&*transaction, Feed::Credit).await.expect("the head");
    let effective_time = at("2024-01-01T00:00:00Z");
    for client in client_ids {
        let change = SubscriptionChange {
            subscription: "main".parse().expect("an id"),
            position: head.next_position(),
            effective_time,
            mrr: Money::parse("USD".parse().expect("a currency"), "10").expect("an amount"),
        };
        let appended = subscriptions::append(&*transaction, &mut head, hub(client), &change, effective_time, actor);
        appended.await.expect("a row");
    }
    store_head(&*transaction, &head).await.expect("the head");
    transaction.commit().await.expect("a commit");
}
