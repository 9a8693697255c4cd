//! How a relationship that is over, or that goes on without its people, is told.

use super::*;

#[test]
fn a_lapse_names_the_instant_the_last_activity_and_what_brings_the_credit_back() {
    let explanation = Story::default().explain("2025-04-01T00:00:00Z");
    assert_eq!(
        explanation.headline,
        "Rossi S.r.l. stopped counting for you on 11 March 2025 at 12:00 UTC: the last qualifying activity (blog \
         publish by Anna Bianchi on 10 January 2025) reached its 60 days and nobody worked there since."
    );
    assert_eq!(remedy(&explanation), ANNA_WORKS);
    let loss = explanation.loss.as_ref().expect("it was lost");
    assert_eq!((loss.time, loss.cause), (at("2025-03-11T12:00:00Z"), LossCause::Lapsed));
    assert_eq!(loss.activities.len(), 1);
    // People are as they should be; what expired is the first thing that fails, since that instant.
    let expected = [ConditionKind::NotExpired, ConditionKind::ActivityMinimum];
    assert_eq!(statuses(&explanation, ConditionStatus::Failed), expected);
    let not_expired = condition(&explanation, ConditionKind::NotExpired);
    assert_eq!(not_expired.since, Some(at("2025-03-11T12:00:00Z")));
    assert_eq!(not_expired.statement, "The last of what was done there expired on 11 March 2025 at 12:00 UTC.");
    assert_eq!(not_expired.help.as_deref(), Some(ANNA_WORKS));
}

#[test]
fn example_01_the_credit_is_explained_on_both_sides_of_the_instant_at_which_it_lapses() {
    let before = Story::default().explain("2025-03-11T11:59:59Z");
    assert_eq!(
        before.headline,
        "Rossi S.r.l. has counted for you since 10 January 2025 at 12:00 UTC: 1000.00 USD of managed credit and 10.00 \
         points; it expires on 11 March 2025 at 12:00 UTC unless one of your people does qualifying work there before."
    );
    assert_eq!((before.loss.as_ref(), before.remedy.aim), (None, RemedyAim::Keep));
    assert_eq!(statuses(&before, ConditionStatus::Passed), ConditionKind::ALL);
    assert!(before.conditions.iter().all(|condition| condition.help.is_none()));
    let at_the_instant = Story::default().explain("2025-03-11T12:00:00Z");
    assert_eq!(remedy(&at_the_instant), ANNA_WORKS);
    let shown = &condition(&at_the_instant, ConditionKind::NotExpired).evidence[0].text;
    assert_eq!(shown, "blog publish by Anna Bianchi on 10 January 2025 expired on 11 March 2025 at 12:00 UTC");
    assert_eq!(at_the_instant.loss.map(|loss| loss.time), Some(at("2025-03-11T12:00:00Z")));
}

#[test]
fn work_that_did_not_count_after_the_last_that_did_is_not_called_idleness() {
    let story = Story { not_counted: vec![activity("blog", "draft", "2025-03-01T09:00:00Z")], ..Story::default() };
    let explanation = story.explain("2025-04-01T00:00:00Z");
    assert!(explanation.headline.ends_with("reached its 60 days and nobody did anything there that counts since."));
    let at_once = Story { not_counted: vec![activity("blog", "draft", "2025-01-10T12:00:00Z")], ..Story::default() };
    let headline = at_once.explain("2025-04-01T00:00:00Z").headline;
    assert!(headline.ends_with("reached its 60 days and nobody worked there since."), "{headline}");
    let evidence = &condition(&explanation, ConditionKind::QualifyingActivity).evidence;
    assert_eq!(
        evidence.iter().map(|evidence| evidence.text.as_str()).collect::<Vec<_>>(),
        [
            "blog publish by Anna Bianchi on 10 January 2025 qualified, for 60 days",
            "blog draft by Anna Bianchi on 1 March 2025 does not count: this kind of action does not qualify",
        ]
    );
}

