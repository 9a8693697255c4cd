//! Random commands of people and of the platform, some with an earlier effective time: every outcome, and every read after
//! it, is what a simple model says.

mod programme;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};

use chrono::TimeDelta;
use contracts::timestamp;
use contracts::wire::access::{self, AccessType, AssignmentOrigin, AssignmentState, ClientUserState};
use domain::time::Instant;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use prost_types::Timestamp;
use system_tests::{Cluster, at, by, on_both_databases, reason};
use tonic::{Request, Status};
use tonic_types::RpcStatusExt as _;

use programme::{BOSS, CLIENTS, Event, KIM, PARTNERS, PEOPLE, Programme, Role, Set, State, Time, employer};

/// How many sequences a run plays on each database, of how many commands.
const SEQUENCES: i64 = 10;
const COMMANDS: usize = 50;

/// Who commands, whom, and where; places that do not fit (a client's user as employee, say) are left out.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// A person, or the platform.
    actor: Option<usize>,
    /// For how many minutes the platform dates it back.
    minutes_ago: Option<i64>,
    what: What,
    person: usize,
    client: usize,
    partner: usize,
}

#[derive(Debug, Clone, Copy)]
enum What {
    SetDomain(bool),
    Hire,
    Dismiss,
    AddUser(Set),
    AddEmployee(Set),
    Deactivate,
    Reactivate,
    Remove,
    Link,
    Unlink,
    EndServices,
}

fn step() -> impl Strategy<Value = Step> {
    let set = || prop_oneof![2 => Just(Set::Standard), 3 => Just(Set::PartnerAdmin)];
    let what = prop_oneof![
        3 => any::<bool>().prop_map(What::SetDomain),
        3 => Just(What::Hire),
        2 => Just(What::Dismiss),
        5 => set().prop_map(What::AddUser),
        6 => set().prop_map(What::AddEmployee),
        4 => Just(What::Deactivate),
        4 => Just(What::Reactivate),
        4 => Just(What::Remove),
        5 => Just(What::Link),
        4 => Just(What::Unlink),
        2 => Just(What::EndServices),
    ];
    let actor = prop_oneof![1 => Just(None), 2 => (0..PEOPLE.len()).prop_map(Some)];
    let minutes_ago = prop::option::weighted(0.4, 1..40_i64);
    (actor, minutes_ago, what, 0..5_usize, 0..CLIENTS, 0..PARTNERS).prop_map(
        |(actor, minutes_ago, what, person, client, partner)| {
            let minutes_ago = minutes_ago.filter(|_| actor.is_none());
            Step { actor, minutes_ago, what, person, client, partner }
        },
    )
}

/// The service under test, a programme of its own in it, and the model of that programme.
struct Game<'cluster> {
    cluster: &'cluster Cluster,
    number: i64,
    model: Programme,
    /// The names that the service gave: by person the last employment, by client and person the last user.
    employees: BTreeMap<usize, (usize, String)>,
    users: BTreeMap<(usize, usize), (usize, String)>,
    /// How many steps were made.
    made: i64,
}

const START: &str = "2026-01-01";
/// When everything exists that is there at the start.
const BEFORE: &str = "2025-01-01";
const MICROS_A_MINUTE: i64 = 60_000_000;

impl<'cluster> Game<'cluster> {
    async fn begin(cluster: &'cluster Cluster, number: i64) -> Self {
        let mut game = Self {
            cluster,
            number,
            model: Programme::default(),
            employees: BTreeMap::new(),
            users: BTreeMap::new(),
            made: 0,
        };
        cluster.clock.set(game.instant(0));
        for partner in 0..PARTNERS {
            cluster.partner(game.partner(partner), &[&game.domain(partner)]).await;
            game.happened(Event::DomainSet { partner, held: true });
        }
        for client in 0..CLIENTS {
            cluster.client(game.client(client), "IT").await;
        }
        for person in 0..PEOPLE.len() {
            if employer(person).is_some() {
                let name = game.hire(None, Some(timestamp(at(BEFORE))), person).await.expect("an employee");
                game.employees.insert(person, (0, name.expect("a name")));
                game.happened(Event::Hired { person, spell: 0 });
            }
        }
        for (client, person, set) in [(0, BOSS, Set::SuperAdmin), (1, BOSS, Set::SuperAdmin), (0, KIM, Set::Standard)] {
            let name = game.add_user(None, Some(timestamp(at(BEFORE))), client, person, set).await.expect("a user");
            game.users.insert((client, person), (0, name.expect("a name")));
            game.happened(Event::Added { client, person, user: 0, set });
        }
        game
    }

