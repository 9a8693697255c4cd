//! Sold credit, certifications and tiers (R92 to R105).

use contracts::wire::access::AccessRole;
use contracts::wire::credit::{self, EvaluateTiersResponse, EvaluationOutcome, SaleKind, Tier, TierCriterionKind};
use managed_credit::running::Part;
use system_tests::{Cluster, by, fields, metadata, on_both_databases, reason, stamp};
use tonic::Code;

use super::{agency, anna_works};
use crate::maintenance::verify::verify;

/// The partner, the tier before and after, and what happened.
fn told(evaluated: &[EvaluateTiersResponse]) -> Vec<(String, Tier, Tier, EvaluationOutcome)> {
    let told = evaluated.iter().map(|each| {
        let made = each.evaluation.as_ref().expect("an evaluation");
        (made.partner.clone(), made.tier_before(), made.tier_after(), made.outcome())
    });
    told.collect()
}

fn of_1001(before: Tier, after: Tier, outcome: EvaluationOutcome) -> Vec<(String, Tier, Tier, EvaluationOutcome)> {
    vec![("partners/1001".to_owned(), before, after, outcome)]
}

/// Partner 1001 has a client that it sold to, so that it is worth so many sourced points of the year 2025.
async fn sold(cluster: &Cluster, id: &str, points: i64, closed: &str) {
    // 100 USD are 5 sourced points.
    let amount = format!("{}.00 USD", points * 20);
    cluster.sale(1001, id, 2002, (SaleKind::Sourced, &amount), closed).await.expect("a sale");
}

async fn voided(cluster: &Cluster, id: &str) {
    let request = credit::VoidSoldCreditRequest {
        name: format!("partners/1001/soldCredits/{id}"),
        reason: "the client withdrew".to_owned(),
        request_id: String::new(),
    };
    let voided = cluster.credit().void_sold_credit(request).await.expect("voided").into_inner();
    cluster.note(&voided.revision);
    assert_eq!(voided.sold_credit.expect("as recorded").void_reason, "the client withdrew");
}

async fn sales(cluster: &Cluster, as_of: &str) -> Vec<(String, Option<String>)> {
    let request = credit::ListSoldCreditsRequest {
        parent: "partners/1001".to_owned(),
        as_of_time: Some(stamp(as_of)),
        at_least_revisions: cluster.known_revisions(),
        ..Default::default()
    };
    let page = cluster.credit().list_sold_credits(request).await.expect("sales").into_inner();
    let told = page
        .sold_credits
        .into_iter()
        .map(|sale| (sale.name.trim_start_matches("partners/1001/soldCredits/").to_owned(), sale.points));
    told.collect()
}

on_both_databases!(r93_a_sale_counts_for_twelve_months_until_it_is_taken_back, |cluster| {
    agency(&cluster, &[2002]).await;
    let sale = cluster.sale(1001, "a", 2002, (SaleKind::Sourced, "1000 USD"), "2025-01-31").await.expect("a sale");
    assert_eq!(sale.end_time, Some(stamp("2026-01-31")));
    cluster.sale(1001, "b", 2002, (SaleKind::Assisted, "1000 USD"), "2025-03-01").await.expect("a sale");
    let known = |points: &str| Some(points.to_owned());
    assert_eq!(sales(&cluster, "2025-02-01").await, [("a".to_owned(), known("50.00"))]);
    let both = [("b".to_owned(), known("30.00")), ("a".to_owned(), known("50.00"))];
    assert_eq!(sales(&cluster, "2026-01-30T23:59:59Z").await, both);
    let run_out = [("b".to_owned(), known("30.00")), ("a".to_owned(), known("0.00"))];
    assert_eq!(sales(&cluster, "2026-01-31").await, run_out);

    let again = cluster.sale(1001, "a", 2002, (SaleKind::Assisted, "1000 USD"), "2025-01-31").await;
    let again = again.expect_err("exists");
    assert_eq!((again.code(), reason(&again).as_str()), (Code::AlreadyExists, "SOLD_CREDIT_EXISTS"));
    assert_eq!(metadata(&again, "differing_fields"), "kind");

    assert_eq!(
        cluster.standing(1001, "2025-06-01").await.expect("a standing").points.expect("points").sold_points,
        "80.00"
    );
    voided(&cluster, "b").await;
    voided(&cluster, "b").await;
    let points = cluster.standing(1001, "2025-06-01").await.expect("a standing").points.expect("points");
    assert_eq!((points.sold_points.as_str(), points.sourced_points.as_str()), ("50.00", "50.00"));
    let unknown = credit::VoidSoldCreditRequest {
        name: "partners/1001/soldCredits/c".to_owned(),
        reason: "x".to_owned(),
        request_id: String::new(),
    };
    let unknown = cluster.credit().void_sold_credit(unknown).await.expect_err("unknown");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_SOLD_CREDIT"));
});

