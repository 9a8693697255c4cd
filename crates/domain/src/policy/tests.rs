//! The embedded document, and what is wrong with others.

use super::*;

fn at(text: &str) -> Instant {
    text.parse().expect("a test writes valid times")
}

#[test]
fn the_embedded_document_is_valid() {
    let policy = Policy::parse(EMBEDDED_DOCUMENT).map_err(|error| error.to_string()).expect("a valid document");
    assert_eq!(policy.version(), "2025-07-15");
    assert_eq!(policy.window_days_at(at("0001-01-01T00:00:00Z")), 60);
}
