//! What every service serves about itself.

use super::{Rows, platform};

pub const ROWS: Rows = (
    "managedcredit.maintenance.v1.MaintenanceService",
    &[("GetStatus", &[platform("")]), ("Verify", &[platform("")]), ("Replay", &[platform("")])],
);
