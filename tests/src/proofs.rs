//! Proofs of who calls, made anew for each test: certificates, preshared keys, and the tokens of an issuer.

use std::fs;
use std::path::{Path, PathBuf};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use managed_credit::running::Part;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use serde_json::{Value, json};
use service_kit::{CredentialFiles, Identity, KeyHash, new_key};
use tempfile::TempDir;

/// Who issues tokens, and for whom.
pub const ISSUER: &str = "https://id.vendor.example";
/// The audience of the tokens.
pub const AUDIENCE: &str = "managed-credit";

/// What a token says.
pub type Claims = serde_json::Map<String, Value>;

/// A folder with everything that proves something: the services' documents, certificates, keys.
pub struct Proofs {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
    /// What the issuer signs tokens with.
    pub signing: EncodingKey,
}

impl Proofs {
    /// Makes an authority, an issuer, a certificate for each service, and a key for the platform.
    ///
    /// # Panics
    /// The machine gives no random bytes, or no folder.
    #[must_use]
    pub fn make() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = authority("the programme's authority");
        let signing = signing_key();
        let proofs = Self { folder, authority, signing };
        proofs.write("authority.crt", &proofs.authority.pem());
        for part in Part::ALL {
            proofs.certify(part.as_str(), &["localhost", part.as_str()]);
        }
        proofs.publish(&[("key-1", &proofs.signing)]);
        proofs.certify("importer", &["importer"]);
        proofs.certify("importer-by-uri", &["spiffe://vendor.example/importer"]);
        let key = new_key().expect("a key");
        proofs.write("platform.key", &key);
        for part in Part::ALL {
            proofs.write(&format!("{part}.toml"), &document(part, &KeyHash::of(&key)));
        }
        proofs
    }

    /// Where a file of them is.
    #[must_use]
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Where the document of a service is.
    #[must_use]
    pub fn document(&self, part: Part) -> PathBuf {
        self.path(&format!("{part}.toml"))
    }

    /// Puts a file in the place of what was there, as whoever changes secrets does.
    ///
    /// # Panics
    /// The file cannot be written.
    pub fn write(&self, file: &str, text: &str) {
        replace(&self.path(file), text);
    }

    /// Makes `NAME.crt` and `NAME.key`, of the authority, for these names; this machine's address is one of them.
    pub fn certify(&self, name: &str, names: &[&str]) {
        self.certify_by(&self.authority, name, names);
    }

    /// The same of another authority.
    ///
    /// # Panics
    /// Names that no certificate can have.
    pub fn certify_by(&self, authority: &CertifiedIssuer<'static, KeyPair>, name: &str, names: &[&str]) {
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        names.push("127.0.0.1".to_owned());
        let (uris, names): (Vec<String>, Vec<String>) = names.into_iter().partition(|name| name.contains("://"));
        let mut params = CertificateParams::new(names).expect("names");
        let uris = uris.into_iter().map(|uri| SanType::URI(uri.try_into().expect("ASCII")));
        params.subject_alt_names.extend(uris);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, authority).expect("a certificate");
        self.write(&format!("{name}.key"), &key.serialize_pem());
        self.write(&format!("{name}.crt"), &certificate.pem());
    }

    /// Publishes the keys of the issuer, each with its id.
    ///
    /// # Panics
    /// A key that cannot be published.
    pub fn publish(&self, keys: &[(&str, &EncodingKey)]) {
        let jwk = |(id, key): &(&str, &EncodingKey)| {
            let mut jwk = Jwk::from_encoding_key(key, Algorithm::ES256).expect("a public key");
            jwk.common.key_id = Some((*id).to_owned());
            jwk
        };
        let set = JwkSet { keys: keys.iter().map(jwk).collect() };
        self.write("jwks.json", &serde_json::to_string(&set).expect("JSON"));
    }

    /// A token of the issuer with these claims.
    ///
    /// # Panics
    /// Claims that cannot be signed.
    #[must_use]
    pub fn token(&self, claims: &Claims) -> String {
        let header = Header { kid: Some("key-1".to_owned()), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, &self.signing).expect("a token")
    }

    /// The identity of whoever has this credential, and believes the authority.
    ///
    /// # Panics
    /// A credential that is none.
    #[must_use]
    pub fn with_credential(&self, credential: &str) -> Identity {
        let file = format!("{}.credential", KeyHash::of(credential));
        self.write(&file, credential);
        let files = CredentialFiles::new(Some(self.path("authority.crt")), None, None, Some(self.path(&file)));
        files.and_then(Identity::load).expect("an identity")
    }

    /// The identity of whoever has the certificate `NAME.crt`, and believes the authority.
    ///
    /// # Panics
    /// Files that are none.
    #[must_use]
    pub fn with_certificate(&self, name: &str) -> Identity {
        let own = |end: &str| Some(self.path(&format!("{name}.{end}")));
        let files = CredentialFiles::new(Some(self.path("authority.crt")), own("crt"), own("key"), None);
        files.and_then(Identity::load).expect("an identity")
    }

    /// Whoever believes the authority and shows nothing.
    ///
    /// # Panics
    /// Files that are none.
    #[must_use]
    pub fn anonymous(&self) -> Identity {
        let files = CredentialFiles::new(Some(self.path("authority.crt")), None, None, None);
        files.and_then(Identity::load).expect("an identity")
    }

    /// The platform, which has a preshared key.
    ///
    /// # Panics
    /// No key.
    #[must_use]
    pub fn platform(&self) -> Identity {
        self.with_credential(&fs::read_to_string(self.path("platform.key")).expect("a key"))
    }
}

