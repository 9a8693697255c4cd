//! Etags: which version of a resource a caller has read.

use contracts::Failure;
use contracts::wire::error::ErrorReason;

/// Refuses an update of what has changed since the caller read it. An empty etag is not compared.
///
/// # Errors
/// `ETAG_MISMATCH`, with the present `etag` in the metadata.
pub fn require_etag(stated: &str, current: &str) -> Result<(), Failure> {
    if stated.is_empty() || stated == current {
        return Ok(());
    }
    let message = "it has changed since this etag was read; read it again, and update what is there now";
    Err(Failure::new(ErrorReason::EtagMismatch, message).with("etag", current))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stated_etag_of_another_version_is_refused() {
        assert!(require_etag("", "7").is_ok());
        assert!(require_etag("7", "7").is_ok());
        let refused = require_etag("6", "7").expect_err("refused");
        assert_eq!(refused.reason(), ErrorReason::EtagMismatch);
    }
}
