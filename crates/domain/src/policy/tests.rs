//! What the embedded document says, and others that differ in a word.

mod listed;
mod occurred;
mod refusals;
mod tampered;

use super::testing::{changed, policy_with};
use super::*;
use crate::access::testing::at;

fn policy() -> Policy {
    Policy::embedded()
}

fn country(code: &str) -> CountryCode {
    code.parse().expect("a country")
}

fn units(policy: &Policy, code: &str, time: &str) -> Option<String> {
    let units = policy.units_per_point_at(code.parse().expect("a currency"), at(time));
    units.map(|units| units.to_string())
}

#[test]
fn the_embedded_document_is_valid() {
    let policy = Policy::parse(EMBEDDED_DOCUMENT).map_err(|error| error.to_string()).expect("a valid document");
    assert_eq!(policy.version(), "2025-07-15");
    assert_eq!(policy.warning_days(), [30, 14, 7, 1]);
    for cause in EndingCause::ALL {
        assert_eq!(policy.ending_effect(cause), EndingEffect::Immediate, "{cause}");
    }
}

#[test]
fn r54_the_window_is_sixty_days_and_the_one_in_force_at_the_occur_time() {
    assert_eq!(policy().window_days_at(at("0001-01-01T00:00:00Z")), 60);
    assert_eq!(policy().expire_time(at("2025-01-10T12:00:00Z")), at("2025-03-11T12:00:00Z"));
    let shorter = policy_with("days = 60 },", "days = 60 },\n    { from = 2025-02-01T12:00:00+01:00, days = 45 },");
    let expected = [("2025-02-01T10:59:59.999999Z", 60), ("2025-02-01T11:00:00Z", 45)];
    for (time, days) in expected {
        assert_eq!(shorter.window_days_at(at(time)), days);
        assert_eq!(shorter.expire_time(at(time)), at(time) + TimeDelta::days(i64::from(days)));
    }
}

#[test]
fn an_expiry_stays_within_the_year_9999() {
    assert_eq!(policy().expire_time(at("9999-11-01T23:59:59.999999Z")), at("9999-12-31T23:59:59.999999Z"));
    assert_eq!(policy().expire_time(at("9999-11-02T00:00:00Z")), at("9999-12-31T23:59:59.999999Z"));
    assert_eq!(policy().expire_time(at("9999-12-31T23:59:59.999999Z")), at("9999-12-31T23:59:59.999999Z"));
}

#[test]
fn r50_to_r53_the_catalogue_says_what_qualifies() {
    let expected = [
        ("blog", "publish", Qualification::Qualifying),
        ("blog", "update_published", Qualification::Qualifying),
        ("blog", "draft", Qualification::NotQualifying),
        ("blog", "preview", Qualification::NotQualifying),
        ("blog", "edit", Qualification::Unknown),
        ("marketing_email", "test_send", Qualification::NotQualifying),
        ("deal", "change_stage", Qualification::Qualifying),
        ("deal", "change_owner", Qualification::Qualifying),
        ("contact", "delete", Qualification::NotQualifying),
        ("contact", "archive", Qualification::NotQualifying),
        ("seo", "view", Qualification::NotQualifying),
        ("account", "login", Qualification::NotQualifying),
        ("account", "create", Qualification::Unknown),
        ("teleporter", "view", Qualification::Unknown),
        ("*", "view", Qualification::Unknown),
    ];
    for (tool, action, qualification) in expected {
        assert_eq!(policy().qualification(tool, action, at("2025-01-01T00:00:00Z")), qualification, "{tool}/{action}");
    }
}

