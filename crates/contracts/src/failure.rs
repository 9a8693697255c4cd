//! Refusals on the wire: one value, one mapping to gRPC (status code, `ErrorInfo`, `BadRequest`, `RetryInfo`).

use std::collections::HashMap;
use std::time::Duration;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::wire::error::ErrorReason;

/// The `domain` of every `google.rpc.ErrorInfo`.
const ERROR_DOMAIN: &str = "managed-credit";

/// The most bytes of violations that one refusal carries. gRPC sends a refusal in headers, all of its text three times,
/// and many clients read no more than 8 KiB of them: a longer one would reach them as a fault of the transport.
const MAXIMUM_VIOLATION_BYTES: usize = 1_500;

/// The most bytes of one text of a refusal, for the same reason: it may repeat what a caller sent, which may be long.
const MAXIMUM_TEXT_BYTES: usize = 500;

/// How long a caller should wait before it tries again what may work later.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Why a call, or an item of a batch, was refused. Its texts are for the caller: nothing internal belongs into them.
#[derive(Debug, Clone)]
pub struct Failure {
    reason: ErrorReason,
    message: String,
    metadata: HashMap<String, String>,
    violations: Vec<FieldViolation>,
}

impl Failure {
    /// A refusal with a sentence that says what is wrong and what would be right.
    #[must_use]
    pub fn new(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self { reason, message: cut(message.into()), metadata: HashMap::new(), violations: Vec::new() }
    }

    /// A refusal of fields, all at once; of very many the first, and how many more there are.
    #[must_use]
    pub fn of_fields(violations: Vec<FieldViolation>) -> Self {
        let all = violations.len();
        let short = |violation: FieldViolation| FieldViolation::new(cut(violation.field), cut(violation.description));
        let mut violations: Vec<FieldViolation> = violations.into_iter().map(short).collect();
        violations.truncate(count_that_fits(&violations));
        let mut listed: Vec<String> =
            violations.iter().map(|violation| format!("{}: {}", violation.field, violation.description)).collect();
        if violations.len() < all {
            listed.push(format!("and {} more", all - violations.len()));
        }
        Self { reason: ErrorReason::InvalidFields, message: listed.join("; "), metadata: HashMap::new(), violations }
    }

    /// A fault of ours; what it was belongs into the log.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            ErrorReason::InternalFault,
            "an internal fault; the service's log has it under the answer's x-request-id",
        )
    }

    /// Adds a value that programs can act on: a name, a number or a list of ours that is short already, never what somebody
    /// has sent. It is not cut, because half a list is another list.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.metadata.insert(key.to_owned(), value.to_string());
        self
    }

    /// Names the field of the request that it is about.
    #[must_use]
    pub fn at_field(mut self, field: impl Into<String>) -> Self {
        self.violations.push(FieldViolation::new(cut(field.into()), self.message.clone()));
        self
    }

    /// Why, for programs.
    #[must_use]
    pub const fn reason(&self) -> ErrorReason {
        self.reason
    }

    /// Why, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// As the error of one item of a batch.
    #[must_use]
    pub fn to_item_status(&self) -> tonic_types::Status {
        let status = Status::from(self.clone());
        // tonic keeps exactly this message as the details of a status.
        tonic_types::Status::decode(status.details()).unwrap_or_else(|_| tonic_types::Status {
            code: status.code() as i32,
            message: status.message().to_owned(),
            details: Vec::new(),
        })
    }
}

/// The text, or its beginning where it is long.
fn cut(mut text: String) -> String {
    if text.len() > MAXIMUM_TEXT_BYTES {
        text.truncate(text.floor_char_boundary(MAXIMUM_TEXT_BYTES));
        text.push('…');
    }
    text
}

/// How many of the violations a refusal has room for; one at least.
fn count_that_fits(violations: &[FieldViolation]) -> usize {
    let mut bytes = 0;
    let fitting = violations.iter().take_while(|violation| {
        bytes += violation.field.len() + violation.description.len();
        bytes <= MAXIMUM_VIOLATION_BYTES
    });
    fitting.count().max(1)
}