#[test]
fn example_14_the_removal_of_everybody_ends_it_at_once_and_says_who_must_be_added() {
    let mut removed = anna();
    removed.user_state = ClientUserState::Removed;
    removed.user_state_since = Some(at("2025-02-20T08:00:00Z"));
    removed.user_since = None;
    removed.assignment = None;
    let story = Story {
        people: vec![removed],
        endings: vec![("2025-02-20T08:00:00Z", EndingCause::AllEmployeesRemoved)],
        ..Story::default()
    };
    let explanation = story.explain("2025-03-01T00:00:00Z");
    assert_eq!(
        explanation.headline,
        "Rossi S.r.l. stopped counting for you on 20 February 2025 at 08:00 UTC: the last of your people there was \
         removed from its account."
    );
    assert_eq!(
        remedy(&explanation),
        "A Partner admin or a super admin of Rossi S.r.l. adds Anna Bianchi as a user there. The client is then \
         assigned by itself, by the employee e-mail domain. After that, any qualifying activity, for example publishing \
         a blog post or editing a form, brings the credit back from that instant."
    );
    assert_eq!(first_failed(&explanation), Some(ConditionKind::UserInClient));
    let in_client = condition(&explanation, ConditionKind::UserInClient);
    assert_eq!(in_client.since, Some(at("2025-02-20T08:00:00Z")));
    assert_eq!(
        in_client.evidence[0].text,
        "Anna Bianchi (anna@agency.example): removed there since 20 February 2025 at 08:00 UTC"
    );
    let not_ended = condition(&explanation, ConditionKind::NotEnded);
    assert_eq!((not_ended.status, not_ended.since), (ConditionStatus::Failed, Some(at("2025-02-20T08:00:00Z"))));
    assert_eq!(condition(&explanation, ConditionKind::NotExpired).status, ConditionStatus::Passed);
    let loss = explanation.loss.expect("it was lost");
    assert_eq!(loss.cause, LossCause::Ended(EndingCause::AllEmployeesRemoved));
    assert_eq!(loss.activities.len(), 1);
}

#[test]
fn r73_what_is_done_at_the_very_instant_of_an_ending_is_not_lost_by_it() {
    let counted = ["2025-01-10T12:00:00Z", "2025-01-15T12:00:00Z", "2025-02-01T00:00:00Z"];
    let story = Story {
        counted: counted.map(|time| story::counted(("form", "edit", time))).to_vec(),
        endings: vec![("2025-02-01T00:00:00Z", EndingCause::ServicesEnded)],
        minimum_activities: 2,
        ..Story::default()
    };
    let loss = story.explain("2025-02-01T00:00:00Z").loss.expect("one activity is too few");
    assert_eq!(loss.cause, LossCause::Ended(EndingCause::ServicesEnded));
    let lost: Vec<_> = loss.activities.iter().map(|counted| counted.activity.occur_time).collect();
    assert_eq!(lost, [at("2025-01-15T12:00:00Z"), at("2025-01-10T12:00:00Z")]);
}

#[test]
fn example_15_what_a_deactivated_employee_did_goes_on_counting_and_the_conditions_say_so() {
    let mut deactivated = anna();
    deactivated.user_state = ClientUserState::Deactivated;
    deactivated.user_state_since = Some(at("2025-01-20T00:00:00Z"));
    let story = Story { people: vec![deactivated], ..Story::default() };
    let earning = story.explain("2025-02-01T00:00:00Z");
    assert_eq!(earning.remedy.aim, RemedyAim::Keep);
    let active = condition(&earning, ConditionKind::UserActive);
    assert_eq!(active.status, ConditionStatus::Passed);
    assert_eq!(
        active.statement,
        "It was so for the work that still counts (blog publish by Anna Bianchi on 10 January 2025); it is so for \
         nobody now, which matters for new work only."
    );

    let lapsed = story.explain("2025-04-01T00:00:00Z");
    assert_eq!(first_failed(&lapsed), Some(ConditionKind::UserActive));
    assert_eq!(condition(&lapsed, ConditionKind::UserInClient).since, Some(at("2025-01-02T09:00:00Z")));
    let active = condition(&lapsed, ConditionKind::UserActive);
    assert_eq!(active.since, Some(at("2025-01-20T00:00:00Z")));
    assert_eq!(active.statement, "The user of Anna Bianchi at Rossi S.r.l. is deactivated.");
    assert!(remedy(&lapsed).starts_with("A Partner admin or a super admin of Rossi S.r.l. reactivates Anna Bianchi:"));
}

