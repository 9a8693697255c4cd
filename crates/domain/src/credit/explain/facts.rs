//! What an explanation is made of: plain values as of one instant.

use rust_decimal::Decimal;

use super::change::ChangeFacts;
use super::prospect::Prospect;
use crate::access::{
    AssignmentOrigin, AssignmentState, ClientUserState, CountryCode, EmailAddress, EndingCause, HubId,
};
use crate::activity::NotCountedReason;
use crate::credit::ManagedCredit;
use crate::credit::loss::{CreditLoss, MinimumFacts};
use crate::servicing::Standing;
use crate::time::{Instant, Period};

/// Everything that is known of one partner at one client as of one instant. Nothing in it occurred later than `as_of`;
/// only ends that lie ahead may (R63).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplanationFacts {
    /// The partner that asks.
    pub partner: PartnerFacts,
    /// The client that is asked about.
    pub client: ClientFacts,
    /// The instant that is asked about.
    pub as_of: Instant,
    /// Everybody of the partner who has, or had, anything to do with the client, in any order; nobody else (R127).
    pub people: Vec<PersonFacts>,
    /// Activities of the partner that were counted, newest first; the caller may leave out older ones.
    pub counted: Vec<CountedFacts>,
    /// Activities that were not counted and that the partner may see, newest first; the caller may leave out older
    /// ones.
    pub not_counted: Vec<NotCountedFacts>,
    /// Where the relationship stands, with a minimum of one activity (R57).
    pub relationship: Standing,
    /// When the first relationship began; absent where there never was one.
    pub first_serviced: Option<Instant>,
    /// How many activities the partner's tier needs (R57).
    pub minimum: MinimumFacts,
    /// Since when the partner earns without a gap, or does not earn any more; absent where it never did.
    pub earning_since: Option<Instant>,
    /// The last time that there was no credit any more; absent where it was never lost.
    pub last_loss: Option<CreditLoss>,
    /// What ended relationships with the client at once, in order (R71, R76).
    pub endings: Vec<EndingFacts>,
    /// How many units of the client's currency are one point; absent where the policy has no number for it (R98).
    pub units_per_point: Option<Decimal>,
    /// Since when that is so; absent where it always was, or is not.
    pub units_since: Option<Instant>,
    /// From when on work outlives the credit's expiry; absent where all work from now on does. It does not where the
    /// programme has made the window shorter since (R63).
    pub outlasting_from: Option<Instant>,
    /// Whether any kind of action qualifies at the instant (R50).
    pub something_qualifies: bool,
    /// The row that is explained.
    pub credit: ManagedCredit,
}

/// The partner that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerFacts {
    /// The partner account.
    pub partner: HubId,
    /// In the programme from when to when; absent while the partner is not known.
    pub programme: Option<Period>,
    /// The change by which it left, if it did.
    pub left: Option<ChangeFacts>,
}

/// The client that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFacts {
    /// The client account.
    pub client: HubId,
    /// Its name; absent while the client is not known.
    pub display_name: Option<String>,
    /// Whether its account is known at the instant.
    pub is_known: bool,
    /// When its account was closed.
    pub closed_time: Option<Instant>,
    /// Where it is, and since when that is a fact; absent while it is not known.
    pub country: Option<(CountryCode, Instant)>,
}

/// A person of the partner, and what it is at the client at the instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonFacts {
    /// Its name.
    pub display_name: String,
    /// Its address.
    pub address: EmailAddress,
    /// When it was a user of the partner account.
    pub employments: Vec<EmploymentFacts>,
    /// What its address is in the client account.
    pub user_state: ClientUserState,
    /// Since when; absent where it never was a user there.
    pub user_state_since: Option<Instant>,
    /// Since when the present user is there, active or not.
    pub user_since: Option<Instant>,
    /// Its assignment to the client; absent while there is none.
    pub assignment: Option<AssignmentFacts>,
    /// Since when the client is assigned no more; absent where it is, or never was.
    pub unassigned_since: Option<Instant>,
    /// The changes by which it is what it is.
    pub changes: PersonChanges,
    /// What becomes of its work there once it lacks nothing.
    pub prospect: Prospect,
}

/// The changes by which a person is what it is; absent where there was none, or where it came about by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonChanges {
    /// It was created or deleted in the partner account.
    pub employment: Option<ChangeFacts>,
    /// It was flagged, or its flag was taken away.
    pub flag: Option<ChangeFacts>,
    /// It was added to the client account, or removed from there.
    pub user: Option<ChangeFacts>,
    /// It was added, deactivated, reactivated or removed there, whatever came last.
    pub user_state: Option<ChangeFacts>,
    /// The client was linked or unlinked, or the services were ended.
    pub assignment: Option<ChangeFacts>,
}

/// One stretch of time in the partner account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmploymentFacts {
    /// From creation to deletion of the user.
    pub period: Period,
    /// Whether it was flagged as partner employee (R20).
    pub partner_employee: bool,
    /// Since when the flag is so.
    pub flag_since: Option<Instant>,
}

/// An assignment at the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssignmentFacts {
    /// Its state; in each of them the client is assigned.
    pub state: AssignmentState,
    /// Since when the client is assigned without a gap.
    pub since: Instant,
    /// How it came about.
    pub origin: AssignmentOrigin,
}

/// What ended relationships at once, and by which change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingFacts {
    /// From when on earlier activities no longer count (R73).
    pub time: Instant,
    /// Why.
    pub cause: EndingCause,
    /// By which change.
    pub change: Option<ChangeFacts>,
}

/// What somebody did at the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityFacts {
    /// The name of a person of the partner; absent for anybody else (R127).
    pub person: Option<String>,
    /// The tool, or the source's own words where they mean none.
    pub tool: String,
    /// The action.
    pub action: String,
    /// When.
    pub occur_time: Instant,
}

/// An activity that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedFacts {
    /// What was done.
    pub activity: ActivityFacts,
    /// From when on it no longer counts, if nothing ended it before.
    pub expire_time: Instant,
}

/// An activity that was not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCountedFacts {
    /// What was done.
    pub activity: ActivityFacts,
    /// Why it does not count.
    pub reason: NotCountedReason,
}

impl ExplanationFacts {
    /// How a sentence names the client.
    pub(super) fn client_name(&self) -> String {
        let number = || format!("client {}", self.client.client);
        self.client.display_name.clone().unwrap_or_else(number)
    }

    pub(super) fn is_own_account(&self) -> bool {
        self.partner.partner == self.client.client
    }

    /// Whether the partner is in the programme; absent where it is not known.
    pub(super) fn is_in_programme(&self) -> Option<bool> {
        self.partner.programme.map(|programme| programme.contains(self.as_of))
    }

    pub(super) fn is_client_closed(&self) -> bool {
        self.client.closed_time.is_some_and(|closed_time| closed_time <= self.as_of)
    }

    /// The latest activity that was counted.
    pub(super) fn last_counted(&self) -> Option<&CountedFacts> {
        self.counted.first()
    }

    /// Whether an ending before an instant cut the activity off (R73).
    pub(super) fn was_cut_off_before(&self, counted: &CountedFacts, at: Instant) -> bool {
        self.endings.iter().any(|ending| counted.activity.occur_time < ending.time && ending.time < at)
    }

    /// The ending at an instant.
    pub(super) fn ending_at(&self, time: Instant) -> Option<&EndingFacts> {
        self.endings.iter().find(|ending| ending.time == time)
    }
}
