//! The servers of a connection as they are written: one address or several with commas between, each perhaps with a user
//! and a password, or a token, before its `@`.

use async_nats::{ConnectOptions, ServerAddr};

/// An address that no server can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no address of a NATS server: {why}; write `nats://host:port`",
    wasmhost_protocol::escape(address)
)]
pub struct BadAddress {
    /// The address, without who connects.
    pub address: String,
    /// What is wrong with it.
    pub why: String,
}

/// Whether each address of `url` can be one.
pub fn check_url(url: &str) -> Result<(), BadAddress> {
    for address in split(url).0 {
        let bad = |why: &str| BadAddress { address: address.clone(), why: why.to_owned() };
        let server: ServerAddr = address.parse().map_err(|error: std::io::Error| {
            let why = error.to_string();
            bad(why.strip_prefix("NATS server URL is invalid: ").unwrap_or(&why))
        })?;
        if !matches!(server.scheme(), "nats" | "tls") {
            return Err(bad("only `nats` and `tls` are spoken"));
        }
        if server.host().is_empty() {
            return Err(bad("it names no host"));
        }
        if server.port() == 0 {
            return Err(bad("port 0 is none"));
        }
    }
    Ok(())
}

/// The addresses of `url` without who connects, and who connects as the first address that says it does.
pub(crate) fn split(url: &str) -> (Vec<String>, Option<&str>) {
    let mut user_info = None;
    let addresses = url.split(',').map(str::trim).map(|address| {
        let (scheme, rest) = match address.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest),
            None => (String::new(), address),
        };
        let Some((who, host)) = rest.rsplit_once('@') else { return address.to_owned() };
        user_info.get_or_insert(who);
        format!("{scheme}{host}")
    });
    (addresses.collect(), user_info)
}

/// Options that connect as `user_info`: `user:password`, or a token.
pub(crate) fn connect_as(user_info: &str) -> ConnectOptions {
    match user_info.split_once(':') {
        Some((user, password)) => {
            ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned())
        }
        None => ConnectOptions::with_token(user_info.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_connects_is_taken_out_of_an_address() {
        let hosts = |url| split(url).0.join(",");
        assert_eq!(split("nats://n:4222"), (vec!["nats://n:4222".to_owned()], None));
        assert_eq!(split("nats://ada:p@ss@n:1").1, Some("ada:p@ss"));
        assert_eq!(split("token@n").1, Some("token"));
        assert_eq!(hosts("tls://ada:secret@n:1, tls://bob:other@m"), "tls://n:1,tls://m");
    }

    #[test]
    fn an_address_that_no_server_can_have_is_told_without_its_password() {
        for good in ["n", "n:4222", "nats://n", "tls://n:1,nats://a:b@[::1]:2", "127.0.0.1", "secret@n:1"] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", "names no host"),
            ("nats://", "host"),
            ("nats://:4222", "host"),
            ("http://n:4222", "scheme"),
            ("ws://n", "spoken"),
            ("nats://ada:secret@n:99999", "port"),
            ("nats://n:0", "port"),
            ("nats://n:4222,", "host"),
        ] {
            let error = check_url(bad).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("secret"), "{bad}: {error}");
        }
    }
}
