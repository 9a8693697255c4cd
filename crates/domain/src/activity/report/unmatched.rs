//! "Acting in the client but matching nobody": addresses whose work counts for nobody because of who they are.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::super::question::Question;
use super::super::{NotCountedReason, Remedy, RemedyKind, step};
use crate::access::{
    AccessChange, AccessFact, AccessHistory, Actor, ClientUserId, ClientUserSpell, EmailAddress, EmployeeSpell, HubId,
};
use crate::policy::Policy;
use crate::time::Instant;
use crate::wording::sentence;

/// Why work matches nobody; work that does not count for another reason is no matter of this report.
pub const UNMATCHED_REASONS: [NotCountedReason; 4] = [
    NotCountedReason::UnknownEmployee,
    NotCountedReason::NotPartnerEmployee,
    NotCountedReason::NoUserInClient,
    NotCountedReason::NotAssigned,
];

/// What an address has done in a client account that does not count for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmatchedWork {
    /// The client account.
    pub client: HubId,
    /// Who did it.
    pub address: EmailAddress,
    /// Why it does not count; one of [`UNMATCHED_REASONS`], or it is left out.
    pub reason: NotCountedReason,
    /// How many activities.
    pub activities: u64,
    /// When the first of them occurred.
    pub first_time: Instant,
    /// When the last of them occurred.
    pub last_time: Instant,
}

/// To whom the report is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reader {
    /// The vendor's platform: sees everything.
    Platform,
    /// The people of a partner: see what is of their own account, or was added by it (R127).
    Partner(HubId),
}

impl Reader {
    /// Whether the people and domains of a partner are for the reader to know.
    fn sees(self, partner: HubId) -> bool {
        self == Self::Platform || self == Self::Partner(partner)
    }
}

/// An address whose work counts for nobody, as far as its reader may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmatchedAddress {
    /// The client account.
    pub client: HubId,
    /// The address.
    pub address: EmailAddress,
    /// The name of its present or last user in the client account; absent where none is known.
    pub display_name: Option<String>,
    /// Who it is.
    pub case: UnmatchedCase,
    /// The partner whose person it is or may be, else the one that added it to the client account; absent where none is
    /// known. The reader's own, where that is a partner.
    pub partner: Option<HubId>,
    /// Why the newest of the activities does not count.
    pub reason: NotCountedReason,
    /// How many activities do not count.
    pub activities: u64,
    /// When the first of them occurred.
    pub first_time: Instant,
    /// When the last of them occurred.
    pub last_time: Instant,
    /// The step that comes next.
    pub remedy: Remedy,
}

/// Who an unmatched address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnmatchedCase {
    /// An employee whose address is in none of its partner's employee email domains, so that nothing links the client to it
    /// but somebody's hand (R24).
    Contractor,
    /// In no partner account, but an employee has the same local part at another domain.
    SecondDomain,
    /// A user of the partner account that is not flagged as partner employee (R20).
    NotFlagged,
    /// In no partner account.
    Unknown,
    /// An employee whose address is in an employee email domain and to whom the client is not assigned all the same: it was
    /// unlinked, or the services were ended (R25, R76).
    Unlinked,
    /// An employee who is no active user of the client account, as far as is known (R7 c).
    NoActiveUser,
}

/// A text that names no case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an unmatched address is CONTRACTOR, SECOND_DOMAIN, NOT_FLAGGED, UNKNOWN, UNLINKED or NO_ACTIVE_USER")]
pub struct UnmatchedCaseError;

impl UnmatchedCase {
    /// Every case.
    pub const ALL: [Self; 6] =
        [Self::Contractor, Self::SecondDomain, Self::NotFlagged, Self::Unknown, Self::Unlinked, Self::NoActiveUser];

    /// The name in stored and printed text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contractor => "CONTRACTOR",
            Self::SecondDomain => "SECOND_DOMAIN",
            Self::NotFlagged => "NOT_FLAGGED",
            Self::Unknown => "UNKNOWN",
            Self::Unlinked => "UNLINKED",
            Self::NoActiveUser => "NO_ACTIVE_USER",
        }
    }
}

impl FromStr for UnmatchedCase {
    type Err = UnmatchedCaseError;

    fn from_str(text: &str) -> Result<Self, UnmatchedCaseError> {
        Self::ALL.into_iter().find(|case| case.as_str() == text).ok_or(UnmatchedCaseError)
    }
}