on_both_databases!(r127_a_client_to_which_the_partner_sold_exists_for_its_people, |cluster| {
    agency(&cluster, &[]).await;
    cluster.employee_with(1001, "admin@agency.example", AccessRole::SuperAdmin).await;
    cluster.client(2002, "US").await;
    let row = || {
        let request = credit::GetManagedCreditRequest {
            partner: "partners/1001".to_owned(),
            client: "clients/2002".to_owned(),
            at_least_revisions: cluster.known_revisions(),
            as_of_time: None,
        };
        by("admin@agency.example", request)
    };
    let unknown = cluster.credit().get_managed_credit(row()).await.expect_err("nothing to do with it");
    assert_eq!(reason(&unknown), "UNKNOWN_CLIENT");
    cluster.sale(1001, "a", 2002, (SaleKind::Sourced, "100 USD"), "2025-06-01").await.expect("a sale");
    let sold = cluster.credit().get_managed_credit(row()).await.expect("a row").into_inner();
    assert_eq!(sold.managed_credit.expect("a row").sold_points.as_deref(), Some("5.00"));
});

on_both_databases!(r127_a_sale_to_a_client_whose_country_is_not_known_has_no_points_yet, |cluster| {
    agency(&cluster, &[]).await;
    let sale = cluster.sale(1001, "a", 2002, (SaleKind::Sourced, "1000 USD"), "2025-01-31").await.expect("a sale");
    assert_eq!(
        (sale.points.as_deref(), sale.points_absent_reason()),
        (None, credit::PointsAbsentReason::CountryUnknown)
    );
    let points = cluster.standing(1001, "2025-06-01").await.expect("a standing").points.expect("points");
    assert_eq!((points.total_points.as_str(), points.clients_without_points), ("0.00", 1));
    cluster.client(2002, "IN").await;
    let points = cluster.standing(1001, "2025-06-01").await.expect("a standing").points.expect("points");
    assert_eq!((points.total_points.as_str(), points.clients_without_points), ("100.00", 0));
});

on_both_databases!(example_17_a_tier_falls_in_july_to_the_highest_met_in_the_window, |cluster| {
    agency(&cluster, &[2002]).await;
    cluster.certify(1001, "2024-01-01", "2027-01-01").await.expect("a certification");
    cluster.grant(1001, Tier::Diamond, "2024-06-01").await.expect("a grant");
    // Managed points: 500 and more until the amount falls.
    cluster.subscription(2002, "main", "20000.00 USD", "2024-01-01").await.expect("a subscription");
    for (number, day) in ["2025-01-10", "2025-03-05", "2025-05-01", "2025-06-25"].iter().enumerate() {
        anna_works(&cluster, 2002, &format!("a{number}"), day).await;
    }
    // February: 200 managed and 125 sold points, Platinum. Then 60 managed and 63 sold ones, Gold.
    sold(&cluster, "a", 125, "2024-12-01").await;
    cluster.new_mrr(2002, "main", "6000.00 USD", "2025-03-01").await.expect("another MRR");
    let kept = of_1001(Tier::Diamond, Tier::Diamond, EvaluationOutcome::Kept);
    for month in ["02", "03", "04", "05", "06"] {
        assert_eq!(told(&cluster.evaluate(&format!("2025-{month}-15"), false).await.expect("evaluated")), kept);
    }
    let window = cluster.standing(1001, "2025-06-20").await.expect("a standing");
    let met: Vec<Tier> = window.window.iter().map(credit::TierEvaluation::met_tier).collect();
    assert_eq!(met, [Tier::Platinum, Tier::Gold, Tier::Gold, Tier::Gold, Tier::Gold]);
    let ahead = window.next_reevaluation.expect("a forecast");
    assert_eq!((ahead.tier_after(), ahead.outcome()), (Tier::Platinum, EvaluationOutcome::Lowered));
    assert_eq!(ahead.evaluation_time, Some(stamp("2025-07-15")));

    let dry = cluster.evaluate("2025-07-15", true).await.expect("a dry run");
    let lowered = of_1001(Tier::Diamond, Tier::Platinum, EvaluationOutcome::Lowered);
    assert_eq!((told(&dry), dry[0].revision.as_str()), (lowered.clone(), ""));
    assert_eq!(cluster.standing(1001, "2025-07-15").await.expect("a standing").credited_tier(), Tier::Diamond);

    let made = cluster.evaluate("2025-07-15", false).await.expect("evaluated");
    assert_eq!((told(&made), made[0].already_evaluated), (lowered.clone(), false));
    cluster.note(&made[0].revision);
    let standing = cluster.standing(1001, "2025-07-15").await.expect("a standing");
    assert_eq!(
        (standing.credited_tier(), standing.credited_by.as_str()),
        (Tier::Platinum, "the evaluation of 15 July 2025")
    );
    assert_eq!(cluster.standing(1001, "2025-07-14").await.expect("a standing").credited_tier(), Tier::Diamond);

    // R104: what is found is kept, whatever becomes known later.
    voided(&cluster, "a").await;
    let again = cluster.evaluate("2025-07-15", false).await.expect("evaluated");
    assert_eq!((again[0].evaluation.clone(), again[0].already_evaluated), (made[0].evaluation.clone(), true));
    assert_eq!(again[0].revision, made[0].revision);
});

