//! Short forms of what makes tiers: sales, certifications, grants, evaluations.

use contracts::wire::credit;
use tonic::{Request, Response, Status};

use crate::ask::money;
use crate::{Cluster, stamp};

impl Cluster {
    /// A sale of a partner to a client.
    ///
    /// # Errors
    /// As CreateSoldCredit.
    pub async fn sale(
        &self,
        partner: i64,
        id: &str,
        client: i64,
        (kind, amount): (credit::SaleKind, &str),
        closed: &str,
    ) -> Result<credit::SoldCredit, Status> {
        let sold_credit = credit::SoldCredit {
            client: format!("clients/{client}"),
            kind: kind.into(),
            amount: Some(money(amount)),
            close_time: Some(stamp(closed)),
            ..credit::SoldCredit::default()
        };
        let request = credit::CreateSoldCreditRequest {
            parent: format!("partners/{partner}"),
            sold_credit_id: id.to_owned(),
            sold_credit: Some(sold_credit),
            request_id: String::new(),
        };
        let created = self.credit().create_sold_credit(request).await?.into_inner();
        self.note(&created.revision);
        Ok(created.sold_credit.expect("as recorded"))
    }

    /// A partner is certified from an instant on until another.
    ///
    /// # Errors
    /// As UpdateCertification.
    pub async fn certify(&self, partner: i64, since: &str, until: &str) -> Result<(), Status> {
        let certification = credit::Certification {
            partner: format!("partners/{partner}"),
            expire_time: Some(stamp(until)),
            ..credit::Certification::default()
        };
        let request = credit::UpdateCertificationRequest {
            certification: Some(certification),
            effective_time: Some(stamp(since)),
            request_id: String::new(),
        };
        let updated = self.credit().update_certification(request).await?;
        self.note(&updated.get_ref().revision);
        Ok(())
    }

    /// A partner is credited with a tier since an instant, whatever its points.
    ///
    /// # Errors
    /// As GrantTier.
    pub async fn grant(&self, partner: i64, tier: credit::Tier, since: &str) -> Result<(), Status> {
        let request = credit::GrantTierRequest {
            partner: format!("partners/{partner}"),
            tier: tier.into(),
            effective_time: Some(stamp(since)),
            override_criteria: true,
            at_least_revisions: Vec::new(),
            reason: "taken over".to_owned(),
            request_id: String::new(),
        };
        let granted = self.credit().grant_tier(request).await?;
        self.note(&granted.get_ref().revision);
        Ok(())
    }

    /// Evaluates all partners; `date` is the 15th of a month.
    ///
    /// # Errors
    /// As EvaluateTiers.
    pub async fn evaluate(
        &self,
        date: &str,
        validate_only: bool,
    ) -> Result<Vec<credit::EvaluateTiersResponse>, Status> {
        let request = credit::EvaluateTiersRequest {
            evaluation_date: date.to_owned(),
            validate_only,
            at_least_revisions: self.known_revisions(),
        };
        let mut stream = self.credit().evaluate_tiers(request).await?.into_inner();
        let mut evaluated = Vec::new();
        while let Some(each) = stream.message().await? {
            evaluated.push(each);
        }
        Ok(evaluated)
    }

    /// Where a partner stands, with all that was written known.
    ///
    /// # Errors
    /// As GetTierStanding.
    pub async fn standing(&self, partner: i64, as_of: &str) -> Result<credit::TierStanding, Status> {
        let request = Request::new(credit::GetTierStandingRequest {
            partner: format!("partners/{partner}"),
            as_of_time: Some(stamp(as_of)),
            tier: 0,
            at_least_revisions: self.known_revisions(),
        });
        let answer = self.credit().get_tier_standing(request).await.map(Response::into_inner)?;
        Ok(answer.standing.expect("a standing"))
    }
}
