//! Proven callers, as operators set them up and people call then.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use contracts::wire::credit::GetPolicyRequest;
use contracts::wire::credit::credit_calculation_service_client::CreditCalculationServiceClient;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::process::{FREE_PORTS, Finished, SAMPLE, Services, managed_credit, run};

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// `key new`: the key's file, and its hash as it is printed.
pub fn new_key(folder: &Path, name: &str) -> (String, String) {
    let file = folder.join(name);
    let made = run(&["key", "new", text(&file)]);
    assert_eq!(made.code, Some(0), "{made:?}");
    (text(&file).to_owned(), made.stdout.trim().to_owned())
}

/// A certificate for this machine, of an authority that is made for it: `authority.crt`, `service.crt`, `service.key`.
pub fn certify(folder: &Path) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    // Of another name than what it signs: OpenSSL believes that a certificate signed itself where the names are the same.
    params.distinguished_name.push(DnType::CommonName, "the programme's authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let names = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("names");
    let certificate = names.signed_by(&key, &authority).expect("a certificate");
    for (file, content) in
        [("authority.crt", authority.pem()), ("service.crt", certificate.pem()), ("service.key", key.serialize_pem())]
    {
        fs::write(folder.join(file), content).expect("to write");
    }
}

/// A document with an operator, who may ask for the status only, and the platform; its place.
fn document(folder: &Path, tls: &str, platform: &str, operator: &str) -> String {
    let document = format!(
        r#"{tls}
[[callers]]
name = "platform"
acts_as = ["platform", "people"]
methods = ["*"]
keys = ["{platform}"]

[[callers]]
name = "operator"
acts_as = ["platform"]
methods = ["managedcredit.maintenance.v1.MaintenanceService/GetStatus"]
keys = ["{operator}"]
"#
    );
    let file = folder.join("security.toml");
    fs::write(&file, document).expect("to write");
    text(&file).to_owned()
}

const TLS: &str = "[tls]\ncertificate = \"service.crt\"\nkey = \"service.key\"\n";

#[test]
fn a_key_is_in_its_file_only_and_is_never_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, hash) = new_key(folder.path(), "platform.key");
    let key = fs::read_to_string(&file).expect("a key");
    assert!(hash.starts_with("sha256:") && !hash.contains(key.trim()), "{hash}");
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    assert_eq!(run(&["key", "hash", &file]).stdout.trim(), hash);
    let again = run(&["key", "new", &file]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains(&file) && again.stderr.contains("exists"), "{again:?}");
    assert_eq!(fs::read_to_string(&file).expect("a key"), key);
    fs::write(&file, "password\n").expect("to write");
    assert_eq!(run(&["key", "hash", &file]).code, Some(1));
}

#[test]
fn secured_services_serve_other_machines_and_whoever_proves_who_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let (platform, platform_hash) = new_key(folder.path(), "platform.key");
    let (operator, operator_hash) = new_key(folder.path(), "operator.key");
    certify(folder.path());
    let security = document(folder.path(), TLS, &platform_hash, &operator_hash);
    let data_dir = folder.path().join("data");
    let mut arguments = vec!["serve", "all", "--log", "warn", "--data-dir", text(&data_dir), "--security", &security];
    let everywhere: Vec<&str> =
        FREE_PORTS.iter().map(|flag| if *flag == "127.0.0.1:0" { "0.0.0.0:0" } else { flag }).collect();
    arguments.extend(everywhere);
    let services = Services::start(&arguments, 3);
    let authority = folder.path().join("authority.crt");
    let ask = |credential: Option<&str>, arguments: &[&str]| -> Finished {
        let url = |name: &str| services.url(name).replace("http://0.0.0.0", "https://localhost");
        let (access, activity, credit) =
            (url("access-management"), url("activity-tracking"), url("credit-calculation"));
        let mut arguments = arguments.to_vec();
        arguments.extend(["--access-url", &access, "--activity-url", &activity, "--credit-url", &credit]);
        arguments.extend(["--authorities", text(&authority)]);
        arguments.extend(credential.iter().flat_map(|file| ["--credential", *file]));
        run(&arguments)
    };
    let imported = ask(Some(&platform), &["import", "programme", SAMPLE]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let status = ask(Some(&operator), &["status"]);
    assert_eq!(status.code, Some(0), "{status:?}");
    for (credential, said) in [
        (
            Some(operator.as_str()),
            "operator may not call managedcredit.credit.v1.CreditCalculationService/ListManagedCredits",
        ),
        (None, "nothing says who calls"),
    ] {
        let refused = ask(credential, &["breakdown", "--partner", "1001"]);
        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.contains(said), "{refused:?}");
    }
    // Whoever speaks without TLS, or believes others, is told what is wrong.
    let plain = services.url("credit-calculation").replace("0.0.0.0", "127.0.0.1");
    let plain = run(&["breakdown", "--partner", "1001", "--credential", &platform, "--credit-url", &plain]);
    assert!(plain.stderr.contains("Where services encrypt, --credit-url begins with https"), "{plain:?}");
    let strangers = tempfile::tempdir().expect("a folder");
    certify(strangers.path());
    let url = services.url("credit-calculation").replace("http://0.0.0.0", "https://localhost");
    let authority_of_strangers = strangers.path().join("authority.crt");
    let believing = ["--credit-url", &url, "--authorities", text(&authority_of_strangers), "--credential", &platform];
    let strange = run(&[&["breakdown", "--partner", "1001"][..], &believing].concat());
    assert!(strange.stderr.contains("cannot be spoken with at https://localhost"), "{strange:?}");
    assert!(strange.stderr.contains("certificate"), "{strange:?}");
    let breakdown =
        ask(Some(&platform), &["breakdown", "--partner", "1001", "--as", "marco.bianchi@officina-digitale.example"]);
    assert!(breakdown.stderr.contains("Client Access Manager permission"), "{breakdown:?}");
    services.terminate();
    assert_eq!(services.wait().0.code(), Some(0));
}