#[test]
fn r50_to_r53_the_whole_table_of_the_catalogue_is_in_force() {
    let table = [
        ("blog", "publish update_published", "draft preview view"),
        ("website_page landing_page", "create edit publish", "view preview"),
        ("marketing_email", "create edit send schedule", "view test_send"),
        ("form cta chatflow", "create edit publish", "view"),
        ("workflow sequence", "create edit activate deactivate", "view enroll"),
        ("list", "create edit", "view export"),
        (
            "contact company deal ticket custom_object",
            "create edit merge change_stage change_owner",
            "view search export",
        ),
        ("note task meeting call one_to_one_email", "create log complete", "view"),
        ("property pipeline record_layout saved_view", "create edit", "view"),
        ("inbox", "reply change_status", "view"),
        ("knowledge_article survey", "create edit publish", "view"),
        ("ads", "create edit connect", "view"),
        ("social", "publish schedule create_stream edit_stream", "view"),
        ("campaign seo", "create edit associate", "view"),
        ("report dashboard", "create edit share", "view refresh"),
        ("quote product document template playbook meeting_link", "create edit publish", "view download"),
        ("cms hubdb file", "create edit publish upload", "view download"),
        ("account", "", "login open password_change user_administration"),
    ];
    let catalogue = policy().listed_actions(at("2025-01-01T00:00:00Z"));
    let of_tool = |tool: &str, qualification| -> BTreeSet<String> {
        let of_tool = catalogue.iter().filter(|listed| listed.action.tool() == tool);
        let alike = of_tool.filter(|listed| listed.qualification == qualification);
        alike.map(|listed| listed.action.action().to_owned()).collect()
    };
    let mut tools = BTreeSet::new();
    for (names, qualifying, not_qualifying) in table {
        for tool in names.split_whitespace() {
            let expected: BTreeSet<String> = qualifying.split_whitespace().map(str::to_owned).collect();
            assert_eq!(of_tool(tool, Qualification::Qualifying), expected, "{tool}");
            let known = of_tool(tool, Qualification::NotQualifying);
            for action in not_qualifying.split_whitespace().chain(["delete", "archive"]) {
                assert!(known.contains(action), "{tool}/{action}");
            }
            tools.insert(tool);
        }
    }
    assert_eq!(catalogue.iter().map(|listed| listed.action.tool()).collect::<BTreeSet<_>>(), tools);
}

#[test]
fn r63_the_catalogue_in_force_is_the_one_of_the_instant_and_a_tools_own_word_beats_the_general() {
    let later = policy_with(
        "[[catalogue]]\nfrom = 0001-01-01\ntools = [\"campaign",
        "[[catalogue]]\nfrom = 2025-02-01\ntools = [\"blog\"]\nqualifying = [\"draft\", \"view\"]\n\n\
         [[catalogue]]\nfrom = 0001-01-01\ntools = [\"campaign",
    );
    let of = |action, time| later.qualification("blog", action, at(time));
    assert_eq!(of("draft", "2025-01-31T23:59:59.999999Z"), Qualification::NotQualifying);
    assert_eq!(of("draft", "2025-02-01T00:00:00Z"), Qualification::Qualifying);
    assert_eq!(of("view", "2025-02-01T00:00:00Z"), Qualification::Qualifying);
    assert_eq!(of("publish", "2025-02-01T00:00:00Z"), Qualification::Unknown);
    assert_eq!(of("delete", "2025-02-01T00:00:00Z"), Qualification::NotQualifying);
}

