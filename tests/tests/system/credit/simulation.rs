//! What credit would be under another policy.

use std::sync::Arc;

use contracts::wire::credit::simulate_policy_response::Part as Told;
use contracts::wire::credit::{
    CreditDifference, GetPolicyRequest, NoCreditReason, PartnerDifference, SaleKind, SimulatePolicyRequest,
    SimulationSummary, Tier,
};
use domain::policy::Policy;
use managed_credit::running::Part;
use system_tests::{Cluster, ClusterOptions, DatabaseKind, by, fields, on_both_databases, reason, stamp};
use tonic::Status;

use super::{agency, anna_works};
use crate::maintenance::verify::verify;

const AS_OF: &str = "2025-09-01";

/// Everything that a simulation told.
#[derive(Debug, Default)]
struct Simulation {
    credits: Vec<CreditDifference>,
    partners: Vec<PartnerDifference>,
    summary: SimulationSummary,
}

fn embedded(from: &str, to: &str) -> String {
    let document = Policy::embedded().document().to_owned();
    assert!(document.contains(from), "the document has {from}");
    document.replace(from, to)
}

async fn simulate(cluster: &Cluster, policy_document: String, partner: &str) -> Result<Simulation, Status> {
    let request = SimulatePolicyRequest {
        policy_document,
        as_of_time: Some(stamp(AS_OF)),
        partner: partner.to_owned(),
        at_least_revisions: cluster.known_revisions(),
    };
    let mut stream = cluster.credit().simulate_policy(request).await?.into_inner();
    let mut told = Simulation::default();
    let mut is_over = false;
    while let Some(message) = stream.message().await? {
        assert!(!is_over, "the summary is last");
        match message.part.expect("a part") {
            Told::Credit(difference) => told.credits.push(difference),
            Told::Partner(difference) => told.partners.push(difference),
            Told::Summary(summary) => (told.summary, is_over) = (summary, true),
        }
    }
    assert!(is_over, "it was not cut off");
    Ok(told)
}

/// Two partners, three clients, work that is older and younger, a sale, somebody removed, and something voided.
async fn programme(cluster: &Cluster) {
    agency(cluster, &[2002, 2003, 2004]).await;
    cluster.partner(1002, &["studio.example"]).await;
    cluster.employee(1002, "bea@studio.example").await;
    let bea = cluster.user(2002, "bea@studio.example").await;
    for (client, mrr) in [(2002, "1000.00 EUR"), (2003, "500.00 USD"), (2004, "200.00 USD")] {
        cluster.subscription(client, "main", mrr, "2025-01-01").await.expect("a subscription");
    }
    anna_works(cluster, 2002, "a", "2025-07-20").await;
    anna_works(cluster, 2003, "a", "2025-08-20").await;
    anna_works(cluster, 2003, "b", "2025-08-21").await;
    anna_works(cluster, 2004, "a", "2025-08-25").await;
    cluster.void(2004, "a", "a mistake").await.expect("voided");
    cluster.work(2002, "b", "bea@studio.example", "2025-08-10", "form/edit").await;
    cluster.remove(&bea, "2025-08-30").await.expect("removed");
    cluster.sale(1001, "deal-7", 2003, (SaleKind::Sourced, "100.00 USD"), "2025-03-01").await.expect("a sale");
}

/// The partner, the client, the points before and after.
fn told(simulation: &Simulation) -> Vec<(String, String, String)> {
    let pair = |difference: &CreditDifference| {
        let number = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        format!("{} {}", number(&difference.partner), number(&difference.client))
    };
    let points = |side: &Option<contracts::wire::credit::SimulatedCredit>| {
        side.as_ref().and_then(|side| side.points.clone()).unwrap_or_default()
    };
    simulation.credits.iter().map(|each| (pair(each), points(&each.before), points(&each.after))).collect()
}

fn differences(expected: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    expected.iter().map(|(pair, before, after)| (pair.to_string(), before.to_string(), after.to_string())).collect()
}

