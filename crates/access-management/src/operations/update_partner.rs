//! A partner changes: its name and country, its employee email domains, or it leaves the programme.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::{ErrorReason, Failure};
use domain::access::{
    Absence, AccessFact, AccessHistory, AccessRefusal, Actor, CountryCode, EmailDomain, HubId, PartnerHistory, Subject,
};
use domain::time::Instant;
use service_kit::access_log::{self, Question};
use service_kit::permission::{Permission, unknown_partner};
use service_kit::{ServiceError, Statement, require_etag};

use super::recording::{Begun, Recording};
use crate::{AccessManagement, resource};

/// What becomes of a partner; what is absent stays as it is.
pub(crate) struct PartnerUpdate {
    pub partner: HubId,
    /// What the caller has read; empty is not compared.
    pub etag: String,
    pub display_name: Option<String>,
    pub country: Option<CountryCode>,
    pub email_domains: Option<BTreeSet<EmailDomain>>,
    pub state: Option<StatedPartnerState>,
}

/// The state that an update says a partner is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatedPartnerState {
    InProgramme,
    Left,
}

impl AccessManagement {
    pub(crate) async fn update_partner(
        &self,
        update: PartnerUpdate,
        statement: Statement,
    ) -> Result<wire::UpdatePartnerResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let partner = update.partner;
        recording.require(Permission::ManagePartner, Some(partner), None).await?;
        require_platform_for_rest(recording.actor(), &update)?;
        let mut history = load(&recording, &update).await?;
        let known = history.partner(partner).ok_or_else(|| unknown_partner(partner))?;
        require_etag(&update.etag, &resource::partner(&history, known, recording.now()).etag)?;
        for fact in facts(update, &history, &recording)? {
            recording.record(&mut history, fact).await?;
        }
        let now = recording.now();
        let partner = history.partner(partner).map(|partner| resource::partner(&history, partner, now));
        let answer = wire::UpdatePartnerResponse { partner, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}

/// The partner's own people set its domains (R37); what the programme knows it by is the programme's.
fn require_platform_for_rest(actor: &Actor, update: &PartnerUpdate) -> Result<(), Failure> {
    let changes_rest = update.display_name.is_some() || update.country.is_some() || update.state.is_some();
    if *actor == Actor::Platform || !changes_rest {
        return Ok(());
    }
    let message = "only the platform changes display_name, country_code and state of a partner; a super admin of the \
                   partner account sets email_domains";
    Err(Failure::new(ErrorReason::ActorNotAllowed, message))
}

/// A domain belongs to one partner, so that all of them have a say (R37); everything that the partner's people did hangs on
/// the partner being in the programme, which a departure that is told late may take away (R22).
async fn load(recording: &Recording<'_>, update: &PartnerUpdate) -> Result<AccessHistory, ServiceError> {
    let all = [Question::AllPartners];
    let itself = BTreeSet::from([update.partner]);
    let itself = [Question::Partners(&itself)];
    let questions = if update.email_domains.is_some() { &all } else { &itself };
    match update.state {
        Some(StatedPartnerState::Left) => {
            access_log::history_of_partner(&**recording.transaction(), update.partner, questions).await
        }
        Some(StatedPartnerState::InProgramme) | None => recording.history(questions).await,
    }
}

/// What the update says that was not so at its effective time; the departure last, because nothing is changed after it.
fn facts(
    update: PartnerUpdate,
    history: &AccessHistory,
    recording: &Recording<'_>,
) -> Result<Vec<AccessFact>, Failure> {
    let at = recording.effective_time();
    let by_then = recording.as_of_effective_time(history);
    let before = by_then.partner(update.partner).ok_or_else(|| not_yet_there(history, update.partner))?;
    let PartnerUpdate { partner, display_name, country, email_domains, state, .. } = update;
    let is_other = display_name.as_ref().is_some_and(|name| *name != before.display_name)
        || country.is_some_and(|country| country != before.country);
    let says_something = display_name.is_some() || country.is_some();
    let updated = says_something.then_some((AccessFact::PartnerUpdated { partner, display_name, country }, is_other));
    let domains_set = email_domains.map(|email_domains| {
        let is_other = email_domains != *before.email_domains_at(at);
        (AccessFact::PartnerDomainsSet { partner, email_domains }, is_other)
    });
    let stated = updated.into_iter().chain(domains_set);
    let news = stated.filter(|(fact, is_other)| recording.is_news(history, fact, *is_other)).map(|(fact, _)| fact);
    Ok(news.chain(departure(before, state, at)?).collect())
}

fn departure(
    before: &PartnerHistory,
    state: Option<StatedPartnerState>,
    at: Instant,
) -> Result<Option<AccessFact>, Failure> {
    let partner = before.partner;
    match (state, before.is_in_programme(at)) {
        (Some(StatedPartnerState::Left), true) => Ok(Some(AccessFact::PartnerLeft { partner })),
        (Some(StatedPartnerState::InProgramme), false) => {
            let message = format!("partner {partner} has left the programme, which is for good");
            Err(Failure::new(ErrorReason::IllegalTransition, message).with("state", "left"))
        }
        (Some(StatedPartnerState::Left), false) | (Some(StatedPartnerState::InProgramme), true) | (None, _) => Ok(None),
    }
}

fn not_yet_there(history: &AccessHistory, partner: HubId) -> Failure {
    history.partner(partner).map_or_else(
        || unknown_partner(partner),
        |known| {
            let absence = Absence::OnlyFrom(known.joined_time);
            Failure::from(&AccessRefusal::Unknown { subject: Subject::Partner(partner), absence })
        },
    )
}
