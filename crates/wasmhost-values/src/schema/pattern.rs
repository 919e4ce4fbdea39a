//! Regular expressions of the decimal texts that a 64-bit integer can be.

/// `^-?[0-9]+$` within the range of u64; minus is for zero alone.
pub(super) fn u64() -> String {
    format!("^(-0+|{})$", up_to(u64::MAX))
}

/// `^-?[0-9]+$` within the range of s64.
pub(super) fn s64() -> String {
    format!("^({}|-{})$", up_to(i64::MAX.unsigned_abs()), up_to(i64::MIN.unsigned_abs()))
}

/// Numbers from 0 to `maximum`: with fewer digits, or equal in some and then less in one.
fn up_to(maximum: u64) -> String {
    let digits = maximum.to_string();
    let mut forms = vec![format!("[0-9]{{1,{}}}", digits.len() - 1), digits.clone()];
    for (index, digit) in digits.bytes().enumerate().filter(|(_, digit)| *digit > b'0') {
        let less = char::from(digit - 1);
        forms.push(format!("{}[0-{less}][0-9]{{{}}}", &digits[..index], digits.len() - index - 1));
    }
    format!("0*({})", forms.join("|"))
}
