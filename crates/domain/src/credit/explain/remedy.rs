//! What somebody could do so that there is credit again, or goes on being: steps in order, and the same in words.

use super::facts::{CountedFacts, ExplanationFacts, PersonFacts};
use super::people::{Step, by_progress, furthest};
use super::prospect::Prospect;
use crate::access::EmailAddress;
use crate::activity::step;
use crate::credit::managed_credit::NoCreditReason;
use crate::credit::subscription::Mrr;
use crate::time::Instant;
use crate::wording::{date_and_time, sentence};

/// What would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// To what end.
    pub aim: RemedyAim,
    /// All that is needed, in the order in which it is done. Where nothing helps, one step that says so and no other.
    pub steps: Vec<RemedyStep>,
    /// The same in one or more sentences for the partner's manager.
    pub text: String,
}

/// To what end something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemedyAim {
    /// There is no credit: so that there is.
    Restore,
    /// There is credit: so that it does not end when it expires.
    Keep,
}

/// One step towards credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemedyStep {
    /// What kind of step.
    pub kind: RemedyStepKind,
    /// The person of the partner about whom it is, or who does it; absent where it may be any colleague, or is about none.
    pub person: Option<RemedyPerson>,
    /// How many qualifying activities are needed at least; only for work.
    pub activities: Option<u32>,
    /// From which instant on it helps; absent where it does at any time.
    pub from: Option<Instant>,
    /// Before which instant it has to be done; absent where it may be done at any time.
    pub before: Option<Instant>,
    /// Who does what where, for the partner's manager.
    pub text: String,
}

/// A person of the partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemedyPerson {
    /// Its name.
    pub display_name: String,
    /// Its address.
    pub address: EmailAddress,
}

/// The kinds of steps, in the order in which they are done. Those that `activity::RemedyKind` has too are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemedyStepKind {
    /// The client account is not known: the programme adds it.
    AddClient,
    /// The partner joins the programme.
    JoinProgramme,
    /// A user is created in the partner account and flagged as partner employee (R20).
    AddEmployee,
    /// The user of the partner account is flagged as partner employee (R20).
    FlagEmployee,
    /// The person becomes a user of the client account (R7 c).
    AddClientUser,
    /// Its user there is reactivated (R38).
    ReactivateClientUser,
    /// The client is linked to it (R24).
    LinkClient,
    /// Qualifying work (R7 d).
    Work,
    /// The client pays for a subscription (R11).
    PaySubscription,
    /// The programme reports what the client pays (R127).
    ReportSubscription,
    /// Nothing would: the account is closed or the partner's own (R12), or nothing qualifies at that time.
    NothingHelps,
}

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemedyTaker {
    /// A super admin of the partner account.
    PartnerSuperAdmin,
    /// Somebody of the partner with access to the Client Access Manager.
    ClientAccessManager,
    /// A Partner admin or a super admin of the client account.
    ClientAdmin,
    /// One of the partner's people who work there.
    Employee,
    /// The client: nothing that the partner does takes its place.
    Client,
    /// The programme: nothing that the partner does takes its place.
    Programme,
    /// Nobody.
    Nobody,
}

impl RemedyStepKind {
    /// Who takes the step.
    #[must_use]
    pub const fn taker(self) -> RemedyTaker {
        match self {
            Self::AddClient | Self::JoinProgramme | Self::ReportSubscription => RemedyTaker::Programme,
            Self::AddEmployee | Self::FlagEmployee => RemedyTaker::PartnerSuperAdmin,
            Self::AddClientUser | Self::ReactivateClientUser => RemedyTaker::ClientAdmin,
            Self::LinkClient => RemedyTaker::ClientAccessManager,
            Self::Work => RemedyTaker::Employee,
            Self::PaySubscription => RemedyTaker::Client,
            Self::NothingHelps => RemedyTaker::Nobody,
        }
    }
}

impl RemedyStep {
    fn new(kind: RemedyStepKind, person: Option<&PersonFacts>, text: impl Into<String>) -> Self {
        let person = person
            .map(|person| RemedyPerson { display_name: person.display_name.clone(), address: person.address.clone() });
        Self { kind, person, activities: None, from: None, before: None, text: sentence(text) }
    }
}

