//! What the readers of all languages share: lines with their offsets, and messages with their locations.

/// The offset of the last line for which a predicate holds.
pub(super) fn last_line(text: &str, predicate: impl Fn(&str) -> bool) -> Option<usize> {
    lines(text).filter(|(_, line)| predicate(line)).last().map(|(offset, _)| offset)
}

/// The lines without their ends, each with its offset.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut next_offset = 0;
    text.split_inclusive('\n').map(move |line| {
        let offset = next_offset;
        next_offset += line.len();
        (offset, line.trim_end_matches(['\n', '\r']))
    })
}

/// A message with its location, where that is known: `no customer (app.py:8, in bill)`.
pub(super) fn with_location(message: &str, location: Option<&str>) -> String {
    match location {
        Some(location) => format!("{message} ({location})"),
        None => message.to_owned(),
    }
}
