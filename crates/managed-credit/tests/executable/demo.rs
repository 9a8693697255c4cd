use crate::process::{Services, run};

#[test]
fn the_demo_shows_what_each_partner_is_credited_with_and_why_one_credit_was_lost() {
    let demo = run(&["demo"]);
    assert_eq!(demo.code, Some(0), "{demo:?}");
    insta::assert_snapshot!(demo.stdout);
}

#[test]
fn the_demo_as_of_another_day_tells_that_days_truth() {
    let demo = run(&["demo", "--as-of", "2025-08-01"]);
    assert_eq!(demo.code, Some(0), "{demo:?}");
    let row = demo.stdout.lines().find(|line| line.contains("Verde Vivo")).expect("the client is listed");
    assert!(row.contains("expiring") && row.contains("5.00"), "{row}");
}

#[tokio::test]
async fn the_demo_that_is_kept_answers_the_lines_that_it_prints() {
    let kept = Services::start(&["demo", "--keep"], 3);
    let mut tried = 0;
    for line in kept.printed.lines().filter(|line| line.contains("-url ")) {
        let arguments: Vec<&str> = line.split(' ').skip(1).collect();
        let answer = run(&arguments);
        assert_eq!(answer.code, Some(0), "{line}: {answer:?}");
        assert!(!answer.stdout.is_empty(), "{line}");
        tried += 1;
    }
    assert_eq!(tried, 2, "{}", kept.printed);
    assert!(kept.printed.contains("grpcurl -plaintext -d '{\"parent\":\"partners/1001\""), "{}", kept.printed);
    kept.terminate();
    let (status, _) = kept.wait();
    assert_eq!(status.code(), Some(0));
}
