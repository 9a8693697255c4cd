//! The catalogue as a list, with since when and until when each line holds.

use super::*;

/// From February on, blog says something else; from March on, so does what holds for all tools; from April on, a source
/// has other words for publishing.
fn dated() -> Policy {
    let entries = "[[catalogue]]\nfrom = 2025-02-01\ntools = [\"blog\"]\nqualifying = [\"publish\", \"view\"]\n\n\
                   [[catalogue]]\nfrom = 2025-03-01\ntools = [\"*\"]\nnot_qualifying = [\"view\", \"print\"]\n\n\
                   [[catalogue]]\nfrom = 2025-03-15\ntools = [\"podcast\"]\nqualifying = [\"record\"]\n\n\
                   [[source_mapping]]\nfrom = 2025-04-01\nsystem = \"CMS_AUDIT\"\n[source_mapping.actions]\n\
                   \"BLOG/*\" = \"blog/publish\"\n\"*/*/BLOG\" = \"blog/publish\"\n\n\
                   [[catalogue]]\nfrom = 0001-01-01\ntools = [\"campaign";
    policy_with("[[catalogue]]\nfrom = 0001-01-01\ntools = [\"campaign", entries)
}

/// Since when and until when the list of an instant says that of an action.
fn line(policy: &Policy, action: &str, time: &str) -> Option<(Qualification, Option<Instant>, Option<Instant>)> {
    let action = action.parse().expect("an action");
    let listed = policy.listed_actions(at(time)).into_iter().find(|listed| listed.action == action)?;
    Some((listed.qualification, listed.since, listed.until))
}

fn patterns(policy: &Policy, action: &str, time: &str) -> Vec<String> {
    let action = action.parse().expect("an action");
    let listed = policy.listed_actions(at(time)).into_iter().find(|listed| listed.action == action);
    listed.expect("the action is listed").source_patterns
}

use Qualification::{NotQualifying, Qualifying};

#[test]
fn r50_an_action_that_has_always_been_known_has_no_beginning_and_without_another_entry_no_end() {
    let time = "2025-01-10T12:00:00Z";
    assert_eq!(line(&policy(), "blog/publish", time), Some((Qualifying, None, None)));
    assert_eq!(line(&policy(), "blog/draft", time), Some((NotQualifying, None, None)));
    assert_eq!(line(&policy(), "blog/view", time), Some((NotQualifying, None, None)));
    assert_eq!(line(&policy(), "blog/juggle", time), None);
}

#[test]
fn r63_a_tools_own_line_holds_from_its_entry_until_the_next_of_that_tool() {
    let february = Some(at("2025-02-01T00:00:00Z"));
    let of = |action, time| line(&dated(), action, time);
    assert_eq!(of("blog/publish", "2025-01-31T23:59:59.999999Z"), Some((Qualifying, None, february)));
    assert_eq!(of("blog/publish", "2025-02-01T00:00:00Z"), Some((Qualifying, february, None)));
    assert_eq!(of("blog/draft", "2025-01-31T23:59:59.999999Z"), Some((NotQualifying, None, february)));
    assert_eq!(of("blog/draft", "2025-02-01T00:00:00Z"), None);
    // What holds for all tools says otherwise from March on, but the tool's own word stays.
    assert_eq!(of("blog/view", "2025-03-02T00:00:00Z"), Some((Qualifying, february, None)));
}

#[test]
fn r63_a_line_for_all_tools_holds_while_it_is_in_force_together_with_the_tools_own_entry() {
    let [february, march, mid_march] =
        ["2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z", "2025-03-15T00:00:00Z"].map(|time| Some(at(time)));
    let of = |action, time| line(&dated(), action, time);
    assert_eq!(of("blog/delete", "2025-01-10T12:00:00Z"), Some((NotQualifying, None, february)));
    assert_eq!(of("blog/delete", "2025-02-01T00:00:00Z"), Some((NotQualifying, february, march)));
    assert_eq!(of("blog/delete", "2025-03-01T00:00:00Z"), None);
    assert_eq!(of("blog/print", "2025-03-01T00:00:00Z"), Some((NotQualifying, march, None)));
    assert_eq!(of("form/print", "2025-02-28T23:59:59.999999Z"), None);
    assert_eq!(of("podcast/print", "2025-03-14T23:59:59.999999Z"), None);
    assert_eq!(of("podcast/print", "2025-03-15T00:00:00Z"), Some((NotQualifying, mid_march, None)));
}

#[test]
fn r60_a_line_names_the_words_of_sources_that_mean_it_then() {
    let before = patterns(&dated(), "blog/publish", "2025-03-31T23:59:59.999999Z");
    assert_eq!(
        before,
        ["ACCOUNT_ACTIVITY CONTENT/BLOG_POST/PUBLISH", "CMS_AUDIT BLOG/PUBLISHED", "CMS_AUDIT BLOG_POST/PUBLISHED"]
    );
    let after = patterns(&dated(), "blog/publish", "2025-04-01T00:00:00Z");
    assert_eq!(after, ["ACCOUNT_ACTIVITY CONTENT/BLOG_POST/PUBLISH", "CMS_AUDIT */*/BLOG", "CMS_AUDIT BLOG/*"]);
    assert_eq!(patterns(&policy(), "account/login", "2025-01-10T12:00:00Z"), ["ACCOUNT_ACTIVITY LOGIN/*/*"]);
    assert_eq!(patterns(&policy(), "inbox/reply", "2025-01-10T12:00:00Z"), Vec::<String>::new());
}

#[test]
fn the_list_is_in_the_order_of_tool_and_action_and_says_what_the_catalogue_says() {
    let policy = dated();
    for time in ["0001-01-01T00:00:00Z", "2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z", "2025-05-01T00:00:00Z"] {
        let listed = policy.listed_actions(at(time));
        assert!(listed.is_sorted_by(|one, other| one.action < other.action), "in order, none twice");
        for each in &listed {
            let (tool, action) = (each.action.tool(), each.action.action());
            assert_eq!(policy.qualification(tool, action, at(time)), each.qualification, "{}", each.action);
            // It has said so since then, and until then.
            let since = each.since.unwrap_or(at("0001-01-01T00:00:00Z"));
            assert_eq!(policy.qualification(tool, action, since), each.qualification, "{}", each.action);
            assert!(since <= at(time) && each.until.is_none_or(|until| at(time) < until), "{}", each.action);
            let qualifying: Vec<_> = policy.qualifying_actions(tool, at(time)).collect();
            assert_eq!(qualifying.contains(&each.action), each.qualification == Qualifying, "{}", each.action);
        }
    }
    let examples: Vec<_> = policy.qualifying_example_of_each_tool(at("2025-03-15T00:00:00Z")).collect();
    assert!(examples.contains(&"podcast/record".parse().expect("an action")));
    assert!(examples.iter().all(|example| example.tool() != "account"));
}
