//! The removal wizard: the preview, the questions, and what is done.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use contracts::wire::access::access_management_service_client::AccessManagementServiceClient;
use contracts::wire::access::{Asset, BatchUpdateAssetsRequest, ClientUser, ListAssetsRequest, ListClientUsersRequest};
use tonic::transport::Channel;

use super::{GIULIA, MARCO, OLIVER, SARA, access_of, brings, done, last_change, not_done, work};
use crate::process::{Services, run, services_with_sample};

const LUCA: &str = "luca.ferri@caffe-borgo.example";
const PREVIEW: [&str; 4] = ["access", "remove", "--partner", "1001"];

fn removing<'flags>(flags: &[&'flags str]) -> Vec<&'flags str> {
    [&PREVIEW[..], flags].concat()
}

async fn management(services: &Services) -> AccessManagementServiceClient<Channel> {
    AccessManagementServiceClient::connect(services.url("access-management")).await.expect("it is ready")
}

/// The user with an address in a client account.
async fn user(services: &Services, client: &str, address: &str) -> ClientUser {
    let question = ListClientUsersRequest {
        parent: client.to_owned(),
        search: address.to_owned(),
        ..ListClientUsersRequest::default()
    };
    let answer = management(services).await.list_client_users(question).await.expect("the platform may ask");
    answer.into_inner().client_users.pop().expect("a user")
}

/// Says that a user owns so many forms.
async fn own_forms(services: &Services, client: &str, address: &str, count: u32) {
    let owner = user(services, client, address).await.name;
    let asset = |number: u32| Asset {
        name: format!("{client}/assets/form-{number}"),
        kind: "form".to_owned(),
        display_name: format!("Contact form {number}"),
        owner: owner.clone(),
    };
    let message = BatchUpdateAssetsRequest {
        parent: client.to_owned(),
        assets: (1..=count).map(asset).collect(),
        ..BatchUpdateAssetsRequest::default()
    };
    management(services).await.batch_update_assets(message).await.expect("they are kept");
}

/// Who owns each asset of a client, in the order of their names.
async fn owners(services: &Services, client: &str) -> Vec<String> {
    let question = ListAssetsRequest { parent: client.to_owned(), ..ListAssetsRequest::default() };
    let answer = management(services).await.list_assets(question).await.expect("the platform may ask");
    answer.into_inner().assets.into_iter().map(|asset| asset.owner).collect()
}