impl fmt::Display for UnmatchedCase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The addresses that act in clients and match nobody at `as_of`; by client and then address. Who matches by then is left
/// out, and so are clients that are closed by then and people in their own company's account (R12).
///
/// For a partner, only what its people may know (R127): addresses that are in its own account at `as_of`, and addresses
/// whose present or last user in the client account was added by somebody who then was its employee, in clients that exist
/// for it (R26). Such a row says nothing of other partners.
///
/// The history must hold the users of the clients, everybody with these addresses or who added one of these users, and
/// everybody of the partner; for the platform, everybody of all partners.
#[must_use]
pub fn unmatched_addresses(
    work: &[UnmatchedWork],
    history: &AccessHistory,
    reader: Reader,
    policy: &Policy,
    as_of: Instant,
) -> Vec<UnmatchedAddress> {
    let report = Report::new(history, reader, policy, as_of);
    let done = by_client_and_address(work);
    done.values().filter_map(|done| report.row(done)).collect()
}

/// What each address has done in each client in all, with the reason of the newest activity.
fn by_client_and_address(work: &[UnmatchedWork]) -> BTreeMap<(HubId, &EmailAddress), UnmatchedWork> {
    let mut all = BTreeMap::<_, UnmatchedWork>::new();
    for part in work.iter().filter(|work| UNMATCHED_REASONS.contains(&work.reason)) {
        let sum =
            all.entry((part.client, &part.address)).or_insert_with(|| UnmatchedWork { activities: 0, ..part.clone() });
        sum.activities = sum.activities.saturating_add(part.activities);
        sum.first_time = sum.first_time.min(part.first_time);
        // Of several at one instant, the one that came furthest.
        (sum.last_time, sum.reason) = (sum.last_time, sum.reason).max((part.last_time, part.reason));
    }
    all
}

/// The report for one reader.
struct Report<'a> {
    history: &'a AccessHistory,
    reader: Reader,
    policy: &'a Policy,
    as_of: Instant,
    /// Who added each client user.
    additions: BTreeMap<ClientUserId, &'a AccessChange>,
    /// Everybody present in the accounts of partners in the programme of whom the reader may know, by local part, then
    /// partner and address.
    people: BTreeMap<&'a str, Vec<&'a EmployeeSpell>>,
}

/// What is said of an address.
struct Finding {
    case: UnmatchedCase,
    partner: Option<HubId>,
    remedy: (RemedyKind, String),
}

impl<'a> Report<'a> {
    fn new(history: &'a AccessHistory, reader: Reader, policy: &'a Policy, as_of: Instant) -> Self {
        let additions = history.changes().filter_map(|change| match change.fact {
            AccessFact::ClientUserAdded { user, .. } => Some((user, change)),
            _ => None,
        });
        let additions = additions.collect();
        let mut report = Self { history, reader, policy, as_of, additions, people: BTreeMap::new() };
        let partners =
            history.partners().filter(|partner| reader.sees(partner.partner) && partner.is_in_programme(as_of));
        for employee in partners.flat_map(|partner| history.employees_of(partner.partner)) {
            if employee.period.contains(as_of) {
                report.people.entry(employee.address.local_part()).or_default().push(employee);
            }
        }
        report
    }

    fn row(&self, done: &UnmatchedWork) -> Option<UnmatchedAddress> {
        let Finding { case, partner, remedy: (kind, text) } = self.finding(done.client, &done.address)?;
        Some(UnmatchedAddress {
            client: done.client,
            address: done.address.clone(),
            display_name: self.last_user(done.client, &done.address).map(|user| user.display_name.clone()),
            case,
            partner,
            reason: done.reason,
            activities: done.activities,
            first_time: done.first_time,
            last_time: done.last_time,
            remedy: Remedy::new(kind, sentence(text)),
        })
    }

    /// Who the address is; nothing where it matches by then, or is not for the reader to know.
    fn finding(&self, client: HubId, address: &EmailAddress) -> Option<Finding> {
        let question = Question::of_qualifying_work((client, address), self.as_of, self.history);
        let employee = self.employee(&question, address);
        let adding_partner = self.adding_partner(client, address);
        if !self.may_know(client, employee, adding_partner) || self.is_own_account(client, address) {
            return None;
        }
        let reasons: Vec<_> = question.objections(employee).collect();
        if reasons
            .iter()
            .any(|reason| matches!(reason, NotCountedReason::UnknownClient | NotCountedReason::ClientClosed))
        {
            return None;
        }
        match employee {
            Some(employee) => self.finding_of_employee(&question, employee, &reasons),
            None => Some(self.finding_of_stranger(client, address, adding_partner)),
        }
    }

