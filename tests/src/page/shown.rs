//! Comparing what commands print with what a page shows of it.

/// Stands for whatever differs each time.
const ANY: &str = "…";

/// Whether lines are as a page shows them.
pub(super) fn as_shown(shown: &[String], lines: &[String]) -> bool {
    match (shown.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((first, rest)), None) => first == ANY && as_shown(rest, lines),
        (None, Some(_)) => false,
        (Some((first, rest)), Some((_, later))) if first == ANY => {
            as_shown(rest, lines) || as_shown(shown, later)
        }
        (Some((first, rest)), Some((line, later))) => line_as_shown(first, line) && as_shown(rest, later),
    }
}

/// Whether all lines that a page shows have come, in their order.
pub(super) fn in_order(shown: &[String], lines: &[String]) -> bool {
    let mut lines = lines.iter();
    shown.iter().all(|shown| lines.any(|line| line_as_shown(shown, line)))
}

/// The parts between the `…` come in their order: the first at the beginning, the last at the end.
fn line_as_shown(shown: &str, line: &str) -> bool {
    let Some((beginning, mut rest)) = shown.split_once(ANY) else { return shown == line };
    let Some(mut line) = line.strip_prefix(beginning) else { return false };
    while let Some((part, later)) = rest.split_once(ANY) {
        let Some((_, behind)) = line.split_once(part) else { return false };
        line = behind;
        rest = later;
    }
    line.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::as_shown;

    fn check(shown: &str, lines: &str) -> bool {
        let split = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        as_shown(&split(shown), &split(lines))
    }

    #[test]
    fn dots_stand_for_what_differs_and_nothing_else_does() {
        for (shown, lines) in [
            ("a\nb", "a\nb"),
            ("… SUCCESS  …", "12:00 SUCCESS  4"),
            ("a\n…\nb", "a\nb"),
            ("a\n…\nb", "a\n1\n2\nb"),
            ("…", ""),
            ("SUCCESS … ms CPU, … ms in all", "SUCCESS 1 ms CPU, 1.0 MiB memory, 2 ms in all"),
        ] {
            assert!(check(shown, lines), "{shown} is {lines}");
        }
        for (shown, lines) in [
            ("a", "a\nb"),
            ("a\nb", "a"),
            ("a\n…\nb", "a\nc"),
            ("… SUCCESS", "12:00 FAILURE"),
            ("a…b…c", "acb"),
            ("x… a", "x a "),
        ] {
            assert!(!check(shown, lines), "{shown} is not {lines}");
        }
    }
}