#[tokio::test]
async fn the_preview_shows_who_what_and_at_what_cost_and_removes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    work(&services, "2001", GIULIA, "work-1").await;
    work(&services, "2003", GIULIA, "work-2").await;
    own_forms(&services, "clients/2001", GIULIA, 2).await;
    own_forms(&services, "clients/2004", GIULIA, 1).await;
    // R71: in 2001 Marco stays; 2003 and 2004 are left without anybody, of which only 2003 brings anything.
    let everywhere = removing(&["--employee", "giulia", "--dry-run"]);
    insta::assert_snapshot!("remove_employee_dry_run", done(&services, &everywhere));
    let all = removing(&["--client", "2001", "--all", "--dry-run"]);
    insta::assert_snapshot!("remove_all_dry_run", done(&services, &all));
    // What is left out for want of permission is named, and its cost is not counted.
    let by_herself = done(&services, &[&everywhere[..], &["--as", GIULIA]].concat());
    assert!(by_herself.contains("Left out, because you may not remove users there: client 2003."), "{by_herself}");
    assert!(!by_herself.contains("Atlas"), "{by_herself}");

    let json = done(&services, &[&everywhere[..], &["--format", "json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).expect("a document");
    assert_eq!(json["confirmed"], serde_json::Value::Null);
    assert_eq!(json["total_points"], "20.00");
    assert_eq!(json["preview"]["assets"].as_array().map(Vec::len), Some(3));
    let ends: Vec<bool> = json["stakes"].as_array().expect("a list").iter().map(|it| it["ends"] == true).collect();
    assert_eq!(ends, [false, true, true]);
    let csv = done(&services, &[&everywhere[..], &["--format", "csv"]].concat());
    assert_eq!(csv.lines().filter(|line| line.contains(GIULIA) && line.ends_with(",false")).count(), 3, "{csv}");

    assert_eq!(access_of(&services, "2004", GIULIA).expect("she is there")[2], "PARTNER_ADMIN");
    assert_eq!(brings(&services, "2003").await[1], "20.00");
}

#[tokio::test]
async fn nothing_is_removed_without_consent_or_without_a_decision_about_what_they_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    own_forms(&services, "clients/2001", GIULIA, 2).await;
    own_forms(&services, "clients/2004", GIULIA, 1).await;
    let marco = removing(&["--client", "2001", MARCO]);
    let refused = not_done(&services, &marco, &["nobody can be asked", "--yes", "--dry-run"]);
    assert!(refused.stdout.contains("Marco Bianchi"), "the preview is shown: {}", refused.stdout);
    not_done(&services, &[&marco[..], &["--format", "json"]].concat(), &["--yes"]);

    // R41: an asset without a decision.
    let giulia = removing(&["--employee", GIULIA, "--yes"]);
    let undecided = not_done(&services, &giulia, &["--assets leave", "clients/2001/assets/form-2", "Contact form 1"]);
    assert!(undecided.stderr.contains("clients/2004/assets/form-1"), "{}", undecided.stderr);
    // Luca is a user of one of the clients only.
    not_done(
        &services,
        &[&giulia[..], &["--assets", LUCA]].concat(),
        &["nothing is removed: Verde Vivo Garden (2004) has no user (active)"],
    );
    // Who is removed gets nothing.
    not_done(&services, &[&giulia[..], &["--assets", GIULIA]].concat(), &["nothing is removed", "is removed too"]);
    for client in ["2001", "2004"] {
        assert!(access_of(&services, client, GIULIA).is_some_and(|row| row[2] == "PARTNER_ADMIN"), "{client}");
    }
    for wrong in [
        &["--client", "2001"] as &[&str],
        &["--client", "2001", "--all", MARCO],
        &["--employee", MARCO, "--client", "2001"],
        &["--all"],
        &["--employee", MARCO, "--assets", "perhaps"],
        &["--employee", MARCO, "--yes", "--dry-run"],
    ] {
        let wrong = run(&removing(wrong));
        assert_eq!(wrong.code, Some(2), "{wrong:?}");
    }
}

#[tokio::test]
async fn what_they_own_goes_to_whom_it_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    own_forms(&services, "clients/2001", GIULIA, 2).await;
    own_forms(&services, "clients/2004", GIULIA, 1).await;
    let luca = user(&services, "clients/2001", LUCA).await.name;
    let given = removing(&["--client", "2001", GIULIA, "--assets", LUCA, "--yes", "--reason", "left the team"]);
    let removed = done(&services, &given);
    assert!(removed.contains("Removed: 1 user from 1 client.") && !removed.contains("has ended"), "{removed}");
    assert_eq!(owners(&services, "clients/2001").await, [luca.as_str(), luca.as_str()]);
    assert_eq!(last_change(&services, "client_user_removed").await.reason, "left the team");
    let left = removing(&["--employee", GIULIA, "--assets", "leave", "--yes", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&done(&services, &left)).expect("a document");
    assert_eq!(json["confirmed"]["client_users"].as_array().map(Vec::len), Some(2));
    assert!(json["confirmed"]["revision"].as_str().is_some_and(|revision| revision.starts_with("access-")), "{json}");
    assert_eq!(owners(&services, "clients/2004").await, [""]);
    not_done(&services, &left, &["access-management: "]);
}

#[tokio::test]
async fn a_partner_admin_removes_colleagues_without_seeing_the_partner_account() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    // Oliver is Partner admin at 2007, and a plain employee of partner 1002.
    let remove = ["access", "remove", "--partner", "1002", "--client", "2007", "--as", OLIVER];
    let preview = done(&services, &[&remove[..], &["oliver", "--dry-run"]].concat());
    assert!(preview.contains("Oliver Reed") && preview.contains("you may not see its credit"), "{preview}");
    not_done(&services, &[&remove[..], &["amelia", "--yes"]].concat(), &["none of your colleagues at client 2007"]);
    // R27: where he is a user and no Partner admin, he may not.
    let elsewhere = ["access", "remove", "--partner", "1002", "--client", "2008", "--all", "--yes", "--as", OLIVER];
    not_done(&services, &elsewhere, &["Partner admin permission set"]);
    done(&services, &[&remove[..], &[OLIVER, "reed", "--yes"]].concat());
    not_done(&services, &[&remove[..], &["--all", "--yes"]].concat(), &["access-management: "]);
}

