//! Histories of small programmes: few people, few accounts, and times that meet.

use proptest::collection::vec;
use proptest::prelude::*;
use system_tests::Fact;
use system_tests::reference::{DAY, instant, seconds, time_of};

/// The partners; the first has a client account too, in which it earns nothing (R12).
const PARTNERS: [i64; 2] = [1001, 1002];
const CLIENTS: [i64; 3] = [2001, 2002, 1001];
/// The partners and clients that are asked about.
pub const PAIRS: [(i64, i64); 5] = [(1001, 2001), (1001, 2002), (1002, 2001), (1002, 2002), (1001, 1001)];
const DOMAINS: [&str; 2] = ["one.example", "two.example"];
/// Two of the first partner's domain, one of the second's, and a contractor of either.
const PEOPLE: [&str; 4] = ["anna@one.example", "ben@one.example", "carla@two.example", "dora@free.example"];
const ACTIONS: [&str; 8] = [
    "blog/publish",
    "form/edit",
    "blog/publish",
    "form/edit",
    "blog/publish",
    "form/edit",
    "account/login",
    "form/juggle",
];
/// Where work is mostly done: by whom somebody thinks that it counts.
const WORKPLACES: [(usize, usize); 7] = [(0, 0), (0, 1), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)];
const TIERS: [&str; 2] = ["ELITE", "GOLD"];

/// Histories begin here, and take so many days.
const BEGINNING: &str = "2025-05-01";
const DAYS: i64 = 160;

/// Something that happens, drawn from numbers that shrink towards nothing.
#[derive(Debug, Clone)]
struct Move {
    kind: u8,
    who: usize,
    partner: usize,
    client: usize,
    number: usize,
    day: i64,
    /// Whether it is recorded after everything else.
    is_late: bool,
    /// Whether work is done at the very instant of something else.
    meets: bool,
}

fn a_move() -> impl Strategy<Value = Move> {
    let drawn = (0_u8..60, 0..PEOPLE.len(), 0..PARTNERS.len(), 0..20_usize, 0_usize..1_000, 0..DAYS, 0_u8..5, 0_u8..4);
    drawn.prop_map(|(kind, who, partner, client, number, day, late, meets)| Move {
        kind,
        who,
        partner,
        // Mostly the first two clients.
        client: if client < 2 { 2 } else { client % 2 },
        number,
        day,
        is_late: late == 4,
        meets: meets == 3,
    })
}

/// What is there from the start, mostly: a part comes late, or never.
fn foundations() -> Vec<Fact> {
    let since = |second: i64| instant(seconds("2024-01-01") + second);
    let mut facts = Vec::new();
    for (partner, domain) in PARTNERS.into_iter().zip(DOMAINS) {
        facts.push(Fact::Partner { id: partner, domains: vec![domain.to_owned()], since: since(0) });
    }
    for (client, country) in CLIENTS.into_iter().zip(["US", "IN", "IT"]) {
        facts.push(Fact::Client { id: client, country: country.to_owned(), since: since(0) });
    }
    for (of, who) in [(1001, 0), (1001, 1), (1002, 2), (1001, 3), (1002, 3)] {
        let second = i64::try_from(facts.len()).expect("few");
        facts.push(Fact::Employee { of, email: PEOPLE[who].to_owned(), since: since(second) });
    }
    for (client, who) in
        [(2001, 0), (2001, 2), (2002, 2), (2002, 0), (2002, 1), (2001, 3), (2002, 3), (1001, 0), (1001, 3)]
    {
        let second = i64::try_from(facts.len()).expect("few");
        facts.push(Fact::User { client, email: PEOPLE[who].to_owned(), since: since(second) });
    }
    facts.push(Fact::Mrr {
        client: 2001,
        subscription: "main".to_owned(),
        amount: "1000.01 USD".to_owned(),
        since: since(90),
    });
    facts.push(Fact::Mrr {
        client: 2002,
        subscription: "main".to_owned(),
        amount: "777.77 EUR".to_owned(),
        since: since(91),
    });
    facts
}

fn amount(client: i64, number: usize) -> String {
    match client {
        2001 => format!("{}.{:02} USD", number % 7 * 250, number % 100 * usize::from(!number.is_multiple_of(7))),
        2002 => format!("{}.{:02} EUR", number % 5 * 333, number % 100 * usize::from(!number.is_multiple_of(5))),
        _ => format!("{} JPY", number % 5 * 99_999),
    }
}

