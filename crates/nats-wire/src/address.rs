//! Addresses of servers: `nats://host:port`, `tls://host:port`, or without the scheme.

use std::fmt;

/// The port of an address that names none.
const DEFAULT_PORT: u16 = 4222;

/// The address of a server.
///
/// ```
/// let address = nats_wire::Address::parse("tls://nats.example")?;
/// assert_eq!((address.port, address.tls), (4222, true));
/// # Ok::<(), nats_wire::InvalidAddress>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Address {
    /// A host name or an IP address. An IPv6 address has no brackets here.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether the scheme asks for encryption.
    pub tls: bool,
}

/// A text that is not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address of a NATS server: {why}; write `nats://host:port` or `tls://host:port`")]
pub struct InvalidAddress {
    /// The text, without a part before an `@`, which may be a password.
    pub text: String,
    /// What is wrong with the text.
    pub why: &'static str,
}

impl Address {
    /// Parses an address. Credentials are not part of one: a part before an `@` is dropped.
    ///
    /// # Errors
    ///
    /// The text is not an address of a NATS server over TCP.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("nats", text));
        // It is cut off before the first error is made, because errors show the text, and what is cut off may be a
        // password. The last `@` counts: a password may have others.
        let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let invalid = |why| InvalidAddress { text: format!("{scheme}://{rest}"), why };
        let tls = match scheme {
            "nats" => false,
            "tls" => true,
            "ws" | "wss" => return Err(invalid("websockets are not supported")),
            _ => return Err(invalid("the scheme is neither `nats` nor `tls`")),
        };
        let (host, port) = split_port(rest).ok_or_else(|| invalid("brackets do not match"))?;
        let port = match port {
            None => DEFAULT_PORT,
            Some(port) => match port.parse() {
                Ok(0) | Err(_) => return Err(invalid("the port is not a number from 1 to 65535")),
                Ok(port) => port,
            },
        };
        if host.is_empty() {
            return Err(invalid("it has no host"));
        }
        if host
            .bytes()
            .any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control() || b"/?#".contains(&byte))
        {
            return Err(invalid("the host has a character that no host has"));
        }
        Ok(Self { host: host.to_owned(), port, tls })
    }
}

/// Splits `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address; none where brackets do not match.
fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, behind) = rest.split_once(']')?;
        return match behind {
            "" => Some((host, None)),
            behind => Some((host, Some(behind.strip_prefix(':')?))),
        };
    }
    Some(match text.split_once(':') {
        // Without brackets nothing distinguishes a port from the last part of an IPv6 address.
        Some((_, rest)) if rest.contains(':') => (text, None),
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "tls" } else { "nats" };
        if self.host.contains(':') {
            return write!(f, "{scheme}://[{}]:{}", self.host, self.port);
        }
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, shown) in [
            ("nats://n:1", "nats://n:1"),
            ("n", "nats://n:4222"),
            (" 127.0.0.1:9 ", "nats://127.0.0.1:9"),
            ("tls://ada:p@ss@n/", "tls://n:4222"),
            ("nats://[::1]:7", "nats://[::1]:7"),
            ("::1", "nats://[::1]:4222"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for text in [
            "http://n:1",
            "ws://n",
            "nats://",
            "nats://:4222",
            "n:99999",
            "n:0",
            "n:",
            "n:x",
            "[::1",
            "[::1]x",
            "a b",
            "n/x",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
        assert!(!Address::parse("nats://ada:secret@n:x").unwrap_err().to_string().contains("secret"));
    }
}
