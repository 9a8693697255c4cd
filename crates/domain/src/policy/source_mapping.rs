//! What the words of a source mean in the catalogue (R60).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::dated::Dated;
use crate::activity::{CatalogueAction, SourceAction, is_source_word};
use crate::time::Instant;

/// The patterns of one system from one instant on, the most specific first.
pub(super) type Patterns = Vec<(SourcePattern, CatalogueAction)>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SourceMapping {
    pub(super) systems: BTreeMap<String, Dated<Patterns>>,
}

impl SourceMapping {
    pub(super) fn map(&self, source: &SourceAction, at: Instant) -> Option<&CatalogueAction> {
        let patterns = self.systems.get(source.system())?.at(at)?;
        patterns.iter().find(|(pattern, _)| pattern.matches(source)).map(|(_, action)| action)
    }

    /// All patterns in force, written out with their system, by the action that they mean; those of one action in order.
    pub(super) fn patterns_by_action(&self, at: Instant) -> BTreeMap<CatalogueAction, Vec<String>> {
        let mut by_action = BTreeMap::<_, Vec<_>>::new();
        for (system, patterns) in &self.systems {
            for (pattern, action) in patterns.at(at).into_iter().flatten() {
                by_action.entry(action.clone()).or_default().push(format!("{system} {}", pattern.written()));
            }
        }
        by_action.values_mut().for_each(|patterns| patterns.sort_unstable());
        by_action
    }
}

/// `CATEGORY/SUBCATEGORY/ACTION`, or `CATEGORY/ACTION` for a source without subcategories; `*` is any word or none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SourcePattern {
    category: Word,
    subcategory: Word,
    action: Word,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Exactly(String),
    Any,
}

impl Word {
    fn matches(&self, word: &str) -> bool {
        match self {
            Self::Exactly(exactly) => exactly == word,
            Self::Any => true,
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Exactly(exactly) => exactly,
            Self::Any => "*",
        }
    }
}

impl SourcePattern {
    fn matches(&self, source: &SourceAction) -> bool {
        self.category.matches(source.category())
            && self.subcategory.matches(source.subcategory())
            && self.action.matches(source.action())
    }

    /// As the document writes it: without a subcategory where the source has none.
    fn written(&self) -> String {
        let words = [&self.category, &self.subcategory, &self.action].map(Word::text);
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("/")
    }

    /// More exact words come first; among as many, those where the earlier word is exact.
    pub(super) fn specificity(&self) -> Reverse<(usize, bool, bool)> {
        let exact = [&self.category, &self.subcategory, &self.action].map(|word| *word != Word::Any);
        Reverse((exact.iter().filter(|exact| **exact).count(), exact[0], exact[1]))
    }
}

impl FromStr for SourcePattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str =
            "the source's words are CATEGORY/SUBCATEGORY/ACTION or CATEGORY/ACTION, each A-Z, 0-9 and _ or *";
        let word = |text: &str| match text {
            "*" => Ok(Word::Any),
            exactly if is_source_word(exactly) => Ok(Word::Exactly(exactly.to_owned())),
            _ => Err(FORM),
        };
        match text.split('/').collect::<Vec<_>>()[..] {
            [category, action] => {
                Ok(Self { category: word(category)?, subcategory: Word::Exactly(String::new()), action: word(action)? })
            }
            [category, subcategory, action] => {
                Ok(Self { category: word(category)?, subcategory: word(subcategory)?, action: word(action)? })
            }
            _ => Err(FORM),
        }
    }
}

impl fmt::Display for SourcePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{}", self.category.text(), self.subcategory.text(), self.action.text())
    }
}
