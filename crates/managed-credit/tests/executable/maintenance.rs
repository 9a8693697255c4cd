//! What operators ask: status, verification, and new copies.

use std::time::{Duration, Instant};

use crate::process::{NOWHERE, Services, run, services_with_sample};

/// Far above what judging the sample again takes.
const JUDGING_LIMIT: Duration = Duration::from_secs(30);

/// What `status` says of the tasks that wait, once none does.
fn wait_until_nothing_waits(services: &Services) {
    let asked = Instant::now();
    loop {
        let status = services.ask(&["status", "--format", "json"]);
        assert_eq!(status.code, Some(0), "{status:?}");
        let answer: serde_json::Value = serde_json::from_str(&status.stdout).expect("JSON");
        let text = answer.to_string();
        if text.contains("\"waiting_tasks\":0") {
            return;
        }
        assert!(asked.elapsed() < JUDGING_LIMIT, "{text}");
    }
}

#[tokio::test]
async fn what_is_kept_is_verified_and_copies_are_built_anew_without_a_difference() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    wait_until_nothing_waits(&services);
    let breakdown =
        || services.ask(&["breakdown", "--partner", "1001", "--as-of", "2025-09-01", "--format", "csv"]).stdout;
    let before = breakdown();
    let verify = || {
        let verified = services.ask(&["verify"]);
        assert_eq!(
            (verified.code, verified.stdout.matches(": no differences in").count()),
            (Some(0), 3),
            "{verified:?}"
        );
    };
    verify();
    for (arguments, feeds) in [(vec!["replay", "activity"], 1), (vec!["replay", "credit"], 2)] {
        let replayed = services.ask(&arguments);
        assert_eq!(
            (replayed.code, replayed.stdout.matches("has a new copy of").count()),
            (Some(0), feeds),
            "{replayed:?}"
        );
    }
    wait_until_nothing_waits(&services);
    verify();
    assert_eq!(breakdown(), before);
}

#[test]
fn a_service_that_is_away_is_said_to_be_and_the_exit_code_says_so_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().to_str().expect("a path of text");
    let free = "127.0.0.1:0";
    let arguments = ["serve", "access", "--log", "warn", "--data-dir", data_dir, "--access-listen", free];
    let access = Services::start(&arguments, 1);
    let url = access.url("access-management");
    // Nobody listens on a port that was free a moment ago.
    let flags = ["--access-url", &url, "--activity-url", NOWHERE, "--credit-url", NOWHERE];
    let ask = |arguments: &[&str]| run(&[arguments, &flags[..]].concat());
    let right = ask(&["verify", "access"]);
    assert_eq!(right.code, Some(0), "{right:?}");
    for command in ["verify", "status"] {
        let away = ask(&[command]);
        assert_eq!(away.code, Some(1), "{away:?}");
        assert!(away.stdout.contains("activity-tracking") && away.stderr.contains("credit-calculation"), "{away:?}");
    }
    let replayed = ask(&["replay", "activity"]);
    assert_eq!(replayed.code, Some(1), "{replayed:?}");
}
