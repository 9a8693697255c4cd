//! E-mail addresses and domains, the only link between a person's accounts (R8).

use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress as ParsedAddress, Options};

/// The longest address that is accepted, in bytes (RFC 5321).
const MAXIMUM_ADDRESS_BYTES: usize = 254;

/// The longest domain of an address, in bytes: a pseudonym of the same domain is an address too (R128).
const MAXIMUM_DOMAIN_BYTES: usize = MAXIMUM_ADDRESS_BYTES - "erased-".len() - 32 - "@".len();

/// An e-mail address in lower case: two addresses are the same person when they are equal here (R8).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

/// A domain behind the `@`, in lower case, below a public suffix: `agency.example`, never `co.uk`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailDomain(String);

/// What is wrong with an address or a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not `local@domain`.
    #[error(
        "an e-mail address is local-part@domain, at most 254 bytes, the domain at most 214, without a display name and \
         control characters"
    )]
    NotAnAddress,
    /// Not a domain name that someone can own.
    #[error("an e-mail domain is a registrable domain or a name below one, for example agency.example")]
    NotADomain,
}

impl EmailAddress {
    /// The address, lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the `@`.
    #[must_use]
    pub fn domain_text(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or(self.as_str(), |(local_part, _)| local_part)
    }

    /// Another address of the same domain.
    pub(super) fn with_local_part(&self, local_part: &str) -> Self {
        Self(format!("{local_part}@{}", self.domain_text()))
    }

    /// Whether the address is in exactly this domain; subdomains do not match (R25).
    #[must_use]
    pub fn is_in(&self, domain: &EmailDomain) -> bool {
        self.domain_text() == domain.0
    }
}

impl FromStr for EmailAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let options = Options::default().without_display_text().without_domain_literal().with_minimum_sub_domains(2);
        // What is stored must be an address itself: of some letters the lower case has other characters beside it.
        let lower = text.to_lowercase();
        let parsed = ParsedAddress::parse_with_options(&lower, options).map_err(|_| AddressError::NotAnAddress)?;
        let address = Self(parsed.as_str().to_owned());
        let is_long = address.0.len() > MAXIMUM_ADDRESS_BYTES || address.domain_text().len() > MAXIMUM_DOMAIN_BYTES;
        // The library takes every character beyond ASCII, and no terminal is to be controlled by an address.
        if is_long || address.0.chars().any(char::is_control) {
            return Err(AddressError::NotAnAddress);
        }
        Ok(address)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl EmailDomain {
    /// The domain, lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailDomain {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let lower = text.to_lowercase();
        // The address library knows which host names may stand behind an `@`.
        format!("x@{lower}").parse::<EmailAddress>().map_err(|_| AddressError::NotADomain)?;
        psl::domain(lower.as_bytes()).ok_or(AddressError::NotADomain)?;
        Ok(Self(lower))
    }
}

impl fmt::Display for EmailDomain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r8_addresses_are_the_same_whatever_their_case() {
        assert_eq!("Anna@Agency.Example".parse::<EmailAddress>(), "anna@agency.example".parse());
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for wrong in [
            "",
            "anna",
            "anna@",
            "@agency.example",
            "Anna <anna@agency.example>",
            "anna@localhost",
            "a b@agency.example",
            "\u{9b}2Janna@agency.example",
            "anna@agency.example\u{130}",
        ] {
            assert_eq!(wrong.parse::<EmailAddress>(), Err(AddressError::NotAnAddress), "{wrong}");
        }
    }

    #[test]
    fn r25_subdomains_do_not_match() {
        let domain: EmailDomain = "agency.example".parse().expect("a domain");
        let at_domain: EmailAddress = "anna@agency.example".parse().expect("an address");
        let below: EmailAddress = "anna@mail.agency.example".parse().expect("an address");
        assert!(at_domain.is_in(&domain));
        assert!(!below.is_in(&domain));
    }

    #[test]
    fn a_public_suffix_is_nobodys_domain() {
        assert_eq!("co.uk".parse::<EmailDomain>(), Err(AddressError::NotADomain));
        assert!("agency.co.uk".parse::<EmailDomain>().is_ok());
    }
}
