//! The name that was probably meant.

/// Longer names are compared by their beginning.
const COMPARED_BYTES: usize = 128;

/// The name with the fewest edits from `wanted`, the first of several, and how many they are.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<(&'a str, usize)> {
    let ranked = names.into_iter().map(|name| (name, edits(wanted.as_bytes(), name.as_bytes())));
    ranked.min_by_key(|(_, edits)| *edits)
}

/// Levenshtein's distance.
fn edits(from: &[u8], to: &[u8]) -> usize {
    let from = &from[..from.len().min(COMPARED_BYTES)];
    let to = &to[..to.len().min(COMPARED_BYTES)];
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_edits_win() {
        assert_eq!(edits(b"kitten", b"sitting"), 3);
        assert_eq!(nearest("widht", ["height", "width", "wide"]), Some(("width", 2)));
        assert_eq!(nearest("x", []), None);
    }
}
