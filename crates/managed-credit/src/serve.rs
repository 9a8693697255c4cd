//! `serve`: runs any set of the services until it is told to stop.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use domain::policy::{Policy, PolicyError};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use service_kit::{
    Clock, Exposure, LogFormat, Operators, Security, ServerSettings, TelemetryError, WebOrigin, answer_operators,
    start_telemetry,
};

use crate::databases::Databases;
use crate::limits::Limits;
use crate::running::{self, Part, PartPlan, Plan, Running, StartError};

/// What can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServedPart {
    /// All three services
    All,
    /// access-management: who may work where
    Access,
    /// activity-tracking: what they did, and whether it counts
    Activity,
    /// credit-calculation: what it is worth, and why
    Credit,
}

impl ServedPart {
    /// The services that are meant, each once, in the direction in which facts flow.
    pub fn parts(asked: &[Self]) -> Vec<Part> {
        let is_asked = |part| {
            let named = match part {
                Part::Access => Self::Access,
                Part::Activity => Self::Activity,
                Part::Credit => Self::Credit,
            };
            asked.contains(&Self::All) || asked.contains(&named)
        };
        Part::ALL.into_iter().filter(|part| is_asked(*part)).collect()
    }
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogStyle {
    /// A line for people
    Human,
    /// A JSON object a line
    Json,
}

/// The flags of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeCommand {
    /// Which services this process runs
    #[arg(required = true, value_enum, value_name = "SERVICE")]
    pub services: Vec<ServedPart>,
    #[command(flatten)]
    pub databases: Databases,
    /// Bring the databases' schemas up to date first (with --data-dir always)
    #[arg(long, env = "MANAGED_CREDIT_MIGRATE")]
    pub migrate: bool,
    /// A policy document (TOML) in place of the one that is built in
    #[arg(long, env = "MANAGED_CREDIT_POLICY", value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Who may call, and what proves it (TOML; README, Security); without it only this machine may call, as whoever it says
    #[arg(long, env = "MANAGED_CREDIT_SECURITY", value_name = "FILE")]
    pub security: Option<PathBuf>,
    /// Listen also where other machines can call, without any proof of who they are: whoever reaches the address may do
    /// everything
    #[arg(long, env = "MANAGED_CREDIT_DANGEROUSLY_WITHOUT_AUTHENTICATION")]
    pub dangerously_without_authentication: bool,
    /// Listen also where other machines can call, and call services there, without TLS: for where something else encrypts
    #[arg(long, env = "MANAGED_CREDIT_DANGEROUSLY_WITHOUT_TLS")]
    pub dangerously_without_tls: bool,
    /// Do not tell the contracts to callers (gRPC reflection, which grpcurl uses)
    #[arg(long, env = "MANAGED_CREDIT_NO_REFLECTION")]
    pub no_reflection: bool,
    /// Where access-management listens; port 0 takes any that is free
    #[arg(long, env = "MANAGED_CREDIT_ACCESS_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:50051")]
    pub access_listen: SocketAddr,
    /// Where activity-tracking listens
    #[arg(long, env = "MANAGED_CREDIT_ACTIVITY_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:50052")]
    pub activity_listen: SocketAddr,
    /// Where credit-calculation listens
    #[arg(long, env = "MANAGED_CREDIT_CREDIT_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:50053")]
    pub credit_listen: SocketAddr,
    /// Where the others call access-management, if this process does not run it
    #[arg(long, env = "MANAGED_CREDIT_ACCESS_URL", value_name = "URL", default_value = "http://127.0.0.1:50051")]
    pub access_url: String,
    /// Where credit-calculation calls activity-tracking, if this process does not run it
    #[arg(long, env = "MANAGED_CREDIT_ACTIVITY_URL", value_name = "URL", default_value = "http://127.0.0.1:50052")]
    pub activity_url: String,
    /// Where operators ask, for example 127.0.0.1:9464: health by gRPC, for probes, and metrics as Prometheus text at
    /// /metrics, of all services of this process. It needs no proof and names nobody; nowhere, if absent
    #[arg(long, env = "MANAGED_CREDIT_OPERATIONS_LISTEN", value_name = "ADDRESS")]
    pub operations_listen: Option<SocketAddr>,
    /// Where pages come from that may call by gRPC-Web, for example https://console.vendor.example; it is not spoken, if
    /// absent
    #[arg(long, env = "MANAGED_CREDIT_GRPC_WEB_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub grpc_web_origins: Vec<WebOrigin>,
    /// What is logged, to standard error: a level, or levels by module as in info,service_kit=debug
    #[arg(
        long,
        env = "MANAGED_CREDIT_LOG",
        value_name = "FILTER",
        default_value = "info,sqlx=warn,sea_orm_migration=warn"
    )]
    pub log: String,
    /// How it is logged
    #[arg(long, env = "MANAGED_CREDIT_LOG_FORMAT", value_enum, value_name = "FORMAT", default_value = "human")]
    pub log_format: LogStyle,
    #[command(flatten, next_help_heading = "Limits")]
    pub limits: Limits,
}

