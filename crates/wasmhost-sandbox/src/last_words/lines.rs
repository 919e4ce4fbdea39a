//! What the readers of all languages share: lines with their places, and messages with theirs.

/// Where the last line begins that `is_it`.
pub(super) fn last_line(text: &str, is_it: impl Fn(&str) -> bool) -> Option<usize> {
    lines(text).filter(|(_, line)| is_it(line)).last().map(|(at, _)| at)
}

/// The lines, each with where it begins.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.trim_end_matches(['\n', '\r']))
    })
}

/// A message with its place, where it is known.
pub(super) fn with_location(message: &str, place: Option<&str>) -> String {
    match place {
        Some(place) => format!("{message} ({place})"),
        None => message.to_owned(),
    }
}
