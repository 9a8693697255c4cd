//! How fast the services are, and how near that is to what the same machine can do with the same rows: `tests/bench/run`.
//!
//! The real executable serves in a process of its own, on databases of its own, and is called through gRPC. Every limit is
//! measured in the same run, right after what is compared with it. Figures, not tests.

#![allow(clippy::print_stdout, reason = "it is made to be read")]

mod calls;
mod figure;
mod limit;
mod programme;
mod scenario;
mod served;
mod store;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, ValueEnum as _};

use figure::Figures;
use scenario::Scenario;
use store::Kind;

/// What is measured, and with what.
#[derive(Debug, Parser)]
#[command(about = "Measures the services, and what the same machine can do with the same rows")]
pub(crate) struct Arguments {
    /// What is measured; everything but growth where nothing is named
    #[arg(value_enum)]
    scenarios: Vec<Scenario>,
    /// On which databases; on both where none is named
    #[arg(long = "database", value_enum)]
    kinds: Vec<Kind>,
    /// How often each scenario is run; medians are printed
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    runs: u64,
    /// How many activities are there at the end of growth, and where verify and start are measured
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10_000..=100_000_000))]
    activities: u64,
    /// Where growth is drawn: an SVG file
    #[arg(long)]
    plot: Option<PathBuf>,
    /// The executable
    #[arg(long)]
    program: PathBuf,
    /// A PostgreSQL that may be filled; NAME stands for a database's name
    #[arg(long, env = "MANAGED_CREDIT_BENCH_POSTGRES", hide_env_values = true)]
    postgres: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if arguments.scenarios.is_empty() {
        let all = Scenario::value_variants().iter().copied();
        arguments.scenarios = all.filter(|scenario| *scenario != Scenario::Growth).collect();
    }
    if arguments.kinds.is_empty() {
        arguments.kinds = Kind::value_variants().to_vec();
    }
    println!("{}", machine().context("the machine is told by /proc")?);
    for scenario in &arguments.scenarios {
        for kind in &arguments.kinds {
            let mut figures = Figures::default();
            for _ in 0..scenario.runs(&arguments) {
                figures.add(scenario.run(&arguments, *kind).await.with_context(|| format!("{scenario:?}, {kind:?}"))?);
            }
            println!("\n{scenario:?}, {kind:?}\n{}", figures.table());
        }
    }
    Ok(())
}

fn machine() -> anyhow::Result<String> {
    let processors = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let memory = memory.lines().next().unwrap_or_default().split_whitespace().nth(1).unwrap_or_default();
    let gigabytes = memory.parse::<u64>()? / (1 << 20);
    let cores = std::thread::available_parallelism()?;
    Ok(format!("{cores} cores ({}), {gigabytes} GB", model.trim_start_matches([' ', '\t', ':'])))
}
