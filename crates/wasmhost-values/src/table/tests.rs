//! Tables of types: what is written is read back, and what no component could have is refused.

use crate::types::FunctionType;

fn round(text: &str) -> String {
    let function: FunctionType = serde_json::from_str(text).unwrap();
    serde_json::to_string(&function).unwrap()
}

#[test]
fn what_was_written_is_read_and_each_type_stands_once() {
    for text in [
        r#"{"parameters":[]}"#,
        r#"{"types":[{"list":"u8"},{"record":[["a",0],["b",0]]}],"parameters":[["x",1],["y",0]],"result":"bool"}"#,
        r#"{"types":[{"result":[null,"string"]},{"variant":[["none",null],["some",0]]},{"enum":["a","b"]},{"flags":["r"]},{"option":"s64"},{"tuple":["f32","char"]}],"parameters":[["a",1],["b",2],["c",3],["d",4],["e",5]],"result":0}"#,
    ] {
        let function: FunctionType = serde_json::from_str(text).unwrap();
        let again = serde_json::to_string(&function).unwrap();
        assert_eq!(round(&again), again);
        assert_eq!(again.matches("record").count(), text.matches("record").count(), "{again}");
    }
}

#[test]
fn a_table_that_no_component_has_is_refused() {
    let doubled: Vec<String> = (0..20)
        .map(|n| {
            if n == 0 {
                r#"{"tuple":["u8","u8"]}"#.into()
            } else {
                format!(r#"{{"tuple":[{0},{0}]}}"#, n - 1)
            }
        })
        .collect();
    let nested: Vec<String> = (0..30)
        .map(|n| if n == 0 { r#"{"list":"u8"}"#.into() } else { format!(r#"{{"list":{}}}"#, n - 1) })
        .collect();
    for (types, ty, word) in [
        (r#"{"list":1},{"list":0}"#, "0", "no type stands at 1"),
        ("", "0", "no type stands at 0"),
        ("", r#""resource""#, "no simple type"),
        (&doubled.join(","), "19", "over 10000 types"),
        (&nested.join(","), "29", "within each other"),
    ] {
        let text = format!(r#"{{"types":[{types}],"parameters":[["x",{ty}]]}}"#);
        let error = serde_json::from_str::<FunctionType>(&text).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}
