//! The nearest known name, for messages about unknown ones.

/// The name that a typing error away from `wrong` would have been; none where all are far from it.
pub(crate) fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let ranked = names.into_iter().map(|name| (distance(wrong, name), name));
    let (far, name) = ranked.min_by_key(|(far, _)| *far)?;
    (far <= wrong.chars().count().max(3) / 2).then_some(name)
}

/// `; did you mean …?`, or nothing.
pub(crate) fn suggestion<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wrong, names).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_typing_error_finds_its_name_and_nonsense_finds_none() {
        let names = ["queues", "slots", "grace"];
        assert_eq!(nearest("qeues", names), Some("queues"));
        assert_eq!(nearest("slot", names), Some("slots"));
        assert_eq!(nearest("completely-else", names), None);
    }
}
