//! The one program: it starts the services, imports real input into them, and asks them.
//!
//! Owns: the command line, the assembly of services, the importers, how answers are printed, the sample programme. Does
//! not own: any rule, any storage: whatever asks or changes services does it by the public API only, as any client would.
//! Invariants: exit code 0 means that everything asked was done, 1 that something was not, 2 that the command line was
//! wrong; answers go to standard output, everything else to standard error.

mod access;
mod as_of;
mod breakdown;
mod changes;
mod choice;
mod client_search;
mod command_line;
mod config;
mod databases;
mod demo;
mod expiring;
mod healthcheck;
mod import;
mod key;
mod limits;
mod migrate;
mod output;
mod policy;
mod progress;
mod replay;
pub mod running;
mod sample;
mod serve;
mod servers;
mod simulate;
mod statement;
mod status;
mod tier;
mod timeline;
mod verify;
mod why;
mod wording;

pub use command_line::run;