#[test]
fn r60_a_sources_words_are_mapped_and_the_most_specific_entry_wins() {
    let mapped = |system, category, subcategory, action| {
        let source = SourceAction::new(system, category, subcategory, action).expect("a source's words");
        policy().map_source(&source, at("2025-01-01T00:00:00Z")).map(|action| action.to_string())
    };
    let account = |category, subcategory, action| mapped("ACCOUNT_ACTIVITY", category, subcategory, action);
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(account("CRM_OBJECT", "CONTACT", "CREATE"), is("contact/create"));
    assert_eq!(account("PROPERTY_VALUE", "CONTACT", "UPDATE"), is("contact/edit"));
    assert_eq!(account("PIPELINE", "DEAL", "UPDATE"), is("pipeline/edit"));
    assert_eq!(account("LOGIN", "LOGIN_SUCCEEDED", "PERFORM"), is("account/login"));
    assert_eq!(account("LOGIN", "LOGOUT", "PERFORM"), is("account/logout"));
    assert_eq!(account("LOGIN", "", "PERFORM"), is("account/login"));
    assert_eq!(account("CRITICAL_ACTION", "CONTACT_EXPORT", "PERFORM"), is("contact/export"));
    assert_eq!(account("CRITICAL_ACTION", "ANYTHING", "PERFORM"), is("account/security"));
    assert_eq!(account("CONTENT", "BLOG_POST", "PUBLISH"), is("blog/publish"));
    assert_eq!(account("CONTENT", "BLOG_POST", "UPDATE"), is("blog/draft"));
    assert_eq!(account("CRM_OBJECT", "NEVER_HEARD_OF", "CREATE"), None);
    assert_eq!(account("BLOG", "", "PUBLISHED"), None);
    assert_eq!(mapped("CMS_AUDIT", "BLOG", "", "PUBLISHED"), is("blog/publish"));
    assert_eq!(mapped("CMS_AUDIT", "BLOG", "", "UPDATED"), is("account/settings"));
    assert_eq!(mapped("CMS_AUDIT", "LANDING_PAGE", "", "UPDATED"), is("landing_page/edit"));
    assert_eq!(mapped("CMS_AUDIT", "HUBDB_TABLE", "", "UPDATED"), is("hubdb/edit"));
    assert_eq!(mapped("CMS_AUDIT", "DOMAIN", "", "CREATED"), is("account/settings"));
    assert_eq!(mapped("NO_SUCH_SYSTEM", "BLOG", "", "PUBLISHED"), None);
}

#[test]
fn r60_of_two_patterns_with_as_many_words_the_one_with_the_earlier_word_wins() {
    let both = policy_with(
        "\"LOGIN/*/*\" = \"account/login\"",
        "\"LOGIN/*/*\" = \"account/login\"\n\"X/*/C\" = \"blog/publish\"\n\"V/*/C\" = \"form/publish\"\n\"*/B/C\" = \"blog/draft\"\n\
         \"X/B/*\" = \"form/edit\"\n\"*/*/*\" = \"account/open\"",
    );
    let mapped = |category, subcategory, action| {
        let source = SourceAction::new("ACCOUNT_ACTIVITY", category, subcategory, action).expect("words");
        both.map_source(&source, at("2025-01-01T00:00:00Z")).map(|action| action.to_string())
    };
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(mapped("X", "B", "C"), is("form/edit"));
    assert_eq!(mapped("X", "D", "C"), is("blog/publish"));
    assert_eq!(mapped("V", "B", "C"), is("form/publish"));
    assert_eq!(mapped("Y", "B", "C"), is("blog/draft"));
    assert_eq!(mapped("Y", "D", "C"), is("account/open"));
}

#[test]
fn r37_shared_mail_providers_are_known() {
    for shared in ["gmail.com", "outlook.com", "libero.it"] {
        assert!(policy().is_shared_mail_domain(&shared.parse().expect("a domain")), "{shared}");
    }
    assert!(!policy().is_shared_mail_domain(&"agency.example".parse().expect("a domain")));
}

fn set(name: &str) -> PermissionSet {
    name.parse().expect("a permission set")
}

fn allowed(policy: &Policy, name: &str, time: &str) -> Option<Vec<ClientPermission>> {
    policy.client_permissions(&set(name), at(time)).map(|permissions| permissions.iter().collect())
}

#[test]
fn r27_r31_r36_the_permission_sets_are_named_and_say_what_they_allow() {
    use ClientPermission::{ApproveAccessLinks, ManageOwnEmployees, ManageUsers};
    let table: [(&str, &str, &[ClientPermission], bool); 8] = [
        ("MARKETING", "Marketing", &[], true),
        ("PARTNER_ADMIN", "Partner admin", &[ManageOwnEmployees], true),
        ("SALES", "Sales", &[], true),
        ("SERVICE", "Service", &[], true),
        ("STANDARD", "Standard", &[], true),
        ("SUPER_ADMIN", "Super admin", &[ManageUsers, ApproveAccessLinks], false),
        ("USER_ADMIN", "User admin", &[ApproveAccessLinks], false),
        ("VIEW_ONLY", "View only", &[], true),
    ];
    let policy = policy();
    let listed: Vec<_> = policy.permission_sets_at(at("0001-01-01T00:00:00Z")).collect();
    assert_eq!(listed.len(), table.len());
    for ((found, found_name, permissions), (name, display_name, expected, for_employees)) in
        listed.into_iter().zip(table)
    {
        assert_eq!((found, found_name), (&set(name), display_name));
        assert_eq!(permissions.iter().collect::<Vec<_>>(), expected, "{name}");
        assert_eq!(permissions.is_for_partner_employees(), for_employees, "{name}");
        assert_eq!(policy.client_permissions(found, at("2025-01-01T00:00:00Z")), Some(permissions));
    }
    assert_eq!(allowed(&policy, "NEVER_HEARD_OF", "2025-01-01T00:00:00Z"), None);
}

