//! The running services, as a client of the public API sees them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use backon::{ExponentialBuilder, Retryable as _};
use clap::Args;
use contracts::wire::access::access_management_service_client::AccessManagementServiceClient;
use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use contracts::wire::credit::credit_calculation_service_client::CreditCalculationServiceClient;
use contracts::wire::maintenance::maintenance_service_client::MaintenanceServiceClient;
use contracts::{Feed, Revision};
use domain::access::{AddressError, EmailAddress};
use service_kit::{Channel, CredentialFiles, Identity, connect};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt as _;

use crate::running::Part;

/// How long one call may take.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// How often a call is tried again that may work later; with doubling pauses that is about three seconds.
const MAXIMUM_RETRIES: usize = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Where the services are called.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerUrls {
    /// Where access-management is called
    #[arg(long, env = "MANAGED_CREDIT_ACCESS_URL", value_name = "URL", default_value = "http://127.0.0.1:50051")]
    pub access_url: String,
    /// Where activity-tracking is called
    #[arg(long, env = "MANAGED_CREDIT_ACTIVITY_URL", value_name = "URL", default_value = "http://127.0.0.1:50052")]
    pub activity_url: String,
    /// Where credit-calculation is called
    #[arg(long, env = "MANAGED_CREDIT_CREDIT_URL", value_name = "URL", default_value = "http://127.0.0.1:50053")]
    pub credit_url: String,
    #[command(flatten)]
    pub proof: ProofFiles,
}

/// What this program shows of itself to services, and whose certificates it believes. Secrets are in files only: a command
/// line can be read by everybody on the machine.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ProofFiles {
    /// Certificates (PEM) of who signs those of the services, for https
    #[arg(long, env = "MANAGED_CREDIT_AUTHORITIES", value_name = "FILE")]
    pub authorities: Option<PathBuf>,
    /// The own certificate (PEM), which proves who calls
    #[arg(long, env = "MANAGED_CREDIT_CERTIFICATE", value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// The private key (PEM) of the own certificate
    #[arg(long, env = "MANAGED_CREDIT_CERTIFICATE_KEY", value_name = "FILE")]
    pub certificate_key: Option<PathBuf>,
    /// A file with a token or a preshared key, which proves who calls
    #[arg(long, env = "MANAGED_CREDIT_CREDENTIAL", value_name = "FILE")]
    pub credential: Option<PathBuf>,
}

impl ProofFiles {
    fn identity(&self) -> anyhow::Result<Identity> {
        let Self { authorities, certificate, certificate_key, credential } = self.clone();
        let files = CredentialFiles::new(authorities, certificate, certificate_key, credential);
        files.and_then(Identity::load).map_err(|problem| {
            anyhow::anyhow!("--authorities, --certificate, --certificate-key, --credential: {problem}")
        })
    }
}

/// In whose name the services are called, and where.
#[derive(Debug, Clone, Args)]
pub(crate) struct CallFlags {
    /// Who asks: a person's e-mail address, or `platform`; if absent, whom the proof names, or the platform
    #[arg(long = "as", env = "MANAGED_CREDIT_AS", value_name = "ADDRESS")]
    pub caller: Option<Caller>,
    #[command(flatten, next_help_heading = "Where the services are called")]
    pub urls: ServerUrls,
}

/// In whose name every call is made.
#[derive(Debug, Clone)]
pub(crate) struct Caller(MetadataValue<Ascii>);

/// A text that names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallerError {
    #[error("`platform`, or a person: {0}")]
    Address(#[from] AddressError),
    /// Metadata of gRPC is ASCII.
    #[error("an address with other letters than ASCII cannot be sent")]
    NotAscii,
}

impl Caller {
    const PLATFORM: &'static str = "platform";

    /// Who may do everything.
    pub fn platform() -> Self {
        Self(MetadataValue::from_static(Self::PLATFORM))
    }
}

impl FromStr for Caller {
    type Err = CallerError;

    fn from_str(text: &str) -> Result<Self, CallerError> {
        if text == Self::PLATFORM {
            return Ok(Self::platform());
        }
        let address: EmailAddress = text.parse()?;
        address.as_str().parse().map(Self).map_err(|_| CallerError::NotAscii)
    }
}

/// Says on every call in whose name it is made, where that was said.
#[derive(Debug, Clone)]
pub(crate) struct InTheNameOf(Option<Caller>);

impl Interceptor for InTheNameOf {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(Caller(caller)) = &self.0 {
            request.metadata_mut().insert("x-actor", caller.clone());
        }
        Ok(request)
    }
}

