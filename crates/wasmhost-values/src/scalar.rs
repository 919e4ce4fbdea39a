//! Numbers and characters, read from their JSON text without a detour through another number type.

use serde_json::value::RawValue;

use crate::mismatch::{Mismatch, shown};
use crate::types::Type;

/// No integer of WIT has more decimal digits.
const MAX_DIGITS: i64 = 20;

/// Reads an integer of any width; the 64-bit ones also as a string of digits.
pub(crate) fn integer(ty: &Type, raw: &RawValue) -> Result<i128, Mismatch> {
    let text = raw.get();
    let quoted = match ty {
        Type::S64 | Type::U64 => text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')),
        _ => None,
    };
    let value = match quoted {
        Some(digits) if is_digits(digits) => Whole::of_digits(digits),
        Some(_) => return Err(Mismatch::found("digits in the string", raw)),
        None if is_number(text) => Whole::of_number(text),
        None => return Err(Mismatch::kind(ty, raw)),
    };
    let value = match value {
        Whole::Fraction => return Err(Mismatch::found("a number without fraction", raw)),
        Whole::Huge => None,
        Whole::Value(value) => in_range(ty, value).then_some(value),
    };
    value.ok_or_else(|| out_of_range(ty, raw))
}

/// Reads an `f32`, rounded correctly from its decimal digits.
pub(crate) fn f32(raw: &RawValue) -> Result<f32, Mismatch> {
    let value: f32 = float_text(&Type::F32, raw)?.parse().unwrap_or(f32::NAN);
    if value.is_infinite() && is_number(raw.get()) { Err(out_of_range(&Type::F32, raw)) } else { Ok(value) }
}

/// Reads an `f64`, rounded correctly from its decimal digits.
pub(crate) fn f64(raw: &RawValue) -> Result<f64, Mismatch> {
    let value: f64 = float_text(&Type::F64, raw)?.parse().unwrap_or(f64::NAN);
    if value.is_infinite() && is_number(raw.get()) { Err(out_of_range(&Type::F64, raw)) } else { Ok(value) }
}

/// Reads one character.
pub(crate) fn character(text: &str, raw: &RawValue) -> Result<char, Mismatch> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(Mismatch::found("one character", raw)),
    }
}

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

fn in_range(ty: &Type, value: i128) -> bool {
    let (least, most) = match ty {
        Type::S8 => (i128::from(i8::MIN), i128::from(i8::MAX)),
        Type::U8 => (0, i128::from(u8::MAX)),
        Type::S16 => (i128::from(i16::MIN), i128::from(i16::MAX)),
        Type::U16 => (0, i128::from(u16::MAX)),
        Type::S32 => (i128::from(i32::MIN), i128::from(i32::MAX)),
        Type::U32 => (0, i128::from(u32::MAX)),
        Type::S64 => (i128::from(i64::MIN), i128::from(i64::MAX)),
        _ => (0, i128::from(u64::MAX)),
    };
    (least..=most).contains(&value)
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
}

fn is_digits(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

enum Whole {
    Value(i128),
    Fraction,
    Huge,
}

impl Whole {
    fn of_digits(text: &str) -> Self {
        text.parse().map_or(Self::Huge, Self::Value)
    }

    /// The value of a JSON number: `5.0` and `1e3` are whole.
    fn of_number(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_end_matches('0');
        if significant.is_empty() || significant == "-" {
            return Self::Value(0);
        }
        let zeros = exponent_of(exponent)
            .saturating_sub_unsigned(fraction.len() as u64)
            .saturating_add_unsigned((digits.len() - significant.len()) as u64);
        match zeros {
            ..0 => Self::Fraction,
            0..=MAX_DIGITS => Self::of_digits(&format!("{significant}{}", "0".repeat(zeros as usize))),
            _ => Self::Huge,
        }
    }
}

/// An exponent that does not fit is as good as the longest that does.
fn exponent_of(text: &str) -> i64 {
    let longest = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    text.parse().unwrap_or(longest)
}
