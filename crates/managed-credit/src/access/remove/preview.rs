//! What a removal would do and cost: the removal as access-management plans it, and for every managed relationship that
//! would end what credit-calculation says of it now.

use std::collections::BTreeMap;

use contracts::PartnerName;
use contracts::wire::access::preview_removal_request::Selection;
use contracts::wire::access::{EndedRelationship, PlannedRemoval, PreviewRemovalRequest, PreviewRemovalResponse};
use contracts::wire::credit::{CreditState, GetManagedCreditRequest, ManagedCredit};
use domain::access::HubId;
use rust_decimal::Decimal;
use tonic::{Code, Status};

use crate::running::Part;
use crate::servers::{Servers, ask as ask_rpc, is_answered};
use crate::wording::{self, count};

/// A removal that was not confirmed yet.
#[derive(Debug)]
pub(super) struct Preview {
    pub partner: String,
    pub answer: PreviewRemovalResponse,
    /// By client, in the order of their numbers; a client is there more than once where several relationships end.
    pub stakes: Vec<Stake>,
}

/// What happens to a relationship with one of the clients.
#[derive(Debug)]
pub(super) struct Stake {
    /// `clients/{hub id}`
    pub client: String,
    pub client_display_name: String,
    /// `partners/{hub id}`
    pub partner: String,
    pub effect: Effect,
}

#[derive(Debug)]
pub(super) enum Effect {
    /// Somebody of the partner stays there.
    GoesOn,
    /// It ends at once (R71), with what it brings now.
    Ends(Result<Box<ManagedCredit>, CreditUnknown>),
}

/// Why nobody knows what a relationship brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CreditUnknown {
    #[error("you may not see its credit")]
    NotVisible,
    #[error("credit-calculation does not answer")]
    Away,
    #[error("credit-calculation cannot say it now")]
    Failed,
}

impl From<&Status> for CreditUnknown {
    fn from(status: &Status) -> Self {
        match status.code() {
            Code::PermissionDenied | Code::NotFound => Self::NotVisible,
            _ if is_answered(status) => Self::Failed,
            _ => Self::Away,
        }
    }
}

/// The removal as it is planned.
pub(super) async fn ask(servers: &Servers, selection: Selection) -> anyhow::Result<PreviewRemovalResponse> {
    let question = PreviewRemovalRequest { selection: Some(selection) };
    let answer = ask_rpc!(servers.access, preview_removal, question);
    answer.map_err(|status| servers.problem(Part::Access, &status))
}

/// Whether the partner services the client now, as far as is known: whoever is removed where it does not, ends nothing.
pub(super) fn is_serviced(credit: &ManagedCredit) -> bool {
    !matches!(credit.state(), CreditState::NotManaged | CreditState::Ended)
}

impl Preview {
    pub async fn ask(servers: &Servers, partner: HubId, selection: Selection) -> anyhow::Result<Self> {
        let answer = ask(servers, selection).await?;
        let partner = PartnerName(partner).to_string();
        let stakes = stakes(servers, &partner, &answer).await;
        Ok(Self { partner, answer, stakes })
    }

    /// `2 users from 1 client`
    pub fn extent(&self) -> String {
        let clients = clients(&self.answer.removals).len();
        format!("{} from {}", count(self.answer.removals.len() as u64, "user"), count(clients as u64, "client"))
    }

    /// The name and number of a client that somebody is removed from.
    pub fn client_label(&self, client: &str) -> String {
        let stake = self.stakes.iter().find(|stake| stake.client == client);
        wording::account(stake.map_or("", |stake| &stake.client_display_name), client)
    }

    /// Whether this user, `clients/{hub id}/users/{uuid}`, is one of those that are removed.
    pub fn is_removed(&self, user: &str) -> bool {
        let mut removed = self.answer.removals.iter().filter_map(|removal| removal.client_user.as_ref());
        removed.any(|removed| removed.name == user)
    }

