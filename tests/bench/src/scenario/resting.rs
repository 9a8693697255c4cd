//! Start, memory at rest and the memory of an import, with everything that `growth` recorded.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::Arguments;
use crate::figure::{Figure, Unit};
use crate::programme::{Size, World, client_name};
use crate::served::{Served, megabytes_of};
use crate::store::{Kind, Store};

const SIZE: Size = Size { partners: 10, clients: 1_000, partners_per_client: 1 };
/// After how long a service is at rest.
const REST: Duration = Duration::from_secs(5);
const AUDIT_LOG_RECORDS: [u64; 2] = [10_000, 1_000_000];

pub(super) async fn resting(arguments: &Arguments, kind: Kind) -> anyhow::Result<Vec<Figure>> {
    let World { served, store, callers } = World::create(arguments, kind, SIZE).await?;
    super::growth::fill(&callers, 0, arguments.activities).await?;
    callers.credit_knows_all().await?;
    drop(served);

    let mut figures = Vec::new();
    let services = started_each(arguments, &store)?;
    std::thread::sleep(REST);
    for (name, service) in &services {
        let ready = service.ready_after.as_secs_f64() * 1_000.0;
        let what = format!("{name} ready, with {} activities", arguments.activities);
        figures.push(Figure::new(what, Unit::Milliseconds, ready));
        figures.push(Figure::new(format!("{name} at rest"), Unit::Megabytes, service.megabytes("VmRSS")?));
    }
    let activity_url = &services[1].1.urls[0];
    for records in AUDIT_LOG_RECORDS {
        let (megabytes, seconds) = import(arguments, activity_url, records)?;
        figures.push(Figure::new(format!("import of {records} audit-log records"), Unit::Seconds, seconds));
        figures.push(Figure::new(format!("its memory at most, {records} records"), Unit::Megabytes, megabytes));
    }
    Ok(figures)
}

/// Each service in a process of its own.
fn started_each(arguments: &Arguments, store: &Store) -> anyhow::Result<Vec<(&'static str, Served)>> {
    let flags = |mut others: Vec<String>| {
        others.extend(store.flags());
        others
    };
    let access = Served::start(&arguments.program, "access", &flags(Vec::new()))?;
    let to_access = vec![String::from("--access-url"), access.urls[0].clone()];
    let activity = Served::start(&arguments.program, "activity", &flags(to_access.clone()))?;
    let to_both = [to_access, vec![String::from("--activity-url"), activity.urls[0].clone()]].concat();
    let credit = Served::start(&arguments.program, "credit", &flags(to_both))?;
    Ok(vec![("access-management", access), ("activity-tracking", activity), ("credit-calculation", credit)])
}

/// The memory and the time of an import of so many records from a pipe.
fn import(arguments: &Arguments, activity_url: &str, records: u64) -> anyhow::Result<(f64, f64)> {
    let begin = Instant::now();
    let client = client_name(0);
    let client = client.trim_start_matches("clients/");
    let mut child = Command::new(&arguments.program)
        .args(["import", "audit-log", "--client", client, "--activity-url", activity_url, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = std::io::BufWriter::new(child.stdin.take().context("it is piped")?);
    let mut most = 0.0_f64;
    for record in 0..records {
        writeln!(
            input,
            "{{\"id\":\"{records}-{record}\",\"category\":\"CRM_OBJECT\",\"subCategory\":\"CONTACT\",\"action\":\"UPDATE\",\
             \"occurredAt\":1754{record:09},\"actingUser\":{{\"userEmail\":\"anna@agency0.example\"}}}}"
        )?;
        if record % 10_000 == 9_999 {
            most = most.max(megabytes_of(child.id(), "VmHWM")?);
        }
    }
    drop(input);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "import: {}", String::from_utf8_lossy(&output.stdout));
    Ok((most, begin.elapsed().as_secs_f64()))
}
