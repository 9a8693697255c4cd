//! What somebody could do so that there is credit.

use super::facts::{ExplanationFacts, PersonFacts};
use super::people::{Step, furthest};
use super::wording::{date_and_time, plural};
use crate::credit::managed_credit::NoCreditReason;

/// The next step towards credit, for a client that brings none.
pub(super) fn remedy(facts: &ExplanationFacts, reason: NoCreditReason) -> String {
    let client = facts.client_name();
    match reason {
        NoCreditReason::OwnAccount => {
            "Nothing needs to be done: credit comes from the accounts of your clients.".to_owned()
        }
        NoCreditReason::NoPaidSubscription => format!(
            "The credit comes back by itself from the instant at which {client} pays for a subscription again{}.",
            keep_working(facts)
        ),
        NoCreditReason::MrrUnknown => format!(
            "Ask the programme to report the subscription of {client}: the credit is then known from its start on{}.",
            keep_working(facts)
        ),
        NoCreditReason::NotManaged
        | NoCreditReason::Lapsed
        | NoCreditReason::AllEmployeesRemoved
        | NoCreditReason::PartnerLeft
        | NoCreditReason::ClientClosed
        | NoCreditReason::TierActivityMinimum => servicing_help(facts),
    }
}

fn keep_working(facts: &ExplanationFacts) -> String {
    let expiry = |end| format!("; qualifying work there before {} keeps you servicing it", date_and_time(end));
    facts.credit.expire_time.map_or_else(String::new, expiry)
}

/// The next step towards work that counts.
pub(super) fn servicing_help(facts: &ExplanationFacts) -> String {
    if facts.is_client_closed() {
        let client = facts.client_name();
        return format!("Nothing can be done for this client: the account of {client} is closed.");
    }
    if facts.is_in_programme() == Some(false) {
        return programme_help().to_owned();
    }
    people_help(facts)
}

pub(super) fn programme_help() -> &'static str {
    "Your company has to join the programme again; qualifying work that is done from then on brings credit."
}

/// What the person who has come furthest lacks, and what follows once it is there.
pub(super) fn people_help(facts: &ExplanationFacts) -> String {
    match furthest(facts) {
        None => format!(
            "A super admin of your account creates a user for a colleague and flags it as partner employee; the colleague \
             is then added as a user of {client}, which is linked to the colleague in the Client Access Manager. After \
             that, {}.",
            work_brings_credit(facts),
            client = facts.client_name()
        ),
        Some(person) => match person.missing_step(facts.as_of) {
            Some(step) => format!("{} After that, {}.", step_help(facts, person, step), work_brings_credit(facts)),
            None => format!("{} is assigned and active there: {}.", person.display_name, work_brings_credit(facts)),
        },
    }
}

/// Who takes which step for a person.
fn step_help(facts: &ExplanationFacts, person: &PersonFacts, step: Step) -> String {
    let (name, client) = (&person.display_name, facts.client_name());
    match step {
        Step::EmployeeExists => {
            format!("A super admin of your account creates a user for {name} again and flags it as partner employee.")
        }
        Step::EmployeeFlagged => format!("A super admin of your account flags {name} as partner employee."),
        Step::UserInClient => format!("A Partner admin or a super admin of {client} adds {name} as a user there."),
        Step::UserActive => format!(
            "A Partner admin or a super admin of {client} reactivates {name}: Clients tab, {client}, {name}, Reactivate \
             user on client."
        ),
        Step::ClientAssigned => format!(
            "Somebody with access to the Client Access Manager links {client} to {name}: Employees tab, {name}, Link \
             clients."
        ),
    }
}

fn work_brings_credit(facts: &ExplanationFacts) -> String {
    let brings = if facts.earning_periods.iter().any(|period| period.end <= facts.as_of) {
        "brings the credit back"
    } else {
        "brings the credit"
    };
    let examples = "for example publishing a blog post or editing a form";
    let missing = i64::from(facts.minimum_activities) - i64::from(facts.relationship.live_activities);
    if missing <= 1 {
        return format!("any qualifying activity, {examples}, {brings} from that instant");
    }
    let activities = plural(missing, "more qualifying activity", "more qualifying activities");
    format!("the last of {activities}, {examples}, {brings} from its instant, if they all count by then")
}
