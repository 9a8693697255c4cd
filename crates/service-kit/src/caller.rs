//! What a call says beside its message: who makes it, and how long they wait.

use std::time::Duration;

use contracts::wire::error::ErrorReason;
use contracts::{Failure, Violations};
use domain::access::Actor;
use domain::time::Instant;
use prost_types::Timestamp;
use tonic::metadata::MetadataMap;

/// The longest that a read waits for the revisions it was asked to know.
pub const MAXIMUM_WAIT: Duration = Duration::from_secs(5);

/// The longest that an answer waits for what it needs of another service.
const MAXIMUM_ANSWER_TIME: Duration = Duration::from_secs(20);

/// Who states something, and from when on it is true: absent means now.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Who.
    pub actor: Actor,
    /// From when on, if that was said.
    pub effective_time: Option<Instant>,
}

impl Statement {
    /// Reads who calls, and the `effective_time` of the request, which is at most `now`; a wrong one is a violation.
    ///
    /// # Errors
    /// An actor that may not state anything.
    pub fn read(
        violations: &mut Violations,
        metadata: &MetadataMap,
        effective_time: Option<&Timestamp>,
        now: Instant,
    ) -> Result<Self, Failure> {
        let actor = platform_only(metadata)?;
        let effective_time = violations.optional_past_instant("effective_time", effective_time, now);
        Ok(Self { actor, effective_time })
    }
}

/// Who makes the call: `x-actor` is an e-mail address or `platform`. Without authentication (loopback only) an absent
/// actor is the platform, so that a first grpcurl call just works.
///
/// # Errors
/// A text that is neither.
fn actor(metadata: &MetadataMap) -> Result<Actor, Failure> {
    let Some(value) = metadata.get("x-actor") else { return Ok(Actor::Platform) };
    let text = value.to_str().unwrap_or_default();
    if text == "platform" {
        return Ok(Actor::Platform);
    }
    text.parse().map(Actor::Person).map_err(|problem| {
        Failure::new(ErrorReason::ActorNotAllowed, format!("x-actor: `platform`, or a person's address: {problem}"))
    })
}

/// The platform, who may do everything; people are refused: what they may do is not judged yet.
///
/// # Errors
/// A person, or an actor that is neither.
pub fn platform_only(metadata: &MetadataMap) -> Result<Actor, Failure> {
    match actor(metadata)? {
        Actor::Platform => Ok(Actor::Platform),
        Actor::Person(_) => Err(Failure::new(
            ErrorReason::ActorNotAllowed,
            "this service takes calls of the platform only, for now: leave out x-actor, or set it to `platform`",
        )),
    }
}

/// How long this call may wait for newer facts: 5 seconds, or 80 % of its deadline where that is less, so that an
/// answer still arrives before the caller gives up.
#[must_use]
pub fn wait_limit(metadata: &MetadataMap) -> Duration {
    answer_limit(metadata).min(MAXIMUM_WAIT)
}

/// How long the whole answer may take where it needs another service: 20 seconds, or 80 % of the call's deadline where
/// that is less.
#[must_use]
pub fn answer_limit(metadata: &MetadataMap) -> Duration {
    let deadline = metadata.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(parse_grpc_timeout);
    deadline.map_or(MAXIMUM_ANSWER_TIME, |deadline| MAXIMUM_ANSWER_TIME.min(deadline * 4 / 5))
}

/// The `TimeoutValue TimeoutUnit` of the gRPC protocol, for example `500m`.
fn parse_grpc_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let value: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3_600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(key: &'static str, value: &'static str) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        metadata.insert(key, value.parse().expect("ASCII"));
        metadata
    }

    #[test]
    fn an_absent_actor_is_the_platform() {
        assert!(matches!(actor(&MetadataMap::new()), Ok(Actor::Platform)));
        assert!(matches!(actor(&metadata("x-actor", "platform")), Ok(Actor::Platform)));
    }

    #[test]
    fn a_person_is_refused_and_so_is_nonsense() {
        assert!(matches!(actor(&metadata("x-actor", "Anna@Agency.Example")), Ok(Actor::Person(_))));
        for refused in ["anna@agency.example", "root", ""] {
            let failure = platform_only(&metadata("x-actor", refused)).expect_err("refused");
            assert_eq!(failure.reason(), ErrorReason::ActorNotAllowed);
        }
    }

    #[test]
    fn a_wait_ends_before_the_deadline() {
        assert_eq!(wait_limit(&MetadataMap::new()), Duration::from_secs(5));
        assert_eq!(wait_limit(&metadata("grpc-timeout", "1000m")), Duration::from_millis(800));
        assert_eq!(wait_limit(&metadata("grpc-timeout", "1H")), Duration::from_secs(5));
        assert_eq!(wait_limit(&metadata("grpc-timeout", "x")), Duration::from_secs(5));
    }

    #[test]
    fn an_answer_that_needs_another_service_has_more_time_than_a_wait_and_less_than_the_deadline() {
        assert_eq!(answer_limit(&MetadataMap::new()), Duration::from_secs(20));
        assert_eq!(answer_limit(&metadata("grpc-timeout", "10S")), Duration::from_secs(8));
        assert_eq!(answer_limit(&metadata("grpc-timeout", "1H")), Duration::from_secs(20));
    }
}
