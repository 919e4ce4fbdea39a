//! The cache of artifacts against restarts, changed files and links.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use super::key::KEY_FILE;
use super::*;
use crate::artifact::OPEN_FILES;
use crate::engine;

/// A cache in a directory of its own.
struct TestCache {
    _dir: tempfile::TempDir,
    path: PathBuf,
    cache: Cache,
}

impl TestCache {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("artifacts");
        let cache = open_at(&path);
        Self { _dir: dir, path, cache }
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        self.path.join(self.cache.name(digest))
    }

    fn read(&self, digest: &Digest) -> Option<Vec<u8>> {
        read(&self.cache, digest)
    }
}

fn open_at(path: &Path) -> Cache {
    Cache::open(path, &engine::on_demand().unwrap()).unwrap()
}

fn read(cache: &Cache, digest: &Digest) -> Option<Vec<u8>> {
    let Artifact::OnDisk { file, bytes } = cache.read(digest)? else { panic!("it was not made now") };
    let whole = fs::read(format!("{OPEN_FILES}/{}", file.as_raw_fd())).unwrap();
    Some(whole[..usize::try_from(bytes).unwrap()].to_vec())
}

const ONE: Digest = Digest::from_bytes([1; 32]);
const TWO: Digest = Digest::from_bytes([2; 32]);

#[test]
fn an_artifact_is_read_back_by_the_next_process() {
    let fixture = TestCache::new();
    fixture.cache.write(&ONE, b"native code").unwrap();
    let next = open_at(&fixture.path);
    assert_eq!(read(&next, &ONE).unwrap(), b"native code");
    assert_eq!(read(&next, &TWO), None);
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(
        (mode(&fixture.path), mode(&fixture.path.join(KEY_FILE)), mode(&fixture.file(&ONE))),
        (0o700, 0o600, 0o600)
    );
}

#[test]
fn a_directory_that_others_can_write_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = Cache::open(dir.path(), &engine::on_demand().unwrap()).unwrap_err();
    assert!(error.to_string().contains("chmod 700"));
}

#[test]
fn a_changed_or_moved_artifact_is_not_loaded() {
    let fixture = TestCache::new();
    fixture.cache.write(&ONE, b"native code").unwrap();
    fs::copy(fixture.file(&ONE), fixture.file(&TWO)).unwrap();
    assert_eq!(fixture.read(&TWO), None);
    let written = fs::read(fixture.file(&ONE)).unwrap();
    for at in 0..written.len() {
        let mut changed = written.clone();
        changed[at] ^= 1;
        fs::write(fixture.file(&ONE), &changed).unwrap();
        assert_eq!(fixture.read(&ONE), None, "{at}");
        assert!(!fixture.file(&ONE).exists());
    }
    for cut in [0, 10, 31, written.len() - 1] {
        fs::write(fixture.file(&ONE), &written[..cut]).unwrap();
        assert_eq!(fixture.read(&ONE), None, "{cut}");
    }
}

#[test]
fn a_path_that_is_swapped_after_the_check_leads_nobody_astray() {
    let fixture = TestCache::new();
    let ours = fixture.path.with_extension("moved");
    let theirs = tempfile::tempdir().unwrap();
    fixture.cache.write(&ONE, b"native code").unwrap();
    fs::rename(&fixture.path, &ours).unwrap();
    symlink(theirs.path(), &fixture.path).unwrap();
    assert_eq!(fixture.read(&ONE).unwrap(), b"native code");
    fixture.cache.write(&TWO, b"more of it").unwrap();
    assert_eq!(fs::read_dir(theirs.path()).unwrap().count(), 0, "nothing is written through the link");
    assert!(ours.join(fixture.cache.name(&TWO)).exists());
}

#[test]
fn a_link_in_place_of_an_artifact_is_not_followed() {
    let fixture = TestCache::new();
    fixture.cache.write(&ONE, b"native code").unwrap();
    let elsewhere = fixture.path.with_extension("elsewhere");
    fs::rename(fixture.file(&ONE), &elsewhere).unwrap();
    symlink(&elsewhere, fixture.file(&ONE)).unwrap();
    assert_eq!(fixture.read(&ONE), None, "although its tag is right");
    let key = fixture.path.join(KEY_FILE);
    fs::rename(&key, &elsewhere).unwrap();
    symlink(&elsewhere, &key).unwrap();
    assert!(Cache::open(&fixture.path, &engine::on_demand().unwrap()).is_err());
}

#[test]
fn the_least_recently_used_go_first() {
    let fixture = TestCache::new();
    for digest in [ONE, TWO] {
        fixture.cache.write(&digest, b"native code").unwrap();
    }
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    File::options().write(true).open(fixture.file(&ONE)).unwrap().set_modified(long_ago).unwrap();
    fixture.cache.make_room(MAX_BYTES - 50).unwrap();
    assert!(!fixture.file(&ONE).exists() && fixture.file(&TWO).exists());
}
