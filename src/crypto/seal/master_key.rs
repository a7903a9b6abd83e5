//! The master key: 32 random bytes in a file that only its owner can read, or from the environment. It only wraps the
//! keys of a database, so that a stolen database alone cannot be decrypted.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::crypto::random;

/// The key that wraps the keys of a database.
pub(crate) struct MasterKey(Zeroizing<[u8; 32]>);

/// The reason why the master key cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MasterKeyError {
    /// The text is not 32 bytes in base64.
    #[error("is not a master key: 32 bytes in base64 are expected")]
    Malformed,
    /// The file is readable by others than its owner.
    #[error("{} may be read by others (mode {mode:03o}): set it to 600, and make a new key if it was exposed", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file does not contain 32 bytes in base64.
    #[error("{} does not hold a master key: 32 bytes in base64 are expected", .0.display())]
    MalformedFile(PathBuf),
    /// Reading or writing the file failed.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

impl MasterKey {
    /// Generates a key without storing it.
    pub(crate) fn generate() -> Self {
        Self::from_bytes(random::bytes())
    }

    /// Wraps these bytes.
    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Parses base64, the form in the file or the environment.
    pub(crate) fn from_base64(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| MasterKeyError::Malformed)?);
        let bytes = bytes.as_slice().try_into().map_err(|_| MasterKeyError::Malformed)?;
        Ok(Self::from_bytes(bytes))
    }

    /// Encodes as base64, the form in the file or the environment.
    pub(crate) fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }

    /// Reads the key file, or creates it if missing. Two processes that start concurrently get the same key.
    pub(crate) fn load_or_create(path: &Path) -> Result<Self, MasterKeyError> {
        match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                create(path).map_err(|source| MasterKeyError::File { path: path.to_owned(), source })?;
                load(path, File::open(path))
            }
            file => load(path, file),
        }
    }

    /// A public identifier, from which the key cannot be derived.
    pub(crate) fn id(&self) -> String {
        let id = self.derive("vestibule/key-id");
        let (short, _) = id.split_at(6);
        URL_SAFE_NO_PAD.encode(short)
    }

    /// The key that wraps a database's keys.
    pub(super) fn wrapping(&self) -> Zeroizing<[u8; 32]> {
        self.derive("vestibule/wrap/v1")
    }

    /// Derives the key for one purpose; it reveals neither the master key nor another derived key.
    fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let tag = hmac::sign(&hmac::Key::new(HMAC_SHA256, self.0.as_slice()), purpose.as_bytes());
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(tag.as_ref());
        key
    }
}

fn load(path: &Path, file: std::io::Result<File>) -> Result<MasterKey, MasterKeyError> {
    let failed = |source| MasterKeyError::File { path: path.to_owned(), source };
    let file = file.map_err(failed)?;
    // Of the open file, because the name could refer to another file a moment later.
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(MasterKeyError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(1024).read_to_string(&mut text).map_err(failed)?;
    MasterKey::from_base64(&text).map_err(|_| MasterKeyError::MalformedFile(path.to_owned()))
}

/// Writes a new key to a temporary file and links it to the name: the first process to link wins, and a partly written
/// key is never visible.
fn create(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let draft = folder.join(format!(".master-key-{}", random::uuid()));
    let written = write(&draft).and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    std::fs::remove_file(&draft)?;
    written?;
    File::open(folder)?.sync_all()
}

fn write(path: &Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(MasterKey::generate().to_base64().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};

    use super::*;

    /// A folder that is removed after the test.
    struct KeyFolder(PathBuf);

    impl KeyFolder {
        fn new() -> Self {
            Self(std::env::temp_dir().join(format!("vestibule-{}", random::uuid())))
        }

        fn key(&self) -> PathBuf {
            self.0.join("keys/master.key")
        }
    }

    impl Drop for KeyFolder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn the_file_is_made_once_and_read_afterwards() {
        let folder = KeyFolder::new();
        let first = MasterKey::load_or_create(&folder.key()).unwrap();
        let second = MasterKey::load_or_create(&folder.key()).unwrap();
        assert_eq!(first.0, second.0);
        let names: Vec<_> = std::fs::read_dir(folder.0.join("keys")).unwrap().collect();
        assert_eq!(names.len(), 1, "no draft stays behind");
    }

    #[test]
    fn only_the_owner_can_read_file_and_folder() {
        let folder = KeyFolder::new();
        MasterKey::load_or_create(&folder.key()).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.key()), 0o600);
        assert_eq!(mode(&folder.0.join("keys")), 0o700);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = KeyFolder::new();
        MasterKey::load_or_create(&folder.key()).unwrap();
        for mode in [0o604, 0o640, 0o660, 0o644, 0o602] {
            set_permissions(folder.key(), Permissions::from_mode(mode)).unwrap();
            let error = MasterKey::load_or_create(&folder.key()).err().unwrap();
            assert!(error.to_string().contains(&format!("mode {mode:03o}")), "{error}");
        }
        set_permissions(folder.key(), Permissions::from_mode(0o400)).unwrap();
        assert!(MasterKey::load_or_create(&folder.key()).is_ok());
    }

    #[test]
    fn a_file_with_something_else_is_refused_and_left_alone() {
        let folder = KeyFolder::new();
        MasterKey::load_or_create(&folder.key()).unwrap();
        for text in ["", "AAAA", "not base64 at all", &STANDARD.encode([0; 33])] {
            std::fs::write(folder.key(), text).unwrap();
            let error = MasterKey::load_or_create(&folder.key()).err().unwrap();
            assert!(matches!(error, MasterKeyError::MalformedFile(_)), "{error}");
            assert_eq!(std::fs::read_to_string(folder.key()).unwrap(), text);
        }
    }

    #[test]
    fn many_that_start_at_once_get_the_same_key() {
        let folder = KeyFolder::new();
        let start = std::sync::Barrier::new(16);
        let load = || {
            start.wait();
            MasterKey::load_or_create(&folder.key()).unwrap().0
        };
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(load)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn the_environment_may_hold_it() {
        assert_eq!(*MasterKey::from_base64(&STANDARD.encode([7; 32])).unwrap().0, [7; 32]);
        assert!(MasterKey::from_base64("short").is_err());
        assert_ne!(MasterKey::generate().0, MasterKey::generate().0);
    }
}
