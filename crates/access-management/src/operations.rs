//! One file per capability: open a transaction, load, decide (in `domain`), append, commit.

mod add_employees;
mod approve_access_link;
mod create_access_link;
mod create_client;
mod create_client_user;
mod create_employee;
mod create_partner;
mod deactivate_client_user;
mod get_client_user;
mod link_clients;
mod list_access_links;
mod list_client_users;
mod reactivate_client_user;
mod recording;
mod remove_client_user;
mod revoke_access_link;
mod unlink_client;
mod update_client_user;
mod user_change;
mod user_permission;
mod visible_client;

pub(crate) use add_employees::NewMembers;
pub(crate) use approve_access_link::Approval;
pub(crate) use create_access_link::NewAccessLink;
pub(crate) use create_client::NewClient;
pub(crate) use create_client_user::NewClientUser;
pub(crate) use create_employee::NewEmployee;
pub(crate) use create_partner::NewPartner;
pub(crate) use link_clients::NewLinks;
pub(crate) use list_access_links::AccessLinkQuery;
pub(crate) use list_client_users::ClientUserQuery;
pub(crate) use unlink_client::Unlink;
pub(crate) use update_client_user::ChangedClientUser;
pub(crate) use user_change::UserChange;
