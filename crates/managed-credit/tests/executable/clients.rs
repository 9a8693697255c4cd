//! Clients that are not ours, in other languages and by other libraries, against the secured executable: the programs of
//! `tests/clients`, each with code that is made from the contracts now, and buf as another client by reflection.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use rcgen::KeyPair;
use serde_json::json;
use tempfile::TempDir;
use tonic::Code;

use crate::postgresql::Databases;
use crate::process::{FREE_PORTS, Finished, Services, managed_credit};
use crate::security::{certify, new_key};
use crate::tools::{REPOSITORY, assert_installed, tool};

const ISSUER: &str = "https://id.vendor.example";
const AUDIENCE: &str = "managed-credit";
/// Where the page comes from that calls by gRPC-Web.
const ORIGIN: &str = "https://console.vendor.example";

/// Services that want proofs, and everything that proves something.
struct Secured {
    folder: TempDir,
    services: Services,
    signing: EncodingKey,
}

impl Secured {
    /// All three in one process, on SQLite, or on PostgreSQL's databases.
    fn start(databases: Option<&Databases>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        certify(folder.path());
        let (_, platform) = new_key(folder.path(), "platform.key");
        let signing = EncodingKey::from_ec_der(KeyPair::generate().expect("a key").serialized_der());
        let mut jwk = Jwk::from_encoding_key(&signing, Algorithm::ES256).expect("a public key");
        jwk.common.key_id = Some("key-1".to_owned());
        let keys = serde_json::to_string(&JwkSet { keys: vec![jwk] }).expect("JSON");
        fs::write(folder.path().join("jwks.json"), keys).expect("to write");
        let document = format!(
            r#"
[tls]
certificate = "service.crt"
key = "service.key"

[tokens]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
keys = "jwks.json"
algorithms = ["ES256"]

[people]
methods = ["managedcredit.credit.v1.CreditCalculationService/*"]

[[callers]]
name = "platform"
acts_as = ["platform", "people"]
methods = ["*"]
keys = ["{platform}"]
"#
        );
        let security = folder.path().join("security.toml");
        fs::write(&security, document).expect("to write");
        let mut command = managed_credit(&["serve", "all", "--log", "warn", "--grpc-web-origins", ORIGIN]);
        command.args(FREE_PORTS).arg("--security").arg(security);
        match databases {
            None => drop(command.arg("--data-dir").arg(folder.path().join("data"))),
            Some(databases) => drop(command.args(databases.flags())),
        }
        let services = Services::start_by(&mut command, 3);
        Self { folder, services, signing }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Where a service is called, by the name in its certificate.
    fn address(&self, service: &str) -> String {
        self.services.url(service).replace("http://127.0.0.1", "localhost")
    }

    /// A file with a token of the issuer for a person.
    fn token(&self, person: &str) -> PathBuf {
        let now = get_current_timestamp();
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": person, "iat": now, "exp": now + 3_600,
            "email": person, "email_verified": true,
        });
        let header = Header { kid: Some("key-1".to_owned()), ..Header::new(Algorithm::ES256) };
        let file = self.path(&format!("{person}.token"));
        fs::write(&file, encode(&header, &claims, &self.signing).expect("a token")).expect("to write");
        file
    }

    /// Tells a program where the services are, and gives it the credentials of the platform and of a person.
    fn introduce(&self, command: &mut Command, scheme: &str, person: &str) {
        for (flag, service) in
            [("access", "access-management"), ("activity", "activity-tracking"), ("credit", "credit-calculation")]
        {
            command.arg(format!("--{flag}")).arg(format!("{scheme}{}", self.address(service)));
        }
        command.arg("--platform-credential").arg(self.path("platform.key"));
        command.arg("--person-credential").arg(self.token(person));
    }

    fn stop(self) {
        self.services.terminate();
        assert_eq!(self.services.wait().0.code(), Some(0));
    }
}

