//! Both copies, what is kept ready of them, and the own facts.

use std::collections::BTreeSet;

use contracts::{ClientName, Feed, PartnerName};
use domain::access::{EmailAddress, HubId};
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::feed::{Head, read_cursor, read_head, verify_history, verify_place};
use service_kit::maintenance::{Verification, hex};
use service_kit::{ReadTransaction, ServiceError, StoredInstant, access_log, position, stored_position};

use crate::CreditCalculation;
use crate::entity::{client, client_country};
use crate::follow::AccessFollower;
use crate::store::own_facts::{self, OwnFact};
use crate::store::{clients, contacts, statements};

/// How many clients, people or facts are compared at once.
const CLIENTS_AT_ONCE: u64 = 500;
const PEOPLE_AT_ONCE: u64 = 100;
const FACTS_AT_ONCE: u64 = 500;
const STATEMENTS_AT_ONCE: u64 = 10;

impl CreditCalculation {
    pub(super) async fn verify_everything(&self, verification: &mut Verification) -> Result<(), ServiceError> {
        let transaction = self.database.begin_read().await?;
        let access = read_cursor(&*transaction, Feed::Access).await?;
        let servicing = read_cursor(&*transaction, Feed::Servicing).await?;
        access_log::verify(&*transaction, access.position, &access.chain_hash, verification).await?;
        verify_clients(&*transaction, verification).await?;
        verify_contacts(&*transaction, verification).await?;
        verify_own_facts(&transaction, verification).await?;
        verify_statements(&transaction, verification).await?;
        verify_history(&AccessFollower::new(self.clone()), &access, verification).await?;
        self.verify_servicing(&transaction, &servicing, verification).await
    }
}

async fn verify_clients<C: ConnectionTrait>(
    connection: &C,
    verification: &mut Verification,
) -> Result<(), ServiceError> {
    verification.begin("clients").await?;
    let mut last = None;
    loop {
        let page = clients::next(connection, last, CLIENTS_AT_ONCE).await?;
        last = page.last().copied();
        if last.is_none() {
            return Ok(());
        }
        let page: BTreeSet<HubId> = page.into_iter().collect();
        let stored = clients::stored(connection, &page).await?;
        let expected = clients::expected(connection, &page).await?;
        verification.compare(&stored.clients, &expected.clients, |client| client_name(*client), client_in_words);
        let country_name = |(client, since): &(i64, StoredInstant)| {
            format!("{} since {}", client_name(*client), Instant::from(*since).to_rfc3339())
        };
        let country = |row: &client_country::Model| row.country_code.clone();
        verification.compare(&stored.countries, &expected.countries, country_name, country);
        verification.checked(page.len()).await?;
    }
}

fn client_in_words(row: &client::Model) -> String {
    let client::Model { display_name, search_name, country_code, since_time, .. } = row;
    let since = Instant::from(*since_time).to_rfc3339();
    format!("{display_name:?}, found as {search_name:?}, {country_code}, known since {since}")
}

async fn verify_contacts<C: ConnectionTrait>(
    connection: &C,
    verification: &mut Verification,
) -> Result<(), ServiceError> {
    verification.begin("contacts of people").await?;
    let mut last = None;
    loop {
        let page = contacts::next_addresses(connection, last.as_ref(), PEOPLE_AT_ONCE).await?;
        last = page.last().cloned();
        if last.is_none() {
            return Ok(());
        }
        let stored = contacts::stored(connection, &page).await?;
        // What is no address has no contacts.
        let people: BTreeSet<EmailAddress> = page.iter().filter_map(|address| address.parse().ok()).collect();
        let expected = contacts::expected(connection, &people).await?;
        let name = |(address, partner, client): &(String, i64, i64)| {
            format!("{address}: {} with {}", partner_name(*partner), client_name(*client))
        };
        let since = |since: &StoredInstant| format!("since {}", Instant::from(*since).to_rfc3339());
        verification.compare(&stored, &expected, name, since);
        verification.checked(page.len()).await?;
    }
}

/// Positions without gaps, and the hash over all of them; where an erasure has replaced who made one, that hash is of what
/// was first recorded and cannot be computed any more (R128).
async fn verify_own_facts(transaction: &ReadTransaction, verification: &mut Verification) -> Result<(), ServiceError> {
    verification.begin("own facts").await?;
    let pseudonyms = access_log::pseudonyms(&**transaction).await?;
    let (mut found, mut is_rewritten) = (Head::start(Feed::Credit), false);
    loop {
        let page = own_facts::page(&**transaction, stored_position(found.position), FACTS_AT_ONCE).await?;
        for row in &page {
            is_rewritten |= pseudonyms.contains(&row.actor);
            pass_over(row, &mut found, verification);
        }
        if page.is_empty() {
            break;
        }
        verification.checked(page.len()).await?;
    }
    let kept = read_head(&**transaction, Feed::Credit).await?;
    if found.position != kept.position {
        let (stored, expected) = (kept.revision().to_string(), found.revision().to_string());
        verification.differs("end of the own facts", &stored, &expected);
    } else if found.chain_hash != kept.chain_hash && !is_rewritten {
        let (stored, expected) = (hex(&kept.chain_hash), hex(&found.chain_hash));
        verification.differs("hash over the own facts", &stored, &expected);
    }
    Ok(())
}

/// That the documents of statements are those that were issued.
async fn verify_statements(transaction: &ReadTransaction, verification: &mut Verification) -> Result<(), ServiceError> {
    verification.begin("statements").await?;
    let mut after = 0;
    while let Some((last, checked, wrong)) =
        statements::wrong_documents(&**transaction, after, STATEMENTS_AT_ONCE).await?
    {
        for name in wrong {
            verification.differs(name, "a document of another hash", "the document that was issued");
        }
        verification.checked(usize::try_from(checked).unwrap_or_default()).await?;
        after = last;
    }
    Ok(())
}

fn pass_over(row: &OwnFact, found: &mut Head, verification: &mut Verification) {
    let position = position(row.position);
    // Rows have no hash of their own.
    verify_place(found, &Head::at(Feed::Credit, position, Vec::new()), None, verification);
    found.position = position - 1;
    found.advance(&row.hashed);
}

pub(super) fn client_name(client: i64) -> String {
    HubId::try_from(client).map_or_else(|_| client.to_string(), |client| ClientName(client).to_string())
}

pub(super) fn partner_name(partner: i64) -> String {
    HubId::try_from(partner).map_or_else(|_| partner.to_string(), |partner| PartnerName(partner).to_string())
}
