//! How an activity says what was done: a tool and an action, or the source's own words (R60).

use std::fmt;
use std::str::FromStr;

/// The longest word, in characters.
const MAXIMUM_WORD_CHARACTERS: usize = 64;

/// An action of the qualifying catalogue: `blog/publish`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CatalogueAction {
    tool: String,
    action: String,
}

/// What the source of an activity calls it: `ACCOUNT_ACTIVITY`, `CRM_OBJECT`, `CONTACT`, `CREATE`.
///
/// The CMS audit log has no subcategory: its object type is the category, its event the action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceAction {
    system: String,
    category: String,
    subcategory: String,
    action: String,
}

/// What is wrong with the words of an action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// A word of the catalogue.
    #[error("{part} is 1 to 64 characters of a-z, 0-9 and _, beginning with a letter, for example blog")]
    CatalogueWord {
        /// `tool` or `action`.
        part: &'static str,
    },
    /// A word of a source.
    #[error("{part} is 1 to 64 characters of A-Z, 0-9 and _, for example CRM_OBJECT")]
    SourceWord {
        /// `system`, `category`, `subcategory` or `action`.
        part: &'static str,
    },
    /// Not of the form tool/action.
    #[error("an action of the catalogue is tool/action, for example blog/publish")]
    NotToolAndAction,
}

impl CatalogueAction {
    /// The action of a tool, both in lower snake case.
    ///
    /// # Errors
    /// A word that is empty, longer than 64 characters or has other characters.
    pub fn new(tool: &str, action: &str) -> Result<Self, ActionError> {
        Ok(Self { tool: Self::parse_tool(tool)?, action: parse_catalogue_word("action", action)? })
    }

    /// A text as the name of a tool.
    ///
    /// # Errors
    /// A word that is empty, longer than 64 characters or has other characters.
    pub fn parse_tool(text: &str) -> Result<String, ActionError> {
        parse_catalogue_word("tool", text)
    }

    /// The tool: `blog`.
    #[must_use]
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// The action: `publish`.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }
}

impl FromStr for CatalogueAction {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        let (tool, action) = text.split_once('/').ok_or(ActionError::NotToolAndAction)?;
        Self::new(tool, action)
    }
}

impl fmt::Display for CatalogueAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.tool, self.action)
    }
}

impl SourceAction {
    /// The source's words, upper case; the subcategory is empty where the source has none.
    ///
    /// # Errors
    /// A word that is empty (but for the subcategory), longer than 64 characters or has other characters.
    pub fn new(system: &str, category: &str, subcategory: &str, action: &str) -> Result<Self, ActionError> {
        let parts = [("system", system), ("category", category), ("subcategory", subcategory), ("action", action)];
        for (part, word) in parts {
            let may_be_empty = part == "subcategory" && word.is_empty();
            if !may_be_empty && !is_source_word(word) {
                return Err(ActionError::SourceWord { part });
            }
        }
        Ok(Self {
            system: system.to_owned(),
            category: category.to_owned(),
            subcategory: subcategory.to_owned(),
            action: action.to_owned(),
        })
    }

    /// The system that keeps the log: `ACCOUNT_ACTIVITY`.
    #[must_use]
    pub fn system(&self) -> &str {
        &self.system
    }

    /// The category: `CRM_OBJECT`.
    #[must_use]
    pub fn category(&self) -> &str {
        &self.category
    }

    /// The subcategory: `CONTACT`; empty where the source has none.
    #[must_use]
    pub fn subcategory(&self) -> &str {
        &self.subcategory
    }

    /// The action: `CREATE`.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }
}

impl fmt::Display for SourceAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}/", self.system, self.category)?;
        if !self.subcategory.is_empty() {
            write!(formatter, "{}/", self.subcategory)?;
        }
        formatter.write_str(&self.action)
    }
}

fn parse_catalogue_word(part: &'static str, word: &str) -> Result<String, ActionError> {
    if is_catalogue_word(word) { Ok(word.to_owned()) } else { Err(ActionError::CatalogueWord { part }) }
}

/// Whether a text is a tool or an action of the catalogue.
pub(crate) fn is_catalogue_word(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.len() <= MAXIMUM_WORD_CHARACTERS
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether a text is a word of a source.
pub(crate) fn is_source_word(word: &str) -> bool {
    (1..=MAXIMUM_WORD_CHARACTERS).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_of_the_catalogue_is_two_lower_snake_words() {
        let action: CatalogueAction = "one_to_one_email/log2".parse().expect("an action");
        assert_eq!((action.tool(), action.action()), ("one_to_one_email", "log2"));
        assert_eq!(action.to_string(), "one_to_one_email/log2");
        assert_eq!("blog".parse::<CatalogueAction>(), Err(ActionError::NotToolAndAction));
        for wrong in ["", "Blog", "1blog", "_blog", "blog post", &"b".repeat(65)] {
            let (tool, action) = (CatalogueAction::new(wrong, "edit"), CatalogueAction::new("blog", wrong));
            assert_eq!(tool, Err(ActionError::CatalogueWord { part: "tool" }), "{wrong}");
            assert_eq!(CatalogueAction::parse_tool(wrong), Err(ActionError::CatalogueWord { part: "tool" }), "{wrong}");
            assert_eq!(action, Err(ActionError::CatalogueWord { part: "action" }), "{wrong}");
        }
        assert!(CatalogueAction::new(&"b".repeat(64), "edit").is_ok());
        assert_eq!(CatalogueAction::parse_tool("landing_page"), Ok("landing_page".to_owned()));
    }

    #[test]
    fn a_sources_words_are_upper_case_and_only_the_subcategory_may_be_missing() {
        let whole = SourceAction::new("ACCOUNT_ACTIVITY", "CRM_OBJECT", "0_2", "CREATE").expect("words");
        assert_eq!(whole.to_string(), "ACCOUNT_ACTIVITY CRM_OBJECT/0_2/CREATE");
        let words = [whole.system(), whole.category(), whole.subcategory(), whole.action()];
        assert_eq!(words, ["ACCOUNT_ACTIVITY", "CRM_OBJECT", "0_2", "CREATE"]);
        let cms = SourceAction::new("CMS_AUDIT", "BLOG", "", "PUBLISHED").expect("words");
        assert_eq!(cms.to_string(), "CMS_AUDIT BLOG/PUBLISHED");
        for wrong in ["", "blog", "A B", "A/B", "*", &"B".repeat(65)] {
            let in_place = [
                (SourceAction::new(wrong, "B", "C", "D"), "system"),
                (SourceAction::new("A", wrong, "C", "D"), "category"),
                (SourceAction::new("A", "B", "C", wrong), "action"),
            ];
            for (found, part) in in_place {
                assert_eq!(found, Err(ActionError::SourceWord { part }), "{wrong}");
            }
        }
        assert_eq!(SourceAction::new("A", "B", "c", "D"), Err(ActionError::SourceWord { part: "subcategory" }));
    }
}
