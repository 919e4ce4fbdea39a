//! A directory that only this user writes to. It is opened once and used by its handle, so that what was checked is
//! what is used, wherever its path leads later.

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

/// A file in a directory. Entries are in the order of their last use.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// When the file was written or used last, since 1970.
    pub(super) used_at: Duration,
    pub(super) bytes: u64,
    pub(super) name: String,
}

impl Directory {
    /// Opens or creates the directory.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        // A link to the directory is followed, as its user may have put it on another disk. What is opened is checked.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = Self(rustix::fs::openat(CWD, path, flags, Mode::empty())?);
        directory.check_writers()?;
        Ok(directory)
    }

    /// Refuses a directory that others can write to: they could run native code in this process.
    fn check_writers(&self) -> io::Result<()> {
        let stat = rustix::fs::fstat(&self.0)?;
        let is_own = stat.st_uid == rustix::process::geteuid().as_raw();
        if is_own && stat.st_mode & (Mode::WGRP | Mode::WOTH).as_raw_mode() == 0 {
            return Ok(());
        }
        Err(io::Error::other("others can write to it; choose another one, or `chown` and `chmod 700` it"))
    }

    /// Opens a regular file for reading, and follows no link.
    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        // Opening a pipe would wait for a writer without NONBLOCK.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, name, flags, Mode::empty())?;
        if FileType::from_raw_mode(mode_of(&file)?) != FileType::RegularFile {
            return Err(io::Error::other("it is no file"));
        }
        Ok(file.into())
    }

    /// Creates a file that does not exist yet, for this user alone.
    pub(super) fn create_file(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(file.into())
    }

    /// Renames a file, and replaces the one that has the name.
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Gives a file a second name; fails if a file has the name.
    pub(super) fn link(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.0, from, &self.0, to, AtFlags::empty())?)
    }

    /// Removes a file.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Lists the files whose names end with `suffix`.
    pub(super) fn entries(&self, suffix: &str) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            // Another host that shares the directory may have removed the file since it was listed.
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

/// A new name for a file that is renamed or linked as soon as it is written.
pub(super) fn temporary_name() -> io::Result<String> {
    Ok(format!("{:016x}.new", getrandom::u64().map_err(no_randomness)?))
}

/// The error of a system that gave no random bytes.
pub(super) fn no_randomness(error: getrandom::Error) -> io::Error {
    io::Error::other(error.to_string())
}

fn mode_of(file: &OwnedFd) -> io::Result<RawMode> {
    Ok(rustix::fs::fstat(file)?.st_mode)
}
