//! Which of several things a person means by what they typed.

use domain::access::folded;

/// The most candidates that are listed.
const MAXIMUM_LISTED: usize = 20;

/// What was meant.
#[derive(Debug, PartialEq)]
pub(crate) enum Choice<'rows, T> {
    None,
    One(&'rows T),
    Several(Vec<&'rows T>),
}

/// The only candidate, or the only one that is called exactly so, without regard to case and accents. Candidates are
/// those that what was typed can mean, not all that there are.
pub(crate) fn choose<'rows, T, const COUNT: usize>(
    wanted: &str,
    candidates: &'rows [T],
    names: impl Fn(&'rows T) -> [&'rows str; COUNT],
) -> Choice<'rows, T> {
    let wanted = folded(wanted.trim());
    let is_called_so = |row: &&'rows T| names(row).iter().any(|name| folded(name) == wanted);
    let exact: Vec<_> = candidates.iter().filter(is_called_so).collect();
    let meant = if exact.is_empty() { candidates.iter().collect() } else { exact };
    match meant.as_slice() {
        [] => Choice::None,
        [row] => Choice::One(row),
        _ => Choice::Several(meant),
    }
}

/// Candidates for a person to choose from, each on a line of its own.
pub(crate) fn listed<T>(candidates: &[T], label: impl Fn(&T) -> String) -> String {
    let mut lines: Vec<String> = candidates.iter().take(MAXIMUM_LISTED).map(label).collect();
    if candidates.len() > MAXIMUM_LISTED {
        lines.push(format!("and {} more", candidates.len() - MAXIMUM_LISTED));
    }
    lines.iter().map(|line| format!("\n  {line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen<'rows>(wanted: &str, candidates: &'rows [&'static str]) -> Choice<'rows, &'static str> {
        choose(wanted, candidates, |row| [row])
    }

    #[test]
    fn the_only_candidate_is_meant() {
        let rows = ["Lumina Ceramiche"];
        assert_eq!(chosen("lumina", &rows), Choice::One(&rows[0]));
        assert_eq!(chosen("lumina", &[]), Choice::None);
    }

    #[test]
    fn an_exact_name_wins_over_names_that_contain_it() {
        let rows = ["Caffè Borgo Nuovo", "Caffè Borgo"];
        assert_eq!(chosen("caffe BORGO", &rows), Choice::One(&rows[1]));
    }

    #[test]
    fn several_candidates_are_all_named() {
        let rows = ["Atlas North", "Atlas South"];
        assert_eq!(chosen("atlas", &rows), Choice::Several(rows.iter().collect()));
        let twins = ["Atlas", "Atlas"];
        assert_eq!(chosen("Atlas", &twins), Choice::Several(twins.iter().collect()));
    }

    #[test]
    fn twenty_candidates_are_listed_and_the_others_counted() {
        let text = listed(&(0..25).collect::<Vec<_>>(), |row| format!("row {row}"));
        assert_eq!(text.lines().skip(1).count(), 21);
        assert!(text.ends_with("\n  row 19\n  and 5 more"), "{text}");
    }
}
