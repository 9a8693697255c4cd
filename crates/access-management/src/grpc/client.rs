//! Requests about clients.

use contracts::Violations;
use contracts::wire::access as wire;
use domain::access::HubId;

use super::DISPLAY_NAME_LENGTH;
use crate::operations::NewClient;

pub(super) fn new_client(violations: &mut Violations, request: &wire::CreateClientRequest) -> Option<NewClient> {
    let stated = request.client.clone().unwrap_or_default();
    let client = violations.check("hub_id", HubId::try_from(request.hub_id));
    let display_name = violations.text("client.display_name", &stated.display_name, DISPLAY_NAME_LENGTH);
    let country = violations.parse("client.country_code", &stated.country_code);
    Some(NewClient { client: client?, display_name: display_name?, country: country? })
}
