//! Services that were restored from backups of different moments, as the README says how.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use managed_credit::running::Part;
use tempfile::TempDir;

use crate::faults::postgres::{Postgres, path_of, run};
use crate::faults::world::short_name;
use crate::process::{FREE_PORTS, SAMPLE, Services, managed_credit};

/// Far more than followers need to notice anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// The client that is written after the first backup.
const LATE: &str = "2008";

/// What a service does not follow any more.
const DIVERGED: &str = "of another history: replay";

/// Where the services keep their facts.
enum Storage {
    Files,
    Databases(Postgres),
}

struct Installation {
    folder: TempDir,
    storage: Storage,
}

impl Installation {
    fn on_sqlite() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), storage: Storage::Files }
    }

    fn on_postgresql() -> Self {
        let postgres = Postgres::start();
        Part::ALL.iter().for_each(|part| postgres.create(short_name(*part)));
        Self { folder: tempfile::tempdir().expect("a temporary folder"), storage: Storage::Databases(postgres) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self) -> Services {
        let mut command = managed_credit(&["serve", "all", "--log", "info,sqlx=warn,sea_orm_migration=warn"]);
        command.args(FREE_PORTS);
        match &self.storage {
            Storage::Files => drop(command.arg("--data-dir").arg(self.path("data"))),
            Storage::Databases(postgres) => {
                command.arg("--migrate");
                for part in Part::ALL {
                    let name = short_name(part);
                    let url =
                        format!("postgres://postgres@localhost/{name}?host={}", postgres.socket_folder().display());
                    command.args([format!("--{name}-database-url"), url]);
                }
            }
        }
        let log = File::options().create(true).append(true).open(self.path("log")).expect("a file");
        Services::start_by(command.stderr(log), 3)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).expect("a log")
    }

    fn file(&self, part: Part) -> PathBuf {
        self.path("data").join(format!("{part}.sqlite3"))
    }

    /// Copies what a service has, while it runs.
    fn back_up(&self, part: Part) -> PathBuf {
        let backup = self.path(&format!("{part}.backup"));
        match &self.storage {
            // What the command line of SQLite does for `.backup`.
            Storage::Files => {
                let script = "import sqlite3, sys\n\
                              source, target = map(sqlite3.connect, sys.argv[1:])\n\
                              source.backup(target)";
                run(Command::new("python3").args(["-c", script]).arg(self.file(part)).arg(&backup));
            }
            Storage::Databases(postgres) => {
                let mut dump = Command::new(path_of("pg_dump"));
                dump.args(["-U", "postgres", "-h"]).arg(postgres.socket_folder()).arg("-f").arg(&backup);
                run(dump.arg(short_name(part)));
            }
        }
        backup
    }

    /// Puts a copy into its place, while the service does not run.
    fn restore(&self, part: Part, backup: &Path) {
        match &self.storage {
            Storage::Files => {
                for ending in ["-wal", "-shm"] {
                    // A service that was stopped has left none.
                    let _ = fs::remove_file(self.path("data").join(format!("{part}.sqlite3{ending}")));
                }
                fs::copy(backup, self.file(part)).expect("to copy");
            }
            Storage::Databases(postgres) => {
                let name = short_name(part);
                let psql = |arguments: &[&str], database: &str| {
                    let mut psql = Command::new(path_of("psql"));
                    psql.args(["-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-h"]);
                    run(psql.arg(postgres.socket_folder()).args(arguments));
                };
                psql(&["-c", &format!("DROP DATABASE {name}")], "postgres");
                psql(&["-c", &format!("CREATE DATABASE {name}")], "postgres");
                psql(&["-f", backup.to_str().expect("a path of text")], name);
            }
        }
    }

    /// The sample programme without the late client.
    fn first_programme(&self) -> PathBuf {
        let folder = self.path("programme");
        fs::create_dir(&folder).expect("a folder");
        for entry in fs::read_dir(SAMPLE).expect("the sample").flatten().filter(|entry| entry.path().is_file()) {
            let text = fs::read_to_string(entry.path()).expect("a file");
            let kept: Vec<&str> = text.lines().filter(|line| !line.split(',').any(|field| field == LATE)).collect();
            fs::write(folder.join(entry.file_name()), kept.join("\n") + "\n").expect("a file");
        }
        folder
    }
}

fn ask(services: &Services, arguments: &[&str]) -> String {
    let finished = services.ask(arguments);
    assert_eq!(finished.code, Some(0), "{arguments:?}: {finished:?}");
    finished.stdout
}

