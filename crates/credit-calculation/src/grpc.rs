//! The gRPC side: read all of a request and report everything that is wrong with it, call the operation, answer.

mod answer;
mod breakdown;
mod points;
mod policy;
mod statement;
mod tier;

use std::vec::IntoIter;

use contracts::wire::credit as wire;
use contracts::wire::credit::credit_calculation_service_server::CreditCalculationService;
use contracts::{
    ClientName, ErrorReason, Failure, PartnerName, SubscriptionName, UpdateMask, Violations, Write, money_from_wire,
};
use domain::access::HubId;
use domain::credit::SubscriptionId;
use prost_types::Timestamp;
use service_kit::page::PageRequest;
use service_kit::{Statement, actor, answer_limit, platform_only, streaming};
use tokio_stream::Iter;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use crate::CreditCalculation;
use crate::evidence::Deadline;
use crate::operations::{ChangedSubscription, NewSubscription, Question};

/// What every read states beside its subject.
fn question(
    violations: &mut Violations,
    metadata: &MetadataMap,
    as_of_time: Option<&Timestamp>,
    at_least_revisions: &[String],
) -> Result<Question, Failure> {
    Ok(Question {
        actor: actor(metadata)?,
        as_of: violations.optional_instant("as_of_time", as_of_time),
        at_least: violations.revisions("at_least_revisions", at_least_revisions),
        deadline: Deadline::now() + answer_limit(metadata),
    })
}

impl CreditCalculation {
    /// What every write of the platform, the only one who writes here, states beside its subject.
    fn statement<W: Write>(
        &self,
        violations: &mut Violations,
        metadata: &MetadataMap,
        request: &W,
    ) -> Result<Statement, Failure> {
        platform_only(metadata)?;
        Statement::read(violations, metadata, request, self.clock.now())
    }
}

#[tonic::async_trait]
impl CreditCalculationService for CreditCalculation {
    async fn create_subscription(
        &self,
        request: Request<wire::CreateSubscriptionRequest>,
    ) -> Result<Response<wire::CreateSubscriptionResponse>, Status> {
        let mut violations = Violations::default();
        let statement = self.statement(&mut violations, request.metadata(), request.get_ref())?;
        let new = new_subscription(violations, request.get_ref())?;
        Ok(Response::new(self.create_subscription(new, statement).await?))
    }

    async fn update_subscription(
        &self,
        request: Request<wire::UpdateSubscriptionRequest>,
    ) -> Result<Response<wire::UpdateSubscriptionResponse>, Status> {
        let mut violations = Violations::default();
        let statement = self.statement(&mut violations, request.metadata(), request.get_ref())?;
        let changed = changed_subscription(violations, request.get_ref())?;
        Ok(Response::new(self.update_subscription(changed, statement).await?))
    }

    async fn list_subscriptions(
        &self,
        request: Request<wire::ListSubscriptionsRequest>,
    ) -> Result<Response<wire::ListSubscriptionsResponse>, Status> {
        platform_only(request.metadata())?;
        let stated = request.get_ref();
        let mut violations = Violations::default();
        let (as_of_time, revisions) = (stated.as_of_time.as_ref(), &stated.at_least_revisions);
        let question = question(&mut violations, request.metadata(), as_of_time, revisions)?;
        let (client, page) = subscriptions_query(violations, stated)?;
        let found = self.list_subscriptions(client, question).await?;
        Ok(Response::new(answer::subscriptions(found, &page, &self.policy)))
    }

    async fn get_managed_credit(
        &self,
        request: Request<wire::GetManagedCreditRequest>,
    ) -> Result<Response<wire::GetManagedCreditResponse>, Status> {
        let stated = request.get_ref();
        let mut violations = Violations::default();
        let (as_of_time, revisions) = (stated.as_of_time.as_ref(), &stated.at_least_revisions);
        let question = question(&mut violations, request.metadata(), as_of_time, revisions)?;
        let (partner, client) = pair(violations, &stated.partner, &stated.client)?;
        let (row, basis) = self.get_managed_credit(partner, client, question).await?;
        let (managed_credit, basis) = (Some(row.into()), Some(answer::basis(&basis, &self.policy)));
        Ok(Response::new(wire::GetManagedCreditResponse { managed_credit, basis }))
    }

