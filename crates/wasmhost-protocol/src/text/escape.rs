//! Makes text from modules, messages and guests safe to print and to store: invisible characters are escaped,
//! and long texts are cut.

/// Returns the beginning of `text`, at most `max` bytes of it, cut between two characters.
#[must_use]
pub fn truncate(text: &str, max: usize) -> &str {
    if text.len() <= max { text } else { &text[..text.floor_char_boundary(max)] }
}

/// Escapes every character that [`is_unseen`] as `\u{…}`, a new line as `\n` and a tab as `\t`, so that the
/// text can be printed on one line of any terminal or log.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_unseen(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Escapes each line of a text as [`escape`] does. Line ends stay, as `\n`.
#[must_use]
pub fn escape_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

/// Returns whether a character moves, hides or reorders others instead of being seen itself: controls (C0,
/// DEL, C1), line and paragraph separators, and the characters that Unicode lets a renderer ignore, such as
/// bidirectional overrides, zero widths, blank letters and tags. The variation selectors of emoji are not
/// among them.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    // The ranges are from Unicode's default-ignorable code points and format controls, without the variation
    // selectors U+FE00 to U+FE0F, which emoji need.
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The line that says how much was left out takes at most this many bytes.
const GAP_BYTES: usize = 48;

/// Cuts a text that is longer than `max` bytes in the middle. Whole lines of its beginning and its end stay,
/// with a line between them that says how many of `what` (lines, frames) were left out. Where one line alone
/// is too long, it is cut as well, and the line between says how many bytes were left out.
#[must_use]
pub fn cut_middle(text: &str, max: usize, what: &str) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let room = max.saturating_sub(GAP_BYTES) / 2;
    let start = beginning(text, room);
    let end = ending(text, room);
    let whole_lines = start.ends_with('\n') && text[..text.len() - end.len()].ends_with('\n');
    let left_out = &text[start.len()..text.len() - end.len()];
    let gap = match whole_lines {
        true => format!("… {} {what} left out …", left_out.lines().count()),
        false => format!("… {} bytes left out …", left_out.len()),
    };
    // Cut once more at the end, for a `max` that has no room for the line between.
    let cut = format!("{}\n{gap}\n{}", start.trim_end_matches('\n'), end.trim_start_matches('\n'));
    truncate(&cut, max).to_owned()
}

/// Returns the whole lines that fit into the first `room` bytes, or as much of the first line as fits.
fn beginning(text: &str, room: usize) -> &str {
    let fits = truncate(text, room);
    fits.rfind('\n').map_or(fits, |at| &fits[..=at])
}

/// Returns the whole lines that fit into the last `room` bytes, or as much of the last line as fits.
fn ending(text: &str, room: usize) -> &str {
    let from = text.ceil_char_boundary(text.len() - room);
    let fits = &text[from..];
    if text[..from].ends_with('\n') {
        return fits;
    }
    fits.find('\n').map_or(fits, |at| &fits[at + 1..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        assert_eq!(escape("zwölf\tä\n"), "zwölf\\tä\\n");
        for hidden in
            ['\u{9b}', '\u{7f}', '\u{2028}', '\u{200b}', '\u{2066}', '\u{e0041}', '\u{feff}', '\u{ad}']
        {
            assert_eq!(escape(&hidden.to_string()), hidden.escape_unicode().to_string());
        }
        for seen in ["naïve", "日本", "한국어", "نص", "❤️", "a b", "\u{301}e"] {
            assert_eq!(escape(seen), seen);
        }
        assert_eq!(escape_lines("a\r\n\u{1b}b\n"), "a\n\\u{1b}b");
    }

    #[test]
    fn a_long_text_is_cut_in_the_middle_and_says_how_much_is_left_out() {
        let lines: Vec<_> = (1..=100).map(|number| format!("frame {number}")).collect();
        let cut = cut_middle(&lines.join("\n"), 120, "frames");
        assert_eq!(
            cut,
            "frame 1\nframe 2\nframe 3\nframe 4\n… 92 frames left out …\nframe 97\nframe 98\nframe 99\nframe 100"
        );
        let cut = cut_middle(&"x".repeat(1_000), 120, "frames");
        assert_eq!(cut, format!("{0}\n… 928 bytes left out …\n{0}", "x".repeat(36)));
        assert_eq!(cut_middle("short", 120, "frames"), "short");
    }

    proptest! {
        #[test]
        fn a_cut_text_is_within_its_room_and_has_both_ends(text in "(\\PC|\n){0,300}", max in 60_usize..200) {
            let cut = cut_middle(&text, max, "lines");
            prop_assert!(cut.len() <= max);
            if text.len() > max {
                prop_assert!(cut.contains(" left out …"), "{cut}");
            }
        }
    }
}
