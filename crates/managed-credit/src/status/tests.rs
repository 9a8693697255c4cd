use contracts::wire::maintenance::{FollowedFeed, FollowingState, Rejudging};

use super::*;

fn status(revision: &str, followed: &[(&str, &str, FollowingState)], digest: &str) -> GetStatusResponse {
    let feed = |(copied, settled, state): &(&str, &str, FollowingState)| FollowedFeed {
        revision: (*copied).to_owned(),
        settled_revision: (*settled).to_owned(),
        state: (*state).into(),
        ..FollowedFeed::default()
    };
    GetStatusResponse {
        revision: revision.to_owned(),
        followed_feeds: followed.iter().map(feed).collect(),
        policy_version: "2025-07".to_owned(),
        policy_digest: digest.to_owned(),
        ..GetStatusResponse::default()
    }
}

/// activity-tracking has copied all, and judges again; of credit-calculation's two copies one is behind, one diverged.
fn answers() -> Vec<Answer> {
    let access = status("access-57", &[], "a");
    let judging = Rejudging { waiting_tasks: 2, done: 500, oldest_time: None };
    let activity = status("servicing-12", &[("access-57", "access-50", FollowingState::Open)], "a");
    let activity = GetStatusResponse { rejudging: Some(judging), provisional_activities: 3, ..activity };
    let both = [
        ("access-55", "access-55", FollowingState::Interrupted),
        ("servicing-20", "servicing-20", FollowingState::Diverged),
    ];
    let credit = status("credit-9", &both, "a");
    vec![(Part::Access, Ok(access)), (Part::Activity, Ok(activity)), (Part::Credit, Ok(credit))]
}

fn printed(answers: &[Answer]) -> String {
    let mut out = Vec::new();
    write_table(&services(answers), Width::Fixed, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("text")
}

#[test]
fn every_feed_that_is_followed_is_a_row_with_how_far_it_is_behind() {
    insta::assert_snapshot!(printed(&answers()));
}

#[test]
fn a_service_that_is_away_is_a_row_and_how_far_others_are_behind_it_is_not_known() {
    let mut answers = answers();
    answers[0] = (Part::Access, Err("access-management does not answer at http://127.0.0.1:1.".to_owned()));
    insta::assert_snapshot!(printed(&answers));
}

#[test]
fn different_policies_are_told() {
    let mut answers = answers();
    assert!(printed(&answers).contains("All work by policy"));
    answers[0] = (Part::Access, Ok(status("access-57", &[], "b")));
    assert!(printed(&answers).contains("different policies"));
}

#[test]
fn only_services_that_answer_and_follow_what_they_should_are_well() {
    let mut answers = answers();
    let unwell = |answers: &[Answer]| require_well(&services(answers)).err().map(|error| error.to_string());
    assert!(unwell(&answers).is_some_and(|error| error.ends_with(": credit-calculation")));
    answers.truncate(2);
    assert_eq!(unwell(&answers), None, "what waits is no fault");
    answers.push((Part::Credit, Err("It is away.".to_owned())));
    assert!(unwell(&answers).is_some_and(|error| error.ends_with(": credit-calculation")));
}
