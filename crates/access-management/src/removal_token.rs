//! What ties the confirmation of a removal to its preview (R41).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::wire::access as wire;
use prost::Message;

/// What was asked, and a hash of what was answered; opaque to callers.
///
/// Nothing is kept of a preview: its confirmation is judged as if it were asked anew, and must come to the same. So a
/// token gives nobody a right, and one that somebody made up can do no more than its maker.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RemovalToken {
    #[prost(message, required, tag = "1")]
    pub request: wire::PreviewRemovalRequest,
    #[prost(bytes = "vec", tag = "2")]
    pub fingerprint: Vec<u8>,
}

/// A text that is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RemovalTokenError;

impl fmt::Display for RemovalTokenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the token of an answer of PreviewRemoval")
    }
}

impl RemovalToken {
    /// As it travels.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.encode_to_vec())
    }
}

impl FromStr for RemovalToken {
    type Err = RemovalTokenError;

    fn from_str(text: &str) -> Result<Self, RemovalTokenError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| RemovalTokenError)?;
        Self::decode(bytes.as_slice()).map_err(|_| RemovalTokenError)
    }
}
