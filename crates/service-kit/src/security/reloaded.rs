//! What is made of files, and made anew when they have changed.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Reads a file of a secret or of certificates whole; it is wiped from memory when it is dropped.
///
/// # Errors
/// What cannot be read, in words that name the file.
pub(super) fn read(file: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, String> {
    fs::read(file).map(zeroize::Zeroizing::new).map_err(|error| format!("{}: {error}", file.display()))
}

/// How files looked: another look means other content. Whoever replaces a file gives it another inode, also behind a
/// symbolic link, as Kubernetes does.
type Look = Vec<Option<(u64, i64, i64, u64)>>;

/// A value made of files. Every use looks whether they have changed, so that it is never older than they are; content that
/// cannot be used is told once, and the value before stays in use.
pub(super) struct Reloaded<T> {
    files: Vec<PathBuf>,
    load: Box<dyn Fn() -> Result<T, String> + Send + Sync>,
    loaded: Mutex<(Look, Arc<T>)>,
}

impl<T> Reloaded<T> {
    /// Makes the value for the first time.
    ///
    /// # Errors
    /// What the files lack.
    pub fn new(
        files: Vec<PathBuf>,
        load: impl Fn() -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let look = look_of(&files);
        let value = Arc::new(load()?);
        Ok(Self { files, load: Box::new(load), loaded: Mutex::new((look, value)) })
    }

    /// The value of the files as they are.
    pub fn get(&self) -> Arc<T> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        // The look before the content: what changes in between is seen the next time.
        let look = look_of(&self.files);
        if look != loaded.0 {
            loaded.0 = look;
            match (self.load)() {
                Ok(value) => {
                    loaded.1 = Arc::new(value);
                    tracing::info!(files = ?self.files, "changed files are in use now");
                }
                Err(problem) => tracing::error!(problem, "changed files cannot be used; what they said before is kept"),
            }
        }
        Arc::clone(&loaded.1)
    }
}

impl<T> std::fmt::Debug for Reloaded<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reloaded").field("files", &self.files).finish_non_exhaustive()
    }
}

fn look_of(files: &[PathBuf]) -> Look {
    let look = |metadata: Metadata| (metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.len());
    files.iter().map(|file| fs::metadata(file).ok().map(look)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_as_new_as_its_file_and_outlives_what_cannot_be_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("number");
        let write = |text: &str| {
            fs::write(folder.path().join("new"), text).expect("to write");
            fs::rename(folder.path().join("new"), &file).expect("to replace");
        };
        write("1");
        let path = file.clone();
        let number = Reloaded::new(vec![file.clone()], move || {
            let text = read(&path)?;
            String::from_utf8_lossy(&text).parse::<u32>().map_err(|error| error.to_string())
        })
        .expect("a number");
        assert_eq!(*number.get(), 1);
        write("2");
        assert_eq!(*number.get(), 2);
        write("two");
        assert_eq!(*number.get(), 2);
        fs::remove_file(&file).expect("to remove");
        assert_eq!(*number.get(), 2);
        write("3");
        assert_eq!(*number.get(), 3);
    }

    #[test]
    fn what_cannot_be_used_at_first_is_refused_by_its_file() {
        let missing = Path::new("/nowhere/key.pem");
        let refused = Reloaded::new(vec![missing.to_owned()], move || read(missing).map(|_| ())).expect_err("refused");
        assert!(refused.starts_with("/nowhere/key.pem: "), "{refused}");
    }
}
