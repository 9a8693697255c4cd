//! Queries, and rows to domain values and back; no rules.

pub(crate) mod access_link;
pub(crate) mod asset;

use domain::access::HubId;
use service_kit::ServiceError;

fn hub_id(stored: i64) -> Result<HubId, ServiceError> {
    HubId::try_from(stored).map_err(ServiceError::stored)
}
