//! What every answer must be: the rules read one after the other, over all facts, every time. Slow and obvious.
//!
//! Written from the rules alone: of `domain` nothing is used, not even its time. Instants are seconds since 1970, money
//! minor units, points hundredths. It knows the few tools, currencies and countries that random histories are made of.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;

use crate::Fact;
use crate::case::{Expectation, PolicyChange};

/// A day of 86,400 s (R56).
pub const DAY: i64 = 86_400;

/// The numbers of a policy that histories are judged by.
#[derive(Debug, Clone)]
pub struct Programme {
    /// What the document says otherwise than the embedded one.
    pub changes: Vec<PolicyChange>,
    /// For how many days an activity counts, from an instant on.
    pub windows: Vec<(i64, i64)>,
    /// How many activities a tier needs, from an instant on.
    pub minimums: Vec<(i64, &'static str, usize)>,
}

/// The facts of a history, each in the order in which it was recorded.
pub struct Reference<'a> {
    facts: Vec<(i64, &'a Fact)>,
    programme: &'a Programme,
    voided: BTreeSet<&'a str>,
    /// The verdict of every activity: it depends on no as-of instant (R61).
    verdicts: BTreeMap<&'a str, Result<i64, &'static str>>,
    /// When relationships of each pair end at once: each follows from what was true by then.
    endings: BTreeMap<(i64, i64), Vec<(i64, &'static str)>>,
}

/// What stands against an activity; the first that applies, in this order (R61).
pub const REASONS: [&str; 11] = [
    "UNKNOWN_CLIENT",
    "CLIENT_CLOSED",
    "UNKNOWN_EMPLOYEE",
    "NOT_PARTNER_EMPLOYEE",
    "PARTNER_NOT_IN_PROGRAMME",
    "OWN_ACCOUNT",
    "UNKNOWN_ACTION",
    "NON_QUALIFYING_ACTION",
    "NO_USER_IN_CLIENT",
    "USER_DEACTIVATED",
    "NOT_ASSIGNED",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UserState {
    Active,
    Deactivated,
    Removed,
}

/// A counted activity: from when to when it counts, and what ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Life {
    start: i64,
    end: i64,
    cause: &'static str,
}

/// The seconds of an instant written as RFC 3339, or of a date.
pub fn seconds(text: &str) -> i64 {
    let text = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    DateTime::parse_from_rfc3339(&text).expect("an instant").timestamp()
}

/// The instant of so many seconds, as RFC 3339.
pub fn instant(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).expect("an instant").format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// When a fact is true from.
pub fn time_of(fact: &Fact) -> i64 {
    match fact {
        Fact::Partner { since, .. }
        | Fact::Employee { since, .. }
        | Fact::Client { since, .. }
        | Fact::User { since, .. }
        | Fact::Link { since, .. }
        | Fact::Tier { since, .. }
        | Fact::Mrr { since, .. } => seconds(since),
        Fact::Remove { at, .. }
        | Fact::Deactivate { at, .. }
        | Fact::Reactivate { at, .. }
        | Fact::Unlink { at, .. }
        | Fact::EndServices { at, .. }
        | Fact::Leave { at, .. }
        | Fact::Close { at, .. }
        | Fact::Flag { at, .. }
        | Fact::Delete { at, .. }
        | Fact::Domains { at, .. }
        | Fact::Activity { at, .. } => seconds(at),
        Fact::Void { .. } => i64::MIN,
    }
}

impl<'a> Reference<'a> {
    /// Of a history, by a policy.
    pub fn new(facts: &'a [Fact], programme: &'a Programme) -> Self {
        let mut timed: Vec<(i64, &Fact)> = facts.iter().map(|fact| (time_of(fact), fact)).collect();
        // Of one instant, what was recorded later speaks last.
        timed.sort_by_key(|(time, _)| *time);
        let voided = facts.iter().filter_map(|fact| match fact {
            Fact::Void { activity, .. } => Some(activity.as_str()),
            _ => None,
        });
        let (voided, verdicts, endings) = (voided.collect(), BTreeMap::new(), BTreeMap::new());
        let mut reference = Self { facts: timed, programme, voided, verdicts, endings };
        let activity = |fact: &'a Fact| if let Fact::Activity { id, .. } = fact { Some(id.as_str()) } else { None };
        reference.verdicts = facts.iter().filter_map(activity).map(|id| (id, reference.judge(id))).collect();
        let client = |fact: &Fact| if let Fact::Client { id, .. } = fact { Some(*id) } else { None };
        for client in facts.iter().filter_map(client) {
            for partner in reference.partners() {
                reference.endings.insert((partner, client), reference.endings_of(partner, client));
            }
        }
        reference
    }

    /// What was true by an instant, in the order of time.
    fn by(&self, time: i64) -> impl Iterator<Item = &'a Fact> {
        self.facts.iter().take_while(move |(when, _)| *when <= time).map(|(_, fact)| *fact)
    }

    fn partners(&self) -> BTreeSet<i64> {
        let partner = |(_, fact): &(i64, &Fact)| if let Fact::Partner { id, .. } = fact { Some(*id) } else { None };
        self.facts.iter().filter_map(partner).collect()
    }

    fn is_known(&self, client: i64, time: i64) -> bool {
        self.by(time).any(|fact| matches!(fact, Fact::Client { id, .. } if *id == client))
    }

    fn is_closed(&self, client: i64, time: i64) -> bool {
        self.by(time).any(|fact| matches!(fact, Fact::Close { id, .. } if *id == client))
    }

    fn has_left(&self, partner: i64, time: i64) -> bool {
        self.by(time).any(|fact| matches!(fact, Fact::Leave { id, .. } if *id == partner))
    }

    /// Whether somebody is a user of the partner account; if so, whether flagged as employee (R20).
    fn employee(&self, partner: i64, who: &str, time: i64) -> Option<bool> {
        let mut state = None;
        for fact in self.by(time) {
            match fact {
                Fact::Employee { of, email, .. } if *of == partner && email == who => state = Some(true),
                Fact::Delete { of, email, .. } if *of == partner && email == who => state = None,
                Fact::Flag { of, email, flagged, .. } if *of == partner && email == who => state = Some(*flagged),
                _ => {}
            }
        }
        state
    }

    /// Whether somebody has ever been an employee of the partner (R71).
    fn was_employee(&self, partner: i64, who: &str, time: i64) -> bool {
        self.by(time).any(|fact| matches!(fact, Fact::Employee { of, email, .. } if *of == partner && email == who))
    }

    fn user(&self, client: i64, who: &str, time: i64) -> Option<UserState> {
        let mut state = None;
        for fact in self.by(time) {
            match fact {
                Fact::User { client: of, email, .. } if *of == client && email == who => {
                    state = Some(UserState::Active)
                }
                Fact::Reactivate { client: of, email, .. } if *of == client && email == who => {
                    state = Some(UserState::Active);
                }
                Fact::Deactivate { client: of, email, .. } if *of == client && email == who => {
                    state = Some(UserState::Deactivated);
                }
                Fact::Remove { client: of, email, .. } if *of == client && email == who => {
                    state = Some(UserState::Removed);
                }
                _ => {}
            }
        }
        state
    }

    /// Whether an address is in one of the partner's employee email domains (R21).
    fn matches_domain(&self, partner: i64, who: &str, time: i64) -> bool {
        let mut own: &[String] = &[];
        for fact in self.by(time) {
            match fact {
                Fact::Partner { id, domains, .. } | Fact::Domains { of: id, domains, .. } if *id == partner => {
                    own = domains
                }
                _ => {}
            }
        }
        own.iter().any(|domain| who.split_once('@').is_some_and(|(_, of_address)| of_address == domain))
    }

    /// Since when a client is assigned to an employee, if it is: by hand (R24), or by itself from the first moment at which
    /// all three conditions hold (R23, R25), until unlinked.
    fn assigned_since(&self, partner: i64, who: &str, client: i64, time: i64) -> Option<i64> {
        let (mut by_hand, mut by_itself, mut is_unlinked) = (None, None, false);
        for (when, fact) in self.facts.iter().take_while(|(when, _)| *when <= time) {
            match fact {
                Fact::Employee { of, email, .. } | Fact::Delete { of, email, .. } if *of == partner && email == who => {
                    (by_hand, by_itself, is_unlinked) = (None, None, false);
                }
                Fact::Link { of, email, client: linked, .. } if *of == partner && email == who && *linked == client => {
                    (by_hand, is_unlinked) = (by_hand.or(by_itself).or(Some(*when)), false);
                }
                Fact::Unlink { of, email, client: unlinked, .. }
                    if *of == partner && email == who && *unlinked == client =>
                {
                    (by_hand, by_itself, is_unlinked) = (None, None, true);
                }
                Fact::EndServices { of, client: ended, .. } if *of == partner && *ended == client => {
                    is_unlinked |= by_hand.or(by_itself).is_some();
                    (by_hand, by_itself) = (None, None);
                }
                Fact::Remove { client: of, email, .. } if *of == client && email == who => by_itself = None,
                _ => {}
            }
            let all_three = self.employee(partner, who, *when).is_some()
                && self.user(client, who, *when) == Some(UserState::Active)
                && self.matches_domain(partner, who, *when);
            if by_hand.is_none() && by_itself.is_none() && !is_unlinked && all_three {
                by_itself = Some(*when);
            }
        }
        by_hand.or(by_itself)
    }

    /// For whom an activity counts, or why it does not.
    ///
    /// # Errors
    /// Why it does not.
    pub fn verdict(&self, id: &str) -> Result<i64, &'static str> {
        self.verdicts[id]
    }

