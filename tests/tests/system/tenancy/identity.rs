//! Who calls.

use domain::time::Instant;
use system_tests::{Proofs, claims_of};
use tonic::metadata::MetadataMap;

/// Somebody who is not the platform. The partner that everything is aimed at is called *theirs*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Super admin of another partner, which services the shared client too, and Partner admin there.
    Dora,
    /// Employee of that other partner, without any access role.
    Eve,
    /// Employee of theirs, without any access role; a user of their client.
    Bruno,
    /// Whom nobody knows.
    Stranger,
}

impl Identity {
    /// Everybody, in the order in which the table says what each is to be answered.
    pub const ALL: [Self; 4] = [Self::Dora, Self::Eve, Self::Bruno, Self::Stranger];

    /// The address.
    pub const fn address(self) -> &'static str {
        match self {
            Self::Dora => "dora@other.example",
            Self::Eve => "eve@other.example",
            Self::Bruno => "bruno@agency.example",
            Self::Stranger => "stranger@nowhere.example",
        }
    }

    /// What the calls say beside their messages: a token that names the person.
    pub fn metadata(self, proofs: &Proofs, now: Instant) -> MetadataMap {
        bearer(&proofs.token(&claims_of(self.address(), now)))
    }

    /// Whether their partner does not exist for it (R127).
    pub const fn is_outsider(self) -> bool {
        !matches!(self, Self::Bruno)
    }
}

/// A token or a key as calls carry it.
pub fn bearer(credential: &str) -> MetadataMap {
    let mut metadata = MetadataMap::new();
    metadata.insert("authorization", format!("Bearer {credential}").parse().expect("ASCII"));
    metadata
}
