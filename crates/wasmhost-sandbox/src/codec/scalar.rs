//! Numbers and characters, read from their JSON text without a detour through another number type.

use serde_json::value::RawValue;
use wasmtime::component::{Type, Val};

use super::mismatch::Mismatch;

/// No integer of WIT has more decimal digits.
const MAX_DIGITS: i64 = 20;

/// Reads an integer of any width; the 64-bit ones also as a string of digits.
pub(super) fn integer(ty: &Type, raw: &RawValue) -> Result<Val, Mismatch> {
    let text = raw.get();
    let quoted = match ty {
        Type::S64 | Type::U64 => text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')),
        _ => None,
    };
    let value = match quoted {
        Some(digits) if is_digits(digits) => Whole::of_digits(digits),
        Some(_) => return Err(Mismatch::new("expected digits in the string")),
        None if is_number(text) => Whole::of_number(text),
        None => return Err(Mismatch::kind(ty, raw)),
    };
    let value = match value {
        Whole::Fraction => return Err(Mismatch::new("expected a number without fraction")),
        Whole::Huge => None,
        Whole::Value(value) => narrow(ty, value),
    };
    value.ok_or_else(|| Mismatch::new(format!("out of range for {}", crate::signature::type_name(ty))))
}

/// Reads a float, rounded correctly from its decimal digits.
pub(super) fn float(ty: &Type, raw: &RawValue) -> Result<Val, Mismatch> {
    let text = match raw.get() {
        "\"NaN\"" => "NaN",
        "\"Infinity\"" => "inf",
        "\"-Infinity\"" => "-inf",
        text if is_number(text) => text,
        _ => return Err(Mismatch::kind(ty, raw)),
    };
    let (value, infinite) = match ty {
        Type::Float32 => {
            let value = text.parse().unwrap_or(f32::NAN);
            (Val::Float32(value), value.is_infinite())
        }
        _ => {
            let value = text.parse().unwrap_or(f64::NAN);
            (Val::Float64(value), value.is_infinite())
        }
    };
    if infinite && is_number(raw.get()) {
        return Err(Mismatch::new(format!("out of range for {}", crate::signature::type_name(ty))));
    }
    Ok(value)
}

/// Reads one character.
pub(super) fn character(text: &str) -> Result<Val, Mismatch> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => Ok(Val::Char(one)),
        _ => Err(Mismatch::new("expected one character")),
    }
}

fn narrow(ty: &Type, value: i128) -> Option<Val> {
    match ty {
        Type::S8 => value.try_into().ok().map(Val::S8),
        Type::U8 => value.try_into().ok().map(Val::U8),
        Type::S16 => value.try_into().ok().map(Val::S16),
        Type::U16 => value.try_into().ok().map(Val::U16),
        Type::S32 => value.try_into().ok().map(Val::S32),
        Type::U32 => value.try_into().ok().map(Val::U32),
        Type::S64 => value.try_into().ok().map(Val::S64),
        _ => value.try_into().ok().map(Val::U64),
    }
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
