//! Plain aligned columns.

/// A table with a heading; columns are as wide as their widest cell, the last one as it comes.
pub(crate) fn columns(heading: &[&str], rows: &[Vec<String>]) -> String {
    let heading: Vec<String> = heading.iter().map(|&cell| cell.to_owned()).collect();
    aligned(std::iter::once(&heading).chain(rows))
}

/// Names and values, indented, one pair a line.
pub(crate) fn pairs(rows: &[(&str, String)]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|(name, value)| vec![format!("  {name}"), value.clone()]).collect();
    aligned(&rows)
}

fn aligned<'a>(rows: impl IntoIterator<Item = &'a Vec<String>>) -> String {
    let rows: Vec<&Vec<String>> = rows.into_iter().collect();
    let columns = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let width_of = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width_of).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{columns, pairs};

    #[test]
    fn columns_are_aligned_without_trailing_space() {
        let rows = [vec!["thumbs".to_owned(), "1".to_owned()], vec!["x".to_owned(), String::new()]];
        assert_eq!(columns(&["NAME", "SIZE"], &rows), "NAME    SIZE\nthumbs  1\nx\n");
        assert_eq!(pairs(&[("a", "1".to_owned()), ("bcd", "2".to_owned())]), "  a    1\n  bcd  2\n");
    }
}
