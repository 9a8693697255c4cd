//! `healthcheck`: whether services are ready, for whatever starts and restarts them.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use tonic::transport::Endpoint;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::serve::ServedPart;

/// How long the answers may take: what is slower is not well.
const LIMIT: Duration = Duration::from_secs(3);

/// The flags of `healthcheck`.
#[derive(Debug, Args)]
pub(crate) struct HealthcheckCommand {
    /// Which services must be ready; if absent, it is enough that the process answers
    #[arg(value_enum, value_name = "SERVICE")]
    pub services: Vec<ServedPart>,
    /// Where the process answers operators (--operations-listen of `serve`)
    #[arg(long, env = "MANAGED_CREDIT_OPERATIONS_URL", value_name = "URL", default_value = "http://127.0.0.1:9464")]
    pub operations_url: String,
}

pub(crate) async fn healthcheck(command: &HealthcheckCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let url = &command.operations_url;
    let endpoint = Endpoint::from_shared(url.clone()).with_context(|| format!("--operations-url {url}"))?;
    let asked = tokio::time::timeout(LIMIT, ask(&endpoint, command, out));
    asked.await.unwrap_or_else(|_| bail!("no answer from {url} within {} seconds", LIMIT.as_secs()))
}

async fn ask(endpoint: &Endpoint, command: &HealthcheckCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let url = &command.operations_url;
    let unreached = || format!("nothing answers operators at {url}: is it where `serve --operations-listen` says?");
    let mut health = HealthClient::new(endpoint.connect().await.with_context(unreached)?);
    let parts = ServedPart::parts(&command.services);
    let mut asked: Vec<(&str, &str)> = parts.iter().map(|part| (part.as_str(), part.health_name())).collect();
    if asked.is_empty() {
        asked.push(("the process", ""));
    }
    for (name, service) in asked {
        let answer = health.check(HealthCheckRequest { service: service.to_owned() }).await;
        match answer {
            Ok(answer) if answer.get_ref().status == ServingStatus::Serving as i32 => writeln!(out, "{name} is well")?,
            Ok(_) => bail!("{name} does not take calls: it is being stopped"),
            Err(status) if status.code() == tonic::Code::NotFound => {
                bail!("{name} is not ready, or not of that process")
            }
            Err(status) => return Err(status).with_context(|| format!("{name} does not say how it is")),
        }
    }
    Ok(())
}
