//! What one client is worth to one partner at one instant (R2, R5, R6, R10-R12, R57, R90, R98, R127).

use super::points::converted_points;
use super::relationship::Relationship;
use super::split::{ServicingPartner, share_of};
use super::subscription::Mrr;
use crate::access::{CountryCode, EndingCause, HubId};
use crate::money::{Money, Points};
use crate::policy::Policy;
use crate::servicing::{PeriodEndCause, ServicingState};
use crate::time::Instant;

/// Everything that the credit of one partner for one client at one instant depends on.
#[derive(Debug, Clone, Copy)]
pub struct CreditQuestion<'a> {
    /// The partner account.
    pub partner: HubId,
    /// The client account.
    pub client: HubId,
    /// The client's country as of the instant; absent while the client is not known (R79).
    pub country: Option<CountryCode>,
    /// What the client pays at the instant.
    pub mrr: Mrr,
    /// All partners that earn at the instant, each with its own tier's minimum (R6, R57). The partner asked about earns
    /// exactly when it is one of them.
    pub servicing_partners: &'a [ServicingPartner],
    /// Where the partner's relationship stands: with a minimum of one activity (R57).
    pub relationship: Relationship,
    /// Where it stands with the minimum of the partner's tier; the same as `relationship` where that is one.
    pub earning: Relationship,
    /// The programme's numbers.
    pub policy: &'a Policy,
    /// The instant that is asked about; all of the above are as of it.
    pub as_of: Instant,
}

/// What one client is worth to one partner at one instant.
///
/// | The partner | MRR | `no_credit_reason` | `credit` | `points` |
/// |---|---|---|---|---|
/// | earns | known, above 0 | none | its share | known, or absent with the reason |
/// | earns | known, 0 | `NoPaidSubscription` | 0 (R11) | 0 |
/// | earns | unknown | `MrrUnknown` | absent (R127) | absent, `MrrUnknown` |
/// | does not earn | known | why it does not | 0 | 0 |
/// | does not earn | unknown | why it does not | absent: a 0 of no currency | 0 |
///
/// Points have no currency, so the points of a partner that does not earn are a true 0 even where the MRR is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManagedCredit {
    /// The state of the managed relationship. `Expiring` speaks of the tier's minimum while the partner earns (R57).
    pub state: ServicingState,
    /// Why there is no credit; absent where the partner earns on a client that is known to pay.
    pub no_credit_reason: Option<NoCreditReason>,
    /// What the client pays.
    pub mrr: Mrr,
    /// How many partners earn on this client, this one included if it does.
    pub servicing_partners: u32,
    /// The partner's share, in the client's currency (R10); absent where it is not known.
    pub credit: Option<Money>,
    /// 1, or more in a growth market (R90); absent while the client's country is not known.
    pub multiplier: Option<u32>,
    /// The managed points.
    pub points: PointsOutcome,
    /// Since when the partner has serviced the client without a gap; absent while it does not.
    pub serviced_since: Option<Instant>,
    /// When the credit ends if nothing more happens; while the partner does not earn, when the relationship does, or
    /// when it did.
    pub expire_time: Option<Instant>,
    /// When the latest counted activity occurred.
    pub last_activity_time: Option<Instant>,
}

/// Why a partner has no credit for a client; the first that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoCreditReason {
    /// A partner earns nothing on its own account (R12).
    OwnAccount,
    /// No activity of the partner has ever counted there.
    NotManaged,
    /// All activities have expired (R55).
    Lapsed,
    /// The last of its employees was removed from the client account (R71).
    AllEmployeesRemoved,
    /// The partner ended its services for the client (R76).
    ServicesEnded,
    /// The partner left the programme (R76).
    PartnerLeft,
    /// The client account was closed (R76).
    ClientClosed,
    /// Activities count, but fewer than the partner's tier needs (R57).
    TierActivityMinimum,
    /// The partner services the client, which pays for nothing (R11, R77).
    NoPaidSubscription,
    /// The partner services the client, and what the client pays is not known (R127).
    MrrUnknown,
}

/// The points of a credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointsOutcome {
    /// So many.
    Known(Points),
    /// They cannot be computed; not zero (R127).
    Absent(PointsAbsentReason),
}

impl PointsOutcome {
    /// The points that a total has of it: none where they cannot be computed.
    #[must_use]
    pub const fn counted(self) -> Points {
        match self {
            Self::Known(points) => points,
            Self::Absent(_) => Points(0),
        }
    }
}

