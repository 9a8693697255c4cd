//! The rows of this service's own tables.

pub(crate) mod activity;
pub(crate) mod judged_policy;
pub(crate) mod rejudging;
pub(crate) mod servicing_change;
pub(crate) mod servicing_pair;
pub(crate) mod servicing_period;
pub(crate) mod voiding;
