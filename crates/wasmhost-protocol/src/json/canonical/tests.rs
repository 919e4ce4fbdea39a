//! Texts that have the same canonical form, and texts that have not.

use proptest::prelude::*;
use serde_json::Value as Parsed;

use super::*;

fn form(text: &str) -> String {
    String::from_utf8(canonical(text.as_bytes()).into_owned()).unwrap()
}

#[test]
fn spaces_and_the_order_of_keys_make_no_difference() {
    for (text, wanted) in [
        (
            r#" { "b" : [ 1 , 2 ] , "a" : { "d" : null , "c" : true } } "#,
            r#"{"a":{"c":true,"d":null},"b":[1,2]}"#,
        ),
        ("\u{feff}[ ]", "[]"),
        ("\t{ }\n", "{}"),
        ("  ", ""),
        (r#"{"a":" , : { ","":1}"#, r#"{"":1,"a":" , : { "}"#),
        (r#"[[],[[]],[{}]]"#, r#"[[],[[]],[{}]]"#),
        ("7", "7"),
    ] {
        assert_eq!(form(text), wanted, "{text}");
        assert_eq!(form(wanted), wanted);
    }
}

#[test]
fn a_string_is_its_characters_however_they_are_escaped() {
    assert_eq!(form(r#""\u0041\/\u00e9\ud83d\ude00""#), "\"A/é😀\"");
    assert_eq!(form(r#""\u0022\u005C\u000A\u001f\u007f""#), "\"\\\"\\\\\\n\\u001f\u{7f}\"");
    assert_eq!(form(r#"{"\u0062":1,"a":2}"#), r#"{"a":2,"b":1}"#);
}

#[test]
fn keys_are_in_the_order_of_code_points() {
    // Other canonical forms sort by UTF-16 code units, in which the second name would come first.
    assert_eq!(form("{\"\u{1f600}\":1,\"\u{fb33}\":2}"), "{\"\u{fb33}\":2,\"\u{1f600}\":1}");
}

#[test]
fn a_number_is_its_text() {
    let numbers = "[1,1.0,1e0,1E0,-0,0.10,123456789012345678901234567890.1234567890]";
    assert_eq!(form(numbers), numbers);
}

#[test]
fn equal_keys_are_kept_in_their_order() {
    assert_eq!(form(r#"{"b":1,"a":2,"b":3}"#), r#"{"a":2,"b":1,"b":3}"#);
    assert_ne!(form(r#"{"b":3,"a":2,"b":1}"#), form(r#"{"b":1,"a":2,"b":3}"#));
}

#[test]
fn what_is_no_json_is_its_own_form() {
    for text in ["{", "[1,]", " nonsense ", "[1] 2", r#"{"a" 1}"#, r#"" \ud800""#, "{\"a\":\"\u{1}\"}", "01"]
    {
        assert_eq!(form(text), text);
    }
    assert_eq!(canonical(b" \xff "), &b" \xff "[..]);
}

#[test]
fn what_is_too_deep_or_too_long_is_its_own_form() {
    let nested = |depth: usize| format!("{} {}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(form(&nested(MAX_DEPTH)), nested(MAX_DEPTH).replace(' ', ""));
    assert_eq!(form(&nested(MAX_DEPTH + 1)), nested(MAX_DEPTH + 1));
    assert_eq!(form(&nested(100_000)), nested(100_000));
    let long = |bytes: usize| format!("[ {}]", "0".repeat(bytes - 3).replacen('0', "1", 1));
    assert_eq!(form(&long(bounds::ARGUMENT_BYTES)).len(), bounds::ARGUMENT_BYTES - 1);
    assert_eq!(form(&long(bounds::ARGUMENT_BYTES + 1)).len(), bounds::ARGUMENT_BYTES + 1);
}

/// Generates JSON values whose numbers are integers: `serde_json` does not write a float as it was read.
fn value() -> impl Strategy<Value = Parsed> {
    let leaf = prop_oneof![
        Just(Parsed::Null),
        any::<bool>().prop_map(Parsed::from),
        any::<i64>().prop_map(Parsed::from),
        any::<String>().prop_map(Parsed::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Parsed::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Parsed::Object(members.into_iter().collect())),
        ]
    })
}

/// Writes a value with its members in reverse order, spaces everywhere and all letters of strings escaped.
fn disguised(value: &Parsed) -> String {
    match value {
        Parsed::Null | Parsed::Bool(_) | Parsed::Number(_) => format!("\n{value} "),
        Parsed::String(text) => quoted(text),
        Parsed::Array(items) => {
            let items: Vec<_> = items.iter().map(disguised).collect();
            format!(" [\r{}] ", items.join(" ,"))
        }
        Parsed::Object(members) => {
            let members = members.iter().rev();
            let members: Vec<_> =
                members.map(|(key, value)| format!("{}\t: {}", quoted(key), disguised(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
    format!("\"{units}\"")
}

proptest! {
    #[test]
    fn a_value_in_any_disguise_has_one_form(value in value()) {
        let plain = value.to_string();
        prop_assert_eq!(form(&disguised(&value)), form(&plain));
        prop_assert_eq!(form(&plain).parse::<Parsed>().unwrap(), value);
        prop_assert_eq!(form(&plain), plain);
    }

    #[test]
    fn the_canonical_form_of_a_canonical_form_is_itself(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let form = canonical(&bytes).into_owned();
        prop_assert_eq!(canonical(&form).into_owned(), form.clone());
    }

    #[test]
    fn a_canonical_form_reads_as_the_same_value(text in r#"[\[\]{},:"\\u0-9a-f \n-]{0,40}"#) {
        let form = form(&text);
        if let Ok(value) = text.parse::<Parsed>() {
            prop_assert_eq!(form.parse::<Parsed>().unwrap(), value);
        }
    }
}
