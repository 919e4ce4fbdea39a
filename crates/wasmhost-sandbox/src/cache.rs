//! The cache of compiled artifacts on this host's own disk. An artifact is native code, and loading one is running it,
//! so that only bytes that this host wrote are ever loaded: each file carries a tag, made with a key that never leaves
//! the directory. Whatever is wrong with a file, the component is compiled again.

mod directory;
mod key;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::Path;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use wasmhost_protocol::digest::Digest;
use wasmtime::Engine;

use crate::artifact::Artifact;
use directory::Directory;
use key::Key;

/// The most that all artifacts may have together, in bytes; the least recently used go first.
const MAX_BYTES: u64 = 4 << 30;
/// The size of a tag, in bytes. It stands behind the artifact, which is mapped from the beginning of the file.
const TAG_BYTES: u64 = 32;
/// The version of the form that a file has inside, description included.
const FORMAT: u32 = 3;
/// How many bytes are read at a time while a tag is checked.
const READ_BYTES: usize = 256 << 10;
/// What the names of all artifacts end with.
const SUFFIX: &str = "artifact";

/// The artifacts of one host, in a directory that several hosts of one user may share.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: Directory,
    key: Key,
    /// The end of the names of artifacts that this program can load.
    suffix: String,
}

impl Cache {
    /// Opens or creates the directory, for this user alone.
    pub(crate) fn open(dir: &Path, engine: &Engine) -> io::Result<Self> {
        let directory = Directory::open(dir)?;
        let key = Key::read_or_create(&directory)?;
        // Whatever changes the code is in the name, so that no engine is given an artifact that was compiled for
        // another one.
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        let suffix =
            format!("{:016x}-{}-{FORMAT}-{target}.{SUFFIX}", hasher.finish(), env!("CARGO_PKG_VERSION"));
        Ok(Self { directory, key, suffix })
    }

    /// Checks that a cache can be opened in the directory, by opening it and its key.
    pub(crate) fn check(dir: &Path) -> io::Result<()> {
        Key::read_or_create(&Directory::open(dir)?).map(drop)
    }

    /// Reads the artifact of the component with this digest; none unless this host wrote it and nobody changed it
    /// since.
    pub(crate) fn read(&self, digest: &Digest) -> Option<Artifact> {
        let name = self.name(digest);
        let mut file = self.directory.open_file(&name).ok()?;
        let bytes = file.metadata().ok()?.len().checked_sub(TAG_BYTES)?;
        if !self.is_tagged(&name, &mut file, bytes).ok()? {
            tracing::warn!(name, "a cached artifact was changed: compiling again");
            // It would only be read and refused again at every start.
            self.remove(digest);
            return None;
        }
        mark_used(&file);
        Some(Artifact::OnDisk { file, bytes })
    }

    /// Writes an artifact, after making room for it.
    pub(crate) fn write(&self, digest: &Digest, artifact: &[u8]) -> io::Result<()> {
        self.make_room(artifact.len() as u64)?;
        let name = self.name(digest);
        let mut tag = self.tag(&name);
        tag.update(artifact);
        let temporary = directory::temporary_name()?;
        // A crash leaves a whole file or none under the name: the bytes are durable before the file gets it.
        let written = self.directory.create_file(&temporary).and_then(|mut file| {
            file.write_all(artifact)?;
            file.write_all(&tag.finalize().into_bytes())?;
            file.sync_all()?;
            self.directory.rename(&temporary, &name)
        });
        written.inspect_err(|_| {
            self.directory.remove(&temporary).ok();
        })
    }

    /// Removes an artifact that cannot be loaded.
    pub(crate) fn remove(&self, digest: &Digest) {
        self.directory.remove(&self.name(digest)).ok();
    }

    fn name(&self, digest: &Digest) -> String {
        format!("{digest}-{}", self.suffix)
    }

    /// Begins a tag. The name is part of what is tagged, so that no artifact can stand in for another one.
    fn tag(&self, name: &str) -> Hmac<Sha256> {
        let mut tag = self.key.hmac();
        tag.update(name.as_bytes());
        tag
    }

    /// Whether the first `bytes` of the file are followed by their tag, and by nothing else.
    fn is_tagged(&self, name: &str, file: &mut File, bytes: u64) -> io::Result<bool> {
        let mut expected = self.tag(name);
        let mut artifact = file.take(bytes);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match artifact.read(&mut buffer)? {
                0 => break,
                read => expected.update(&buffer[..read]),
            }
        }
        // Everything behind the artifact has to be the tag: a longer or shorter end does not verify either.
        let mut tag = Vec::new();
        artifact.into_inner().read_to_end(&mut tag)?;
        Ok(expected.verify_slice(&tag).is_ok())
    }

    /// Removes artifacts, of other versions of the program too, until `wanted` more bytes have room.
    fn make_room(&self, wanted: u64) -> io::Result<()> {
        let mut entries = self.directory.entries(SUFFIX)?;
        // The order of entries is that of their last use.
        entries.sort();
        let mut size: u64 = wanted + entries.iter().map(|entry| entry.bytes).sum::<u64>();
        for entry in entries {
            if size <= MAX_BYTES {
                break;
            }
            self.directory.remove(&entry.name)?;
            size -= entry.bytes;
        }
        Ok(())
    }
}

/// Marks a file as used now. Where that fails, as on a read-only disk, it only counts as older than it is.
fn mark_used(file: &File) {
    use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens};
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    futimens(file, &Timestamps { last_access: now, last_modification: now }).ok();
}
