//! The partners, for the platform.

use contracts::wire::access as wire;
use domain::access::{Actor, HubId, PartnerHistory};
use service_kit::ServiceError;
use service_kit::access_log::Question;
use service_kit::page::{PageRequest, Place};

use super::reading::Reading;
use super::search::Search;
use crate::{AccessManagement, resource};

pub(crate) struct PartnerList {
    pub search: Search,
    pub page: PageRequest,
}

impl AccessManagement {
    pub(crate) async fn list_partners(
        &self,
        list: PartnerList,
        actor: Actor,
    ) -> Result<wire::ListPartnersResponse, ServiceError> {
        let reading = Reading::begin(self, actor).await?;
        reading.require_platform()?;
        let history = reading.history(&[Question::AllPartners]).await?;
        let found =
            history.partners().filter(|partner| list.search.finds_account(&partner.display_name, partner.partner));
        let rows = found.map(|partner| (place(partner.partner), partner)).collect();
        let resource = |partner: &&PartnerHistory| resource::partner(&history, partner, reading.now());
        let page = list.page.page_of_messages(rows, false, resource);
        Ok(wire::ListPartnersResponse {
            total_size: page.stated_total_size(),
            partners: page.rows,
            next_page_token: page.next_page_token,
        })
    }
}

/// By hub id, which is positive, so that the order of its bytes is its own.
fn place(partner: HubId) -> Place {
    partner.get().to_be_bytes().to_vec()
}