#[test]
fn r76_a_partner_that_left_and_a_client_that_closed_are_told_what_cannot_be_mended() {
    let left = Story {
        programme: Some(Period::between(at("2024-01-01T00:00:00Z"), at("2025-02-01T00:00:00Z"))),
        endings: vec![("2025-02-01T00:00:00Z", EndingCause::PartnerLeft)],
        ..Story::default()
    };
    let explanation = left.explain("2025-02-01T00:00:00Z");
    let in_programme = condition(&explanation, ConditionKind::PartnerInProgramme);
    assert_eq!(in_programme.statement, "Your company has left the programme.");
    assert_eq!(in_programme.since, Some(at("2025-02-01T00:00:00Z")));
    let endings: Vec<_> = condition(&explanation, ConditionKind::NotEnded).evidence.iter().collect();
    assert_eq!(endings.len(), 1);
    assert_eq!(endings[0].text, "your company left the programme on 1 February 2025 at 00:00 UTC");
    assert!(explanation.headline.ends_with("on 1 February 2025 at 00:00 UTC: your company left the programme."));
    assert_eq!(first_failed(&explanation), Some(ConditionKind::PartnerInProgramme));
    assert!(remedy(&explanation).starts_with("Ask the programme to take your company in:"));

    let not_yet = Story { programme: Some(Period::since(at("2025-03-01T00:00:00Z"))), ..Story::default() };
    let explanation = not_yet.explain("2025-02-28T23:59:59.999999Z");
    let in_programme = condition(&explanation, ConditionKind::PartnerInProgramme);
    assert_eq!(in_programme.statement, "Your company had not joined the programme yet.");
    assert_eq!((in_programme.status, in_programme.since), (ConditionStatus::Failed, None));
    let joined = not_yet.explain("2025-03-01T00:00:00Z");
    assert_eq!(condition(&joined, ConditionKind::PartnerInProgramme).status, ConditionStatus::Passed);

    let closed = Story {
        closed_time: Some(at("2025-02-01T00:00:30Z")),
        endings: vec![("2025-02-01T00:00:30Z", EndingCause::ClientClosed)],
        ..Story::default()
    };
    let explanation = closed.explain("2025-02-01T00:00:30Z");
    assert!(explanation.headline.ends_with("on 1 February 2025 at 00:00:30 UTC: its account was closed."));
    assert_eq!(first_failed(&explanation), Some(ConditionKind::NotEnded));
    assert!(remedy(&explanation).starts_with("Nothing can be done for this client:"));
}

#[test]
fn r76_a_partner_that_ended_its_services_is_told_so_and_that_it_can_link_again() {
    let unlinked = story::unassigned(anna());
    let story = Story {
        people: vec![unlinked],
        endings: vec![("2025-02-01T00:00:00Z", EndingCause::ServicesEnded)],
        ..Story::default()
    };
    let explanation = story.explain("2025-02-10T00:00:00Z");
    assert!(
        explanation
            .headline
            .ends_with("on 1 February 2025 at 00:00 UTC: your company ended its services for the client.")
    );
    let not_ended = condition(&explanation, ConditionKind::NotEnded);
    assert_eq!((not_ended.status, not_ended.since), (ConditionStatus::Failed, Some(at("2025-02-01T00:00:00Z"))));
    assert_eq!(
        not_ended.evidence[0].text,
        "your company ended its services for the client on 1 February 2025 at 00:00 UTC"
    );
    assert!(remedy(&explanation).starts_with(
        "Somebody with access to the Client Access Manager links Rossi S.r.l. to Anna Bianchi: Employees tab, Anna \
         Bianchi, Link clients. After that, any qualifying activity"
    ));
}

