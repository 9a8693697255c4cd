//! A simple model of a programme: a list of events, played through in the order of time. It knows the rules in their
//! shortest form (two partners, two clients, seven people, one employer for each), and nothing of how the service works.

use std::collections::{BTreeMap, BTreeSet};

/// The partners' places; each has one domain.
pub(super) const PARTNERS: usize = 2;
/// The clients' places.
pub(super) const CLIENTS: usize = 2;

/// What somebody may do in the own partner account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    Cam,
    SuperAdmin,
}

/// Somebody of the programme.
#[derive(Debug, Clone, Copy)]
pub(super) struct Somebody {
    pub name: &'static str,
    /// The partner that may employ them, with the role there.
    pub employer: Option<(usize, Role)>,
    /// Whether their address is in the partner's domain.
    pub in_domain: bool,
}

const fn somebody(name: &'static str, employer: Option<(usize, Role)>, in_domain: bool) -> Somebody {
    Somebody { name, employer, in_domain }
}

/// Everybody.
pub(super) const PEOPLE: [Somebody; 7] = [
    somebody("sara", Some((0, Role::SuperAdmin)), true),
    somebody("cam", Some((0, Role::Cam)), true),
    somebody("anna", Some((0, Role::Plain)), true),
    somebody("carla", Some((0, Role::Plain)), false),
    somebody("sofia", Some((1, Role::SuperAdmin)), true),
    // Super admin of both clients, and a plain user of the first.
    somebody("boss", None, false),
    somebody("kim", None, false),
];
pub(super) const BOSS: usize = 5;
pub(super) const KIM: usize = 6;

/// A permission set, from the weakest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Set {
    Standard,
    PartnerAdmin,
    SuperAdmin,
}

impl Set {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::PartnerAdmin => "PARTNER_ADMIN",
            Self::SuperAdmin => "SUPER_ADMIN",
        }
    }
}

/// Something that happened. `user` and `spell` count the users that a person was in a client, and its employments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    DomainSet { partner: usize, held: bool },
    Hired { person: usize, spell: usize },
    Dismissed { person: usize, spell: usize },
    Added { client: usize, person: usize, user: usize, set: Set },
    Deactivated { client: usize, person: usize, user: usize },
    Reactivated { client: usize, person: usize, user: usize },
    Removed { client: usize, person: usize, user: usize },
    Linked { client: usize, person: usize, spell: usize },
    Unlinked { client: usize, person: usize, spell: usize },
    ServicesEnded { client: usize, partner: usize },
}

/// When something happened: no two events share it.
pub(super) type Time = i64;

/// A user of a client account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct User {
    number: usize,
    active: bool,
    set: Set,
}

/// By what right a client is assigned to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    None,
    Automatic { user: usize },
    ByHand,
    Refused,
}

/// How things stand at an instant.
#[derive(Debug, Clone)]
pub(super) struct State {
    holds_domain: [bool; PARTNERS],
    employment: [Option<usize>; PEOPLE.len()],
    ever_employed: [bool; PEOPLE.len()],
    users: BTreeMap<(usize, usize), User>,
    ever_user: BTreeSet<(usize, usize)>,
    ever_linked: BTreeSet<(usize, usize)>,
    claims: BTreeMap<(usize, usize), Claim>,
}

impl State {
    const fn new() -> Self {
        Self {
            holds_domain: [false; PARTNERS],
            employment: [None; PEOPLE.len()],
            ever_employed: [false; PEOPLE.len()],
            users: BTreeMap::new(),
            ever_user: BTreeSet::new(),
            ever_linked: BTreeSet::new(),
            claims: BTreeMap::new(),
        }
    }

    /// Whether a partner has its domain.
    pub const fn holds_domain(&self, partner: usize) -> bool {
        self.holds_domain[partner]
    }

    /// Whether somebody is employed, by this employment.
    pub fn employs(&self, person: usize, spell: usize) -> bool {
        self.employment[person] == Some(spell)
    }

    /// Whether somebody is an active user of a client; nothing where they are no user there.
    pub fn is_active_member(&self, client: usize, person: usize) -> Option<bool> {
        self.users.get(&(client, person)).map(|user| user.active)
    }

    fn claim(&self, client: usize, person: usize) -> Claim {
        self.claims.get(&(client, person)).copied().unwrap_or(Claim::None)
    }

    fn is_assigned(&self, client: usize, person: usize) -> bool {
        matches!(self.claim(client, person), Claim::Automatic { .. } | Claim::ByHand)
    }

