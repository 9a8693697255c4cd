//! The texts that requests are made with, and that answers are told apart by.

use std::collections::BTreeMap;

/// What the words of a request that begin with `$` stand for.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<&'static str, String>);

impl Names {
    /// Gives a word its meaning.
    pub fn set(&mut self, word: &'static str, meaning: impl Into<String>) {
        self.0.insert(word, meaning.into());
    }

    /// What a word stands for.
    pub fn get(&self, word: &str) -> &str {
        self.0.get(word).unwrap_or_else(|| panic!("nobody has said what ${word} is"))
    }

    /// These, but for the words that others give a meaning.
    pub fn but(&self, others: &Self) -> Self {
        let mut names = self.clone();
        names.0.extend(others.0.clone());
        names
    }

    /// A request with the meanings in place of the words; they are quoted as its strings are.
    pub fn fill(&self, request: &str) -> String {
        let mut parts = request.split('$');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_').unwrap_or(part.len());
            let (word, rest) = part.split_at(end);
            filled += &self.get(word).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            filled += rest;
        }
        filled
    }

    /// An answer with the words in place of the meanings that the request had.
    pub fn forget(&self, request: &str, answer: &str) -> String {
        let mut meanings: Vec<_> = self.0.iter().filter(|(word, _)| is_used(request, word)).collect();
        meanings.sort_by_key(|(_, meaning)| std::cmp::Reverse(meaning.len()));
        meanings.into_iter().fold(answer.to_owned(), |answer, (word, meaning)| replace(&answer, meaning, word))
    }
}

fn is_used(request: &str, word: &str) -> bool {
    let mut uses = request.split('$').skip(1);
    uses.any(|part| {
        part.strip_prefix(word)
            .is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_'))
    })
}

/// Replaces a meaning where it stands for itself, not where it happens to be within a longer word.
fn replace(text: &str, meaning: &str, word: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(meaning) {
        let after = &rest[at + meaning.len()..];
        replaced += &rest[..at];
        let is_within = replaced.ends_with(|letter: char| letter.is_ascii_alphanumeric())
            || after.starts_with(|letter: char| letter.is_ascii_alphanumeric());
        if is_within {
            replaced += meaning;
        } else {
            replaced += "$";
            replaced += word;
        }
        rest = after;
    }
    replaced + rest
}