/// The reason's name as clients see it: `UNKNOWN_PARTNER`.
#[must_use]
pub fn reason_name(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

/// The one status code that belongs to a reason.
#[must_use]
pub const fn code_of(reason: ErrorReason) -> Code {
    match reason {
        ErrorReason::Unspecified | ErrorReason::InternalFault => Code::Internal,
        ErrorReason::InvalidFields | ErrorReason::FutureDated => Code::InvalidArgument,
        ErrorReason::CallerUnproven => Code::Unauthenticated,
        ErrorReason::CallerNotAllowed | ErrorReason::ActorNotAllowed | ErrorReason::PermissionMissing => {
            Code::PermissionDenied
        }
        ErrorReason::EtagMismatch | ErrorReason::WriteConflict => Code::Aborted,
        ErrorReason::StorageUnavailable
        | ErrorReason::FactsBehind
        | ErrorReason::EvidenceUnavailable
        | ErrorReason::KeysUnavailable => Code::Unavailable,
        ErrorReason::PartnerExists
        | ErrorReason::EmployeeExists
        | ErrorReason::ClientExists
        | ErrorReason::ClientUserExists
        | ErrorReason::AlreadyAssigned
        | ErrorReason::AlreadyIntroduced
        | ErrorReason::RequestIdReused
        | ErrorReason::ActivityIdReused
        | ErrorReason::SubscriptionExists
        | ErrorReason::SoldCreditExists => Code::AlreadyExists,
        ErrorReason::UnknownPartner
        | ErrorReason::UnknownEmployee
        | ErrorReason::UnknownClient
        | ErrorReason::UnknownClientUser
        | ErrorReason::UnknownAccessLink
        | ErrorReason::AccessLinkNotOpen
        | ErrorReason::UnknownChange
        | ErrorReason::UnknownAddress
        | ErrorReason::UnknownActivity
        | ErrorReason::UnknownSubscription
        | ErrorReason::UnknownSoldCredit
        | ErrorReason::UnknownStatement => Code::NotFound,
        ErrorReason::Overloaded | ErrorReason::RateLimited | ErrorReason::MessageTooLarge => Code::ResourceExhausted,
        ErrorReason::FeedDiverged
        | ErrorReason::EmailDomainTaken
        | ErrorReason::SharedMailProvider
        | ErrorReason::AddressInForeignDomain
        | ErrorReason::IllegalTransition
        | ErrorReason::IllegalSequence
        | ErrorReason::NotAssigned
        | ErrorReason::PermissionSetNotAssignable
        | ErrorReason::StalePreview
        | ErrorReason::IncompleteDecisions
        | ErrorReason::NobodyToRemove
        | ErrorReason::NotRetractable
        | ErrorReason::NoServices
        | ErrorReason::LimitReached
        | ErrorReason::CurrencyConflict
        | ErrorReason::SubscriptionLimit
        | ErrorReason::EvaluationMissing
        | ErrorReason::TierNotReached
        | ErrorReason::StatementNotDue
        | ErrorReason::NothingToReplay
        | ErrorReason::ReplayRunning => Code::FailedPrecondition,
    }
}

/// Whether the same call may work later.
fn may_work_later(reason: ErrorReason) -> bool {
    code_of(reason) == Code::Unavailable
        || matches!(reason, ErrorReason::Overloaded | ErrorReason::RateLimited | ErrorReason::WriteConflict)
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let code = code_of(failure.reason);
        let mut details = ErrorDetails::new();
        details.set_error_info(reason_name(failure.reason), ERROR_DOMAIN, failure.metadata);
        if !failure.violations.is_empty() {
            details.set_bad_request(failure.violations);
        }
        if may_work_later(failure.reason) {
            details.set_retry_info(Some(RETRY_DELAY));
        }
        Self::with_error_details(code, failure.message, details)
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt as _;

    use super::*;

    #[test]
    fn every_refusal_names_its_reason_and_domain() {
        let status = Status::from(Failure::new(ErrorReason::UnknownPartner, "no partner 7").with("partner", 7));
        let info = status.get_details_error_info().expect("error info");
        assert_eq!(
            (status.code(), info.reason.as_str(), info.domain.as_str(), info.metadata["partner"].as_str()),
            (Code::NotFound, "UNKNOWN_PARTNER", "managed-credit", "7")
        );
    }

    #[test]
    fn all_violations_are_reported_at_once() {
        let violations = vec![FieldViolation::new("a", "is wrong"), FieldViolation::new("b.c", "too")];
        let status = Status::from(Failure::of_fields(violations));
        let details = status.get_details_bad_request().expect("violations");
        let fields: Vec<&str> = details.field_violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["a", "b.c"]);
        assert_eq!(status.message(), "a: is wrong; b.c: too");
    }

    #[test]
    fn of_very_many_violations_as_many_are_reported_as_headers_have_room_for() {
        let violation = |index| FieldViolation::new(format!("clients[{index}]"), "a name of the form clients/{hub id}");
        let status = Status::from(Failure::of_fields((0..1_000).map(violation).collect()));
        let reported = status.get_details_bad_request().expect("violations").field_violations;
        assert_eq!(reported[0].field, "clients[0]");
        assert!(status.message().ends_with(&format!("; and {} more", 1_000 - reported.len())), "{}", status.message());
        // As headers have them: blanks and braces as three characters each, details in base 64.
        assert!(status.message().len() * 3 / 2 + status.details().len() * 4 / 3 < 7_500, "they fit into headers");
    }

    #[test]
    fn a_refusal_that_repeats_what_was_sent_fits_into_headers_however_long_that_is() {
        let long = "è".repeat(100_000);
        let of_fields = Failure::of_fields(vec![FieldViolation::new(long.clone(), long.clone()); 3]);
        let of_one = Failure::new(ErrorReason::UnknownPartner, long.clone()).at_field(long.clone());
        for (failure, code) in [(of_fields, Code::InvalidArgument), (of_one, Code::NotFound)] {
            let status = Status::from(failure);
            assert_eq!(status.code(), code);
            assert!(status.message().starts_with("èè") && status.message().contains('…'), "{}", status.message());
            // As headers have them: what is not ASCII as three characters a byte, details in base 64.
            assert!(status.message().len() * 3 + status.details().len() * 4 / 3 < 7_500, "{}", status.message().len());
        }
    }

    #[test]
    fn what_may_work_later_says_when_to_retry() {
        let status = Status::from(Failure::new(ErrorReason::FactsBehind, "not yet"));
        assert!(status.get_details_retry_info().is_some_and(|info| info.retry_delay == Some(RETRY_DELAY)));
    }

    #[test]
    fn an_item_error_is_the_same_as_the_calls_error_would_be() {
        let failure = Failure::new(ErrorReason::AlreadyAssigned, "assigned already");
        let item = failure.to_item_status();
        assert_eq!(
            (item.code, item.message.as_str(), item.details.len()),
            (Code::AlreadyExists as i32, "assigned already", 1)
        );
    }

    #[test]
    fn the_contract_states_the_code_of_every_reason() {
        let text = include_str!("../../../proto/managedcredit/error/v1/error_reason.proto");
        let mut stated = 0;
        for (comment, value) in text.lines().zip(text.lines().skip(1)) {
            let Some(name) = value.trim().strip_prefix("ERROR_REASON_").and_then(|rest| rest.split(' ').next()) else {
                continue;
            };
            let reason = ErrorReason::from_str_name(&format!("ERROR_REASON_{name}")).expect("a generated reason");
            if reason == ErrorReason::Unspecified {
                continue;
            }
            // A comment of several lines states the code in its first.
            let comment = if comment.contains(": ") { comment } else { continue };
            let code = comment.trim().trim_start_matches("// ").split(':').next().expect("a code");
            let expected = format!("{:?}", code_of(reason)).to_uppercase();
            assert_eq!(code.replace('_', ""), expected, "{name}");
            stated += 1;
        }
        assert!(stated > 25, "only {stated} reasons were compared");
    }
}
