//! One file per capability: open a transaction, load, judge (in `domain`), save, append, commit. `judge_again` and
//! `settle` are the steps that recording, following and a new policy share.

mod adopt_policy;
mod batch_get_servicing;
mod client_place;
mod freshness;
mod get_activity;
mod get_servicing;
mod judge_again;
mod list_activities;
mod list_idle_assignments;
mod list_qualifying_actions;
mod list_servicing;
mod list_unmatched_addresses;
mod read;
mod record_activities;
mod rejudging;
mod settle;
mod standings;
mod stream_servicing;
mod told;
mod void_activity;
mod work;

pub(crate) use batch_get_servicing::PairsQuestion;
pub(crate) use client_place::ClientPlace;
pub(crate) use freshness::AccessHead;
pub(crate) use get_activity::{ActivityAnswer, ActivityQuestion};
pub(crate) use get_servicing::{Evidence, ServicingQuestion};
pub(crate) use judge_again::history_for;
pub(crate) use list_activities::{ActivitiesQuestion, ToldPage};
pub(crate) use list_idle_assignments::{IdlePage, IdleQuestion, idle_place};
pub(crate) use list_qualifying_actions::{CatalogueAnswer, CatalogueQuestion};
pub(crate) use list_servicing::{RelationshipsPage, RelationshipsQuestion};
pub(crate) use list_unmatched_addresses::{UnmatchedPage, UnmatchedQuestion, unmatched_place};
pub(crate) use read::{Answer, Moment};
pub(crate) use record_activities::{Committing, ItemOutcome, Recording};
pub(crate) use rejudging::settled_cursor;
pub(crate) use settle::settle;
pub(crate) use standings::PairStanding;
pub(crate) use stream_servicing::StreamQuery;
pub(crate) use told::Told;
pub(crate) use void_activity::Voided;
pub(crate) use work::{Counted, EmployeeWork, PairWork, ToolWork};

use judge_again::judge_again;
