//! Compiled artifacts on this host's own disk. An artifact is native code, so only bytes that this host wrote are ever
//! loaded: each file carries a tag made with a key that never leaves the directory. Anything wrong means compiling again.

mod directory;

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::path::Path;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use wasmhost_protocol::digest::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::artifact::{self, Description};
use directory::Directory;

/// Size of all artifacts; the least recently used go first.
const MAX_BYTES: u64 = 4 << 30;
/// A tag stands behind the artifact, which is mapped from the file's beginning.
const TAG_BYTES: u64 = 32;
/// What an artifact's file looks like inside.
const FORM: u32 = 3;
/// Bytes that are read at a time.
const READ_BYTES: usize = 256 << 10;
const KEY_FILE: &str = "key";
const SUFFIX: &str = "artifact";
/// Where the system shows a process what it has open.
const DESCRIPTORS: &str = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };

/// The directory of one host's artifacts.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: Directory,
    key: [u8; 32],
    suffix: String,
}

/// An artifact that this host wrote.
#[derive(Debug)]
pub(crate) enum Artifact {
    /// From its compiler.
    InMemory(Vec<u8>),
    /// From its cache, with a valid tag.
    OnDisk {
        /// The open file. It is never written to again: a new one takes its name.
        file: File,
        /// The artifact's part of it.
        bytes: u64,
    },
}

impl Cache {
    /// Opens or creates the directory, for this user alone.
    pub(crate) fn open(dir: &Path, engine: &Engine) -> io::Result<Self> {
        let (directory, key) = open(dir)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        let suffix =
            format!("{:016x}-{}-{FORM}-{target}.{SUFFIX}", hasher.finish(), env!("CARGO_PKG_VERSION"));
        Ok(Self { directory, key, suffix })
    }

    /// Whether it can be opened, by its key.
    pub(crate) fn check(dir: &Path) -> io::Result<()> {
        open(dir).map(drop)
    }

    /// The artifact of `digest`, if this host wrote one and nobody touched it since.
    pub(crate) fn read(&self, digest: &Digest) -> Option<Artifact> {
        let name = self.name(digest);
        let mut file = self.directory.read(&name).ok()?;
        let bytes = file.metadata().ok()?.len().checked_sub(TAG_BYTES)?;
        if !self.is_tagged(&name, &mut file, bytes).ok()? {
            tracing::warn!(name, "a cached artifact was changed: compiling again");
            self.forget(digest);
            return None;
        }
        touch(&file);
        Some(Artifact::OnDisk { file, bytes })
    }

    /// Keeps an artifact, and makes room for it.
    pub(crate) fn write(&self, digest: &Digest, artifact: &[u8]) -> io::Result<()> {
        self.make_room(artifact.len() as u64)?;
        let name = self.name(digest);
        let mut tagger = self.tagger(&name);
        tagger.update(artifact);
        let temporary = temporary_name()?;
        let written = self.directory.make(&temporary).and_then(|mut file| {
            file.write_all(artifact)?;
            file.write_all(&tagger.finalize().into_bytes())?;
            file.sync_all()?;
            self.directory.rename(&temporary, &name)
        });
        written.inspect_err(|_| {
            self.directory.remove(&temporary).ok();
        })
    }

    /// Removes an artifact that is of no use.
    pub(crate) fn forget(&self, digest: &Digest) {
        self.directory.remove(&self.name(digest)).ok();
    }

    fn name(&self, digest: &Digest) -> String {
        format!("{digest}-{}", self.suffix)
    }

    /// The name is part of what is signed: one artifact cannot stand in for another.
    fn tagger(&self, name: &str) -> Hmac<Sha256> {
        let mut tagger = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length will do");
        tagger.update(name.as_bytes());
        tagger
    }

    fn is_tagged(&self, name: &str, file: &mut File, bytes: u64) -> io::Result<bool> {
        let mut tagger = self.tagger(name);
        let (mut artifact, mut buffer) = (file.take(bytes), vec![0; READ_BYTES]);
        loop {
            match artifact.read(&mut buffer)? {
                0 => break,
                read => tagger.update(&buffer[..read]),
            }
        }
        let mut tag = Vec::new();
        artifact.into_inner().read_to_end(&mut tag)?;
        Ok(tagger.verify_slice(&tag).is_ok())
    }

    fn make_room(&self, wanted: u64) -> io::Result<()> {
        let mut kept = self.directory.entries(SUFFIX)?;
        kept.sort();
        let mut size: u64 = wanted + kept.iter().map(|entry| entry.bytes).sum::<u64>();
        for entry in kept {
            if size <= MAX_BYTES {
                break;
            }
            self.directory.remove(&entry.name)?;
            size -= entry.bytes;
        }
        Ok(())
    }
}

impl Artifact {
    /// Its size in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::InMemory(bytes) => bytes.len() as u64,
            Self::OnDisk { bytes, .. } => *bytes,
        }
    }

    /// What stands behind its code.
    pub(crate) fn description(&self) -> Option<Description> {
        match self {
            Self::InMemory(bytes) => artifact::description(bytes.as_slice(), bytes.len() as u64),
            Self::OnDisk { file, bytes } => artifact::description(file, *bytes),
        }
    }

    /// Turns it into code that can run. One from the cache is mapped: the system takes the memory of what does not run back, and reads
    /// it again from the file.
    pub(crate) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        #[expect(
            unsafe_code,
            reason = "the bytes come from this host's compiler, or from its cache with a valid tag"
        )]
        // SAFETY: `Made` is only what `Compilation::artifact` returned, `Kept` only what `Cache::read` authenticated: the very file,
        // opened once, in a directory that only this user writes to, which never changes a file that has its name.
        unsafe {
            match self {
                // Code that is followed by something else is taken from a file as from memory.
                Self::InMemory(bytes) => Component::deserialize(engine, bytes),
                Self::OnDisk { file, .. } => {
                    Component::deserialize_file(engine, format!("{DESCRIPTORS}/{}", file.as_raw_fd()))
                }
            }
        }
    }
}

fn open(dir: &Path) -> io::Result<(Directory, [u8; 32])> {
    let directory = Directory::open(dir)?;
    let key = read_or_make_key(&directory)?;
    Ok((directory, key))
}

fn read_or_make_key(directory: &Directory) -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(no_random)?;
    let temporary = temporary_name()?;
    directory.make(&temporary)?.write_all(&key)?;
    // A link never replaces a key that another process made meanwhile.
    let linked = directory.link(&temporary, KEY_FILE);
    directory.remove(&temporary)?;
    match linked {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            directory.read(KEY_FILE)?.read_exact(&mut key)?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}

fn temporary_name() -> io::Result<String> {
    Ok(format!("{:016x}.new", getrandom::u64().map_err(no_random)?))
}

fn no_random(error: getrandom::Error) -> io::Error {
    io::Error::other(error.to_string())
}

/// Marks a file as used now; a read-only one just grows old.
fn touch(file: &File) {
    use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens};
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    futimens(file, &Timestamps { last_access: now, last_modification: now }).ok();
}

#[cfg(test)]
mod tests;