    /// All conditions at the instant of the activity (R7, R61).
    fn judge(&self, id: &str) -> Result<i64, &'static str> {
        let is_it = |(_, fact): &&(i64, &'a Fact)| matches!(fact, Fact::Activity { id: other, .. } if other == id);
        let (time, fact) = self.facts.iter().find(is_it).expect("it was recorded");
        let Fact::Activity { client, email, action, .. } = fact else { unreachable!("it is an activity") };
        if self.voided.contains(id) {
            return Err("VOIDED");
        }
        if !self.is_known(*client, *time) {
            return Err("UNKNOWN_CLIENT");
        }
        if self.is_closed(*client, *time) {
            return Err("CLIENT_CLOSED");
        }
        let employers: Vec<i64> =
            self.partners().into_iter().filter(|partner| self.employee(*partner, email, *time).is_some()).collect();
        let judged: Vec<(i64, Option<&'static str>)> = employers
            .into_iter()
            .map(|partner| (partner, self.reason_against(partner, *client, email, action, *time)))
            .collect();
        let mut those: Vec<i64> =
            judged.iter().filter(|(_, reason)| reason.is_none()).map(|(partner, _)| *partner).collect();
        // Of several, the one whose domain matches, else the one assigned earlier, else the lower hub id.
        those.sort_by_key(|partner| {
            (
                !self.matches_domain(*partner, email, *time),
                self.assigned_since(*partner, email, *client, *time),
                *partner,
            )
        });
        if let Some(partner) = those.first() {
            return Ok(*partner);
        }
        let place = |reason: &str| REASONS.iter().position(|other| *other == reason);
        let reasons = judged.into_iter().filter_map(|(_, reason)| reason);
        Err(reasons.max_by_key(|reason| place(reason)).unwrap_or("UNKNOWN_EMPLOYEE"))
    }

    fn reason_against(&self, partner: i64, client: i64, who: &str, action: &str, time: i64) -> Option<&'static str> {
        if self.employee(partner, who, time) != Some(true) {
            return Some("NOT_PARTNER_EMPLOYEE");
        }
        if self.has_left(partner, time) {
            return Some("PARTNER_NOT_IN_PROGRAMME");
        }
        if partner == client {
            return Some("OWN_ACCOUNT");
        }
        match action {
            "blog/publish" | "form/edit" => {}
            "account/login" => return Some("NON_QUALIFYING_ACTION"),
            _ => return Some("UNKNOWN_ACTION"),
        }
        match self.user(client, who, time) {
            Some(UserState::Active) => {}
            Some(UserState::Deactivated) => return Some("USER_DEACTIVATED"),
            Some(UserState::Removed) | None => return Some("NO_USER_IN_CLIENT"),
        }
        self.assigned_since(partner, who, client, time).is_none().then_some("NOT_ASSIGNED")
    }

