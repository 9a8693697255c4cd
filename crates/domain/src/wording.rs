//! How times, numbers and names read in a sentence for people.

use chrono::Timelike;

use crate::time::Instant;

/// `11 March 2025`.
pub(crate) fn date(instant: Instant) -> String {
    instant.format("%-d %B %Y").to_string()
}

/// `11 March 2025 at 12:00 UTC`; seconds only where they are not zero, and never parts of one: nobody reads them.
pub(crate) fn date_and_time(instant: Instant) -> String {
    let is_whole_minute = instant.second() == 0;
    let format = if is_whole_minute { "%-d %B %Y at %H:%M UTC" } else { "%-d %B %Y at %H:%M:%S UTC" };
    instant.format(format).to_string()
}

/// A sentence with one full stop: one that ends with a name such as `Rossi S.r.l.` brings another.
pub(crate) fn sentence(text: impl Into<String>) -> String {
    let text = text.into();
    text.strip_suffix("..").map_or(text.clone(), |without| format!("{without}."))
}

/// `1 activity`, `3 activities`.
pub(crate) fn plural(count: impl Into<i64>, one: &str, many: &str) -> String {
    match count.into() {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

/// `edit`, `create and edit`, `create, edit and publish`; empty where there is none.
pub(crate) fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_shows_seconds_only_where_they_are_not_zero_and_never_parts_of_one() {
        for (time, words) in [
            ("2025-03-11T12:00:00Z", "11 March 2025 at 12:00 UTC"),
            ("2025-03-01T09:05:07Z", "1 March 2025 at 09:05:07 UTC"),
            ("2025-03-01T09:05:00.500Z", "1 March 2025 at 09:05 UTC"),
        ] {
            assert_eq!(date_and_time(time.parse().expect("a time")), words);
        }
    }

    #[test]
    fn a_sentence_that_ends_with_an_abbreviated_name_has_one_full_stop() {
        assert_eq!(sentence("You work for Rossi S.r.l.."), "You work for Rossi S.r.l.");
        assert_eq!(sentence("You work."), "You work.");
    }

    #[test]
    fn a_list_has_commas_and_one_and() {
        let words = |words: &[&str]| list(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(words(&[]), "");
        assert_eq!(words(&["edit"]), "edit");
        assert_eq!(words(&["create", "edit"]), "create and edit");
        assert_eq!(words(&["create", "edit", "publish"]), "create, edit and publish");
    }
}
