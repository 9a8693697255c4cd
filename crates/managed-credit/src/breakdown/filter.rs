//! Which clients of a breakdown are asked for.

use clap::{Args, ValueEnum};
use contracts::wire::credit::{CreditState, ManagedCreditFilter, NoCreditReason};

/// Every one that is given must apply.
#[derive(Debug, Args, Default)]
pub(crate) struct FilterFlags {
    /// Only in these states
    #[arg(long, env = "MANAGED_CREDIT_STATE", value_enum, value_name = "STATE", value_delimiter = ',')]
    state: Vec<State>,
    /// Only of clients that pay in this currency, for example EUR
    #[arg(long, env = "MANAGED_CREDIT_CURRENCY", value_name = "CODE", default_value = "")]
    currency: String,
    /// Only of clients in a growth market, or not
    #[arg(long, env = "MANAGED_CREDIT_GROWTH", value_name = "true|false")]
    growth: Option<bool>,
    /// Only shared with other servicing partners, or not
    #[arg(long, env = "MANAGED_CREDIT_SHARED", value_name = "true|false")]
    shared: Option<bool>,
    /// Only with credit that ends within so many days if nothing else happens
    #[arg(long, env = "MANAGED_CREDIT_EXPIRING_WITHIN", value_name = "DAYS", default_value_t = 0)]
    expiring_within: i32,
    /// Only without credit for one of these reasons
    #[arg(long, env = "MANAGED_CREDIT_REASON", value_enum, value_name = "REASON", value_delimiter = ',')]
    reason: Vec<Reason>,
    /// Only with credit, or without
    #[arg(long, env = "MANAGED_CREDIT_WITH_CREDIT", value_name = "true|false")]
    with_credit: Option<bool>,
}

/// A state of a relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// Nothing has counted yet
    NotManaged,
    /// Serviced
    Active,
    /// Serviced, and ends soon
    Expiring,
    /// Over
    Ended,
}

/// Why there is no credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reason {
    /// Nothing has counted yet
    NotManaged,
    /// No work in time
    Lapsed,
    /// All people were removed
    AllEmployeesRemoved,
    /// The partner ended its services
    ServicesEnded,
    /// The partner left the programme
    PartnerLeft,
    /// The account was closed
    ClientClosed,
    /// Too little work for the tier
    TierActivityMinimum,
    /// The client pays for nothing
    NoPaidSubscription,
    /// What the client pays is not known
    MrrUnknown,
    /// The partner's own account
    OwnAccount,
}

impl FilterFlags {
    pub fn message(&self) -> ManagedCreditFilter {
        ManagedCreditFilter {
            states: self.state.iter().map(|state| CreditState::from(*state).into()).collect(),
            currency_code: self.currency.clone(),
            growth_market: self.growth,
            shared: self.shared,
            expiring_within_days: self.expiring_within,
            no_credit_reasons: self.reason.iter().map(|reason| NoCreditReason::from(*reason).into()).collect(),
            with_credit: self.with_credit,
        }
    }
}

impl From<State> for CreditState {
    fn from(state: State) -> Self {
        match state {
            State::NotManaged => Self::NotManaged,
            State::Active => Self::Active,
            State::Expiring => Self::Expiring,
            State::Ended => Self::Ended,
        }
    }
}

impl From<Reason> for NoCreditReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::NotManaged => Self::NotManaged,
            Reason::Lapsed => Self::Lapsed,
            Reason::AllEmployeesRemoved => Self::AllEmployeesRemoved,
            Reason::ServicesEnded => Self::ServicesEnded,
            Reason::PartnerLeft => Self::PartnerLeft,
            Reason::ClientClosed => Self::ClientClosed,
            Reason::TierActivityMinimum => Self::TierActivityMinimum,
            Reason::NoPaidSubscription => Self::NoPaidSubscription,
            Reason::MrrUnknown => Self::MrrUnknown,
            Reason::OwnAccount => Self::OwnAccount,
        }
    }
}