    /// R26: a partner knows a client in which anybody of its account was a user, or that was linked.
    pub fn exists_for(&self, client: usize, partner: usize) -> bool {
        let contacts = self.ever_user.iter().filter(|(of, person)| *of == client && self.ever_employed[*person]);
        let mut contacts = contacts.chain(self.ever_linked.iter().filter(|(of, _)| *of == client));
        contacts.any(|(_, person)| employer(*person) == Some(partner))
    }

    fn play(&mut self, event: Event) {
        match event {
            Event::DomainSet { partner, held } => self.holds_domain[partner] = held,
            Event::Hired { person, spell } => {
                self.employment[person] = Some(spell);
                self.ever_employed[person] = true;
            }
            Event::Dismissed { person, .. } => {
                self.employment[person] = None;
                self.claims.retain(|(_, of), _| *of != person);
            }
            Event::Added { client, person, user, set } => {
                self.users.insert((client, person), User { number: user, active: true, set });
                self.ever_user.insert((client, person));
            }
            Event::Deactivated { client, person, .. } => {
                self.users.entry((client, person)).and_modify(|user| user.active = false);
            }
            Event::Reactivated { client, person, .. } => {
                self.users.entry((client, person)).and_modify(|user| user.active = true);
            }
            Event::Removed { client, person, .. } => {
                self.users.remove(&(client, person));
            }
            Event::Linked { client, person, .. } => {
                self.claims.insert((client, person), Claim::ByHand);
                self.ever_linked.insert((client, person));
            }
            Event::Unlinked { client, person, .. } => {
                self.claims.insert((client, person), Claim::Refused);
            }
            Event::ServicesEnded { client, partner } => {
                for person in (0..PEOPLE.len()).filter(|person| employer(*person) == Some(partner)) {
                    if self.is_assigned(client, person) {
                        self.claims.insert((client, person), Claim::Refused);
                    }
                }
            }
        }
        self.assign_automatically();
    }

    /// R25: an automatic assignment goes with its user, and comes when all three conditions hold.
    fn assign_automatically(&mut self) {
        for client in 0..CLIENTS {
            for (person, somebody) in PEOPLE.iter().enumerate() {
                let Some((partner, _)) = somebody.employer else { continue };
                let user = self.users.get(&(client, person)).copied();
                let mut claim = self.claim(client, person);
                if let Claim::Automatic { user: owner } = claim
                    && user.is_none_or(|user| user.number != owner)
                {
                    claim = Claim::None;
                }
                let is_employed = self.employment[person].is_some();
                let in_domain = somebody.in_domain && self.holds_domain[partner];
                if let Some(user) = user.filter(|user| user.active && is_employed && in_domain && claim == Claim::None)
                {
                    claim = Claim::Automatic { user: user.number };
                }
                self.claims.insert((client, person), claim);
            }
        }
    }

