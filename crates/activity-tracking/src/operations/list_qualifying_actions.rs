//! The qualifying catalogue as of an instant (R50 to R53).

use domain::policy::{ListedAction, Qualification};
use domain::time::Instant;

use crate::ActivityTracking;

/// What is asked of the catalogue.
pub(crate) struct CatalogueQuestion {
    /// Absent means now.
    pub as_of_time: Option<Instant>,
    /// Absent: all tools.
    pub tool: Option<String>,
    pub qualifying_only: bool,
}

/// The catalogue in force at an instant.
#[derive(Debug)]
pub(crate) struct CatalogueAnswer {
    /// By tool and action.
    pub actions: Vec<ListedAction>,
    /// For how many days an activity counts that occurs then.
    pub window_days: u32,
    pub policy_version: String,
    pub as_of_time: Instant,
}

impl ActivityTracking {
    pub(crate) fn list_qualifying_actions(&self, question: &CatalogueQuestion) -> CatalogueAnswer {
        let as_of_time = question.as_of_time.unwrap_or_else(|| self.clock.now());
        let mut actions = self.policy.listed_actions(as_of_time);
        actions.retain(|listed| {
            let is_of_tool = question.tool.as_ref().is_none_or(|tool| listed.action.tool() == tool);
            is_of_tool && (!question.qualifying_only || listed.qualification == Qualification::Qualifying)
        });
        CatalogueAnswer {
            actions,
            window_days: self.policy.window_days_at(as_of_time),
            policy_version: self.policy.version().to_owned(),
            as_of_time,
        }
    }
}
