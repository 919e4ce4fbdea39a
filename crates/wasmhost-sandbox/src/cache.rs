//! Compiled artifacts on this host's own disk. An artifact is native code, so only bytes that this host wrote are ever
//! loaded: each file carries a tag made with a key that never leaves the directory. Anything wrong means compiling again.

use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use wasmhost_protocol::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

/// Size of all artifacts; the least recently used go first.
const MAX_BYTES: u64 = 4 << 30;
const TAG_BYTES: usize = 32;
const KEY_FILE: &str = "key";
const SUFFIX: &str = "artifact";

/// The directory of one host's artifacts.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    key: [u8; 32],
    suffix: String,
}

impl Cache {
    /// Opens or creates the directory, for this user alone.
    pub(crate) fn open(dir: &Path, engine: &Engine) -> io::Result<Self> {
        let key = Self::check(dir)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        let suffix = format!("{:016x}-{}-{target}.{SUFFIX}", hasher.finish(), env!("CARGO_PKG_VERSION"));
        Ok(Self { key, dir: dir.to_owned(), suffix })
    }

    /// Whether it can be opened, by its key.
    pub(crate) fn check(dir: &Path) -> io::Result<[u8; 32]> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        check_writers(dir)?;
        read_or_make_key(dir)
    }

    /// The artifact of `digest`, if this host wrote one and nobody touched it since.
    pub(crate) fn read(&self, digest: &Digest) -> Option<Vec<u8>> {
        let name = self.name(digest);
        let path = self.dir.join(&name);
        let mut file = File::open(&path).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        let (tag, artifact) = bytes.split_at_checked(TAG_BYTES)?;
        if self.tagger(&name, artifact).verify_slice(tag).is_err() {
            tracing::warn!(path = %path.display(), "a cached artifact was changed: compiling again");
            std::fs::remove_file(&path).ok();
            return None;
        }
        touch(&file);
        bytes.drain(..TAG_BYTES);
        Some(bytes)
    }

    /// Keeps an artifact, and makes room for it.
    pub(crate) fn write(&self, digest: &Digest, artifact: &[u8]) -> io::Result<()> {
        self.make_room(artifact.len() as u64)?;
        let name = self.name(digest);
        let tag = self.tagger(&name, artifact).finalize().into_bytes();
        let temporary = self.dir.join(format!("{:016x}.new", random_u64()?));
        let written = new_file(&temporary).and_then(|mut file| {
            file.write_all(&tag)?;
            file.write_all(artifact)?;
            file.sync_all()?;
            std::fs::rename(&temporary, self.dir.join(&name))
        });
        written.inspect_err(|_| {
            std::fs::remove_file(&temporary).ok();
        })
    }

    fn name(&self, digest: &Digest) -> String {
        format!("{digest}-{}", self.suffix)
    }

    /// The name is part of what is signed: one artifact cannot stand in for another.
    fn tagger(&self, name: &str, artifact: &[u8]) -> Hmac<Sha256> {
        let mut tagger = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length will do");
        tagger.update(name.as_bytes());
        tagger.update(artifact);
        tagger
    }

    fn make_room(&self, wanted: u64) -> io::Result<()> {
        let mut kept: Vec<(SystemTime, u64, PathBuf)> = std::fs::read_dir(&self.dir)?
            .filter_map(Result::ok)
            .filter(|entry| entry.file_name().to_string_lossy().ends_with(SUFFIX))
            .filter_map(|entry| {
                let meta = entry.metadata().ok()?;
                Some((meta.modified().ok()?, meta.len(), entry.path()))
            })
            .collect();
        kept.sort();
        let mut size: u64 = wanted + kept.iter().map(|(_, bytes, _)| bytes).sum::<u64>();
        for (_, bytes, path) in kept {
            if size <= MAX_BYTES {
                break;
            }
            std::fs::remove_file(path)?;
            size -= bytes;
        }
        Ok(())
    }
}

/// Turns an artifact into code that can run.
pub(crate) fn load_artifact(engine: &Engine, artifact: &[u8]) -> wasmtime::Result<Component> {
    #[expect(
        unsafe_code,
        reason = "the bytes come from this host's compiler, or from its cache with a valid tag"
    )]
    // SAFETY: the only callers pass what `Compilation::artifact` returned or what `Cache::read` authenticated.
    unsafe {
        Component::deserialize(engine, artifact)
    }
}

/// Whoever may write here could run native code in this process.
fn check_writers(dir: &Path) -> io::Result<()> {
    let meta = std::fs::metadata(dir)?;
    let ours = meta.uid() == rustix::process::geteuid().as_raw();
    if ours && meta.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(io::Error::other("others can write to it; choose another one, or `chown` and `chmod 700` it"))
}

fn read_or_make_key(dir: &Path) -> io::Result<[u8; 32]> {
    let path = dir.join(KEY_FILE);
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(no_random)?;
    let temporary = dir.join(format!("{:016x}.new", random_u64()?));
    new_file(&temporary)?.write_all(&key)?;
    // A link never replaces a key that another process made meanwhile.
    let linked = std::fs::hard_link(&temporary, &path);
    std::fs::remove_file(&temporary)?;
    match linked {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            File::open(&path)?.read_exact(&mut key)?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn random_u64() -> io::Result<u64> {
    getrandom::u64().map_err(no_random)
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
mod tests {
    use super::*;
    use crate::engine;

    fn cache() -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(&dir.path().join("artifacts"), &engine::on_demand().unwrap()).unwrap();
        (dir, cache)
    }

    const ONE: Digest = Digest::from_bytes([1; 32]);
    const TWO: Digest = Digest::from_bytes([2; 32]);

    #[test]
    fn an_artifact_is_read_back_by_the_next_process() {
        let (_dir, cache) = cache();
        cache.write(&ONE, b"native code").unwrap();
        let next = Cache::open(&cache.dir, &engine::on_demand().unwrap()).unwrap();
        assert_eq!(next.read(&ONE).unwrap(), b"native code");
        assert_eq!(next.read(&TWO), None);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&cache.dir), mode(&cache.dir.join(KEY_FILE))), (0o700, 0o600));
    }

    #[test]
    fn a_directory_that_others_can_write_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let error = Cache::open(dir.path(), &engine::on_demand().unwrap()).unwrap_err();
        assert!(error.to_string().contains("chmod 700"));
    }

    #[test]
    fn a_changed_or_moved_artifact_is_not_loaded() {
        let (_dir, cache) = cache();
        cache.write(&ONE, b"native code").unwrap();
        let path = |digest| cache.dir.join(cache.name(digest));
        std::fs::copy(path(&ONE), path(&TWO)).unwrap();
        assert_eq!(cache.read(&TWO), None);
        let mut bytes = std::fs::read(path(&ONE)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(path(&ONE), &bytes).unwrap();
        assert_eq!(cache.read(&ONE), None);
        assert!(!path(&ONE).exists());
    }
}
