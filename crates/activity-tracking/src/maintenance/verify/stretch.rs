//! What is kept of the clients of a stretch, compared with what it would be computed to be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contracts::{ActivityName, ClientName, PartnerName};
use domain::access::{AccessHistory, EmailAddress, HubId};
use domain::activity::{Activity, ActivityId, Judgement, Verdict, judge};
use domain::policy::Policy;
use domain::servicing::{CountedActivity, ServicingPeriod, periods};
use domain::time::Instant;
use service_kit::maintenance::Findings;
use service_kit::{ReadTransaction, ServiceError, access_log};
use tokio::task::spawn_blocking;

use super::{PairState, fingerprint, name_of};
use crate::store::activity::{self, Columns, Reader, Standing, StoredRow, counted};
use crate::store::period::PeriodsByMinimum;
use crate::store::{Pair, Stretch, pair, period, voiding};

/// What everything is compared with.
pub(super) struct Against {
    pub policy: Arc<Policy>,
    /// The servicing feed's last word on every pair, in their order.
    pub told: Vec<(Pair, u64)>,
    /// How many activities are read at once.
    pub activities_at_once: usize,
}

impl Against {
    /// The feed's last word on every pair of a stretch.
    fn told_in(&self, stretch: Stretch) -> &[(Pair, u64)] {
        let behind = |client: HubId| self.told.partition_point(|(pair, _)| pair.client <= client);
        &self.told[stretch.after.map_or(0, behind)..stretch.until.map_or(self.told.len(), behind)]
    }
}

/// What was found of a stretch.
pub(super) struct Found {
    pub verdicts: Findings,
    pub relationships: Findings,
}

/// What counts for a pair.
struct Living {
    /// One of them, to be named.
    first: ActivityId,
    activities: Vec<CountedActivity>,
}

/// The judging of the activities of a stretch, as far as it has come.
struct Judging {
    against: Arc<Against>,
    voided: BTreeSet<ActivityName>,
    reader: Reader,
    living: BTreeMap<Pair, Living>,
    found: Found,
}

/// Verifies the clients of a stretch. Nobody waits for what takes long to compute.
pub(super) async fn verify_stretch(
    transaction: &ReadTransaction,
    stretch: Stretch,
    against: Arc<Against>,
    found: Found,
) -> Result<Found, ServiceError> {
    let (transaction, at_once) = (&**transaction, against.activities_at_once);
    let voided = voiding::of_stretch(transaction, stretch).await?;
    let mut judging = Judging { against, voided, reader: Reader::default(), living: BTreeMap::new(), found };
    let mut history = Arc::new(AccessHistory::default());
    let mut last: Option<StoredRow> = None;
    loop {
        let is_first = last.is_none();
        let rows = activity::of_stretch(transaction, stretch, last.as_ref(), at_once).await?;
        let is_last = rows.len() < at_once;
        if !rows.is_empty() {
            let (clients, addresses) = people(&rows)?;
            history = Arc::new(access_log::history_for_verifying(transaction, &clients, addresses).await?);
            let of_rows = Arc::clone(&history);
            let judged = move || judging.judge(&rows, &of_rows).map(|judging| (judging, rows));
            let (judging_on, mut rows) = spawn_blocking(judged).await??;
            judging = judging_on;
            last = rows.pop();
        }
        if is_last {
            if !is_first {
                let clients = judging.living.keys().map(|pair| pair.client).collect();
                history = Arc::new(access_log::history_of_clients(transaction, &clients).await?);
            }
            break;
        }
    }
    let pairs = pair::of_stretch(transaction, stretch).await?;
    let periods = period::of_stretch(transaction, stretch).await?;
    spawn_blocking(move || judging.compare_pairs(stretch, pairs, periods, &history)).await.map_err(Into::into)
}

/// Where these activities were done, and by whom.
fn people(rows: &[StoredRow]) -> Result<(BTreeSet<HubId>, BTreeSet<EmailAddress>), ServiceError> {
    let (mut clients, mut texts) = (BTreeSet::new(), BTreeSet::new());
    for row in rows {
        clients.insert(row.client()?);
        texts.insert(row.address()?);
    }
    let addresses = texts.into_iter().map(|text| text.parse().map_err(ServiceError::stored));
    Ok((clients, addresses.collect::<Result<_, _>>()?))
}

impl Living {
    const fn of(first: ActivityId) -> Self {
        Self { first, activities: Vec::new() }
    }
}