#[tokio::test]
async fn a_credit_that_cannot_be_asked_holds_up_no_removal() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    let (access, away) = (services.url("access-management"), "http://127.0.0.1:1");
    let arguments = removing(&["--client", "2004", "--all", "--yes", "--access-url", &access, "--credit-url", away]);
    let removed = run(&arguments);
    assert_eq!(removed.code, Some(0), "{removed:?}");
    assert!(removed.stdout.contains("not known: credit-calculation does not answer"), "{}", removed.stdout);
    let total = removed.stdout.lines().find(|line| line.contains("Total lost")).expect("a total");
    assert!(!total.contains('0'), "R127: {total}");
    assert_eq!(brings(&services, "2004").await[2], "ENDED");
}

/// A command on a terminal of its own: what is printed up to a question, then an answer, then the rest.
struct Terminal {
    child: std::process::Child,
    printed: String,
}

impl Terminal {
    fn start(services: &Services, arguments: &[&str]) -> Self {
        let quoted = |word: &str| format!("'{word}'");
        let program = quoted(env!("CARGO_BIN_EXE_managed-credit"));
        let urls = [("ACCESS", "access-management"), ("CREDIT", "credit-calculation")]
            .map(|(name, service)| format!("MANAGED_CREDIT_{name}_URL={}", services.url(service)));
        let words: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
        let line = format!("env {} {program} {}", urls.join(" "), words.join(" "));
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self { child: command.spawn().expect("util-linux is installed"), printed: String::new() }
    }

    /// Reads until a question ends so.
    fn await_question(&mut self, end: &str) {
        let stdout = self.child.stdout.as_mut().expect("piped");
        let mut bytes = self.printed.clone().into_bytes();
        while !String::from_utf8_lossy(&bytes).trim_end().ends_with(end) {
            let mut byte = [0];
            assert_eq!(stdout.read(&mut byte).expect("a terminal"), 1, "{}", String::from_utf8_lossy(&bytes));
            bytes.push(byte[0]);
        }
        self.printed = String::from_utf8(bytes).expect("text");
    }

    fn answer(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().expect("piped"), "{line}").expect("a terminal");
    }

    /// The exit code, and everything that was printed.
    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.child.stdout.take().expect("piped").read_to_string(&mut rest).expect("text");
        let status = self.child.wait().expect("it was started");
        (status.code(), self.printed + &rest)
    }
}

#[tokio::test]
async fn on_a_terminal_a_person_is_asked_and_a_preview_that_is_out_of_date_does_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = services_with_sample(folder.path()).await;
    own_forms(&services, "clients/2001", GIULIA, 1).await;
    let all = removing(&["--client", "2001", "--all"]);

    let mut no = Terminal::start(&services, &all);
    no.await_question("[leave, or a user's address]");
    no.answer("leave");
    no.await_question("Remove 2 users from 1 client? [y/N]");
    no.answer("");
    let (code, printed) = no.end();
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("error: nothing is removed"), "{printed}");

    let mut stale = Terminal::start(&services, &[&all[..], &["--assets", LUCA]].concat());
    stale.await_question("[y/N]");
    done(&services, &["access", "deactivate", "--client", "2001", MARCO]);
    stale.answer("y");
    let (code, printed) = stale.end();
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("something has changed since the preview"), "{printed}");
    assert_eq!(access_of(&services, "2001", MARCO).expect("he is there")[2], "DEACTIVATED");

    let mut yes = Terminal::start(&services, &[&all[..], &["--assets", "leave"]].concat());
    yes.await_question("[y/N]");
    yes.answer("yes");
    let (code, printed) = yes.end();
    assert_eq!(code, Some(0), "{printed}");
    // What they did there had expired, so that there was no relationship that could end.
    assert!(printed.contains("had ended before") && printed.contains("Nobody is left in Caffè Borgo (2001)."));
    assert!(!printed.contains("has ended"), "{printed}");
    assert_eq!((access_of(&services, "2001", MARCO), access_of(&services, "2001", GIULIA)), (None, None));
    // Nobody of whom was spoken is left, and who was not meant is there.
    assert_eq!(access_of(&services, "2008", SARA).expect("she is there")[2], "STANDARD");
}