pub(crate) async fn serve(command: &ServeCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let format = match command.log_format {
        LogStyle::Human => LogFormat::Human,
        LogStyle::Json => LogFormat::Json,
    };
    let traces = start_telemetry(&command.log, format, &service_name(command)).map_err(|error| match error {
        TelemetryError::Filter(_) => anyhow::anyhow!("--log {}: {error}", command.log),
        TelemetryError::Traces(_) => error.into(),
    })?;
    keep_out_of_core_dumps();
    let served = serve_until_stopped(command, out).await;
    traces.stop().await;
    served
}

/// What traces call this process where the environment does not.
fn service_name(command: &ServeCommand) -> String {
    match ServedPart::parts(&command.services).as_slice() {
        [part] => part.to_string(),
        _ => "managed-credit".to_owned(),
    }
}

async fn serve_until_stopped(command: &ServeCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let stop_signal = stop_signal()?;
    let mut plan = plan(command)?;
    if let Some(address) = command.operations_listen {
        let (address, operators) = answer_operators(address).await.context("--operations-listen")?;
        plan.operators = operators;
        writeln!(out, "operators are answered on {address}")?;
    }
    let running = running::start(plan).await.map_err(|error| name_setting(command, error))?;
    print_ready(&running, out)?;
    if command.security.is_none() {
        writeln!(out, "{}", who_may_call(command))?;
    }
    until(running, stop_signal).await
}

/// Keys, credentials and people's addresses are in this process' memory: a crash must not leave them in a file, nor may
/// another process of the same user read them.
fn keep_out_of_core_dumps() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "a crash may leave a core dump, with keys and people's addresses in it");
    }
}

/// What is so without `--security`, in a sentence.
fn who_may_call(command: &ServeCommand) -> &'static str {
    if command.dangerously_without_authentication {
        "nobody has to prove who they are: whoever reaches these addresses may do everything"
    } else {
        "nobody has to prove who they are, so only this machine may call; --security FILE says who else may"
    }
}

impl ServeCommand {
    /// Who may call, as the flags say it.
    pub fn security(&self) -> anyhow::Result<Security> {
        let exposure = Exposure {
            without_authentication: self.dangerously_without_authentication,
            without_tls: self.dangerously_without_tls,
        };
        let Some(file) = &self.security else { return Ok(Security::none(exposure)) };
        let read = Security::read(file, running::NEEDS, exposure, &Clock::System);
        read.with_context(|| format!("--security {}", file.display()))
    }
}

