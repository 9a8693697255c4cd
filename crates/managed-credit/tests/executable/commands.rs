use crate::process::{Services, managed_credit, run, services_with_sample};

#[test]
fn a_wrong_command_line_exits_with_2_and_says_what_is_wrong() {
    for (arguments, expected) in [
        (&["unknown"] as &[&str], "unknown"),
        (&["serve"], "<SERVICE>"),
        (&["serve", "everything"], "everything"),
        (&["breakdown", "--partner", "0"], "a hub id is"),
        (&["why", "--partner", "1001", "--client", "x", "--as-of", "yesterday"], "RFC 3339"),
        (&["serve", "all", "--data-dir", "x", "--access-database-url", "sqlite://x"], "--access-database-url"),
    ] {
        let refused = run(arguments);
        assert_eq!(refused.code, Some(2), "{arguments:?} {refused:?}");
        assert!(refused.stderr.contains(expected), "{arguments:?} {}", refused.stderr);
    }
}

#[tokio::test]
async fn a_breakdown_is_filtered_and_written_to_a_file_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    let file = folder.path().join("lost.csv");
    let path = file.to_str().expect("a path of text");
    let flags = ["breakdown", "--partner", "1001", "--as-of", "2025-09-01", "--format", "csv", "--output", path];
    let lost = services.ask(&[&flags as &[&str], &["--reason", "lapsed", "--with-credit", "false"]].concat());
    assert_eq!((lost.code, lost.stdout.as_str()), (Some(0), ""), "{lost:?}");
    let written = std::fs::read_to_string(&file).expect("a file");
    assert_eq!(written.lines().count(), 2, "{written}");
    assert!(written.contains("Verde Vivo Garden") && written.contains(",LAPSED,"), "{written}");

    let refused = services.ask(&[&flags as &[&str], &["--currency", "EURO"]].concat());
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("filter.currency_code"), "{}", refused.stderr);
    assert_eq!(std::fs::read_to_string(&file).expect("the file of before"), written);
    let nowhere = folder.path().join("nowhere/lost.csv");
    let nowhere = services.ask(&["breakdown", "--partner", "1001", "--output", nowhere.to_str().expect("text")]);
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.stderr.contains("cannot write"), "{}", nowhere.stderr);
}

#[tokio::test]
async fn a_month_is_frozen_exported_and_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    let of_month = ["--partner", "1001", "--month", "2025-08"];
    let issued = services.ask(&[&["statement", "issue"] as &[&str], &of_month].concat());
    assert_eq!(issued.code, Some(0), "{issued:?}");
    assert!(issued.stdout.starts_with("2025-08: 40.00 points at its end, 45.00 when it began\n"), "{}", issued.stdout);
    let again = services.ask(&[&["statement", "issue"] as &[&str], &of_month].concat());
    assert!(again.stdout.starts_with("It was issued before"), "{}", again.stdout);
    let listed = services.ask(&["statement", "list", "--partner", "1001"]);
    assert!(listed.stdout.contains("2025-08"), "{}", listed.stdout);

    let file = folder.path().join("2025-08.json");
    let path = file.to_str().expect("a path of text");
    let exported = services.ask(&[&["statement", "export", "--output", path] as &[&str], &of_month].concat());
    assert_eq!((exported.code, exported.stdout.as_str()), (Some(0), ""), "{exported:?}");
    let right = run(&["verify-statement", path]);
    assert_eq!(right.code, Some(0), "{right:?}");
    assert!(right.stdout.contains("the hash is right, and everything adds up"), "{}", right.stdout);

    // The README's own check, in another language.
    let readme = include_str!("../../../../README.md");
    let script = readme.split_once("python3 -c '").and_then(|(_, rest)| rest.split_once("' 2026-10.json"));
    let script = script.expect("the README's check of a statement").0;
    let python = std::process::Command::new("python3").args(["-c", script, path]).output().expect("python3");
    assert_eq!(String::from_utf8_lossy(&python.stdout), "True\n", "{}", String::from_utf8_lossy(&python.stderr));

    let document = std::fs::read_to_string(&file).expect("a file");
    std::fs::write(&file, document.replace("880.00", "980.00")).expect("a changed file");
    let changed = run(&["verify-statement", path]);
    assert_eq!(changed.code, Some(1));
    assert!(changed.stdout.contains("sha256: is ") && changed.stdout.contains("totals.credits"), "{}", changed.stdout);
    std::fs::write(&file, "{}").expect("another file");
    let none = run(&["verify-statement", path]);
    assert!(none.stderr.contains("is no statement"), "{}", none.stderr);
}

