use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use super::*;
use crate::engine;

struct Place {
    _dir: tempfile::TempDir,
    path: PathBuf,
    cache: Cache,
}

impl Place {
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
    let whole = fs::read(format!("{DESCRIPTORS}/{}", file.as_raw_fd())).unwrap();
    Some(whole[..usize::try_from(bytes).unwrap()].to_vec())
}

const ONE: Digest = Digest::from_bytes([1; 32]);
const TWO: Digest = Digest::from_bytes([2; 32]);

#[test]
fn an_artifact_is_read_back_by_the_next_process() {
    let place = Place::new();
    place.cache.write(&ONE, b"native code").unwrap();
    let next = open_at(&place.path);
    assert_eq!(read(&next, &ONE).unwrap(), b"native code");
    assert_eq!(read(&next, &TWO), None);
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(
        (mode(&place.path), mode(&place.path.join(KEY_FILE)), mode(&place.file(&ONE))),
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
    let place = Place::new();
    place.cache.write(&ONE, b"native code").unwrap();
    fs::copy(place.file(&ONE), place.file(&TWO)).unwrap();
    assert_eq!(place.read(&TWO), None);
    let written = fs::read(place.file(&ONE)).unwrap();
    for at in 0..written.len() {
        let mut changed = written.clone();
        changed[at] ^= 1;
        fs::write(place.file(&ONE), &changed).unwrap();
        assert_eq!(place.read(&ONE), None, "{at}");
        assert!(!place.file(&ONE).exists());
    }
    for cut in [0, 10, 31, written.len() - 1] {
        fs::write(place.file(&ONE), &written[..cut]).unwrap();
        assert_eq!(place.read(&ONE), None, "{cut}");
    }
}

#[test]
fn a_path_that_is_swapped_after_the_check_leads_nobody_astray() {
    let place = Place::new();
    let (ours, theirs) = (place.path.with_extension("moved"), tempfile::tempdir().unwrap());
    place.cache.write(&ONE, b"native code").unwrap();
    fs::rename(&place.path, &ours).unwrap();
    symlink(theirs.path(), &place.path).unwrap();
    assert_eq!(place.read(&ONE).unwrap(), b"native code");
    place.cache.write(&TWO, b"more of it").unwrap();
    assert_eq!(fs::read_dir(theirs.path()).unwrap().count(), 0, "nothing is written through the link");
    assert!(ours.join(place.cache.name(&TWO)).exists());
}

#[test]
fn a_link_in_place_of_an_artifact_is_not_followed() {
    let place = Place::new();
    place.cache.write(&ONE, b"native code").unwrap();
    let elsewhere = place.path.with_extension("elsewhere");
    fs::rename(place.file(&ONE), &elsewhere).unwrap();
    symlink(&elsewhere, place.file(&ONE)).unwrap();
    assert_eq!(place.read(&ONE), None, "although its tag is right");
    let key = place.path.join(KEY_FILE);
    fs::rename(&key, &elsewhere).unwrap();
    symlink(&elsewhere, &key).unwrap();
    assert!(Cache::open(&place.path, &engine::on_demand().unwrap()).is_err());
}

#[test]
fn the_least_recently_used_go_first() {
    let place = Place::new();
    for digest in [ONE, TWO] {
        place.cache.write(&digest, b"native code").unwrap();
    }
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    File::options().write(true).open(place.file(&ONE)).unwrap().set_modified(long_ago).unwrap();
    place.cache.make_room(MAX_BYTES - 50).unwrap();
    assert!(!place.file(&ONE).exists() && place.file(&TWO).exists());
}
