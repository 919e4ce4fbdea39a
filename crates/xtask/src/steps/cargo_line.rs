//! What cargo's lines say: how far it is, and why it failed.

/// Shown of programs whose errors do not begin with a word that we know.
const LAST_LINES: usize = 40;

/// How far cargo is, where the line is its bar: `Building [==>  ] 12/395: syn`.
pub(super) fn progress(line: &str) -> Option<(usize, usize)> {
    let (_, after) = line.trim_start().strip_prefix("Building [")?.split_once(']')?;
    let (done, after) = after.trim_start().split_once('/')?;
    let total = after.split(|other: char| !other.is_ascii_digit()).next()?;
    Some((done.parse().ok()?, total.parse().ok()?))
}

/// The part of what was written that says why: from the first error on, else the last lines.
pub(super) fn reason(written: &str) -> String {
    let lines: Vec<&str> = written.lines().collect();
    // The lines before the first error only say what was compiled.
    let first = lines.iter().position(|line| line.starts_with("error"));
    let from = first.unwrap_or(lines.len().saturating_sub(LAST_LINES));
    lines[from..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::{progress, reason};

    #[test]
    fn the_bar_of_cargo_says_how_far_it_is() {
        assert_eq!(progress("    Building [=====>      ] 12/395: syn, quote(build.rs)"), Some((12, 395)));
        assert_eq!(progress("    Building [            ] 0/1: xtask"), Some((0, 1)));
        for other in ["   Compiling syn v3.0.10", "Building [", "  Downloading [=>  ] 3 crates", ""] {
            assert_eq!(progress(other), None, "{other}");
        }
    }

    #[test]
    fn the_reason_begins_with_the_first_error() {
        assert_eq!(reason("   Compiling a v1\nerror[E0425]: no\n --> a.rs\n"), "error[E0425]: no\n --> a.rs");
        let long: String = (0..100).map(|line| format!("{line}\n")).collect();
        assert!(reason(&long).starts_with("60\n"));
    }
}