on_both_databases!(r100_one_snapshot_in_the_window_keeps_a_tier, |cluster| {
    agency(&cluster, &[2002]).await;
    cluster.certify(1001, "2024-01-01", "2027-01-01").await.expect("a certification");
    cluster.grant(1001, Tier::Gold, "2024-06-01").await.expect("a grant");
    cluster.subscription(2002, "main", "6000.00 USD", "2024-01-01").await.expect("a subscription");
    sold(&cluster, "a", 63, "2024-12-01").await;
    anna_works(&cluster, 2002, "a", "2025-01-10").await;
    for month in ["02", "03", "04", "05", "06"] {
        cluster.evaluate(&format!("2025-{month}-15"), false).await.expect("evaluated");
    }
    let made = cluster.evaluate("2025-07-15", false).await.expect("evaluated");
    assert_eq!(told(&made), of_1001(Tier::Gold, Tier::Gold, EvaluationOutcome::Kept));
    let july = made[0].evaluation.as_ref().expect("an evaluation");
    assert_eq!(july.met_tier(), Tier::None);
});

on_both_databases!(evaluations_are_made_in_order_and_when_the_facts_are_complete, |cluster| {
    agency(&cluster, &[2002]).await;
    for wrong in ["2025-07-14", "2026-01-15", "15.07.2025", ""] {
        let wrong = cluster.evaluate(wrong, false).await.expect_err("no evaluation");
        assert_eq!(fields(&wrong), ["evaluation_date"]);
    }
    cluster.evaluate("2025-10-15", false).await.expect("the first of all");
    let early = cluster.evaluate("2025-12-15", false).await.expect_err("November is missing");
    assert_eq!((early.code(), reason(&early).as_str()), (Code::FailedPrecondition, "EVALUATION_MISSING"));
    assert!(early.message().contains("2025-11-15"), "{}", early.message());
    cluster.evaluate("2025-11-15", false).await.expect("evaluated");
    // A partner that was not known yet is evaluated before the next month is.
    cluster.partner(1002, &["studio.example"]).await;
    let interrupted = cluster.evaluate("2025-12-15", false).await.expect_err("of November one is missing");
    assert!(interrupted.message().contains("2025-11-15"), "{}", interrupted.message());
    let november = cluster.evaluate("2025-11-15", false).await.expect("evaluated");
    assert_eq!(november.iter().map(|each| each.already_evaluated).collect::<Vec<_>>(), [true, false]);
    assert_eq!(cluster.evaluate("2025-12-15", false).await.expect("evaluated").len(), 2);
    // Once a later one is made, an earlier one is only shown.
    assert_eq!(cluster.evaluate("2025-10-15", false).await.expect("shown").len(), 1);
});

