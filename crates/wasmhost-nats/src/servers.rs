//! The servers of a connection as they are written: one address or several with commas between, each perhaps with a user
//! and a password, or a token, before its `@`.

use async_nats::ConnectOptions;

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
}
