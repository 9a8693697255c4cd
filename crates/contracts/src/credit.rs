//! Money, credit and explanations on the wire.

mod explanation;

use domain::access::EndingCause;
use domain::credit::{NoCreditReason, PointsAbsentReason, PointsCause, PointsKind, SubscriptionRefusal};
use domain::money::{Currency, Money};
use domain::servicing::ServicingState;
use tonic_types::FieldViolation;

use crate::wire::credit as wire;
use crate::wire::error::ErrorReason;
use crate::{Failure, Violations};

/// The amount that a caller states, or violations of `path`.
pub fn money_from_wire(violations: &mut Violations, path: &str, stated: Option<&wire::Money>) -> Option<Money> {
    let Some(stated) = stated else {
        violations.add(path, "is needed: a currency_code and an amount");
        return None;
    };
    let currency: Currency = violations.parse(&format!("{path}.currency_code"), &stated.currency_code)?;
    violations.check(&format!("{path}.amount"), Money::parse(currency, &stated.amount))
}

impl From<&Money> for wire::Money {
    fn from(money: &Money) -> Self {
        Self { currency_code: money.currency.code().to_owned(), amount: money.amount() }
    }
}

impl From<ServicingState> for wire::CreditState {
    fn from(state: ServicingState) -> Self {
        match state {
            ServicingState::None => Self::NotManaged,
            ServicingState::Active => Self::Active,
            ServicingState::Expiring => Self::Expiring,
            ServicingState::Ended(_) => Self::Ended,
        }
    }
}

impl From<NoCreditReason> for wire::NoCreditReason {
    fn from(reason: NoCreditReason) -> Self {
        match reason {
            NoCreditReason::OwnAccount => Self::OwnAccount,
            NoCreditReason::NotManaged => Self::NotManaged,
            NoCreditReason::Lapsed => Self::Lapsed,
            NoCreditReason::AllEmployeesRemoved => Self::AllEmployeesRemoved,
            NoCreditReason::ServicesEnded => Self::ServicesEnded,
            NoCreditReason::PartnerLeft => Self::PartnerLeft,
            NoCreditReason::ClientClosed => Self::ClientClosed,
            NoCreditReason::TierActivityMinimum => Self::TierActivityMinimum,
            NoCreditReason::NoPaidSubscription => Self::NoPaidSubscription,
            NoCreditReason::MrrUnknown => Self::MrrUnknown,
        }
    }
}

/// Why there is no credit; nothing where no reason is stated.
#[must_use]
pub const fn no_credit_reason_from_wire(reason: wire::NoCreditReason) -> Option<NoCreditReason> {
    match reason {
        wire::NoCreditReason::Unspecified => None,
        wire::NoCreditReason::OwnAccount => Some(NoCreditReason::OwnAccount),
        wire::NoCreditReason::NotManaged => Some(NoCreditReason::NotManaged),
        wire::NoCreditReason::Lapsed => Some(NoCreditReason::Lapsed),
        wire::NoCreditReason::AllEmployeesRemoved => Some(NoCreditReason::AllEmployeesRemoved),
        wire::NoCreditReason::ServicesEnded => Some(NoCreditReason::ServicesEnded),
        wire::NoCreditReason::PartnerLeft => Some(NoCreditReason::PartnerLeft),
        wire::NoCreditReason::ClientClosed => Some(NoCreditReason::ClientClosed),
        wire::NoCreditReason::TierActivityMinimum => Some(NoCreditReason::TierActivityMinimum),
        wire::NoCreditReason::NoPaidSubscription => Some(NoCreditReason::NoPaidSubscription),
        wire::NoCreditReason::MrrUnknown => Some(NoCreditReason::MrrUnknown),
    }
}

impl From<PointsAbsentReason> for wire::PointsAbsentReason {
    fn from(reason: PointsAbsentReason) -> Self {
        match reason {
            PointsAbsentReason::MrrUnknown => Self::MrrUnknown,
            PointsAbsentReason::UnsupportedCurrency => Self::UnsupportedCurrency,
            PointsAbsentReason::CountryUnknown => Self::CountryUnknown,
        }
    }
}

impl From<PointsCause> for wire::PointChangeCause {
    fn from(cause: PointsCause) -> Self {
        match cause {
            PointsCause::Policy => Self::Policy,
            PointsCause::Country => Self::Country,
            PointsCause::Mrr => Self::Mrr,
            PointsCause::TierMinimum => Self::TierMinimum,
            PointsCause::Activity => Self::Activity,
            PointsCause::Lapse => Self::Lapse,
            PointsCause::Ending(EndingCause::AllEmployeesRemoved) => Self::AllEmployeesRemoved,
            PointsCause::Ending(EndingCause::ServicesEnded) => Self::ServicesEnded,
            PointsCause::Ending(EndingCause::PartnerLeft) => Self::PartnerLeft,
            PointsCause::Ending(EndingCause::ClientClosed) => Self::ClientClosed,
            PointsCause::Share => Self::Share,
            PointsCause::SaleRunOut => Self::SaleRunOut,
            PointsCause::Sale => Self::Sale,
        }
    }
}

impl From<PointsKind> for wire::PointsKind {
    fn from(kind: PointsKind) -> Self {
        match kind {
            PointsKind::Managed => Self::Managed,
            PointsKind::Sold => Self::Sold,
        }
    }
}

impl From<&SubscriptionRefusal> for Failure {
    fn from(refusal: &SubscriptionRefusal) -> Self {
        let of_reason = |reason| Self::new(reason, refusal.to_string());
        match refusal {
            SubscriptionRefusal::EffectiveTimeInFuture { .. } => {
                Self::of_fields(vec![FieldViolation::new("effective_time", refusal.to_string())])
            }
            SubscriptionRefusal::AlreadyExists { differing_fields, .. } => {
                of_reason(ErrorReason::SubscriptionExists).with("differing_fields", differing_fields.join(","))
            }
            SubscriptionRefusal::UnknownSubscription { .. } | SubscriptionRefusal::NotYetBegun { .. } => {
                of_reason(ErrorReason::UnknownSubscription)
            }
            SubscriptionRefusal::OtherCurrency { .. } => of_reason(ErrorReason::CurrencyConflict),
            SubscriptionRefusal::TooManySubscriptions | SubscriptionRefusal::SumTooLarge { .. } => {
                of_reason(ErrorReason::SubscriptionLimit)
            }
        }
    }
}