    /// Why an event is impossible now.
    fn judge(&self, event: Event) -> Result<(), &'static str> {
        let is_user = |client, person, user: usize, active: bool| {
            let known: Option<&User> = self.users.get(&(client, person));
            known.is_some_and(|known| known.number == user && known.active == active)
        };
        let require = |is_right: bool, reason| if is_right { Ok(()) } else { Err(reason) };
        match event {
            Event::DomainSet { .. } => Ok(()),
            Event::Hired { person, .. } => require(self.employment[person].is_none(), "EMPLOYEE_EXISTS"),
            Event::Dismissed { person, spell } => require(self.employment[person] == Some(spell), "UNKNOWN_EMPLOYEE"),
            Event::Added { client, person, .. } => {
                require(!self.users.contains_key(&(client, person)), "CLIENT_USER_EXISTS")
            }
            Event::Deactivated { client, person, user } => {
                require(is_user(client, person, user, true), "ILLEGAL_TRANSITION")
            }
            Event::Reactivated { client, person, user } => {
                require(is_user(client, person, user, false), "ILLEGAL_TRANSITION")
            }
            Event::Removed { client, person, user } => {
                let is_there = is_user(client, person, user, true) || is_user(client, person, user, false);
                require(is_there, "ILLEGAL_TRANSITION")
            }
            Event::Linked { client, person, spell } => {
                require(self.employment[person] == Some(spell), "UNKNOWN_EMPLOYEE")?;
                require(!self.is_assigned(client, person), "ALREADY_ASSIGNED")
            }
            Event::Unlinked { client, person, spell } => {
                require(self.employment[person] == Some(spell), "UNKNOWN_EMPLOYEE")?;
                require(self.is_assigned(client, person), "NOT_ASSIGNED")
            }
            Event::ServicesEnded { client, partner } => require(self.exists_for(client, partner), "NO_SERVICES"),
        }
    }

    /// What a person may do towards a client account.
    fn standing(&self, person: usize, client: usize) -> Option<Set> {
        let user = self.users.get(&(client, person)).filter(|user| user.active)?;
        // R33: only an employee of a partner can be Partner admin.
        let is_none = user.set == Set::PartnerAdmin && self.employment[person].is_none();
        Some(if is_none { Set::Standard } else { user.set })
    }

    fn role(&self, person: usize, partner: usize) -> Option<Role> {
        let (employer, role) = PEOPLE[person].employer?;
        (employer == partner && self.employment[person].is_some()).then_some(role)
    }

    fn require_role(&self, person: usize, partner: usize, roles: &[Role]) -> Result<(), &'static str> {
        match self.role(person, partner) {
            None => Err("UNKNOWN_PARTNER"),
            Some(role) if roles.contains(&role) => Ok(()),
            Some(_) => Err("PERMISSION_MISSING"),
        }
    }

    /// Whether a person may create, delete or flag employees and set domains.
    pub fn may_manage_partner(&self, person: usize, partner: usize) -> Result<(), &'static str> {
        self.require_role(person, partner, &[Role::SuperAdmin])
    }

    /// Whether a person may link clients.
    pub fn may_link(&self, person: usize, partner: usize) -> Result<(), &'static str> {
        self.require_role(person, partner, &[Role::SuperAdmin, Role::Cam])
    }

    /// Whether a person may end services for a client; one that the partner does not know does not exist for it.
    pub fn may_end_services(&self, person: usize, partner: usize, client: usize) -> Result<(), &'static str> {
        self.require_role(person, partner, &[Role::SuperAdmin])?;
        if self.exists_for(client, partner) { Ok(()) } else { Err("UNKNOWN_CLIENT") }
    }

    /// Whether a person may add a user on the client's own side.
    pub fn may_add_user(&self, person: usize, client: usize) -> Result<(), &'static str> {
        match self.standing(person, client) {
            Some(Set::SuperAdmin) => Ok(()),
            Some(_) => Err("PERMISSION_MISSING"),
            None => Err("UNKNOWN_CLIENT"),
        }
    }

    /// Whether a person may add employees of a partner.
    pub fn may_add_employees(&self, person: usize, partner: usize, client: usize) -> Result<(), &'static str> {
        match self.standing(person, client) {
            Some(Set::SuperAdmin) => Ok(()),
            Some(Set::PartnerAdmin) if employer(person) == Some(partner) => Ok(()),
            Some(_) => Err("PERMISSION_MISSING"),
            None if self.role(person, partner).is_some() => Err("PERMISSION_MISSING"),
            None => Err("UNKNOWN_CLIENT"),
        }
    }

    /// Whether a person may deactivate, reactivate or remove somebody.
    pub fn may_manage_user(&self, person: usize, client: usize, target: usize) -> Result<(), &'static str> {
        let own = employer(target)
            .filter(|_| self.ever_employed[target])
            .filter(|partner| self.role(person, *partner).is_some());
        match self.standing(person, client) {
            Some(Set::SuperAdmin) => Ok(()),
            Some(Set::PartnerAdmin) if own.is_some() => Ok(()),
            Some(_) => Err("PERMISSION_MISSING"),
            None if own.is_some() => Err("PERMISSION_MISSING"),
            None => Err("UNKNOWN_CLIENT_USER"),
        }
    }

    /// The users of a client: who, whether active, with which permission set.
    pub fn users_of(&self, client: usize) -> BTreeSet<String> {
        let users = self.users.iter().filter(|((of, _), _)| *of == client);
        users
            .map(|((_, person), user)| {
                let state = if user.active { "ACTIVE" } else { "DEACTIVATED" };
                format!("{} {state} {}", PEOPLE[*person].name, user.set.name())
            })
            .collect()
    }

    /// What the Clients tab shows of a partner's people in a client.
    pub fn access_of(&self, client: usize, partner: usize) -> BTreeSet<String> {
        let people = (0..PEOPLE.len()).filter(|person| employer(*person) == Some(partner));
        people.filter_map(|person| self.access(client, person)).collect()
    }

    fn access(&self, client: usize, person: usize) -> Option<String> {
        let user = self.users.get(&(client, person)).copied().filter(|_| self.ever_employed[person]);
        let kind = match user {
            Some(user) if !user.active => "DEACTIVATED",
            Some(_) => match self.standing(person, client) {
                Some(Set::SuperAdmin) => "SUPER_ADMIN",
                Some(Set::PartnerAdmin) => "PARTNER_ADMIN",
                _ => "STANDARD",
            },
            None if self.is_assigned(client, person) => "LINKED_ONLY",
            None => return None,
        };
        let state = match user {
            None => "PENDING_USER",
            Some(user) if user.active => "EFFECTIVE",
            Some(_) => "SUSPENDED",
        };
        let assignment = match self.claim(client, person) {
            Claim::Automatic { .. } => format!("{state} AUTOMATIC"),
            Claim::ByHand => format!("{state} BY_HAND"),
            Claim::None | Claim::Refused => "unassigned".to_owned(),
        };
        Some(format!("{} {kind} {assignment}", PEOPLE[person].name))
    }

    /// What the Employees tab shows: who, whether the domain matches, how many clients.
    pub fn employees_of(&self, partner: usize) -> BTreeSet<String> {
        let people = (0..PEOPLE.len()).filter(|person| employer(*person) == Some(partner));
        people
            .filter(|person| self.employment[*person].is_some())
            .map(|person| {
                let is_verified = PEOPLE[person].in_domain && self.holds_domain[partner];
                let clients = (0..CLIENTS).filter(|client| self.is_assigned(*client, person)).count();
                format!("{} {is_verified} {clients}", PEOPLE[person].name)
            })
            .collect()
    }
}

