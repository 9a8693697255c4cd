//! What each identity is to be answered by each RPC: from the matrix of permissions, R26 and R127.

mod access;
mod activity;
mod credit;
mod maintenance;

use super::identity::Identity;

/// The rows of one service: its full name, and each of its methods with what is asked of it.
pub type Rows = (&'static str, &'static [(&'static str, &'static [Aim])]);

/// All services.
pub const TABLE: [Rows; 6] =
    [access::MANAGEMENT, access::FEED, activity::TRACKING, activity::FEED, credit::CALCULATION, maintenance::ROWS];

/// A request, and what everybody is to be answered.
#[derive(Debug)]
pub struct Aim {
    /// In the text format; a word that begins with `$` stands for a name.
    pub request: &'static str,
    expected: [Expected; 4],
    /// Whether what it names is there, so that the platform can do it.
    pub is_possible: bool,
}

/// What somebody is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// That only the platform may.
    NotAllowed,
    /// That this permission is missing, whether or not what is asked for is there.
    Missing(&'static str),
    /// That this permission is missing, for what exists for them.
    MissingThere(&'static str),
    /// A refusal for this reason.
    Refused(&'static str),
    /// An answer that is its own.
    Answered,
    /// An answer that is its own and holds this text, so that it is not just empty.
    Holding(&'static str),
    /// What the platform is answered.
    Same,
}

use Expected::{Missing, MissingThere, NotAllowed, Refused, Same};

impl Aim {
    /// What an identity is to be answered.
    pub const fn expected(&self, identity: Identity) -> Expected {
        self.expected[identity as usize]
    }
}

/// Only the platform may.
const fn platform(request: &'static str) -> Aim {
    Aim { request, expected: [NotAllowed; 4], is_possible: true }
}

/// Everybody may, and is answered the same.
const fn everybody(request: &'static str) -> Aim {
    Aim { request, expected: [Same; 4], is_possible: true }
}

/// Everybody is refused for this reason.
const fn nobody(request: &'static str, reason: &'static str) -> Aim {
    Aim { request, expected: [Refused(reason); 4], is_possible: false }
}

/// It is theirs: for others it does not exist, and Bruno is answered this.
const fn theirs(request: &'static str, unknown: &'static str, bruno: Expected) -> Aim {
    let unknown = Refused(unknown);
    Aim { request, expected: [unknown, unknown, bruno, unknown], is_possible: true }
}

/// Asked in the name of Dora's partner: she is answered this, Eve has not the permission, and for others it does not exist.
const fn own(request: &'static str, dora: Expected, permission: &'static str) -> Aim {
    let unknown = Refused("UNKNOWN_PARTNER");
    Aim { request, expected: [dora, Missing(permission), unknown, unknown], is_possible: false }
}

/// Asked of the shared client, of which only Dora is a user: for others it does not exist.
const fn shared(request: &'static str, dora: Expected, unknown: &'static str) -> Aim {
    let unknown = Refused(unknown);
    Aim { request, expected: [dora, unknown, unknown, unknown], is_possible: true }
}

/// Nobody of these may: some may know what is missing, and for the others it does not exist.
const fn in_sight(request: &'static str, sees: [bool; 4], permission: &'static str, unknown: &'static str) -> Aim {
    let mut expected = [Refused(unknown); 4];
    let mut index = 0;
    while index < sees.len() {
        if sees[index] {
            expected[index] = Missing(permission);
        }
        index += 1;
    }
    Aim { request, expected, is_possible: true }
}

/// The user of one of theirs in the shared client. That there is one Bruno may know, who is of the same partner.
const fn shared_colleague(permission: &'static str) -> Aim {
    let unknown = Refused("UNKNOWN_CLIENT_USER");
    let expected = [Missing(permission), unknown, MissingThere(permission), unknown];
    Aim { request: r#"name: "clients/$shared/users/$shared_user""#, expected, is_possible: true }
}
