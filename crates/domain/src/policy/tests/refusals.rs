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
        ("access_link_days = 30", "access_link_days = 0", "access_link_days"),
        ("access_link_days = 30", "access_link_days = 366", "access_link_days"),
        ("name = \"SALES\"", "name = \"Sales\"", "permission_sets[3].name"),
        ("name = \"SALES\"", "name = \"MARKETING\"", "permission_sets[3].from"),
        ("display_name = \"Sales\"", "display_name = \"\"", "permission_sets[3].display_name"),
        ("display_name = \"Sales\"", "display_name = \" Sales\"", "permission_sets[3].display_name"),
        ("display_name = \"Sales\"", "display_name = \"Sa\\tles\"", "permission_sets[3].display_name"),
        ("[\"APPROVE_ACCESS_LINKS\"]", "[\"APPROVE\"]", "permission_sets[6].permissions[0]"),
        (
            "[\"APPROVE_ACCESS_LINKS\"]",
            "[\"APPROVE_ACCESS_LINKS\", \"APPROVE_ACCESS_LINKS\"]",
            "permission_sets[6].permissions[1]",
        ),
        (
            "[\"APPROVE_ACCESS_LINKS\"]",
            "[\"APPROVE_ACCESS_LINKS\", \"MANAGE_OWN_EMPLOYEES\"]",
            "permission_sets[6].permissions",
        ),
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
        ("sourced = 5,", "sourced = 0,", "sold_points[0].sourced"),
        ("assisted = 3 ", "assisted = 101 ", "sold_points[0].assisted"),
        ("from = 0001-01-01, sourced", "from = 0001-01-02, sourced", "sold_points"),
        ("months = 12", "months = 0", "sold_credit_months[0].months"),
        ("months = 12", "months = 121", "sold_credit_months[0].months"),
        ("from = 0001-01-01, months", "from = 0001-01-02, months", "sold_credit_months"),
        ("total = 123,", "total = -1,", "tier_thresholds[0].total"),
        ("total = 123,", "total = 1000000001,", "tier_thresholds[0].total"),
        ("total = 123,", "total = \"123.001\",", "tier_thresholds[0].total"),
        ("total = 123,", "total = 123.0,", "tier_thresholds[0].total"),
        ("total = 123, sold = 63", "total = 123, sold = \"much\"", "tier_thresholds[0].sold"),
        ("tier = \"GOLD\", total = 123", "tier = \"BRONZE\", total = 123", "tier_thresholds[0].tier"),
        ("from = 2025-07-15, tier = \"GOLD\"", "from = 0001-01-01, tier = \"GOLD\"", "tier_thresholds[1].from"),
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
fn r27_r31_the_sets_that_the_matrix_of_permissions_speaks_of_are_there_and_allow_what_it_says() {
    let is_found = |from: &str, to: &str, problem: &str| {
        let found = violations(from, to);
        assert!(found.contains(&("permission_sets".to_owned(), problem.to_owned())), "{to}: {found:?}");
    };
    for name in ["STANDARD", "PARTNER_ADMIN", "SUPER_ADMIN"] {
        let entry = format!("0001-01-01\nname = \"{name}\"");
        let needed = format!("needs an entry for {name} from 0001-01-01 on");
        is_found(&entry, &entry.replace("0001", "0002"), &needed);
        is_found(&entry, &entry.replace(name, "ANOTHER"), &needed);
    }
    const MORE: &str = "[[growth_markets]]";
    let another = |name, permissions| {
        format!(
            "[[permission_sets]]\nfrom = 2030-01-01\nname = \"{name}\"\ndisplay_name = \"X\"\n\
             permissions = [{permissions}]\n\n{MORE}"
        )
    };
    let exactly = |name, permissions| format!("{name} always allows exactly [{permissions}]");
    is_found(MORE, &another("STANDARD", "\"APPROVE_ACCESS_LINKS\""), &exactly("STANDARD", ""));
    is_found(MORE, &another("PARTNER_ADMIN", ""), &exactly("PARTNER_ADMIN", "MANAGE_OWN_EMPLOYEES"));
    is_found(MORE, &another("PARTNER_ADMIN", "\"MANAGE_USERS\""), &exactly("PARTNER_ADMIN", "MANAGE_OWN_EMPLOYEES"));
    let of_super_admin = exactly("SUPER_ADMIN", "MANAGE_USERS, APPROVE_ACCESS_LINKS");
    is_found(MORE, &another("SUPER_ADMIN", "\"MANAGE_USERS\""), &of_super_admin);
}

