//! A directory that only this user writes to, by its handle: what was checked is what is used, whatever its path leads to
//! meanwhile.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RawMode};

/// An open directory.
#[derive(Debug)]
pub(super) struct Directory(OwnedFd);

/// A file in a directory.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// When it was written or used last, since 1970.
    pub(super) used_at: Duration,
    pub(super) bytes: u64,
    pub(super) name: String,
}

impl Directory {
    /// Opens or creates it. A link to it is the user's own affair: what it leads to is looked at, by the handle.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let this = Self(rustix::fs::openat(CWD, path, flags, Mode::empty())?);
        this.check_writers()?;
        Ok(this)
    }

    /// Whoever may write here could run native code in this process.
    fn check_writers(&self) -> io::Result<()> {
        let stat = rustix::fs::fstat(&self.0)?;
        let ours = stat.st_uid == rustix::process::geteuid().as_raw();
        if ours && stat.st_mode & (Mode::WGRP | Mode::WOTH).as_raw_mode() == 0 {
            return Ok(());
        }
        Err(io::Error::other("others can write to it; choose another one, or `chown` and `chmod 700` it"))
    }

    /// Opens a file for reading. A link is not followed.
    pub(super) fn read(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, name, flags, Mode::empty())?;
        if FileType::from_raw_mode(mode_of(&file)?) != FileType::RegularFile {
            return Err(io::Error::other("it is no file"));
        }
        Ok(file.into())
    }

    /// Makes a file that was not there, for this user alone.
    pub(super) fn make(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(file.into())
    }

    /// Gives a file another name, in place of what had it.
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Gives a file a second name, where nothing has it.
    pub(super) fn link(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.0, from, &self.0, to, AtFlags::empty())?)
    }

    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// All files whose names end so.
    pub(super) fn entries(&self, suffix: &str) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            // Another host may have removed it by now.
            let stat = rustix::fs::statat(&self.0, &*name, AtFlags::SYMLINK_NOFOLLOW);
            if let (true, Ok(stat)) = (name.ends_with(suffix), stat) {
                let used_at = Duration::from_secs(u64::try_from(stat.st_mtime).unwrap_or(0));
                let bytes = u64::try_from(stat.st_size).unwrap_or(0);
                entries.push(Entry { used_at, bytes, name });
            }
        }
        Ok(entries)
    }
}

fn mode_of(file: &OwnedFd) -> io::Result<RawMode> {
    Ok(rustix::fs::fstat(file)?.st_mode)
}
