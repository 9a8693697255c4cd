//! The cases of `tests/cases`, on the domain functions and on the running system: both must say the same.

use std::sync::Arc;

use system_tests::{Cluster, ClusterOptions, DatabaseKind, Expectation, answers_of_domain, answers_of_system, cases};

fn compare(name: &str, title: &str, expected: &[Expectation], answers: &[String]) {
    for (expectation, answer) in expected.iter().zip(answers) {
        assert_eq!(*answer, expectation.line(), "{name} ({title}): {}", expectation.subject());
    }
    assert_eq!(expected.len(), answers.len());
}

#[test]
fn every_case_holds_for_the_domain_functions() {
    let cases = cases();
    assert!(cases.len() >= 12, "only {} cases were found", cases.len());
    for (name, case) in &cases {
        assert!(!case.expect.is_empty(), "{name} expects nothing");
        let is_of_domain = |expected: &&Expectation| !matches!(expected, Expectation::Loss { .. });
        let expected: Vec<Expectation> = case.expect.iter().filter(is_of_domain).cloned().collect();
        compare(name, &case.title, &expected, &answers_of_domain(case, &case.policy()));
    }
}

async fn every_case_holds_for_the_system(kind: DatabaseKind) {
    for (name, case) in &cases() {
        let options = ClusterOptions { policy: Arc::new(case.policy()), ..ClusterOptions::default() };
        let cluster = Cluster::start_with(kind, options).await;
        compare(name, &case.title, &case.expect, &answers_of_system(case, &cluster).await);
        cluster.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_holds_for_the_system_on_sqlite() {
    every_case_holds_for_the_system(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_holds_for_the_system_on_postgresql() {
    every_case_holds_for_the_system(DatabaseKind::Postgresql).await;
}
