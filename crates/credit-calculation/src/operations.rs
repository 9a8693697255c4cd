//! One file per capability. Writes: open a transaction, load, decide (in `domain`), append, commit. Reads: wait for the
//! asked facts, load one moment, ask `domain`.

mod breakdown;
mod create_subscription;
mod evaluate_tiers;
mod explain_credit;
mod get_managed_credit;
mod get_points_timeline;
mod get_tier_standing;
mod grant_tier;
mod kept_reading;
mod last_activities;
mod list_managed_credits;
mod list_point_changes;
mod list_subscriptions;
mod point_facts;
mod reading;
mod recording;
mod simulate_policy;
mod sold_credits;
mod statement_document;
mod statements;
mod tier_facts;
mod update_certification;
mod update_subscription;

pub(crate) use breakdown::{LastActivity, PairFacts, Row};
pub(crate) use create_subscription::NewSubscription;
pub(crate) use evaluate_tiers::{EvaluatedPartner, EvaluationQuery};
pub(crate) use explain_credit::ExplainedRow;
pub(crate) use get_points_timeline::TimelineQuery;
pub(crate) use get_tier_standing::{HeldBy, Standing};
pub(crate) use grant_tier::TierGrant;
pub(crate) use list_managed_credits::{
    BreakdownFilter, BreakdownOrder, BreakdownPage, BreakdownQuery, PageStart, Totals,
};
pub(crate) use list_point_changes::{ChangesQuery, ClientPointChange, GainedAndLost, PointChanges};
pub(crate) use list_subscriptions::Subscriptions;
pub(crate) use reading::{Basis, Question};
pub(crate) use recording::RecordedSubscription;
pub(crate) use simulate_policy::SimulationQuery;
pub(crate) use sold_credits::ValuedSale;
pub(crate) use statements::IssuedStatement;
pub(crate) use update_subscription::ChangedSubscription;

#[cfg(test)]
pub(crate) use kept_reading::testing::{rows_from_the_database, rows_that_are_held};
