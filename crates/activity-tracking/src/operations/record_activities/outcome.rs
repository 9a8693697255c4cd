//! What became of each item of a call.

use std::collections::BTreeMap;

use contracts::wire::error::ErrorReason;
use contracts::{ActivityName, Failure};
use domain::activity::{Activity, Judgement, Remedy};

use crate::store::activity::{Recorded, name_of};

/// An activity that is recorded, now or before, or would be.
#[derive(Clone)]
pub(crate) struct ItemOutcome {
    pub judgement: Judgement,
    pub provisional: bool,
    pub duplicate: bool,
    /// What would make it count, where that was asked.
    pub remedies: Vec<Remedy>,
}

/// What is known of the activities that calls name.
#[derive(Default)]
pub(super) struct Known {
    recorded: BTreeMap<ActivityName, Recorded>,
    /// Those that no item has claimed yet as its own recording, with what would make them count.
    new: BTreeMap<ActivityName, Vec<Remedy>>,
}

impl Known {
    /// What was recorded before.
    pub fn of(recorded: BTreeMap<ActivityName, Recorded>) -> Self {
        Self { recorded, new: BTreeMap::new() }
    }

    /// What was recorded before, too.
    pub fn extend(&mut self, recorded: BTreeMap<ActivityName, Recorded>) {
        self.recorded.extend(recorded);
    }

    /// What is recorded now.
    pub fn add(&mut self, recorded: Recorded, remedies: Vec<Remedy>) {
        let name = recorded.name();
        self.new.insert(name.clone(), remedies);
        self.recorded.insert(name, recorded);
    }

    /// What became of each item. The first item of a new activity is its recording, in whichever call; any further one
    /// repeats it.
    pub fn outcomes(&mut self, items: Vec<Result<Activity, Failure>>) -> Vec<Result<ItemOutcome, Failure>> {
        items.into_iter().map(|item| self.outcome(&item?)).collect()
    }

    fn outcome(&mut self, activity: &Activity) -> Result<ItemOutcome, Failure> {
        let name = name_of(activity);
        let recorded = self.recorded.get(&name).ok_or_else(Failure::internal)?;
        if recorded.activity != *activity {
            let message = format!("{name} is recorded already, with other content; an id is for one activity for ever");
            return Err(Failure::new(ErrorReason::ActivityIdReused, message).with("name", name));
        }
        let claimed = self.new.remove(&name);
        let Recorded { judgement, provisional, .. } = recorded.clone();
        Ok(ItemOutcome { judgement, provisional, duplicate: claimed.is_none(), remedies: claimed.unwrap_or_default() })
    }
}

/// Of several items with one name the first speaks, each with whether its verdict is provisional; the others are compared
/// with it like with any recorded one.
pub(super) fn first_of_each_name<'items>(
    items: impl Iterator<Item = (&'items Result<Activity, Failure>, bool)>,
) -> BTreeMap<ActivityName, (&'items Activity, bool)> {
    let mut first = BTreeMap::new();
    for (item, provisional) in items {
        if let Ok(activity) = item {
            first.entry(name_of(activity)).or_insert((activity, provisional));
        }
    }
    first
}