/// What would restore the credit, or keep it.
pub(super) fn remedy(facts: &ExplanationFacts) -> Remedy {
    let Some(reason) = facts.credit.no_credit_reason else { return keeping(facts) };
    let (steps, text) = match reason {
        NoCreditReason::NoPaidSubscription | NoCreditReason::MrrUnknown => payment(facts),
        NoCreditReason::OwnAccount
        | NoCreditReason::NotManaged
        | NoCreditReason::Lapsed
        | NoCreditReason::AllEmployeesRemoved
        | NoCreditReason::ServicesEnded
        | NoCreditReason::PartnerLeft
        | NoCreditReason::ClientClosed
        | NoCreditReason::TierActivityMinimum => servicing(facts),
    };
    Remedy { aim: RemedyAim::Restore, steps, text: sentence(text) }
}

/// The next step towards work that counts, in words.
pub(super) fn servicing_help(facts: &ExplanationFacts) -> String {
    if let Some(futile) = futility(facts) {
        return futile.text;
    }
    let plan = Plan::new(facts);
    sentence(plan.text(&work_brings_credit(facts)))
}

/// What makes a partner service the client, and everything else that the credit then still lacks.
fn servicing(facts: &ExplanationFacts) -> (Vec<RemedyStep>, String) {
    if let Some(futile) = futility(facts) {
        let text = futile.text.clone();
        return (vec![futile], text);
    }
    let plan = Plan::new(facts);
    let mut steps = plan.steps.clone();
    steps.push(plan.work(facts.missing_activities(), None));
    let mut text = sentence(plan.text(&work_brings_credit(facts)));
    if let Some(step) = payment_step(facts) {
        text = format!("{text} Besides, {}.", payment_clause(facts));
        steps.push(step);
    }
    (steps, text)
}

/// What no work of the partner's people changes.
fn futility(facts: &ExplanationFacts) -> Option<RemedyStep> {
    let client = facts.client_name();
    let nothing = |text: String| Some(RemedyStep::new(RemedyStepKind::NothingHelps, None, text));
    if facts.is_own_account() {
        return nothing(step::NO_CREDIT_IN_OWN_ACCOUNT.to_owned());
    }
    if facts.is_client_closed() {
        return nothing(step::closed_account(&client));
    }
    if facts.is_in_programme() == Some(false) {
        let text = format!("{}: qualifying work that is done from then on brings credit.", step::JOIN_PROGRAMME);
        return Some(RemedyStep::new(RemedyStepKind::JoinProgramme, None, text));
    }
    if !facts.something_qualifies {
        return nothing(step::nothing_qualifies_at(facts.as_of));
    }
    None
}

/// The partner services the client, which pays nothing, or nobody knows what.
fn payment(facts: &ExplanationFacts) -> (Vec<RemedyStep>, String) {
    let client = facts.client_name();
    let payment = match facts.credit.mrr {
        Mrr::Unknown => format!(
            "Ask the programme to report the subscription of {client}: the credit is then known from its start on"
        ),
        Mrr::Known { .. } => {
            format!("The credit comes back by itself from the instant at which {client} pays for a subscription again")
        }
    };
    let mut steps: Vec<_> = payment_step(facts).into_iter().collect();
    let (Some(expire_time), None) = (facts.credit.expire_time, futility(facts)) else {
        return (steps, format!("{payment}."));
    };
    let plan = Plan::new(facts);
    let missing = facts.activities_to_go_on(expire_time);
    let work = if missing == 1 { "qualifying work".to_owned() } else { format!("qualifying work, {missing} times,") };
    let keeps = format!("{work} there {} keeps you servicing it", facts.in_time(expire_time));
    let access: Vec<_> = plan.sentences();
    let text = match access[..] {
        [] => format!("{payment}; {keeps}."),
        _ => format!("{payment}; {keeps}. For that work: {}", access.join(" ")),
    };
    steps.extend(plan.steps.clone());
    steps.push(plan.work(missing, Some(expire_time)));
    (steps, text)
}