    /// When relationships of the pair end at once, and why (R71, R76).
    fn endings_of(&self, partner: i64, client: i64) -> Vec<(i64, &'static str)> {
        let mut endings = Vec::new();
        for (when, fact) in &self.facts {
            let cause = match fact {
                Fact::EndServices { of, client: ended, .. } if *of == partner && *ended == client => "SERVICES_ENDED",
                Fact::Leave { id, .. } if *id == partner => "PARTNER_LEFT",
                Fact::Close { id, .. } if *id == client => "CLIENT_CLOSED",
                Fact::Remove { client: of, email, .. }
                    if *of == client
                        && self.was_employee(partner, email, *when)
                        && !self.is_anybody_present(partner, client, *when) =>
                {
                    "ALL_EMPLOYEES_REMOVED"
                }
                _ => continue,
            };
            endings.push((*when, cause));
        }
        endings
    }

    fn is_anybody_present(&self, partner: i64, client: i64, time: i64) -> bool {
        let people: BTreeSet<&str> = self
            .by(time)
            .filter_map(|fact| match fact {
                Fact::Employee { of, email, .. } if *of == partner => Some(email.as_str()),
                _ => None,
            })
            .collect();
        let is_present = |who: &&str| !matches!(self.user(client, who, time), None | Some(UserState::Removed));
        people.iter().any(is_present)
    }

