//! Every verdict and period, computed from the stored facts once more.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use contracts::wire::error::ErrorReason;
use contracts::{ActivityName, ClientName, Failure, Feed, PartnerName, servicing_change_from_wire};
use domain::activity::{Judgement, Verdict, judge};
use domain::servicing::{ServicingPeriod, periods};
use domain::time::{FIRST_STORABLE, Instant, Period};
use prost::Message as _;
use sea_orm::ConnectionTrait;
use service_kit::feed::{Head, read_cursor, read_head, verify_place};
use service_kit::maintenance::Verification;
use service_kit::{ReadTransaction, ServiceError, access_log};

use crate::ActivityTracking;
use crate::operations::history_for;
use crate::store::activity::{self, Place, Recorded, Scope, counted};
use crate::store::period::{self, PeriodsByMinimum};
use crate::store::{BEGINNING, Pair, change, pair, rejudging, voiding};

/// How many activities, changes or pairs are compared at once.
const ACTIVITIES_AT_ONCE: u64 = 500;
const CHANGES_AT_ONCE: u64 = 500;
const PAIRS_AT_ONCE: u64 = 100;

/// What a pair is said, or found, to be: its periods, and when its last activity occurred.
type PairState = (PeriodsByMinimum, Option<Instant>);

impl ActivityTracking {
    pub(super) async fn verify_everything(&self, verification: &mut Verification) -> Result<(), ServiceError> {
        let transaction = self.database.begin_read().await?;
        require_nothing_waits(&transaction).await?;
        let cursor = read_cursor(&*transaction, Feed::Access).await?;
        access_log::verify(&*transaction, cursor.position, &cursor.chain_hash, verification).await?;
        self.verify_verdicts(&transaction, verification).await?;
        let told = verify_changes(&transaction, verification).await?;
        self.verify_pairs(&transaction, told, verification).await
    }

    /// Every verdict, and that exactly what was taken back is voided.
    async fn verify_verdicts(
        &self,
        transaction: &ReadTransaction,
        verification: &mut Verification,
    ) -> Result<(), ServiceError> {
        verification.begin("verdicts").await?;
        let mut last: Option<Place> = None;
        loop {
            let page = activity::page(&**transaction, &Scope::Everything, BEGINNING, last.as_ref(), ACTIVITIES_AT_ONCE)
                .await?;
            let Some(end) = page.last() else { return Ok(()) };
            last = Some(Place::of(end));
            self.compare_verdicts(&**transaction, &page, verification).await?;
            verification.checked(page.len()).await?;
        }
    }

    async fn compare_verdicts<C: ConnectionTrait>(
        &self,
        connection: &C,
        page: &[Recorded],
        verification: &mut Verification,
    ) -> Result<(), ServiceError> {
        let history = history_for(connection, page.iter().map(|recorded| &recorded.activity)).await?;
        let voided = voiding::find(connection, &page.iter().map(Recorded::name).collect()).await?;
        let mut counted_pairs: BTreeMap<Pair, ActivityName> = BTreeMap::new();
        for recorded in page {
            let name = recorded.name();
            let judgement = judge(&recorded.activity, &history, &self.policy);
            let judgement = if voided.contains_key(&name) { judgement.voided() } else { judgement };
            if judgement != recorded.judgement {
                verification.differs(name.to_string(), &in_words(&recorded.judgement), &in_words(&judgement));
            }
            if let Some((pair, _)) = counted(&recorded.activity, &recorded.judgement) {
                counted_pairs.entry(pair).or_insert(name);
            }
        }
        let pairs: Vec<Pair> = counted_pairs.keys().copied().collect();
        let known = pair::last_activity_times(connection, &pairs).await?;
        for (pair, name) in counted_pairs.into_iter().filter(|(pair, _)| !known.contains_key(pair)) {
            verification.differs(name_of(pair), "", &format!("a relationship: {name} counts"));
        }
        Ok(())
    }

    /// The periods of every pair for every minimum, from everything that counts; and that the feed has said so.
    async fn verify_pairs(
        &self,
        transaction: &ReadTransaction,
        mut told: BTreeMap<Pair, u64>,
        verification: &mut Verification,
    ) -> Result<(), ServiceError> {
        verification.begin("relationships").await?;
        let mut last = None;
        loop {
            let page = pair::page(&**transaction, None, None, last, PAIRS_AT_ONCE).await?;
            let Some(end) = page.last() else { break };
            last = Some(*end);
            let stored = stored_states(&**transaction, &page).await?;
            let expected = self.expected_states(&**transaction, &page).await?;
            for pair in &page {
                let empty = PairState::default();
                let (stored, expected) = (stored.get(pair).unwrap_or(&empty), expected.get(pair).unwrap_or(&empty));
                if stored != expected {
                    verification.differs(name_of(*pair), &state_in_words(stored), &state_in_words(expected));
                }
                // A pair for which nothing ever counted in the end is in nobody's copy.
                let is_told = told.remove(pair).map_or(*stored == empty, |told| told == fingerprint(stored));
                if !is_told {
                    let subject = format!("the servicing feed's last word on {}", name_of(*pair));
                    verification.differs(subject, "something else", &state_in_words(stored));
                }
            }
            verification.checked(page.len()).await?;
        }
        for (pair, _) in told {
            verification.differs(format!("the servicing feed's last word on {}", name_of(pair)), "something", "");
        }
        Ok(())
    }

