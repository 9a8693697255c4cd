//! What would restore or keep a credit, step by step.

use super::*;

#[test]
fn r126_what_keeps_a_credit_is_told_while_there_is_one_with_how_often_and_before_when() {
    let active = Story::default().explain("2025-01-20T00:00:00Z");
    let expires = at("2025-03-11T12:00:00Z");
    assert_eq!(active.remedy.aim, RemedyAim::Keep);
    assert_eq!(steps(&active), [(RemedyStepKind::Work, Some(1), Some(expires))]);
    assert_eq!(
        remedy(&active),
        "Anna Bianchi is assigned and active there: any qualifying activity, for example publishing a blog post or \
         editing a form, before 11 March 2025 at 12:00 UTC keeps the credit."
    );
    let who = active.remedy.steps[0].person.as_ref().map(|person| person.address.to_string());
    assert_eq!(who.as_deref(), Some("anna@agency.example"));

    // Example 16: of three that count, two expire together.
    let counted = ["2025-01-10T12:00:00Z", "2025-01-10T12:00:00Z", "2025-01-30T12:00:00Z"];
    let counted = counted.map(|time| story::counted(("form", "edit", time))).to_vec();
    let three = Story { counted, minimum_activities: 3, ..Story::default() }.explain("2025-02-01T00:00:00Z");
    assert_eq!(steps(&three), [(RemedyStepKind::Work, Some(2), Some(expires))]);
    assert_eq!(
        remedy(&three),
        "Anna Bianchi is assigned and active there: at least 2 qualifying activities, for example publishing blog posts \
         or editing forms, before 11 March 2025 at 12:00 UTC keep the credit."
    );
    assert!(
        three.headline.ends_with(
            "it expires on 11 March 2025 at 12:00 UTC unless your people do at least 2 qualifying activities there before."
        ),
        "{}",
        three.headline
    );
    assert_eq!((three.live_activities, three.minimum.activities), (3, 3));
}

#[test]
fn r73_what_an_ending_cut_off_does_not_keep_a_credit_and_what_was_done_at_its_instant_does() {
    let ending = "2025-02-01T00:00:00Z";
    let until =
        |time, expire_time| CountedFacts { expire_time: at(expire_time), ..story::counted(("form", "edit", time)) };
    let cut_off = until("2025-01-31T23:59:59.999999Z", "2025-04-01T00:00:00Z");
    // The window is shorter by then, so that the earlier one would outlive them.
    let later = ["2025-02-02T00:00:00Z", "2025-02-02T00:00:00Z"].map(|time| until(time, "2025-02-12T00:00:00Z"));
    let needed = |more: Option<CountedFacts>| {
        let counted = later.iter().cloned().chain([cut_off.clone()]).chain(more).collect();
        let endings = vec![(ending, EndingCause::ServicesEnded)];
        let story = Story { counted, endings, minimum_activities: 2, ..Story::default() };
        steps(&story.explain("2025-02-03T00:00:00Z"))
    };
    let work = |times| (RemedyStepKind::Work, Some(times), Some(at("2025-02-12T00:00:00Z")));
    assert_eq!(needed(None), [work(2)]);
    assert_eq!(needed(Some(until(ending, "2025-04-02T00:00:00Z"))), [work(1)]);
}

#[test]
fn r75_a_credit_whose_people_are_gone_is_kept_by_bringing_somebody_back_first() {
    let mut deactivated = anna();
    deactivated.user_state = ClientUserState::Deactivated;
    let keeps = Story { people: vec![deactivated], ..Story::default() }.explain("2025-01-20T00:00:00Z");
    let kinds: Vec<_> = keeps.remedy.steps.iter().map(|step| (step.kind, step.kind.taker())).collect();
    let expected = [
        (RemedyStepKind::ReactivateClientUser, RemedyTaker::ClientAdmin),
        (RemedyStepKind::Work, RemedyTaker::Employee),
    ];
    assert_eq!(kinds, expected);
    assert!(remedy(&keeps).starts_with("A Partner admin or a super admin of Rossi S.r.l. reactivates Anna Bianchi:"));
    assert!(remedy(&keeps).ends_with("before 11 March 2025 at 12:00 UTC keeps the credit."));
}

