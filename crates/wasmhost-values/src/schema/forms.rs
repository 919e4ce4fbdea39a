//! The schemas that single types have, as texts.

use crate::base64::PATTERN as BASE64_PATTERN;

/// Half a step above the largest f32; from here on, rounding to f32 gives infinity.
const F32_END: &str = "3.4028235677973366e38";

/// A JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An array of names: `["a","b"]`.
pub(super) fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(quoted).collect();
    format!("[{}]", names.join(","))
}

/// A number without fraction within a range.
pub(super) fn integer<T: std::fmt::Display>(minimum: T, maximum: T) -> String {
    format!(r#"{{"type":"integer","minimum":{minimum},"maximum":{maximum}}}"#)
}

/// A number within a range, or a string of digits that matches the pattern of the same range.
pub(super) fn long_integer<T: std::fmt::Display>(minimum: T, maximum: T, pattern: &str) -> String {
    let number = integer(minimum, maximum);
    let pattern = quoted(pattern);
    format!(r#"{{"anyOf":[{number},{{"type":"string","pattern":{pattern}}}]}}"#)
}

/// A number that an f32 can round, or one of the texts for what JSON has no number for.
pub(super) fn f32() -> String {
    float(&format!(r#","exclusiveMinimum":-{F32_END},"exclusiveMaximum":{F32_END}"#))
}

/// A number, or one of the texts for what JSON has no number for.
pub(super) fn f64() -> String {
    float("")
}

fn float(range: &str) -> String {
    format!(r#"{{"anyOf":[{{"type":"number"{range}}},{{"enum":["NaN","Infinity","-Infinity"]}}]}}"#)
}

/// A `list<u8>`: base64, or an array of numbers.
pub(super) fn bytes() -> String {
    let items = integer(u8::MIN, u8::MAX);
    let pattern = quoted(BASE64_PATTERN);
    format!(
        r#"{{"anyOf":[{{"type":"string","contentEncoding":"base64","pattern":{pattern}}},{{"type":"array","items":{items}}}]}}"#
    )
}

/// An object with one member: `{"case": payload}`.
pub(super) fn tagged(name: &str, payload: &str) -> String {
    let name = quoted(name);
    format!(
        r#"{{"type":"object","properties":{{{name}:{payload}}},"required":[{name}],"additionalProperties":false}}"#
    )
}

/// Any of the cases without a payload, whose names are given as a JSON array: `"case"` or `{"case": null}`.
pub(super) fn bare_cases(names: &str) -> String {
    format!(
        r#"{{"enum":{names}}},{{"type":"object","propertyNames":{{"enum":{names}}},"additionalProperties":{{"type":"null"}},"minProperties":1,"maxProperties":1}}"#
    )
}
