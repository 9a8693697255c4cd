//! `key`: preshared keys. A key is in its file only; what is printed is its hash, which is no secret.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use service_kit::{KeyHash, is_made, new_key};

/// What is done with a key.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key that nobody can guess, into a new file that only its owner can read, and print its hash
    New {
        /// The file, which must not exist yet
        file: PathBuf,
    },
    /// Print the hash of the key in a file
    Hash {
        /// The file
        file: PathBuf,
    },
}

pub(crate) fn key(command: &KeyCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let hash = match command {
        KeyCommand::New { file } => make(file).with_context(|| file.display().to_string())?,
        KeyCommand::Hash { file } => hash_of(file).with_context(|| file.display().to_string())?,
    };
    Ok(writeln!(out, "{hash}")?)
}

fn make(file: &Path) -> anyhow::Result<KeyHash> {
    let key = new_key()?;
    let mut created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    created.write_all(key.as_bytes())?;
    created.write_all(b"\n")?;
    created.sync_all()?;
    Ok(KeyHash::of(&key))
}

fn hash_of(file: &Path) -> anyhow::Result<KeyHash> {
    let text = zeroize::Zeroizing::new(fs::read_to_string(file)?);
    let key = text.trim();
    anyhow::ensure!(is_made(key), "is no key that `managed-credit key new` has made");
    Ok(KeyHash::of(key))
}
