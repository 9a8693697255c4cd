//! Starts the executable, reads its ready lines, and stops it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use contracts::wire::access::GetHeadRevisionRequest as GetAccessHead;
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use contracts::wire::activity::activity::Action;
use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use contracts::wire::activity::servicing_feed_service_client::ServicingFeedServiceClient;
use contracts::wire::activity::{
    Activity, BatchGetServicingRequest, CatalogueAction, GetHeadRevisionRequest as GetServicingHead, Origin,
    RecordActivitiesRequest, ServicingPair,
};
use contracts::wire::credit::ListManagedCreditsRequest;
use contracts::wire::credit::credit_calculation_service_client::CreditCalculationServiceClient;
use prost_types::Timestamp;

/// Where the sample programme is in the repository.
pub const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample");

/// The executable, without settings from the environment.
pub fn managed_credit(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_managed-credit"));
    command.env_clear().args(arguments);
    command
}

/// What a finished run left.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs to the end, with a text on standard input.
pub fn run_with_input(arguments: &[&str], input: &str) -> Finished {
    let mut command = managed_credit(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the executable is built");
    let mut stdin = child.stdin.take().expect("piped");
    // Who does not read its input may have closed it.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("output is text");
    Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs to the end.
pub fn run(arguments: &[&str]) -> Finished {
    run_with_input(arguments, "")
}

/// The settings of a command in the environment, as its help lists them.
pub fn settings_of(command: &str) -> BTreeSet<String> {
    let help = run(&[command, "--help"]).stdout;
    let named = help.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next());
    named.map(str::to_owned).collect()
}

/// Where services are called, by their names.
#[derive(Debug, Clone, Default)]
pub struct Urls(BTreeMap<String, String>);

impl Urls {
    /// These, and those of another process.
    pub fn with(mut self, other: &Self) -> Self {
        self.0.extend(other.0.clone());
        self
    }

    pub fn of(&self, name: &str) -> String {
        self.0.get(name).unwrap_or_else(|| panic!("{name} is not served")).clone()
    }

    /// The flags that make a command ask these services.
    fn flags(&self) -> Vec<String> {
        let flags = [
            ("--access-url", "access-management"),
            ("--activity-url", "activity-tracking"),
            ("--credit-url", "credit-calculation"),
        ];
        flags.into_iter().flat_map(|(flag, name)| [flag.to_owned(), self.of(name)]).collect()
    }

    /// Runs a command that asks these services.
    pub fn ask(&self, arguments: &[&str]) -> Finished {
        self.ask_with_input(arguments, "")
    }

    fn ask_with_input(&self, arguments: &[&str], input: &str) -> Finished {
        let flags = self.flags();
        let arguments: Vec<&str> = arguments.iter().copied().chain(flags.iter().map(String::as_str)).collect();
        run_with_input(&arguments, input)
    }

    /// Imports the whole sample programme, and waits until credit-calculation knows it.
    pub async fn import_sample(&self) {
        let imported = self.ask(&["import", "programme", SAMPLE]);
        assert_eq!(imported.code, Some(0), "{imported:?}");
        for client in 2001..=2008 {
            let file = format!("{SAMPLE}/audit-log/{client}.json");
            let imported = self.ask(&["import", "audit-log", "--client", &client.to_string(), &file]);
            assert_eq!(imported.code, Some(0), "{imported:?}");
        }
        self.settle("partners/1001").await;
    }

    /// Waits until credit-calculation knows everything that has been imported.
    pub async fn settle(&self, partner: &str) {
        let (access, activity, credit) =
            (self.of("access-management"), self.of("activity-tracking"), self.of("credit-calculation"));
        let mut feed = AccessFeedServiceClient::connect(access).await.expect("access-management is ready");
        let head = feed.get_head_revision(GetAccessHead {}).await.expect("a head").into_inner().revision;
        let mut tracking = ActivityTrackingServiceClient::connect(activity.clone()).await.expect("it is ready");
        let pair = ServicingPair { partner: partner.to_owned(), client: "clients/2001".to_owned() };
        let question = BatchGetServicingRequest {
            pairs: vec![pair],
            at_least_revisions: vec![head.clone()],
            ..BatchGetServicingRequest::default()
        };
        tracking.batch_get_servicing(question).await.expect("it catches up");
        let mut feed = ServicingFeedServiceClient::connect(activity).await.expect("activity-tracking is ready");
        let servicing = feed.get_head_revision(GetServicingHead {}).await.expect("a head").into_inner().revision;
        let mut calculation = CreditCalculationServiceClient::connect(credit).await.expect("it is ready");
        let question = ListManagedCreditsRequest {
            parent: partner.to_owned(),
            at_least_revisions: vec![head, servicing],
            ..ListManagedCreditsRequest::default()
        };
        calculation.list_managed_credits(question).await.expect("it catches up");
    }
}

/// Giulia edits a form of Verde Vivo Garden, which pays 440.00 EUR a month: work of the sample programme that counts.
pub fn edit_by_giulia(id: &str, occur_time: Timestamp) -> RecordActivitiesRequest {
    let action = CatalogueAction { tool: "form".to_owned(), action: "edit".to_owned() };
    let activity = Activity {
        name: format!("clients/2004/activities/{id}"),
        email_address: "giulia.rossi@officina-digitale.example".to_owned(),
        occur_time: Some(occur_time),
        action: Some(Action::CatalogueAction(action)),
        origin: Origin::Person.into(),
        ..Activity::default()
    };
    RecordActivitiesRequest { activities: vec![activity], ..RecordActivitiesRequest::default() }
}

/// Sends a signal to a process.
pub fn signal(name: &str, process: u32) {
    // The shell's own `kill`: a small machine has no other.
    let sent = Command::new("bash").args(["-c", &format!("kill -{name} {process}")]).status();
    assert!(sent.expect("bash is installed").success());
}

/// Services that run until they are stopped, or the test ends.
pub struct Services {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub urls: Urls,
    /// What was printed before the ready lines.
    pub printed: String,
}

impl Services {
    /// Starts so many services, and waits until each has said that it is ready.
    pub fn start(arguments: &[&str], count: usize) -> Self {
        Self::start_by(&mut managed_credit(arguments), count)
    }

    /// The same by a command of one's own.
    pub fn start_by(command: &mut Command, count: usize) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the executable is built");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (mut urls, mut printed) = (Urls::default(), String::new());
        while urls.0.len() < count {
            let mut line = String::new();
            let bytes = stdout.read_line(&mut line).expect("output is text");
            assert!(bytes > 0, "it ended before it was ready: {printed}");
            match line.trim_end().split_once(" is ready on ") {
                Some((name, address)) => drop(urls.0.insert(name.to_owned(), format!("http://{address}"))),
                None => printed.push_str(&line),
            }
        }
        Self { child, stdout, urls, printed }
    }

    /// All three, on free ports, with embedded databases in a folder.
    pub fn start_all(data_dir: &Path) -> Self {
        Self::start_all_with(data_dir, &[])
    }

    /// The same with further flags.
    pub fn start_all_with(data_dir: &Path, flags: &[&str]) -> Self {
        let data_dir = data_dir.to_str().expect("a path of text");
        let mut arguments = vec!["serve", "all", "--log", "warn", "--data-dir", data_dir];
        arguments.extend(FREE_PORTS);
        arguments.extend(flags);
        Self::start(&arguments, 3)
    }

    pub fn url(&self, name: &str) -> String {
        self.urls.of(name)
    }

    /// Runs a command that asks these services.
    pub fn ask(&self, arguments: &[&str]) -> Finished {
        self.urls.ask(arguments)
    }

    pub fn ask_with_input(&self, arguments: &[&str], input: &str) -> Finished {
        self.urls.ask_with_input(arguments, input)
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, by its name.
    pub fn signal(&self, name: &str) {
        signal(name, self.child.id());
    }

    /// Waits for the end; what was printed after the ready lines, too.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("output is text");
        (self.child.wait().expect("it was started"), rest)
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a service that does not run would be.
pub const NOWHERE: &str = "http://127.0.0.1:1";

/// The flags for free ports.
pub const FREE_PORTS: [&str; 6] =
    ["--access-listen", "127.0.0.1:0", "--activity-listen", "127.0.0.1:0", "--credit-listen", "127.0.0.1:0"];

/// Services with the whole sample programme.
pub async fn services_with_sample(data_dir: &Path) -> Services {
    let services = Services::start_all(data_dir);
    services.urls.import_sample().await;
    services
}
