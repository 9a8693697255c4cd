//! A PostgreSQL of the test's own, which can be killed and started again. What it has acknowledged, it keeps.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::signal;

/// Far more than a start takes, also after a crash.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Postgres {
    folder: TempDir,
}

impl Postgres {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(folder.path()).status();
            assert!(owned.expect("chown is installed").success(), "PostgreSQL refuses to run as root");
        }
        let postgres = Self { folder };
        let data = postgres.data();
        run(program("initdb").args(["-U", "postgres", "-A", "trust", "-N", "--no-instructions", "-D"]).arg(&data));
        let settings = format!(
            "\nlisten_addresses = ''\nunix_socket_directories = '{}'\nfsync = off\nmax_connections = 100\n",
            postgres.socket_folder().display()
        );
        let file = data.join("postgresql.conf");
        let written = fs::read_to_string(&file).expect("its settings") + &settings;
        fs::write(&file, written).expect("its settings");
        postgres.start_again();
        postgres
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where it listens.
    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// Creates an empty database.
    pub fn create(&self, name: &str) {
        run(Command::new(path_of("psql"))
            .args(["-q", "-U", "postgres", "-c", &format!("CREATE DATABASE {name}"), "-h"])
            .arg(self.socket_folder()));
    }

    /// Kills its first process; the others end when they notice.
    pub fn kill(&self) {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).expect("it runs");
        signal("KILL", file.lines().next().and_then(|line| line.parse().ok()).expect("a process id"));
    }

    /// Starts it after it was killed: as soon as the processes of before have ended.
    pub fn start_again(&self) {
        let start = Instant::now();
        loop {
            let log = self.folder.path().join("log");
            let started =
                program("pg_ctl").args(["-w", "-D"]).arg(self.data()).arg("-l").arg(log).arg("start").output();
            let started = started.expect("pg_ctl is installed");
            if started.status.success() {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{}", String::from_utf8_lossy(&started.stderr));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = program("pg_ctl");
        // It may have ended already.
        let _ = stop
            .args(["-m", "immediate", "-D"])
            .arg(self.data())
            .arg("stop")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").expect("a process").uid() == 0
}

/// Debian keeps PostgreSQL's programs out of the PATH, by version: the newest, or what else the machine has.
pub fn path_of(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.is_file());
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}

/// A program of PostgreSQL's, as somebody whom it runs for.
fn program(name: &str) -> Command {
    if !is_root() {
        return Command::new(path_of(name));
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(path_of(name)).current_dir("/");
    command
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
