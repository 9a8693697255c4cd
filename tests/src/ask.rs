//! Short forms of the calls that most tests make; each remembers the revision of a write.

use contracts::wire::{access, activity, credit, maintenance};
use contracts::{ClientName, PartnerName};
use domain::access::HubId;
use managed_credit::running::Part;
use tonic::{Request, Response, Status};

use crate::{Cluster, stamp};

/// Since when everything exists that a test does not date itself.
const LONG_AGO: &str = "2024-01-01";

fn partner_name(hub_id: i64) -> String {
    PartnerName(HubId::try_from(hub_id).expect("a hub id")).to_string()
}

fn client_name(hub_id: i64) -> String {
    ClientName(HubId::try_from(hub_id).expect("a hub id")).to_string()
}

/// The request, made by a person: their address is its `x-actor`.
///
/// # Panics
/// An address that is not ASCII.
#[must_use]
pub fn by<T>(address: &str, request: T) -> Request<T> {
    let mut request = Request::new(request);
    request.metadata_mut().insert("x-actor", address.parse().expect("ASCII"));
    request
}

impl Cluster {
    /// What has been written through this harness, for `at_least_revisions`.
    #[must_use]
    pub fn known_revisions(&self) -> Vec<String> {
        self.revisions.all()
    }

    /// Remembers the revision of a write, so that every later read knows it.
    pub fn note(&self, revision: &str) {
        self.revisions.note(revision);
    }

    /// A partner of long ago; its country is IT.
    pub async fn partner(&self, hub_id: i64, email_domains: &[&str]) {
        self.partner_since(hub_id, email_domains, LONG_AGO).await.expect("a partner");
    }

    /// A partner since an instant.
    ///
    /// # Errors
    /// As CreatePartner.
    pub async fn partner_since(&self, hub_id: i64, email_domains: &[&str], since: &str) -> Result<(), Status> {
        let partner = access::Partner {
            display_name: format!("Partner {hub_id}"),
            country_code: "IT".to_owned(),
            email_domains: email_domains.iter().map(ToString::to_string).collect(),
            ..access::Partner::default()
        };
        let request = access::CreatePartnerRequest {
            hub_id,
            partner: Some(partner),
            effective_time: Some(stamp(since)),
            ..Default::default()
        };
        let created = self.access().create_partner(request).await?;
        self.note(&created.get_ref().revision);
        Ok(())
    }

    /// An employee of long ago; answers with its name.
    pub async fn employee(&self, partner: i64, address: &str) -> String {
        self.employee_since(partner, address, LONG_AGO).await.expect("an employee")
    }

    /// An employee since an instant; answers with its name.
    ///
    /// # Errors
    /// As CreateEmployee.
    pub async fn employee_since(&self, partner: i64, address: &str, since: &str) -> Result<String, Status> {
        let employee = access::Employee {
            email_address: address.to_owned(),
            display_name: address.split('@').next().unwrap_or_default().to_owned(),
            ..access::Employee::default()
        };
        let request = access::CreateEmployeeRequest {
            parent: partner_name(partner),
            employee: Some(employee),
            effective_time: Some(stamp(since)),
            ..Default::default()
        };
        let created = self.access().create_employee(request).await?.into_inner();
        self.note(&created.revision);
        Ok(created.employee.expect("an employee").name)
    }

    /// An employee of now with a role in the partner account; answers with its name.
    pub async fn employee_with(&self, partner: i64, address: &str, access_role: access::AccessRole) -> String {
        let employee = access::Employee {
            email_address: address.to_owned(),
            display_name: address.split('@').next().unwrap_or_default().to_owned(),
            access_role: access_role.into(),
            ..access::Employee::default()
        };
        let request = access::CreateEmployeeRequest {
            parent: partner_name(partner),
            employee: Some(employee),
            ..access::CreateEmployeeRequest::default()
        };
        let created = self.access().create_employee(request).await.expect("an employee").into_inner();
        self.note(&created.revision);
        created.employee.expect("an employee").name
    }

    /// A client of long ago.
    pub async fn client(&self, hub_id: i64, country_code: &str) {
        self.client_since(hub_id, country_code, LONG_AGO).await.expect("a client");
    }

    /// A client since an instant.
    ///
    /// # Errors
    /// As CreateClient.
    pub async fn client_since(&self, hub_id: i64, country_code: &str, since: &str) -> Result<(), Status> {
        let client = access::Client {
            display_name: format!("Client {hub_id}"),
            country_code: country_code.to_owned(),
            ..access::Client::default()
        };
        let request = access::CreateClientRequest {
            hub_id,
            client: Some(client),
            effective_time: Some(stamp(since)),
            ..Default::default()
        };
        let created = self.access().create_client(request).await?;
        self.note(&created.get_ref().revision);
        Ok(())
    }

    /// A user of long ago in a client account; answers with its name.
    pub async fn user(&self, client: i64, address: &str) -> String {
        self.user_since(client, address, LONG_AGO).await.expect("a client user")
    }

