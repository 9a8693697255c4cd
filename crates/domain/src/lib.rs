//! The rules of managed MRR credit as pure functions over values.
//!
//! Owns: every rule of `RULES.md`, by its id. Does not own: storage, transport, clocks, randomness.
//! Invariants: the same arguments give the same answer; no float touches a number; an unknown is never a zero (R127).

#![deny(clippy::float_arithmetic)]

pub mod access;
pub mod activity;
pub mod credit;
pub mod money;
pub mod policy;
#[cfg(test)]
mod reading;
pub mod servicing;
pub mod statement;
#[cfg(test)]
mod testing;
pub mod tier;
pub mod time;
mod wording;