/// Runs a program to its end.
fn finish(command: &mut Command) -> Finished {
    let output = command.stdin(Stdio::null()).output().expect("timeout, which every machine has");
    let text = |bytes| String::from_utf8(bytes).expect("output is text");
    Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(REPOSITORY).join(path)
}

/// The files of the contracts under a folder of `proto`.
fn contracts(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("contracts").map(|entry| entry.expect("an entry").path());
    let of = |path: PathBuf| if path.is_dir() { contracts(&path) } else { vec![path] };
    entries.flat_map(of).collect()
}

/// grpcio, with code that its own generator makes.
fn python(system: &Secured) -> Command {
    assert_installed("python3", &["-c", "import grpc_tools, grpc_status"]);
    let generated = tempfile::tempdir_in(system.folder.path()).expect("a folder").keep();
    let proto = in_repository("proto");
    let out = |option: &str| format!("--{option}={}", generated.display());
    let mut generate = tool("python3");
    generate.args(["-m", "grpc_tools.protoc", "-I"]).arg(&proto).args([out("python_out"), out("grpc_python_out")]);
    let made = finish(generate.args(contracts(&proto.join("managedcredit"))));
    assert_eq!(made.code, Some(0), "{made:?}");
    let mut client = tool("python3");
    client.env("PYTHONPATH", generated).env("PYTHONDONTWRITEBYTECODE", "1");
    client.arg(in_repository("tests/clients/python/client.py"));
    client.arg("--authorities").arg(system.path("authority.crt"));
    system.introduce(&mut client, "", "ada@python-agency.example");
    client
}

/// grpc-js, which reads the contracts when it starts.
fn node(system: &Secured) -> Command {
    assert_installed("node", &["-e", "require('@grpc/grpc-js')"]);
    let mut client = tool("node");
    client.arg(in_repository("tests/clients/node/grpc.js")).arg("--proto").arg(in_repository("proto"));
    client.arg("--authorities").arg(system.path("authority.crt"));
    system.introduce(&mut client, "", "ada@node-agency.example");
    client
}

/// A page's client by gRPC-Web, with code that buf generates.
fn page(system: &Secured) -> Command {
    assert_installed("buf", &["--version"]);
    assert_installed("node", &["-e", "require('@connectrpc/connect-web')"]);
    let generated = tempfile::tempdir_in(system.folder.path()).expect("a folder").keep();
    let mut generate = tool("buf");
    generate.arg("generate").arg(in_repository("proto")).arg("--output").arg(&generated);
    let made = finish(generate.arg("--template").arg(in_repository("tests/clients/node/buf.gen.yaml")));
    assert_eq!(made.code, Some(0), "{made:?}");
    let mut client = tool("node");
    client.env("NODE_EXTRA_CA_CERTS", system.path("authority.crt"));
    client.arg(in_repository("tests/clients/node/grpc_web.js")).arg("--generated").arg(generated);
    client.args(["--origin", ORIGIN]);
    system.introduce(&mut client, "https://", "ada@web-agency.example");
    client
}

/// buf calls by a protocol, and learns the contracts from the service.
fn buf(system: &Secured, protocol: &str, partner: &str, client: &str) -> Finished {
    let key = fs::read_to_string(system.path("platform.key")).expect("a key");
    let mut command = tool("buf");
    command.args(["curl", "--protocol", protocol, "--cacert"]).arg(system.path("authority.crt"));
    // Reflection wants the same proof.
    command.args(["--reflect-header", "*", "--header", &format!("authorization: Bearer {}", key.trim())]);
    let question = json!({"partner": partner, "client": client, "as_of_time": "2025-01-12T00:00:00Z"});
    command.args(["--data", &question.to_string()]);
    command.arg(format!(
        "https://{}/managedcredit.credit.v1.CreditCalculationService/GetManagedCredit",
        system.address("credit-calculation")
    ));
    finish(&mut command)
}

