//! What servicing is worth: MRR, shares, points.

mod points;
mod split;
mod subscription;
#[cfg(test)]
mod testing;

pub use points::{MAXIMUM_POINTS, managed_points};
pub use split::{ServicingPartner, Share, split};
pub use subscription::{
    MAXIMUM_SUBSCRIPTIONS, Mrr, SubscriptionChange, SubscriptionHistory, SubscriptionId, SubscriptionIdError,
    SubscriptionRefusal, SubscriptionUpdate,
};