#[test]
fn r63_the_permission_sets_in_force_are_those_of_the_instant() {
    let entry = |from: &str, name: &str, display_name: &str, permissions: &str| {
        format!(
            "[[permission_sets]]\nfrom = {from}\nname = \"{name}\"\ndisplay_name = \"{display_name}\"\n\
             permissions = [{permissions}]\n\n"
        )
    };
    let more = [
        entry("2025-02-01", "STANDARD", "Base", ""),
        entry("2025-02-01", "TRAINEE", "Trainee", ""),
        entry("2025-03-01", "TRAINEE", "Trainee", "\"APPROVE_ACCESS_LINKS\""),
    ];
    let later = policy_with("[[growth_markets]]", &(more.concat() + "[[growth_markets]]"));
    let (before, from) = ("2025-01-31T23:59:59.999999Z", "2025-02-01T00:00:00Z");
    assert_eq!(allowed(&later, "TRAINEE", before), None);
    assert_eq!(allowed(&later, "TRAINEE", from), Some(vec![]));
    assert_eq!(allowed(&later, "TRAINEE", "2025-03-01T00:00:00Z"), Some(vec![ClientPermission::ApproveAccessLinks]));
    let name_of_standard = |time| {
        let mut sets = later.permission_sets_at(at(time));
        sets.find(|(found, ..)| **found == set("STANDARD")).map(|(_, name, _)| name.to_owned())
    };
    assert_eq!(name_of_standard(before).as_deref(), Some("Standard"));
    assert_eq!(name_of_standard(from).as_deref(), Some("Base"));
    assert_eq!(later.permission_sets_at(at(before)).count(), 8);
    assert_eq!(later.permission_sets_at(at(from)).count(), 9);
}

#[test]
fn r30_an_access_link_lives_thirty_days_where_nobody_says_otherwise() {
    assert_eq!(policy().access_link_days(), 30);
    for right in [1, Policy::MAXIMUM_ACCESS_LINK_DAYS] {
        let other = policy_with("access_link_days = 30", &format!("access_link_days = {right}"));
        assert_eq!(other.access_link_days(), right);
    }
}

#[test]
fn the_permissions_of_client_accounts_have_names_that_read_back() {
    for permission in ClientPermission::ALL {
        assert_eq!(permission.to_string().parse(), Ok(permission));
    }
    assert_eq!("VIEW".parse::<ClientPermission>(), Err(ClientPermissionError));
}

#[test]
fn r57_minimums_are_one_unless_a_tier_has_its_own() {
    let january = at("2025-01-01T00:00:00Z");
    assert_eq!(policy().minimum_activities_at(None, january), 1);
    assert_eq!(policy().minimum_activities_at(Some(Tier::Elite), january), 1);
    assert_eq!(policy().minimums_ever(), BTreeSet::from([1]));
    let with_minimums = policy_with(
        "minimum_activities = []",
        "minimum_activities = [\n{ from = 2025-01-01, tier = \"ELITE\", minimum = 3 },\n\
         { from = 2025-02-01, tier = \"ELITE\", minimum = 5 },\n{ from = 2025-02-01, tier = \"NONE\", minimum = 2 } ]",
    );
    let of = |tier, time| with_minimums.minimum_activities_at(tier, at(time));
    assert_eq!(of(Some(Tier::Elite), "2024-12-31T23:59:59.999999Z"), 1);
    assert_eq!(of(Some(Tier::Elite), "2025-01-01T00:00:00Z"), 3);
    assert_eq!(of(Some(Tier::Elite), "2025-02-01T00:00:00Z"), 5);
    assert_eq!(of(None, "2025-02-01T00:00:00Z"), 2);
    assert_eq!(of(Some(Tier::Gold), "2025-02-01T00:00:00Z"), 1);
    assert_eq!(with_minimums.minimums_ever(), BTreeSet::from([1, 2, 3, 5]));
}

