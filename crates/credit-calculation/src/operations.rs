//! One file per capability. Writes: open a transaction, load, decide (in `domain`), append, commit. Reads: wait for the
//! asked facts, load one moment, ask `domain`.

mod breakdown;
mod create_subscription;
mod explain_credit;
mod get_managed_credit;
mod get_points_timeline;
mod list_managed_credits;
mod list_point_changes;
mod list_subscriptions;
mod point_facts;
mod reading;
mod recording;
mod update_subscription;

pub(crate) use breakdown::Row;
pub(crate) use create_subscription::NewSubscription;
pub(crate) use explain_credit::ExplainedRow;
pub(crate) use get_points_timeline::TimelineQuery;
pub(crate) use list_managed_credits::{BreakdownOrder, BreakdownPage, BreakdownQuery, PageStart};
pub(crate) use list_point_changes::{ChangesQuery, ClientPointChange, GainedAndLost, PointChanges};
pub(crate) use list_subscriptions::Subscriptions;
pub(crate) use reading::{Basis, Question};
pub(crate) use recording::RecordedSubscription;
pub(crate) use update_subscription::ChangedSubscription;
