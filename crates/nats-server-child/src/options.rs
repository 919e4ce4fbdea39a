//! How a server is to run, and the configuration file that says so.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// How a server is to run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The directory of its data, kept after the end; a temporary one, removed with the server, where it is none.
    pub store: Option<PathBuf>,
    /// The TCP port; one that the operating system chooses where it is none.
    pub port: Option<u16>,
    /// Bytes that all streams together may take; the server's own default where it is none.
    pub max_store_bytes: Option<u64>,
    /// Lines added to the configuration file, such as `authorization { … }`.
    pub extra_config: String,
    /// Whether it keeps streams; off is for tests of the error.
    pub jetstream: JetStream,
    /// A program and its first arguments, under which the server is run: it gets the server's program and arguments as
    /// further arguments, and must become that program in its own process. Empty where the server is run directly.
    pub wrapper: Vec<OsString>,
}

/// Whether the server keeps streams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JetStream {
    /// It does.
    #[default]
    On,
    /// It does not.
    Off,
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
    use super::{JetStream, Options, config_text};

    #[test]
    fn the_config_listens_locally_and_ends_with_the_extra_lines() {
        let options = Options { extra_config: "debug: true".to_owned(), ..Options::default() };
        let text = config_text(&options, "/store".as_ref());
        assert!(text.starts_with("host: 127.0.0.1\n"), "{text}");
        assert!(text.contains(r#"store_dir: "/store/jetstream""#), "{text}");
        assert!(text.ends_with("debug: true\n"), "{text}");
        let small = config_text(&Options { max_store_bytes: Some(7), ..options.clone() }, "/store".as_ref());
        assert!(small.contains("max_file_store: 7 }"), "{small}");
        let off = config_text(&Options { jetstream: JetStream::Off, ..options }, "/store".as_ref());
        assert!(!off.contains("jetstream"), "{off}");
    }
}
