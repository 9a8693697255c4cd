//! What a call says beside its message: who makes it, and how long they wait.

use std::time::Duration;

use contracts::wire::error::ErrorReason;
use contracts::{Failure, Violations, Write};
use domain::access::{Actor, EmailAddress};
use domain::time::Instant;
use tonic::Request;
use tonic::codegen::http::HeaderMap;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

use crate::request_log::RequestKey;

/// The longest that a read waits for the revisions it was asked to know.
pub const MAXIMUM_WAIT: Duration = Duration::from_secs(5);

/// The longest that an answer waits for what it needs of another service.
const MAXIMUM_ANSWER_TIME: Duration = Duration::from_secs(20);

/// The longest reason that a write may give, in characters.
const REASON_LENGTH: usize = 500;

/// What a write says beside what it is about.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Who.
    pub actor: Actor,
    /// For whom, if the platform says so.
    pub on_behalf_of: Option<EmailAddress>,
    /// From when on, if that was said.
    pub effective_time: Option<Instant>,
    /// Why; empty where nothing was said.
    pub reason: String,
    /// What makes it safe to repeat, if the caller gave it an id.
    pub request: Option<RequestKey>,
}

impl Statement {
    /// Reads who calls and what every write says: an `effective_time` that is at most `now`, and that only the platform
    /// may state (R22), a `request_id`, a `reason`; what is wrong is a violation.
    ///
    /// # Errors
    /// An actor that is none.
    pub fn read<W: Write>(
        violations: &mut Violations,
        metadata: &MetadataMap,
        request: &W,
        now: Instant,
    ) -> Result<Self, Failure> {
        let actor = actor(metadata)?;
        let on_behalf_of = on_behalf_of(metadata, &actor)?;
        let effective_time = violations.optional_past_instant("effective_time", request.effective_time(), now);
        if effective_time.is_some() && actor != Actor::Platform {
            violations.add("effective_time", "absent: people's changes take effect when they are made (R22)");
        }
        let reason = violations.optional_text("reason", request.reason(), REASON_LENGTH).unwrap_or_default();
        let id = violations.optional_uuid("request_id", request.request_id());
        let caller = format!("{actor} {}", on_behalf_of.as_ref().map(ToString::to_string).unwrap_or_default());
        let request = id.map(|id| RequestKey::of(id, &caller, request));
        Ok(Self { actor, on_behalf_of, effective_time, reason, request })
    }
}

/// Who makes the call: `x-actor` is an e-mail address or `platform`. Without authentication (loopback only) an absent
/// actor is the platform, so that a first grpcurl call just works.
///
/// # Errors
/// A text that is neither.
pub fn actor(metadata: &MetadataMap) -> Result<Actor, Failure> {
    metadata.get(ACTOR).map_or(Ok(Actor::Platform), |value| parse_actor(value.to_str().unwrap_or_default()))
}

/// The metadata that says who makes a call; where callers are proven, whoever was.
pub(crate) const ACTOR: &str = "x-actor";

/// The header that says for whom the platform acts.
pub(crate) const ON_BEHALF_OF: &str = "x-on-behalf-of";

/// Makes a call to another service in the name of an actor.
///
/// # Errors
/// A person whose address metadata cannot carry.
pub fn in_the_name_of<T>(request: &mut Request<T>, actor: &Actor) -> Result<(), Failure> {
    let value: MetadataValue<Ascii> = actor_text(actor)?.parse().map_err(|_| not_ascii())?;
    request.metadata_mut().insert(ACTOR, value);
    Ok(())
}

/// An actor as metadata carries it: ASCII only.
pub(crate) fn actor_text(actor: &Actor) -> Result<String, Failure> {
    let text = actor.to_string();
    if text.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(text) } else { Err(not_ascii()) }
}

fn not_ascii() -> Failure {
    Failure::new(
        ErrorReason::ActorNotAllowed,
        "an address with other letters than ASCII cannot act: metadata has no room for it",
    )
}

pub(crate) fn parse_actor(text: &str) -> Result<Actor, Failure> {
    if text == "platform" {
        return Ok(Actor::Platform);
    }
    text.parse().map(Actor::Person).map_err(|problem| {
        Failure::new(ErrorReason::ActorNotAllowed, format!("x-actor: `platform`, or a person's address: {problem}"))
    })
}

