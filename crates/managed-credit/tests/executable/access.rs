//! The Client Access Manager on the command line, against running services.

mod removal;

use contracts::wire::access::access_management_service_client::AccessManagementServiceClient;
use contracts::wire::access::{AccessChange, ListAccessChangesRequest};
use service_kit::Clock;

use crate::process::{Finished, Services, run, services_with_sample};

const GIULIA: &str = "giulia.rossi@officina-digitale.example";
const MARCO: &str = "marco.bianchi@officina-digitale.example";
const SARA: &str = "sara.conti@postbox.example";
const OLIVER: &str = "oliver.reed@harbourfinch.example";

/// Asks, and expects everything to be done.
fn done(services: &Services, arguments: &[&str]) -> String {
    let finished = services.ask(arguments);
    assert_eq!(finished.code, Some(0), "{arguments:?} {finished:?}");
    finished.stdout
}

/// Asks, and expects that not everything is done, with these words on standard error.
fn not_done(services: &Services, arguments: &[&str], words: &[&str]) -> Finished {
    let finished = services.ask(arguments);
    assert_eq!(finished.code, Some(1), "{arguments:?} {finished:?}");
    for word in words {
        assert!(finished.stderr.contains(word), "{word} in {}", finished.stderr);
    }
    finished
}

/// The cells of the only row, below the header, of a table in CSV that begins with these cells.
fn csv_row(text: &str, first: &[&str]) -> Vec<String> {
    let rows: Vec<Vec<String>> =
        text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let mut found = rows.iter().filter(|row| row.iter().zip(first).all(|(cell, first)| cell == first));
    let row = found.next().unwrap_or_else(|| panic!("{first:?} in {text}")).clone();
    assert!(found.next().is_none(), "{first:?} comes once in {text}");
    row
}

/// The employee's row of a client in the Clients tab: from the address on.
fn access_of(services: &Services, client: &str, address: &str) -> Option<Vec<String>> {
    let types = "partner_admin,super_admin,standard,deactivated,linked_only";
    let tab = done(
        services,
        &["access", "clients", "--partner", "1001", "--search", client, "--type", types, "--format", "csv"],
    );
    let row = tab.lines().find(|line| line.contains(address))?;
    Some(row.split(',').skip(4).map(str::to_owned).collect())
}

/// The newest change of a kind, in the audit log.
async fn last_change(services: &Services, kind: &str) -> AccessChange {
    let url = services.url("access-management");
    let mut management = AccessManagementServiceClient::connect(url).await.expect("it is ready");
    let question = ListAccessChangesRequest { kinds: vec![kind.to_owned()], ..ListAccessChangesRequest::default() };
    let answer = management.list_access_changes(question).await.expect("the platform may ask");
    answer.into_inner().changes.into_iter().next().expect("a change")
}

/// Qualifying work that is done now.
async fn work(services: &Services, client: &str, address: &str, id: &str) {
    let now = Clock::System.now().to_rfc3339();
    let record = format!(
        "{{\"id\":\"{id}\",\"category\":\"CRM_OBJECT\",\"subCategory\":\"COMPANY\",\"action\":\"CREATE\",\
         \"occurredAt\":\"{now}\",\"actingUser\":{{\"userId\":1,\"userEmail\":\"{address}\"}}}}"
    );
    let imported = services.ask_with_input(&["import", "audit-log", "--client", client, "-"], &record);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    services.urls.settle("partners/1001").await;
}

/// What a client brings partner 1001 now: credit, points, state and why there is none.
async fn brings(services: &Services, client: &str) -> [String; 4] {
    services.urls.settle("partners/1001").await;
    let breakdown = done(services, &["breakdown", "--partner", "1001", "--search", client, "--format", "csv"]);
    let row = csv_row(&breakdown, &[client]);
    [7, 9, 11, 12].map(|column| row[column].clone())
}

