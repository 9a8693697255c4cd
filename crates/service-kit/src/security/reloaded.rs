//! What is made of files, and made anew when they have changed.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Reads a file of a secret or of certificates whole; it is wiped from memory when it is dropped.
///
/// # Errors
/// What cannot be read, in words that name the file.
pub(super) fn read(file: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, String> {
    fs::read(file).map(zeroize::Zeroizing::new).map_err(|error| format!("{}: {error}", file.display()))
}

/// How files looked: another look means other content. Whoever replaces a file gives it another inode, also behind a
/// symbolic link, as Kubernetes does.
type Look = Vec<Option<[i64; 6]>>;

/// How long to wait before files that could not be used are tried again as they are.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// A value made of files. Every use looks whether they have changed, so that it is as new as they are; while they cannot
/// be used the value before stays in use, and they are tried again.
pub(super) struct Reloaded<T> {
    files: Vec<PathBuf>,
    load: Box<dyn Fn() -> Result<T, String> + Send + Sync>,
    value: RwLock<Arc<T>>,
    looking: Mutex<Looking>,
}

struct Looking {
    /// How the files looked that the value is made of.
    used: Look,
    /// Those that came after and could not be used.
    unusable: Option<Unusable>,
}

struct Unusable {
    look: Look,
    problem: String,
    tried: Instant,
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
        let looking = Mutex::new(Looking { used: look_of(&files), unusable: None });
        let value = RwLock::new(Arc::new(load()?));
        Ok(Self { files, load: Box::new(load), value, looking })
    }

    /// The value of the files as they are.
    pub fn get(&self) -> Arc<T> {
        // Who comes while somebody looks has the present value.
        if let Ok(mut looking) = self.looking.try_lock() {
            self.look(&mut looking);
        }
        Arc::clone(&self.value.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn look(&self, looking: &mut Looking) {
        // The look before the content: what changes in between is seen the next time.
        let look = look_of(&self.files);
        let is_tried = |unusable: &Unusable| unusable.look == look && unusable.tried.elapsed() < RETRY_DELAY;
        if look == looking.used || looking.unusable.as_ref().is_some_and(is_tried) {
            return;
        }
        match (self.load)() {
            Ok(value) => {
                *self.value.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
                *looking = Looking { used: look, unusable: None };
                tracing::info!(files = ?self.files, "changed files are in use now");
            }
            Err(problem) => {
                if looking.unusable.as_ref().is_none_or(|unusable| unusable.problem != problem) {
                    tracing::error!(problem, "changed files cannot be used; what they said before is kept");
                }
                looking.unusable = Some(Unusable { look, problem, tried: Instant::now() });
            }
        }
    }
}

impl<T> std::fmt::Debug for Reloaded<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reloaded").field("files", &self.files).finish_non_exhaustive()
    }
}

fn look_of(files: &[PathBuf]) -> Look {
    let look = |metadata: Metadata| {
        let (written, changed) = ([metadata.mtime(), metadata.mtime_nsec()], [metadata.ctime(), metadata.ctime_nsec()]);
        // They are compared, not counted with.
        [written[0], written[1], changed[0], changed[1], metadata.ino().cast_signed(), metadata.len().cast_signed()]
    };
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
