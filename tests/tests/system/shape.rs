//! The shape of the house: arrows between crates, rooms, rules that are cited, contracts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

/// From above to below: a crate may depend on those of later rows only.
const ROWS: [&[&str]; 6] = [
    &["managed-credit"],
    &["access-management", "activity-tracking", "credit-calculation"],
    &["service-kit"],
    &["contracts"],
    &["domain"],
    &[],
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata =
        MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().expect("cargo metadata");
    let normal = |dependency: &&cargo_metadata::Dependency| dependency.kind == cargo_metadata::DependencyKind::Normal;
    metadata
        .packages
        .iter()
        .map(|package| {
            let names = package.dependencies.iter().filter(normal).map(|dependency| dependency.name.clone());
            (package.name.to_string(), names.collect())
        })
        .collect()
}

fn row_of(name: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&name))
}

#[test]
fn crates_depend_downwards_only_and_services_never_on_each_other() {
    let dependencies = dependencies();
    let mut arrows = 0;
    for (name, used) in &dependencies {
        let Some(row) = row_of(name) else { continue };
        for other in used {
            if let Some(below) = row_of(other) {
                assert!(row < below, "{name} must not depend on {other}");
                arrows += 1;
            }
        }
    }
    assert!(arrows >= 10, "only {arrows} arrows were found");
}

#[test]
fn only_services_and_their_kit_touch_a_database_and_the_domain_touches_nothing() {
    let dependencies = dependencies();
    for (name, used) in &dependencies {
        let may_store = row_of(name).is_some_and(|row| row == 1 || row == 2) || name == "system-tests";
        assert!(may_store || !used.contains("sea-orm"), "{name} must not depend on sea-orm");
    }
    for outside in ["tonic", "prost", "tokio", "sea-orm", "tracing", "rand"] {
        assert!(!dependencies["domain"].contains(outside), "domain must not depend on {outside}");
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let metadata =
        MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().expect("cargo metadata");
    assert!(metadata.packages.len() >= ROWS.concat().len(), "only {} crates were found", metadata.packages.len());
    for package in &metadata.packages {
        let manifest = fs::read_to_string(&package.manifest_path).expect("a manifest");
        assert!(manifest.contains("[lints]\nworkspace = true\n"), "{} has lints of its own", package.name);
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
    assert!(workspace.contains("\nunsafe_code = \"forbid\"\n"), "the workspace must forbid unsafe code");
}

#[test]
fn every_service_has_the_same_rooms() {
    for service in ROWS[1] {
        for room in ["lib.rs", "grpc.rs", "operations.rs", "migration.rs"] {
            let path = root().join("crates").join(service).join("src").join(room);
            assert!(path.is_file(), "{} is missing", path.display());
        }
    }
    for follower in ["activity-tracking", "credit-calculation"] {
        assert!(root().join("crates").join(follower).join("src/follow.rs").is_file(), "{follower} has no follow.rs");
    }
}

/// Every file below a folder whose name ends so.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_room_is_called_by_a_name_that_says_nothing() {
    let sources = files(&root().join("crates"), ".rs");
    assert!(sources.len() > 50, "only {} sources were found", sources.len());
    for path in sources {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        for vague in ["mod", "common", "utils", "helpers", "manager", "mapper"] {
            assert_ne!(name, vague, "{}", path.display());
        }
    }
}

/// The rule ids that a text names: `R54`, `R7a`.
fn rule_ids(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric());
    words
        .filter(|word| {
            let digits =
                word.strip_prefix('R').unwrap_or_default().trim_end_matches(|last| ('a'..='d').contains(&last));
            !digits.is_empty() && digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
        .map(|word| word.trim_end_matches(|last: char| last.is_ascii_lowercase()).to_owned())
        .collect()
}

#[test]
fn every_rule_that_is_cited_is_in_the_rules() {
    let rules = rule_ids(&fs::read_to_string(root().join("crates/domain/RULES.md")).expect("the rules"));
    assert!(rules.len() > 40, "only {} rules were found", rules.len());
    let mut cited = files(&root().join("crates"), ".rs");
    cited.extend(files(&root().join("proto/managedcredit"), ".proto"));
    cited.extend(files(&root().join("tests/cases"), ".toml"));
    for path in cited {
        for rule in rule_ids(&fs::read_to_string(&path).expect("a text")) {
            assert!(rules.contains(&rule), "{} cites {rule}, which RULES.md does not know", path.display());
        }
    }
}

#[test]
fn every_reason_that_a_contract_names_exists() {
    let reasons = fs::read_to_string(root().join("proto/managedcredit/error/v1/error_reason.proto")).expect("reasons");
    let mut named = 0;
    for path in files(&root().join("proto/managedcredit"), "_service.proto") {
        let text = fs::read_to_string(&path).expect("a contract");
        for code in ["NOT_FOUND (", "ALREADY_EXISTS (", "FAILED_PRECONDITION (", "UNAVAILABLE (", "INVALID_ARGUMENT ("]
        {
            for rest in text.split(code).skip(1) {
                let inside = rest.split(')').next().unwrap_or_default();
                let words = inside.split(|character: char| !(character.is_ascii_uppercase() || character == '_'));
                for reason in words.filter(|word| word.trim_matches('_').contains('_')) {
                    assert!(reasons.contains(&format!("ERROR_REASON_{reason} =")), "{}: {reason}", path.display());
                    named += 1;
                }
            }
        }
    }
    assert!(named > 20, "only {named} reasons were found");
}
