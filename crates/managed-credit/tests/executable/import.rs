use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::process::{SAMPLE, Services, managed_credit, run, services_with_sample};

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

/// Writes a file of a test's folder; its path.
fn written(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).expect("a file");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// A record of the CMS audit log.
fn cms_record(object: &str, user: &str, time: &str, event: &str, object_type: &str) -> String {
    format!(
        "{{\"objectId\":\"{object}\",\"userId\":{user},\"timestamp\":\"{time}\",\"objectName\":\"Summer\",\
         \"fullName\":\"Somebody\",\"event\":\"{event}\",\"objectType\":\"{object_type}\"}}"
    )
}

const CMS_USERS: &str = "\
    Name;user_id;email\n\
    Giulia;11;Giulia.Rossi@officina-digitale.example\n\
    Luca;31;luca.ferri@caffe-borgo.example\n";

#[tokio::test]
async fn a_cms_audit_log_is_imported_by_who_its_users_are_and_importing_it_again_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(&folder.path().join("data")).await;
    let users = written(folder.path(), "users.csv", CMS_USERS);
    let records = [
        cms_record("9001", "\"11\"", "2025-08-20T08:00:00Z", "CREATED", "BLOG_POST"),
        cms_record("9001", "\"11\"", "2025-08-20T09:00:00.250Z", "PUBLISHED", "BLOG_POST"),
        cms_record("9002", "\"11\"", "2025-08-20T10:00:00Z", "UPDATED", "LANDING_PAGE"),
        cms_record("borgo.example/caffè", "\"11\"", "2025-08-20T11:00:00Z", "UPDATED", "DOMAIN"),
        cms_record("9003", "\"31\"", "2025-08-20T12:00:00Z", "UPDATED", "WEBSITE_PAGE"),
        cms_record("9004", "\"11\"", "2025-08-20T13:00:00Z", "CREATED", "HOLOGRAM"),
    ];
    let page = format!("{{\"results\":[{}],\"paging\":{{}}}}", records.join(",\n"));
    let log = written(folder.path(), "cms.json", &page);
    let imported = |log: &Path| {
        let flags = ["import", "cms-audit-log", "--client", "2001", "--users", text(&users), text(log)];
        let imported = services.ask(&flags);
        assert_eq!((imported.code, imported.stderr.as_str()), (Some(0), ""), "{imported:?}");
        imported.stdout
    };
    insta::assert_snapshot!("cms_audit_log", imported(&log));

    // The same records in another writing are the same: one a line, the user a number, the time with another offset.
    let lines = records.join("\n").replace("\"11\"", "11").replace("T08:00:00Z", "T10:00:00.000+02:00");
    for log in [&log, &written(folder.path(), "lines.json", &lines)] {
        let again = imported(log);
        assert!(again.starts_with("CMS audit log of client 2001: 6 records; new: 0, recorded before: 6"), "{again}");
    }
}

