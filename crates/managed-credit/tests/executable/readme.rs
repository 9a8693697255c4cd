//! The README's session works as printed, and its documents are valid.

use crate::process::{Services, run};
use crate::security::certify;
use crate::tools::{assert_installed, tool};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");

/// A command of the session, and what the README says that it prints; a line `...` stands for any lines.
struct Step {
    command: String,
    printed: Vec<String>,
}

/// The steps of every `console` block.
fn steps() -> Vec<Step> {
    let readme = std::fs::read_to_string(README).expect("the README");
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ => match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step { command: command.to_owned(), printed: Vec::new() }),
                (None, Some(step)) if step.printed.is_empty() && goes_on(&step.command) => {
                    step.command.push('\n');
                    step.command.push_str(line);
                }
                (None, Some(step)) => step.printed.push(line.to_owned()),
                (None, None) => panic!("a console block begins with a command: {line}"),
            },
        }
    }
    steps
}

/// Whether the shell would read on: the line ends so, or within quotes.
fn goes_on(command: &str) -> bool {
    command.ends_with('\\') || command.matches('\'').count() % 2 == 1
}

/// Whether the lines are the printed ones, where `...` stands for any lines.
fn matches(printed: &[String], lines: &[&str]) -> bool {
    match printed.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first.trim() == "..." => {
            (0..=lines.len()).any(|skipped| matches(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines.first() == Some(&first.as_str()) && matches(rest, &lines[1..]),
    }
}

#[test]
fn the_readmes_session_works_as_printed() {
    assert_installed("grpcurl", &["-version"]);
    let kept = Services::start(&["demo", "--keep"], 3);
    let ports = [
        ("localhost:50051", kept.url("access-management")),
        ("localhost:50052", kept.url("activity-tracking")),
        ("localhost:50053", kept.url("credit-calculation")),
    ];
    let steps = steps();
    assert!(steps.len() >= 5, "only {} steps were found", steps.len());
    for step in steps {
        // Where the default ports are taken, others were chosen.
        let command = ports.iter().fold(step.command.clone(), |command, (port, url)| {
            command.replace(port, url.trim_start_matches("http://"))
        });
        let output = tool("bash").args(["-c", &command]).output().expect("bash");
        let mut answer = String::from_utf8(output.stdout).expect("text");
        answer.push_str(&String::from_utf8(output.stderr).expect("text"));
        let lines: Vec<&str> = answer.lines().collect();
        assert!(
            matches(&step.printed, &lines),
            "{}\nshould print\n{}\nand printed\n{answer}",
            step.command,
            step.printed.join("\n")
        );
    }
    kept.terminate();
    assert_eq!(kept.wait().0.code(), Some(0));
}

#[test]
fn the_readmes_document_of_who_may_call_is_valid() {
    let readme = std::fs::read_to_string(README).expect("the README");
    let blocks: Vec<&str> = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [document] = blocks[..] else { panic!("one document") };
    let folder = tempfile::tempdir().expect("a folder");
    let place = |file: &str| folder.path().join(file);
    certify(folder.path());
    for (from, to) in [
        ("authority.crt", "callers-ca.crt"),
        ("authority.crt", "services-ca.crt"),
        ("service.crt", "credit.crt"),
        ("service.key", "credit.key"),
    ] {
        std::fs::copy(place(from), place(to)).expect("to copy");
    }
    let key = run(&["key", "new", place("platform.key").to_str().expect("text")]);
    let document = document.replace("sha256:93d1...", key.stdout.trim());
    // On a machine without authorities of its own the issuer's are needed.
    let document = document.replace("audience =", "key_authorities = \"services-ca.crt\"\naudience =");
    std::fs::write(place("security.toml"), document).expect("to write");
    let (data_dir, file) = (place("data"), place("security.toml"));
    let [data_dir, file] = [&data_dir, &file].map(|path| path.to_str().expect("text"));
    let checked =
        run(&["config", "check", "all", "--data-dir", data_dir, "--security", file, "--credit-listen", "0.0.0.0:0"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    for expected in
        ["connections: TLS", "platform: 77 RPCs, proven by 1 key", "people with tokens of their own: 59 RPCs"]
    {
        assert!(checked.stdout.contains(expected), "{expected}: {}", checked.stdout);
    }
}
