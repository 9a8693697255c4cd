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
        NoCreditReason::NoPaidSubscription => format!(
            "The credit comes back by itself from the instant at which {client} pays for a subscription again{}.",
            keep_working(facts)
        ),
        NoCreditReason::MrrUnknown => format!(
            "Ask the programme to report the subscription of {client}: the credit is then known from its start on{}.",
            keep_working(facts)
        ),
        NoCreditReason::OwnAccount
        | NoCreditReason::NotManaged
        | NoCreditReason::Lapsed
        | NoCreditReason::AllEmployeesRemoved
        | NoCreditReason::ServicesEnded
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
    let client = facts.client_name();
    if facts.is_own_account() {
        return "Nothing needs to be done: credit comes from the accounts of your clients.".to_owned();
    }
    if facts.is_client_closed() {
        return format!("Nothing can be done for this client: the account of {client} is closed.");
    }
    if facts.is_in_programme() == Some(false) {
        return "Ask the programme to take your company in: qualifying work that is done from then on brings credit."
            .to_owned();
    }
    people_help(facts, &client)
}

/// What the person who has come furthest lacks, and what follows once it is there.
fn people_help(facts: &ExplanationFacts, client: &str) -> String {
    let work = work_brings_credit(facts);
    let Some(person) = furthest(facts) else {
        return format!(
            "A super admin of your account creates a user for a colleague and flags it as partner employee, and \
             {client} adds the colleague as a user. {} After that, {work}.",
            new_link_help(client, "the colleague")
        );
    };
    let steps = missing_steps_help(person, client, facts.as_of);
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
        let is_new = lacks(Step::EmployeeExists) || lacks(Step::UserInClient);
        steps.push(if is_new { new_link_help(client, name) } else { link_help("Somebody", client, name) });
    }
    steps
}

/// The domain of somebody who comes new may assign the client by itself (R23).
fn new_link_help(client: &str, name: &str) -> String {
    link_help("Where the employee e-mail domain does not assign it, somebody", client, name)
}

fn link_help(somebody: &str, client: &str, name: &str) -> String {
    format!(
        "{somebody} with access to the Client Access Manager links {client} to {name}: Employees tab, {name}, \
         Link clients."
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