    /// Whether it is known that a relationship that would end is none any more, or never was one.
    pub fn is_over(&self, ended: &EndedRelationship) -> bool {
        let mut stakes = self.stakes.iter().filter(|it| (&it.client, &it.partner) == (&ended.client, &ended.partner));
        stakes.any(|stake| matches!(&stake.effect, Effect::Ends(Ok(credit)) if !is_serviced(credit)))
    }

    /// The points that would be lost, of the relationships whose points are known; absent where something would end and
    /// of nothing the points are known (R127).
    pub fn total_points(&self) -> Option<String> {
        let known = self.ending().filter_map(|credit| credit.ok()?.points.as_deref()?.parse::<Decimal>().ok());
        let (count, total) = known.fold((0, Decimal::new(0, 2)), |(count, total), points| (count + 1, total + points));
        (count > 0 || self.ending_without_points() == 0).then(|| total.to_string())
    }

    /// How many relationships would end whose points are not known.
    pub fn ending_without_points(&self) -> usize {
        self.ending().filter(|credit| credit.as_ref().map_or(true, |credit| credit.points.is_none())).count()
    }

    fn ending(&self) -> impl Iterator<Item = Result<&ManagedCredit, CreditUnknown>> {
        self.stakes.iter().filter_map(|stake| match &stake.effect {
            Effect::GoesOn => None,
            Effect::Ends(credit) => Some(credit.as_ref().map(AsRef::as_ref).map_err(|unknown| *unknown)),
        })
    }
}

/// The clients that somebody is removed from, in the order of their numbers, with their names.
fn clients(removals: &[PlannedRemoval]) -> BTreeMap<(usize, &str), &str> {
    let mut clients = BTreeMap::new();
    for removal in removals {
        let client = client_of(removal);
        // Shorter numbers are smaller ones.
        clients.insert((client.len(), client), removal.client_display_name.as_str());
    }
    clients
}

/// `clients/2001` of `clients/2001/users/...`.
pub(super) fn client_of(removal: &PlannedRemoval) -> &str {
    let user = removal.client_user.as_ref().map_or("", |user| user.name.as_str());
    user.split_once("/users/").map_or(user, |(client, _)| client)
}

async fn stakes(servers: &Servers, partner: &str, answer: &PreviewRemovalResponse) -> Vec<Stake> {
    let mut credits = Credits { servers, is_away: false };
    let mut stakes = Vec::new();
    for ((_, client), display_name) in clients(&answer.removals) {
        let ending: Vec<&EndedRelationship> =
            answer.ended_relationships.iter().filter(|ended| ended.client == client).collect();
        let stake = |partner: &str, effect| Stake {
            client: client.to_owned(),
            client_display_name: display_name.to_owned(),
            partner: partner.to_owned(),
            effect,
        };
        if ending.iter().all(|ended| ended.partner != partner) {
            stakes.push(stake(partner, Effect::GoesOn));
        }
        for ended in ending {
            stakes.push(stake(&ended.partner, Effect::Ends(credits.ask(ended).await)));
        }
    }
    stakes
}

/// Asks what relationships bring now, until credit-calculation turns out to be away.
struct Credits<'servers> {
    servers: &'servers Servers,
    is_away: bool,
}

impl Credits<'_> {
    async fn ask(&mut self, ended: &EndedRelationship) -> Result<Box<ManagedCredit>, CreditUnknown> {
        if self.is_away {
            return Err(CreditUnknown::Away);
        }
        let question = GetManagedCreditRequest {
            partner: ended.partner.clone(),
            client: ended.client.clone(),
            ..GetManagedCreditRequest::default()
        };
        let answer = ask_rpc!(self.servers.credit, get_managed_credit, question);
        let credit = answer
            .map_err(|status| CreditUnknown::from(&status))
            .and_then(|answer| answer.managed_credit.map(Box::new).ok_or(CreditUnknown::Failed));
        self.is_away = matches!(credit, Err(CreditUnknown::Away));
        credit
    }
}