pub(super) fn employer(person: usize) -> Option<usize> {
    PEOPLE[person].employer.map(|(partner, _)| partner)
}

/// Everything that happened, in the order of time.
#[derive(Debug, Clone, Default)]
pub(super) struct Programme(BTreeMap<Time, Event>);

impl Programme {
    /// How things stand at an instant.
    pub fn at(&self, time: Time) -> State {
        let mut state = State::new();
        self.0.range(..=time).for_each(|(_, event)| state.play(*event));
        state
    }

    /// Adds an event, if it and all later ones of its sequence are possible (R22).
    pub fn admit(&mut self, time: Time, event: Event) -> Result<(), &'static str> {
        let mut without = self.at(time);
        without.judge(event)?;
        let mut with = without.clone();
        with.play(event);
        for (_, later) in self.0.range(time + 1..) {
            if concerns(event, *later)
                && let Err(refusal) = with.judge(*later)
                && without.judge(*later) != Err(refusal)
            {
                return Err("ILLEGAL_SEQUENCE");
            }
            without.play(*later);
            with.play(*later);
        }
        self.0.insert(time, event);
        Ok(())
    }
}

/// Whether a later event is of the sequence of an earlier one.
fn concerns(earlier: Event, later: Event) -> bool {
    let user = |event| match event {
        Event::Added { client, person, .. }
        | Event::Deactivated { client, person, .. }
        | Event::Reactivated { client, person, .. }
        | Event::Removed { client, person, .. } => Some((client, person)),
        _ => None,
    };
    let link = |event| match event {
        Event::Linked { client, person, spell } | Event::Unlinked { client, person, spell } => {
            Some((client, person, spell))
        }
        _ => None,
    };
    let employee = |event| match event {
        Event::Hired { person, .. } | Event::Dismissed { person, .. } => Some(person),
        _ => link(event).map(|(_, person, _)| person),
    };
    match earlier {
        Event::Added { .. } | Event::Deactivated { .. } | Event::Reactivated { .. } | Event::Removed { .. } => {
            user(earlier) == user(later)
        }
        Event::Linked { .. } | Event::Unlinked { .. } => link(earlier) == link(later),
        Event::Hired { person, .. } | Event::Dismissed { person, .. } => employee(later) == Some(person),
        Event::ServicesEnded { client, partner } => {
            link(later).is_some_and(|(of, person, _)| of == client && employer(person) == Some(partner))
        }
        Event::DomainSet { partner, .. } => match later {
            Event::DomainSet { .. } => true,
            Event::ServicesEnded { partner: of, .. } => of == partner,
            _ => employee(later).is_some_and(|person| employer(person) == Some(partner)),
        },
    }
}
