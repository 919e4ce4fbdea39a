//! The words and signs of Rust code that has no comments and no contents of literals any more.

/// A word or a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A name, a keyword or a number.
    Word(&'a str),
    /// `::`.
    PathSeparator,
    /// Any other character that is no blank.
    Sign(char),
}

/// All of them, in their order.
pub(crate) fn of(code: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = code;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let (token, length) = if rest.starts_with("::") {
            (Token::PathSeparator, 2)
        } else if is_of_word(first) {
            let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
            (Token::Word(&rest[..end]), end)
        } else {
            (Token::Sign(first), first.len_utf8())
        };
        rest = &rest[length..];
        Some(token)
    })
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::{
        Token::{PathSeparator, Sign, Word},
        of,
    };

    #[test]
    fn code_is_words_and_signs() {
        let tokens: Vec<_> = of("use a_1::{b};\n").collect();
        let expected = [Word("use"), Word("a_1"), PathSeparator, Sign('{'), Word("b"), Sign('}'), Sign(';')];
        assert_eq!(tokens, expected);
    }
}
