//! How much memory there is: the machine's, and that of the control groups (version 1 and 2) that this process is in.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the memory that this process may use in all, in bytes; none where the system does not report it.
pub(super) fn total() -> Option<u64> {
    total_below(Path::new("/"))
}

/// Returns the memory of the machine that is available at the moment, in bytes, whoever uses the rest.
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

/// Returns the limits of a control group, given as a line `0::/path` or `4:memory:/path` of `/proc/self/cgroup`, and of all
/// groups that contain it.
fn limits_of(root: &Path, line: &str) -> Vec<u64> {
    let mut parts = line.splitn(3, ':');
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
    // In a container the path may be the machine's while only the container's own group is mounted: every ancestor is tried,
    // and one that is not there sets no limit.
    let path = PathBuf::from(path.trim_start_matches('/'));
    let files = path.ancestors().map(|group| root.join(mount).join(group).join(file));
    // No limit is written as `max` in version 2, and in version 1 as a number that no machine has.
    files.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the total that is found on a machine of 8 GiB that has these files as well.
    fn total_with(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        let machine =
            [("proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB\nMemAvailable:    4194304 kB\n")];
        for (path, text) in machine.iter().chain(files) {
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
        assert_eq!(total_with(&[]), Some(8 * GIB));
        let version_2 = ("proc/self/cgroup", "0::/system.slice/wasmhost.service\n");
        let own = "sys/fs/cgroup/system.slice/wasmhost.service/memory.max";
        assert_eq!(total_with(&[version_2, (own, "max\n")]), Some(8 * GIB));
        assert_eq!(total_with(&[version_2, (own, "1073741824\n")]), Some(GIB));
        let above = "sys/fs/cgroup/system.slice/memory.max";
        assert_eq!(total_with(&[version_2, (own, "max\n"), (above, "2147483648\n")]), Some(2 * GIB));
        assert_eq!(total_with(&[version_2, (own, "99999999999999\n")]), Some(8 * GIB));
        // In a container only its own group is mounted.
        assert_eq!(
            total_with(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "536870912")]),
            Some(GIB / 2)
        );
        let version_1 = ("proc/self/cgroup", "9:cpu,cpuacct:/x\n4:hugetlb,memory:/docker/abc\n0::/\n");
        assert_eq!(
            total_with(&[version_1, ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712")]),
            Some(8 * GIB)
        );
        assert_eq!(
            total_with(&[version_1, ("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "1073741824")]),
            Some(GIB)
        );
    }

    #[test]
    fn this_machine_reports_its_memory() {
        assert!(total().is_some_and(|bytes| bytes > 64 << 20) && available().is_some());
    }
}