#[tokio::test]
async fn another_policy_is_simulated_from_the_document_that_is_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    let said = services.ask(&["policy", "--as-of", "2025-07-01"]);
    assert!(said.stdout.contains("An activity counts for 60 days"), "{said:?}");
    let printed = services.ask(&["policy", "--document"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let file = folder.path().join("policy.toml");
    let path = file.to_str().expect("a path of text");
    std::fs::write(&file, printed.stdout.replace("days = 60 }", "days = 30 }")).expect("a file");
    let simulate = |format: &str| {
        let answer = services.ask(&["simulate", "--policy", path, "--as-of", "2025-09-01", "--format", format]);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        answer.stdout
    };
    insta::assert_snapshot!("simulate_table", simulate("table"));
    insta::assert_snapshot!("simulate_csv", simulate("csv"));
    assert!(simulate("json").contains("\"simulated_policy_digest\""));
    std::fs::write(&file, printed.stdout.replace("days = 60 }", "days = 0 }")).expect("a file");
    let wrong = services.ask(&["simulate", "--policy", path]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("windows[0].days"), "{}", wrong.stderr);
}

#[test]
fn help_has_examples() {
    for command in [
        "serve",
        "migrate",
        "breakdown",
        "why",
        "expiring",
        "timeline",
        "changes",
        "tier",
        "statement",
        "verify-statement",
        "demo",
    ] {
        let help = run(&[command, "--help"]);
        assert_eq!(help.code, Some(0));
        assert!(help.stdout.contains(&format!("managed-credit {command}")), "{}", help.stdout);
    }
    assert!(run(&["import", "programme", "--help"]).stdout.contains("subscriptions.csv"));
}

#[test]
fn a_service_that_is_away_is_named_with_the_command_that_starts_it() {
    for arguments in [
        &["breakdown", "--partner", "1001", "--credit-url", "http://127.0.0.1:1"] as &[&str],
        &["why", "--partner", "1001", "--client", "borgo", "--credit-url", "http://127.0.0.1:1"],
        &["timeline", "--partner", "1001", "--credit-url", "http://127.0.0.1:1"],
        &["changes", "--partner", "1001", "--from", "2025-01-01", "--credit-url", "http://127.0.0.1:1"],
    ] {
        let away = run(arguments);
        assert_eq!(away.code, Some(1));
        for expected in ["credit-calculation", "http://127.0.0.1:1", "managed-credit serve all"] {
            assert!(away.stderr.contains(expected), "{}", away.stderr);
        }
    }
}

#[test]
fn a_partner_that_is_not_known_is_an_error_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = Services::start_all(folder.path());
    let unknown = services.ask(&["breakdown", "--partner", "77"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(1), ""));
    assert!(unknown.stderr.contains("partners/77") || unknown.stderr.contains("partner 77"), "{}", unknown.stderr);
}

