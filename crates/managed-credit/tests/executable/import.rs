use std::fs;

use crate::process::{SAMPLE, Services, run, services_with_sample};

#[tokio::test]
async fn importing_the_same_again_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    let again = services.ask(&["import", "programme", SAMPLE]);
    assert_eq!(again.code, Some(0), "{again:?}");
    let rows: Vec<[&str; 4]> = again.stdout.lines().filter_map(cells).collect();
    let expected = [
        ["partners.csv", "0", "2", "0"],
        ["employees.csv", "0", "6", "0"],
        ["clients.csv", "0", "8", "0"],
        ["client_users.csv", "0", "13", "0"],
        ["links.csv", "0", "1", "0"],
        ["subscriptions.csv", "0", "9", "0"],
    ];
    assert_eq!(rows, expected, "{}", again.stdout);

    let log = format!("{SAMPLE}/audit-log/2004.json");
    let again = services.ask(&["import", "audit-log", "--client", "2004", &log]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.stdout.contains("7 records; new: 0, recorded before: 7, errors: 0."), "{}", again.stdout);
}

/// The cells of a table's row of one file.
fn cells(line: &str) -> Option<[&str; 4]> {
    let cells: Vec<&str> = line.trim_matches('│').split('┆').map(str::trim).collect();
    <[&str; 4]>::try_from(cells).ok().filter(|cells| cells[0].ends_with(".csv"))
}

#[test]
fn a_user_that_was_added_removed_and_added_again_is_imported_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = Services::start_all(&folder.path().join("data"));
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    write("clients.csv", "hub_id,display_name,country,start_time\n2001,Client,IT,2024-01-01\n");
    let users = "client,email,display_name,permission_set,start_time,removed_time\n\
                 2001,a@agency.example,A,standard,2025-01-01,2025-02-01\n\
                 2001,a@agency.example,A,standard,2025-03-01,2025-04-01\n\
                 2001,a@agency.example,A,standard,2025-05-01,\n";
    write("client_users.csv", users);
    let dir = folder.path().to_str().expect("text");
    for expected in [["client_users.csv", "3", "0", "0"], ["client_users.csv", "0", "3", "0"]] {
        let imported = services.ask(&["import", "programme", dir]);
        assert_eq!(imported.code, Some(0), "{imported:?}");
        assert!(imported.stdout.lines().filter_map(cells).any(|row| row == expected), "{}", imported.stdout);
    }
}

#[test]
fn what_exists_with_other_content_is_left_and_named_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = Services::start_all(&folder.path().join("data"));
    let dir = folder.path().to_str().expect("text");
    let write = |name: &str| {
        let text = format!("hub_id,display_name,country\n# the client\n2001,{name},IT\n");
        fs::write(folder.path().join("clients.csv"), text).expect("a file");
    };
    write("One");
    assert_eq!(services.ask(&["import", "programme", dir]).code, Some(0));
    write("Other");
    let again = services.ask(&["import", "programme", dir]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stdout.contains("clients.csv:3: exists with another display_name"), "{}", again.stdout);
}

#[test]
fn a_refused_row_is_named_with_its_line_and_the_others_are_imported() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = Services::start_all(&folder.path().join("data"));
    let partners = "hub_id,display_name,country,email_domains\n1001,One,IT,one.example\n1002,Two,IT,gmail.com\n";
    fs::write(folder.path().join("partners.csv"), partners).expect("a file");
    let clients = "hub_id,display_name,country,start_time\n2001,Ahead,IT,9000-01-01\n";
    fs::write(folder.path().join("clients.csv"), clients).expect("a file");
    let imported = services.ask(&["import", "programme", folder.path().to_str().expect("text")]);
    assert_eq!(imported.code, Some(1), "{imported:?}");
    assert!(imported.stdout.contains("partners.csv:3: ") && imported.stdout.contains("gmail.com"), "{imported:?}");
    assert!(imported.stdout.lines().filter_map(cells).any(|row| row == ["partners.csv", "1", "0", "1"]));
    assert!(imported.stdout.contains("clients.csv:2: start_time: "), "{imported:?}");
    assert!(imported.stderr.contains("2 rows were refused"), "{imported:?}");
}

#[test]
fn bad_files_are_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("clients.csv"), "hub_id,display_name,country\n0,One,XX\n").expect("a file");
    // No service runs there: nothing may be asked.
    let refused = run(&["import", "programme", folder.path().to_str().expect("text")]);
    assert_eq!(refused.code, Some(1));
    for expected in ["nothing was sent", "clients.csv:2: hub_id:", "clients.csv:2: country:"] {
        assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    }
}

#[test]
fn records_that_cannot_be_read_are_named_and_the_others_are_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = Services::start_all(folder.path());
    let record = |id: &str, category: &str| {
        format!(
            "{{\"id\":\"{id}\",\"category\":\"{category}\",\"subCategory\":\"CONTACT\",\"action\":\"CREATE\",\
             \"occurredAt\":\"2025-08-01T00:00:00Z\",\"actingUser\":{{\"userEmail\":\"a@agency.example\"}}}}\n"
        )
    };
    let lines = [
        record("a", "CRM_OBJECT"),
        "oops\n".to_owned(),
        record("with space", "CRM_OBJECT"),
        record("b", "lower case"),
        record("a", "CRM_OBJECT"),
        record("c", "CRM_OBJECT"),
    ];
    let imported = services.ask_with_input(&["import", "audit-log", "--client", "2001", "-"], &lines.concat());
    assert_eq!(imported.code, Some(1), "{imported:?}");
    for expected in ["standard input:2: expected value", "standard input:3: id: ", "standard input:4: "] {
        assert!(imported.stderr.contains(expected), "{expected} in {}", imported.stderr);
    }
    assert!(imported.stdout.contains("6 records; new: 2, recorded before: 1, errors: 3."), "{}", imported.stdout);
    assert!(imported.stdout.contains("UNKNOWN_CLIENT"), "{}", imported.stdout);
}

#[test]
fn more_records_than_one_call_takes_are_all_recorded_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = Services::start_all(&folder.path().join("data"));
    let records: Vec<String> = (0..1_234)
        .map(|number| {
            format!(
                "{{\"id\":\"r-{number}\",\"category\":\"LOGIN\",\"action\":\"PERFORM\",\
                 \"occurredAt\":{},\"actingUser\":{{\"userEmail\":\"a@agency.example\"}}}}",
                1_754_000_000_000_i64 + number
            )
        })
        .collect();
    let file = folder.path().join("log.json");
    fs::write(&file, format!("{{\"results\":[{}],\"paging\":{{}}}}", records.join(","))).expect("a file");
    let file = file.to_str().expect("text");
    for expected in ["new: 1234, recorded before: 0", "new: 0, recorded before: 1234"] {
        let imported = services.ask(&["import", "audit-log", "--client", "2001", file]);
        assert_eq!(imported.code, Some(0), "{imported:?}");
        assert!(imported.stdout.contains(expected), "{}", imported.stdout);
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_named_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing.json");
    for file in [missing.as_path(), folder.path()] {
        let file = file.to_str().expect("text");
        // No service runs: nothing may be asked.
        let refused = run(&["import", "audit-log", "--client", "2001", file]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.starts_with(&format!("error: {file}: ")), "{}", refused.stderr);
    }
}