/// Why points cannot be computed; the first that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PointsAbsentReason {
    /// What the client pays is not known.
    MrrUnknown,
    /// The policy has no units per point for the currency (R98).
    UnsupportedCurrency,
    /// The client's country, which the multiplier depends on, is not known.
    CountryUnknown,
}

/// The credit of one partner for one client at one instant.
#[must_use]
pub fn managed_credit(question: &CreditQuestion<'_>) -> ManagedCredit {
    let earns = question.earns();
    let credit = question.credit(earns);
    let multiplier = question.country.map(|country| question.policy.multiplier_at(country, question.as_of));
    let standing = if earns { question.earning } else { question.relationship };
    ManagedCredit {
        state: standing.state,
        no_credit_reason: question.no_credit_reason(earns),
        mrr: question.mrr,
        servicing_partners: u32::try_from(question.servicing_partners.len()).unwrap_or(u32::MAX),
        credit,
        multiplier,
        points: if earns { question.points(credit, multiplier) } else { PointsOutcome::Known(Points(0)) },
        serviced_since: question.serviced_since(),
        expire_time: standing.expire_time,
        last_activity_time: question.relationship.last_activity_time,
    }
}

impl CreditQuestion<'_> {
    fn is_own_account(&self) -> bool {
        self.partner == self.client
    }

    fn earns(&self) -> bool {
        let is_servicing = self.servicing_partners.iter().any(|servicing| servicing.partner == self.partner);
        is_servicing && !self.is_own_account()
    }

    fn credit(&self, earns: bool) -> Option<Money> {
        let Mrr::Known { mrr, .. } = self.mrr else { return None };
        if !earns {
            return Some(Money::zero(mrr.currency));
        }
        share_of(mrr, self.servicing_partners, self.partner)
    }

    fn serviced_since(&self) -> Option<Instant> {
        match self.relationship.state {
            ServicingState::Active | ServicingState::Expiring => self.relationship.serviced_since,
            ServicingState::None | ServicingState::Ended(_) => None,
        }
    }

    fn no_credit_reason(&self, earns: bool) -> Option<NoCreditReason> {
        if !earns {
            return Some(self.no_servicing_reason());
        }
        match self.mrr {
            Mrr::Unknown => Some(NoCreditReason::MrrUnknown),
            Mrr::Known { mrr, .. } => (mrr.minor_units == 0).then_some(NoCreditReason::NoPaidSubscription),
        }
    }

    fn no_servicing_reason(&self) -> NoCreditReason {
        if self.is_own_account() {
            return NoCreditReason::OwnAccount;
        }
        match self.relationship.state {
            ServicingState::None => NoCreditReason::NotManaged,
            ServicingState::Active | ServicingState::Expiring => NoCreditReason::TierActivityMinimum,
            ServicingState::Ended(cause) => NoCreditReason::from(cause),
        }
    }

    fn points(&self, credit: Option<Money>, multiplier: Option<u32>) -> PointsOutcome {
        let Some(share) = credit else { return PointsOutcome::Absent(PointsAbsentReason::MrrUnknown) };
        if share.minor_units == 0 {
            return PointsOutcome::Known(Points(0));
        }
        let Some(units_per_point) = self.policy.units_per_point_at(share.currency, self.as_of) else {
            return PointsOutcome::Absent(PointsAbsentReason::UnsupportedCurrency);
        };
        let Some(multiplier) = multiplier else {
            return PointsOutcome::Absent(PointsAbsentReason::CountryUnknown);
        };
        PointsOutcome::Known(converted_points(share, units_per_point, multiplier))
    }
}

impl From<PeriodEndCause> for NoCreditReason {
    fn from(cause: PeriodEndCause) -> Self {
        match cause {
            PeriodEndCause::Lapsed => Self::Lapsed,
            PeriodEndCause::Ended(EndingCause::AllEmployeesRemoved) => Self::AllEmployeesRemoved,
            PeriodEndCause::Ended(EndingCause::ServicesEnded) => Self::ServicesEnded,
            PeriodEndCause::Ended(EndingCause::PartnerLeft) => Self::PartnerLeft,
            PeriodEndCause::Ended(EndingCause::ClientClosed) => Self::ClientClosed,
        }
    }
}

#[cfg(test)]
mod tests;