/// The three programs at once do their work, and say at the second time what is not as they expect; buf sees what they did.
fn serve_clients(system: Secured) {
    let programs = [("python", python(&system)), ("node", node(&system)), ("page", page(&system))];
    std::thread::scope(|scope| {
        for (name, mut program) in programs {
            scope.spawn(move || {
                let done = finish(&mut program);
                assert_eq!(done.code, Some(0), "{name}: {}{}", done.stdout, done.stderr);
                assert!(done.stdout.contains("CALLER_UNPROVEN"), "{name}: {}", done.stdout);
                assert!(done.stdout.ends_with("all as expected\n"), "{name}: {}", done.stdout);
                let again = finish(&mut program);
                assert_eq!(again.code, Some(1), "{name}: {again:?}");
                assert!(again.stderr.contains("exists"), "{name}: {again:?}");
            });
        }
    });
    for protocol in ["grpc", "grpcweb"] {
        let answered = buf(&system, protocol, "partners/4101", "clients/4111");
        assert_eq!(answered.code, Some(0), "{protocol}: {answered:?}");
        let answer: serde_json::Value = serde_json::from_str(&answered.stdout).expect("JSON");
        assert_eq!(answer["managedCredit"]["credit"], json!({"currencyCode": "USD", "amount": "1000.01"}), "{answer}");
        let refused = buf(&system, protocol, "partners/77", "clients/4111");
        // The status, shifted by three bits: what is less is of buf itself.
        assert_eq!(refused.code, Some(Code::NotFound as i32 * 8), "{protocol}: {refused:?}");
        assert!(refused.stderr.contains("partner 77 is not known"), "{protocol}: {refused:?}");
        assert!(refused.stderr.contains("google.rpc.ErrorInfo"), "{protocol}: {refused:?}");
    }
    system.stop();
}

#[test]
fn clients_in_other_languages_and_a_page_do_their_work_on_sqlite() {
    serve_clients(Secured::start(None));
}

#[test]
fn clients_in_other_languages_and_a_page_do_their_work_on_postgresql() {
    let databases = Databases::create("clients");
    serve_clients(Secured::start(Some(&databases)));
}

#[test]
fn pages_are_not_spoken_with_unless_somebody_says_of_which_origin() {
    let folder = tempfile::tempdir().expect("a folder");
    // What a page's browser would send first, and what is answered.
    let ask = |services: &Services, method: &str, origin: &str| {
        let address = services.url("credit-calculation").replace("http://", "");
        let mut connection = TcpStream::connect(&address).expect("it is ready");
        connection.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit");
        let request = format!(
            "{method} /managedcredit.credit.v1.CreditCalculationService/GetPolicy HTTP/1.1\r\nhost: {address}\r\n\
             origin: {origin}\r\naccess-control-request-method: POST\r\ncontent-type: application/grpc-web+proto\r\n\
             content-length: 5\r\nconnection: close\r\n\r\n\0\0\0\0\0"
        );
        connection.write_all(request.as_bytes()).expect("to send");
        let mut answer = Vec::new();
        // A connection that is not spoken with may be cut rather than closed.
        let _ = connection.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let silent = Services::start_all(&folder.path().join("silent"));
    let answer = ask(&silent, "OPTIONS", ORIGIN);
    assert!(!answer.contains("HTTP/1.1") && !answer.contains("access-control"), "{answer}");
    let told = Services::start_all_with(&folder.path().join("told"), &["--grpc-web-origins", ORIGIN]);
    let answer = ask(&told, "OPTIONS", ORIGIN);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(&format!("access-control-allow-origin: {ORIGIN}\r\n")), "{answer}");
    let answer = ask(&told, "POST", ORIGIN);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("grpc-status:0"), "{answer}");
    // A browser that was led astray asks such a page's own server, as it thinks, and needs no leave.
    let answer = ask(&told, "POST", "https://stranger.example");
    assert!(answer.starts_with("HTTP/1.1 403") && !answer.contains("grpc-status:0"), "{answer}");
    for services in [silent, told] {
        services.terminate();
        assert_eq!(services.wait().0.code(), Some(0));
    }
}
