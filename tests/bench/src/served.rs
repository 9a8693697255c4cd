//! The executable, while it serves.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

/// A process of its own, which ends with this.
#[derive(Debug)]
pub(crate) struct Served {
    child: Child,
    /// It may go on printing.
    _printed: BufReader<ChildStdout>,
    /// In the order of the services.
    pub urls: Vec<String>,
    /// How long it took until it was ready.
    pub ready_after: Duration,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// Serves a part (`all`, `access` ...) with these flags; the other parts' URLs are among them where it needs them.
    pub fn start(program: &Path, part: &str, flags: &[String]) -> anyhow::Result<Self> {
        let begin = Instant::now();
        let mut child = Command::new(program)
            .args(["serve", part, "--log", "off", "--migrate"])
            .args(["--access-listen", "127.0.0.1:0", "--activity-listen", "127.0.0.1:0"])
            .args(["--credit-listen", "127.0.0.1:0"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| program.display().to_string())?;
        let services = if part == "all" { 3 } else { 1 };
        let mut printed = BufReader::new(child.stdout.take().context("it is piped")?);
        let mut urls = Vec::new();
        for _ in 0..services {
            let mut line = String::new();
            ensure!(printed.read_line(&mut line)? > 0, "the services do not start");
            urls.push(format!("http://{}", line.trim_end().rsplit(' ').next().unwrap_or_default()));
        }
        Ok(Self { child, _printed: printed, urls, ready_after: begin.elapsed() })
    }

    /// What the system says of its memory: `VmRSS` now, `VmHWM` at most.
    pub fn megabytes(&self, name: &str) -> anyhow::Result<f64> {
        megabytes_of(self.child.id(), name)
    }
}

/// The memory of a process.
pub(crate) fn megabytes_of(process: u32, name: &str) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with(name)).context("memory is told")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok(kilobytes / 1_024.0)
}
