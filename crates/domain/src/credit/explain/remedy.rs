//! What somebody could do so that there is credit.

use super::facts::{ExplanationFacts, PersonFacts};
use super::people::{Step, furthest};
use super::wording::date_and_time;
use crate::credit::managed_credit::NoCreditReason;
use crate::time::Instant;

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
    let client = facts.client_name();
    let work = work_brings_credit(facts);
    let Some(person) = furthest(facts) else {
        return format!(
            "A super admin of your account creates a user for a colleague and flags it as partner employee, and \
             {client} adds the colleague as a user. {} After that, {work}.",
            link_help(&client, "the colleague")
        );
    };
    let steps = missing_steps_help(person, &client, facts.as_of);
    if steps.is_empty() {
        return format!("{} is assigned and active there: {work}.", person.display_name);
    }
    format!("{} After that, {work}.", steps.join(" "))
}

/// Who takes which step for a person, for every step that is missing and does not come with one before it.
fn missing_steps_help(person: &PersonFacts, client: &str, as_of: Instant) -> Vec<String> {
    let name = &person.display_name;
    let lacks = |step| !person.meets(step, as_of);
    let mut steps = Vec::new();
    if lacks(Step::EmployeeExists) {
        steps
            .push(format!("A super admin of your account creates a user for {name} and flags it as partner employee."));
    } else if lacks(Step::EmployeeFlagged) {
        steps.push(format!("A super admin of your account flags {name} as partner employee."));
    }
    if lacks(Step::UserInClient) {
        steps.push(format!("A Partner admin or a super admin of {client} adds {name} as a user there."));
    } else if lacks(Step::UserActive) {
        steps.push(format!(
            "A Partner admin or a super admin of {client} reactivates {name}: Clients tab, {client}, {name}, \
             Reactivate user on client."
        ));
    }
    if lacks(Step::ClientAssigned) {
        steps.push(link_help(client, name));
    }
    steps
}

fn link_help(client: &str, name: &str) -> String {
    format!(
        "If it is not assigned by the employee e-mail domain, somebody with access to the Client Access Manager links \
         {client} to {name}: Employees tab, {name}, Link clients."
    )
}

fn work_brings_credit(facts: &ExplanationFacts) -> String {
    let has_been_lost = facts.earning_periods.iter().any(|period| period.end <= facts.as_of);
    let back = if has_been_lost { " back" } else { "" };
    let missing = facts.minimum_activities.saturating_sub(facts.relationship.live_activities);
    if missing <= 1 {
        return format!(
            "any qualifying activity, for example publishing a blog post or editing a form, brings the credit{back} \
             from that instant"
        );
    }
    format!(
        "{missing} more qualifying activities, for example publishing blog posts or editing forms, bring the \
         credit{back} from the instant of the last one, if the others still count then"
    )
}
