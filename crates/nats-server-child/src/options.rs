//! How a server is to run, and the configuration file that says so.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// How a server is to run.
///
/// The default is a server with JetStream, a temporary store and a free port; each method changes one thing.
///
/// ```
/// use nats_server_child::Options;
///
/// let options = Options::default().port(4222).extra_config("max_payload: 2MB");
/// assert_eq!(options.port, Some(4222));
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// The directory of its data, which is kept when the server ends. Where it is none, the data is in a temporary
    /// directory, which is removed with the server.
    pub store: Option<PathBuf>,
    /// The TCP port. Where it is none, the operating system chooses one.
    pub port: Option<u16>,
    /// Bytes that all streams together may take. Where it is none, the server's own default applies.
    pub max_store_bytes: Option<u64>,
    /// Lines added to the configuration file, such as `authorization { … }`.
    pub extra_config: String,
    /// Whether the server keeps streams.
    pub jetstream: JetStream,
    /// A program and its first arguments, under which the server is run: it gets the server's program and arguments as
    /// further arguments, and must become that program in its own process. Empty where the server is run directly.
    pub wrapper: Vec<OsString>,
}

/// Whether a server keeps streams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JetStream {
    /// The server keeps streams.
    #[default]
    On,
    /// The server only passes messages on. It is for clients that need no streams, and for tests of the error.
    Off,
}

impl Options {
    /// Keeps the server's data in this directory when it ends.
    #[must_use]
    pub fn store(self, directory: impl Into<PathBuf>) -> Self {
        Self { store: Some(directory.into()), ..self }
    }

    /// Listens on this TCP port.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        Self { port: Some(port), ..self }
    }

    /// Lets all streams together take this many bytes.
    #[must_use]
    pub fn max_store_bytes(self, bytes: u64) -> Self {
        Self { max_store_bytes: Some(bytes), ..self }
    }

    /// Adds these lines to the configuration file, in place of those that were added before.
    #[must_use]
    pub fn extra_config(self, lines: impl Into<String>) -> Self {
        Self { extra_config: lines.into(), ..self }
    }

    /// Runs the server under this program and its arguments, which must become the server in their own process.
    #[must_use]
    pub fn wrapper(self, program_and_arguments: impl IntoIterator<Item = OsString>) -> Self {
        Self { wrapper: program_and_arguments.into_iter().collect(), ..self }
    }

    /// Runs without streams.
    #[must_use]
    pub fn without_jetstream(self) -> Self {
        Self { jetstream: JetStream::Off, ..self }
    }
}

/// The text of the configuration file. The port is a command line argument, since it is only known after the first
/// start.
pub(crate) fn config_text(options: &Options, store: &Path) -> String {
    let jetstream = match options.jetstream {
        // The server's own default, two minutes, would lose more on SIGKILL than tests of crashes should.
        JetStream::On => {
            let limit = options
                .max_store_bytes
                .map_or_else(String::new, |bytes| format!(", max_file_store: {bytes}"));
            format!("jetstream {{ store_dir: {:?}, sync_interval: 1s{limit} }}\n", store.join("jetstream"))
        }
        JetStream::Off => String::new(),
    };
    format!("host: 127.0.0.1\n{jetstream}{}\n", options.extra_config)
}

#[cfg(test)]
mod tests {
    use super::{Options, config_text};

    #[test]
    fn the_config_listens_locally_and_ends_with_the_extra_lines() {
        let options = Options::default().extra_config("debug: true");
        let text = config_text(&options, "/store".as_ref());
        assert!(text.starts_with("host: 127.0.0.1\n"), "{text}");
        assert!(text.contains(r#"store_dir: "/store/jetstream""#), "{text}");
        assert!(text.ends_with("debug: true\n"), "{text}");
        let small = config_text(&options.clone().max_store_bytes(7), "/store".as_ref());
        assert!(small.contains("max_file_store: 7 }"), "{small}");
        let off = config_text(&options.without_jetstream(), "/store".as_ref());
        assert!(!off.contains("jetstream"), "{off}");
    }
}