    /// Something of the beginning, before all commands.
    fn happened(&mut self, event: Event) {
        self.made += 1;
        self.model.admit(self.made - 1_000, event).expect("the beginning is possible");
    }

    fn partner(&self, partner: usize) -> i64 {
        self.number * 10 + 1 + i64::try_from(partner).expect("a small number")
    }

    fn client(&self, client: usize) -> i64 {
        self.number * 10 + 5 + i64::try_from(client).expect("a small number")
    }

    fn domain(&self, partner: usize) -> String {
        format!("agency{}.example", self.partner(partner))
    }

    fn address(&self, person: usize) -> String {
        let somebody = PEOPLE[person];
        match somebody.employer {
            Some((partner, _)) if somebody.in_domain => format!("{}@{}", somebody.name, self.domain(partner)),
            _ => format!("{}{}@elsewhere.example", somebody.name, self.number),
        }
    }

    fn person(&self, address: &str) -> &'static str {
        let person = (0..PEOPLE.len()).find(|person| self.address(*person) == address).expect("somebody known");
        PEOPLE[person].name
    }

    fn by<T>(&self, actor: Option<usize>, message: T) -> Request<T> {
        match actor {
            None => Request::new(message),
            Some(person) => by(&self.address(person), message),
        }
    }

    fn now(&self) -> Time {
        self.made * MICROS_A_MINUTE
    }

    /// Each programme has a day of its own, because the clock only goes on.
    fn instant(&self, time: Time) -> Instant {
        at(START) + TimeDelta::days(self.number) + TimeDelta::microseconds(time)
    }

    /// When the step takes effect: its own time is no other step's.
    fn time(&self, step: &Step) -> Time {
        step.minutes_ago.map_or(self.now(), |minutes| (self.now() - minutes * MICROS_A_MINUTE).max(0) + self.made)
    }

    /// Makes a step on both sides; nothing where it has no meaning.
    async fn make(&mut self, step: &Step) {
        self.made += 1;
        self.cluster.clock.set(self.instant(self.now()));
        if self.event(step).is_none() {
            return;
        }
        let time = self.time(step);
        let effective_time = step.minutes_ago.map(|_| timestamp(self.instant(time)));
        let expected = self.expect(time, step);
        let found = self.command(step, effective_time).await;
        assert_eq!(outcome_of(&found), expected, "{step:?} at {time}");
        self.remember(step, found.unwrap_or_default());
    }

    /// Makes two steps at once: outcomes and reads are those of one after the other, in one of the two orders.
    async fn make_at_once(&mut self, steps: [&Step; 2]) {
        self.made += 1;
        self.cluster.clock.set(self.instant(self.now()));
        let [one, other] = steps;
        if self.event(one).is_none() || self.event(other).is_none() {
            return;
        }
        let (first, second) = tokio::join!(self.command(one, None), self.command(other, None));
        let (outcomes, reads) = ([outcome_of(&first), outcome_of(&second)], self.reads().await);
        let before = self.model.clone();
        let mut possible = Vec::new();
        for order in [[0, 1], [1, 0]] {
            let mut expected = [Ok(()), Ok(())];
            for (later, which) in order.into_iter().enumerate() {
                let time = self.now() + i64::try_from(later).expect("0 or 1");
                expected[which] = self.expect(time, steps[which]);
            }
            let model = std::mem::replace(&mut self.model, before.clone());
            possible.push((expected, Reads::of(&model.at(self.now() + 1)), model));
        }
        let mut orders = possible.iter();
        let model = orders.find(|(expected, of_model, _)| *expected == outcomes && *of_model == reads);
        let Some((_, _, model)) = model else {
            let possible: Vec<_> = possible.iter().map(|(expected, of_model, _)| (expected, of_model)).collect();
            panic!("{one:?} and {other:?} at once: {outcomes:?}, {reads:?}; possible are {possible:?}");
        };
        self.model = model.clone();
        self.remember(one, first.unwrap_or_default());
        self.remember(other, second.unwrap_or_default());
    }

    /// What the model says of a step, which it then has made.
    fn expect(&mut self, time: Time, step: &Step) -> Result<(), String> {
        let event = self.event(step).expect("a step with a meaning");
        let state = self.model.at(self.now().max(time));
        let expected = permitted(&state, step).and_then(|()| self.admit(time, step, event, &state));
        expected.map_err(str::to_owned)
    }

    fn admit(&mut self, time: Time, step: &Step, event: Event, state: &State) -> Result<(), &'static str> {
        match (step.what, event) {
            // Who is there already has a result of its own.
            (What::AddEmployee(_), Event::Added { client, person, .. }) => {
                let then = self.model.at(time);
                if !then.employs(person, self.employees[&person].0) {
                    return Err("UNKNOWN_EMPLOYEE");
                }
                match then.is_active_member(client, person) {
                    Some(false) => Err("ILLEGAL_TRANSITION"),
                    Some(true) => Err("already a member"),
                    None => self.model.admit(time, event),
                }
            }
            // What is so already is not news, unless it is said of an instant.
            (What::SetDomain(held), _) if step.minutes_ago.is_none() && state.holds_domain(step.partner) == held => {
                Ok(())
            }
            // A client that the partner does not know does not exist for its people (R26).
            (What::Link | What::Unlink, _)
                if step.actor.is_some()
                    && !state.exists_for(step.client, employer(step.person).expect("an employer")) =>
            {
                Err("UNKNOWN_CLIENT")
            }
            _ => self.model.admit(time, event),
        }
    }

    fn event(&self, step: &Step) -> Option<Event> {
        let Step { person, client, partner, .. } = *step;
        let spell = self.employees.get(&person).map(|(number, _)| *number);
        let user = self.users.get(&(client, person)).map(|(number, _)| *number);
        let next_user = user.map_or(0, |number| number + 1);
        Some(match step.what {
            What::SetDomain(held) => Event::DomainSet { partner, held },
            What::Hire => Event::Hired { person, spell: spell.map_or(0, |number| number + 1) },
            What::Dismiss => Event::Dismissed { person, spell: spell? },
            What::AddUser(set) | What::AddEmployee(set) => Event::Added { client, person, user: next_user, set },
            What::Deactivate => Event::Deactivated { client, person, user: user? },
            What::Reactivate => Event::Reactivated { client, person, user: user? },
            What::Remove => Event::Removed { client, person, user: user? },
            What::Link => Event::Linked { client, person, spell: spell? },
            What::Unlink => Event::Unlinked { client, person, spell: spell? },
            What::EndServices => Event::ServicesEnded { client, partner },
        })
    }

    /// Asks the service: the name of what is new, if anything is; the reason where it refuses.
    async fn command(&self, step: &Step, effective_time: Option<Timestamp>) -> Result<Option<String>, String> {
        let Step { actor, person, client, partner, .. } = *step;
        match step.what {
            What::SetDomain(held) => self.set_domain(actor, effective_time, partner, held).await,
            What::Hire => self.hire(actor, effective_time, person).await,
            What::Dismiss => {
                let name = self.employees[&person].1.clone();
                let request = access::DeleteEmployeeRequest { name, effective_time, ..Default::default() };
                outcome(self.cluster.access().delete_employee(self.by(actor, request)).await)
            }
            What::AddUser(set) => self.add_user(actor, effective_time, client, person, set).await,
            What::AddEmployee(set) => self.add_employee(actor, effective_time, client, person, set).await,
            What::Deactivate => {
                let name = self.users[&(client, person)].1.clone();
                let request = access::DeactivateClientUserRequest { name, effective_time, ..Default::default() };
                outcome(self.cluster.access().deactivate_client_user(self.by(actor, request)).await)
            }
            What::Reactivate => {
                let name = self.users[&(client, person)].1.clone();
                let request = access::ReactivateClientUserRequest { name, effective_time, ..Default::default() };
                outcome(self.cluster.access().reactivate_client_user(self.by(actor, request)).await)
            }
            What::Remove => {
                let name = self.users[&(client, person)].1.clone();
                let request = access::RemoveClientUserRequest { name, effective_time, ..Default::default() };
                outcome(self.cluster.access().remove_client_user(self.by(actor, request)).await)
            }
            What::Link => {
                let request = access::BatchLinkClientsRequest {
                    employee: self.employees[&person].1.clone(),
                    clients: vec![format!("clients/{}", self.client(client))],
                    effective_time,
                    ..Default::default()
                };
                let linked = self.cluster.access().batch_link_clients(self.by(actor, request)).await;
                let result = linked.map_err(|status| reason(&status))?.into_inner().results.remove(0);
                match result.outcome.expect("an outcome") {
                    access::link_client_result::Outcome::Assignment(_) => Ok(None),
                    access::link_client_result::Outcome::Error(error) => Err(item_reason(&error)),
                }
            }
            What::Unlink => {
                let request = access::UnlinkClientRequest {
                    employee: self.employees[&person].1.clone(),
                    client: format!("clients/{}", self.client(client)),
                    effective_time,
                    ..Default::default()
                };
                outcome(self.cluster.access().unlink_client(self.by(actor, request)).await)
            }
            What::EndServices => {
                let request = access::EndServicesRequest {
                    partner: format!("partners/{}", self.partner(partner)),
                    client: format!("clients/{}", self.client(client)),
                    effective_time,
                    ..Default::default()
                };
                outcome(self.cluster.access().end_services(self.by(actor, request)).await)
            }
        }
    }

    async fn set_domain(
        &self,
        actor: Option<usize>,
        effective_time: Option<Timestamp>,
        partner: usize,
        held: bool,
    ) -> Result<Option<String>, String> {
        let changed = access::Partner {
            name: format!("partners/{}", self.partner(partner)),
            email_domains: if held { vec![self.domain(partner)] } else { Vec::new() },
            ..Default::default()
        };
        let request = access::UpdatePartnerRequest {
            partner: Some(changed),
            update_mask: Some(prost_types::FieldMask { paths: vec!["email_domains".to_owned()] }),
            effective_time,
            ..Default::default()
        };
        outcome(self.cluster.access().update_partner(self.by(actor, request)).await)
    }

    async fn hire(
        &self,
        actor: Option<usize>,
        effective_time: Option<Timestamp>,
        person: usize,
    ) -> Result<Option<String>, String> {
        let (partner, role) = PEOPLE[person].employer.expect("an employer");
        let role = match role {
            Role::Plain => access::AccessRole::None,
            Role::Cam => access::AccessRole::ClientAccessManager,
            Role::SuperAdmin => access::AccessRole::SuperAdmin,
        };
        let employee = access::Employee {
            email_address: self.address(person),
            display_name: PEOPLE[person].name.to_owned(),
            access_role: role.into(),
            ..Default::default()
        };
        let request = access::CreateEmployeeRequest {
            parent: format!("partners/{}", self.partner(partner)),
            employee: Some(employee),
            effective_time,
            ..Default::default()
        };
        let created = self.cluster.access().create_employee(self.by(actor, request)).await;
        let created = created.map_err(|status| reason(&status))?.into_inner().employee.expect("an employee");
        Ok(Some(created.name))
    }

    async fn add_user(
        &self,
        actor: Option<usize>,
        effective_time: Option<Timestamp>,
        client: usize,
        person: usize,
        set: Set,
    ) -> Result<Option<String>, String> {
        let client_user = access::ClientUser {
            email_address: self.address(person),
            display_name: PEOPLE[person].name.to_owned(),
            permission_set: set.name().to_owned(),
            ..Default::default()
        };
        let request = access::CreateClientUserRequest {
            parent: format!("clients/{}", self.client(client)),
            client_user: Some(client_user),
            effective_time,
            ..Default::default()
        };
        let created = self.cluster.access().create_client_user(self.by(actor, request)).await;
        let created = created.map_err(|status| reason(&status))?.into_inner().client_user.expect("a user");
        Ok(Some(created.name))
    }

    async fn add_employee(
        &self,
        actor: Option<usize>,
        effective_time: Option<Timestamp>,
        client: usize,
        person: usize,
        set: Set,
    ) -> Result<Option<String>, String> {
        let request = access::BatchAddEmployeesRequest {
            client: format!("clients/{}", self.client(client)),
            employees: vec![self.employees[&person].1.clone()],
            permission_set: set.name().to_owned(),
            effective_time,
            ..Default::default()
        };
        let added = self.cluster.access().batch_add_employees(self.by(actor, request)).await;
        let result = added.map_err(|status| reason(&status))?.into_inner().results.remove(0);
        match result.outcome.expect("an outcome") {
            access::add_employee_result::Outcome::ClientUser(user) => Ok(Some(user.name)),
            access::add_employee_result::Outcome::AlreadyMember(_) => Err("already a member".to_owned()),
            access::add_employee_result::Outcome::Error(error) => Err(item_reason(&error)),
        }
    }

    /// Remembers the name of what a step made.
    fn remember(&mut self, step: &Step, name: Option<String>) {
        let Some(name) = name else { return };
        if matches!(step.what, What::Hire) {
            let number = self.employees.get(&step.person).map_or(0, |(number, _)| number + 1);
            self.employees.insert(step.person, (number, name));
        } else {
            let place = (step.client, step.person);
            let number = self.users.get(&place).map_or(0, |(number, _)| number + 1);
            self.users.insert(place, (number, name));
        }
    }

    /// Everything that can be read.
    async fn reads(&self) -> Reads {
        let mut reads = Reads::default();
        for client in 0..CLIENTS {
            reads.users.push(self.users_of(client).await);
        }
        for partner in 0..PARTNERS {
            reads.employees.push(self.employees_of(partner).await);
            reads.clients.push(self.access_of(partner).await);
        }
        reads
    }

    async fn users_of(&self, client: usize) -> BTreeSet<String> {
        let request =
            access::ListClientUsersRequest { parent: format!("clients/{}", self.client(client)), ..Default::default() };
        let listed = self.cluster.access().list_client_users(request).await.expect("users").into_inner();
        let line = |user: &access::ClientUser| {
            let state = match user.state() {
                ClientUserState::Active => "ACTIVE",
                ClientUserState::Deactivated => "DEACTIVATED",
                other => panic!("{other:?} was not asked for"),
            };
            format!("{} {state} {}", self.person(&user.email_address), user.permission_set)
        };
        listed.client_users.iter().map(line).collect()
    }

    async fn employees_of(&self, partner: usize) -> BTreeSet<String> {
        let request = access::ListEmployeesRequest {
            parent: format!("partners/{}", self.partner(partner)),
            ..Default::default()
        };
        let listed = self.cluster.access().list_employees(request).await.expect("employees").into_inner();
        let line = |employee: &access::Employee| {
            let name = self.person(&employee.email_address);
            format!("{name} {} {}", employee.domain_verified, employee.client_count)
        };
        listed.employees.iter().map(line).collect()
    }

    async fn access_of(&self, partner: usize) -> Vec<BTreeSet<String>> {
        let all = [
            AccessType::PartnerAdmin,
            AccessType::SuperAdmin,
            AccessType::Standard,
            AccessType::Deactivated,
            AccessType::LinkedOnly,
        ];
        let request = access::ListClientsRequest {
            partner: format!("partners/{}", self.partner(partner)),
            access_types: all.into_iter().map(Into::into).collect(),
            ..Default::default()
        };
        let listed = self.cluster.access().list_clients(request).await.expect("clients").into_inner();
        let of_client = |client| {
            let name = format!("clients/{}", self.client(client));
            let mut rows = listed.clients.iter();
            let row = rows.find(|row| row.client.as_ref().is_some_and(|client| client.name == name));
            row.map(|row| row.employees.iter().map(|employee| self.access(employee)).collect()).unwrap_or_default()
        };
        (0..CLIENTS).map(of_client).collect()
    }

    fn access(&self, employee: &access::EmployeeAccess) -> String {
        let kind = employee.access_type().as_str_name().trim_start_matches("ACCESS_TYPE_");
        let assignment = employee.assignment.as_ref().map_or_else(
            || "unassigned".to_owned(),
            |assignment| {
                let state = AssignmentState::as_str_name(&assignment.state());
                let origin = AssignmentOrigin::as_str_name(&assignment.origin());
                let state = state.trim_start_matches("ASSIGNMENT_STATE_");
                format!("{state} {}", origin.trim_start_matches("ASSIGNMENT_ORIGIN_"))
            },
        );
        format!("{} {kind} {assignment}", self.person(&employee.email_address))
    }
}

