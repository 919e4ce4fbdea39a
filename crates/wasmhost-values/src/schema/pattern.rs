//! Regular expressions for the strings of digits that a 64-bit integer can have. They hold exactly for the numbers in
//! range.

/// Matches `-?[0-9]+` within the range of u64, where only zero may have a minus.
pub(super) fn u64() -> String {
    format!("^(-0+|{})$", up_to(u64::MAX))
}

/// Matches `-?[0-9]+` within the range of s64.
pub(super) fn s64() -> String {
    format!("^({}|-{})$", up_to(i64::MAX.unsigned_abs()), up_to(i64::MIN.unsigned_abs()))
}

/// Matches the numbers from 0 to `maximum`: those with fewer digits, `maximum` itself, and for each of its digits the
/// numbers that begin like it and have a smaller digit there.
fn up_to(maximum: u64) -> String {
    let digits = maximum.to_string();
    let mut forms = vec![format!("[0-9]{{1,{}}}", digits.len() - 1), digits.clone()];
    for (index, digit) in digits.bytes().enumerate().filter(|(_, digit)| *digit > b'0') {
        let smaller = char::from(digit - 1);
        forms.push(format!("{}[0-{smaller}][0-9]{{{}}}", &digits[..index], digits.len() - index - 1));
    }
    format!("0*({})", forms.join("|"))
}
