//! An activity with its verdict on the wire.

use contracts::wire::activity as wire;
use contracts::{timestamp, verdict_to_wire};
use domain::activity::Voiding;

use crate::store::activity::Recorded;

/// An activity as it is told, with who took it back if anybody did.
pub(super) fn judged_activity(recorded: Recorded, voiding: Option<&Voiding>) -> wire::JudgedActivity {
    wire::JudgedActivity {
        activity: Some((&recorded.activity).into()),
        verdict: Some(verdict_to_wire(&recorded.judgement, recorded.provisional)),
        record_time: Some(timestamp(recorded.record_time)),
        voiding: voiding.map(voiding_to_wire),
    }
}

fn voiding_to_wire(voiding: &Voiding) -> wire::Voiding {
    wire::Voiding {
        actor: voiding.actor.to_string(),
        on_behalf_of: voiding.on_behalf_of.as_ref().map(ToString::to_string).unwrap_or_default(),
        reason: voiding.reason.clone(),
        record_time: Some(timestamp(voiding.time)),
    }
}
