//! Rust source as text: without what is neither code nor structure, and without tests. Lines keep their numbers.

use std::ops::{Range, RangeInclusive};

/// The text with comments and the contents of literals blanked out.
pub(crate) fn code(text: &str) -> String {
    let mut scanner = Scanner { rest: text, out: String::with_capacity(text.len()), after_word: false };
    while scanner.step() {}
    scanner.out
}

/// Code, as [`code`] returns it, with every item under `#[cfg(test)]` blanked out.
pub(crate) fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut copied = 0;
    for test in tests(code) {
        out.push_str(&code[copied..test.start]);
        blank(&code[test.clone()], &mut out);
        copied = test.end;
    }
    out.push_str(&code[copied..]);
    out
}

/// The lines of every item under `#[cfg(test)]`, counted from 0.
pub(crate) fn lines_of_tests(code: &str) -> Vec<RangeInclusive<usize>> {
    let line = |at: usize| code[..at].matches('\n').count();
    tests(code).into_iter().map(|test| line(test.start)..=line(test.end)).collect()
}

/// Where the items under `#[cfg(test)]` are.
fn tests(code: &str) -> Vec<Range<usize>> {
    const MARK: &str = "#[cfg(test)]";
    let mut tests = Vec::new();
    let mut from = 0;
    while let Some(found) = code[from..].find(MARK) {
        let start = from + found;
        let item = start + MARK.len();
        from = item + item_length(&code[item..]);
        tests.push(start..from);
    }
    tests
}

/// The bytes up to the end of the first item: its closing brace, or the semicolon that ends it.
fn item_length(code: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            // A semicolon in brackets, as in `[u8; 2]`, ends nothing.
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Writes a blank for every character but line ends.
fn blank(text: &str, out: &mut String) {
    out.extend(text.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
}

struct Scanner<'a> {
    rest: &'a str,
    out: String,
    /// Whether the last character belongs to a word: the `r` of `for` begins no raw string.
    after_word: bool,
}

impl Scanner<'_> {
    /// Copies or blanks out what stands first. False at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if let Some(length) = comment(self.rest) {
            self.blank(length);
        } else if let Some((open, length)) = string(self.rest, self.after_word) {
            self.copy(open);
            self.blank(length - open);
        } else if let Some(length) = character(self.rest) {
            self.blank(length);
        } else {
            self.copy(first.len_utf8());
            self.after_word = first.is_alphanumeric() || first == '_';
        }
        true
    }

    fn copy(&mut self, length: usize) {
        let (taken, rest) = self.rest.split_at(length);
        self.out.push_str(taken);
        self.rest = rest;
    }

    fn blank(&mut self, length: usize) {
        let (taken, rest) = self.rest.split_at(length);
        blank(taken, &mut self.out);
        self.rest = rest;
        self.after_word = false;
    }
}

/// The length of the comment that the text begins with; block comments nest.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let mut depth = 0usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    Some(text.len())
}

/// The string that the text begins with: the length of its prefix, such as `br`, and its whole length.
fn string(text: &str, after_word: bool) -> Option<(usize, usize)> {
    let prefix = text.find(|c: char| !"brc".contains(c))?;
    if prefix > 2 || (prefix > 0 && after_word) {
        return None;
    }
    let body = &text[prefix..];
    if text[..prefix].contains('r') {
        let hashes = body.find(|c| c != '#')?;
        body[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let content = &body[hashes + 1..];
        let end = content.find(&close).map_or(content.len(), |end| end + close.len());
        return Some((prefix, prefix + hashes + 1 + end));
    }
    let content = body.strip_prefix('"')?;
    let end = unescaped(content, '"').unwrap_or(content.len());
    Some((prefix, prefix + 1 + end))
}

/// The length of the character literal that the text begins with; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let content = text.strip_prefix('\'')?;
    let first = content.chars().next()?;
    // A lifetime has no quote behind its first character.
    if first != '\\' && !content[first.len_utf8()..].starts_with('\'') {
        return None;
    }
    Some(1 + unescaped(content, '\'')?)
}

/// The length up to and with the first `close` that no backslash stands before.
fn unescaped(text: &str, close: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == close => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{code, lines_of_tests, without_tests};

    /// Blanks are dropped from both, as only what is left matters.
    fn check(text: &str, expected: &str) {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&code(text)), words(expected), "{text}");
        assert_eq!(code(text).lines().count(), text.lines().count(), "{text}");
    }

    #[test]
    fn comments_and_literals_are_blanked_out() {
        check("use a; // use b;\nuse c;", "use a;\nuse c;");
        check("/* use a; /* use b; */ use c; */ use d;", "use d;");
        check(r#"let s = "use a; \" use b;"; f()"#, "let s = ; f()");
        check(r##"let s = r#"use "a";"#; f()"##, "let s = r ; f()");
        check("let b = b\"{\"; f()", "let b = b ; f()");
        check("let c = '{'; let d = '\\''; f()", "let c = ; let d = ; f()");
    }

    #[test]
    fn lifetimes_and_words_that_end_like_a_prefix_stay() {
        check("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}");
        check("attr\"text\"; f()", "attr ; f()");
    }

    #[test]
    fn items_under_cfg_test_are_blanked_out() {
        let text =
            "use a;\n#[cfg(test)]\nmod tests;\nfn f() {}\n#[cfg(test)]\nmod more { fn g() {} }\nfn h() {}";
        let left: Vec<_> = without_tests(text).split_whitespace().map(ToOwned::to_owned).collect();
        assert_eq!(left.join(" "), "use a; fn f() {} fn h() {}");
        assert_eq!(lines_of_tests(text), [1..=2, 4..=5]);
    }

    #[test]
    fn an_attribute_before_the_item_does_not_end_it() {
        let text = "#[cfg(test)]\n#[expect(x)]\nfn f() { a[1]; }\nfn g() {}";
        assert_eq!(without_tests(text).trim(), "fn g() {}");
    }
}
