//! Programs that are not ours: tests/run installs them where it is missing one.

use std::path::PathBuf;
use std::process::Command;

/// The repository.
pub const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A program that finds what tests/run has installed, and else what the machine has. It has two minutes at most.
pub fn tool(program: &str) -> Command {
    let tools = PathBuf::from(REPOSITORY).join("target/tools");
    let packages = tools.join("node/node_modules");
    let mut path = vec![tools.join("bin"), packages.join(".bin"), tools.join("debian/usr/bin")];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new("timeout");
    command.args(["120", program]).current_dir(REPOSITORY);
    command.env("PATH", std::env::join_paths(path).expect("paths")).env("NODE_PATH", packages);
    command
}

/// Fails with a sentence where a program, asked so, does not answer.
pub fn assert_installed(program: &str, arguments: &[&str]) {
    let answer = tool(program).args(arguments).output().expect("timeout, which every machine has");
    assert!(
        answer.status.success(),
        "{program} does not answer {arguments:?}; tests/run installs it: {}",
        String::from_utf8_lossy(&answer.stderr)
    );
}