#[test]
fn r90_units_per_point_are_those_of_the_table_on_both_sides_of_their_date() {
    let table = [
        ("USD", "100", "100"),
        ("AUD", "105", "154"),
        ("CAD", "130", "130"),
        ("COP", "300300", "408000"),
        ("EUR", "75", "88"),
        ("GBP", "62.5", "74"),
        ("JPY", "12000", "14400"),
        ("SGD", "140", "129"),
        ("ZAR", "1545", "1768"),
    ];
    for (code, before, after) in table {
        assert_eq!(units(&policy(), code, "2025-07-14T23:59:59.999999Z").as_deref(), Some(before), "{code}");
        assert_eq!(units(&policy(), code, "2025-07-15T00:00:00Z").as_deref(), Some(after), "{code}");
    }
    assert_eq!(units(&policy(), "CHF", "2025-07-15T00:00:00Z"), None);
}

#[test]
fn r90_growth_markets_double_the_points() {
    let january = at("2025-01-01T00:00:00Z");
    let growth = "IN CN MN KR BD BN KH HK ID LA MY MV MM NP PK PH LK SG TW TH TL VN AR BO BR CL CO CR CU DO EC GT HN MX \
                  NI PA PE PY SV UY VE";
    let policy = policy();
    for code in growth.split(' ') {
        assert_eq!(policy.multiplier_at(country(code), january), 2, "{code}");
        assert!(policy.is_growth_market_at(country(code), january), "{code}");
    }
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|first| letters().map(move |second| String::from_iter([first, second])));
    let countries = codes.filter_map(|code| code.parse().ok());
    assert_eq!(countries.filter(|code| policy.is_growth_market_at(*code, january)).count(), 41);
    assert_eq!(policy.multiplier_at(country("IT"), january), 1);
    let later = policy_with("[[growth_markets]]\nfrom = 0001-01-01", "[[growth_markets]]\nfrom = 2025-02-01");
    assert_eq!(later.multiplier_at(country("IN"), january), 1);
    assert_eq!(later.multiplier_at(country("IN"), at("2025-02-01T00:00:00Z")), 2);
}

#[test]
fn r98_currencies_are_listed_with_what_they_convert_to_and_since_when() {
    let policy = policy();
    let listed = |time: &str| -> Vec<String> {
        policy.currency_units_at(at(time)).map(|(code, units)| format!("{code} {units}")).collect()
    };
    let before =
        ["AUD 105", "CAD 130", "COP 300300", "EUR 75", "GBP 62.5", "JPY 12000", "SGD 140", "USD 100", "ZAR 1545"];
    assert_eq!(listed("2025-07-14T23:59:59.999999Z"), before);
    let after = ["AUD 154", "CAD 130", "COP 408000", "EUR 88", "GBP 74", "JPY 14400", "SGD 129", "USD 100", "ZAR 1768"];
    assert_eq!(listed("2025-07-15T00:00:00Z"), after);
    let since = |code: &str, time| policy.units_per_point_since(code.parse().expect("a currency"), at(time));
    assert_eq!(since("EUR", "2025-07-14T23:59:59.999999Z"), None);
    assert_eq!(since("EUR", "2025-07-15T00:00:00Z"), Some(at("2025-07-15T00:00:00Z")));
    assert_eq!(since("USD", "2025-07-15T00:00:00Z"), None);
    assert_eq!(since("CHF", "2025-07-15T00:00:00Z"), None);
}