/// Everything that can be read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reads {
    /// By client.
    users: Vec<BTreeSet<String>>,
    /// By partner.
    employees: Vec<BTreeSet<String>>,
    /// By partner, then by client.
    clients: Vec<Vec<BTreeSet<String>>>,
}

impl Reads {
    fn of(state: &State) -> Self {
        let clients = |partner| (0..CLIENTS).map(|client| state.access_of(client, partner)).collect();
        Self {
            users: (0..CLIENTS).map(|client| state.users_of(client)).collect(),
            employees: (0..PARTNERS).map(|partner| state.employees_of(partner)).collect(),
            clients: (0..PARTNERS).map(clients).collect(),
        }
    }
}

/// Whether the actor of a step may make it; the platform may everything.
fn permitted(state: &State, step: &Step) -> Result<(), &'static str> {
    let Some(actor) = step.actor else { return Ok(()) };
    let own = employer(step.person).expect("only employees are drawn");
    match step.what {
        What::SetDomain(_) => state.may_manage_partner(actor, step.partner),
        What::Hire | What::Dismiss => state.may_manage_partner(actor, own),
        What::AddUser(_) => state.may_add_user(actor, step.client),
        What::AddEmployee(_) => state.may_add_employees(actor, own, step.client),
        What::Deactivate | What::Reactivate | What::Remove => state.may_manage_user(actor, step.client, step.person),
        What::Link | What::Unlink => state.may_link(actor, own),
        What::EndServices => state.may_end_services(actor, step.partner, step.client),
    }
}

