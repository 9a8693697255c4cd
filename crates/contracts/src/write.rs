//! What every write says beside what it is about, in one shape for all services.

use prost_types::Timestamp;

use crate::wire::{access, activity, credit};

/// A request that writes.
pub trait Write: prost::Message {
    /// The RPC, as a repeat of a request is told from another by it.
    const METHOD: &'static str;

    /// Since when it is so; absent means now.
    fn effective_time(&self) -> Option<&Timestamp> {
        None
    }

    /// The caller's UUID; empty where there is none.
    fn request_id(&self) -> &str;

    /// Why, for the audit log; empty where nothing is said.
    fn reason(&self) -> &str {
        ""
    }
}

macro_rules! write {
    ($($area:ident::$request:ident { $($field:ident),+ })+) => {
        $(impl Write for $area::$request {
            const METHOD: &'static str = stringify!($request);
            $(write!(@ $field);)+
        })+
    };
    (@ effective_time) => {
        fn effective_time(&self) -> Option<&Timestamp> {
            self.effective_time.as_ref()
        }
    };
    (@ request_id) => {
        fn request_id(&self) -> &str {
            &self.request_id
        }
    };
    (@ reason) => {
        fn reason(&self) -> &str {
            &self.reason
        }
    };
}

write! {
    access::CreatePartnerRequest { effective_time, request_id, reason }
    access::UpdatePartnerRequest { effective_time, request_id, reason }
    access::CreateEmployeeRequest { effective_time, request_id, reason }
    access::UpdateEmployeeRequest { effective_time, request_id, reason }
    access::DeleteEmployeeRequest { effective_time, request_id, reason }
    access::CreateClientRequest { effective_time, request_id, reason }
    access::UpdateClientRequest { effective_time, request_id, reason }
    access::CloseClientRequest { effective_time, request_id, reason }
    access::IntroduceClientRequest { effective_time, request_id, reason }
    access::CreateClientUserRequest { effective_time, request_id, reason }
    access::UpdateClientUserRequest { effective_time, request_id, reason }
    access::DeactivateClientUserRequest { effective_time, request_id, reason }
    access::ReactivateClientUserRequest { effective_time, request_id, reason }
    access::RemoveClientUserRequest { effective_time, request_id, reason }
    access::BatchAddEmployeesRequest { effective_time, request_id, reason }
    access::BatchLinkClientsRequest { effective_time, request_id, reason }
    access::UnlinkClientRequest { effective_time, request_id, reason }
    access::CreateAccessLinkRequest { request_id, reason }
    access::ApproveAccessLinkRequest { request_id, reason }
    access::RevokeAccessLinkRequest { request_id, reason }
    access::BatchUpdateAssetsRequest { request_id }
    access::ConfirmRemovalRequest { request_id, reason }
    access::EndServicesRequest { effective_time, request_id, reason }
    access::RetractChangeRequest { request_id, reason }
    access::EraseAddressRequest { request_id, reason }
    activity::RecordActivitiesRequest { request_id }
    activity::VoidActivityRequest { request_id, reason }
    credit::CreateSubscriptionRequest { effective_time, request_id }
    credit::UpdateSubscriptionRequest { effective_time, request_id }
    credit::CreateSoldCreditRequest { request_id }
    credit::VoidSoldCreditRequest { request_id, reason }
    credit::UpdateCertificationRequest { effective_time, request_id }
    credit::GrantTierRequest { effective_time, request_id, reason }
}