#[test]
fn r60_r127_work_that_counts_for_another_company_is_not_proposed_and_that_company_has_no_name() {
    let taken = PersonFacts { prospect: Prospect::CountsForAnother, ..anna() };
    let both = Story { people: vec![taken.clone(), person("Bruno Verdi", "bruno@agency.example")], ..Story::default() };
    let explanation = both.explain("2025-04-01T00:00:00Z");
    assert!(remedy(&explanation).starts_with("Bruno Verdi is assigned and active there:"));
    let assigned = condition(&explanation, ConditionKind::ClientAssigned);
    assert!(assigned.evidence[0].text.ends_with(", but work counts for another company that the address works for"));

    let alone = Story { people: vec![taken], ..Story::default() }.explain("2025-04-01T00:00:00Z");
    let kinds: Vec<_> = alone.remedy.steps.iter().map(|step| step.kind).collect();
    let expected =
        [RemedyStepKind::AddEmployee, RemedyStepKind::AddClientUser, RemedyStepKind::LinkClient, RemedyStepKind::Work];
    assert_eq!(kinds, expected);
    assert!(alone.remedy.steps.iter().all(|step| step.person.is_none()));
    assert!(remedy(&alone).starts_with(
        "Work of Anna Bianchi there counts for one company only, and another one comes first. A super admin of your \
         account creates a user for a colleague"
    ));
}

#[test]
fn r37_nobody_is_proposed_whose_domain_belongs_to_another_company() {
    let mut taken = PersonFacts { prospect: Prospect::CannotBeEmployed, ..anna() };
    taken.employments[0].period.end = Some(at("2025-02-01T00:00:00Z"));
    let explanation = Story { people: vec![taken], ..Story::default() }.explain("2025-04-01T00:00:00Z");
    assert!(remedy(&explanation).starts_with(
        "Anna Bianchi cannot become a user in your account: the e-mail domain belongs to another company. A super admin"
    ));
}

#[test]
fn r11_a_client_that_pays_nothing_is_a_step_of_its_own_beside_the_work() {
    let zero = Mrr::Known { mrr: money("USD", "0"), since: at("2025-01-15T00:00:00Z") };
    let story = Story { mrr: zero, ..Story::default() };
    let serviced = story.explain("2025-02-01T00:00:00Z");
    let expires = Some(at("2025-03-11T12:00:00Z"));
    let pay = (RemedyStepKind::PaySubscription, None, None);
    assert_eq!(steps(&serviced), [pay, (RemedyStepKind::Work, Some(1), expires)]);
    let lapsed = story.explain("2025-04-01T00:00:00Z");
    assert_eq!(steps(&lapsed), [(RemedyStepKind::Work, Some(1), None), pay]);
    assert!(remedy(&lapsed).ends_with("Besides, Rossi S.r.l. has to pay for a subscription."), "{}", remedy(&lapsed));
    assert_eq!(RemedyStepKind::PaySubscription.taker(), RemedyTaker::Client);

    let unknown = Story { mrr: Mrr::Unknown, ..Story::default() }.explain("2025-04-01T00:00:00Z");
    assert_eq!(steps(&unknown)[1].0, RemedyStepKind::ReportSubscription);
    assert!(remedy(&unknown).contains("Besides, what Rossi S.r.l. pays is not known: ask the programme"));
}

#[test]
fn what_nobody_of_the_partner_can_mend_is_one_step_that_says_so() {
    let closed = Story { closed_time: Some(at("2025-02-01T00:00:00Z")), ..Story::default() };
    let own = Story { client: 1, counted: vec![], ..Story::default() };
    let end = Some(Period::between(at("2024-01-01T00:00:00Z"), at("2025-02-01T00:00:00Z")));
    let left = Story { programme: end, ..Story::default() };
    for (story, kind) in [
        (closed, RemedyStepKind::NothingHelps),
        (own, RemedyStepKind::NothingHelps),
        (left, RemedyStepKind::JoinProgramme),
    ] {
        let explanation = story.explain("2025-04-01T00:00:00Z");
        assert_eq!(steps(&explanation), [(kind, None, None)]);
        assert_eq!(explanation.remedy.steps[0].text, explanation.remedy.text);
    }
}

#[test]
fn r63_where_the_window_became_shorter_work_is_said_to_help_only_once_it_outlives_the_expiry() {
    let facts = Story::default().facts(at("2025-01-20T00:00:00Z"));
    let facts = ExplanationFacts { outlasting_from: Some(at("2025-03-01T00:00:00Z")), ..facts };
    let explanation = explain(&facts);
    assert_eq!(explanation.remedy.steps[0].from, facts.outlasting_from);
    assert!(
        remedy(&explanation)
            .ends_with("from 1 March 2025 at 00:00 UTC on and before 11 March 2025 at 12:00 UTC keeps the credit.")
    );
}
