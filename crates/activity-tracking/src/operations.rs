//! One file per capability: open a transaction, load, judge (in `domain`), save, append, commit. `judge_again` and
//! `settle` are the steps that recording, following and a new policy share.

mod adopt_policy;
mod batch_get_servicing;
mod freshness;
mod get_servicing;
mod judge_again;
mod read;
mod record_activities;
mod settle;

pub(crate) use batch_get_servicing::PairsQuestion;
pub(crate) use get_servicing::{EmployeeEvidence, Evidence, ServicingQuestion};
pub(crate) use judge_again::judge_again;
pub(crate) use read::{Answer, Moment, PairStanding};
pub(crate) use record_activities::{ItemOutcome, Recording};
pub(crate) use settle::settle;