    fn window(&self, time: i64) -> i64 {
        self.programme.windows.iter().rfind(|(from, _)| *from <= time).expect("a window").1 * DAY
    }

    /// What counts for a pair, of what had occurred by an instant (R54, R63, R73).
    fn lives(&self, partner: i64, client: i64, as_of: i64) -> Vec<Life> {
        let endings = self.endings.get(&(partner, client)).map_or(&[][..], Vec::as_slice);
        let mut lives = Vec::new();
        for (start, fact) in self.facts.iter().take_while(|(when, _)| *when <= as_of) {
            let Fact::Activity { id, client: of, .. } = fact else { continue };
            if *of != client || self.verdict(id) != Ok(partner) {
                continue;
            }
            let start = *start;
            let expiry = start + self.window(start);
            let ending = endings.iter().find(|(when, _)| *when > start && *when <= expiry.min(as_of));
            lives.push(match ending {
                Some((end, cause)) => Life { start, end: *end, cause },
                None => Life { start, end: expiry, cause: "LAPSED" },
            });
        }
        lives.sort_by_key(|life| life.start);
        lives
    }

    /// The stretches of time in which any activity counts (R55): from, to, and what ends it.
    fn periods(lives: &[Life]) -> Vec<Life> {
        let mut periods: Vec<Life> = Vec::new();
        for life in lives {
            match periods.last_mut() {
                Some(last) if life.start < last.end || life.start == last.end && last.cause == "LAPSED" => {
                    if life.end > last.end || life.end == last.end && life.cause != "LAPSED" {
                        (last.end, last.cause) = (life.end, life.cause);
                    }
                }
                _ => periods.push(*life),
            }
        }
        periods
    }

    /// How many activities a partner needs at an instant, by the tier that it is credited with (R57).
    fn minimum(&self, partner: i64, time: i64) -> usize {
        let tier = self.by(time).filter_map(|fact| match fact {
            Fact::Tier { of, tier, .. } if *of == partner => Some(tier.as_str()),
            _ => None,
        });
        let tier = tier.last().unwrap_or("NONE");
        let said = self.programme.minimums.iter().rfind(|(from, of, _)| *from <= time && *of == tier);
        said.map_or(1, |(_, _, minimum)| *minimum)
    }

    fn counting(lives: &[Life], time: i64) -> usize {
        lives.iter().filter(|life| life.start <= time && time < life.end).count()
    }

    fn earns(&self, partner: i64, client: i64, time: i64) -> bool {
        partner != client && Self::counting(&self.lives(partner, client, time), time) >= self.minimum(partner, time)
    }

    /// What a client pays, in minor units and of which currency; nothing where that is not known (R79, R127).
    fn mrr(&self, client: i64, time: i64) -> Option<(i64, &'a str)> {
        let mut paid: BTreeMap<&str, i64> = BTreeMap::new();
        let mut of_currency = None;
        for fact in self.by(time) {
            if let Fact::Mrr { client: of, subscription, amount, .. } = fact
                && *of == client
            {
                let (amount, currency) = amount.split_once(' ').expect("an amount and a currency");
                let minor = amount.replace('.', "").parse().expect("digits");
                paid.insert(subscription, minor);
                of_currency = Some(currency);
            }
        }
        of_currency.map(|currency| (paid.values().sum(), currency))
    }

    fn share(&self, partner: i64, client: i64, time: i64) -> i64 {
        let (mrr, _) = self.mrr(client, time).expect("it is known");
        let mut earning: Vec<(i64, i64)> = self
            .partners()
            .into_iter()
            .filter(|other| self.earns(*other, client, time))
            .map(|other| (Self::periods(&self.lives(other, client, time)).last().expect("it earns").start, other))
            .collect();
        // The oldest relationship first (R97).
        earning.sort_unstable();
        let count = i64::try_from(earning.len()).expect("few");
        let place = earning.iter().position(|(_, other)| *other == partner).expect("it earns");
        mrr / count + i64::from(i64::try_from(place).expect("few") < mrr % count)
    }

    /// Hundredths of points (R90, R96).
    fn points(&self, share: i64, currency: &str, client: i64, time: i64) -> i64 {
        let is_new = time >= seconds("2025-07-15");
        let (units, minor_per_unit) = match (currency, is_new) {
            ("USD", _) => (100, 100),
            ("EUR", false) => (75, 100),
            ("EUR", true) => (88, 100),
            ("JPY", false) => (12_000, 1),
            ("JPY", true) => (14_400, 1),
            _ => unreachable!("histories have no other currency"),
        };
        let is_growth_market = self
            .facts
            .iter()
            .any(|(_, fact)| matches!(fact, Fact::Client { id, country, .. } if *id == client && country == "IN"));
        let multiplier = if is_growth_market { 2 } else { 1 };
        let (dividend, divisor) = (share * multiplier * 100, units * minor_per_unit);
        (2 * dividend + divisor) / (2 * divisor)
    }