/// For whom the platform acts: `x-on-behalf-of` is an e-mail address.
fn on_behalf_of(metadata: &MetadataMap, actor: &Actor) -> Result<Option<EmailAddress>, Failure> {
    let mut values = metadata.get_all(ON_BEHALF_OF).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let refused = |problem: String| Failure::new(ErrorReason::ActorNotAllowed, format!("{ON_BEHALF_OF}: {problem}"));
    if *actor != Actor::Platform {
        return Err(refused("only the platform acts on behalf of somebody".to_owned()));
    }
    if values.next().is_some() {
        return Err(refused("is given more than once".to_owned()));
    }
    let address = value.to_str().unwrap_or_default().parse();
    address.map(Some).map_err(|problem: domain::access::AddressError| refused(format!("a person's address: {problem}")))
}

/// The platform, who may do everything; people are refused, whoever they are.
///
/// # Errors
/// A person, or an actor that is neither.
pub fn platform_only(metadata: &MetadataMap) -> Result<(), Failure> {
    require_platform(&actor(metadata)?)
}

/// Refuses everybody but the platform.
///
/// # Errors
/// A person.
pub fn require_platform(actor: &Actor) -> Result<(), Failure> {
    match actor {
        Actor::Platform => Ok(()),
        Actor::Person(_) => Err(Failure::new(
            ErrorReason::ActorNotAllowed,
            "only the platform may do this: leave out x-actor, or set it to `platform`",
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
    deadline(metadata.as_ref()).map_or(MAXIMUM_ANSWER_TIME, |deadline| MAXIMUM_ANSWER_TIME.min(deadline * 4 / 5))
}

/// How long the caller waits, if it says so.
pub(crate) fn deadline(headers: &HeaderMap) -> Option<Duration> {
    headers.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(parse_grpc_timeout)
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
    fn people_state_no_effective_time_and_act_for_nobody_else() {
        let request = contracts::wire::access::CreateClientRequest {
            effective_time: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
            request_id: "no uuid".to_owned(),
            reason: "x".repeat(REASON_LENGTH + 1),
            ..contracts::wire::access::CreateClientRequest::default()
        };
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        let mut violations = Violations::default();
        Statement::read(&mut violations, &metadata("x-actor", "anna@agency.example"), &request, now).expect("an actor");
        let failure = violations.finish(|| Some(())).expect_err("three fields are wrong");
        for field in ["effective_time: ", "request_id: ", "reason: "] {
            assert!(failure.message().contains(field), "{field}");
        }

        let mut both = metadata("x-actor", "anna@agency.example");
        both.insert("x-on-behalf-of", "bruno@agency.example".parse().expect("ASCII"));
        let mut violations = Violations::default();
        let refused = Statement::read(&mut violations, &both, &request, now).expect_err("refused");
        assert_eq!(refused.reason(), ErrorReason::ActorNotAllowed);
        let platform = metadata("x-on-behalf-of", "bruno@agency.example");
        let statement = Statement::read(&mut violations, &platform, &request, now).expect("a statement");
        assert_eq!(statement.on_behalf_of, "bruno@agency.example".parse().ok());
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

    #[test]
    fn whoever_says_to_call_is_the_platform_a_person_or_refused() {
        hostile::check(1_000, hostile::text(&["platform", "anna@agency.example"]), |text| {
            let Ok(value) = text.parse() else { return };
            let mut metadata = MetadataMap::new();
            metadata.insert("x-actor", value);
            match actor(&metadata) {
                Ok(Actor::Platform) => assert_eq!(text, "platform"),
                Ok(Actor::Person(address)) => assert_eq!(address.as_str(), text.to_lowercase()),
                Err(failure) => assert_eq!(failure.reason(), ErrorReason::ActorNotAllowed),
            }
        });
    }

    #[test]
    fn whatever_deadline_a_caller_states_an_answer_has_a_limit() {
        hostile::check(1_000, hostile::text(&["500m", "99999999H", "1n", "20S"]), |text| {
            let Ok(value) = text.parse() else { return };
            let mut metadata = MetadataMap::new();
            metadata.insert("grpc-timeout", value);
            assert!(wait_limit(&metadata) <= MAXIMUM_WAIT && answer_limit(&metadata) <= MAXIMUM_ANSWER_TIME);
        });
    }
}
