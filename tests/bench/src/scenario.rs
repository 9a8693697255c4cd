//! What is measured.

mod freshness;
mod growth;
mod ingest;
mod overload;
mod reads;
mod resting;
mod verify;

use std::time::Duration;

use clap::ValueEnum;

use crate::Arguments;
use crate::figure::Figure;
use crate::store::Kind;

/// How long calls are made, for one figure.
const TIME: Duration = Duration::from_secs(10);

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Activities in calls of 1,000, beside the same rows written plainly
    Batches,
    /// Activities one by one, 64 callers at once, beside pgbench with 64 clients
    Singles,
    /// How soon credit shows what was recorded, at half of the load that is sustained
    Freshness,
    /// GetManagedCredit beside prepared selects of one row, and pages of ListManagedCredits
    Reads,
    /// Everything computed once more, beside one GROUP BY
    Verify,
    /// Start, memory at rest, and an import from a pipe
    Resting,
    /// Four times the load that is sustained: memory, what is lost, how soon it is as before
    Overload,
    /// The cost of an operation with ever more activities
    Growth,
}

impl Scenario {
    /// How often it is run.
    pub fn runs(self, arguments: &Arguments) -> u64 {
        match self {
            Self::Growth | Self::Verify | Self::Resting | Self::Overload => 1,
            Self::Batches | Self::Singles | Self::Freshness | Self::Reads => arguments.runs,
        }
    }

    pub async fn run(self, arguments: &Arguments, kind: Kind) -> anyhow::Result<Vec<Figure>> {
        match self {
            Self::Batches => ingest::batches(arguments, kind).await,
            Self::Singles => ingest::singles(arguments, kind).await,
            Self::Freshness => freshness::freshness(arguments, kind).await,
            Self::Reads => reads::reads(arguments, kind).await,
            Self::Verify => verify::verify(arguments, kind).await,
            Self::Resting => resting::resting(arguments, kind).await,
            Self::Overload => overload::overload(arguments, kind).await,
            Self::Growth => growth::growth(arguments, kind).await,
        }
    }
}
