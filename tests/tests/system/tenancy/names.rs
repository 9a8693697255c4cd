//! The texts that requests are made with, and that answers are told apart by.

use std::cmp::Reverse;
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
        let (start, words) = split(request);
        words.into_iter().fold(start.to_owned(), |filled, (word, rest)| {
            let meaning = self.get(word).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            filled + &meaning + rest
        })
    }

    /// An answer with the words of its request in place of the meanings, the longest first.
    pub fn forget(&self, request: &str, answer: &str) -> String {
        let mut words: Vec<&str> = split(request).1.into_iter().map(|(word, _)| word).collect();
        words.sort_by_key(|word| Reverse(self.get(word).len()));
        words.into_iter().fold(answer.to_owned(), |answer, word| replace(&answer, self.get(word), word))
    }
}

/// What stands before the first word of a request, and each word with what follows it.
fn split(request: &str) -> (&str, Vec<(&str, &str)>) {
    let mut parts = request.split('$');
    let start = parts.next().unwrap_or_default();
    let end = |part: &str| part.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
    (start, parts.map(|part| part.split_at(end(part).unwrap_or(part.len()))).collect())
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
