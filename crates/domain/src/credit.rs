//! What servicing is worth: MRR, shares, points, and why a client counts for a partner or does not.
//!
//! Owns: the subscriptions' timeline, the equal split, the conversion to points, the credit of a (partner, client,
//! instant), its explanation in words. Does not own: who services a client since when (`servicing`), or the numbers that
//! the programme changes (`policy`).
//! Invariants: shares add up to the MRR; a number is rounded once; an unknown is absent, never a zero (R127).

mod credit_facts;
mod explain;
mod loss;
mod managed_credit;
mod point_change;
mod points;
mod relationship;
mod sold;
mod split;
mod subscription;
#[cfg(test)]
mod testing;
mod timeline;
mod totals;
#[cfg(test)]
mod world;

pub use credit_facts::{CountryHistory, CreditFacts, RELATIONSHIP_MINIMUM, ServicingFacts, Terms};
pub use explain::{
    ActivityFacts, AssignmentFacts, ChangeFacts, ChangedBy, ClientFacts, Condition, ConditionKind, ConditionStatus,
    CountedFacts, EmploymentFacts, EndingFacts, Evidence, Explanation, ExplanationFacts, ExplanationGrounds, Loss,
    NotCountedFacts, PartnerFacts, PartnerView, PersonChanges, PersonFacts, Prospect, Remedy, RemedyAim, RemedyPerson,
    RemedyStep, RemedyStepKind, RemedyTaker, explain,
};
pub use loss::{CreditLoss, LossCause, MinimumChange, MinimumFacts};
pub use managed_credit::{
    CreditQuestion, ManagedCredit, NoCreditReason, PointsAbsentReason, PointsOutcome, managed_credit,
};
pub use point_change::{CreditValue, PointChange, PointsCause, PointsKind, point_changes};
pub use points::{MAXIMUM_POINTS, converted_points};
pub use relationship::{Relationship, StoredRelationship, stored_relationship};
pub use sold::{SaleKind, SaleKindError, SoldCredit, SoldCreditId, SoldCreditIdError};
pub use split::{ServicingPartner, Share, split};
pub use subscription::{
    MAXIMUM_SUBSCRIPTIONS, Mrr, SubscriptionChange, SubscriptionHistory, SubscriptionId, SubscriptionIdError,
    SubscriptionRefusal, SubscriptionUpdate,
};
pub use timeline::{MAXIMUM_TIMELINE_DAYS, PointsTimeline, is_timeline_stretch, timeline_end, timeline_start};
pub use totals::{ClientPoints, PartnerPoints, PointsTotal};
