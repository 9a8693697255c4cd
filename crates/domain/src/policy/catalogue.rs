//! The qualifying catalogue: which action of which tool qualifies, from when on.

use std::collections::BTreeMap;

use super::Qualification;
use super::dated::Dated;
use crate::activity::CatalogueAction;
use crate::time::Instant;

/// The actions of one tool.
pub(super) type Actions = BTreeMap<String, Qualification>;

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

    pub(super) fn at(&self, at: Instant) -> BTreeMap<CatalogueAction, Qualification> {
        let mut catalogue = BTreeMap::new();
        for (tool, actions) in &self.tools {
            let Some(own) = actions.at(at) else { continue };
            let general = self.any_tool.at(at).into_iter().flatten();
            // The tool's own word comes last and stays.
            for (action, qualification) in general.chain(own) {
                if let Ok(action) = CatalogueAction::new(tool, action) {
                    catalogue.insert(action, *qualification);
                }
            }
        }
        catalogue
    }

    /// Whether the action was ever known.
    pub(super) fn ever_knows(&self, action: &CatalogueAction) -> bool {
        let Some(own) = self.tools.get(action.tool()) else { return false };
        own.values().chain(self.any_tool.values()).any(|actions| actions.contains_key(action.action()))
    }
}
