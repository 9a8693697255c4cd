//! The tables that are this service's own.

pub(crate) mod client;
pub(crate) mod client_country;
pub(crate) mod partner_client;
pub(crate) mod servicing_pair;
pub(crate) mod servicing_period;
pub(crate) mod subscription_change;
pub(crate) mod tier_change;
