//! Each condition of credit and points with its status, evidence and help.

use super::change::{by_whom, recorded_by};
use super::facts::{EndingFacts, ExplanationFacts, NotCountedFacts};
use super::people::{Step, furthest};
use super::wording::{activity, tier, window};
use super::{Condition, ConditionKind, ConditionStatus, Evidence, remedy};
use crate::access::EndingCause;
use crate::credit::subscription::Mrr;
use crate::servicing::{PeriodEndCause, ServicingState};
use crate::time::Instant;
use crate::wording::{date_and_time, plural, sentence};

pub(super) fn conditions(facts: &ExplanationFacts) -> Vec<Condition> {
    ConditionKind::ALL.into_iter().map(|kind| condition(facts, kind)).collect()
}

fn condition(facts: &ExplanationFacts, kind: ConditionKind) -> Condition {
    let found = match kind {
        ConditionKind::NotOwnAccount => not_own_account(facts),
        ConditionKind::PartnerInProgramme => partner_in_programme(facts),
        ConditionKind::EmployeeExists => people(facts, Step::EmployeeExists),
        ConditionKind::EmployeeFlagged => people(facts, Step::EmployeeFlagged),
        ConditionKind::UserInClient => people(facts, Step::UserInClient),
        ConditionKind::UserActive => people(facts, Step::UserActive),
        ConditionKind::ClientAssigned => people(facts, Step::ClientAssigned),
        ConditionKind::QualifyingActivity => qualifying_activity(facts),
        ConditionKind::NotEnded => not_ended(facts),
        ConditionKind::NotExpired => not_expired(facts),
        ConditionKind::ActivityMinimum => activity_minimum(facts),
        ConditionKind::PaidSubscription => paid_subscription(facts),
        ConditionKind::SupportedCurrency => supported_currency(facts),
        ConditionKind::CountryKnown => country_known(facts),
        ConditionKind::EqualShare => equal_share(facts),
    };
    let Finding { status, since, statement, evidence, help } = found;
    let help = help.filter(|_| status != ConditionStatus::Passed);
    Condition { kind, rule: kind.rule(), status, since, statement, evidence, help }
}

/// A condition without its kind.
struct Finding {
    status: ConditionStatus,
    since: Option<Instant>,
    statement: String,
    evidence: Vec<Evidence>,
    help: Option<String>,
}

impl Finding {
    fn new(status: ConditionStatus, statement: impl Into<String>) -> Self {
        Self { status, since: None, statement: sentence(statement), evidence: Vec::new(), help: None }
    }

    fn since(self, since: impl Into<Option<Instant>>) -> Self {
        Self { since: since.into(), ..self }
    }

    fn shown_by(self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        Self { evidence: evidence.into_iter().collect(), ..self }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(sentence(help)), ..self }
    }
}

fn passed_if(met: bool) -> ConditionStatus {
    if met { ConditionStatus::Passed } else { ConditionStatus::Failed }
}

fn not_own_account(facts: &ExplanationFacts) -> Finding {
    let client = facts.client_name();
    if facts.is_own_account() {
        Finding::new(ConditionStatus::Failed, format!("{client} is your own account."))
            .help(remedy::servicing_help(facts))
    } else {
        Finding::new(ConditionStatus::Passed, format!("{client} is not your own account."))
    }
}

fn partner_in_programme(facts: &ExplanationFacts) -> Finding {
    let Some(programme) = facts.partner.programme else {
        return Finding::new(ConditionStatus::Unknown, "It is not known when your company joined the programme.");
    };
    if programme.contains(facts.as_of) {
        return Finding::new(ConditionStatus::Passed, "Your company is in the programme.").since(programme.start);
    }
    let since = programme.end.filter(|end| *end <= facts.as_of);
    let statement = if since.is_some() {
        "Your company has left the programme."
    } else {
        "Your company had not joined the programme yet."
    };
    let leaving = facts.partner.left.as_ref().map(|change| Evidence {
        time: since,
        text: format!("your company left the programme{}", recorded_by(Some(change))),
        change: Some(change.clone()),
    });
    let finding = Finding::new(ConditionStatus::Failed, statement).since(since).shown_by(leaving);
    finding.help(remedy::servicing_help(facts))
}

/// A condition of one and the same person.
fn people(facts: &ExplanationFacts, step: Step) -> Finding {
    let as_of = facts.as_of;
    let evidence = facts.people.iter().map(|person| Evidence {
        time: person.since(step, as_of),
        text: person.evidence(step, as_of),
        change: person.change(step).cloned(),
    });
    let best = furthest(facts);
    let is_met_now = best.is_some_and(|person| person.has_reached(step, as_of));
    let finding = if facts.is_serviced() && !is_met_now {
        Finding::new(ConditionStatus::Passed, proven_by_work(facts))
    } else {
        let since = best.filter(|person| is_met_now || person.missing_step(as_of) == Some(step));
        Finding::new(passed_if(is_met_now), step_statement(facts, step, is_met_now))
            .since(since.and_then(|person| person.since(step, as_of)))
    };
    finding.shown_by(evidence).help(remedy::servicing_help(facts))
}