fn import_log(services: &Services, client: &str) {
    let file = format!("{SAMPLE}/audit-log/{client}.json");
    ask(services, &["import", "audit-log", "--client", client, &file]);
}

fn import_first(installation: &Installation, services: &Services) {
    let folder = installation.first_programme();
    ask(services, &["import", "programme", folder.to_str().expect("a path of text")]);
    (2001..2008).for_each(|client| import_log(services, &client.to_string()));
}

fn import_late(services: &Services) {
    ask(services, &["import", "programme", SAMPLE]);
    import_log(services, LATE);
}

fn breakdowns(services: &Services) -> String {
    let breakdown =
        |partner| ask(services, &["breakdown", "--partner", partner, "--as-of", "2025-09-01", "--format", "csv"]);
    breakdown("1001") + &breakdown("1002")
}

fn stop(services: Services) {
    services.terminate();
    assert_eq!(services.wait().0.code(), Some(0));
}

/// Asks for the status until it is as expected.
fn until_status(services: &Services, what: &str, is_expected: impl Fn(&str) -> bool) {
    let start = Instant::now();
    loop {
        let status = services.ask(&["status"]).stdout;
        if is_expected(&status.split_whitespace().collect::<Vec<_>>().join(" ")) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{what}: {status}");
    }
}

async fn until_everything_is_known(services: &Services) {
    services.urls.settle("partners/1001").await;
    until_status(services, "everything is judged", |status| {
        !status.contains("to be judged again") && !status.contains(DIVERGED)
    });
}

/// access-management is put back to before the late client; the others know more than it does.
async fn the_owner_of_the_first_feed_is_restored_from_an_earlier_moment(installation: Installation) {
    let services = installation.start();
    import_first(&installation, &services);
    let earlier = installation.back_up(Part::Access);
    import_late(&services);
    until_everything_is_known(&services).await;
    let before = breakdowns(&services);
    let (activity, credit) = (installation.back_up(Part::Activity), installation.back_up(Part::Credit));
    stop(services);

    for (part, backup) in [(Part::Access, &earlier), (Part::Activity, &activity), (Part::Credit, &credit)] {
        installation.restore(part, backup);
    }
    let services = installation.start();
    until_status(&services, "both copies of access are ahead", |status| status.matches(DIVERGED).count() == 2);
    assert!(installation.log().contains("is ahead of this feed, which has been restored"), "and the log says why");
    assert_eq!(breakdowns(&services), before, "they answer from what they know");

    ask(&services, &["replay", "activity"]);
    ask(&services, &["replay", "credit"]);
    until_everything_is_known(&services).await;
    ask(&services, &["verify"]);
    assert_ne!(breakdowns(&services), before, "what access-management has forgotten is forgotten");
    // What was lost is written again by whoever has it; what was not stays as it is.
    import_late(&services);
    until_everything_is_known(&services).await;
    ask(&services, &["verify"]);
    assert_eq!(breakdowns(&services), before);
    stop(services);
}

/// activity-tracking is put back; credit-calculation knows more of its feed than it does.
async fn the_owner_of_the_second_feed_is_restored_from_an_earlier_moment(installation: Installation) {
    let services = installation.start();
    import_first(&installation, &services);
    until_everything_is_known(&services).await;
    let earlier = installation.back_up(Part::Activity);
    import_late(&services);
    until_everything_is_known(&services).await;
    let before = breakdowns(&services);
    stop(services);

    installation.restore(Part::Activity, &earlier);
    let services = installation.start();
    until_status(&services, "the copy of servicing is ahead", |status| status.matches(DIVERGED).count() == 1);
    ask(&services, &["replay", "credit", "--feed", "servicing"]);
    until_everything_is_known(&services).await;
    ask(&services, &["verify"]);
    import_late(&services);
    until_everything_is_known(&services).await;
    ask(&services, &["verify"]);
    assert_eq!(breakdowns(&services), before);
    stop(services);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_management_is_restored_from_an_earlier_moment_on_sqlite() {
    the_owner_of_the_first_feed_is_restored_from_an_earlier_moment(Installation::on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_management_is_restored_from_an_earlier_moment_on_postgresql() {
    the_owner_of_the_first_feed_is_restored_from_an_earlier_moment(Installation::on_postgresql()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn activity_tracking_is_restored_from_an_earlier_moment_on_sqlite() {
    the_owner_of_the_second_feed_is_restored_from_an_earlier_moment(Installation::on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn activity_tracking_is_restored_from_an_earlier_moment_on_postgresql() {
    the_owner_of_the_second_feed_is_restored_from_an_earlier_moment(Installation::on_postgresql()).await;
}