#[test]
fn what_cannot_be_imported_is_written_to_the_file_of_rejects_with_its_line_its_reason_and_its_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = Services::start_all(&folder.path().join("data"));
    let users = written(folder.path(), "users.csv", "user_id,email\n11,a@agency.example\n");
    let other_users = written(folder.path(), "other.csv", "user_id,email\n11,b@agency.example\n");
    let time = "2025-08-20T08:00:00Z";
    let lines = [
        cms_record("9001", "11", time, "PUBLISHED", "BLOG_POST"),
        "oops, no JSON".to_owned(),
        cms_record("9002", "12", time, "PUBLISHED", "BLOG_POST"),
        cms_record("9003", "11", "9000-01-01T00:00:00Z", "PUBLISHED", "BLOG_POST"),
        "17".to_owned(),
        cms_record("9004", "11", time, "was \\\"published\\\"", "BLOG_POST"),
        cms_record("9005", "11", time, "PUBLISHED", "BLOG_POST"),
    ];
    let log = written(folder.path(), "log.json", &lines.join("\n"));
    let rejects = written(folder.path(), "rejects.csv", "what an earlier import left");
    let import = |users: &Path| {
        let flags =
            ["import", "cms-audit-log", "--client", "2001", "--users", text(users), "--rejects", text(&rejects)];
        let imported = services.ask(&[&flags[..], &[text(&log)]].concat());
        assert_eq!(imported.code, Some(1), "{imported:?}");
        (imported, fs::read_to_string(&rejects).expect("it was written").replace(text(folder.path()), "[folder]"))
    };
    let (imported, rejected) = import(&users);
    insta::with_settings!({filters => [(r"ahead of [^,\n]+", "ahead of [now]")]}, {
        insta::assert_snapshot!("rejects", rejected);
    });
    assert_eq!(imported.stderr, "error: 5 records could not be imported; 2 others could\n");
    assert!(imported.stdout.contains("7 records; new: 2, recorded before: 0, errors: 5."), "{}", imported.stdout);
    let written_to = format!("Written to {}: 5 rejected records.", text(&rejects));
    assert!(imported.stdout.contains(&written_to), "{}", imported.stdout);

    // Who has another address now did the same under another name: the service keeps what it was told first.
    let (again, rejected) = import(&other_users);
    assert!(again.stdout.contains("7 records; new: 0, recorded before: 0, errors: 7."), "{}", again.stdout);
    assert_eq!(rejected.matches(",\"ACTIVITY_ID_REUSED: ").count(), 2, "{rejected}");

    // The other log has them too; a file without rejects has its header only.
    let line = "{\"id\":\"r-1\",\"category\":\"LOGIN\",\"action\":\"PERFORM\",\"occurredAt\":1754000000000,\
                \"actingUser\":{\"userEmail\":\"a@agency.example\"}}";
    let flags = ["import", "audit-log", "--client", "2001", "--rejects", text(&rejects), "-"];
    let imported = services.ask_with_input(&flags, line);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    assert!(imported.stdout.contains(": 0 rejected records."), "{}", imported.stdout);
    assert_eq!(fs::read_to_string(&rejects).expect("a file"), "file,line,reason,record\n");
}

#[test]
fn who_has_had_enough_of_the_summary_is_told_by_the_exit_code_that_something_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = Services::start_all(&folder.path().join("data"));
    written(folder.path(), "clients.csv", "hub_id,display_name,country,start_time\n2001,Ahead,IT,9000-01-01\n");
    let log = written(folder.path(), "log.json", "oops\n");
    for arguments in [
        &["import", "programme", text(folder.path())] as &[&str],
        &["import", "audit-log", "--client", "2001", text(&log)],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut import = managed_credit(arguments);
        import.args(["--access-url", &services.url("access-management")]);
        import.args(["--activity-url", &services.url("activity-tracking")]);
        let ended = import.stdout(writer).output().expect("the executable is built");
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    }
}

#[test]
fn of_a_long_log_every_reject_is_written_once_in_its_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = Services::start_all(&folder.path().join("data"));
    let line = |number: i64| {
        // What cannot be read, what the service refuses, and long ones, so that batches end early.
        let (id, time) = match number {
            _ if number % 7 == 0 => ("with space".to_owned(), 1_754_000_000_000 + number),
            _ if number % 11 == 0 => (format!("r-{number}"), 32_503_680_000_000),
            _ => (format!("r-{number}"), 1_754_000_000_000 + number),
        };
        let padding = "x".repeat(if number % 1_000 < 10 { 100_000 } else { 10 });
        format!(
            "{{\"id\":\"{id}\",\"category\":\"LOGIN\",\"action\":\"PERFORM\",\"occurredAt\":{time},\
             \"actingUser\":{{\"userEmail\":\"a@agency.example\"}},\"padding\":\"{padding}\"}}\n"
        )
    };
    let numbers = 1..=4_444;
    let log: String = numbers.clone().map(line).collect();
    let expected: Vec<String> =
        numbers.filter(|number| number % 7 == 0 || number % 11 == 0).map(|number| number.to_string()).collect();
    let rejects = folder.path().join("rejects.csv");
    for (new, before) in [(4_444 - expected.len(), 0), (0, 4_444 - expected.len())] {
        let flags = ["import", "audit-log", "--client", "2001", "--rejects", text(&rejects), "-"];
        let imported = services.ask_with_input(&flags, &log);
        assert_eq!(imported.code, Some(1), "{}", imported.stderr);
        let counts = format!("4444 records; new: {new}, recorded before: {before}, errors: {}.", expected.len());
        assert!(imported.stdout.contains(&counts), "{}", imported.stdout);
        let content = fs::read_to_string(&rejects).expect("it was written");
        let lines: Vec<&str> = content.lines().skip(1).filter_map(|row| row.split(',').nth(1)).collect();
        assert_eq!(lines, expected);
    }
}