    async fn list_managed_credits(
        &self,
        request: Request<wire::ListManagedCreditsRequest>,
    ) -> Result<Response<wire::ListManagedCreditsResponse>, Status> {
        let stated = request.get_ref();
        let mut violations = Violations::default();
        let (as_of_time, revisions) = (stated.as_of_time.as_ref(), &stated.at_least_revisions);
        let question = question(&mut violations, request.metadata(), as_of_time, revisions)?;
        let (query, start, page_size) = breakdown::breakdown_query(violations, stated, &question)?;
        let page = self.list_managed_credits(&query, start, page_size, question).await?;
        Ok(Response::new(answer::breakdown(page, &self.policy)))
    }

    async fn explain_credit(
        &self,
        request: Request<wire::ExplainCreditRequest>,
    ) -> Result<Response<wire::ExplainCreditResponse>, Status> {
        let stated = request.get_ref();
        let mut violations = Violations::default();
        let (as_of_time, revisions) = (stated.as_of_time.as_ref(), &stated.at_least_revisions);
        let question = question(&mut violations, request.metadata(), as_of_time, revisions)?;
        let (partner, client) = pair(violations, &stated.partner, &stated.client)?;
        let (explained, basis) = self.explain_credit(partner, client, question).await?;
        let (explanation, basis) = (Some(explained.into()), Some(answer::basis(&basis, &self.policy)));
        Ok(Response::new(wire::ExplainCreditResponse { explanation, basis }))
    }

    async fn get_points_timeline(
        &self,
        request: Request<wire::GetPointsTimelineRequest>,
    ) -> Result<Response<wire::GetPointsTimelineResponse>, Status> {
        let stated = request.get_ref();
        let mut violations = Violations::default();
        let question = question(&mut violations, request.metadata(), None, &stated.at_least_revisions)?;
        let query = points::timeline_query(violations, stated, self.clock.now())?;
        let (found, basis) = self.get_points_timeline(query, question).await?;
        Ok(Response::new(points::timeline(&found, &basis, &self.policy)))
    }

    async fn list_point_changes(
        &self,
        request: Request<wire::ListPointChangesRequest>,
    ) -> Result<Response<wire::ListPointChangesResponse>, Status> {
        let stated = request.get_ref();
        let mut violations = Violations::default();
        let question = question(&mut violations, request.metadata(), None, &stated.at_least_revisions)?;
        let (query, page) = points::changes_query(violations, stated, self.clock.now())?;
        let found = self.list_point_changes(query, question).await?;
        Ok(Response::new(points::changes(found, &page, &self.policy)))
    }

    async fn create_sold_credit(
        &self,
        request: Request<wire::CreateSoldCreditRequest>,
    ) -> Result<Response<wire::CreateSoldCreditResponse>, Status> {
        let mut violations = Violations::default();
        let statement = self.statement(&mut violations, request.metadata(), request.get_ref())?;
        let (partner, sale) = tier::new_sold_credit(violations, request.get_ref(), self.clock.now())?;
        Ok(Response::new(self.create_sold_credit(partner, sale, statement).await?))
    }

    async fn void_sold_credit(
        &self,
        request: Request<wire::VoidSoldCreditRequest>,
    ) -> Result<Response<wire::VoidSoldCreditResponse>, Status> {
        let mut violations = Violations::default();
        let statement = self.statement(&mut violations, request.metadata(), request.get_ref())?;
        let name = tier::voided_sold_credit(violations, request.get_ref())?;
        Ok(Response::new(self.void_sold_credit(name, statement).await?))
    }

    async fn list_sold_credits(
        &self,
        request: Request<wire::ListSoldCreditsRequest>,
    ) -> Result<Response<wire::ListSoldCreditsResponse>, Status> {
        let stated = request.get_ref();
        let mut violations = Violations::default();
        let (as_of_time, revisions) = (stated.as_of_time.as_ref(), &stated.at_least_revisions);
        let question = question(&mut violations, request.metadata(), as_of_time, revisions)?;
        let (partner, page) = tier::sold_credits_query(violations, stated)?;
        let (sales, basis) = self.list_sold_credits(partner, question).await?;
        Ok(Response::new(tier::sold_credits(sales, &basis, &page, &self.policy)))
    }