on_both_databases!(the_same_document_makes_no_difference_and_nothing_is_stored, |cluster| {
    programme(&cluster).await;
    let same = simulate(&cluster, Policy::embedded().document().to_owned(), "").await.expect("a simulation");
    assert_eq!((told(&same), same.partners.len()), (vec![], 0));
    assert_eq!((same.summary.compared, same.summary.differing), (3, 0));
    assert_eq!((same.summary.points_before.as_str(), same.summary.points_after.as_str()), ("16.36", "16.36"));
    assert_eq!(same.summary.policy_digest, same.summary.simulated_policy_digest);
    let other = simulate(&cluster, embedded("days = 60 }", "days = 30 }"), "").await.expect("a simulation");
    assert_ne!(other.summary.policy_digest, other.summary.simulated_policy_digest);
    for part in [Part::Activity, Part::Credit] {
        assert_eq!(verify(&cluster, part).await.differences, [], "{part}");
    }
    assert_eq!(cluster.managed_credit(1001, 2002, AS_OF).await.expect("a row").points.as_deref(), Some("11.36"));
});

on_both_databases!(another_window_catalogue_table_minimum_or_ending_makes_its_difference, |cluster| {
    programme(&cluster).await;
    let shorter = simulate(&cluster, embedded("days = 60 }", "days = 30 }"), "").await.expect("a simulation");
    assert_eq!(told(&shorter), differences(&[("1001 2002", "11.36", "0.00")]));
    let after = shorter.credits[0].after.as_ref().expect("a side");
    assert_eq!(after.no_credit_reason(), NoCreditReason::Lapsed);

    let unknown = embedded("qualifying = [\"publish\", \"update_published\"]", "qualifying = [\"update_published\"]");
    let unknown = simulate(&cluster, unknown.replace("\"blog/publish\"", "\"blog/update_published\""), "").await;
    let expected = differences(&[("1001 2002", "11.36", "0.00"), ("1001 2003", "5.00", "0.00")]);
    assert_eq!(told(&unknown.expect("a simulation")), expected);

    let units = simulate(
        &cluster,
        embedded("currency = \"USD\", units_per_point = 100", "currency = \"USD\", units_per_point = 50"),
        "",
    );
    let units = units.await.expect("a simulation");
    assert_eq!(told(&units), differences(&[("1001 2003", "5.00", "10.00")]));
    let partner = &units.partners[0];
    let totals = [&partner.before, &partner.after].map(|points| points.clone().expect("points").total_points);
    // 16.36 managed and 5.00 sold points; the sale is worth twice as much too.
    assert_eq!(totals, ["21.36", "31.36"]);

    let minimum = embedded(
        "minimum_activities = []",
        "minimum_activities = [{ from = 2024-01-01, tier = \"NONE\", minimum = 2 }]",
    );
    let minimum = simulate(&cluster, minimum, "").await.expect("a simulation");
    assert_eq!(told(&minimum), differences(&[("1001 2002", "11.36", "0.00")]));

    let lapse = embedded("all_employees_removed = \"IMMEDIATE\"", "all_employees_removed = \"LAPSE\"");
    let lapse = simulate(&cluster, lapse, "").await.expect("a simulation");
    assert_eq!(told(&lapse), differences(&[("1001 2002", "11.36", "5.68"), ("1002 2002", "0.00", "5.68")]));
    let only = embedded("all_employees_removed = \"IMMEDIATE\"", "all_employees_removed = \"LAPSE\"");
    let only = simulate(&cluster, only, "partners/1002").await.expect("a simulation");
    assert_eq!((told(&only), only.summary.compared), (differences(&[("1002 2002", "0.00", "5.68")]), 1));

    let thresholds =
        embedded("tier = \"GOLD\", total = 129, sourced = 63, managed = 60 }", "tier = \"GOLD\", total = 20 }");
    let thresholds = simulate(&cluster, thresholds, "").await.expect("a simulation");
    assert_eq!(told(&thresholds), []);
    let tiers = &thresholds.partners[0];
    assert_eq!((tiers.performance_tier_before(), tiers.performance_tier_after()), (Tier::None, Tier::Gold));
});

