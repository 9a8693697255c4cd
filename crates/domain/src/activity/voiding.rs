//! The correction of an activity at its source (R62).

use crate::access::{Actor, EmailAddress};
use crate::time::Instant;

use super::{Judgement, Verdict};

const MAXIMUM_REASON_CHARACTERS: usize = 500;

/// That an activity was taken back: from then on, and whatever becomes known later, it counts for nobody (R62).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voiding {
    /// When it was taken back.
    pub time: Instant,
    /// Who did that.
    pub actor: Actor,
    /// For whom the platform did.
    pub on_behalf_of: Option<EmailAddress>,
    /// Why: 1 to 500 characters. Empty only where it was emptied by an erasure (R128).
    pub reason: String,
}

/// A text that is no reason of a voiding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the reason of a voiding is 1 to 500 characters, not only spaces, without control characters")]
pub struct VoidingReasonError;

impl Voiding {
    /// A new voiding.
    ///
    /// # Errors
    /// A reason that is empty or only spaces, longer than 500 characters, or has control characters.
    pub fn new(
        time: Instant,
        actor: Actor,
        on_behalf_of: Option<EmailAddress>,
        reason: &str,
    ) -> Result<Self, VoidingReasonError> {
        let is_reason = reason.chars().count() <= MAXIMUM_REASON_CHARACTERS
            && !reason.trim().is_empty()
            && !reason.contains(char::is_control);
        if !is_reason {
            return Err(VoidingReasonError);
        }
        Ok(Self { time, actor, on_behalf_of, reason: reason.to_owned() })
    }
}

impl Judgement {
    /// The judgement of the activity once it is voided: it counts for nobody, and whose it was and what was done stay
    /// readable (R62).
    #[must_use]
    pub fn voided(self) -> Self {
        Self { verdict: Verdict::Voided, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::testing::{address, at, employee_id, hub};
    use crate::activity::{Attribution, NotCountedReason};

    fn voiding(reason: &str) -> Result<Voiding, VoidingReasonError> {
        Voiding::new(at("2025-02-01T00:00:00Z"), Actor::Platform, Some(address("anna@agency.example")), reason)
    }

    #[test]
    fn r62_a_voiding_says_when_by_whom_for_whom_and_why() {
        let expected = Voiding {
            time: at("2025-02-01T00:00:00Z"),
            actor: Actor::Platform,
            on_behalf_of: Some(address("anna@agency.example")),
            reason: "Wrong account.".to_owned(),
        };
        assert_eq!(voiding("Wrong account."), Ok(expected));
    }

    #[test]
    fn r62_the_reason_of_a_voiding_is_one_to_five_hundred_characters() {
        for right in ["x", "Fue un error: otra cuenta.", &"è".repeat(500)] {
            assert_eq!(voiding(right).map(|voiding| voiding.reason), Ok(right.to_owned()));
        }
        for wrong in ["", " ", "a\nb", &"è".repeat(501)] {
            assert_eq!(voiding(wrong), Err(VoidingReasonError), "{wrong}");
        }
    }

    #[test]
    fn r62_a_voided_activity_keeps_whose_it_was_and_what_was_done() {
        let attribution = Some(Attribution { partner: hub(1001), employee: employee_id(1) });
        let action = Some("blog/publish".parse().expect("an action"));
        let counted = Verdict::Counted { expire_time: at("2025-03-11T12:00:00Z") };
        for verdict in [counted, Verdict::NotCounted(NotCountedReason::NotAssigned), Verdict::Voided] {
            let judgement = Judgement { verdict, attribution, action: action.clone() };
            let voided = Judgement { verdict: Verdict::Voided, attribution, action: action.clone() };
            assert_eq!(judgement.voided(), voided);
        }
    }
}