    /// A user in a client account since an instant; answers with its name.
    ///
    /// # Errors
    /// As CreateClientUser.
    pub async fn user_since(&self, client: i64, address: &str, since: &str) -> Result<String, Status> {
        let client_user = access::ClientUser {
            email_address: address.to_owned(),
            display_name: address.split('@').next().unwrap_or_default().to_owned(),
            permission_set: "STANDARD".to_owned(),
            ..access::ClientUser::default()
        };
        let request = access::CreateClientUserRequest {
            parent: client_name(client),
            client_user: Some(client_user),
            effective_time: Some(stamp(since)),
            ..Default::default()
        };
        let created = self.access().create_client_user(request).await?.into_inner();
        self.note(&created.revision);
        Ok(created.client_user.expect("a client user").name)
    }

    /// A user of now with a permission set in a client account; answers with its name.
    pub async fn user_with(&self, client: i64, address: &str, permission_set: &str) -> String {
        let client_user = access::ClientUser {
            email_address: address.to_owned(),
            display_name: address.split('@').next().unwrap_or_default().to_owned(),
            permission_set: permission_set.to_owned(),
            ..access::ClientUser::default()
        };
        let request = access::CreateClientUserRequest {
            parent: client_name(client),
            client_user: Some(client_user),
            ..access::CreateClientUserRequest::default()
        };
        let created = self.access().create_client_user(request).await.expect("a client user").into_inner();
        self.note(&created.revision);
        created.client_user.expect("a client user").name
    }

    /// Removes a client user.
    ///
    /// # Errors
    /// As RemoveClientUser.
    pub async fn remove(&self, name: &str, when: &str) -> Result<(), Status> {
        let request = access::RemoveClientUserRequest {
            name: name.to_owned(),
            effective_time: Some(stamp(when)),
            ..Default::default()
        };
        let removed = self.access().remove_client_user(request).await?;
        self.note(&removed.get_ref().revision);
        Ok(())
    }

    /// Links a client to an employee by hand.
    pub async fn link(&self, employee: &str, client: i64, since: &str) -> access::link_client_result::Outcome {
        let request = access::BatchLinkClientsRequest {
            employee: employee.to_owned(),
            clients: vec![client_name(client)],
            effective_time: Some(stamp(since)),
            ..Default::default()
        };
        let linked = self.access().batch_link_clients(request).await.expect("a result").into_inner();
        self.note(&linked.revision);
        linked.results.into_iter().next().and_then(|result| result.outcome).expect("an outcome")
    }

    /// An activity of the catalogue, for example `blog/publish`, by a person.
    #[must_use]
    pub fn activity_of(client: i64, id: &str, address: &str, when: &str, action: &str) -> activity::Activity {
        let (tool, action) = action.split_once('/').expect("tool/action");
        let action = activity::CatalogueAction { tool: tool.to_owned(), action: action.to_owned() };
        activity::Activity {
            name: format!("{}/activities/{id}", client_name(client)),
            email_address: address.to_owned(),
            occur_time: Some(stamp(when)),
            action: Some(activity::activity::Action::CatalogueAction(action)),
            origin: activity::Origin::Person.into(),
            target_object_id: String::new(),
        }
    }

    /// Records activities.
    ///
    /// # Errors
    /// As RecordActivities.
    pub async fn record(
        &self,
        activities: Vec<activity::Activity>,
    ) -> Result<activity::RecordActivitiesResponse, Status> {
        let request = activity::RecordActivitiesRequest { activities, ..Default::default() };
        let recorded = self.activity().record_activities(request).await?.into_inner();
        self.note(&recorded.revision);
        Ok(recorded)
    }

    /// What recording activities would say; records nothing.
    ///
    /// # Errors
    /// As RecordActivities.
    pub async fn validate(
        &self,
        activities: Vec<activity::Activity>,
    ) -> Result<activity::RecordActivitiesResponse, Status> {
        let request = activity::RecordActivitiesRequest { activities, validate_only: true, ..Default::default() };
        self.activity().record_activities(request).await.map(Response::into_inner)
    }

    /// Takes an activity of a client back.
    ///
    /// # Errors
    /// As VoidActivity.
    pub async fn void(&self, client: i64, id: &str, reason: &str) -> Result<activity::VoidActivityResponse, Status> {
        let name = format!("{}/activities/{id}", client_name(client));
        let request = activity::VoidActivityRequest { name, reason: reason.to_owned(), ..Default::default() };
        let voided = self.activity().void_activity(request).await?.into_inner();
        self.note(&voided.revision);
        Ok(voided)
    }

    /// An activity with its verdict, with all that was written known.
    ///
    /// # Errors
    /// As GetActivity.
    pub async fn get_activity(&self, name: &str) -> Result<activity::GetActivityResponse, Status> {
        let request =
            activity::GetActivityRequest { name: name.to_owned(), at_least_revisions: self.known_revisions() };
        self.activity().get_activity(request).await.map(Response::into_inner)
    }

    /// Records one activity of a person and answers with its verdict.
    pub async fn work(&self, client: i64, id: &str, address: &str, when: &str, action: &str) -> activity::Verdict {
        let recorded = self.record(vec![Self::activity_of(client, id, address, when, action)]).await;
        let result = recorded.expect("a result").results.into_iter().next().expect("one result");
        match result.outcome.expect("an outcome") {
            activity::record_activity_result::Outcome::Verdict(verdict) => verdict,
            activity::record_activity_result::Outcome::Error(status) => panic!("{id} was refused: {}", status.message),
        }
    }

