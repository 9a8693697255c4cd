//! What somebody could do so that there is credit.

use super::facts::{ExplanationFacts, PersonFacts};
use super::people::{Step, furthest};
use crate::activity::step;
use crate::credit::managed_credit::NoCreditReason;
use crate::time::Instant;
use crate::wording::date_and_time;

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
        return step::NO_CREDIT_IN_OWN_ACCOUNT.to_owned();
    }
    if facts.is_client_closed() {
        return step::closed_account(&client);
    }
    if facts.is_in_programme() == Some(false) {
        return format!("{}: qualifying work that is done from then on brings credit.", step::JOIN_PROGRAMME);
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
            step::link_client_unless_automatic(client, "the colleague")
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
        steps.push(step::create_employee(name));
    } else if lacks(Step::EmployeeFlagged) {
        steps.push(step::flag_employee(name));
    }
    if lacks(Step::UserInClient) {
        steps.push(step::add_client_user(client, name));
    } else if lacks(Step::UserActive) {
        steps.push(step::reactivate_client_user(client, name));
    }
    if lacks(Step::ClientAssigned) {
        let is_new = lacks(Step::EmployeeExists) || lacks(Step::UserInClient);
        steps.push(if is_new {
            step::link_client_unless_automatic(client, name)
        } else {
            step::link_client(client, name)
        });
    }
    steps
}

fn work_brings_credit(facts: &ExplanationFacts) -> String {
    let has_been_lost = facts.earning_periods.iter().any(|period| period.end <= facts.as_of);
    let back = if has_been_lost { " back" } else { "" };
    let missing = facts.minimum_activities.saturating_sub(facts.relationship.live_activities);
    if missing <= 1 {
        return format!("{} brings the credit{back} from that instant", step::ANY_QUALIFYING_ACTIVITY);
    }
    format!(
        "{missing} more qualifying activities, for example publishing blog posts or editing forms, bring the \
         credit{back} from the instant of the last one, if the others still count then"
    )
}
