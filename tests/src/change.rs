//! Short forms of what happens to access later on, each effective at an instant: the platform states it. Each answers the
//! position of its last change, by which it can be taken back.

use contracts::Revision;
use contracts::wire::access;
use prost_types::FieldMask;
use tonic::Status;

use crate::{Cluster, stamp};

impl Cluster {
    fn noted(&self, revision: &str) -> u64 {
        self.note(revision);
        revision.parse::<Revision>().expect("a revision").position
    }

    /// Deactivates a client user.
    ///
    /// # Errors
    /// As DeactivateClientUser.
    pub async fn deactivate(&self, user: &str, when: &str) -> Result<u64, Status> {
        let request = access::DeactivateClientUserRequest {
            name: user.to_owned(),
            effective_time: Some(stamp(when)),
            ..Default::default()
        };
        let answer = self.access().deactivate_client_user(request).await?;
        Ok(self.noted(&answer.get_ref().revision))
    }

    /// Reactivates a client user.
    ///
    /// # Errors
    /// As ReactivateClientUser.
    pub async fn reactivate(&self, user: &str, when: &str) -> Result<u64, Status> {
        let request = access::ReactivateClientUserRequest {
            name: user.to_owned(),
            effective_time: Some(stamp(when)),
            ..Default::default()
        };
        let answer = self.access().reactivate_client_user(request).await?;
        Ok(self.noted(&answer.get_ref().revision))
    }

    /// Unlinks a client from an employee.
    ///
    /// # Errors
    /// As UnlinkClient.
    pub async fn unlink(&self, employee: &str, client: i64, when: &str) -> Result<u64, Status> {
        let request = access::UnlinkClientRequest {
            employee: employee.to_owned(),
            client: format!("clients/{client}"),
            effective_time: Some(stamp(when)),
            ..Default::default()
        };
        let answer = self.access().unlink_client(request).await?;
        Ok(self.noted(&answer.get_ref().revision))
    }

    /// Ends a partner's services for a client.
    ///
    /// # Errors
    /// As EndServices.
    pub async fn end_services(&self, partner: i64, client: i64, when: &str) -> Result<u64, Status> {
        let request = access::EndServicesRequest {
            partner: format!("partners/{partner}"),
            client: format!("clients/{client}"),
            effective_time: Some(stamp(when)),
            ..Default::default()
        };
        let answer = self.access().end_services(request).await?;
        Ok(self.noted(&answer.get_ref().revision))
    }

    /// Changes these fields of a partner.
    async fn update_partner(&self, partner: access::Partner, field: &str, when: &str) -> Result<u64, Status> {
        let request = access::UpdatePartnerRequest {
            partner: Some(partner),
            update_mask: Some(FieldMask { paths: vec![field.to_owned()] }),
            effective_time: Some(stamp(when)),
            ..Default::default()
        };
        let answer = self.access().update_partner(request).await?;
        Ok(self.noted(&answer.get_ref().revision))
    }

    /// Lets a partner leave the programme.
    ///
    /// # Errors
    /// As UpdatePartner.
    pub async fn leave(&self, partner: i64, when: &str) -> Result<u64, Status> {
        let name = format!("partners/{partner}");
        let left = access::Partner { name, state: access::PartnerState::Left.into(), ..Default::default() };
        self.update_partner(left, "state", when).await
    }

    /// Sets a partner's employee email domains.
    ///
    /// # Errors
    /// As UpdatePartner.
    pub async fn set_domains(&self, partner: i64, email_domains: &[&str], when: &str) -> Result<u64, Status> {
        let changed = access::Partner {
            name: format!("partners/{partner}"),
            email_domains: email_domains.iter().map(ToString::to_string).collect(),
            ..Default::default()
        };
        self.update_partner(changed, "email_domains", when).await
    }

    /// Sets whether an employee is flagged as working for the partner.
    ///
    /// # Errors
    /// As UpdateEmployee.
    pub async fn flag(&self, employee: &str, partner_employee: bool, when: &str) -> Result<u64, Status> {
        let changed = access::Employee {
            name: employee.to_owned(),
            partner_employee: Some(partner_employee),
            ..Default::default()
        };
        let request = access::UpdateEmployeeRequest {
            employee: Some(changed),
            update_mask: Some(FieldMask { paths: vec!["partner_employee".to_owned()] }),
            effective_time: Some(stamp(when)),
            ..Default::default()
        };
        let answer = self.access().update_employee(request).await?;
        Ok(self.noted(&answer.get_ref().revision))
    }

    /// Deletes an employee in the partner account.
    ///
    /// # Errors
    /// As DeleteEmployee.
    pub async fn delete_employee(&self, employee: &str, when: &str) -> Result<u64, Status> {
        let request = access::DeleteEmployeeRequest {
            name: employee.to_owned(),
            effective_time: Some(stamp(when)),
            ..Default::default()
        };
        let answer = self.access().delete_employee(request).await?;
        Ok(self.noted(&answer.get_ref().revision))
    }

    /// Gives a client another name and country.
    ///
    /// # Errors
    /// As UpdateClient.
    pub async fn update_client(
        &self,
        client: i64,
        display_name: &str,
        country: &str,
        when: &str,
    ) -> Result<u64, Status> {
        let changed = access::Client {
            name: format!("clients/{client}"),
            display_name: display_name.to_owned(),
            country_code: country.to_owned(),
            ..Default::default()
        };
        let request = access::UpdateClientRequest {
            client: Some(changed),
            effective_time: Some(stamp(when)),
            ..Default::default()
        };
        let answer = self.access().update_client(request).await?;
        Ok(self.noted(&answer.get_ref().revision))
    }

    /// Closes a client account.
    ///
    /// # Errors
    /// As CloseClient.
    pub async fn close(&self, client: i64, when: &str) -> Result<u64, Status> {
        let name = format!("clients/{client}");
        let request = access::CloseClientRequest { name, effective_time: Some(stamp(when)), ..Default::default() };
        let answer = self.access().close_client(request).await?;
        Ok(self.noted(&answer.get_ref().revision))
    }

    /// Takes back the change at a position (R22).
    ///
    /// # Errors
    /// As RetractChange.
    pub async fn retract(&self, position: u64) -> Result<u64, Status> {
        let request = access::RetractChangeRequest { position, ..Default::default() };
        let answer = self.access().retract_change(request).await?;
        Ok(self.noted(&answer.get_ref().revision))
    }

    /// Erases an address (R128); answers its pseudonym.
    ///
    /// # Errors
    /// As EraseAddress.
    pub async fn erase(&self, address: &str) -> Result<String, Status> {
        let request = access::EraseAddressRequest { email_address: address.to_owned(), ..Default::default() };
        let answer = self.access().erase_address(request).await?.into_inner();
        self.note(&answer.revision);
        Ok(answer.pseudonym)
    }

    /// The position of the newest change of access that was written through this harness.
    #[must_use]
    pub fn access_position(&self) -> u64 {
        let known = self.known_revisions();
        let known = known.iter().filter_map(|revision| revision.strip_prefix("access-"));
        known.filter_map(|position| position.parse().ok()).max().unwrap_or_default()
    }
}
