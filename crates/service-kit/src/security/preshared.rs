//! Preshared keys: random texts that a caller and we know; we know only their hashes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{ServiceError, random_token};

/// What every key begins with, so that it is told from a token, and found where it should not be.
const KEY_PREFIX: &str = "mck_";

/// What every hash of a key begins with.
const HASH_PREFIX: &str = "sha256:";

/// The SHA-256 of a key. Keys are random texts of 256 bits, so that a slow hash would make nothing harder to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a key.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// Whether they are the same, in a time that does not tell how much of them is.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Display for KeyHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(HASH_PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl std::str::FromStr for KeyHash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text
            .strip_prefix(HASH_PREFIX)
            .filter(|digits| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte =
            |index: usize| digits.and_then(|digits| u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).ok());
        let mut hash = [0; 32];
        for (index, place) in hash.iter_mut().enumerate() {
            *place = byte(index)
                .ok_or("`sha256:` and 64 hexadecimal digits are expected, as `managed-credit key` prints them")?;
        }
        Ok(Self(hash))
    }
}

/// A new key that nobody can guess.
///
/// # Errors
/// The machine gives no random bytes.
pub fn new_key() -> Result<Zeroizing<String>, ServiceError> {
    Ok(Zeroizing::new(format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(random_token()?))))
}

/// Whether a credential is a key rather than a token.
pub(super) fn is_key(credential: &str) -> bool {
    credential.starts_with(KEY_PREFIX)
}

/// Whether it is a key as [`new_key`] makes them: what people think of can be guessed from its hash.
#[must_use]
pub fn is_made(key: &str) -> bool {
    let random = key.strip_prefix(KEY_PREFIX).and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok());
    random.is_some_and(|random| random.len() == 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_and_read_back_and_is_of_one_key_only() {
        let (one, other) = (new_key().expect("a key"), new_key().expect("a key"));
        assert!(is_key(&one) && is_made(&one));
        assert!(!is_made("mck_password") && !is_made(&one[4..]));
        let hash = KeyHash::of(&one);
        assert!(hash.to_string().parse::<KeyHash>().expect("a hash").is(&hash));
        assert!(!KeyHash::of(&other).is(&hash));
        for wrong in ["", "sha256:", &one, &hash.to_string()[..70], &format!("{hash}0"), &hash.to_string()[7..]] {
            assert!(wrong.parse::<KeyHash>().is_err(), "{wrong}");
        }
    }
}
