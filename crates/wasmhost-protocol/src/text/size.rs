//! Sizes in the form that people write: `512M`, `64K`, `1G`. Units are powers of 1024.

const UNITS: [(&str, u32); 4] = [("T", 40), ("G", 30), ("M", 20), ("K", 10)];

/// Writes a number of bytes in the largest unit of which it is a whole number, so that the text is always
/// exact.
#[must_use]
pub fn format_size(bytes: u64) -> String {
    let unit = UNITS.iter().find(|(_, shift)| bytes > 0 && bytes.trailing_zeros() >= *shift);
    unit.map_or_else(|| bytes.to_string(), |(name, shift)| format!("{}{name}", bytes >> shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_written_exactly() {
        for (bytes, text) in [
            (0, "0"),
            (1000, "1000"),
            (64 << 10, "64K"),
            (512 << 20, "512M"),
            (3 << 29, "1536M"),
            (1 << 40, "1T"),
        ] {
            assert_eq!(format_size(bytes), text);
        }
    }
}
