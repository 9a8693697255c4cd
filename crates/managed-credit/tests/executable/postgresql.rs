//! The executable on PostgreSQL, with a database of its own for each service.

use std::process::Command;

use crate::process::{Services, managed_credit, run};

/// Where `tests/run` says its PostgreSQL is, with `NAME` in place of a database.
const POSTGRES_VARIABLE: &str = "MANAGED_CREDIT_TEST_POSTGRES";

/// The services' databases, gone when the test ends.
pub struct Databases {
    /// The URL of any database of the server, with `NAME` in place of it.
    pattern: String,
    test: String,
}

impl Databases {
    /// Empty ones; `test` is unique among the tests of a process.
    pub fn create(test: &str) -> Self {
        let pattern = std::env::var(POSTGRES_VARIABLE).unwrap_or_else(|_| {
            panic!("{POSTGRES_VARIABLE} is not set: run the tests by tests/run, which starts PostgreSQL for them")
        });
        let databases = Self { pattern, test: format!("executable_{test}_{}", std::process::id()) };
        for part in ["access", "activity", "credit"] {
            databases.psql("CREATE DATABASE", part).expect("psql, and the PostgreSQL of tests/run");
        }
        databases
    }

    fn name(&self, part: &str) -> String {
        format!("{}_{part}", self.test)
    }

    /// The flags of `serve all` for them.
    pub fn flags(&self) -> Vec<String> {
        let flags = |part| [format!("--{part}-database-url"), self.url(part)];
        let migrate = "--migrate".to_owned();
        ["access", "activity", "credit"].into_iter().flat_map(flags).chain([migrate]).collect()
    }

    /// Where the database of a service is: `access`, `activity` or `credit`.
    pub fn url(&self, part: &str) -> String {
        self.pattern.replace("NAME", &self.name(part))
    }

    /// Runs one statement on a database of the test; what psql said, where it did not work.
    fn psql(&self, statement: &str, part: &str) -> Result<(), String> {
        let sql = format!("{statement} {}", self.name(part));
        let output = Command::new("psql")
            .args(["--no-psqlrc", "--quiet", "-c", &sql, &self.pattern.replace("NAME", "postgres")])
            .output();
        let output = output.map_err(|error| format!("psql: {error}"))?;
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        for part in ["access", "activity", "credit"] {
            // A test that failed before may have left none.
            let _ = self.psql("DROP DATABASE IF EXISTS", part);
        }
    }
}

/// A service in a process of its own.
fn serve(service: &str, database_url: &str, others: &[&str]) -> Services {
    let (listen, database) = (format!("--{service}-listen"), format!("--{service}-database-url"));
    let arguments = ["serve", service, "--log", "warn", &listen, "127.0.0.1:0", &database, database_url];
    Services::start(&[&arguments, others].concat(), 1)
}

// The client's side of the connections goes on while the test waits for the processes.
#[tokio::test(flavor = "multi_thread")]
async fn each_service_is_migrated_and_served_on_a_postgresql_database_of_its_own() {
    let databases = Databases::create("served");
    let (access, activity, credit) = (databases.url("access"), databases.url("activity"), databases.url("credit"));
    let pending = run(&["serve", "access", "--access-listen", "127.0.0.1:0", "--access-database-url", &access]);
    assert_eq!(pending.code, Some(1));
    assert!(pending.stderr.contains("--access-database-url") && pending.stderr.contains("--migrate"), "{pending:?}");

    let mut migrate = managed_credit(&["migrate", "--activity-database-url", &activity]);
    // The environment says what no flag does.
    let migrate = migrate.env("MANAGED_CREDIT_ACCESS_DATABASE_URL", &access);
    let migrated =
        migrate.env("MANAGED_CREDIT_CREDIT_DATABASE_URL", &credit).output().expect("the executable is built");
    let stdout = String::from_utf8(migrated.stdout).expect("text");
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let expected: String = ["access-management", "activity-tracking", "credit-calculation"]
        .map(|service| format!("the database of {service} is up to date\n"))
        .concat();
    assert_eq!(stdout, expected);

    let access = serve("access", &access, &[]);
    let access_url = access.url("access-management");
    let activity = serve("activity", &activity, &["--access-url", &access_url]);
    let activity_url = activity.url("activity-tracking");
    let credit = serve("credit", &credit, &["--access-url", &access_url, "--activity-url", &activity_url]);
    let system = access.urls.clone().with(&activity.urls).with(&credit.urls);
    system.import_sample().await;
    let breakdown = system.ask(&["breakdown", "--partner", "1001", "--as-of", "2025-09-01", "--format", "csv"]);
    assert_eq!(breakdown.code, Some(0), "{breakdown:?}");
    let row = breakdown.stdout.lines().find(|line| line.contains("Atlas Outdoor")).expect("the shared client");
    assert!(row.contains("740.00") && row.contains("10.00"), "{row}");

    for services in [credit, activity, access] {
        services.terminate();
        assert_eq!(services.wait().0.code(), Some(0));
    }
}