/// A connection on which every call says in whose name it is made.
pub(crate) type CallerChannel = InterceptedService<Channel, InTheNameOf>;

/// A client of each service; it connects when it is first used.
#[derive(Debug, Clone)]
pub(crate) struct Servers {
    urls: ServerUrls,
    maintenance: BTreeMap<Part, MaintenanceServiceClient<CallerChannel>>,
    pub access: AccessManagementServiceClient<CallerChannel>,
    pub activity: ActivityTrackingServiceClient<CallerChannel>,
    pub credit: CreditCalculationServiceClient<CallerChannel>,
}

impl Servers {
    /// Clients for the platform; nothing is called yet.
    pub fn for_platform(urls: &ServerUrls) -> anyhow::Result<Self> {
        Self::new(&CallFlags { caller: Some(Caller::platform()), urls: urls.clone() })
    }

    /// Clients for whoever asks; nothing is called yet.
    pub fn new(CallFlags { caller, urls }: &CallFlags) -> anyhow::Result<Self> {
        let identity = urls.proof.identity()?;
        let channel = |setting: &str, url: &str| {
            let channel = connect(url, &identity).with_context(|| format!("{setting} {url}"))?;
            anyhow::Ok(InterceptedService::new(channel, InTheNameOf(caller.clone())))
        };
        let access = channel("--access-url", &urls.access_url)?;
        let activity = channel("--activity-url", &urls.activity_url)?;
        let credit = channel("--credit-url", &urls.credit_url)?;
        let maintenance = [(Part::Access, &access), (Part::Activity, &activity), (Part::Credit, &credit)];
        Ok(Self {
            maintenance: maintenance
                .map(|(part, channel)| (part, MaintenanceServiceClient::new(channel.clone())))
                .into(),
            access: AccessManagementServiceClient::new(access),
            activity: ActivityTrackingServiceClient::new(activity),
            credit: CreditCalculationServiceClient::new(credit),
            urls: urls.clone(),
        })
    }

    /// A client for what operators ask of a service.
    pub fn maintenance(&self, part: Part) -> MaintenanceServiceClient<CallerChannel> {
        self.maintenance[&part].clone()
    }

    /// What a person can do about a call that did not succeed.
    pub fn problem(&self, part: Part, status: &Status) -> anyhow::Error {
        CallProblem { code: status.code(), text: self.problem_text(part, status) }.into()
    }

    fn problem_text(&self, part: Part, status: &Status) -> String {
        if is_answered(status) {
            // By this its operators find what happened.
            let id = status.metadata().get("x-request-id").and_then(|id| id.to_str().ok());
            let of_log = id.filter(|_| status.code() == Code::Internal).map(|id| format!(" ({id})"));
            return format!("{part}: {}{}", status.message(), of_log.unwrap_or_default());
        }
        let (setting, url) = match part {
            Part::Access => ("--access-url", &self.urls.access_url),
            Part::Activity => ("--activity-url", &self.urls.activity_url),
            Part::Credit => ("--credit-url", &self.urls.credit_url),
        };
        if url.starts_with("https:") || is_of_transport(status) {
            return format!(
                "{part} cannot be spoken with at {url}: {}. Where services encrypt, {setting} begins with https and \
                 --authorities has who signs their certificates, for the name in it.",
                root_cause(status)
            );
        }
        format!(
            "{part} does not answer at {url}. Start it with `managed-credit serve all --data-dir DIR`, or say with \
             {setting} where it runs."
        )
    }
}

/// A call that did not succeed, in words for people.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct CallProblem {
    pub code: Code,
    text: String,
}

/// Whether a service of ours refused, rather than that none was reached: theirs carry an `ErrorInfo`.
pub(crate) fn is_answered(status: &Status) -> bool {
    !is_passing(status) && !is_of_transport(status) || status.get_details_error_info().is_some()
}

/// Whether the way to the service failed in its middle, as it does where one side encrypts and the other does not.
fn is_of_transport(status: &Status) -> bool {
    matches!(status.code(), Code::Cancelled | Code::Internal | Code::Unknown) && status.details().is_empty()
}

/// What was wrong first.
fn root_cause(status: &Status) -> String {
    let mut cause: &dyn std::error::Error = status;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if cause.is::<Status>() { status.message().to_owned() } else { cause.to_string() }
}

/// A request with a deadline.
pub(crate) fn request<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL_LIMIT);
    request
}

