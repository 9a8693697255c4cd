//! `demo`: the whole system on a sample programme, in one process, through the public API only.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use activity_tracking::DEFAULT_MAXIMUM_WAITING_ACTIVITIES;
use anyhow::Context as _;
use clap::Args;
use contracts::wire::activity::{BatchGetServicingRequest, ServicingPair};
use contracts::wire::credit::{
    CreditState, ExplainCreditRequest, ListManagedCreditsRequest, ManagedCredit, ManagedCreditOrder,
};
use contracts::{ClientName, PartnerName, timestamp};
use domain::policy::Policy;
use domain::time::Instant;
use service_kit::{Clock, DatabaseSettings, Exposure, LogFormat, Operators, Security, ServerSettings, start_telemetry};

use crate::as_of::parse_instant;
use crate::breakdown::{Breakdown, write_table};
use crate::databases::embedded_url;
use crate::import::audit_log::{AuditLog, RecordKind, Summary};
use crate::import::programme::{self, Programme};
use crate::output::Width;
use crate::running::{self, Part, PartPlan, Plan, Running, StartError};
use crate::sample::{self, Sample};
use crate::serve::{print_ready, stop_signal, until};
use crate::servers::{NewestRevisions, ProofFiles, ServerUrls, Servers, call};
use crate::why;

/// Connections of each service's pool: one reader more than the demo asks at a time.
const CONNECTIONS: u32 = 5;

/// The flags of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoCommand {
    /// Go on serving until ctrl-c, on the default ports if they are free, and say what to try
    #[arg(long, env = "MANAGED_CREDIT_KEEP")]
    pub keep: bool,
    /// The instant that is asked about: a date (00:00 UTC) or RFC 3339
    #[arg(long, env = "MANAGED_CREDIT_AS_OF", value_name = "TIME", default_value = sample::AS_OF, value_parser = parse_instant)]
    pub as_of: Instant,
}

pub(crate) async fn demo(command: &DemoCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let traces = start_telemetry("warn", LogFormat::Human, "managed-credit")?;
    let shown = start_and_show(command, out).await;
    traces.stop().await;
    shown
}

async fn start_and_show(command: &DemoCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let stop_signal = stop_signal()?;
    let folder = tempfile::Builder::new().prefix("managed-credit-demo-").tempdir().context("a folder for the demo")?;
    let running = start(command.keep, folder.path(), out).await?;
    let shown = show(command, &running, folder.path(), out).await;
    if shown.is_err() || !command.keep {
        running.stop().await?;
        return shown;
    }
    until(running, stop_signal).await
}

/// Starts the three services; on the default ports where they are wanted and free.
async fn start(keep: bool, folder: &Path, out: &mut impl Write) -> anyhow::Result<Running> {
    if keep {
        match running::start(plan(folder, Part::default_port)?).await {
            Ok(running) => return Ok(running),
            Err(error @ StartError::Listen { .. }) => writeln!(out, "{error}; other ports are used.\n")?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(running::start(plan(folder, |_| 0)?).await?)
}

fn plan(folder: &Path, port: impl Fn(Part) -> u16) -> anyhow::Result<Plan> {
    let part_plan = |part| {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port(part)));
        Ok(PartPlan { part, listen, database_url: embedded_url(&folder.join("data"), part)? })
    };
    Ok(Plan {
        parts: Part::ALL.into_iter().map(part_plan).collect::<anyhow::Result<_>>()?,
        // All services are of this process.
        access_url: String::from("http://127.0.0.1:50051"),
        activity_url: String::from("http://127.0.0.1:50052"),
        database: DatabaseSettings::with_connections(CONNECTIONS),
        server: ServerSettings::default(),
        security: Security::none(Exposure::default()),
        maximum_waiting_activities: DEFAULT_MAXIMUM_WAITING_ACTIVITIES,
        migrate: true,
        operators: Operators::default(),
        clock: Clock::System,
        policy: Arc::new(Policy::embedded()),
    })
}

/// Imports the sample, shows what is computed, and says what to try.
async fn show(command: &DemoCommand, running: &Running, folder: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let urls = urls(running)?;
    let servers = Servers::for_platform(&urls)?;
    let sample = Sample::write(&folder.join("sample"))?;
    let programme = programme::read(sample.programme_dir())?;
    let mut revisions = NewestRevisions::default();
    import(&servers, &sample, &programme, &mut revisions, out).await?;
    let asking = Asking { servers: &servers, as_of: command.as_of, revisions: &revisions };
    let mut detail = Detail::Full;
    for partner in &programme.partners {
        writeln!(out, "\n== What {} ({}) is credited with ==\n", partner.display_name, partner.hub_id)?;
        let name = PartnerName(partner.hub_id);
        if let Some(lost) = asking.show_breakdown(name, out).await? {
            asking.show_why(name, &lost, detail, out).await?;
            detail = Detail::Summary;
        }
    }
    if command.keep { print_calls(command.as_of, running, &urls, out) } else { print_next_steps(out) }
}

fn urls(running: &Running) -> anyhow::Result<ServerUrls> {
    let url = |part| running.url(part).with_context(|| format!("{part} was started"));
    Ok(ServerUrls {
        access_url: url(Part::Access)?,
        activity_url: url(Part::Activity)?,
        credit_url: url(Part::Credit)?,
        proof: ProofFiles::default(),
    })
}

