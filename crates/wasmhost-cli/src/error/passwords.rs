//! Messages without the passwords that addresses may have in them.

/// `text` without what is between `//` and `@` in it, since an address may carry a password there.
pub(crate) fn without_passwords(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("//") {
        shown.push_str(before);
        shown.push_str("//");
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | ',')).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(at) => &after[at + 1..],
            None => after,
        };
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        assert_eq!(without_passwords("at nats://u:p@n:1,nats://v:q@m: no"), "at nats://n:1,nats://m: no");
        assert_eq!(without_passwords("at nats://n:1: a@b"), "at nats://n:1: a@b");
    }
}
