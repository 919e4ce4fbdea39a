//! Text from modules, messages and guests, made safe to print and to keep.

/// At most `max` bytes of `text`, cut at a character.
#[must_use]
pub fn truncate(text: &str, max: usize) -> &str {
    if text.len() <= max { text } else { &text[..text.floor_char_boundary(max)] }
}

/// `text` with control characters (new lines and tabs too), terminal escapes and bidirectional overrides written as
/// `\u{…}`, so that it can be printed on one line anywhere.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_bidi(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(truncate("häß", 2), "h");
        assert_eq!(truncate("häß", 3), "hä");
        assert_eq!(truncate("abc", 9), "abc");
    }

    #[test]
    fn escapes_and_overrides_become_visible() {
        assert_eq!(escape("a\u{1b}[31m\r\u{202e}b"), "a\\u{1b}[31m\\u{d}\\u{202e}b");
        assert_eq!(escape("zwölf"), "zwölf");
    }
}