#[test]
fn r75_somebody_deleted_in_the_partner_account_has_to_be_created_again() {
    let mut deleted = anna();
    deleted.employments[0].period.end = Some(at("2025-02-20T08:00:00Z"));
    deleted.assignment = None;
    let explanation = Story { people: vec![deleted], ..Story::default() }.explain("2025-04-01T00:00:00Z");
    let exists = condition(&explanation, ConditionKind::EmployeeExists);
    assert_eq!((exists.status, exists.since), (ConditionStatus::Failed, Some(at("2025-02-20T08:00:00Z"))));
    assert_eq!(
        exists.evidence[0].text,
        "Anna Bianchi (anna@agency.example): deleted in your account on 20 February 2025 at 08:00 UTC"
    );
    let flagged = condition(&explanation, ConditionKind::EmployeeFlagged);
    assert_eq!(flagged.since, None);
    assert_eq!(flagged.statement, "Nobody meets the conditions before this one, so nobody meets this one.");
    assert!(remedy(&explanation).starts_with(
        "A super admin of your account creates a user for Anna Bianchi and flags it as partner employee. The client \
         is then assigned by itself, by the employee e-mail domain. After that,"
    ));
}

#[test]
fn r126_a_loss_by_an_ending_at_the_instant_of_expiry_names_what_expired() {
    let endings = vec![("2025-03-11T12:00:00Z", EndingCause::AllEmployeesRemoved)];
    let loss = Story { endings, ..Story::default() }.explain("2025-04-01T00:00:00Z").loss.expect("it was lost");
    assert_eq!(loss.cause, LossCause::Ended(EndingCause::AllEmployeesRemoved));
    let evidence: Vec<_> = loss.evidence().map(|evidence| evidence.text).collect();
    assert_eq!(evidence, ["blog publish by Anna Bianchi on 10 January 2025 counted until 11 March 2025 at 12:00 UTC."]);
}

#[test]
fn r73_an_activity_cut_off_by_an_earlier_ending_has_no_part_in_a_later_loss() {
    let story = Story {
        counted: vec![
            story::counted(("form", "edit", "2025-02-22T10:00:00Z")),
            // At the very instant of the first ending: it belongs to what came after.
            story::counted(("list", "create", "2025-02-20T08:00:00Z")),
            story::counted(("blog", "publish", "2025-02-10T12:00:00Z")),
        ],
        endings: vec![
            ("2025-02-20T08:00:00Z", EndingCause::AllEmployeesRemoved),
            ("2025-03-01T08:00:00Z", EndingCause::AllEmployeesRemoved),
        ],
        ..Story::default()
    };
    let loss = story.explain("2025-03-10T00:00:00Z").loss.expect("it was lost twice");
    assert_eq!(loss.time, at("2025-03-01T08:00:00Z"));
    let tools: Vec<_> = loss.activities.iter().map(|counted| counted.activity.tool.as_str()).collect();
    assert_eq!(tools, ["form", "list"]);
}