#[test]
fn a_display_name_of_a_permission_set_has_at_most_a_hundred_characters() {
    let longest = "\u{e8}".repeat(100);
    policy_with("display_name = \"Sales\"", &format!("display_name = \"{longest}\""));
    let longer = format!("display_name = \"{longest}e\"");
    assert_eq!(violations("display_name = \"Sales\"", &longer)[0].0, "permission_sets[3].display_name");
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
fn a_document_of_another_form_is_refused_without_its_long_line() {
    for (document, expected) in [
        (format!("version = \"2025-07-15\"\n{} oops", "x".repeat(10_000)), "line 2, column 10002: "),
        ("x = [\n1, 2,\n\u{202e}]".to_owned(), "line 3, column 1: "),
    ] {
        let Err(PolicyError::Malformed(text)) = Policy::parse(&document) else { panic!("{document} is read") };
        assert!(text.starts_with(expected) && text.len() < 200, "{text}");
    }
}

#[test]
fn a_document_may_have_a_mebibyte() {
    let padded = |bytes: usize| format!("{EMBEDDED_DOCUMENT}{}", "#".repeat(bytes - EMBEDDED_DOCUMENT.len()));
    assert!(Policy::parse(&padded(Policy::MAXIMUM_DOCUMENT_BYTES)).is_ok());
    let bytes = Policy::MAXIMUM_DOCUMENT_BYTES + 1;
    assert_eq!(Policy::parse(&padded(bytes)), Err(PolicyError::TooLarge { bytes }));
}

#[test]
fn r99_all_tiers_have_thresholds_or_none_and_a_higher_one_needs_at_least_what_a_lower_one_does() {
    let of_ladder = |from: &str, to: &str| -> Vec<String> {
        let found = violations(from, to).into_iter();
        found.map(|(entry, problem)| if entry == "tier_thresholds" { problem } else { panic!("{entry}") }).collect()
    };
    let late = of_ladder("from = 0001-01-01, tier = \"ELITE\"", "from = 0001-01-02, tier = \"ELITE\"");
    assert_eq!(late, ["needs an entry for ELITE from 0001-01-01 on"]);
    let less = of_ladder(
        "tier = \"PLATINUM\", total = 328, sourced = \"112.5\", managed",
        "tier = \"PLATINUM\", total = 128, managed",
    );
    assert_eq!(less, ["from 2025-07-15 on PLATINUM needs less than GOLD"]);
    policy_with("total = 840, sourced = 300 }", "total = 328, sourced = \"112.50\" }");

    let (before, after) = EMBEDDED_DOCUMENT.split_once("tier_thresholds = [").expect("the thresholds");
    let (_, after) = after.split_once("]\n").expect("their end");
    let without = Policy::parse(&format!("{before}tier_thresholds = []\n{after}")).expect("a valid document");
    assert_eq!(without.tier_threshold_at(Tier::Gold, at("2026-01-15T00:00:00Z")), None);
}

#[test]
fn the_largest_and_the_smallest_points_of_a_tier_are_accepted() {
    for (from, to, tier, hundredths) in [
        ("total = 123, sold = 63, managed = 60", "total = 0", Tier::Gold, 0),
        ("total = 123, sold = 63, managed = 60", "total = \"0.01\"", Tier::Gold, 1),
        ("total = 3650,", "total = \"1000000000.00\",", Tier::Elite, 100_000_000_000),
    ] {
        let policy = policy_with(from, to);
        let threshold = policy.tier_threshold_at(tier, at("2025-01-01T00:00:00Z")).expect("a threshold");
        assert_eq!(threshold.total.0, hundredths, "{to}");
    }
}