/// The answer of a question; tried again while the service is behind, not while it is away: a person waits.
pub(crate) async fn asking<T, Call, Answer>(call: Call) -> Result<T, Status>
where
    Call: FnMut() -> Answer,
    Answer: Future<Output = Result<Response<T>, Status>>,
{
    trying_again(call, |status| is_passing(status) && is_answered(status)).await
}

/// The answer of a call that is harmless to repeat; tried again while the service is away or behind.
pub(crate) async fn retrying<T, Call, Answer>(call: Call) -> Result<T, Status>
where
    Call: FnMut() -> Answer,
    Answer: Future<Output = Result<Response<T>, Status>>,
{
    trying_again(call, is_passing).await
}

/// Calls an RPC that is harmless to repeat, with a clone of the client and of the message, as often as needed.
macro_rules! call {
    ($client:expr, $rpc:ident, $message:expr) => {
        $crate::servers::retrying(|| {
            let (mut client, message) = ($client.clone(), $message.clone());
            async move { client.$rpc($crate::servers::request(message)).await }
        })
        .await
    };
}

/// Asks an RPC that a person waits for, in the same way.
macro_rules! ask {
    ($client:expr, $rpc:ident, $message:expr) => {
        $crate::servers::asking(|| {
            let (mut client, message) = ($client.clone(), $message.clone());
            async move { client.$rpc($crate::servers::request(message)).await }
        })
        .await
    };
}

pub(crate) use {ask, call};

/// Whether the same call may work later.
fn is_passing(status: &Status) -> bool {
    status.code() == Code::Unavailable || status.get_details_retry_info().is_some()
}

async fn trying_again<T, Call, Answer>(call: Call, may_work_later: impl Fn(&Status) -> bool) -> Result<T, Status>
where
    Call: FnMut() -> Answer,
    Answer: Future<Output = Result<Response<T>, Status>>,
{
    let pauses = ExponentialBuilder::default().with_min_delay(FIRST_PAUSE).with_max_times(MAXIMUM_RETRIES);
    call.retry(pauses).when(may_work_later).await.map(Response::into_inner)
}

/// The newest revision of each feed that writes have answered with.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewestRevisions(BTreeMap<Feed, Revision>);

impl NewestRevisions {
    /// Notes the revision of an answer; a text that is none says nothing.
    pub fn note(&mut self, revision: &str) {
        if let Ok(revision) = revision.parse::<Revision>() {
            let newest = self.0.entry(revision.feed).or_insert(revision);
            *newest = revision.max(*newest);
        }
    }

    /// As `at_least_revisions` wants them.
    pub fn to_wire(&self) -> Vec<String> {
        self.0.values().map(ToString::to_string).collect()
    }

    /// Those of the access feed only.
    pub fn of_access(&self) -> Vec<String> {
        self.0.get(&Feed::Access).map(ToString::to_string).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use contracts::Failure;
    use contracts::wire::error::ErrorReason;

    use super::*;

    #[test]
    fn of_each_feed_the_newest_revision_is_kept() {
        let mut newest = NewestRevisions::default();
        for revision in ["access-7", "servicing-12", "access-3", "", "servicing-9"] {
            newest.note(revision);
        }
        assert_eq!(newest.to_wire(), ["access-7", "servicing-12"]);
    }

    #[test]
    fn every_call_says_in_whose_name_it_is_made() {
        let sent = |caller: Option<&str>| {
            let caller: Option<Caller> = caller.map(|caller: &str| caller.parse().expect("somebody"));
            let request = InTheNameOf(caller).call(Request::new(())).expect("a request");
            request.metadata().get("x-actor").map(|actor| actor.to_str().map(str::to_owned).expect("ASCII"))
        };
        assert_eq!(sent(Some("platform")).as_deref(), Some("platform"));
        assert_eq!(sent(Some("Anna@Agency.Example")).as_deref(), Some("anna@agency.example"));
        assert_eq!(sent(None), None, "whom the proof names");
        for nobody in ["", "anna", "Platform", "anna@agency.example\nx"] {
            assert!(nobody.parse::<Caller>().is_err(), "{nobody:?}");
        }
    }

    #[test]
    fn a_service_that_answers_is_told_from_one_that_is_away() {
        assert!(!is_answered(&Status::unavailable("connection refused")));
        assert!(!is_answered(&Status::unknown("transport error")));
        assert!(is_answered(&Status::from(Failure::new(ErrorReason::FactsBehind, "not yet"))));
        assert!(is_answered(&Status::from(Failure::new(ErrorReason::UnknownPartner, "no partner 7"))));
    }
}
