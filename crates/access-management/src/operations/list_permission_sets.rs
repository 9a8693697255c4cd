//! The permission sets of the policy.

use contracts::wire::access as wire;
use service_kit::ServiceError;
use service_kit::access_log;

use crate::AccessManagement;

impl AccessManagement {
    pub(crate) async fn list_permission_sets(&self) -> Result<wire::ListPermissionSetsResponse, ServiceError> {
        let now = access_log::present_instant(self.database.connection(), self.clock.now()).await?;
        let sets = self.policy.permission_sets_at(now).map(|(name, display_name, permissions)| wire::PermissionSet {
            name: name.to_string(),
            display_name: display_name.to_owned(),
            permissions: permissions.iter().map(|permission| permission.to_string()).collect(),
        });
        Ok(wire::ListPermissionSetsResponse { permission_sets: sets.collect() })
    }
}
