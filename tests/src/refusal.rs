//! What a refusal says to programs.

use tonic::Status;
use tonic_types::StatusExt as _;

/// Why, for example `UNKNOWN_PARTNER`.
///
/// # Panics
/// A status without a reason: every refusal has one.
#[must_use]
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().expect("every refusal has a reason").reason
}

/// A value of the reason's metadata; empty where there is none.
#[must_use]
pub fn metadata(status: &Status, key: &str) -> String {
    status.get_details_error_info().and_then(|info| info.metadata.get(key).cloned()).unwrap_or_default()
}

/// The fields that are wrong, in order.
///
/// # Panics
/// A status without violations.
#[must_use]
pub fn fields(status: &Status) -> Vec<String> {
    let details = status.get_details_bad_request().expect("violations");
    details.field_violations.into_iter().map(|violation| violation.field).collect()
}
