//! The rows of this service's own tables.

pub(crate) mod activity;
pub(crate) mod judged_policy;
pub(crate) mod servicing_change;
pub(crate) mod servicing_pair;
pub(crate) mod servicing_period;