#[test]
fn whoever_exposes_services_without_proof_says_so_and_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = |data_dir: &str, flags: &[&str]| {
        let data_dir = folder.path().join(data_dir);
        let mut arguments = vec!["serve", "access", "--data-dir", text(&data_dir)];
        arguments.extend(flags);
        let services = Services::start(&arguments, 1);
        services.terminate();
        services.wait().1
    };
    let here = start("one", &["--access-listen", "127.0.0.1:0"]);
    assert!(here.contains("only this machine may call; --security FILE"), "{here}");
    let flags = ["--access-listen", "0.0.0.0:0", "--dangerously-without-authentication", "--dangerously-without-tls"];
    let exposed = start("two", &flags);
    assert!(exposed.contains("whoever reaches these addresses may do everything"), "{exposed}");
}

#[test]
fn config_check_tells_what_serve_would_do_and_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, hash) = new_key(folder.path(), "platform.key");
    let (_, other) = new_key(folder.path(), "operator.key");
    let security = document(folder.path(), "", &hash, &other);
    let check = |flags: &[&str]| {
        let mut arguments = vec!["config", "check", "credit", "--security", &security];
        arguments.extend(flags);
        let mut command = managed_credit(&arguments);
        command.env("MANAGED_CREDIT_CREDIT_DATABASE_URL", "postgres://me:s3cret@db/credit");
        let output = command.output().expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    };
    let fine = check(&[]);
    assert_eq!(fine.code, Some(0), "{fine:?}");
    for expected in [
        "credit-calculation: on 127.0.0.1:50053, in postgres://me:***@db/credit",
        "credit-calculation calls activity-tracking at http://127.0.0.1:50052",
        "platform: 77 RPCs, proven by 1 key",
        "connections: not encrypted",
    ] {
        assert!(fine.stdout.contains(expected), "{expected}: {}", fine.stdout);
    }
    assert!(!fine.stdout.contains("s3cret") && !fine.stdout.contains("sha256"), "{}", fine.stdout);
    let exposed = check(&["--credit-listen", "0.0.0.0:50053"]);
    assert_eq!(exposed.code, Some(1));
    assert!(exposed.stderr.contains("--credit-listen: 0.0.0.0:50053 is not a loopback address"), "{exposed:?}");
    assert!(exposed.stderr.contains("[tls]"), "{exposed:?}");
    let misspelt = fs::read_to_string(&security).expect("a document").replace("/GetStatus", "/GetState");
    fs::write(&security, misspelt).expect("to write");
    let misspelt = check(&[]);
    assert_eq!(misspelt.code, Some(1));
    for expected in ["--security", "callers[1].methods[0]", "GetState"] {
        assert!(misspelt.stderr.contains(expected), "{expected}: {misspelt:?}");
    }
}

