//! Whether an activity would count, and if not, what would make it count.

use super::question::Question;
use super::remedy::{Remedy, RemedyKind};
use super::{Activity, Judgement, NotCountedReason, Origin, step};
use crate::access::{AccessHistory, EmployeeSpell};
use crate::policy::Policy;
use crate::wording::{date_and_time, sentence};

/// The judgement of an activity, and what would make it count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The same that [`judge`](super::judge) gives.
    pub judgement: Judgement,
    /// One step for every condition that fails, in the order of the reasons; empty where the activity counts. Where no
    /// step can make it count, one of the kind [`RemedyKind::NothingHelps`] and no other.
    pub remedies: Vec<Remedy>,
}

/// Would it count, and if not, why, and what would make it count?
///
/// The steps are those of the employee to whom the activity is attributed, by name, else of whoever has the address: they
/// are for who may see the judgement. The history is that of [`judge`](super::judge).
#[must_use]
pub fn outlook(activity: &Activity, history: &AccessHistory, policy: &Policy) -> Outlook {
    let question = Question::of_activity(activity, history, policy);
    let employee = question.best_candidate();
    let advice = Advice {
        activity,
        policy,
        question: &question,
        employee,
        reasons: question.objections(employee).collect(),
        client_name: question.client_name(),
        person_name: employee.map_or_else(|| activity.address.to_string(), |employee| employee.display_name.clone()),
    };
    Outlook { remedies: advice.remedies(), judgement: question.judgement(employee, policy) }
}

/// What is told about one activity and the employee for whom it would count.
struct Advice<'a> {
    activity: &'a Activity,
    policy: &'a Policy,
    question: &'a Question<'a>,
    employee: Option<&'a EmployeeSpell>,
    /// Every one, in order.
    reasons: Vec<NotCountedReason>,
    client_name: String,
    person_name: String,
}

impl Advice<'_> {
    fn remedies(&self) -> Vec<Remedy> {
        match self.futility() {
            Some(why) => vec![Remedy::new(RemedyKind::NothingHelps, why)],
            None => self.reasons.iter().filter_map(|reason| self.remedy(*reason)).collect(),
        }
    }

    /// Why nothing would make it count, if so.
    fn futility(&self) -> Option<String> {
        let client = &self.client_name;
        if self.is_against(NotCountedReason::ClientClosed) {
            return Some(sentence(step::closed_account(client)));
        }
        if self.is_against(NotCountedReason::OwnAccount) {
            return Some(format!("{client} is your own account. {}", step::NO_CREDIT_IN_OWN_ACCOUNT));
        }
        let needs_other_action =
            self.is_against(NotCountedReason::UnknownAction) || self.is_against(NotCountedReason::NonQualifyingAction);
        needs_other_action.then(|| step::nothing_qualifies(self.policy, self.activity.occur_time))?
    }

    /// The step that takes a reason away; none for a reason that no step takes away.
    fn remedy(&self, reason: NotCountedReason) -> Option<Remedy> {
        let (client, name) = (&self.client_name, &self.person_name);
        let (kind, text) = match reason {
            NotCountedReason::ClientClosed | NotCountedReason::OwnAccount => return None,
            NotCountedReason::UnknownClient => {
                (RemedyKind::AddClient, self.in_time(format!("Ask the programme to add the account of {client}.")))
            }
            NotCountedReason::UnknownEmployee => (RemedyKind::AddEmployee, self.in_time(step::create_employee(name))),
            NotCountedReason::NotPartnerEmployee => (RemedyKind::FlagEmployee, self.in_time(step::flag_employee(name))),
            NotCountedReason::PartnerNotInProgramme => {
                (RemedyKind::JoinProgramme, self.in_time(format!("{}.", step::JOIN_PROGRAMME)))
            }
            NotCountedReason::UnknownAction => (RemedyKind::UseKnownAction, self.change_action()),
            NotCountedReason::NonQualifyingAction => (RemedyKind::UseQualifyingAction, self.change_action()),
            NotCountedReason::NotHuman => (RemedyKind::DoByHand, self.do_by_hand()),
            NotCountedReason::NoUserInClient => {
                (RemedyKind::AddClientUser, self.in_time(step::add_client_user(client, name)))
            }
            NotCountedReason::UserDeactivated => {
                (RemedyKind::ReactivateClientUser, self.in_time(step::reactivate_client_user(client, name)))
            }
            NotCountedReason::NotAssigned => (RemedyKind::LinkClient, self.in_time(self.link_client())),
        };
        Some(Remedy::new(kind, text))
    }

    /// A step of access with the time by which it must have been taken (R22).
    fn in_time(&self, step: String) -> String {
        let time = date_and_time(self.activity.occur_time);
        format!(
            "{} It must hold by {time}, when the work is done: what is changed later does not count back, unless the \
             programme corrects it.",
            sentence(step)
        )
    }

    fn is_against(&self, reason: NotCountedReason) -> bool {
        self.reasons.contains(&reason)
    }

    /// The domain may assign the client by itself, once a step before this one is taken (R23).
    fn link_client(&self) -> String {
        let is_automatic_later = self.reasons.iter().any(|reason| {
            matches!(
                reason,
                NotCountedReason::UnknownClient
                    | NotCountedReason::UnknownEmployee
                    | NotCountedReason::PartnerNotInProgramme
                    | NotCountedReason::NoUserInClient
                    | NotCountedReason::UserDeactivated
            )
        });
        let may_match = self.employee.is_none_or(|employee| self.question.owns_domain_of(employee));
        if is_automatic_later && may_match {
            step::link_client_unless_automatic(&self.client_name, &self.person_name)
        } else {
            step::link_client(&self.client_name, &self.person_name)
        }
    }

    /// What qualifies in place of what was done, or whose mapping is missing (R60).
    fn change_action(&self) -> String {
        let as_of = date_and_time(self.activity.occur_time);
        let Some(action) = &self.question.action else {
            return format!(
                "As of {as_of}, the policy's source_mapping has no entry for {}: ask the programme for one, and the work \
                 is judged again.",
                self.activity.action
            );
        };
        let flaw = if self.is_against(NotCountedReason::UnknownAction) {
            format!("As of {as_of}, the programme's catalogue does not know {action}.")
        } else {
            format!("{action} does not qualify.")
        };
        format!("{flaw} {}", step::qualifying_work(action.tool(), self.policy, self.activity.occur_time))
    }

    fn do_by_hand(&self) -> String {
        let name = &self.person_name;
        let doer = match self.activity.origin {
            Origin::Person => "A person",
            Origin::Workflow => "A workflow",
            Origin::ImportJob => "An import job",
            Origin::Sync => "A synchronisation",
            Origin::ApiIntegration => "An integration",
        };
        format!("{doer} did this, and only what a person does by hand counts: {name} does it by hand.")
    }
}

#[cfg(test)]
mod tests;
