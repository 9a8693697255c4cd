//! The copy of the servicing feed, against the feed itself: it is taken over anew, up to where the copy is, and compared.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Revision;
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::feed::{CatchUp, Cursor, Rebuild as _, Shadow};
use service_kit::maintenance::{Verification, hex};
use service_kit::{ReadTransaction, ServiceError, StoredInstant};

use super::verify::{client_name, partner_name};
use crate::entity::servicing_period;
use crate::follow::ServicingFollower;
use crate::store::servicing::{self, PairRows};
use crate::{CreditCalculation, Migrator};

/// How many clients are compared at once.
const CLIENTS_AT_ONCE: u64 = 100;

impl CreditCalculation {
    pub(super) async fn verify_servicing(
        &self,
        transaction: &ReadTransaction,
        cursor: &Cursor,
        verification: &mut Verification,
    ) -> Result<(), ServiceError> {
        let shadow = Shadow::create::<Migrator>().await?;
        let compared = self.compare_with_feed(transaction, cursor, &shadow, verification).await;
        shadow.close().await;
        compared
    }

    async fn compare_with_feed(
        &self,
        transaction: &ReadTransaction,
        cursor: &Cursor,
        shadow: &Shadow,
        verification: &mut Verification,
    ) -> Result<(), ServiceError> {
        verification.begin("changes of the servicing feed").await?;
        let follower = ServicingFollower::new(self.clone()).in_database(shadow.database().clone());
        let told = take_over(&follower, cursor.position, verification).await?;
        if (told.position, &told.chain_hash) != (cursor.position, &cursor.chain_hash) {
            verification.differs("end of the servicing copy", &place(cursor), &place(&told));
        }
        verification.begin("relationships").await?;
        compare_pairs(&**transaction, shadow.database().connection(), verification).await
    }
}

/// Takes over the feed up to a position, or to its end where that comes before.
async fn take_over(
    follower: &ServicingFollower,
    last_position: u64,
    verification: &mut Verification,
) -> Result<Cursor, ServiceError> {
    let mut catch_up = CatchUp::begin(follower).await?;
    while catch_up.cursor().position < last_position {
        let before = catch_up.cursor().position;
        let is_end = catch_up.take_next(Some(last_position)).await?;
        let taken = catch_up.cursor().position - before;
        verification.checked(usize::try_from(taken).unwrap_or(usize::MAX)).await?;
        if is_end {
            break;
        }
    }
    Ok(catch_up.cursor().clone())
}

async fn compare_pairs<O: ConnectionTrait, T: ConnectionTrait>(
    own: &O,
    told: &T,
    verification: &mut Verification,
) -> Result<(), ServiceError> {
    let mut last = 0;
    loop {
        let mut clients: BTreeSet<i64> = servicing::next_clients(own, last, CLIENTS_AT_ONCE).await?;
        clients.extend(servicing::next_clients(told, last, CLIENTS_AT_ONCE).await?);
        let clients: Vec<i64> =
            clients.into_iter().take(usize::try_from(CLIENTS_AT_ONCE).unwrap_or(usize::MAX)).collect();
        let Some(end) = clients.last() else { return Ok(()) };
        last = *end;
        let stored: BTreeMap<_, PairRows> = servicing::stored(own, &clients).await?;
        let expected = servicing::stored(told, &clients).await?;
        let name = |(client, partner): &(i64, i64)| format!("{} {}", client_name(*client), partner_name(*partner));
        verification.compare(&stored, &expected, name, in_words);
        verification.checked(stored.len()).await?;
    }
}

fn in_words(rows: &PairRows) -> String {
    let time = |time: StoredInstant| Instant::from(time).to_rfc3339();
    let last = rows.pair.as_ref().map(|pair| match pair.last_activity_time {
        Some(last) => format!("last activity {}", time(last)),
        None => "no activity".to_owned(),
    });
    let period = |period: &servicing_period::Model| {
        let servicing_period::Model { minimum, start_time, end_time, end_cause, .. } = period;
        format!("minimum {minimum}: {} to {} ({end_cause})", time(*start_time), time(*end_time))
    };
    let words: Vec<String> = last.into_iter().chain(rows.periods.iter().map(period)).collect();
    words.join("; ")
}

fn place(cursor: &Cursor) -> String {
    let revision = Revision { feed: cursor.feed, position: cursor.position };
    format!("{revision}, hash {}", hex(&cursor.chain_hash))
}