#[test]
fn wrong_users_are_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = written(folder.path(), "log.json", &cms_record("1", "1", "2025-08-20T08:00:00Z", "CREATED", "FILE"));
    let rejects = written(folder.path(), "rejects.csv", "kept");
    let refused = |users: &Path| {
        let flags =
            ["import", "cms-audit-log", "--client", "2001", "--users", text(users), "--rejects", text(&rejects)];
        // No service runs: nothing may be asked.
        let refused = run(&[&flags[..], &[text(&log)]].concat());
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
        assert_eq!(fs::read_to_string(&rejects).expect("a file"), "kept");
        refused.stderr
    };
    let users = "user_id,email\n1,a@agency.example\n1,b@agency.example\n2,nobody\n3,c@agency.example,x\n";
    let problem = refused(&written(folder.path(), "users.csv", users)).replace(text(folder.path()), "[folder]");
    insta::assert_snapshot!("wrong_users", problem);
    assert!(refused(&folder.path().join("missing.csv")).contains("missing.csv: No such file"));
    assert!(
        refused(&written(folder.path(), "users.csv", "id,email\n")).contains("users.csv:1: column user_id is missing")
    );
}

#[test]
fn a_file_that_is_read_is_never_the_file_of_rejects() {
    let folder = tempfile::tempdir().expect("a folder");
    let users = written(folder.path(), "users.csv", "user_id,email\n11,a@agency.example\n");
    let log = written(folder.path(), "log.json", &cms_record("1", "11", "2025-08-20T08:00:00Z", "CREATED", "FILE"));
    let linked = folder.path().join("linked.json");
    std::os::unix::fs::symlink(&log, &linked).expect("a link");
    let cms = ["import", "cms-audit-log", "--client", "2001", "--users", text(&users)];
    let import = |flags: &[&str], rejects: &Path, file: &str| -> Output {
        let mut command = managed_credit(&[flags, &["--rejects", text(rejects), file]].concat());
        // No service runs: nothing may be asked.
        command.stdin(File::open(&log).expect("a file")).output().expect("the executable is built")
    };
    for (flags, rejects, file) in [
        (&cms[..], &log, text(&log)),
        (&cms, &linked, text(&log)),
        (&cms, &users, text(&log)),
        (&cms, &log, "-"),
        (&["import", "audit-log", "--client", "2001"], &log, text(&linked)),
    ] {
        let before = (fs::read(&users).expect("a file"), fs::read(&log).expect("a file"));
        let refused = import(flags, rejects, file);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        let problem = String::from_utf8(refused.stderr).expect("text");
        let expected = format!("error: {}: --rejects would replace a file that is to be read\n", text(rejects));
        assert_eq!(problem, expected);
        assert_eq!((fs::read(&users).expect("a file"), fs::read(&log).expect("a file")), before);
    }
}

#[test]
fn rejects_that_cannot_be_written_are_an_error_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = written(folder.path(), "log.json", "{}");
    for rejects in [&folder.path().join("missing").join("rejects.csv"), Path::new("/dev/full")] {
        let refused = run(&["import", "audit-log", "--client", "2001", "--rejects", text(rejects), text(&log)]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.starts_with(&format!("error: {}: ", text(rejects))), "{}", refused.stderr);
    }
}

#[test]
fn help_says_what_a_log_looks_like_and_what_becomes_of_what_cannot_be_imported() {
    for log in ["audit-log", "cms-audit-log"] {
        let help = run(&["import", log, "--help"]);
        assert_eq!(help.code, Some(0));
        for expected in ["one record a line", "--rejects <FILE>", &format!("managed-credit import {log} --client 2002")]
        {
            assert!(help.stdout.contains(expected), "{expected} in {}", help.stdout);
        }
    }
    assert!(run(&["import", "cms-audit-log", "--help"]).stdout.contains("user_id, email"));
}