    async fn expected_states<C: ConnectionTrait>(
        &self,
        connection: &C,
        pairs: &[Pair],
    ) -> Result<BTreeMap<Pair, PairState>, ServiceError> {
        let everything: Vec<(Pair, Vec<Period>)> =
            pairs.iter().map(|pair| (*pair, vec![Period::since(FIRST_STORABLE)])).collect();
        let counted = activity::living_in(connection, &self.policy, &everything).await?;
        let history =
            access_log::history_of_clients(connection, &pairs.iter().map(|pair| pair.client).collect()).await?;
        let state = |(pair, activities): (Pair, Vec<_>)| {
            let endings = history.endings(pair.client, pair.partner, &self.policy);
            let of_minimum = |minimum| (minimum, periods(&activities, &endings, minimum));
            let by_minimum = self.policy.minimums_ever().into_iter().map(of_minimum);
            let occupied = by_minimum.filter(|(_, periods)| !periods.is_empty()).collect();
            (pair, (occupied, activities.iter().map(|activity| activity.occur_time).max()))
        };
        Ok(counted.into_iter().map(state).collect())
    }
}

/// What is being judged again differs for a good reason.
async fn require_nothing_waits(transaction: &ReadTransaction) -> Result<(), ServiceError> {
    match rejudging::waiting(&**transaction).await?.tasks {
        0 => Ok(()),
        tasks => {
            let waiting = if tasks == 1 { "1 task waits".to_owned() } else { format!("{tasks} tasks wait") };
            let message =
                format!("{waiting} to be judged again, for facts or the policy have changed; verify after that");
            Err(Failure::new(ErrorReason::FactsBehind, message).into())
        }
    }
}

/// Every change of the servicing feed: its place and hash. Answers the last word on every pair.
async fn verify_changes(
    transaction: &ReadTransaction,
    verification: &mut Verification,
) -> Result<BTreeMap<Pair, u64>, ServiceError> {
    verification.begin("servicing changes").await?;
    let mut told = BTreeMap::new();
    let mut last = Head::start(Feed::Servicing);
    loop {
        let page = change::page(&**transaction, last.position, CHANGES_AT_ONCE).await?;
        let count = page.len();
        for mut message in page {
            let this = Head::at(Feed::Servicing, message.position, std::mem::take(&mut message.chain_hash));
            verify_place(&last, &this, Some(&message.encode_to_vec()), verification);
            last = this;
            let change = servicing_change_from_wire(&message)?;
            let occupied = change.periods.into_iter().filter(|(_, periods)| !periods.is_empty()).collect();
            let state = (occupied, change.last_activity_time);
            told.insert(Pair { client: change.client, partner: change.partner }, fingerprint(&state));
        }
        if count == 0 {
            break;
        }
        verification.checked(count).await?;
    }
    let head = read_head(&**transaction, Feed::Servicing).await?;
    if head != last {
        let (stored, expected) = (head.revision().to_string(), last.revision().to_string());
        verification.differs("end of the servicing feed", &stored, &expected);
    }
    Ok(told)
}

async fn stored_states<C: ConnectionTrait>(
    connection: &C,
    pairs: &[Pair],
) -> Result<BTreeMap<Pair, PairState>, ServiceError> {
    let mut periods = period::of_pairs(connection, pairs).await?;
    let last = pair::last_activity_times(connection, pairs).await?;
    Ok(last.into_iter().map(|(pair, last)| (pair, (periods.remove(&pair).unwrap_or_default(), last))).collect())
}

/// Keeps what is told of many pairs small.
fn fingerprint(state: &PairState) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

fn name_of(pair: Pair) -> String {
    format!("{} {}", ClientName(pair.client), PartnerName(pair.partner))
}

fn in_words(judgement: &Judgement) -> String {
    let verdict = match judgement.verdict {
        Verdict::Counted { expire_time } => format!("COUNTED until {}", expire_time.to_rfc3339()),
        Verdict::NotCounted(reason) => reason.to_string(),
        Verdict::Voided => "VOIDED".to_owned(),
    };
    let of = judgement.attribution.map(|found| format!(", {} {}", PartnerName(found.partner), found.employee.0));
    let action = judgement.action.as_ref().map(|action| format!(", {action}"));
    format!("{verdict}{}{}", of.unwrap_or_default(), action.unwrap_or_default())
}

fn state_in_words((periods, last_activity_time): &PairState) -> String {
    let period = |period: &ServicingPeriod| {
        format!("{} to {} ({})", period.start.to_rfc3339(), period.end.to_rfc3339(), period.end_cause)
    };
    let of_minimum = |(minimum, periods): (&u32, &Vec<ServicingPeriod>)| {
        format!("minimum {minimum}: {}", periods.iter().map(period).collect::<Vec<_>>().join(", "))
    };
    let mut words: Vec<String> = periods.iter().map(of_minimum).collect();
    words.extend(last_activity_time.map(|time| format!("last activity {}", time.to_rfc3339())));
    words.join("; ")
}
