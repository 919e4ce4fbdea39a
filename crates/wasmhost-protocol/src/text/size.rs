//! Sizes in units that are powers of 1024: exact, as people write them (`512M`, `64K`, `1G`), or rounded, as people read
//! them (`1.5 KiB`, `4.0 GiB`).

const UNITS: [(&str, u32); 4] = [("T", 40), ("G", 30), ("M", 20), ("K", 10)];

/// Writes a number of bytes in the largest unit of which it is a whole number, so that the text is always
/// exact.
#[must_use]
pub fn format_size(bytes: u64) -> String {
    let unit = UNITS.iter().find(|(_, shift)| bytes > 0 && bytes.trailing_zeros() >= *shift);
    unit.map_or_else(|| bytes.to_string(), |(name, shift)| format!("{}{name}", bytes >> shift))
}

/// Writes a number of bytes in the largest unit of which there is at least one, rounded down to a tenth.
#[must_use]
pub fn format_size_rounded(bytes: u64) -> String {
    let Some((name, shift)) = UNITS.iter().find(|(_, shift)| bytes >> shift > 0) else {
        return format!("{bytes} B");
    };
    let tenths = ((bytes >> (shift - 10)) & 0x3ff) * 10 / 1024;
    format!("{}.{tenths} {name}iB", bytes >> shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_in_the_largest_unit() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (3 << 20, "3.0 MiB"),
            ((1 << 30) - 1, "1023.9 MiB"),
            (3 << 29, "1.5 GiB"),
            (4 << 30, "4.0 GiB"),
            (1 << 40, "1.0 TiB"),
            (1 << 50, "1024.0 TiB"),
        ] {
            assert_eq!(format_size_rounded(bytes), text);
        }
    }

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