async fn import(
    servers: &Servers,
    sample: &Sample,
    programme: &Programme,
    revisions: &mut NewestRevisions,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    writeln!(out, "== The sample programme is imported ==\n")?;
    let report = programme::send(servers, programme, revisions).await?;
    report.write(Width::Fixed, out)?;
    report.require_complete()?;
    await_access(servers, programme, revisions).await?;
    let logs = sample.audit_logs()?;
    let mut summary = Summary::new(format!("Audit logs of {} clients", logs.len()), None);
    for log in logs {
        let log = AuditLog::check(log.client, RecordKind::AccountActivity, &[log.file])?;
        log.import(servers, &mut summary, revisions).await?;
    }
    writeln!(out)?;
    summary.write(Width::Fixed, out)?;
    summary.require_complete()
}

/// Waits until activity-tracking knows who may work where: then no verdict is provisional, however slow the machine.
async fn await_access(servers: &Servers, programme: &Programme, revisions: &NewestRevisions) -> anyhow::Result<()> {
    let partner = programme.partners.first().context("the sample has partners")?;
    let client = programme.clients.first().context("the sample has clients")?;
    let pair = ServicingPair {
        partner: PartnerName(partner.hub_id).to_string(),
        client: ClientName(client.hub_id).to_string(),
    };
    let question = BatchGetServicingRequest {
        pairs: vec![pair],
        at_least_revisions: revisions.of_access(),
        ..BatchGetServicingRequest::default()
    };
    let answer = call!(servers.activity, batch_get_servicing, question);
    answer.map(|_| ()).map_err(|status| servers.problem(Part::Activity, &status))
}

/// How much of a "why?" is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    Full,
    Summary,
}

/// Questions about one instant that know everything that was imported.
struct Asking<'demo> {
    servers: &'demo Servers,
    as_of: Instant,
    revisions: &'demo NewestRevisions,
}

impl Asking<'_> {
    /// A partner's breakdown; the first client that it lost.
    async fn show_breakdown(
        &self,
        partner: PartnerName,
        out: &mut impl Write,
    ) -> anyhow::Result<Option<ManagedCredit>> {
        let question = ListManagedCreditsRequest {
            parent: partner.to_string(),
            order: ManagedCreditOrder::Client.into(),
            as_of_time: Some(timestamp(self.as_of)),
            at_least_revisions: self.revisions.to_wire(),
            ..ListManagedCreditsRequest::default()
        };
        let breakdown = Breakdown::ask(self.servers, question).await?;
        write_table(&breakdown, Width::Fixed, out)?;
        Ok(breakdown.rows.into_iter().find(|row| row.state() == CreditState::Ended))
    }

    async fn show_why(
        &self,
        partner: PartnerName,
        lost: &ManagedCredit,
        detail: Detail,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        writeln!(out, "\n-- Why does {} bring nothing? --\n", lost.client_display_name)?;
        let question = ExplainCreditRequest {
            partner: partner.to_string(),
            client: lost.client.clone(),
            as_of_time: Some(timestamp(self.as_of)),
            at_least_revisions: self.revisions.to_wire(),
        };
        let answer = why::ask(self.servers, question).await?;
        match detail {
            Detail::Full => why::write_text(&answer, Width::Fixed, out),
            Detail::Summary => why::write_summary(&answer.explanation.unwrap_or_default(), Width::Fixed, out),
        }
    }
}

fn print_next_steps(out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "\n== What to try next (in the repository with `cargo run --` in place of `managed-credit`) ==\n\n\
         managed-credit demo --keep                         the same, and goes on serving for your own questions\n\
         managed-credit serve all --data-dir ./data         an empty system of your own\n\
         managed-credit import programme DIR                your own programme; --help says what the files look like\n\
         managed-credit import audit-log --client ID FILE   what people did there\n\
         managed-credit breakdown --partner ID              what each client brings\n\
         managed-credit why --partner ID --client NAME      why one of them brings nothing"
    )?;
    Ok(())
}

/// Lines that work as they are printed, while this process serves.
fn print_calls(as_of: Instant, running: &Running, urls: &ServerUrls, out: &mut impl Write) -> anyhow::Result<()> {
    let as_of = as_of.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    let address = |url: &str| url.trim_start_matches("http://").to_owned();
    let (activity, credit) = (address(&urls.activity_url), address(&urls.credit_url));
    let credit_service = contracts::wire::credit::credit_calculation_service_server::SERVICE_NAME;
    let activity_service = contracts::wire::activity::activity_tracking_service_server::SERVICE_NAME;
    writeln!(out, "\n== Try it, until ctrl-c ==\n")?;
    let program = std::env::args().next().unwrap_or_else(|| "managed-credit".to_owned());
    writeln!(out, "{program} breakdown --credit-url {} --partner 1002 --as-of {as_of}", urls.credit_url)?;
    writeln!(out, "{program} why --credit-url {} --partner 1001 --client sakura --as-of {as_of}\n", urls.credit_url)?;
    writeln!(out, "grpcurl -plaintext {credit} describe {credit_service}")?;
    writeln!(
        out,
        "grpcurl -plaintext -d '{{\"parent\":\"partners/1001\",\"as_of_time\":\"{as_of}\"}}' {credit} \
         {credit_service}/ListManagedCredits"
    )?;
    writeln!(
        out,
        "grpcurl -plaintext -d '{{\"partner\":\"partners/1001\",\"client\":\"clients/2004\",\"as_of_time\":\"{as_of}\"}}' \
         {credit} {credit_service}/ExplainCredit"
    )?;
    writeln!(
        out,
        "grpcurl -plaintext -d '{{\"partner\":\"partners/1001\",\"client\":\"clients/2004\",\"as_of_time\":\"{as_of}\"}}' \
         {activity} {activity_service}/GetServicing\n"
    )?;
    Ok(print_ready(running, out)?)
}