    /// How a partner services a client, with all that was written known.
    ///
    /// # Errors
    /// As GetServicing.
    pub async fn servicing(
        &self,
        partner: i64,
        client: i64,
        as_of: &str,
    ) -> Result<activity::GetServicingResponse, Status> {
        self.servicing_knowing(self.known_revisions(), partner, client, as_of).await
    }

    /// How a partner services a client, with only these revisions known for certain.
    ///
    /// # Errors
    /// As GetServicing.
    pub async fn servicing_knowing(
        &self,
        at_least_revisions: Vec<String>,
        partner: i64,
        client: i64,
        as_of: &str,
    ) -> Result<activity::GetServicingResponse, Status> {
        let request = activity::GetServicingRequest {
            partner: partner_name(partner),
            client: client_name(client),
            as_of_time: Some(stamp(as_of)),
            at_least_revisions,
            ..activity::GetServicingRequest::default()
        };
        self.activity().get_servicing(request).await.map(Response::into_inner)
    }

    /// How far a service is.
    ///
    /// # Panics
    /// It does not say.
    pub async fn status(&self, part: Part) -> maintenance::GetStatusResponse {
        let status = self.maintenance(part).get_status(maintenance::GetStatusRequest {}).await;
        status.expect("a status").into_inner()
    }

    /// A subscription; the amount as `1000.00 USD`.
    ///
    /// # Errors
    /// As CreateSubscription.
    pub async fn subscription(&self, client: i64, id: &str, mrr: &str, since: &str) -> Result<(), Status> {
        let subscription = credit::Subscription { mrr: Some(money(mrr)), ..credit::Subscription::default() };
        let request = credit::CreateSubscriptionRequest {
            parent: client_name(client),
            subscription_id: id.to_owned(),
            subscription: Some(subscription),
            effective_time: Some(stamp(since)),
            ..Default::default()
        };
        let created = self.credit().create_subscription(request).await?;
        self.note(&created.get_ref().revision);
        Ok(())
    }

    /// Another MRR of a subscription; the amount as `1000.00 USD`.
    ///
    /// # Errors
    /// As UpdateSubscription.
    pub async fn new_mrr(&self, client: i64, id: &str, mrr: &str, since: &str) -> Result<bool, Status> {
        let subscription = credit::Subscription {
            name: format!("{}/subscriptions/{id}", client_name(client)),
            mrr: Some(money(mrr)),
            ..credit::Subscription::default()
        };
        let request = credit::UpdateSubscriptionRequest {
            subscription: Some(subscription),
            effective_time: Some(stamp(since)),
            ..Default::default()
        };
        let updated = self.credit().update_subscription(request).await?.into_inner();
        self.note(&updated.revision);
        Ok(updated.unchanged)
    }

    /// What a client brings a partner, with all that was written known.
    ///
    /// # Errors
    /// As GetManagedCredit.
    pub async fn managed_credit(
        &self,
        partner: i64,
        client: i64,
        as_of: &str,
    ) -> Result<credit::ManagedCredit, Status> {
        let request = credit::GetManagedCreditRequest {
            partner: partner_name(partner),
            client: client_name(client),
            as_of_time: Some(stamp(as_of)),
            at_least_revisions: self.known_revisions(),
        };
        let answer = self.credit().get_managed_credit(request).await?.into_inner();
        Ok(answer.managed_credit.expect("a row"))
    }

    /// The breakdown of a partner, with all that was written known; other fields as given.
    ///
    /// # Errors
    /// As ListManagedCredits.
    pub async fn breakdown(
        &self,
        partner: i64,
        as_of: &str,
        request: credit::ListManagedCreditsRequest,
    ) -> Result<credit::ListManagedCreditsResponse, Status> {
        let request = credit::ListManagedCreditsRequest {
            parent: partner_name(partner),
            as_of_time: Some(stamp(as_of)),
            at_least_revisions: self.known_revisions(),
            ..request
        };
        self.credit().list_managed_credits(request).await.map(Response::into_inner)
    }

    /// Why a client brings a partner credit or none, with all that was written known.
    ///
    /// # Errors
    /// As ExplainCredit.
    pub async fn explain(&self, partner: i64, client: i64, as_of: &str) -> Result<credit::Explanation, Status> {
        let request = Request::new(credit::ExplainCreditRequest {
            partner: partner_name(partner),
            client: client_name(client),
            as_of_time: Some(stamp(as_of)),
            at_least_revisions: self.known_revisions(),
        });
        let answer = self.credit().explain_credit(request).await?.into_inner();
        Ok(answer.explanation.expect("an explanation"))
    }
}

/// An amount written as `1000.00 USD`.
pub(crate) fn money(text: &str) -> credit::Money {
    let (amount, currency_code) = text.split_once(' ').expect("an amount and a currency");
    credit::Money { currency_code: currency_code.to_owned(), amount: amount.to_owned() }
}