fn outcome<T>(answer: Result<T, Status>) -> Result<Option<String>, String> {
    answer.map(|_| None).map_err(|status| reason(&status))
}

fn outcome_of(found: &Result<Option<String>, String>) -> Result<(), String> {
    found.as_ref().map(|_| ()).map_err(Clone::clone)
}

fn item_reason(error: &tonic_types::pb::Status) -> String {
    error.get_details_error_info().expect("every refusal has a reason").reason
}

/// Shown with a test that fails, and only then.
#[expect(clippy::print_stderr, reason = "what a failing test was doing")]
fn tell(what: std::fmt::Arguments<'_>) {
    eprintln!("{what}");
}

/// Draws from the seed of this run, which repeats it.
fn runner() -> TestRunner {
    let seed = std::env::var("MANAGED_CREDIT_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one("model"));
    tell(format_args!("to repeat: MANAGED_CREDIT_SEED={seed}"));
    TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() })
}

fn steps(runner: &mut TestRunner) -> Vec<Step> {
    prop::collection::vec(step(), COMMANDS).new_tree(runner).expect("steps").current()
}

on_both_databases!(every_outcome_and_every_read_of_random_commands_is_the_models, |cluster| {
    let mut runner = runner();
    for number in 1..=SEQUENCES {
        let mut game = Game::begin(&cluster, number).await;
        for step in &steps(&mut runner) {
            tell(format_args!("{step:?}"));
            game.make(step).await;
            assert_eq!(game.reads().await, Reads::of(&game.model.at(game.now())), "after {step:?}");
        }
    }
});

on_both_databases!(what_comes_of_two_who_act_at_once_comes_of_one_after_the_other, |cluster| {
    let mut runner = runner();
    for number in 1..=SEQUENCES {
        let mut game = Game::begin(&cluster, number).await;
        for pair in steps(&mut runner).chunks_exact(2) {
            let [one, other] = [0, 1].map(|index| Step { minutes_ago: None, ..pair[index] });
            // Often about the same person and client, so that they meet.
            let other = Step { person: one.person, client: one.client, partner: one.partner, ..other };
            tell(format_args!("{one:?} and {other:?}"));
            game.make_at_once([&one, &other]).await;
        }
    }
});
