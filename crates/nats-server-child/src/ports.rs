//! Reads the ports file, in which a server says where it listens.

use std::{fs, path::Path};

use serde_json::Value;

/// The port for clients in the ports file of the server with this process id; none until the server has written it.
pub(crate) fn read(dir: &Path, pid: u32) -> Option<u16> {
    // A server that was killed leaves its file behind: the process id tells whose file it is.
    let text = fs::read_to_string(dir.join(format!("nats-server_{pid}.ports"))).ok()?;
    parse(&text)
}

fn parse(text: &str) -> Option<u16> {
    // The server does not write the file in one step: what has been written of it so far is no JSON.
    let ports: Value = serde_json::from_str(text).ok()?;
    let url = ports.get("nats")?.get(0)?.as_str()?;
    url.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_client_port_is_read() {
        assert_eq!(parse(r#"{"nats": ["nats://127.0.0.1:36035"]}"#), Some(36_035));
    }

    #[test]
    fn a_half_written_file_has_no_port_yet() {
        assert_eq!(parse(r#"{"nats": ["nats://127.0"#), None);
    }
}
