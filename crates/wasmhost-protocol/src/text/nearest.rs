//! Finds the name that was probably meant where a name is unknown.

use super::escape::{escape, truncate};

/// Longer names are compared by this many bytes of their beginning. The cost of a comparison grows with the
/// product of both lengths, and a stranger chooses one of them.
const COMPARED_BYTES: usize = 128;
/// At most this many names are compared, so that the cost of an error does not grow with the number of names.
const COMPARED_NAMES: usize = 1_000;
/// At most this many names are listed where none is similar; the others are counted.
const LISTED: usize = 10;

/// Returns the name that is most similar to `wanted`: one that differs by a typing error, or of which
/// `wanted` is the beginning or the continuation. The first of several equally similar ones is returned, and
/// `None` where no name is similar.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let similar =
        names.into_iter().take(COMPARED_NAMES).filter_map(|name| Some((name, distance(wanted, name)?)));
    similar.min_by_key(|(_, edits)| *edits).map(|(name, _)| name)
}

/// Returns the text that follows "unknown; " in an error: the similar name as a question, or a list of all
/// names.
pub fn known_names<'a, N>(wanted: &str, names: N) -> String
where
    N: IntoIterator<Item = &'a str, IntoIter: ExactSizeIterator + Clone>,
{
    let names = names.into_iter();
    if let Some(near) = nearest(wanted, names.clone()) {
        return format!("did you mean `{}`?", escape(truncate(near, COMPARED_BYTES)));
    }
    let more = names.len().saturating_sub(LISTED);
    let listed: Vec<_> =
        names.take(LISTED).map(|name| format!("`{}`", escape(truncate(name, COMPARED_BYTES)))).collect();
    match (listed.as_slice(), more) {
        ([], _) => "there are no names".to_owned(),
        (_, 0) => format!("known are {}", listed.join(", ")),
        (_, more) => format!("known are {} and {more} more", listed.join(", ")),
    }
}

/// Returns the number of edits between two similar names. Names are similar if one is the beginning of the other, or
/// if at most a third of the letters of `wanted`, and at least one, have to be edited. An edit is an insertion, a
/// deletion, a replacement, or a swap of neighbours.
fn distance(wanted: &str, name: &str) -> Option<usize> {
    let wanted = truncate(wanted, COMPARED_BYTES);
    let name = truncate(name, COMPARED_BYTES);
    let wanted_length = wanted.chars().count();
    let name_length = name.chars().count();
    // Fewer edits than letters: a name of one letter would otherwise be similar to every other one.
    let most = (wanted_length / 3).max(1).min(wanted_length.saturating_sub(1));
    let is_beginning =
        wanted_length >= 3 && (name.starts_with(wanted) || wanted.starts_with(name) && name_length >= 3);
    // The difference in length is a lower bound of the edits, and much cheaper.
    if !is_beginning && wanted_length.abs_diff(name_length) > most {
        return None;
    }
    let edits = strsim::osa_distance(wanted, name);
    (edits <= most || is_beginning).then_some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_edits_win() {
        assert_eq!(distance("kitten", "sitting"), None, "three edits");
        assert_eq!(distance("defualt", "default"), Some(1));
        assert_eq!(distance("größe", "grösse"), None, "a third of five letters is one");
        assert_eq!(distance("grö", "gro"), Some(1), "letters count, not bytes");
        assert_eq!(nearest("widht", ["height", "width", "wide"]), Some("width"));
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn a_name_is_near_only_when_it_could_have_been_meant() {
        let near = |wanted, names: &[&'static str]| nearest(wanted, names.iter().copied());
        assert_eq!(near("blue", &["red", "green"]), None);
        assert_eq!(near("dark", &["red", "dark-green"]), Some("dark-green"));
        assert_eq!(near("x", &["a"]), None);
        assert_eq!(near("slot", &["queues", "slots"]), Some("slots"));
        assert_eq!(near("completely-else", &["queues", "slots", "grace"]), None);
    }

    #[test]
    fn where_no_name_is_near_they_are_listed() {
        assert_eq!(known_names("circel", ["none", "circle"]), "did you mean `circle`?");
        assert_eq!(known_names("blue", ["red", "green"]), "known are `red`, `green`");
        assert_eq!(known_names("blue", []), "there are no names");
        let many: Vec<String> = (0..12).map(|n| format!("name{n}")).collect();
        let text = known_names("else", many.iter().map(String::as_str));
        assert!(text.ends_with("`name9` and 2 more"), "{text}");
    }
}