#[tokio::test]
async fn the_manuals_steps_are_done_on_the_command_line_with_their_effect_on_credit() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;

    // R24: a contractor is linked by hand; R26: from then on work counts.
    let employees = ["access", "employees", "--partner", "1001", "--format", "csv"];
    let sara = |text: &str| text.lines().find(|line| line.contains(SARA)).map(str::to_owned).expect("a row");
    assert!(sara(&done(&services, &employees)).contains(",true,false,NONE,0,"), "not verified, and without clients");
    assert_eq!(brings(&services, "2008").await, ["0", "0.00", "NOT_MANAGED", "NOT_MANAGED"]);
    let link = ["access", "link", "--partner", "1001", "--employee", "sara conti", "sakura"];
    assert!(done(&services, &[&link[..], &["--as", GIULIA]].concat()).contains("work there counts from now on"));
    assert!(done(&services, &link).contains("was linked already"), "a repeat is no failure");
    assert!(sara(&done(&services, &employees)).contains(",NONE,1,"));
    work(&services, "2008", SARA, "work-1").await;
    assert_eq!(brings(&services, "2008").await, ["144000", "10.00", "ACTIVE", ""]);

    // R36: a Partner admin adds a colleague; R38, R39: deactivates and reactivates.
    let add = ["access", "add", "--client", "2001", "--partner", "1001", "--permission-set", "marketing", SARA];
    assert!(done(&services, &[&add[..], &["--as", GIULIA]].concat()).contains("with the permission set MARKETING"));
    let state = |of: &Services| access_of(of, "2001", SARA).map(|row| [row[2].clone(), row[4].clone(), row[5].clone()]);
    assert_eq!(state(&services), Some(["STANDARD", "MARKETING", ""].map(str::to_owned)));
    done(&services, &["access", "deactivate", "--client", "2001", SARA, "--as", GIULIA, "--reason", "on leave"]);
    assert_eq!(state(&services).expect("a row")[0], "DEACTIVATED");
    let audited = last_change(&services, "client_user_deactivated").await;
    assert_eq!((audited.actor.as_str(), audited.reason.as_str()), (GIULIA, "on leave"));
    assert!(!audited.request_id.is_empty(), "a repeat would do nothing");
    let again = ["access", "deactivate", "--client", "2001", SARA];
    assert!(done(&services, &again).contains("was deactivated already"), "a repeat is no failure");
    done(&services, &["access", "reactivate", "--client", "borgo", "--partner", "1001", "sara", "--as", GIULIA]);
    assert_eq!(state(&services).expect("a row")[0], "STANDARD");

    // R25, R75: unlinked, what was done goes on counting.
    let unlink = ["access", "unlink", "--partner", "1001", "--employee", SARA, "2008"];
    assert!(done(&services, &unlink).contains("goes on counting"));
    assert_eq!(brings(&services, "2008").await[2], "ACTIVE");
    // Where nothing is assigned, nothing is kept from being assigned later: that is no repeat.
    let nothing = not_done(&services, &unlink, &["nothing is unlinked"]);
    assert!(nothing.stdout.contains("is not assigned") && !nothing.stdout.contains("access-management"), "{nothing:?}");
    done(&services, &link);

    // R71: nobody is left, so that the relationship ends at once; R73: adding again revives nothing, new work does.
    let remove = ["access", "remove", "--partner", "1001", "--client", "2008", "--all", "--yes"];
    assert!(done(&services, &remove).contains("The managed relationship with Sakura Stationery (2008) has ended."));
    assert_eq!(brings(&services, "2008").await, ["0", "0.00", "ENDED", "ALL_EMPLOYEES_REMOVED"]);
    assert_eq!(access_of(&services, "2008", SARA).expect("it is linked")[2], "LINKED_ONLY");
    done(&services, &["access", "add", "--client", "2008", "--partner", "1001", SARA]);
    assert_eq!(brings(&services, "2008").await[2], "ENDED");
    work(&services, "2008", SARA, "work-2").await;
    assert_eq!(brings(&services, "2008").await, ["144000", "10.00", "ACTIVE", ""]);
}

#[tokio::test]
async fn what_is_named_is_found_and_what_cannot_be_found_is_said_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    let link = |employee: &str, clients: &[&str]| {
        let flags = ["access", "link", "--partner", "1001", "--employee", employee];
        services.ask(&[&flags[..], clients].concat())
    };
    let several = link("a", &["2008"]);
    assert_eq!((several.code, several.stdout.as_str()), (Some(1), ""));
    for candidate in [GIULIA, MARCO, SARA] {
        assert!(several.stderr.contains(candidate), "{}", several.stderr);
    }
    let nobody = link("conti@postbox.example", &["2008"]);
    assert!(nobody.stderr.contains("no employee") && nobody.stderr.contains("access employees --partner 1001"));
    let client = link(SARA, &["2008", "o"]);
    assert!(client.stderr.contains("Caffè Borgo (2001)") && client.stderr.contains("Atlas Outdoor (2003)"));
    assert_eq!(access_of(&services, "2008", SARA).expect("a user")[5], "", "nothing was linked");

    // Each of several has a result of its own; one that is named twice has one.
    let mixed = link(SARA, &["2008", "sakura", "2099", "borgo"]);
    assert_eq!(mixed.code, Some(1));
    assert_eq!(mixed.stdout.lines().filter(|line| line.contains("20")).count(), 3, "{}", mixed.stdout);
    assert!(mixed.stdout.contains("2099") && mixed.stdout.contains("REFUSED"), "{}", mixed.stdout);
    assert!(mixed.stderr.contains("1 of 3 refused"), "{}", mixed.stderr);
    not_done(&services, &["access", "deactivate", "--client", "borgo", MARCO], &["--partner"]);
    for nothing in [
        &["link", "--partner", "1001", "--employee", "", "2008"] as &[&str],
        &["unlink", "--partner", "1001", "--employee", SARA, " "],
        &["add", "--partner", "1001", "--client", "", SARA],
        &["deactivate", "--client", "2001", ""],
        &["remove", "--partner", "1001", "--client", "2001", "--yes", ""],
        &["remove", "--partner", "1001", "--yes", "--employee="],
    ] {
        let nothing = services.ask(&[&["access"], nothing].concat());
        assert_eq!(nothing.code, Some(2), "{nothing:?}");
        assert!(nothing.stderr.contains("is empty; say who or which is meant"), "{}", nothing.stderr);
    }
}

