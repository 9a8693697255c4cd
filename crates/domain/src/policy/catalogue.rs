//! The qualifying catalogue: which action of which tool qualifies, from when on.

use std::collections::BTreeMap;

use super::dated::Dated;
use super::{Policy, Qualification};
use crate::activity::CatalogueAction;
use crate::time::{FIRST_STORABLE, Instant, Period};

/// The actions of one tool.
pub(super) type Actions = BTreeMap<String, Qualification>;

/// What the catalogue says of an action at an instant, and in whose words the action may be reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAction {
    /// The tool and the action.
    pub action: CatalogueAction,
    /// Whether it qualifies; never [`Qualification::Unknown`].
    pub qualification: Qualification,
    /// From when on the dated entries that say so have been in force; absent: always.
    pub since: Option<Instant>,
    /// When the next dated entry takes over, whether it says the same or not; absent: none is known.
    pub until: Option<Instant>,
    /// The words of sources that mean this action then: `SYSTEM CATEGORY/SUBCATEGORY/ACTION`, or `SYSTEM CATEGORY/ACTION`
    /// where the source has no subcategories, in order. `*` is any word or none; what a more specific pattern matches is
    /// that one's.
    pub source_patterns: Vec<String>,
}

impl Policy {
    /// The catalogue in force at `at`, by tool and action: every action of every tool, with what holds for all tools
    /// written out (R50, R63). What is not in it is unknown.
    #[must_use]
    pub fn listed_actions(&self, at: Instant) -> Vec<ListedAction> {
        let mut source_patterns = self.source_mapping.patterns_by_action(at);
        let said = self.catalogue.in_force(at).into_iter();
        let listed = said.map(|(action, Said { qualification, period })| ListedAction {
            source_patterns: source_patterns.remove(&action).unwrap_or_default(),
            action,
            qualification,
            since: (period.start > FIRST_STORABLE).then_some(period.start),
            until: period.end,
        });
        listed.collect()
    }

    /// What qualifies of a tool at `at`, by action (R50, R63).
    pub(crate) fn qualifying_actions(&self, tool: &str, at: Instant) -> impl Iterator<Item = CatalogueAction> {
        self.catalogue.qualifying(tool, at)
    }

    /// Of each tool that has what qualifies at `at`, the first action that does; by tool.
    pub(crate) fn qualifying_example_of_each_tool(&self, at: Instant) -> impl Iterator<Item = CatalogueAction> {
        self.catalogue.tools.keys().filter_map(move |tool| self.catalogue.qualifying(tool, at).next())
    }
}

/// What is said of an action, and during which period the entries that say it are in force.
#[derive(Debug, Clone, Copy)]
struct Said {
    qualification: Qualification,
    period: Period,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Catalogue {
    pub(super) tools: BTreeMap<String, Dated<Actions>>,
    /// What holds for every known tool that does not say otherwise.
    pub(super) any_tool: Dated<Actions>,
}

impl Catalogue {
    pub(super) fn qualification(&self, tool: &str, action: &str, at: Instant) -> Qualification {
        let Some(own) = self.tools.get(tool).and_then(|actions| actions.at(at)) else {
            return Qualification::Unknown;
        };
        let general = || self.any_tool.at(at).and_then(|actions| actions.get(action));
        own.get(action).or_else(general).copied().unwrap_or(Qualification::Unknown)
    }

    fn qualifying(&self, tool: &str, at: Instant) -> impl Iterator<Item = CatalogueAction> {
        let known = self.in_force_of(tool, at).into_iter();
        known.filter(|(_, said)| said.qualification == Qualification::Qualifying).map(|(action, _)| action)
    }

    fn in_force(&self, at: Instant) -> BTreeMap<CatalogueAction, Said> {
        self.tools.keys().flat_map(|tool| self.in_force_of(tool, at)).collect()
    }

    /// Everything that is said of one tool, by itself or by what holds for all.
    fn in_force_of(&self, tool: &str, at: Instant) -> BTreeMap<CatalogueAction, Said> {
        let Some((period, own)) = self.tools.get(tool).and_then(|actions| actions.in_force(at)) else {
            return BTreeMap::new();
        };
        // What holds for all tools is said of this one while both entries are in force.
        let general = self.any_tool.in_force(at).and_then(|(any, actions)| Some((any.overlap(period)?, actions)));
        // The tool's own word comes last and stays.
        let said = general.into_iter().chain([(period, own)]).flat_map(|(period, actions)| {
            actions.iter().map(move |(action, qualification)| (action, Said { qualification: *qualification, period }))
        });
        said.filter_map(|(action, said)| Some((CatalogueAction::new(tool, action).ok()?, said))).collect()
    }

    /// Whether the action was ever known.
    pub(super) fn ever_knows(&self, action: &CatalogueAction) -> bool {
        let Some(own) = self.tools.get(action.tool()) else { return false };
        own.values().chain(self.any_tool.values()).any(|actions| actions.contains_key(action.action()))
    }
}