    async fn update_certification(
        &self,
        request: Request<wire::UpdateCertificationRequest>,
    ) -> Result<Response<wire::UpdateCertificationResponse>, Status> {
        let mut violations = Violations::default();
        let statement = self.statement(&mut violations, request.metadata(), request.get_ref())?;
        let (partner, expire_time) = tier::certification(violations, request.get_ref())?;
        Ok(Response::new(self.update_certification(partner, expire_time, statement).await?))
    }

    async fn get_tier_standing(
        &self,
        request: Request<wire::GetTierStandingRequest>,
    ) -> Result<Response<wire::GetTierStandingResponse>, Status> {
        let stated = request.get_ref();
        let mut violations = Violations::default();
        let (as_of_time, revisions) = (stated.as_of_time.as_ref(), &stated.at_least_revisions);
        let question = question(&mut violations, request.metadata(), as_of_time, revisions)?;
        let (partner, chosen) = tier::standing_query(violations, stated)?;
        let (standing, basis) = self.get_tier_standing(partner, chosen, question).await?;
        Ok(Response::new(tier::standing(&standing, &basis, &self.policy)))
    }

    type EvaluateTiersStream = ReceiverStream<Result<wire::EvaluateTiersResponse, Status>>;

    async fn evaluate_tiers(
        &self,
        request: Request<wire::EvaluateTiersRequest>,
    ) -> Result<Response<Self::EvaluateTiersStream>, Status> {
        platform_only(request.metadata())?;
        let deadline = Deadline::now() + answer_limit(request.metadata());
        let query = tier::evaluation_query(request.get_ref(), self.clock.now(), deadline)?;
        let under_way = || Failure::new(ErrorReason::Overloaded, "an evaluation of all partners is under way already");
        let turn = streaming::take_turn(&self.evaluating).ok_or_else(under_way)?;
        let partners = self.partners_to_evaluate(&query).await?;
        let service = self.clone();
        let stream = streaming::start(&self.background, self.shutdown.clone(), turn, |messages| async move {
            service.evaluate_partners(partners, query, messages).await
        });
        Ok(Response::new(stream))
    }

    async fn grant_tier(
        &self,
        request: Request<wire::GrantTierRequest>,
    ) -> Result<Response<wire::GrantTierResponse>, Status> {
        let mut violations = Violations::default();
        let statement = self.statement(&mut violations, request.metadata(), request.get_ref())?;
        let deadline = Deadline::now() + answer_limit(request.metadata());
        let grant = tier::grant(violations, request.get_ref(), deadline)?;
        Ok(Response::new(self.grant_tier(grant, statement).await?))
    }

    async fn issue_statement(
        &self,
        request: Request<wire::IssueStatementRequest>,
    ) -> Result<Response<wire::IssueStatementResponse>, Status> {
        platform_only(request.metadata())?;
        let stated = request.get_ref();
        let mut violations = Violations::default();
        let question = question(&mut violations, request.metadata(), None, &stated.at_least_revisions)?;
        let name = statement::month(violations, stated)?;
        Ok(Response::new(statement::issued(&self.issue_statement(name, question).await?)))
    }

    async fn get_statement(
        &self,
        request: Request<wire::GetStatementRequest>,
    ) -> Result<Response<wire::GetStatementResponse>, Status> {
        let mut violations = Violations::default();
        let question = question(&mut violations, request.metadata(), None, &[])?;
        let name = statement::name(violations, &request.get_ref().name)?;
        let found = self.get_statement(name, question).await?;
        Ok(Response::new(wire::GetStatementResponse { statement: Some(statement::message(&found)) }))
    }

    async fn list_statements(
        &self,
        request: Request<wire::ListStatementsRequest>,
    ) -> Result<Response<wire::ListStatementsResponse>, Status> {
        let mut violations = Violations::default();
        let question = question(&mut violations, request.metadata(), None, &[])?;
        let (partner, page) = statement::statements_query(violations, request.get_ref())?;
        let found = self.list_statements(partner, question).await?;
        Ok(Response::new(statement::statements(found, &page)))
    }