/// What a token of a person says, from `issued` on for an hour.
///
/// # Panics
/// Never: it is an object.
#[must_use]
pub fn claims_of(person: &str, issued: domain::time::Instant) -> Claims {
    let seconds = issued.timestamp();
    let claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": person, "iat": seconds, "exp": seconds + 3_600,
        "email": person, "email_verified": true,
    });
    claims.as_object().expect("an object").clone()
}

/// An authority that signs certificates.
///
/// # Panics
/// The machine gives no random bytes.
#[must_use]
pub fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// What an issuer signs tokens with: on the curve P-256, for `ES256`.
///
/// # Panics
/// The machine gives no random bytes.
#[must_use]
pub fn signing_key() -> EncodingKey {
    EncodingKey::from_ec_der(KeyPair::generate().expect("a key").serialized_der())
}

/// Another file takes the place of the one that was there, at once.
fn replace(file: &Path, text: &str) {
    let new = file.with_added_extension("new");
    fs::write(&new, text).and_then(|()| fs::rename(&new, file)).expect("to write");
}

/// Everybody whom tests know: people by their tokens, the platform by its key, services by their certificates, and an
/// importer, which acts for people and may only record.
fn document(part: Part, platform: &KeyHash) -> String {
    let mut document = format!(
        r#"
[tls]
certificate = "{part}.crt"
key = "{part}.key"
client_authorities = "authority.crt"

[tokens]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
keys = "jwks.json"
algorithms = ["ES256", "RS256"]

[people]
methods = ["*"]
calls_per_second = 100000

[[callers]]
name = "platform"
acts_as = ["platform", "people"]
methods = ["*"]
keys = ["{platform}"]

[[callers]]
name = "importer"
acts_as = ["people"]
methods = ["managedcredit.activity.v1.ActivityTrackingService/RecordActivities"]
certificates = ["importer", "spiffe://vendor.example/importer"]
subjects = ["importer"]
"#
    );
    for service in [Part::Activity, Part::Credit] {
        document +=
            &format!("\n[[callers]]\nname = \"{service}\"\nservice = \"{service}\"\ncertificates = [\"{service}\"]\n");
    }
    if part != Part::Access {
        document += &format!(
            "\n[calls.{part}]\nauthorities = \"authority.crt\"\ncertificate = \"{part}.crt\"\nkey = \"{part}.key\"\n"
        );
    }
    document
}
