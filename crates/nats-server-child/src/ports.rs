//! Reads the ports file, in which a server says where it listens.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The port for clients in the ports file of the server with this process id; none until the server has written it.
pub(crate) fn read(dir: &Path, pid: u32) -> Option<u16> {
    let text = fs::read_to_string(find(dir, pid)?).ok()?;
    parse(&text)
}

/// The file is named after the server's executable, which need not be called `nats-server`, and its process id. A server
/// that was killed leaves its file behind, so that only the process id tells whose file it is.
fn find(dir: &Path, pid: u32) -> Option<PathBuf> {
    let ending = format!("_{pid}.ports");
    let mut paths = fs::read_dir(dir).ok()?.map_while(|entry| entry.ok().map(|entry| entry.path()));
    paths.find(|path| path.to_string_lossy().ends_with(&ending))
}

fn parse(text: &str) -> Option<u16> {
    // The server does not write the file in one step: what has been written of it so far is no JSON.
    let ports: Value = serde_json::from_str(text).ok()?;
    let url = ports.get("nats")?.get(0)?.as_str()?;
    url.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{parse, read};

    #[test]
    fn the_client_port_is_read() {
        assert_eq!(parse(r#"{"nats": ["nats://127.0.0.1:36035"]}"#), Some(36_035));
    }

    #[test]
    fn the_file_is_found_whatever_the_server_is_called() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, port: u16| {
            let text = format!(r#"{{"nats": ["nats://127.0.0.1:{port}"]}}"#);
            std::fs::write(dir.path().join(name), text).unwrap();
        };
        write("nats-server_11.ports", 1);
        write("nats-server-v2.15_1.ports", 2);
        assert_eq!(read(dir.path(), 1), Some(2));
        assert_eq!(read(dir.path(), 11), Some(1));
        assert_eq!(read(dir.path(), 111), None);
    }

    #[test]
    fn a_half_written_file_has_no_port_yet() {
        assert_eq!(parse(r#"{"nats": ["nats://127.0"#), None);
    }
}
