//! Client accounts as they are shown and searched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::access::{AccessChange, AccessFact, AccessHistory, ClientHistory, CountryCode, HubId, folded};
use domain::credit::CountryHistory;
use domain::time::Instant;
use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;
use service_kit::access_log::{self, Named, Question};
use service_kit::{ServiceError, StoredInstant};

use super::journal::Changed;
use super::{KEYS_PER_STATEMENT, hub_id, portions};
use crate::entity::{client, client_country};

/// A client that access-management has made known.
#[derive(Debug, Clone)]
pub(crate) struct KnownClient {
    /// By its latest change.
    pub display_name: Arc<str>,
    /// The name without case and accents.
    pub search_name: Arc<str>,
    pub countries: CountryHistory,
}

/// What the tables have of some clients.
#[derive(Debug, Default)]
pub(crate) struct ClientRows {
    /// By hub id.
    pub clients: BTreeMap<i64, client::Model>,
    /// The countries after the first, by hub id and instant.
    pub countries: BTreeMap<(i64, StoredInstant), client_country::Model>,
}

/// Keeps what follows for clients themselves from the changes of one message, which the copy of the log holds already.
/// Answers the clients.
pub(crate) async fn keep<C: ConnectionTrait>(
    transaction: &C,
    changes: &[AccessChange],
) -> Result<BTreeSet<Changed>, ServiceError> {
    let touched: BTreeSet<HubId> = changes.iter().filter_map(|change| told_client(&change.fact)).collect();
    if touched.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows = expected(transaction, &touched).await?;
    forget(transaction, &touched).await?;
    let mut known = rows.clients.into_values().map(client::Model::into_active_model).peekable();
    while known.peek().is_some() {
        let portion = known.by_ref().take(KEYS_PER_STATEMENT);
        client::Entity::insert_many(portion).exec_without_returning(transaction).await?;
    }
    let mut moved = rows.countries.into_values().map(client_country::Model::into_active_model).peekable();
    while moved.peek().is_some() {
        let portion = moved.by_ref().take(KEYS_PER_STATEMENT);
        client_country::Entity::insert_many(portion).exec_without_returning(transaction).await?;
    }
    Ok(touched.into_iter().map(Changed::Client).collect())
}

/// The rows of these clients as they follow from the copy of the log.
pub(crate) async fn expected<C: ConnectionTrait>(
    connection: &C,
    clients: &BTreeSet<HubId>,
) -> Result<ClientRows, ServiceError> {
    let history = access_log::history(connection, &[Question::Clients(clients)]).await?;
    let clients = history.clients().filter_map(row).map(|row| (row.hub_id, row));
    Ok(ClientRows { clients: clients.collect(), countries: later_countries(&history) })
}

/// The rows of these clients as they are.
pub(crate) async fn stored<C: ConnectionTrait>(
    connection: &C,
    clients: &BTreeSet<HubId>,
) -> Result<ClientRows, ServiceError> {
    let ids = || clients.iter().map(|client| client.get());
    let known = client::Entity::find().filter(client::Column::HubId.is_in(ids())).all(connection).await?;
    let moved = client_country::Entity::find().filter(client_country::Column::ClientId.is_in(ids()));
    let moved = moved.all(connection).await?;
    Ok(ClientRows {
        clients: known.into_iter().map(|row| (row.hub_id, row)).collect(),
        countries: moved.into_iter().map(|row| ((row.client_id, row.since_time), row)).collect(),
    })
}

/// The next clients that the copy of the log, or a row here, names.
pub(crate) async fn next<C: ConnectionTrait>(
    connection: &C,
    after: Option<HubId>,
    limit: u64,
) -> Result<Vec<HubId>, ServiceError> {
    let after = after.map(HubId::get);
    let named = access_log::next_named(connection, Named::Clients, client::Column::HubId, after.as_ref(), limit);
    named.await?.into_iter().map(hub_id).collect()
}

/// The client whose name or country the fact, or taking it back, tells.
fn told_client(fact: &AccessFact) -> Option<HubId> {
    match fact {
        AccessFact::ClientAdded { client, .. } | AccessFact::ClientUpdated { client, .. } => Some(*client),
        AccessFact::Retracted { fact, .. } => told_client(fact),
        _ => None,
    }
}

/// Forgets all that was said of these clients.
async fn forget<C: ConnectionTrait>(transaction: &C, clients: &BTreeSet<HubId>) -> Result<(), DbErr> {
    let ids = || clients.iter().map(|client| client.get());
    client::Entity::delete_many().filter(client::Column::HubId.is_in(ids())).exec(transaction).await?;
    let countries = client_country::Column::ClientId.is_in(ids());
    client_country::Entity::delete_many().filter(countries).exec(transaction).await?;
    Ok(())
}

fn row(known: &ClientHistory) -> Option<client::Model> {
    Some(client::Model {
        hub_id: known.client.get(),
        display_name: known.display_name.clone(),
        search_name: folded(&known.display_name),
        country_code: known.country_at(known.since)?.to_string(),
        since_time: known.since.into(),
    })
}

/// The countries after the first.
fn later_countries(history: &AccessHistory) -> BTreeMap<(i64, StoredInstant), client_country::Model> {
    // Of several changes of one instant the last speaks, which is what the history says of it.
    let mut countries = BTreeMap::new();
    for change in history.changes() {
        let AccessFact::ClientUpdated { client, .. } = &change.fact else { continue };
        let known = history.client(*client).filter(|known| known.since < change.effective_time);
        if let Some(country) = known.and_then(|known| known.country_at(change.effective_time)) {
            let (client_id, since_time) = (client.get(), change.effective_time.into());
            let row = client_country::Model { client_id, since_time, country_code: country.to_string() };
            countries.insert((client_id, since_time), row);
        }
    }
    countries
}

/// Those of these clients that are known.
pub(crate) async fn load<C: ConnectionTrait>(
    connection: &C,
    clients: &[HubId],
) -> Result<BTreeMap<HubId, KnownClient>, ServiceError> {
    let mut known = BTreeMap::new();
    for portion in portions(clients) {
        let mut countries: BTreeMap<i64, Vec<(Instant, CountryCode)>> = BTreeMap::new();
        let moved = client_country::Entity::find().filter(client_country::Column::ClientId.is_in(portion.clone()));
        for row in moved.all(connection).await? {
            countries.entry(row.client_id).or_default().push(country(row.since_time, &row.country_code)?);
        }
        for row in client::Entity::find().filter(client::Column::HubId.is_in(portion)).all(connection).await? {
            let moved = countries.remove(&row.hub_id).unwrap_or_default();
            known.insert(hub_id(row.hub_id)?, from_row(row, moved)?);
        }
    }
    Ok(known)
}

fn from_row(row: client::Model, moved: Vec<(Instant, CountryCode)>) -> Result<KnownClient, ServiceError> {
    let first = country(row.since_time, &row.country_code)?;
    Ok(KnownClient {
        display_name: row.display_name.into(),
        search_name: row.search_name.into(),
        countries: CountryHistory::from_countries(moved.into_iter().chain([first])),
    })
}

fn country(since: StoredInstant, code: &str) -> Result<(Instant, CountryCode), ServiceError> {
    Ok((since.into(), code.parse().map_err(ServiceError::stored)?))
}