pub(crate) fn plan(command: &ServeCommand) -> anyhow::Result<Plan> {
    let parts = ServedPart::parts(&command.services);
    command.databases.refuse_shared(&parts)?;
    let policy = command.policy.as_deref().map_or_else(|| Ok(Policy::embedded()), read_policy)?;
    let part_plan = |part: Part| {
        let listen = match part {
            Part::Access => command.access_listen,
            Part::Activity => command.activity_listen,
            Part::Credit => command.credit_listen,
        };
        Ok(PartPlan { part, listen, database_url: command.databases.url(part)? })
    };
    Ok(Plan {
        parts: parts.into_iter().map(part_plan).collect::<anyhow::Result<_>>()?,
        access_url: command.access_url.clone(),
        activity_url: command.activity_url.clone(),
        database: command.limits.database(),
        server: ServerSettings {
            tells_contracts: !command.no_reflection,
            web_origins: command.grpc_web_origins.clone(),
            ..command.limits.server()
        },
        security: command.security()?,
        maximum_waiting_activities: command.limits.maximum_waiting_activities,
        migrate: command.migrate || command.databases.data_dir.is_some(),
        operators: Operators::default(),
        clock: Clock::System,
        policy: Arc::new(policy),
    })
}

/// The policy of a file; what is wrong with it entry by entry.
fn read_policy(file: &Path) -> anyhow::Result<Policy> {
    let setting = || format!("--policy {}", file.display());
    let document = fs::read_to_string(file).with_context(setting)?;
    Policy::parse(&document).map_err(|error| match error {
        PolicyError::Invalid(violations) => {
            let listed: String = violations.iter().map(|violation| format!("\n  {violation}")).collect();
            anyhow::anyhow!("{}: the policy is not valid:{listed}", setting())
        }
        other => anyhow::anyhow!("{}: {other}", setting()),
    })
}

fn name_setting(command: &ServeCommand, error: StartError) -> anyhow::Error {
    let setting = match &error {
        StartError::Database { part, .. } => command.databases.setting(*part),
        StartError::Listen { part, .. } => setting_of_listener(*part),
        StartError::Url { url, .. } if *url == command.access_url => "--access-url",
        StartError::Url { .. } => "--activity-url",
    };
    anyhow::anyhow!("{setting}: {error}")
}

/// The flag that says where a service listens.
pub(crate) const fn setting_of_listener(part: Part) -> &'static str {
    match part {
        Part::Access => "--access-listen",
        Part::Activity => "--activity-listen",
        Part::Credit => "--credit-listen",
    }
}

/// One line per service: whoever waits for them can read it.
pub(crate) fn print_ready(running: &Running, out: &mut impl Write) -> io::Result<()> {
    for (part, address) in running.addresses() {
        writeln!(out, "{part} is ready on {address}")?;
    }
    out.flush()
}

/// Tells when the process is asked to stop: SIGTERM or ctrl-c.
pub(crate) struct StopSignal {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

/// Listens for the signals from now on.
pub(crate) fn stop_signal() -> io::Result<StopSignal> {
    use tokio::signal::unix::{SignalKind, signal};
    Ok(StopSignal { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
}

impl StopSignal {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Serves until the process is asked to stop, or a service fails. A second signal does not wait for calls under way.
pub(crate) async fn until(mut running: Running, mut stop_signal: StopSignal) -> anyhow::Result<()> {
    let ended = tokio::select! {
        () = stop_signal.next() => Ok(()),
        ended = running.wait() => ended,
    };
    let stopped = tokio::select! {
        stopped = running.stop() => stopped,
        () = stop_signal.next() => anyhow::bail!("stopped at once, on a second signal"),
    };
    Ok(ended.and(stopped)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_start_in_the_direction_of_facts_and_once() {
        assert_eq!(ServedPart::parts(&[ServedPart::Credit, ServedPart::All]), Part::ALL);
        let asked = [ServedPart::Credit, ServedPart::Access, ServedPart::Credit];
        assert_eq!(ServedPart::parts(&asked), [Part::Access, Part::Credit]);
    }
}