    type ExportStatementStream = Iter<IntoIter<Result<wire::ExportStatementResponse, Status>>>;

    async fn export_statement(
        &self,
        request: Request<wire::ExportStatementRequest>,
    ) -> Result<Response<Self::ExportStatementStream>, Status> {
        let mut violations = Violations::default();
        let question = question(&mut violations, request.metadata(), None, &[])?;
        let name = statement::name(violations, &request.get_ref().name)?;
        let document = self.export_statement(name, question).await?;
        let pieces: Vec<_> = statement::pieces(&document).into_iter().map(Ok).collect();
        Ok(Response::new(tokio_stream::iter(pieces)))
    }

    async fn get_policy(
        &self,
        request: Request<wire::GetPolicyRequest>,
    ) -> Result<Response<wire::GetPolicyResponse>, Status> {
        let mut violations = Violations::default();
        let stated = violations.optional_instant("as_of_time", request.get_ref().as_of_time.as_ref());
        violations.finish(|| Some(()))?;
        let at = stated.unwrap_or_else(|| self.clock.now());
        Ok(Response::new(wire::GetPolicyResponse { policy: Some(policy::message(&self.policy, at)) }))
    }

    type SimulatePolicyStream = ReceiverStream<Result<wire::SimulatePolicyResponse, Status>>;

    async fn simulate_policy(
        &self,
        request: Request<wire::SimulatePolicyRequest>,
    ) -> Result<Response<Self::SimulatePolicyStream>, Status> {
        platform_only(request.metadata())?;
        let deadline = Deadline::now() + answer_limit(request.metadata());
        let query = policy::simulation_query(request.get_ref(), deadline)?;
        let under_way = || Failure::new(ErrorReason::Overloaded, "a simulation is under way already");
        let turn = streaming::take_turn(&self.simulating).ok_or_else(under_way)?;
        let simulation = self.begin_simulation(query).await?;
        let service = self.clone();
        let stream = streaming::start(&self.background, self.shutdown.clone(), turn, |messages| async move {
            service.simulate(simulation, messages).await
        });
        Ok(Response::new(stream))
    }
}

fn new_subscription(
    mut violations: Violations,
    request: &wire::CreateSubscriptionRequest,
) -> Result<NewSubscription, Failure> {
    let stated = request.subscription.clone().unwrap_or_default();
    let client: Option<ClientName> = violations.parse("parent", &request.parent);
    let subscription: Option<SubscriptionId> = violations.parse("subscription_id", &request.subscription_id);
    let mrr = money_from_wire(&mut violations, "subscription.mrr", stated.mrr.as_ref());
    violations.finish(|| {
        let name = SubscriptionName { client: client?.0, subscription: subscription? };
        Some(NewSubscription { name, mrr: mrr? })
    })
}

fn changed_subscription(
    mut violations: Violations,
    request: &wire::UpdateSubscriptionRequest,
) -> Result<ChangedSubscription, Failure> {
    let stated = request.subscription.clone().unwrap_or_default();
    let name: Option<SubscriptionName> = violations.parse("subscription.name", &stated.name);
    // The only field that changes: it is meant where no mask says so, and must be there in any case.
    UpdateMask::read(&mut violations, request.update_mask.as_ref(), &["mrr"], |_| true);
    let mrr = money_from_wire(&mut violations, "subscription.mrr", stated.mrr.as_ref());
    violations.finish(|| Some(ChangedSubscription { name: name?, mrr: mrr?, etag: stated.etag }))
}

fn subscriptions_query(
    mut violations: Violations,
    request: &wire::ListSubscriptionsRequest,
) -> Result<(HubId, PageRequest), Failure> {
    let client: Option<ClientName> = violations.parse("parent", &request.parent);
    let query = wire::ListSubscriptionsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = PageRequest::read(&mut violations, &query, request.page_size, &request.page_token);
    violations.finish(|| Some((client?.0, page?)))
}

fn pair(mut violations: Violations, partner: &str, client: &str) -> Result<(HubId, HubId), Failure> {
    let partner: Option<PartnerName> = violations.parse("partner", partner);
    let client: Option<ClientName> = violations.parse("client", client);
    violations.finish(|| Some((partner?.0, client?.0)))
}
