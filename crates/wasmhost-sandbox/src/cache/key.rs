//! The secret key of a cache, by which a host recognises the artifacts that it wrote.

use std::fmt;
use std::io::{self, Read, Write};

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::directory::{Directory, no_randomness, temporary_name};

/// The name of the key's file in the directory of the cache.
pub(super) const KEY_FILE: &str = "key";

/// 32 random bytes that never leave the directory.
pub(super) struct Key([u8; 32]);

impl Key {
    /// Reads the key of the directory, or creates one where there is none.
    pub(super) fn read_or_create(directory: &Directory) -> io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(no_randomness)?;
        // The key gets its name only when it is whole, so that no other process reads a part of it.
        let temporary = temporary_name()?;
        directory.create_file(&temporary)?.write_all(&key)?;
        // A link, unlike a renamed file, never replaces the key that another process may have created meanwhile.
        let linked = directory.link(&temporary, KEY_FILE);
        directory.remove(&temporary)?;
        match linked {
            Ok(()) => Ok(Self(key)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                directory.open_file(KEY_FILE)?.read_exact(&mut key)?;
                Ok(Self(key))
            }
            Err(error) => Err(error),
        }
    }

    /// Begins an HMAC with this key.
    pub(super) fn hmac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("HMAC takes a key of any length")
    }
}

/// Keeps the key out of logs.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}
