//! Whatever a schema accepts the codec accepts, and the other way round: both are asked about the same texts.

use super::*;
use wasmhost_values::{arguments_schema, result_schema};

const VALUES: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "5.0",
    "1e3",
    "1.5",
    "255",
    "256",
    "-129",
    "4294967296",
    "9007199254740993",
    "18446744073709551615",
    "-9223372036854775808",
    "3.5e38",
    r#""""#,
    r#""a""#,
    r#""ab""#,
    r#""ä""#,
    r#""7""#,
    r#""-0""#,
    r#""-1""#,
    r#""007""#,
    r#""9223372036854775807""#,
    r#""9223372036854775808""#,
    r#""-9223372036854775808""#,
    r#""-9223372036854775809""#,
    r#""18446744073709551615""#,
    r#""18446744073709551616""#,
    r#""99999999999999999999""#,
    r#""NaN""#,
    r#""-Infinity""#,
    r#""nan""#,
    r#""AAA=""#,
    r#""AA==""#,
    r#""AA=""#,
    r#""AA""#,
    r#""A""#,
    r#""-_+/""#,
    "[]",
    "[1]",
    "[256]",
    "[1,2]",
    r#"["a"]"#,
    r#"[1,"a"]"#,
    r#"["read","read"]"#,
    "{}",
    r#"{"width":1}"#,
    r#"{"width":1,"height":2}"#,
    r#"{"width":1,"x":2}"#,
    r#"{"height":null}"#,
    r#""none""#,
    r#"{"none":null}"#,
    r#"{"none":1}"#,
    r#""circle""#,
    r#"{"circle":1}"#,
    r#"{"circle":1,"none":null}"#,
    r#""ok""#,
    r#"{"ok":1}"#,
    r#"{"ok":null}"#,
    r#"{"err":"x"}"#,
    r#""err""#,
    r#"{"some":null}"#,
    r#"{"some":1}"#,
    r#"{"some":{"some":1}}"#,
    r#""red""#,
];

const TYPES: &[&str] = &[
    "bool",
    "string",
    "char",
    "s8",
    "u8",
    "s16",
    "u16",
    "s32",
    "u32",
    "s64",
    "u64",
    "f32",
    "f64",
    "list<u8>",
    "list<s8>",
    "list<string>",
    "tuple<u8, string>",
    "tuple<u8>",
    "size",
    "list<size>",
    "shape",
    "colour",
    "mode",
    "option<u8>",
    "option<option<u8>>",
    "option<option<option<u8>>>",
    "tuple<result>",
    "tuple<result<u8, string>>",
    "option<size>",
    "option<shape>",
    "result<u8, string>",
    "result",
    "result<option<u8>>",
];

const DECLARED: &str = "record size { width: u32, height: option<u32> }
    variant shape { none, circle(f64), ok(u8), some(option<u8>) } enum colour { red, a } flags mode { read, a }";

fn agree(world: &str, bodies: impl Iterator<Item = String>) {
    let tasks = tasks(&format!("world w {{ {DECLARED} {world} }}"));
    let task = tasks.find("f").unwrap();
    let schema: serde_json::Value = serde_json::from_str(&arguments_schema(&task.ty)).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for body in bodies {
        let by_schema = validator.is_valid(&serde_json::from_str(&body).unwrap());
        let by_codec = decode_arguments(task, body.as_bytes());
        assert_eq!(by_schema, by_codec.is_ok(), "{world} of {body}: {by_codec:?}\n{schema:#}");
    }
}

#[test]
fn schema_and_codec_agree_on_every_type() {
    for ty in TYPES {
        let world = format!("export f: func(v: {ty});");
        agree(&world, VALUES.iter().map(|value| format!("[{value}]")));
        agree(&world, VALUES.iter().map(|value| format!("{{\"v\":{value}}}")));
        agree(&format!("export f: func(v: tuple<{ty}>);"), VALUES.iter().map(|value| format!("[[{value}]]")));
    }
}

#[test]
fn schema_and_codec_agree_on_whole_arguments() {
    let bodies = [
        "null",
        "5",
        "{}",
        "[]",
        "[1]",
        "[1,null]",
        "[1,2,3]",
        r#"{"a":1}"#,
        r#"{"a":1,"b":2}"#,
        r#"{"b":2}"#,
        r#"{"a":1,"x":1}"#,
        "[null]",
        r#"{"a":null}"#,
    ];
    for parameters in [
        "",
        "a: u8",
        "a: u8, b: u8",
        "a: u8, b: option<u8>",
        "a: option<u8>, b: u8",
        "a: option<u8>, b: option<u8>",
    ] {
        agree(&format!("export f: func({parameters});"), bodies.iter().map(|&body| body.to_owned()));
    }
}

#[test]
fn results_fit_their_schema() {
    let tasks = tasks(&format!(
        "world w {{ {DECLARED} export f: func() -> result<list<size>, string>; export g: func(); }}"
    ));
    let schema = |name: &str| -> serde_json::Value {
        serde_json::from_str(&result_schema(&tasks.find(name).unwrap().ty)).unwrap()
    };
    let valid =
        |name: &str, value: serde_json::Value| jsonschema::draft202012::is_valid(&schema(name), &value);
    assert!(valid("f", serde_json::json!([{"width": 1, "height": null}])));
    assert!(!valid("f", serde_json::json!([{"width": -1}])));
    assert!(valid("g", serde_json::Value::Null));
    assert!(!valid("g", serde_json::json!(1)));
}
