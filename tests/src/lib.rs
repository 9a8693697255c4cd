//! The harness: real servers on free ports, real databases, a clock that stands still.
//!
//! A test is written once and runs on both databases (`on_both_databases!`). PostgreSQL is started by `tests/run`, which
//! names it in `MANAGED_CREDIT_TEST_POSTGRES`; without it a test fails, it is never skipped. A test never sleeps: every
//! write's revision is remembered, and every read asks to know all of them.

mod ask;
mod case;
mod change;
mod cluster;
mod database;
mod on_domain;
mod on_system;
mod proofs;
pub mod reference;
mod refusal;
mod state;
mod tier;

pub use ask::by;
pub use case::{Case, Expectation, Fact, PolicyChange, cases};
pub use cluster::{Cluster, ClusterOptions, Replica};
pub use database::DatabaseKind;
pub use on_domain::answers_of_domain;
pub use on_system::{Driven, answers_of_system};
pub use proofs::{AUDIENCE, Claims, ISSUER, Proofs, authority, claims_of, signing_key};
pub use refusal::{fields, metadata, reason};

/// An instant written as RFC 3339, or as a date at 00:00Z.
///
/// # Panics
/// A text that is neither.
#[must_use]
pub fn at(text: &str) -> domain::time::Instant {
    let text = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    text.parse().unwrap_or_else(|_| panic!("{text} is no instant"))
}

/// The timestamp of an instant written as `at` reads it.
#[must_use]
pub fn stamp(text: &str) -> prost_types::Timestamp {
    contracts::timestamp(at(text))
}

/// Writes a test once and runs it on both databases: `on_both_databases!(name, |cluster| { ... })`.
#[macro_export]
macro_rules! on_both_databases {
    ($(#[$meta:meta])* $name:ident, |$cluster:ident| $body:block) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            #[allow(unused_mut)]
            async fn test(mut $cluster: $crate::Cluster) {
                $body
                $cluster.stop().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                test($crate::Cluster::start($crate::DatabaseKind::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgresql() {
                test($crate::Cluster::start($crate::DatabaseKind::Postgresql).await).await;
            }
        }
    };
}
