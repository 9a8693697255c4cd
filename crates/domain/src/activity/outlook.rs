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
    let question = Question::new(activity, history, policy);
    let employee = question.best_candidate();
    let reasons: Vec<_> = question.objections(employee).collect();
    let advice = Advice::new(&question, employee, &reasons);
    let remedies = match advice.futility() {
        Some(text) => vec![Remedy::new(RemedyKind::NothingHelps, text)],
        None => reasons.iter().filter_map(|reason| advice.remedy(*reason)).collect(),
    };
    Outlook { judgement: question.judgement(employee), remedies }
}

/// What is told about one activity and the employee for whom it would count.
struct Advice<'a> {
    question: &'a Question<'a>,
    employee: Option<&'a EmployeeSpell>,
    reasons: &'a [NotCountedReason],
    client_name: String,
    person_name: String,
}

impl<'a> Advice<'a> {
    fn new(question: &'a Question<'a>, employee: Option<&'a EmployeeSpell>, reasons: &'a [NotCountedReason]) -> Self {
        let address = || question.activity.address.to_string();
        Self {
            question,
            employee,
            reasons,
            client_name: step::client_name(question.activity.client, question.client),
            person_name: employee.map_or_else(address, |employee| employee.display_name.clone()),
        }
    }

    /// Why nothing would make it count, if so.
    fn futility(&self) -> Option<String> {
        let Question { activity, policy, .. } = self.question;
        let client = &self.client_name;
        if self.is_against(NotCountedReason::ClientClosed) {
            return Some(sentence(step::closed_account(client)));
        }
        if self.is_against(NotCountedReason::OwnAccount) {
            return Some(format!("{client} is your own account. {}", step::NO_CREDIT_IN_OWN_ACCOUNT));
        }
        let nothing_qualifies = || policy.qualifying_example_of_each_tool(activity.occur_time).next().is_none();
        let needs_other_action =
            self.is_against(NotCountedReason::UnknownAction) || self.is_against(NotCountedReason::NonQualifyingAction);
        (needs_other_action && nothing_qualifies())
            .then(|| format!("{}, nothing qualifies by the programme's catalogue.", self.as_of()))
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
        let time = date_and_time(self.question.activity.occur_time);
        format!(
            "{} It must hold by {time}, when the work is done: what is changed later does not count back, unless the \
             programme corrects it.",
            sentence(step)
        )
    }

    fn as_of(&self) -> String {
        format!("As of {}", date_and_time(self.question.activity.occur_time))
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
        let Question { activity, policy, .. } = self.question;
        let as_of = self.as_of();
        let Some(action) = &self.question.action else {
            return format!(
                "{as_of}, the policy's source_mapping has no entry for {}: ask the programme for one, and the work is \
                 judged again.",
                activity.action
            );
        };
        let flaw = if self.is_against(NotCountedReason::UnknownAction) {
            format!("{as_of}, the programme's catalogue does not know {action}.")
        } else {
            format!("{action} does not qualify.")
        };
        format!("{flaw} {}", step::qualifying_work(action.tool(), policy, activity.occur_time))
    }

    fn do_by_hand(&self) -> String {
        let name = &self.person_name;
        let doer = match self.question.activity.origin {
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
