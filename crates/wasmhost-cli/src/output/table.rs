//! Plain aligned columns.

use unicode_width::UnicodeWidthStr;

/// A table with a heading. Each column is as wide as its widest cell, and no line has spaces at its end.
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
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width_of).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| padded(cell, width)).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// The cell with spaces up to this many columns of a terminal, in which some letters take two.
fn padded(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())))
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

    #[test]
    fn a_wide_letter_takes_two_columns() {
        let rows = [vec!["日本".to_owned(), "1".to_owned()], vec!["häß".to_owned(), "2".to_owned()]];
        assert_eq!(columns(&["A", "B"], &rows), "A     B\n日本  1\nhäß   2\n");
    }
}
