//! The servers of a connection as they are written: one address or several with commas between them. Before the `@` of an
//! address there may be a user and a password, or a token.

use async_nats::ServerAddr;

use crate::credentials::Credentials;

/// An address that no server can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no address of a NATS server: {why}; write `nats://host:port`",
    wasmhost_protocol::text::escape(address)
)]
pub struct BadAddress {
    /// The address, without user, password or token.
    pub address: String,
    /// What is wrong with it.
    pub why: String,
}

/// Checks that each address of `url` is one that a server can have.
///
/// # Errors
///
/// The first address that is none.
pub fn check_url(url: &str) -> Result<(), BadAddress> {
    user_of(url)?;
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

/// Splits `url` into its addresses, without user, password or token, and the first of these that an address has before its
/// last `@`. [`ServerAddr`] cannot do this: to it a `/`, `?` or `#` ends an address, and a password may have them.
pub(crate) fn split(url: &str) -> (Vec<String>, Option<&str>) {
    let mut user_info = None;
    // An empty part between or after commas is no server.
    let mut given: Vec<_> = url.split(',').map(str::trim).filter(|address| !address.is_empty()).collect();
    if given.is_empty() {
        given.push("");
    }
    let addresses = given.into_iter().map(|address| {
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

/// Reads the user and password, or the token, that the addresses name. A character that has a meaning in an address is
/// written as `%` and two hexadecimal digits.
pub(crate) fn user_of(url: &str) -> Result<Option<Credentials>, BadAddress> {
    let (addresses, Some(user_info)) = split(url) else { return Ok(None) };
    let decoded = |text: &str| {
        decode(text).ok_or_else(|| BadAddress {
            address: addresses.join(","),
            why: "what stands before its `@` has a `%` without two hexadecimal digits of UTF-8".to_owned(),
        })
    };
    Ok(Some(match user_info.split_once(':') {
        Some((user, password)) => {
            Credentials::UserPassword { user: decoded(user)?, password: decoded(password)? }
        }
        None => Credentials::Token(decoded(user_info)?),
    }))
}

fn decode(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2).filter(|digits| !digits.starts_with('+'))?, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
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
        assert_eq!(hosts("n:1, ,m,"), "n:1,m");
        assert_eq!(hosts("tls://ada:secret@n:1, tls://bob:other@m"), "tls://n:1,tls://m");
    }

    #[test]
    fn who_connects_may_have_any_character() {
        let user = |url: &str| match user_of(url).unwrap() {
            Some(Credentials::UserPassword { user, password }) => format!("{user} {password}"),
            Some(Credentials::Token(token)) => token,
            other => format!("{other:?}"),
        };
        assert_eq!(user("nats://a%3Ada:p%40s%2fs%C3%A9@n:1"), "a:da p@s/sé");
        assert_eq!(user("nats://ada:p@s:s@n:1"), "ada p@s:s");
        assert_eq!(user("nats://ada:p/s?s#@n:1"), "ada p/s?s#");
        assert_eq!(user("to%2Cken@n,m"), "to,ken");
        assert_eq!(user("n:1"), "None");
        for bad in ["%", "%4", "%+4", "%zz", "%é"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_address_that_no_server_can_have_is_told_without_its_password() {
        for good in [
            "n",
            "n:4222",
            "nats://n",
            "tls://n:1,nats://a:b@[::1]:2",
            "127.0.0.1",
            "secret@n:1",
            "n:1, ,m:2,",
        ] {
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
            (",", "host"),
            ("nats://ada:50%@n:1", "%"),
            ("nats://ada:%ff@n:1", "%"),
        ] {
            let error = check_url(bad).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("secret"), "{bad}: {error}");
        }
    }
}