#[tokio::test]
async fn a_running_system_is_asked_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    let breakdown = |format: &str| {
        let flags = ["--as-of", "2025-09-01", "--order", "points", "--descending", "--format", format];
        let answer = services.ask(&[&["breakdown", "--partner", "1001"] as &[&str], &flags].concat());
        assert_eq!(answer.code, Some(0), "{answer:?}");
        answer.stdout
    };
    let why_of = |client: &str, format: &str| {
        let flags = ["--client", client, "--as-of", "2025-09-01", "--format", format];
        let answer = services.ask(&[&["why", "--partner", "1001"] as &[&str], &flags].concat());
        assert_eq!(answer.code, Some(0), "{answer:?}");
        answer.stdout
    };
    let why = |format: &str| why_of("SAKURA", format);
    let over_time = |command: &str, format: &str| {
        let flags = ["--from", "2025-06-01", "--to", "2025-12-01", "--format", format];
        let answer = services.ask(&[&[command, "--partner", "1001"] as &[&str], &flags].concat());
        assert_eq!(answer.code, Some(0), "{answer:?}");
        answer.stdout
    };
    insta::with_settings!({filters => [
        // What differs from run to run: when it was recorded and calculated, and from which revisions.
        (r#""calculation_time": "[^"]+""#, r#""calculation_time": "[time]""#),
        (r#""fresh_time": "[^"]+""#, r#""fresh_time": "[time]""#),
        (r#""record_time": "[^"]+""#, r#""record_time": "[time]""#),
        (r#""policy_digest": "[0-9a-f]{64}""#, r#""policy_digest": "[digest]""#),
        (r"calculated at [^.]*\.", "calculated at [time]."),
        (r#""(access|servicing|credit)-\d+""#, r#""$1-[position]""#),
    ]}, {
        insta::assert_snapshot!("breakdown_table", breakdown("table"));
        insta::assert_snapshot!("breakdown_csv", breakdown("csv"));
        insta::assert_snapshot!("breakdown_json", breakdown("json"));
        insta::assert_snapshot!("why_table", why("table"));
        insta::assert_snapshot!("why_csv", why("csv"));
        insta::assert_snapshot!("why_json", why("json"));
        insta::assert_snapshot!("why_there_is_credit", why_of("lumina", "table"));
        insta::assert_snapshot!("why_it_was_lost", why_of("verde vivo", "json"));
        for format in ["table", "json"] {
            let flags = ["tier", "show", "--partner", "1001", "--as-of", "2025-09-01", "--format", format];
            let answer = services.ask(&flags);
            assert_eq!(answer.code, Some(0), "{answer:?}");
            insta::assert_snapshot!(format!("tier_{format}"), answer.stdout);
        }
        for format in ["table", "csv", "json"] {
            let answer = services.ask(&["expiring", "--partner", "1001", "--as-of", "2025-09-01", "--format", format]);
            assert_eq!(answer.code, Some(0), "{answer:?}");
            insta::assert_snapshot!(format!("expiring_{format}"), answer.stdout);
        }
        for command in ["timeline", "changes"] {
            for format in ["table", "csv", "json"] {
                insta::assert_snapshot!(format!("{command}_{format}"), over_time(command, format));
            }
        }
    });

    for format in ["table", "json", "csv"] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        // Who reads has had enough, as `head` has.
        drop(reader);
        let mut breakdown = managed_credit(&["breakdown", "--partner", "1001", "--format", format]);
        breakdown.args(["--credit-url", &services.url("credit-calculation")]).stdout(writer);
        let ended = breakdown.output().expect("the executable is built");
        assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &[] as &[u8]), "{format}");
    }

    let search = services.ask(&["breakdown", "--partner", "1001", "--search", "caffe", "--format", "csv"]);
    assert_eq!(search.stdout.lines().count(), 2, "{}", search.stdout);
}

#[tokio::test]
async fn a_client_is_named_by_number_or_name_and_an_ambiguous_name_lists_whom_it_may_mean() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    let why = |client: &str| services.ask(&["why", "--partner", "1001", "--client", client, "--as-of", "2025-09-01"]);
    let (by_number, by_name) = (why("2004"), why("verde vivo"));
    assert_eq!(by_number.code, Some(0), "{by_number:?}");
    assert!(by_number.stdout.starts_with("Verde Vivo Garden stopped counting for you"), "{}", by_number.stdout);
    let but_for_the_basis = |text: &str| text.split("As of ").next().map(str::to_owned);
    assert_eq!(but_for_the_basis(&by_number.stdout), but_for_the_basis(&by_name.stdout));

    let ambiguous = why("a");
    assert_eq!((ambiguous.code, ambiguous.stdout.as_str()), (Some(1), ""));
    for candidate in ["Caffè Borgo (2001)", "Atlas Outdoor (2003)"] {
        assert!(ambiguous.stderr.contains(candidate), "{}", ambiguous.stderr);
    }
    let nobody = why("zzz");
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.stderr.contains("no client whose name contains \"zzz\""), "{}", nobody.stderr);
}