/// What keeps a credit from ending when it expires.
fn keeping(facts: &ExplanationFacts) -> Remedy {
    let aim = RemedyAim::Keep;
    let (Some(expire_time), None) = (facts.credit.expire_time, futility(facts)) else {
        let steps: Vec<_> = futility(facts).into_iter().collect();
        let text = steps.iter().map(|step| step.text.as_str()).collect();
        return Remedy { aim, steps, text };
    };
    let plan = Plan::new(facts);
    let missing = facts.activities_to_go_on(expire_time);
    let in_time = facts.in_time(expire_time);
    let work = match missing {
        1 => format!("{} {in_time} keeps the credit", step::ANY_QUALIFYING_ACTIVITY),
        missing => format!("{} {in_time} keep the credit", many_activities(missing)),
    };
    let text = sentence(plan.text(&work));
    let steps = plan.steps.iter().cloned().chain([plan.work(missing, Some(expire_time))]).collect();
    Remedy { aim, steps, text }
}

/// Who would work, and what is missing for it.
struct Plan<'a> {
    facts: &'a ExplanationFacts,
    person: Option<&'a PersonFacts>,
    steps: Vec<RemedyStep>,
}

impl<'a> Plan<'a> {
    /// For the person who has come furthest of those whose work would count here, else for any colleague.
    fn new(facts: &'a ExplanationFacts) -> Self {
        let counts = |person: &&PersonFacts| matches!(person.prospect, Prospect::Counts { .. });
        let person = by_progress(facts).into_iter().find(counts);
        let client = facts.client_name();
        let add_client = RemedyStep::new(
            RemedyStepKind::AddClient,
            None,
            format!("Ask the programme to add the account of {client}."),
        );
        let first = (!facts.client.is_known).then_some(add_client);
        let of_people = match person {
            Some(person) => missing_steps(facts, person, &client),
            None => colleague_steps(&client),
        };
        Self { facts, person, steps: first.into_iter().chain(of_people).collect() }
    }

    fn work(&self, activities: u32, before: Option<Instant>) -> RemedyStep {
        let who = self.person.map_or("The colleague", |person| person.display_name.as_str());
        let what = match activities {
            1 => "any qualifying activity there, for example publishes a blog post or edits a form".to_owned(),
            activities => format!("at least {activities} qualifying activities there"),
        };
        let in_time = before.map_or_else(String::new, |before| format!(", {}", self.facts.in_time(before)));
        let step = RemedyStep::new(RemedyStepKind::Work, self.person, format!("{who} does {what}{in_time}."));
        let from = before.and(self.facts.outlasting_from);
        RemedyStep { activities: Some(activities), from, before, ..step }
    }

    /// What is missing, then what work brings.
    fn text(&self, work: &str) -> String {
        match (&self.sentences()[..], self.person) {
            ([], Some(person)) => format!("{} is assigned and active there: {work}.", person.display_name),
            (sentences, _) => format!("{} After that, {work}.", sentences.join(" ")),
        }
    }

    /// The steps before the work, one sentence each, and what explains them.
    fn sentences(&self) -> Vec<String> {
        let steps = self.steps.iter().map(|step| step.text.clone());
        let (before, after) = match self.person {
            None => (furthest(self.facts).and_then(why_somebody_else), None),
            Some(person) => (None, self.comes_by_itself(person)),
        };
        before.into_iter().chain(steps).chain(after).collect()
    }

    /// That the domain assigns the client, where nothing else is to be done for it (R23).
    fn comes_by_itself(&self, person: &PersonFacts) -> Option<String> {
        let is_missing = !person.meets(Step::ClientAssigned, self.facts.as_of);
        let is_automatic = person.prospect == Prospect::Counts { needs_link: false };
        (is_missing && is_automatic)
            .then(|| "The client is then assigned by itself, by the employee e-mail domain.".to_owned())
    }
}

fn why_somebody_else(person: &PersonFacts) -> Option<String> {
    let name = &person.display_name;
    match person.prospect {
        Prospect::Counts { .. } => None,
        Prospect::CountsForAnother => Some(step::counts_for_another_company(name)),
        Prospect::CannotBeEmployed => {
            Some(format!("{name} cannot become a user in your account: the e-mail domain belongs to another company."))
        }
    }
}

