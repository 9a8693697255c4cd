//! The only randomness of secrets.

use crate::ServiceError;

/// 256 bits that nobody can guess, from the machine's own source.
///
/// # Errors
/// The machine gives no random bytes.
pub fn random_token() -> Result<[u8; 32], ServiceError> {
    let mut token = [0; 32];
    getrandom::fill(&mut token)?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_alike() {
        let (one, other) = (random_token().expect("a token"), random_token().expect("a token"));
        assert_ne!(one, other);
        assert_ne!(one, [0; 32]);
    }
}
