use std::fs;

use super::*;

const NEEDS: Needs = &[ServiceNeeds {
    service: "activity-tracking",
    methods: &["managedcredit.access.v1.AccessFeedService/WatchAccess"],
    speaks_for_people: false,
}];

/// A document in a folder of its own, with a key set beside it.
struct Written(tempfile::TempDir);

impl Written {
    fn new(document: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("security.toml"), document).expect("to write");
        let keys =
            r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        fs::write(folder.path().join("jwks.json"), keys).expect("to write");
        Self(folder)
    }

    fn read(&self, exposure: Exposure) -> Result<Security, SecurityError> {
        Security::read(&self.0.path().join("security.toml"), NEEDS, exposure, &Clock::System)
    }

    fn problems(&self) -> Vec<String> {
        match self.read(Exposure::default()) {
            Err(SecurityError::Invalid(problems)) => problems,
            other => panic!("{other:?}"),
        }
    }
}

/// A document that is valid, with some of it replaced.
fn valid(replaced: &str, by: &str) -> String {
    let document = format!(
        r#"
[tokens]
issuer = "https://id.vendor.example"
audience = "managed-credit"
keys = "jwks.json"
algorithms = ["EdDSA"]

[people]
methods = ["managedcredit.credit.v1.CreditCalculationService/*"]

[[callers]]
name = "platform"
acts_as = ["platform", "people"]
methods = ["*"]
keys = ["{}"]
subjects = ["platform"]

[[callers]]
name = "activity"
service = "activity-tracking"
keys = ["{}"]
"#,
        KeyHash::of("mck_one"),
        KeyHash::of("mck_other")
    );
    assert!(document.contains(replaced), "{replaced}");
    document.replace(replaced, by)
}

#[test]
fn a_valid_document_says_who_may_call_without_a_secret() {
    let security = Written::new(&valid("", "")).read(Exposure::default()).expect("a document");
    assert!(security.proves_callers() && !security.encrypts());
    let summary = security.summary();
    assert!(
        summary.iter().any(|line| line.starts_with("platform: ") && line.ends_with("1 key, 1 subject")),
        "{summary:?}"
    );
    assert!(summary.iter().any(|line| line == "activity: 1 RPCs, proven by 1 key"), "{summary:?}");
    assert!(!summary.join("\n").contains("sha256"), "{summary:?}");
}

#[test]
fn each_wrong_entry_is_named_with_what_would_be_right() {
    for (replaced, by, problem) in [
        ("issuer = \"https://id.vendor.example\"", "issuer = \" \"", "tokens.issuer: "),
        ("audience = \"managed-credit\"", "audience = \"\"", "tokens.audience: "),
        ("\"EdDSA\"", "\"HS256\"", "tokens.algorithms[0]: "),
        ("\"EdDSA\"", "\"none\"", "tokens.algorithms[0]: "),
        ("[\"EdDSA\"]", "[]", "tokens.algorithms: "),
        ("\"jwks.json\"", "\"nowhere.json\"", "tokens.keys: "),
        ("\"jwks.json\"", "\"security.toml\"", "tokens.keys: "),
        ("\"jwks.json\"", "\"https://me:s3cret@id.vendor.example/jwks\"", "tokens.keys: "),
        ("\"jwks.json\"", "\"http://id.vendor.example/jwks\"", "tokens.keys: "),
        ("CreditCalculationService/*", "CreditCalculation/*", "people.methods[0]: "),
        ("methods = [\"*\"]", "methods = [\"*\", \"X/Y\"]", "callers[0].methods[1]: "),
        ("methods = [\"*\"]", "methods = []", "callers[0].methods: "),
        ("acts_as = [\"platform\", \"people\"]", "", "callers[0].acts_as: "),
        ("keys = [\"sha256:", "keys = [\"md5:", "callers[0].keys[0]: "),
        ("subjects = [\"platform\"]", "certificates = [\"x\"]", "callers[0].certificates: "),
        ("\"activity-tracking\"", "\"access-management\"", "callers[1].service: "),
        ("name = \"activity\"", "name = \"platform\"", "callers[1].name: "),
        ("service = \"activity-tracking\"", "service = \"activity-tracking\"\nmethods = [\"*\"]", "callers[1]: "),
    ] {
        let problems = Written::new(&valid(replaced, by)).problems();
        assert!(problems.iter().any(|said| said.starts_with(problem)), "{by}: {problems:?}");
    }
    let twice = valid(&KeyHash::of("mck_other").to_string(), &KeyHash::of("mck_one").to_string());
    assert!(Written::new(&twice).problems().iter().any(|said| said.starts_with("callers[1].keys[0]: ")));
    let nobody = valid("", "").split("[people]").next().map(str::to_owned).expect("a part");
    assert!(Written::new(&nobody).problems().iter().any(|said| said.starts_with("callers: ")));
    let of_nobody = format!("{}[calls.billing]\ncredential = \"x\"\n", valid("", ""));
    assert!(Written::new(&of_nobody).problems().iter().any(|said| said.starts_with("calls.billing: ")));
    let without_key = format!("{}[calls.activity-tracking]\ncertificate = \"x\"\n", valid("", ""));
    assert!(Written::new(&without_key).problems().iter().any(|said| said.starts_with("calls.activity-tracking: ")));
    let no_tls = format!("[tls]\ncertificate = \"x.crt\"\nkey = \"x.key\"\n{}", valid("", ""));
    assert!(Written::new(&no_tls).problems().iter().any(|said| said.starts_with("tls: ") && said.contains("x.crt")));
}

#[test]
fn without_issuer_or_audience_and_with_unknown_entries_nothing_starts() {
    for (replaced, by) in [
        ("issuer = \"https://id.vendor.example\"", ""),
        ("audience = \"managed-credit\"", ""),
        ("[people]", "[people]\nmethod = 1"),
        ("name = \"platform\"", "name = \"platform\"\nadmin = true"),
        ("\"people\"]", "\"root\"]"),
        ("[people]", "[people"),
    ] {
        let error = Written::new(&valid(replaced, by)).read(Exposure::default()).expect_err("refused");
        assert!(matches!(error, SecurityError::Unreadable(_)), "{by}: {error}");
    }
}

#[test]
fn other_machines_may_call_only_where_callers_are_proven_and_encrypted_or_somebody_says_otherwise() {
    let exposed = |without_authentication, without_tls| Exposure { without_authentication, without_tls };
    let may = |security: &Security, address: &str| security.require_suitable(address.parse().expect("an address"));
    let document = Written::new(&valid("", ""));
    for (security, reachable) in [
        (Security::none(exposed(false, false)), false),
        (Security::none(exposed(false, true)), false),
        (Security::none(exposed(true, false)), false),
        (Security::none(exposed(true, true)), true),
        (document.read(exposed(false, false)).expect("a document"), false),
        (document.read(exposed(false, true)).expect("a document"), true),
    ] {
        assert!(may(&security, "127.0.0.1:50051").is_ok() && may(&security, "[::1]:50051").is_ok());
        for address in ["0.0.0.0:50051", "[::]:50051", "192.0.2.1:50051"] {
            assert_eq!(may(&security, address).is_ok(), reachable, "{security:?} {address}");
        }
    }
    let error = may(&Security::default(), "0.0.0.0:1").expect_err("refused").to_string();
    assert!(error.contains("--security"), "{error}");
}