    /// Whose person the address is, of those of whom the reader may know: the one for whom its work would count.
    fn employee(&self, question: &Question<'a>, address: &EmailAddress) -> Option<&'a EmployeeSpell> {
        let known = self.people.get(address.local_part()).into_iter().flatten();
        question.best_of(known.copied().filter(|employee| employee.address == *address))
    }

    /// R127.
    fn may_know(&self, client: HubId, employee: Option<&EmployeeSpell>, adding_partner: Option<HubId>) -> bool {
        match self.reader {
            Reader::Platform => true,
            Reader::Partner(partner) => {
                let is_own = employee.is_some() || adding_partner == Some(partner);
                is_own && self.history.exists_for(client, partner)
            }
        }
    }

    /// Whether somebody with the address works for the company whose account it is.
    fn is_own_account(&self, client: HubId, address: &EmailAddress) -> bool {
        let mut present = self.history.employees(address).filter(|employee| employee.period.contains(self.as_of));
        present.any(|employee| employee.partner == client)
    }

    /// The partner whose employee added the present or last user. Who manages the client's own users has not added it for
    /// a partner, unless the adder's domain tells that it is that partner's: registering somebody gives no view of what
    /// they do (R27).
    fn adding_partner(&self, client: HubId, address: &EmailAddress) -> Option<HubId> {
        let user = self.last_user(client, address)?;
        let addition = self.additions.get(&user.user)?;
        let Actor::Person(adder) = &addition.actor else { return None };
        let then = addition.effective_time;
        let partner = self.history.responsible_partner(adder, then)?;
        let is_employed =
            self.history.employees(adder).any(|spell| spell.partner == partner && spell.period.contains(then));
        let is_in_domain = self.history.partner(partner).is_some_and(|partner| partner.owns_domain_of(adder, then));
        let is_for_client = || self.history.manages_users(client, adder, then, self.policy);
        (is_employed && (is_in_domain || !is_for_client())).then_some(partner)
    }

    fn last_user(&self, client: HubId, address: &EmailAddress) -> Option<&'a ClientUserSpell> {
        let users = self.history.client_user_spells(client, address);
        users.iter().rfind(|user| user.period.start <= self.as_of)
    }

    /// What an employee lacks; nothing where its work would count.
    fn finding_of_employee(
        &self,
        question: &Question<'_>,
        employee: &EmployeeSpell,
        reasons: &[NotCountedReason],
    ) -> Option<Finding> {
        let is_against = |reason| reasons.contains(&reason);
        let client = question.client_name();
        let name = &employee.display_name;
        let (case, remedy) = if is_against(NotCountedReason::NotPartnerEmployee) {
            (UnmatchedCase::NotFlagged, (RemedyKind::FlagEmployee, step::flag_employee(name)))
        } else if is_against(NotCountedReason::NotAssigned) && !question.owns_domain_of(employee) {
            (UnmatchedCase::Contractor, (RemedyKind::LinkClient, step::link_client(&client, name)))
        } else if is_against(NotCountedReason::NoUserInClient) {
            (UnmatchedCase::NoActiveUser, (RemedyKind::AddClientUser, step::add_client_user(&client, name)))
        } else if is_against(NotCountedReason::UserDeactivated) {
            let help = step::reactivate_client_user(&client, name);
            (UnmatchedCase::NoActiveUser, (RemedyKind::ReactivateClientUser, help))
        } else if is_against(NotCountedReason::NotAssigned) {
            (UnmatchedCase::Unlinked, (RemedyKind::LinkClient, step::link_client(&client, name)))
        } else {
            return None;
        };
        Some(Finding { case, partner: Some(employee.partner), remedy })
    }

    /// Somebody whom no account has that the reader may know of.
    fn finding_of_stranger(&self, client: HubId, address: &EmailAddress, adding_partner: Option<HubId>) -> Finding {
        let create = step::create_employee(address.as_str());
        let Some(namesake) = self.namesake(client, address) else {
            return Finding {
                case: UnmatchedCase::Unknown,
                partner: self.domain_owner(address).or(adding_partner),
                remedy: (RemedyKind::AddEmployee, format!("If this is one of your people: {create}")),
            };
        };
        let (name, known) = (&namesake.display_name, &namesake.address);
        let help = format!(
            "This may be {name}, who is in your account as {known}, and whose work counts under that address. If it is \
             another one of your people: {create}"
        );
        Finding {
            case: UnmatchedCase::SecondDomain,
            partner: Some(namesake.partner),
            remedy: (RemedyKind::AddEmployee, help),
        }
    }

    fn domain_owner(&self, address: &EmailAddress) -> Option<HubId> {
        let mut partners = self.history.partners().filter(|partner| self.reader.sees(partner.partner));
        partners.find(|partner| partner.owns_domain_of(address, self.as_of)).map(|partner| partner.partner)
    }

    /// Somebody with the same local part at another domain, of a partner for which the client exists.
    fn namesake(&self, client: HubId, address: &EmailAddress) -> Option<&'a EmployeeSpell> {
        let namesakes = self.people.get(address.local_part()).into_iter().flatten();
        namesakes.copied().find(|namesake| self.history.exists_for(client, namesake.partner))
    }
}

#[cfg(test)]
mod tests;
