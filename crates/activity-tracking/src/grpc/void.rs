//! VoidActivity on the wire.

use contracts::wire::activity as wire;
use contracts::{ActivityName, Failure, Violations};
use domain::activity::Voiding;
use domain::time::Instant;
use service_kit::Statement;

use super::activities::told_activity;
use crate::operations::Voided;

/// What is taken back, and what is said of it.
pub(super) fn question(
    mut violations: Violations,
    request: &wire::VoidActivityRequest,
    statement: &Statement,
    now: Instant,
) -> Result<(ActivityName, Voiding), Failure> {
    let name: Option<ActivityName> = violations.parse("name", &request.name);
    let Statement { actor, on_behalf_of, .. } = statement;
    let voiding = Voiding::new(now, actor.clone(), on_behalf_of.clone(), &request.reason);
    let voiding = violations.check("reason", voiding);
    violations.finish(|| name.zip(voiding))
}

pub(super) fn response(voided: Voided) -> wire::VoidActivityResponse {
    let Voided { told, already_voided, revision } = voided;
    wire::VoidActivityResponse { activity: Some(told_activity(told)), already_voided, revision: revision.to_string() }
}