/// Who takes which step for a person, for every step that is missing and does not come with one before it.
fn missing_steps(facts: &ExplanationFacts, person: &PersonFacts, client: &str) -> Vec<RemedyStep> {
    let name = &person.display_name;
    let lacks = |step| !person.meets(step, facts.as_of);
    let mut steps = Vec::new();
    let mut push = |kind, text| steps.push(RemedyStep::new(kind, Some(person), text));
    if lacks(Step::EmployeeExists) {
        push(RemedyStepKind::AddEmployee, step::create_employee(name));
    } else if lacks(Step::EmployeeFlagged) {
        push(RemedyStepKind::FlagEmployee, step::flag_employee(name));
    }
    if lacks(Step::UserInClient) {
        push(RemedyStepKind::AddClientUser, step::add_client_user(client, name));
    } else if lacks(Step::UserActive) {
        push(RemedyStepKind::ReactivateClientUser, step::reactivate_client_user(client, name));
    }
    if person.prospect == (Prospect::Counts { needs_link: true }) {
        push(RemedyStepKind::LinkClient, step::link_client(client, name));
    }
    steps
}

/// The same for a colleague who has nothing to do with the client yet.
fn colleague_steps(client: &str) -> Vec<RemedyStep> {
    const COLLEAGUE: &str = "the colleague";
    vec![
        RemedyStep::new(RemedyStepKind::AddEmployee, None, step::create_employee("a colleague")),
        RemedyStep::new(RemedyStepKind::AddClientUser, None, step::add_client_user(client, COLLEAGUE)),
        RemedyStep::new(RemedyStepKind::LinkClient, None, step::link_client_unless_automatic(client, COLLEAGUE)),
    ]
}

fn work_brings_credit(facts: &ExplanationFacts) -> String {
    let back = if facts.last_loss.is_some() { " back" } else { "" };
    match facts.missing_activities() {
        1 => format!("{} brings the credit{back} from that instant", step::ANY_QUALIFYING_ACTIVITY),
        missing => format!(
            "{missing} more qualifying activities, for example publishing blog posts or editing forms, bring the \
             credit{back} from the instant of the last one, if the others still count then"
        ),
    }
}

fn many_activities(count: u32) -> String {
    format!("at least {count} qualifying activities, for example publishing blog posts or editing forms,")
}

/// What the credit lacks beside work.
fn payment_step(facts: &ExplanationFacts) -> Option<RemedyStep> {
    let client = facts.client_name();
    match facts.credit.mrr {
        Mrr::Unknown => Some(RemedyStep::new(
            RemedyStepKind::ReportSubscription,
            None,
            format!("Ask the programme to report the subscription of {client}."),
        )),
        Mrr::Known { mrr, .. } if mrr.minor_units == 0 => {
            Some(RemedyStep::new(RemedyStepKind::PaySubscription, None, format!("{client} pays for a subscription.")))
        }
        Mrr::Known { .. } => None,
    }
}

fn payment_clause(facts: &ExplanationFacts) -> String {
    let client = facts.client_name();
    match facts.credit.mrr {
        Mrr::Unknown => format!("what {client} pays is not known: ask the programme to report its subscription"),
        Mrr::Known { .. } => format!("{client} has to pay for a subscription"),
    }
}

impl ExplanationFacts {
    /// How many more activities are needed now; at least one.
    fn missing_activities(&self) -> u32 {
        self.minimum.activities.saturating_sub(self.relationship.live_activities).max(1)
    }

    /// How many activities, done before the credit expires, leave enough when it would.
    pub(super) fn activities_to_go_on(&self, expire_time: Instant) -> u32 {
        let lives_on = |counted: &&CountedFacts| expire_time < counted.expire_time && !self.was_cut_off(counted);
        let living_on = u32::try_from(self.counted.iter().filter(lives_on).count()).unwrap_or(u32::MAX);
        self.minimum.activities.saturating_sub(living_on).max(1)
    }

    /// `before 11 March 2025 at 12:00 UTC`, when work there has to be done so that it outlives that instant.
    fn in_time(&self, expire_time: Instant) -> String {
        let before = date_and_time(expire_time);
        self.outlasting_from.map_or_else(
            || format!("before {before}"),
            |from| format!("from {} on and before {before}", date_and_time(from)),
        )
    }

    fn was_cut_off(&self, counted: &CountedFacts) -> bool {
        self.endings.iter().any(|ending| counted.activity.occur_time < ending.time)
    }
}