#[test]
fn r93_sales_count_for_the_months_in_force_at_their_close_within_the_year_9999() {
    let policy = policy_with("months = 12 },", "months = 12 }, { from = 2025-06-01, months = 6 },");
    for (closed, end) in [
        ("2025-05-31T23:59:59.999999Z", "2026-05-31T23:59:59.999999Z"),
        ("2025-06-01T00:00:00Z", "2025-12-01T00:00:00Z"),
        ("9999-12-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
    ] {
        assert_eq!(policy.sold_credit_end(at(closed)), at(end), "{closed}");
    }
}

#[test]
fn a_relationship_is_announced_as_expiring_from_the_largest_of_the_warning_days_on() {
    assert_eq!((policy().warning_days(), policy().longest_warning_days()), (&[30, 14, 7, 1][..], 30));
    assert_eq!(policy_with("[30, 14, 7, 1]", "[7]").longest_warning_days(), 7);
}

#[test]
fn r99_the_document_says_whether_its_thresholds_are_official() {
    assert!(!policy().tier_thresholds_official());
    assert!(
        policy_with("tier_thresholds_official = false", "tier_thresholds_official = true").tier_thresholds_official()
    );
}

#[test]
fn the_digests_are_of_the_meaning() {
    let plain = policy();
    assert_eq!(plain.document(), EMBEDDED_DOCUMENT);
    assert_eq!(plain.digest().len(), 64);
    assert!(plain.digest().bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()));
    let same_meaning = [
        ("# The policy", "# Another comment"),
        ("\"62.50\"", "\"62.5\""),
        ("from = 0001-01-01, days", "from = 0001-01-01T00:00:00Z,    days"),
        ("[\"MANAGE_USERS\", \"APPROVE_ACCESS_LINKS\"]", "[\"APPROVE_ACCESS_LINKS\", \"MANAGE_USERS\"]"),
        ("[\"create\", \"edit\", \"associate\"]", "[\"edit\", \"associate\", \"create\"]"),
    ];
    for (from, to) in same_meaning {
        assert_eq!(policy_with(from, to).digest(), plain.digest(), "{to}");
    }
    let only_other_meaning = [
        ("units_per_point = 154", "units_per_point = 155"),
        ("\"IN\",", ""),
        ("multiplier = 2", "multiplier = 3"),
        ("[30, 14, 7, 1]", "[30, 14, 7]"),
        ("\"126.com\", ", ""),
        ("access_link_days = 30", "access_link_days = 31"),
        ("display_name = \"Sales\"", "display_name = \"Selling\""),
        ("name = \"SALES\"", "name = \"SELLING\""),
        ("permissions = [\"APPROVE_ACCESS_LINKS\"]", "permissions = []"),
        ("version = \"2025-07-15\"", "version = \"2025-07-16\""),
    ];
    for (from, to) in only_other_meaning {
        assert_ne!(policy_with(from, to).digest(), plain.digest(), "{to}");
        assert_eq!(policy_with(from, to).activity_digest(), plain.activity_digest(), "{to}");
    }
    let activity_meaning = [
        ("days = 60", "days = 59"),
        ("\"update_published\"", "\"update\""),
        ("qualifying = [\"publish\", \"update_published\"]", "qualifying = [\"publish\"]"),
        ("= \"contact/merge\"", "= \"contact/edit\""),
        ("\"SECURITY/*/*\"", "\"SECURE/*/*\""),
        ("client_closed = \"IMMEDIATE\"", "client_closed = \"LAPSE\""),
        ("minimum_activities = []", "minimum_activities = [{ from = 2025-01-01, tier = \"ELITE\", minimum = 3 }]"),
    ];
    for (from, to) in activity_meaning {
        assert_ne!(policy_with(from, to).digest(), plain.digest(), "{to}");
        assert_ne!(policy_with(from, to).activity_digest(), plain.activity_digest(), "{to}");
    }
    let which_tier = |tier| {
        let entry = format!("minimum_activities = [{{ from = 2025-01-01, tier = \"{tier}\", minimum = 3 }}]");
        policy_with("minimum_activities = []", &entry)
    };
    assert_eq!(which_tier("GOLD").activity_digest(), which_tier("ELITE").activity_digest());
    assert_ne!(which_tier("GOLD").digest(), which_tier("ELITE").digest());
}