#[test]
fn r77_a_cancelled_subscription_loses_the_credit_and_not_the_relationship() {
    let cancelled = Story { cancelled: Some(at("2025-02-01T00:00:00Z")), ..Story::default() };
    let explanation = cancelled.explain("2025-02-10T00:00:00Z");
    let loss = explanation.loss.as_ref().expect("it was lost");
    assert_eq!((loss.time, loss.cause), (at("2025-02-01T00:00:00Z"), LossCause::NoPaidSubscription));
    assert_eq!(loss.activities, []);
    assert!(explanation.headline.contains("but it has paid for no subscription since 1 February 2025 at 00:00 UTC"));
    let lapsed_first = Story { cancelled: Some(at("2025-03-20T00:00:00Z")), ..Story::default() };
    let headline = lapsed_first.explain("2025-04-01T00:00:00Z").headline;
    assert!(
        headline.ends_with(
            "and nobody worked there since; besides, it has paid for no subscription since 20 March 2025 at 00:00 UTC."
        ),
        "{headline}"
    );
    // What came later is told beside it.
    let lapsed = cancelled.explain("2025-04-01T00:00:00Z");
    assert_eq!(lapsed.loss.map(|loss| loss.time), Some(at("2025-02-01T00:00:00Z")));
    assert_eq!(
        lapsed.headline,
        "Rossi S.r.l. stopped counting for you on 1 February 2025 at 00:00 UTC: from then on it paid for no \
         subscription; besides, the last qualifying activity expired on 11 March 2025 at 12:00 UTC."
    );
}

#[test]
fn r57_a_minimum_that_rises_is_named_and_no_activity_is() {
    let story = Story { minimum_rises: Some(at("2025-02-01T00:00:00Z")), minimum_activities: 3, ..Story::default() };
    let before = story.explain("2025-01-31T00:00:00Z");
    assert_eq!(before.loss, None);
    let explanation = story.explain("2025-02-10T00:00:00Z");
    let loss = explanation.loss.as_ref().expect("it was lost");
    assert_eq!((loss.time, loss.activities.len()), (at("2025-02-01T00:00:00Z"), 0));
    assert!(matches!(loss.cause, LossCause::MinimumRaised(change) if change.after.activities == 3));
    assert_eq!(
        explanation.headline,
        "Rossi S.r.l. stopped counting for you on 1 February 2025 at 00:00 UTC: from then on you are credited with \
         Elite, which needs 3 qualifying activities that count at the same time, instead of 1."
    );
    assert_eq!(steps(&explanation), [(RemedyStepKind::Work, Some(2), None)]);
    let minimum = condition(&explanation, ConditionKind::ActivityMinimum);
    assert_eq!(minimum.statement, "1 qualifying activity counts now; your tier, Elite, needs 3.");
    assert_eq!(minimum.since, Some(at("2025-02-01T00:00:00Z")));
}

#[test]
fn r126_an_ending_says_by_whom_and_why() {
    let by = |by| {
        let change = ChangeFacts { by, record_time: at("2025-02-20T08:00:00Z"), reason: "left the team".to_owned() };
        let endings = vec![("2025-02-20T08:00:00Z", EndingCause::AllEmployeesRemoved)];
        Story { endings, ended_by: Some(change), ..Story::default() }.explain("2025-03-01T00:00:00Z")
    };
    for (author, words) in [
        (ChangedBy::Colleague("Bruno Verdi".to_owned()), "Bruno Verdi"),
        (ChangedBy::Other, "someone at the client"),
        (ChangedBy::Platform, "the platform"),
        (ChangedBy::PlatformForColleague("Bruno Verdi".to_owned()), "the platform for Bruno Verdi"),
        (ChangedBy::PlatformForOther, "the platform for someone at the client"),
    ] {
        let explanation = by(author.clone());
        let expected = format!("was removed from its account by {words} (\"left the team\").");
        assert!(explanation.headline.ends_with(&expected), "{}", explanation.headline);
        let shown = &condition(&explanation, ConditionKind::NotEnded).evidence[0];
        assert!(shown.text.ends_with(&format!(" by {words} (\"left the team\")")), "{}", shown.text);
        assert_eq!(explanation.loss.and_then(|loss| loss.change).map(|change| change.by), Some(author));
    }
}
