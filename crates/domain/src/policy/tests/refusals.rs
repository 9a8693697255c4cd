//! What is wrong with a document.

use super::*;

/// The places and problems after a change of the document.
fn violations(from: &str, to: &str) -> Vec<(String, String)> {
    match Policy::parse(&changed(from, to)) {
        Err(PolicyError::Invalid(violations)) => {
            violations.into_iter().map(|violation| (violation.entry, violation.problem)).collect()
        }
        other => panic!("{to}: {other:?}"),
    }
}

#[test]
fn an_entry_that_is_not_right_is_named() {
    const EUR: &str = "currency = \"EUR\", units_per_point = 75 ";
    let wrong = [
        ("version = \"2025-07-15\"", "version = \"a name\"", "version"),
        ("[30, 14, 7, 1]", "[]", "warning_days"),
        ("[30, 14, 7, 1]", "[30, 14, 14]", "warning_days[2]"),
        ("[30, 14, 7, 1]", "[30, 0]", "warning_days[1]"),
        ("\"126.com\"", "\"localhost\"", "shared_mail_domains[0]"),
        ("\"126.com\"", "\"163.com\"", "shared_mail_domains[1]"),
        ("days = 60", "days = 0", "windows[0].days"),
        ("days = 60", "days = 3661", "windows[0].days"),
        ("from = 0001-01-01, days", "from = 0001-01-02, days", "windows"),
        ("days = 60 },", "days = 60 }, { from = 0001-01-01T01:00:00+01:00, days = 3 },", "windows[1].from"),
        ("days = 60 },", "days = 60 }, { from = 2025-01-01T00:00:00, days = 3 },", "windows[1].from"),
        ("days = 60 },", "days = 60 }, { from = 12:00:00, days = 3 },", "windows[1].from"),
        (EUR, "currency = \"EURO\", units_per_point = 75 ", "currency_units[6].currency"),
        (EUR, "currency = \"EUR\", units_per_point = 0 ", "currency_units[6].units_per_point"),
        (EUR, "currency = \"EUR\", units_per_point = -75 ", "currency_units[6].units_per_point"),
        (EUR, "currency = \"EUR\", units_per_point = 75.0 ", "currency_units[6].units_per_point"),
        (EUR, "currency = \"EUR\", units_per_point = \"much\" ", "currency_units[6].units_per_point"),
        (EUR, "currency = \"EUR\", units_per_point = \"0.0000001\" ", "currency_units[6].units_per_point"),
        (EUR, "currency = \"EUR\", units_per_point = 1000000000001 ", "currency_units[6].units_per_point"),
        (EUR, "currency = \"CAD\", units_per_point = 75 ", "currency_units[6].from"),
        ("multiplier = 2", "multiplier = 0", "growth_markets[0].multiplier"),
        ("\"IN\"", "\"XX\"", "growth_markets[0].countries[0]"),
        ("\"CN\"", "\"IN\"", "growth_markets[0].countries[1]"),
        ("tools = [\"campaign\"", "tools = [\"Campaign\"", "catalogue[14].tools[0]"),
        ("tools = [\"blog\"]", "tools = []", "catalogue[1].tools"),
        ("tools = [\"list\"]", "tools = [\"form\"]", "catalogue[6].tools[0].from"),
        ("not_qualifying = [\"draft\"", "not_qualifying = [\"publish\"", "catalogue[1].not_qualifying[0]"),
        ("not_qualifying = [\"draft\"", "not_qualifying = [\"Draft it\"", "catalogue[1].not_qualifying[0]"),
        ("system = \"CMS_AUDIT\"", "system = \"cms\"", "source_mapping[1].system"),
        ("system = \"CMS_AUDIT\"", "system = \"ACCOUNT_ACTIVITY\"", "source_mapping[1].from"),
        ("\"LOGIN/*/*\"", "\"LOGIN\"", "source_mapping[0].actions.\"LOGIN\""),
        ("\"LOGIN/*/*\"", "\"login/*/*\"", "source_mapping[0].actions.\"login/*/*\""),
        ("= \"account/login\"", "= \"account/logn\"", "source_mapping[0].actions.\"LOGIN/*/*\""),
        ("= \"account/login\"", "= \"login\"", "source_mapping[0].actions.\"LOGIN/*/*\""),
    ];
    for (from, to, place) in wrong {
        let found = violations(from, to);
        assert!(found.iter().any(|(entry, _)| entry == place), "{to}: {found:?}");
    }
    let minimum = |entry: &str| violations("minimum_activities = []", &format!("minimum_activities = [{{ {entry} }}]"));
    assert_eq!(minimum("from = 2025-01-01, tier = \"BRONZE\", minimum = 3")[0].0, "minimum_activities[0].tier");
    assert_eq!(minimum("from = 2025-01-01, tier = \"GOLD\", minimum = 0")[0].0, "minimum_activities[0].minimum");
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_what_would_be_right() {
    let document = changed("days = 60", "days = 4000").replacen("multiplier = 2", "multiplier = 101", 1);
    let document = document.replacen("units_per_point = 154", "units_per_point = \"1,5\"", 1);
    let error = Policy::parse(&document).expect_err("three entries are wrong");
    assert_eq!(
        error.to_string(),
        "the policy is not valid: windows[0].days: is 1 to 3660, not 4000; currency_units[2].units_per_point: is a \
         number above 0, at most 10^12, with at most 6 decimals, in quotes so that it stays exact; \
         growth_markets[0].multiplier: is 1 to 100, not 101"
    );
}

#[test]
fn the_largest_and_the_smallest_units_are_accepted() {
    for right in ["1000000000000", "\"0.000001\"", "\"1000000000000.000000\""] {
        let policy = policy_with("\"USD\", units_per_point = 100", &format!("\"USD\", units_per_point = {right}"));
        assert!(units(&policy, "USD", "2025-01-01T00:00:00Z").is_some(), "{right}");
    }
}

#[test]
fn a_document_of_another_form_is_refused_with_its_line() {
    let wrong = [
        ("days = 60", "days = 60, hours = 3", "unknown field `hours`"),
        ("days = 60", "days = \"many\"", "invalid type"),
        ("version = \"2025-07-15\"", "name = \"2025-07-15\"", "unknown field `name`"),
        ("warning_days = [30, 14, 7, 1]", "", "missing field `warning_days`"),
        ("client_closed = \"IMMEDIATE\"", "client_closed = \"MAYBE\"", "unknown variant `MAYBE`"),
        ("\"LOGIN/*/*\" = ", "\"LOGIN/LOGOUT/PERFORM\" = ", "duplicate key"),
    ];
    for (from, to, problem) in wrong {
        match Policy::parse(&changed(from, to)) {
            Err(PolicyError::Malformed(text)) => {
                assert!(text.contains("line ") && text.contains(problem), "{to}: {text}");
            }
            other => panic!("{to}: {other:?}"),
        }
    }
}

#[test]
fn a_document_may_have_a_mebibyte() {
    let padded = |bytes: usize| format!("{EMBEDDED_DOCUMENT}{}", "#".repeat(bytes - EMBEDDED_DOCUMENT.len()));
    assert!(Policy::parse(&padded(Policy::MAXIMUM_DOCUMENT_BYTES)).is_ok());
    let bytes = Policy::MAXIMUM_DOCUMENT_BYTES + 1;
    assert_eq!(Policy::parse(&padded(bytes)), Err(PolicyError::TooLarge { bytes }));
}