#[tokio::test]
async fn the_tabs_are_read_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    let tab = |tab: &str, flags: &[&str]| done(&services, &[&["access", tab, "--partner", "1001"], flags].concat());
    insta::assert_snapshot!("employees_table", tab("employees", &[]));
    insta::assert_snapshot!("clients_table", tab("clients", &["--order", "client"]));
    for (name, list) in [("employees", "employees"), ("clients", "clients")] {
        let json: serde_json::Value = serde_json::from_str(&tab(name, &["--format", "json"])).expect("a document");
        let rows = json[list].as_array().expect("a list").len();
        assert_eq!(json["total_size"], rows);
        assert_eq!(rows, if name == "employees" { 3 } else { 5 });
    }
    let only = |flags: &[&str]| tab("employees", &[flags, &["--format", "csv"]].concat()).lines().count() - 1;
    assert_eq!([only(&["--verified", "yes"]), only(&["--verified", "no"]), only(&["--linked", "no"])], [2, 1, 1]);
    assert_eq!(only(&["--search", "ROSSI"]), 1);
    let admins = tab("clients", &["--type", "partner_admin", "--descending", "--format", "csv"]);
    let clients: Vec<&str> = admins.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(clients, ["2004", "2002", "2001"], "Verde, Lumina, Caffè");
}

#[tokio::test]
async fn a_person_may_what_the_permissions_say_and_is_told_what_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    let asked_by = |person: &str, arguments: &[&str]| services.ask(&[arguments, &["--as", person]].concat());
    let employees = ["access", "employees", "--partner", "1001"];
    assert_eq!(asked_by(GIULIA, &employees).code, Some(0));
    // R29: a plain employee does not see the tab; a stranger does not even see the partner (R127).
    let plain = asked_by(MARCO, &employees);
    assert_eq!(plain.code, Some(1));
    assert!(plain.stderr.contains("Client Access Manager permission"), "{}", plain.stderr);
    let stranger = asked_by(OLIVER, &employees);
    assert!(stranger.stderr.contains("partner 1001 is not known"), "{}", stranger.stderr);
    // R28: a super admin of the partner account is nothing in a client account where she is no Partner admin.
    let add = ["access", "add", "--client", "2002", "--partner", "1001", SARA];
    let refused = asked_by(GIULIA, &add);
    assert!(refused.stderr.contains("Partner admin permission set"), "{}", refused.stderr);
    assert_eq!(access_of(&services, "2002", SARA), None);
    // Marco is, and no more: he may add whom he may not look up.
    let looked_up = asked_by(MARCO, &add).stderr;
    assert!(looked_up.contains("Client Access Manager permission") && looked_up.contains("partners/1001/employees/"));
    let sara = done(&services, &["access", "employees", "--partner", "1001", "--search", SARA, "--format", "csv"]);
    let sara = sara.lines().nth(1).and_then(|row| row.split(',').next()).expect("a resource name");
    let by_resource_name = ["access", "add", "--client", "2002", "--partner", "1001", sara];
    assert_eq!(asked_by(MARCO, &by_resource_name).code, Some(0));
    assert_eq!(access_of(&services, "2002", SARA).expect("a user")[2], "STANDARD");
    // What she may read, she may ask of the other commands too.
    assert_eq!(asked_by(GIULIA, &["breakdown", "--partner", "1001"]).code, Some(0));
    assert_eq!(asked_by(MARCO, &["why", "--partner", "1001", "--client", "2001"]).code, Some(1));
    let nobody = run(&["access", "employees", "--partner", "1001", "--as", "giulia"]);
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
}

#[test]
fn help_has_examples_and_a_service_that_is_away_is_named() {
    for command in ["employees", "clients", "link", "unlink", "add", "deactivate", "reactivate", "remove"] {
        let help = run(&["access", command, "--help"]);
        assert_eq!(help.code, Some(0));
        assert!(help.stdout.contains(&format!("managed-credit access {command} --")), "{}", help.stdout);
    }
    let away = run(&["access", "clients", "--partner", "1001", "--access-url", "http://127.0.0.1:1"]);
    assert_eq!(away.code, Some(1));
    assert!(away.stderr.contains("access-management does not answer at http://127.0.0.1:1"), "{}", away.stderr);
}
