//! The interfaces that hosts provide to components, by package and version.

/// A package of which hosts provide some interfaces.
pub(crate) struct ProvidedPackage {
    /// The name of the package, such as `wasi:io`.
    pub(crate) name: &'static str,
    /// The beginning of every version that is provided, up to the patch number.
    pub(crate) version_prefix: &'static str,
    /// The interfaces of the package that are linked.
    pub(crate) interfaces: &'static [&'static str],
}

/// Every package of which interfaces are linked; a component that imports anything else is refused.
pub(crate) const PROVIDED: [ProvidedPackage; 8] = [
    ProvidedPackage {
        name: "wasmhost:task",
        version_prefix: "0.1.",
        interfaces: &["types", "state", "job", "checkpoint", "log", "config"],
    },
    ProvidedPackage { name: "wasi:io", version_prefix: "0.2.", interfaces: &["error", "poll", "streams"] },
    ProvidedPackage {
        name: "wasi:clocks",
        version_prefix: "0.2.",
        interfaces: &["monotonic-clock", "wall-clock"],
    },
    ProvidedPackage {
        name: "wasi:random",
        version_prefix: "0.2.",
        interfaces: &["random", "insecure", "insecure-seed"],
    },
    ProvidedPackage {
        name: "wasi:cli",
        version_prefix: "0.2.",
        interfaces: &[
            "environment",
            "exit",
            "stdin",
            "stdout",
            "stderr",
            "terminal-input",
            "terminal-output",
            "terminal-stdin",
            "terminal-stdout",
            "terminal-stderr",
        ],
    },
    ProvidedPackage { name: "wasi:filesystem", version_prefix: "0.2.", interfaces: &["types", "preopens"] },
    ProvidedPackage {
        name: "wasi:sockets",
        version_prefix: "0.2.",
        interfaces: &[
            "network",
            "instance-network",
            "tcp",
            "tcp-create-socket",
            "udp",
            "udp-create-socket",
            "ip-name-lookup",
        ],
    },
    ProvidedPackage { name: "wasi:http", version_prefix: "0.2.", interfaces: &["types", "outgoing-handler"] },
];