/// What was done still counts, whatever has become of the people since (R75).
fn proven_by_work(facts: &ExplanationFacts) -> String {
    let work = facts.last_counted().map_or("what was done there".to_owned(), |counted| activity(&counted.activity));
    format!(
        "It was so for the work that still counts ({work}); it is so for nobody now, which matters for new work only."
    )
}

fn step_statement(facts: &ExplanationFacts, step: Step, is_met: bool) -> String {
    let client = facts.client_name();
    let Some(person) = furthest(facts) else {
        return format!("None of your people has anything to do with {client}.");
    };
    let name = &person.display_name;
    if is_met {
        return match step {
            Step::EmployeeExists => format!("{name} is a user in your account."),
            Step::EmployeeFlagged => format!("{name} is flagged as partner employee."),
            Step::UserInClient => format!("{name} is a user of {client}."),
            Step::UserActive => format!("The user of {name} at {client} is active."),
            Step::ClientAssigned => format!("{client} is assigned to {name}."),
        };
    }
    let everybody_before = person.missing_step(facts.as_of) == Some(step);
    match step {
        _ if !everybody_before => "Nobody meets the conditions before this one, so nobody meets this one.".to_owned(),
        Step::EmployeeExists => format!("{name} is not a user in your account, nor is anybody else who worked there."),
        Step::EmployeeFlagged => format!("{name} is not flagged as partner employee."),
        Step::UserInClient => format!("{name} is not a user of {client}."),
        Step::UserActive => format!("The user of {name} at {client} is deactivated."),
        Step::ClientAssigned => format!("{client} is not assigned to {name}."),
    }
}

fn qualifying_activity(facts: &ExplanationFacts) -> Finding {
    let counted = facts.counted.iter().map(|counted| Evidence {
        time: Some(counted.activity.occur_time),
        text: format!("{} qualified, for {}", activity(&counted.activity), window(counted)),
        change: None,
    });
    let evidence = counted.chain(facts.not_counted.iter().map(not_counted_evidence));
    let is_met = facts.relationship.state != ServicingState::None;
    let last = facts.last_counted().map(|counted| activity(&counted.activity));
    let statement = match (is_met, last) {
        (true, Some(last)) => format!("Qualifying work was done there, most recently {last}."),
        (true, None) => "Qualifying work was done there.".to_owned(),
        (false, _) => "No work that counts was ever done there by your people.".to_owned(),
    };
    let finding = Finding::new(passed_if(is_met), statement).since(facts.first_serviced).shown_by(evidence);
    finding.help(remedy::servicing_help(facts))
}

fn not_counted_evidence(not_counted: &NotCountedFacts) -> Evidence {
    Evidence {
        time: Some(not_counted.activity.occur_time),
        text: format!("{} does not count: {}", activity(&not_counted.activity), not_counted.reason.in_words()),
        change: None,
    }
}

fn not_ended(facts: &ExplanationFacts) -> Finding {
    let endings = facts.endings.iter().map(|ending| Evidence {
        time: Some(ending.time),
        text: ending_text(ending),
        change: ending.change.clone(),
    });
    let finding = match facts.relationship.state {
        ServicingState::None => Finding::new(ConditionStatus::Unknown, "There was nothing that could have been ended."),
        ServicingState::Ended(PeriodEndCause::Ended(cause)) => {
            Finding::new(ConditionStatus::Failed, format!("The relationship ended at once: {}.", ending_words(cause)))
                .since(facts.relationship.expire_time)
                .help(remedy::servicing_help(facts))
        }
        ServicingState::Active | ServicingState::Expiring | ServicingState::Ended(PeriodEndCause::Lapsed) => {
            Finding::new(ConditionStatus::Passed, "Nothing ended the relationship at once.")
                .since(facts.relationship.serviced_since)
        }
    };
    finding.shown_by(endings)
}

fn ending_text(ending: &EndingFacts) -> String {
    let change = ending.change.as_ref();
    let by = match ending.cause {
        EndingCause::AllEmployeesRemoved => by_whom(change),
        EndingCause::ServicesEnded | EndingCause::PartnerLeft | EndingCause::ClientClosed => recorded_by(change),
    };
    format!("{} on {}{by}", ending_words(ending.cause), date_and_time(ending.time))
}

fn ending_words(cause: EndingCause) -> &'static str {
    match cause {
        EndingCause::AllEmployeesRemoved => "the last of your people was removed from the client account",
        EndingCause::ServicesEnded => "your company ended its services for the client",
        EndingCause::PartnerLeft => "your company left the programme",
        EndingCause::ClientClosed => "the client account was closed",
    }
}

