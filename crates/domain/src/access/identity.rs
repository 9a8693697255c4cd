//! The identities that facts hang on.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The number of an account at the vendor, of a partner or of a client: 1 to 9,223,372,036,854,775,807.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HubId(i64);

/// A number that is no hub id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hub id is a whole number from 1 to 9223372036854775807, without leading zeros")]
pub struct HubIdError;

impl HubId {
    /// The number itself.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for HubId {
    type Error = HubIdError;

    fn try_from(number: i64) -> Result<Self, HubIdError> {
        if number > 0 { Ok(Self(number)) } else { Err(HubIdError) }
    }
}

impl FromStr for HubId {
    type Err = HubIdError;

    fn from_str(text: &str) -> Result<Self, HubIdError> {
        // One spelling per account: "+7" and "007" are not other names of account 7.
        if text.starts_with(['0', '+']) {
            return Err(HubIdError);
        }
        Self::try_from(text.parse::<i64>().map_err(|_| HubIdError)?)
    }
}

impl fmt::Display for HubId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// One employee of one partner, from creation to deletion; created again is another employee (R25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmployeeId(pub Uuid);

impl fmt::Display for EmployeeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// One user of one client account, from being added to being removed; added again is another user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientUserId(pub Uuid);

impl fmt::Display for ClientUserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// One access link of one employee (R30).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessLinkId(pub Uuid);

impl fmt::Display for AccessLinkId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The vendor's id of something that client users own, unique per client: 1 to 128 printable ASCII characters without
/// spaces and slashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(String);

/// A text that is no asset id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an asset id is 1 to 128 printable ASCII characters without spaces and slashes")]
pub struct AssetIdError;

impl AssetId {
    /// The id itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AssetId {
    type Err = AssetIdError;

    fn from_str(text: &str) -> Result<Self, AssetIdError> {
        let is_id = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
        if is_id { Ok(Self(text.to_owned())) } else { Err(AssetIdError) }
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The name of a bundle of permissions inside client accounts: 1 to 64 upper-case letters, digits and `_`, beginning with
/// a letter. What it allows is policy data (R36).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionSet(String);

/// A text that names no permission set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a permission set is 1 to 64 characters of A-Z, 0-9 and _, beginning with a letter: PARTNER_ADMIN")]
pub struct PermissionSetError;

impl PermissionSet {
    /// The set that an approved access link gives (R31).
    #[must_use]
    pub fn partner_admin() -> Self {
        Self("PARTNER_ADMIN".to_owned())
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PermissionSet {
    type Err = PermissionSetError;

    fn from_str(text: &str) -> Result<Self, PermissionSetError> {
        let is_name = (1..=64).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_uppercase())
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        if is_name { Ok(Self(text.to_owned())) } else { Err(PermissionSetError) }
    }
}

impl fmt::Display for PermissionSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What a user of a partner account may do there with client access (R29).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessRole {
    /// Nothing: a plain employee.
    #[default]
    None,
    /// The CAM permission: sees and links.
    ClientAccessManager,
    /// Super admin of the partner account; has the CAM permission too.
    SuperAdmin,
}

impl AccessRole {
    /// The name in stored and printed text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::ClientAccessManager => "CLIENT_ACCESS_MANAGER",
            Self::SuperAdmin => "SUPER_ADMIN",
        }
    }
}

/// An ISO 3166-1 alpha-2 country code, upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

/// A text that is no country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a country is an ISO 3166-1 alpha-2 code in upper case, for example IT")]
pub struct CountryCodeError;

impl CountryCode {
    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for CountryCode {
    type Err = CountryCodeError;

    fn from_str(text: &str) -> Result<Self, CountryCodeError> {
        let country = rust_iso3166::from_alpha2(text).ok_or(CountryCodeError)?;
        let letters = country.alpha2.as_bytes().try_into().map_err(|_| CountryCodeError)?;
        Ok(Self(letters))
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_id_has_one_spelling() {
        assert_eq!("2002".parse::<HubId>().map(HubId::get), Ok(2002));
        for wrong in ["0", "-1", "+7", "007", "", "12x", "9223372036854775808"] {
            assert_eq!(wrong.parse::<HubId>(), Err(HubIdError), "{wrong}");
        }
        assert_eq!(HubId::try_from(1).map(HubId::get), Ok(1));
        assert_eq!(HubId::try_from(0), Err(HubIdError));
    }

    #[test]
    fn ids_of_people_and_links_are_printed_as_uuids() {
        let uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0007);
        let text = "01900000-0000-7000-8000-000000000007";
        assert_eq!(EmployeeId(uuid).to_string(), text);
        assert_eq!(ClientUserId(uuid).to_string(), text);
        assert_eq!(AccessLinkId(uuid).to_string(), text);
    }

    #[test]
    fn an_asset_id_is_one_word_of_printable_ascii() {
        let longest = "x".repeat(128);
        for right in ["1", "list-7:a", longest.as_str()] {
            let id: AssetId = right.parse().expect("an asset id");
            assert_eq!((id.as_str(), id.to_string().as_str()), (right, right));
        }
        for wrong in ["", "a b", "a/b", "è", "a\n", &"x".repeat(129)] {
            assert_eq!(wrong.parse::<AssetId>(), Err(AssetIdError), "{wrong}");
        }
    }

    #[test]
    fn a_permission_set_is_a_name_in_capitals() {
        let longest = "X".repeat(64);
        for right in ["A", "PARTNER_ADMIN", "SET_2", longest.as_str()] {
            let set: PermissionSet = right.parse().expect("a permission set");
            assert_eq!((set.as_str(), set.to_string().as_str()), (right, right));
        }
        for wrong in ["", "2_SETS", "_A", "a", "A-B", "È", &"X".repeat(65)] {
            assert_eq!(wrong.parse::<PermissionSet>(), Err(PermissionSetError), "{wrong}");
        }
        assert_eq!("PARTNER_ADMIN".parse(), Ok(PermissionSet::partner_admin()));
    }

    #[test]
    fn the_roles_have_these_names() {
        let roles = [AccessRole::None, AccessRole::ClientAccessManager, AccessRole::SuperAdmin];
        assert_eq!(roles.map(AccessRole::as_str), ["NONE", "CLIENT_ACCESS_MANAGER", "SUPER_ADMIN"]);
    }

    #[test]
    fn a_country_is_an_assigned_upper_case_code() {
        assert_eq!("IT".parse::<CountryCode>().map(|code| code.to_string()), Ok("IT".to_owned()));
        for wrong in ["it", "ITA", "XX", "", "I"] {
            assert_eq!(wrong.parse::<CountryCode>(), Err(CountryCodeError), "{wrong}");
        }
    }
}
