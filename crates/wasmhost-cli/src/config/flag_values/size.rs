//! Sizes in bytes.

/// A size in bytes: `512M`, `4GiB`, `1000000`. Units are powers of 1024.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let shift = match text[digits..].trim_end_matches("iB").trim_end_matches('B') {
        "" => 0,
        "K" | "k" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(format!("size `{text}` is not like `512M` or `4G`")),
    };
    let number: u64 =
        text[..digits].parse().map_err(|_| format!("size `{text}` is not like `512M` or `4G`"))?;
    number.checked_mul(1 << shift).ok_or_else(|| format!("size `{text}` is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in
            [("0", 0), ("17", 17), ("2K", 2048), ("512M", 512 << 20), ("4GiB", 4 << 30), ("1TB", 1 << 40)]
        {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for bad in ["", "M", "1.5G", "-1", "1X", "99999999999999T"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }
}
