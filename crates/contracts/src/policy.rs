//! Policy documents that callers send.

use domain::policy::{Policy, PolicyError};

use crate::Violations;

/// The policy of a document that a caller states, or violations of `field`: everything that is wrong with it.
pub fn policy_from_document(violations: &mut Violations, field: &str, document: &str) -> Option<Policy> {
    match Policy::parse(document) {
        Ok(policy) => Some(policy),
        Err(PolicyError::Invalid(found)) => {
            for violation in found {
                violations.add(format!("{field}: {}", violation.entry), violation.problem);
            }
            None
        }
        Err(error) => {
            violations.add(field, error);
            None
        }
    }
}
