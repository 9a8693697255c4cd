//! One file per capability: open a transaction, load, decide (in `domain`), append, commit.

mod create_client;
mod create_client_user;
mod create_employee;
mod create_partner;
mod link_clients;
mod recording;
mod remove_client_user;

pub(crate) use create_client::NewClient;
pub(crate) use create_client_user::NewClientUser;
pub(crate) use create_employee::NewEmployee;
pub(crate) use create_partner::NewPartner;
pub(crate) use link_clients::NewLinks;
pub(crate) use remove_client_user::UserChange;
