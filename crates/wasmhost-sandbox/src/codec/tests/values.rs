use super::*;

#[test]
fn simple_values() {
    check("", "bool", &[("true", "true"), ("0", "v: expected bool, found number 0")]);
    check("", "string", &[(r#""a\u00e4\n""#, r#""aä\n""#), ("null", "v: expected string, found null")]);
    check("", "string", &[(r#""\ud800""#, "v: the string is not Unicode")]);
    check("", "char", &[(r#""ä""#, r#""ä""#), (r#""""#, r#"v: expected one character, found string """#)]);
    check(
        "",
        "char",
        &[
            (r#""ab""#, r#"v: expected one character, found string "ab""#),
            ("1", "v: expected char, found number 1"),
        ],
    );
}

#[test]
fn small_integers() {
    check(
        "",
        "u8",
        &[("255", "255"), ("256", "v: 256 is out of range for u8"), ("-1", "v: -1 is out of range for u8")],
    );
    check(
        "",
        "s8",
        &[("-128", "-128"), ("-129", "v: -129 is out of range for s8"), ("-0", "0"), ("-0.0", "0")],
    );
    check("", "u32", &[("5.0", "5"), ("1e3", "1000"), ("10e-1", "1"), ("1200.0e-2", "12"), ("0e99", "0")]);
    check(
        "",
        "u32",
        &[("4294967295", "4294967295"), ("4294967296", "v: 4294967296 is out of range for u32")],
    );
    check(
        "",
        "u32",
        &[
            ("1.5", "v: expected a number without fraction, found number 1.5"),
            ("1e99", "v: 1e99 is out of range for u32"),
        ],
    );
    check(
        "",
        "u32",
        &[(
            "1e-99999999999999999999",
            "v: expected a number without fraction, found number 1e-99999999999999999999",
        )],
    );
    check("", "u32", &[("1e99999999999999999999", "v: 1e99999999999999999999 is out of range for u32")]);
    check(
        "",
        "u32",
        &[(r#""5""#, r#"v: expected u32, found string "5""#), ("[]", "v: expected u32, found array []")],
    );
}

#[test]
fn long_integers() {
    let max = r#""18446744073709551615""#;
    check("", "u64", &[("9007199254740992", "9007199254740992"), ("18446744073709551615", max), (max, max)]);
    check("", "u64", &[("9007199254740993", r#""9007199254740993""#), (r#""0007""#, "7"), (r#""-0""#, "0")]);
    check(
        "",
        "u64",
        &[
            ("18446744073709551616", "v: 18446744073709551616 is out of range for u64"),
            ("-1", "v: -1 is out of range for u64"),
        ],
    );
    check(
        "",
        "u64",
        &[
            (r#""+1""#, r#"v: expected digits in the string, found string "+1""#),
            (r#""1.0""#, r#"v: expected digits in the string, found string "1.0""#),
        ],
    );
    let min = r#""-9223372036854775808""#;
    check(
        "",
        "s64",
        &[("-9223372036854775808", min), (min, min), ("-9007199254740992", "-9007199254740992")],
    );
    check(
        "",
        "s64",
        &[
            ("-9007199254740993", r#""-9007199254740993""#),
            ("9223372036854775808", "v: 9223372036854775808 is out of range for s64"),
        ],
    );
}

#[test]
fn floats() {
    check(
        "",
        "f32",
        &[("0.1", "0.1"), ("1", "1.0"), ("16777217", "16777216.0"), ("-0.0", "-0.0"), ("3e38", "3e+38")],
    );
    check(
        "",
        "f32",
        &[
            ("3.5e38", "v: 3.5e38 is out of range for f32"),
            (r#""NaN""#, r#""NaN""#),
            (r#""nan""#, r#"v: expected f32, found string "nan""#),
        ],
    );
    // Through f64 this would round twice, and up.
    check("", "f32", &[("1.00000005960464477540", "1.0000001"), ("1.000000059604644775390625", "1.0")]);
    check(
        "",
        "f64",
        &[("0.30000000000000004", "0.30000000000000004"), ("1e400", "v: 1e400 is out of range for f64")],
    );
    check(
        "",
        "f64",
        &[(r#""Infinity""#, r#""Infinity""#), (r#""-Infinity""#, r#""-Infinity""#), ("5e-324", "5e-324")],
    );
}

#[test]
fn lists_and_tuples() {
    check(
        "",
        "list<u8>",
        &[(r#""+/8=""#, r#""+/8=""#), (r#""-_8""#, r#""+/8=""#), ("[251,255]", r#""+/8=""#)],
    );
    check(
        "",
        "list<u8>",
        &[
            ("[]", r#""""#),
            (r#""""#, r#""""#),
            (r#""a b""#, r#"v: expected base64 or an array of numbers, found string "a b""#),
            ("1", "v: expected list<u8>, found number 1"),
        ],
    );
    check("", "list<u8>", &[("[1,256]", "v[1]: 256 is out of range for u8")]);
    check(
        "",
        "list<string>",
        &[
            (r#"["a", "b"]"#, r#"["a","b"]"#),
            ("[]", "[]"),
            (r#"["a",1]"#, "v[1]: expected string, found number 1"),
        ],
    );
    check(
        "",
        "tuple<u8, string>",
        &[(r#"[1,"a"]"#, r#"[1,"a"]"#), ("[1]", "v: expected 2 elements, found array [1]")],
    );
}

#[test]
fn long_bytes_are_joined_without_padding_between() {
    let tasks = echo("", "list<u8>");
    let values = [Val::List((0..10_000_u32).map(|n| Val::U8(n as u8)).collect())];
    let text = encode(&tasks, &values);
    assert_eq!(decode(&tasks, &text).unwrap(), values);
}

#[test]
fn records() {
    let types = "record size { width: u32, height: option<u32> } record item { name: string, size: size }";
    check(
        types,
        "size",
        &[
            (r#"{"height":2,"width":1}"#, r#"{"width":1,"height":2}"#),
            (r#"{"width":1}"#, r#"{"width":1,"height":null}"#),
        ],
    );
    check(
        types,
        "size",
        &[
            (r#"{"widht":1}"#, "v.widht: unknown; did you mean `width`?"),
            ("{}", "v.width: missing: expected u32"),
        ],
    );
    check(
        types,
        "size",
        &[
            (r#"{"width":1,"width":1}"#, "v.width: given twice"),
            ("[1]", "v: expected record, found array [1]"),
        ],
    );
    check(
        types,
        "list<item>",
        &[(
            r#"[{"name":"a","size":{"width":1}},{"size":{"width":1}}]"#,
            "v[1].name: missing: expected string",
        )],
    );
    check(
        types,
        "list<item>",
        &[(r#"[{"name":"a","size":{"width":"x"}}]"#, r#"v[0].size.width: expected u32, found string "x""#)],
    );
}

#[test]
fn variants_enums_and_flags() {
    let types = "variant shape { none, circle(f64), named(option<string>) } enum colour { red, dark-green } flags mode { read, write, run }";
    check(
        types,
        "shape",
        &[
            (r#""none""#, r#""none""#),
            (r#"{"none":null}"#, r#""none""#),
            (r#"{"circle":1}"#, r#"{"circle":1.0}"#),
        ],
    );
    check(
        types,
        "shape",
        &[
            (r#"{"none":1}"#, "v.none: takes no payload, found 1"),
            (r#""circle""#, r#"v.circle: expected a payload of type f64: {"circle": …}"#),
        ],
    );
    check(
        types,
        "shape",
        &[
            (r#"{"circle":"x"}"#, r#"v.circle: expected f64, found string "x""#),
            (r#"{"named":null}"#, r#"{"named":null}"#),
        ],
    );
    check(
        types,
        "shape",
        &[
            (r#"{"circel":1}"#, "v.circel: unknown; did you mean `circle`?"),
            ("{}", r#"v: expected one case, as in {"case": …}; found none"#),
        ],
    );
    check(
        types,
        "shape",
        &[
            (r#"{"circle":1,"none":null}"#, r#"v: expected one case, as in {"case": …}; found circle, none"#),
            (r#"{"none":null,"none":null}"#, "v.none: given twice"),
        ],
    );
    check(
        types,
        "colour",
        &[
            (r#""dark-green""#, r#""dark-green""#),
            (r#""dark""#, "v.dark: unknown; did you mean `dark-green`?"),
            (r#""blue""#, "v.blue: unknown; known are `red`, `dark-green`"),
        ],
    );
    check(types, "colour", &[(r#"{"red":null}"#, r#"v: expected enum, found object {"red":null}"#)]);
    check(types, "mode", &[(r#"["run","read","run"]"#, r#"["read","run"]"#), ("[]", "[]")]);
    check(
        types,
        "mode",
        &[
            (r#"["red"]"#, "v[0].red: unknown; did you mean `read`?"),
            (r#""read""#, r#"v: expected flags, found string "read""#),
        ],
    );
}

#[test]
fn options_and_results() {
    check(
        "",
        "option<u8>",
        &[("null", "null"), ("5", "5"), (r#""5""#, r#"v: expected u8, found string "5""#)],
    );
    check(
        "",
        "option<option<u8>>",
        &[("null", "null"), (r#"{"some":null}"#, r#"{"some":null}"#), (r#"{"some":5}"#, r#"{"some":5}"#)],
    );
    check(
        "",
        "option<option<u8>>",
        &[("5", "v: expected null or {\"some\": …}, for an option of an option, found number 5")],
    );
    check("", "list<result<u8, string>>", &[(r#"[{"ok":1},{"err":"x"}]"#, r#"[{"ok":1},{"err":"x"}]"#)]);
    check(
        "",
        "list<result<u8, string>>",
        &[
            (r#"["ok"]"#, r#"v[0].ok: expected a payload of type u8: {"ok": …}"#),
            (r#"[{"okk":1}]"#, "v[0].okk: unknown; did you mean `ok`?"),
        ],
    );
    check("", "list<result>", &[(r#"["ok","err",{"ok":null}]"#, r#"["ok","err","ok"]"#)]);
}