on_both_databases!(r105_elite_is_granted_by_a_person_to_whom_the_criteria_are_met, |cluster| {
    agency(&cluster, &[2002]).await;
    cluster.employee_with(1001, "admin@agency.example", AccessRole::SuperAdmin).await;
    let grant = |tier: Tier, override_criteria| credit::GrantTierRequest {
        partner: "partners/1001".to_owned(),
        tier: tier.into(),
        effective_time: Some(stamp("2025-12-01")),
        override_criteria,
        at_least_revisions: cluster.known_revisions(),
        reason: "invited by the board".to_owned(),
        request_id: String::new(),
    };
    let lacking = cluster.credit().grant_tier(grant(Tier::Elite, false)).await.expect_err("nothing was sold");
    assert_eq!((lacking.code(), reason(&lacking).as_str()), (Code::FailedPrecondition, "TIER_NOT_REACHED"));
    assert!(lacking.message().contains("the points and a valid certification"), "{}", lacking.message());
    sold(&cluster, "a", 1_950, "2025-06-01").await;
    cluster.subscription(2002, "main", "190000.00 USD", "2024-01-01").await.expect("a subscription");
    anna_works(&cluster, 2002, "a", "2025-11-10").await;
    let uncertified = cluster.credit().grant_tier(grant(Tier::Elite, false)).await.expect_err("no certification");
    assert!(uncertified.message().contains("lacks a valid certification"), "{}", uncertified.message());
    cluster.certify(1001, "2025-01-01", "2027-01-01").await.expect("a certification");
    let made = cluster.evaluate("2025-11-15", false).await.expect("evaluated");
    assert_eq!(told(&made), of_1001(Tier::None, Tier::Diamond, EvaluationOutcome::Raised));
    let eligible = cluster.standing(1001, "2025-11-30").await.expect("a standing");
    assert_eq!((eligible.performance_tier(), eligible.elite_eligible), (Tier::Elite, true));

    let mut request = tonic::Request::new(grant(Tier::Elite, false));
    request.metadata_mut().insert("x-on-behalf-of", "board@vendor.example".parse().expect("ASCII"));
    let granted = cluster.credit().grant_tier(request).await.expect("granted").into_inner();
    cluster.note(&granted.revision);
    let standing = cluster.standing(1001, "2025-12-02").await.expect("a standing");
    assert_eq!((standing.credited_tier(), standing.elite_eligible), (Tier::Elite, false));
    assert_eq!(standing.credited_by, "granted from 1 December 2025 on by board@vendor.example: invited by the board");
    let progress = standing.progress.last().expect("Elite");
    let kinds: Vec<_> = progress.criteria.iter().map(|each| (each.kind(), each.missing_points.as_str())).collect();
    assert_eq!(
        kinds,
        [
            (TierCriterionKind::TotalPoints, "0.00"),
            (TierCriterionKind::SourcedPoints, "0.00"),
            (TierCriterionKind::ManagedPoints, "0.00"),
        ]
    );
    // Whoever has no permission does not see it; whoever is no platform does not decide.
    let question = |tier: i32| credit::GetTierStandingRequest {
        partner: "partners/1001".to_owned(),
        tier,
        at_least_revisions: cluster.known_revisions(),
        as_of_time: None,
    };
    let chosen = cluster.credit().get_tier_standing(by("admin@agency.example", question(Tier::Gold.into()))).await;
    assert_eq!(chosen.expect("a standing").into_inner().standing.expect("a standing").progress.len(), 1);
    let none = cluster.credit().get_tier_standing(question(Tier::None.into())).await.expect_err("no tier to reach");
    assert_eq!(fields(&none), ["tier"]);
    let plain = cluster.credit().get_tier_standing(by("anna@agency.example", question(0))).await.expect_err("refused");
    assert_eq!(reason(&plain), "PERMISSION_MISSING");
    let own = cluster.credit().grant_tier(by("admin@agency.example", grant(Tier::Elite, true))).await;
    assert_eq!(reason(&own.expect_err("platform only")), "ACTOR_NOT_ALLOWED");
});

on_both_databases!(r103_a_certification_that_ran_out_costs_the_tier_in_january, |cluster| {
    agency(&cluster, &[2002]).await;
    cluster.clock.set(system_tests::at("2026-02-01"));
    cluster.grant(1001, Tier::Gold, "2025-12-01").await.expect("a grant");
    cluster.certify(1001, "2025-01-01", "2026-01-15").await.expect("a certification");
    let before = cluster.standing(1001, "2026-01-14").await.expect("a standing");
    assert_eq!((before.certified, before.credited_tier()), (true, Tier::Gold));
    let ahead = before.next_reevaluation.expect("a forecast");
    assert_eq!(ahead.outcome(), EvaluationOutcome::CertificationExpired);
});

on_both_databases!(sales_certifications_grants_and_evaluations_are_facts_that_verify_covers, |cluster| {
    agency(&cluster, &[2002]).await;
    sold(&cluster, "a", 63, "2025-06-01").await;
    voided(&cluster, "a").await;
    cluster.certify(1001, "2025-01-01", "2026-01-15").await.expect("a certification");
    cluster.grant(1001, Tier::Gold, "2025-06-01").await.expect("a grant");
    cluster.subscription(2002, "main", "6000.00 USD", "2024-01-01").await.expect("a subscription");
    cluster.evaluate("2025-12-15", false).await.expect("evaluated");
    let told = verify(&cluster, Part::Credit).await;
    assert_eq!(told.differences, []);
    let own_facts = told.subjects.iter().find(|(subject, _)| subject == "own facts");
    assert_eq!(own_facts.map(|(_, count)| *count), Some(6));
});