impl Judging {
    /// Judges activities once more, and keeps what counts for the periods of pairs: by what is stored.
    fn judge(mut self, rows: &[StoredRow], history: &AccessHistory) -> Result<Self, ServiceError> {
        for row in rows {
            let Standing { activity, judgement: stored, columns } = self.reader.read(row)?;
            self.compare_columns(&activity, &columns);
            let judgement = judge(&activity, history, &self.against.policy);
            let is_voided = !self.voided.is_empty() && self.voided.contains(&activity::name_of(&activity));
            let judgement = if is_voided { judgement.voided() } else { judgement };
            if judgement != stored {
                let subject = activity::name_of(&activity).to_string();
                self.found.verdicts.differs(subject, &in_words(&stored), &in_words(&judgement));
            }
            let of_columns = Activity { client: columns.client, occur_time: columns.occur_time, ..activity };
            if let Some((pair, life)) = counted(&of_columns, &stored) {
                let living = self.living.entry(pair).or_insert_with(|| Living::of(of_columns.id));
                living.activities.push(life);
            }
        }
        self.found.verdicts.checked(rows.len());
        Ok(self)
    }

    /// What an activity is found by is what was reported.
    fn compare_columns(&mut self, activity: &Activity, columns: &Columns<'_>) {
        let reported = Columns {
            client: activity.client,
            id: activity.id.as_str(),
            address: activity.address.as_str(),
            occur_time: activity.occur_time,
        };
        if reported != *columns {
            let subject = format!("{} as it is found", activity::name_of(activity));
            self.found.verdicts.differs(subject, &columns_in_words(columns), &columns_in_words(&reported));
        }
    }

    /// The periods of every pair for every minimum, from everything that counts; and that the feed has said so.
    fn compare_pairs(
        mut self,
        stretch: Stretch,
        pairs: BTreeMap<Pair, Option<Instant>>,
        mut stored_periods: BTreeMap<Pair, PeriodsByMinimum>,
        history: &AccessHistory,
    ) -> Found {
        let against = Arc::clone(&self.against);
        let found = &mut self.found.relationships;
        let told = against.told_in(stretch);
        let last_word =
            |pair: &Pair| told.binary_search_by_key(pair, |(pair, _)| *pair).ok().map(|place| told[place].1);
        let of_feed = told.iter().map(|(pair, _)| pair);
        let all: BTreeSet<Pair> = pairs.keys().chain(self.living.keys()).chain(of_feed).copied().collect();
        for pair in all {
            let living = self.living.remove(&pair);
            let Some(last_activity_time) = pairs.get(&pair) else {
                if let Some(Living { first, .. }) = living {
                    let name = ActivityName { client: pair.client, activity: first };
                    found.differs(name_of(pair), "", &format!("a relationship: {name} counts"));
                }
                if last_word(&pair).is_some() {
                    found.differs(last_word_on(pair), "something", "");
                }
                continue;
            };
            let stored: PairState = (stored_periods.remove(&pair).unwrap_or_default(), *last_activity_time);
            let activities = living.map(|living| living.activities).unwrap_or_default();
            let expected = expected_state(pair, &activities, history, &against.policy);
            if stored != expected {
                found.differs(name_of(pair), &state_in_words(&stored), &state_in_words(&expected));
            }
            // A pair for which nothing ever counted in the end is in nobody's copy.
            let is_told = last_word(&pair).map_or(stored == PairState::default(), |word| word == fingerprint(&stored));
            if !is_told {
                found.differs(last_word_on(pair), "something else", &state_in_words(&stored));
            }
        }
        found.checked(pairs.len());
        self.found
    }
}

fn expected_state(pair: Pair, living: &[CountedActivity], history: &AccessHistory, policy: &Policy) -> PairState {
    // Without activities there are no periods, whatever has ended.
    if living.is_empty() {
        return PairState::default();
    }
    let endings = history.endings(pair.client, pair.partner, policy);
    let of_minimum = |minimum| (minimum, periods(living, &endings, minimum));
    let by_minimum = policy.minimums_ever().into_iter().map(of_minimum);
    let occupied = by_minimum.filter(|(_, periods)| !periods.is_empty()).collect();
    (occupied, living.iter().map(|activity| activity.occur_time).max())
}

fn last_word_on(pair: Pair) -> String {
    format!("the servicing feed's last word on {}", name_of(pair))
}

fn columns_in_words(Columns { client, id, address, occur_time }: &Columns<'_>) -> String {
    format!("{}/activities/{id} by {address} at {}", ClientName(*client), occur_time.to_rfc3339())
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
