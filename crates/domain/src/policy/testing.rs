//! Documents that differ from the embedded one in a word.

use super::{EMBEDDED_DOCUMENT, Policy};

/// The embedded document with a text in place of another, wherever it stands.
pub(crate) fn changed(from: &str, to: &str) -> String {
    assert!(EMBEDDED_DOCUMENT.contains(from), "the document has {from}");
    EMBEDDED_DOCUMENT.replace(from, to)
}

/// The policy after a change of the document.
pub(crate) fn policy_with(from: &str, to: &str) -> Policy {
    Policy::parse(&changed(from, to)).map_err(|error| error.to_string()).expect("a valid document")
}