    fn reason(&self, partner: i64, client: i64, time: i64) -> &'static str {
        if partner == client {
            return "OWN_ACCOUNT";
        }
        if !self.earns(partner, client, time) {
            let periods = Self::periods(&self.lives(partner, client, time));
            return match periods.last() {
                None => "NOT_MANAGED",
                Some(last) if time < last.end => "TIER_ACTIVITY_MINIMUM",
                Some(last) => last.cause,
            };
        }
        match self.mrr(client, time) {
            None => "MRR_UNKNOWN",
            Some((0, _)) => "NO_PAID_SUBSCRIPTION",
            Some(_) => "-",
        }
    }

    /// What a client brings a partner at an instant.
    pub fn credit(&self, partner: i64, client: i64, time: i64) -> Expectation {
        let lives = self.lives(partner, client, time);
        let last = Self::periods(&lives).last().copied();
        let (earns, mrr) = (self.earns(partner, client, time), self.mrr(client, time));
        let amount = |minor: i64, currency: &str| match currency {
            "JPY" => format!("{minor} JPY"),
            _ => format!("{}.{:02} {currency}", minor / 100, minor % 100),
        };
        let dash = || "-".to_owned();
        let (credit, points) = match mrr {
            Some((_, currency)) if earns => {
                let share = self.share(partner, client, time);
                (amount(share, currency), hundredths(self.points(share, currency, client, time)))
            }
            Some((_, currency)) => (amount(0, currency), hundredths(0)),
            None if earns => (dash(), dash()),
            None => (dash(), hundredths(0)),
        };
        let expires = if earns {
            // It earns until fewer than needed are left.
            let mut ends: Vec<i64> = lives.iter().filter(|life| time < life.end).map(|life| life.end).collect();
            ends.sort_unstable_by(|one, other| other.cmp(one));
            Some(ends[self.minimum(partner, time) - 1])
        } else {
            last.map(|last| last.end)
        };
        let is_serviced = last.is_some_and(|last| time < last.end);
        let earning = self.partners().into_iter().filter(|other| self.earns(*other, client, time)).count();
        Expectation::Credit {
            partner,
            client,
            at: instant(time),
            credit: Some(credit),
            points: Some(points),
            reason: Some(self.reason(partner, client, time).to_owned()),
            since: Some(last.filter(|_| is_serviced).map_or_else(dash, |last| instant(last.start))),
            expires: Some(expires.map_or_else(dash, instant)),
            servicing_partners: Some(u32::try_from(earning).expect("few")),
        }
    }

    /// Whether there is a credit, or may be one: an amount that is not known is lost by what the partner does only.
    fn is_there(&self, partner: i64, client: i64, time: i64) -> bool {
        self.earns(partner, client, time) && !matches!(self.mrr(client, time), Some((0, _)))
    }

    /// When and why the credit was lost that there is no more (R126): the last instant at which it was there just before.
    pub fn loss(&self, partner: i64, client: i64, time: i64) -> Expectation {
        let expected = |since: String, cause: &str| {
            let cause = cause.to_owned();
            Expectation::Loss { partner, client, at: instant(time), since, cause }
        };
        if self.is_there(partner, client, time) {
            return expected("-".to_owned(), "-");
        }
        let lives = self.lives(partner, client, time);
        let starts = self.programme.minimums.iter().map(|(from, ..)| *from);
        let mut instants: Vec<i64> = self.facts.iter().map(|(when, _)| *when).chain(starts).collect();
        instants.extend(lives.iter().map(|life| life.start + self.window(life.start)));
        instants.retain(|when| *when <= time && *when > seconds("2020-01-01"));
        instants.sort_unstable();
        // What was not known cannot be lost by becoming known.
        let lost = |when: &&i64| {
            let (before, when) = (**when - 1, **when);
            self.is_there(partner, client, before)
                && !self.is_there(partner, client, when)
                && (!self.earns(partner, client, when) || self.mrr(client, before).is_some())
        };
        match instants.iter().rev().find(lost) {
            Some(when) => {
                let cause = self.reason(partner, client, *when);
                expected(instant(*when), cause)
            }
            None => expected("-".to_owned(), "-"),
        }
    }
}

fn hundredths(points: i64) -> String {
    format!("{}.{:02}", points / 100, points % 100)
}
