//! Decodes numbers and characters from their JSON text. No number takes a detour through another number type, in which
//! it would lose digits.

use std::ops::RangeInclusive;

use serde_json::value::RawValue;

use crate::mismatch::{Mismatch, shown};
use crate::types::Type;

/// The most decimal digits of an integer of WIT.
const MAX_DIGITS: i64 = 20;

/// Decodes an integer of any width; one of 64 bits may also be a string of digits.
pub(crate) fn integer(ty: &Type, raw: &RawValue) -> Result<i128, Mismatch> {
    let text = raw.get();
    let quoted = match ty {
        Type::S64 | Type::U64 => text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')),
        _ => None,
    };
    let number = match quoted {
        Some(digits) if is_digits(digits) => Number::from_digits(digits),
        Some(_) => return Err(Mismatch::found("digits in the string", raw)),
        None if is_number(text) => Number::from_json(text),
        None => return Err(Mismatch::kind(ty, raw)),
    };
    match number {
        Number::Whole(value) if range(ty).contains(&value) => Ok(value),
        Number::Whole(_) | Number::TooLong => Err(out_of_range(ty, raw)),
        Number::Fraction => Err(Mismatch::found("a number without fraction", raw)),
    }
}

/// Decodes an `f32`, rounded once from its decimal digits.
pub(crate) fn f32(raw: &RawValue) -> Result<f32, Mismatch> {
    let value: f32 = float_text(&Type::F32, raw)?.parse().unwrap_or(f32::NAN);
    if value.is_infinite() && is_number(raw.get()) { Err(out_of_range(&Type::F32, raw)) } else { Ok(value) }
}

/// Decodes an `f64`, rounded once from its decimal digits.
pub(crate) fn f64(raw: &RawValue) -> Result<f64, Mismatch> {
    let value: f64 = float_text(&Type::F64, raw)?.parse().unwrap_or(f64::NAN);
    if value.is_infinite() && is_number(raw.get()) { Err(out_of_range(&Type::F64, raw)) } else { Ok(value) }
}

/// Decodes the only character of a string; `raw` is shown if there is another number of them.
pub(crate) fn character(text: &str, raw: &RawValue) -> Result<char, Mismatch> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(character),
        _ => Err(Mismatch::found("one character", raw)),
    }
}

/// The text of a float as Rust parses it.
fn float_text<'a>(ty: &Type, raw: &'a RawValue) -> Result<&'a str, Mismatch> {
    match raw.get() {
        "\"NaN\"" => Ok("NaN"),
        "\"Infinity\"" => Ok("inf"),
        "\"-Infinity\"" => Ok("-inf"),
        text if is_number(text) => Ok(text),
        _ => Err(Mismatch::kind(ty, raw)),
    }
}

fn out_of_range(ty: &Type, raw: &RawValue) -> Mismatch {
    Mismatch::new(format!("{} is out of range for {}", shown(raw.get()), ty.kind()))
}

/// The range of an integer type.
fn range(ty: &Type) -> RangeInclusive<i128> {
    match ty {
        Type::S8 => i8::MIN.into()..=i8::MAX.into(),
        Type::U8 => 0..=u8::MAX.into(),
        Type::S16 => i16::MIN.into()..=i16::MAX.into(),
        Type::U16 => 0..=u16::MAX.into(),
        Type::S32 => i32::MIN.into()..=i32::MAX.into(),
        Type::U32 => 0..=u32::MAX.into(),
        Type::S64 => i64::MIN.into()..=i64::MAX.into(),
        // Integers alone are asked for.
        _ => 0..=u64::MAX.into(),
    }
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
}

fn is_digits(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// A number as an integer type sees it.
enum Number {
    Whole(i128),
    Fraction,
    /// A whole number with more digits than any integer type has.
    TooLong,
}

impl Number {
    fn from_digits(text: &str) -> Self {
        text.parse().map_or(Self::TooLong, Self::Whole)
    }

    /// Reads a JSON number; `5.0` and `1e3` are whole.
    fn from_json(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_end_matches('0');
        if significant.is_empty() || significant == "-" {
            return Self::Whole(0);
        }
        // How many zeros follow the significant digits; less than none means that some are behind the decimal point.
        let zeros = parse_exponent(exponent)
            .saturating_sub_unsigned(fraction.len() as u64)
            .saturating_add_unsigned((digits.len() - significant.len()) as u64);
        match zeros {
            ..0 => Self::Fraction,
            0..=MAX_DIGITS => Self::from_digits(&format!("{significant}{}", "0".repeat(zeros as usize))),
            _ => Self::TooLong,
        }
    }
}

/// An exponent that does not fit into an i64 decides like the longest one that does.
fn parse_exponent(text: &str) -> i64 {
    let longest = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    text.parse().unwrap_or(longest)
}