/// A fact of a move. Facts of access and money have instants of their own: what comes first of two at one instant is
/// tested elsewhere.
fn fact(index: usize, step: &Move, before: &[Fact]) -> Fact {
    let second = i64::try_from(index).expect("few") * 61 + 7;
    let at = instant(seconds(BEGINNING) + step.day * DAY + 43_200 + second);
    let (email, of, client) = (PEOPLE[step.who].to_owned(), PARTNERS[step.partner], CLIENTS[step.client]);
    let (worker, workplace) =
        if step.kind < 26 { WORKPLACES[step.number % WORKPLACES.len()] } else { (step.who, step.client) };
    match step.kind {
        0..32 => Fact::Activity {
            id: format!("a{index}"),
            client: CLIENTS[workplace],
            email: PEOPLE[worker].to_owned(),
            at: if step.meets { met(before, step.number).unwrap_or(at) } else { at },
            action: ACTIONS[step.number / 8 % ACTIONS.len()].to_owned(),
        },
        32..35 => Fact::Link { of, email, client, since: at },
        35..37 => Fact::Unlink { of, email, client, at },
        37..39 => Fact::User { client, email, since: at },
        39..42 => Fact::Remove { client, email, at },
        42 => Fact::Deactivate { client, email, at },
        43 => Fact::Reactivate { client, email, at },
        44 => Fact::EndServices { of, client, at },
        45 if step.number.is_multiple_of(3) => Fact::Leave { id: of, at },
        46 if step.number.is_multiple_of(3) => Fact::Close { id: client, at },
        45..47 => Fact::Flag { of, email, flagged: step.number.is_multiple_of(2), at },
        47 => Fact::Delete { of, email, at },
        48 => Fact::Employee { of, email, since: at },
        49 => {
            let domain = DOMAINS[step.partner].to_owned();
            Fact::Domains { of, domains: if step.number.is_multiple_of(2) { Vec::new() } else { vec![domain] }, at }
        }
        50..53 => match nth_activity(before, step.number) {
            Some((client, activity)) => Fact::Void { client, activity },
            None => Fact::Link { of, email, client, since: at },
        },
        53..57 => Fact::Mrr {
            client,
            subscription: if step.number.is_multiple_of(4) { "more" } else { "main" }.to_owned(),
            amount: amount(client, step.number),
            since: at,
        },
        _ => Fact::Tier { of, tier: TIERS[step.number % 2].to_owned(), since: at },
    }
}

/// The instant of something else in the time of histories, or a window after it.
fn met(before: &[Fact], number: usize) -> Option<String> {
    let times: Vec<i64> = before.iter().map(time_of).filter(|time| *time > seconds(BEGINNING)).collect();
    let time = times.get(number % times.len().max(1))?;
    let later = if number.is_multiple_of(3) { 60 * DAY } else { 0 };
    (time + later < seconds("2025-12-31")).then(|| instant(time + later))
}

fn nth_activity(before: &[Fact], number: usize) -> Option<(i64, String)> {
    let activity = |fact: &Fact| match fact {
        Fact::Activity { client, id, .. } => Some((*client, id.clone())),
        _ => None,
    };
    let activities: Vec<(i64, String)> = before.iter().filter_map(activity).collect();
    activities.get(number % activities.len().max(1)).cloned()
}

/// A history: its facts in the order in which they are recorded. Of the foundations some are left out, or come late.
pub fn history() -> impl Strategy<Value = Vec<Fact>> {
    (vec(0_u8..12, foundations().len()), vec(a_move(), 5..60)).prop_map(|(fates, moves)| {
        let (mut early, mut late) = (Vec::new(), Vec::new());
        for (fact, fate) in foundations().into_iter().zip(fates) {
            let is_account = matches!(fact, Fact::Partner { .. } | Fact::Client { .. });
            match fate {
                10 if !is_account => late.push(fact),
                11 if !is_account => {}
                _ => early.push(fact),
            }
        }
        for (index, step) in moves.iter().enumerate() {
            let fact = fact(index, step, &early);
            if step.is_late { late.push(fact) } else { early.push(fact) }
        }
        early.into_iter().chain(late).collect()
    })
}

/// The instants that a history is asked about: at, and just before, what happens and what lapses.
pub fn instants(facts: &[Fact], windows: &[i64], seed: u64, count: usize) -> Vec<i64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut edges: Vec<i64> = facts.iter().map(time_of).filter(|time| *time > seconds(BEGINNING)).collect();
    let expiries: Vec<i64> = edges.iter().flat_map(|time| windows.iter().map(move |days| time + days * DAY)).collect();
    edges.extend(expiries);
    edges.push(seconds("2025-07-15"));
    edges.retain(|time| *time < seconds("2025-12-31"));
    edges.sort_unstable();
    // The later ones are more interesting: more has happened by then.
    let mut place = || random.usize(..edges.len()).max(random.usize(..edges.len()));
    let places: Vec<usize> = (0..count).map(|_| place()).collect();
    places.into_iter().map(|place| edges[place] - i64::from(random.bool())).collect()
}