fn not_expired(facts: &ExplanationFacts) -> Finding {
    let expiries = facts.counted.iter().map(|counted| {
        let verb = if counted.expire_time <= facts.as_of { "expired" } else { "expires" };
        Evidence {
            time: Some(counted.expire_time),
            text: format!("{} {verb} on {}", activity(&counted.activity), date_and_time(counted.expire_time)),
            change: None,
        }
    });
    let end = facts.relationship.expire_time;
    let end_words = end.map_or_else(String::new, |end| format!(" on {}", date_and_time(end)));
    let finding = match facts.relationship.state {
        ServicingState::None => Finding::new(ConditionStatus::Unknown, "There was nothing that could have expired."),
        ServicingState::Active | ServicingState::Expiring => Finding::new(
            ConditionStatus::Passed,
            format!("What was done still counts; the last of it expires{end_words}."),
        )
        .since(facts.relationship.serviced_since),
        ServicingState::Ended(PeriodEndCause::Lapsed) => {
            Finding::new(ConditionStatus::Failed, format!("The last of what was done there expired{end_words}."))
                .since(end)
                .help(remedy::servicing_help(facts))
        }
        ServicingState::Ended(PeriodEndCause::Ended(_)) => Finding::new(
            ConditionStatus::Passed,
            format!("The relationship did not run out by itself: it was ended{end_words}, while work still counted."),
        ),
    };
    finding.shown_by(expiries)
}

fn activity_minimum(facts: &ExplanationFacts) -> Finding {
    let live = match facts.relationship.live_activities {
        0 => "No qualifying activity counts".to_owned(),
        live => plural(live, "qualifying activity counts", "qualifying activities count"),
    };
    let needed = match (facts.minimum.activities, facts.minimum.tier) {
        (1, _) => "one is enough".to_owned(),
        (needed, None) => format!("a partner without a tier needs {needed}"),
        (needed, credited) => format!("your tier, {}, needs {needed}", tier(credited)),
    };
    let statement = format!("{live} now; {needed}.");
    Finding::new(passed_if(facts.earns()), statement).since(facts.earning_since).help(remedy::servicing_help(facts))
}

fn paid_subscription(facts: &ExplanationFacts) -> Finding {
    let client = facts.client_name();
    match facts.credit.mrr {
        Mrr::Unknown => Finding::new(ConditionStatus::Unknown, format!("It is not known what {client} pays."))
            .help(format!("Ask the programme to report the subscription of {client}.")),
        Mrr::Known { mrr, since } if mrr.minor_units == 0 => {
            Finding::new(ConditionStatus::Failed, format!("{client} pays for no subscription."))
                .since(since)
                .help(format!("Once {client} pays for a subscription, it counts from that instant."))
        }
        Mrr::Known { mrr, since } => {
            Finding::new(ConditionStatus::Passed, format!("{client} pays {mrr} a month.")).since(since)
        }
    }
}

fn supported_currency(facts: &ExplanationFacts) -> Finding {
    let Mrr::Known { mrr, .. } = facts.credit.mrr else {
        return Finding::new(ConditionStatus::Unknown, "It is not known in which currency the client pays.");
    };
    let currency = mrr.currency;
    match facts.units_per_point {
        Some(units) => Finding::new(ConditionStatus::Passed, format!("{units} {currency} are worth one point."))
            .since(facts.units_since),
        None => Finding::new(
            ConditionStatus::Failed,
            format!("The programme has no conversion of {currency} to points, so the credit has no points."),
        )
        .help(format!("Ask the programme for a conversion of {currency}; the credit itself is not affected.")),
    }
}

fn country_known(facts: &ExplanationFacts) -> Finding {
    let client = facts.client_name();
    let Some((country, since)) = facts.client.country else {
        let statement = format!("It is not known in which country {client} is, so its points cannot be said.");
        return Finding::new(ConditionStatus::Failed, statement)
            .help(format!("Ask the programme to add the account of {client}; the credit itself is not affected."));
    };
    let multiplied = match facts.credit.multiplier {
        None | Some(1) => "which is no growth market".to_owned(),
        Some(multiplier) => format!("a growth market: points are multiplied by {multiplier}"),
    };
    Finding::new(ConditionStatus::Passed, format!("{client} is in {country}, {multiplied}.")).since(since)
}

/// Other partners are a number (R127).
fn equal_share(facts: &ExplanationFacts) -> Finding {
    let client = facts.client_name();
    let earning = facts.credit.servicing_partners;
    let statement = match (facts.earns(), earning) {
        (true, 0 | 1) => format!("You are the only partner that earns on {client}."),
        (true, earning) => format!("{earning} partners earn on {client}, you among them, in equal parts."),
        (false, 0) => format!("No partner earns on {client}."),
        (false, 1) => format!("Another partner earns on {client}; you would share with it in equal parts."),
        (false, earning) => format!("{earning} other partners earn on {client}; you would share in equal parts."),
    };
    Finding::new(ConditionStatus::Passed, statement)
}