/// Points of every pair, as a system that runs by the policy says.
async fn points(cluster: &Cluster) -> Vec<Option<String>> {
    let mut points = Vec::new();
    for (partner, client) in [(1001, 2002), (1001, 2003), (1001, 2004), (1002, 2002)] {
        points.push(cluster.managed_credit(partner, client, AS_OF).await.expect("a row").points);
    }
    points
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulation_says_what_a_system_says_that_runs_by_the_document() {
    let documents = [
        embedded("days = 60 }", "days = 45 }, { from = 2025-08-01, days = 10 }"),
        embedded("all_employees_removed = \"IMMEDIATE\"", "all_employees_removed = \"LAPSE\""),
        embedded("multiplier = 2", "multiplier = 3").replace("\"IN\",", "\"US\", \"IN\","),
    ];
    let own = Cluster::start(DatabaseKind::Sqlite).await;
    programme(&own).await;
    let before = points(&own).await;
    for document in documents {
        let policy = Arc::new(Policy::parse(&document).expect("a policy"));
        let other = Cluster::start_with(DatabaseKind::Sqlite, ClusterOptions { policy, ..Default::default() }).await;
        programme(&other).await;
        let mut simulated = before.clone();
        for difference in simulate(&own, document, "").await.expect("a simulation").credits {
            let pair = (difference.partner.as_str(), difference.client.as_str());
            let place = match pair {
                ("partners/1001", "clients/2002") => 0,
                ("partners/1001", "clients/2003") => 1,
                ("partners/1001", "clients/2004") => 2,
                _ => 3,
            };
            simulated[place] = difference.after.expect("a side").points;
        }
        assert_eq!(simulated, points(&other).await);
        assert_ne!(simulated, before);
        other.stop().await;
    }
    own.stop().await;
}

on_both_databases!(a_document_that_is_wrong_and_a_person_are_refused, |cluster| {
    agency(&cluster, &[2002]).await;
    let wrong = embedded("days = 60 }", "days = 0 }").replace("multiplier = 2", "multiplier = 0");
    let wrong = simulate(&cluster, wrong, "").await.expect_err("two entries are wrong");
    let expected = ["policy_document: windows[0].days", "policy_document: growth_markets[0].multiplier"];
    assert_eq!(fields(&wrong), expected);
    let none = simulate(&cluster, "no TOML".to_owned(), "1001").await.expect_err("no document, no partner");
    assert_eq!(fields(&none), ["policy_document", "partner"]);
    let unknown = simulate(&cluster, Policy::embedded().document().to_owned(), "partners/1999").await;
    assert_eq!(reason(&unknown.expect_err("unknown")), "UNKNOWN_PARTNER");
    let request = SimulatePolicyRequest { policy_document: String::new(), ..Default::default() };
    let person = cluster.credit().simulate_policy(by("anna@agency.example", request)).await.expect_err("platform only");
    assert_eq!(reason(&person), "ACTOR_NOT_ALLOWED");
});

on_both_databases!(r63_the_policy_is_told_as_of_an_instant_with_its_document, |cluster| {
    let policy = async |as_of: &str| {
        let request = by("anybody@client.example", GetPolicyRequest { as_of_time: Some(stamp(as_of)) });
        cluster.credit().get_policy(request).await.expect("a policy").into_inner().policy.expect("a policy")
    };
    let units = |policy: &contracts::wire::credit::Policy, code: &str| {
        let units = policy.currency_units.iter().find(|each| each.currency_code == code).expect("a currency");
        units.units_per_point.clone()
    };
    let (before, after) = (policy("2025-07-14").await, policy("2025-07-15").await);
    assert_eq!((units(&before, "GBP"), units(&after, "GBP")), ("62.5".to_owned(), "74".to_owned()));
    let gold = |policy: &contracts::wire::credit::Policy| policy.tier_thresholds[0].clone();
    assert_eq!((gold(&before).sold_points.as_str(), gold(&before).sourced_points.as_str()), ("63.00", ""));
    assert_eq!((gold(&after).sold_points.as_str(), gold(&after).sourced_points.as_str()), ("", "63.00"));
    assert_eq!(
        (after.window_days, after.warning_days.clone(), after.thresholds_official),
        (60, vec![30, 14, 7, 1], false)
    );
    assert_eq!((after.sourced_points, after.assisted_points, after.minimum_activities.len()), (5, 3, 5));
    assert_eq!(Policy::parse(&after.document).expect("the document").digest(), after.digest);
});
