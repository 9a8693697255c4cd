//! Requests about client users.

use contracts::wire::access as wire;
use contracts::{ClientName, Violations};

use super::DISPLAY_NAME_LENGTH;
use crate::operations::{NewClientUser, UserChange};

pub(super) fn new_client_user(
    violations: &mut Violations,
    request: &wire::CreateClientUserRequest,
) -> Option<NewClientUser> {
    let stated = request.client_user.clone().unwrap_or_default();
    let client: Option<ClientName> = violations.parse("parent", &request.parent);
    let address = violations.parse("client_user.email_address", &stated.email_address);
    let display_name = violations.text("client_user.display_name", &stated.display_name, DISPLAY_NAME_LENGTH);
    let permission_set = violations.parse("client_user.permission_set", &stated.permission_set);
    Some(NewClientUser {
        client: client?.0,
        address: address?,
        display_name: display_name?,
        permission_set: permission_set?,
    })
}

pub(super) fn removal(violations: &mut Violations, request: &wire::RemoveClientUserRequest) -> Option<UserChange> {
    let name = violations.parse("name", &request.name);
    Some(UserChange { name: name?, etag: request.etag.clone() })
}
