//! The tables that are this service's own.

pub(crate) mod certification_change;
pub(crate) mod changed_pair;
pub(crate) mod client;
pub(crate) mod client_country;
pub(crate) mod copy_journal;
pub(crate) mod partner_client;
pub(crate) mod servicing_pair;
pub(crate) mod servicing_period;
pub(crate) mod sold_credit;
pub(crate) mod sold_credit_voiding;
pub(crate) mod statement;
pub(crate) mod statement_document;
pub(crate) mod subscription_change;
pub(crate) mod tier_evaluation;
pub(crate) mod tier_grant;
