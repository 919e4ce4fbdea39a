//! What memory there is: of the machine, and of the control groups that this process is in, old and new.

use std::fs;
use std::path::{Path, PathBuf};

/// What there may be used in all, in bytes; none where the system does not tell.
pub(super) fn total() -> Option<u64> {
    total_below(Path::new("/"))
}

/// What is free at the moment, in bytes, whoever uses the rest.
pub(super) fn available() -> Option<u64> {
    meminfo(Path::new("/"), "MemAvailable:")
}

fn total_below(root: &Path) -> Option<u64> {
    let machine = meminfo(root, "MemTotal:");
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let limits = groups.lines().flat_map(|line| limits_of(root, line));
    machine.into_iter().chain(limits).min()
}

fn meminfo(root: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let kib = text.lines().find_map(|line| line.strip_prefix(name))?.trim().trim_end_matches(" kB");
    Some(kib.parse::<u64>().ok()? << 10)
}

/// Those of a group, `0::/path` or `4:memory:/path`, and of all that it is in. In a container the path may be the machine's, and
/// what is mounted the group's own: so each of them is looked for, and what is not there sets no limit.
fn limits_of(root: &Path, group: &str) -> Vec<u64> {
    let mut parts = group.splitn(3, ':');
    let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
        return Vec::new();
    };
    let (mount, file) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max"),
        _ if controllers.split(',').any(|name| name == "memory") => {
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
        }
        _ => return Vec::new(),
    };
    let path = PathBuf::from(path.trim_start_matches('/'));
    let groups = path.ancestors().map(|group| root.join(mount).join(group).join(file));
    // `max` is no number; the old form of no limit is a number that no machine has.
    groups.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a machine of 8 GiB tells that has these files beside.
    fn told(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        let usual =
            [("proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB\nMemAvailable:    4194304 kB\n")];
        for (path, text) in usual.iter().chain(files) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(meminfo(root.path(), "MemAvailable:"), Some(4 << 30));
        total_below(root.path())
    }

    #[test]
    fn the_smallest_limit_counts_of_the_machine_and_all_groups() {
        const GIB: u64 = 1 << 30;
        assert_eq!(told(&[]), Some(8 * GIB));
        let new = ("proc/self/cgroup", "0::/system.slice/wasmhost.service\n");
        let own = "sys/fs/cgroup/system.slice/wasmhost.service/memory.max";
        assert_eq!(told(&[new, (own, "max\n")]), Some(8 * GIB));
        assert_eq!(told(&[new, (own, "1073741824\n")]), Some(GIB));
        let above = "sys/fs/cgroup/system.slice/memory.max";
        assert_eq!(told(&[new, (own, "max\n"), (above, "2147483648\n")]), Some(2 * GIB));
        assert_eq!(told(&[new, (own, "99999999999999\n")]), Some(8 * GIB));
        // In a container, whose group is all that is mounted.
        assert_eq!(
            told(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "536870912")]),
            Some(GIB / 2)
        );
        let old = ("proc/self/cgroup", "9:cpu,cpuacct:/x\n4:hugetlb,memory:/docker/abc\n0::/\n");
        assert_eq!(
            told(&[old, ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712")]),
            Some(8 * GIB)
        );
        assert_eq!(
            told(&[old, ("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "1073741824")]),
            Some(GIB)
        );
    }

    #[test]
    fn this_machine_tells_what_it_has() {
        assert!(total().is_some_and(|bytes| bytes > 64 << 20) && available().is_some());
    }
}
