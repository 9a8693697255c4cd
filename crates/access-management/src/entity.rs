//! The rows of this service's own tables.

pub(crate) mod access_link;
pub(crate) mod asset;
