//! The contracts: the messages and services of `/proto` as Rust, what they mean in the domain, and how every service
//! says why it refused.
//!
//! Owns: generated code, conversions between wire and domain, resource names, revisions, the one mapping of refusals to
//! gRPC. Does not own: any rule, any transport.
//! Invariants: a value that came through here is valid in the domain; nothing is rounded, cut or defaulted silently.

mod access;
mod activity;
mod credit;
mod failure;
mod policy;
#[cfg(test)]
mod reading;
mod resource_name;
mod revision;
mod tier;
mod time;
mod update_mask;
mod violations;
mod write;

pub use access::{access_change_from_wire, access_role_from_wire, access_type_from_wire, assignment_to_wire};
pub use activity::{
    ServicingChange, activity_from_wire, done_from_wire, not_counted_reason_from_wire, period_end_cause_from_wire,
    remedy_to_wire, servicing_change_from_wire, servicing_period_from_wire, standing_from_wire, verdict_to_wire,
};
pub use credit::{money_from_wire, no_credit_reason_from_wire};
pub use failure::{Failure, code_of, reason_name};
pub use policy::policy_from_document;
pub use resource_name::{
    AccessLinkName, ActivityName, AssetName, ClientName, ClientUserName, EmployeeName, PartnerName, ResourceNameError,
    SoldCreditName, StatementName, SubscriptionName,
};
pub use revision::{Feed, Revision, RevisionError};
pub use tier::{sale_kind_from_wire, tier_from_wire, tier_to_wire};
pub use time::{TimeError, instant, required_instant, timestamp};
pub use update_mask::UpdateMask;
pub use violations::{DISPLAY_NAME_LENGTH, Violations};
pub use wire::error::ErrorReason;
pub use write::Write;

/// The descriptors of every contract, with comments, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/file_descriptor_set.bin"));

/// A message of the wire that no domain value can be made of.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct WireError {
    /// Where in the message.
    pub field: &'static str,
    /// What is wrong there.
    pub problem: String,
}

impl WireError {
    /// A field of a message, and what is wrong with it.
    pub fn new(field: &'static str, problem: impl std::fmt::Display) -> Self {
        Self { field, problem: problem.to_string() }
    }
}

/// The generated messages, clients and servers.
#[allow(missing_docs, clippy::all, clippy::pedantic, unused_qualifications)]
pub mod wire {
    /// `managedcredit.access.v1`
    pub mod access {
        tonic::include_proto!("managedcredit.access.v1");
    }
    /// `managedcredit.activity.v1`
    pub mod activity {
        tonic::include_proto!("managedcredit.activity.v1");
    }
    /// `managedcredit.credit.v1`
    pub mod credit {
        tonic::include_proto!("managedcredit.credit.v1");
    }
    /// `managedcredit.error.v1`
    pub mod error {
        tonic::include_proto!("managedcredit.error.v1");
    }
    /// `managedcredit.maintenance.v1`
    pub mod maintenance {
        tonic::include_proto!("managedcredit.maintenance.v1");
    }
}