#[test]
fn a_password_in_a_command_line_is_refused() {
    let refused = run(&["migrate", "credit", "--credit-database-url", "postgres://me:s3cret@127.0.0.1:1/credit"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("MANAGED_CREDIT_CREDIT_DATABASE_URL"), "{refused:?}");
    assert!(!refused.stderr.contains("s3cret"), "{refused:?}");
}

#[test]
fn a_credential_is_not_sent_where_others_could_read_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (key, _) = new_key(folder.path(), "platform.key");
    for (url, said) in [
        ("http://192.0.2.1:50053", "--credit-url http://192.0.2.1:50053: https is expected"),
        ("https://192.0.2.1:50053", "--credit-url https://192.0.2.1:50053: https needs authorities"),
        ("ftp://x", "--credit-url ftp://x: is not the URL of a service"),
    ] {
        let refused = run(&["breakdown", "--partner", "1001", "--credential", &key, "--credit-url", url]);
        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.contains(said), "{refused:?}");
    }
    let missing = run(&["breakdown", "--partner", "1001", "--credential", "/nowhere/key"]);
    assert!(missing.stderr.contains("/nowhere/key"), "{missing:?}");
    let half = run(&["breakdown", "--partner", "1001", "--certificate", "x.crt"]);
    assert!(half.stderr.contains("a certificate needs its key"), "{half:?}");
}

#[test]
fn services_speak_with_other_machines_through_tls_unless_somebody_says_otherwise() {
    let folder = tempfile::tempdir().expect("a folder");
    certify(folder.path());
    let identity = "[calls.credit-calculation]\nauthorities = \"authority.crt\"\ncertificate = \"service.crt\"\nkey = \"service.key\"\n";
    let (_, hash) = new_key(folder.path(), "platform.key");
    let (_, other) = new_key(folder.path(), "operator.key");
    let with_certificate = document(folder.path(), identity, &hash, &other);
    let data_dir = folder.path().join("data");
    let check = |url: &str, flags: &[&str]| {
        let mut arguments = vec!["config", "check", "credit", "--data-dir", text(&data_dir), "--activity-url", url];
        arguments.extend(flags);
        run(&arguments)
    };
    for flags in [&[][..], &["--security", &with_certificate]] {
        let refused = check("http://activity.internal:50052", flags);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(
            refused.stderr.contains("activity-tracking at http://activity.internal:50052: https is expected"),
            "{refused:?}"
        );
        let mut exposed = flags.to_vec();
        exposed.push("--dangerously-without-tls");
        assert_eq!(check("http://activity.internal:50052", &exposed).code, Some(0));
        assert_eq!(check("http://127.0.0.1:50052", flags).code, Some(0));
    }
    let encrypted = check("https://activity.internal:50052", &["--security", &with_certificate]);
    assert_eq!(encrypted.code, Some(0), "{encrypted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_name_no_person() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data");
    let (key, hash) = new_key(folder.path(), "platform.key");
    let (_, other) = new_key(folder.path(), "operator.key");
    let security = document(folder.path(), "", &hash, &other);
    let log = folder.path().join("log");
    let mut arguments = vec!["serve", "all", "--log", "debug", "--data-dir", text(&data_dir), "--security", &security];
    arguments.extend(FREE_PORTS);
    let mut command = managed_credit(&arguments);
    command.stderr(Stdio::from(fs::File::create(&log).expect("a file")));
    let services = Services::start_by(&mut command, 3);
    let imported = services.ask(&["import", "programme", SAMPLE, "--credential", &key]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let file = format!("{SAMPLE}/audit-log/2001.json");
    let imported = services.ask(&["import", "audit-log", "--client", "2001", &file, "--credential", &key]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    for person in
        ["giulia.rossi@officina-digitale.example", "marco.bianchi@officina-digitale.example", "nobody@x.example"]
    {
        services.ask(&["access", "employees", "--partner", "1001", "--as", person, "--credential", &key]);
        services.ask(&["why", "--partner", "1001", "--client", "2001", "--as", person, "--credential", &key]);
        services.ask(&["why", "--partner", "1001", "--client", "2001", "--as", person]);
    }
    // What an unproven caller writes where ids and names of RPCs are expected.
    let url = services.url("credit-calculation");
    let mut credit = CreditCalculationServiceClient::connect(url).await.expect("it is ready");
    let mut strange = tonic::Request::new(GetPolicyRequest::default());
    strange.metadata_mut().insert("x-request-id", "anna@agency.example".parse().expect("ASCII"));
    credit.get_policy(strange).await.expect_err("unproven");
    services.terminate();
    assert_eq!(services.wait().0.code(), Some(0));
    let log = fs::read_to_string(&log).expect("a log");
    assert!(log.contains("caller=\"platform\"") && log.contains("actor=\"person-"), "{log}");
    assert!(log.contains("a call was refused"), "refusals are told");
    let secret = fs::read_to_string(&key).expect("a key");
    let named: Vec<&str> = log.lines().filter(|line| line.contains("@") || line.contains(secret.trim())).collect();
    assert!(named.is_empty(), "{named:#?}");
}
