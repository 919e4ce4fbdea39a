use std::time::Duration;

use wasmhost_protocol::json::Json;
use wasmhost_protocol::policy::Limits;

use super::*;

fn arguments(tasks: &Tasks, body: impl AsRef<[u8]>) -> Result<Vec<Val>, String> {
    decode_arguments(tasks.find("f").unwrap(), body.as_ref()).map_err(|error| error.to_string())
}

fn handler() -> Tasks {
    tasks("world w { export wasmhost:task/handler@0.1.0; }")
}

#[test]
fn arguments_come_by_name_by_position_or_not_at_all() {
    let tasks = tasks("world w { export f: func(a: u8, b: option<u8>, c: option<u8>); }");
    let some = |v| Val::Option(Some(Box::new(Val::U8(v))));
    let none = || Val::Option(None);
    assert_eq!(arguments(&tasks, r#"{"c":3,"a":1}"#).unwrap(), [Val::U8(1), none(), some(3)]);
    assert_eq!(arguments(&tasks, "\u{feff} [1,2]\n").unwrap(), [Val::U8(1), some(2), none()]);
    for (body, expected) in [
        ("", "a: missing: expected u8"),
        (" null ", "a: missing: expected u8"),
        ("[]", "a: missing: expected u8"),
        ("[1,2,3,4]", "4 arguments were given; the function takes 3"),
        (r#"{"x":1}"#, "x: unknown; known are `a`, `b`, `c`"),
        (r#"{"a":1,"a":1}"#, "a: given twice"),
        ("5", "the arguments are a number; an object gives them by name, an array by position: [5]"),
        ("[1] [2]", "the arguments are not JSON: trailing characters at line 1 column 5"),
        ("[1", "the arguments are not JSON: EOF while parsing a list at line 1 column 2"),
    ] {
        assert_eq!(arguments(&tasks, body).unwrap_err(), expected, "{body}");
    }
    assert_eq!(arguments(&tasks, [b'"', 0xff, b'"']).unwrap_err(), "the arguments are not UTF-8");
}

#[test]
fn no_arguments_suffice_where_all_are_options() {
    let tasks = tasks("world w { export f: func(a: option<u8>); }");
    for body in ["", "\t", "null", "[]", "{}"] {
        assert_eq!(arguments(&tasks, body).unwrap(), [Val::Option(None)], "{body}");
    }
}

#[test]
fn size_and_depth_have_limits() {
    let raw = handler();
    let take = |text: String| decode_arguments(raw.find("run").unwrap(), text.as_bytes());
    assert!(take(format!("{}{}", "[".repeat(64), "]".repeat(64))).is_ok());
    let error = take(format!("{}{}", "[".repeat(65), "]".repeat(65))).unwrap_err();
    assert_eq!(error.to_string(), "the arguments are nested deeper than 64");
    assert!(take(format!("\"\\\"{}\"", "[".repeat(100))).is_ok());
    let error = take(r#"{"a":[1,{"b":1,"\u0062":1}]}"#.to_owned()).unwrap_err();
    assert_eq!(error.to_string(), "a[1].b: given twice", "a handler is not asked to choose");
    let error = take(" ".repeat(Limits::ARGUMENT_BYTES + 1)).unwrap_err();
    assert!(matches!(error, ArgumentError::TooLarge { .. }), "{error}");
}

#[test]
fn small_texts_cannot_make_large_values() {
    let fields: Vec<String> = (0..500).map(|n| format!("field{n}: option<u8>")).collect();
    let types = format!("record r {{ {} }}", fields.join(", "));
    let tasks = echo(&types, "list<r>");
    let error = decode(&tasks, &format!("[{}{{}}]", "{},".repeat(100_000))).unwrap_err();
    assert!(error.ends_with("the arguments take more than 64 MiB as values"), "{error}");
}

#[test]
fn a_handler_takes_and_returns_text() {
    let tasks = handler();
    let task = tasks.find("run").unwrap();
    let take = |body: &str| decode_arguments(task, body.as_bytes()).map_err(|error| error.to_string());
    assert_eq!(take(" {\"a\": 1} ").unwrap(), [Val::String("{\"a\": 1}".to_owned())]);
    assert_eq!(take("").unwrap(), [Val::String("null".to_owned())]);
    assert_eq!(take("x").unwrap_err(), "the arguments are not JSON: expected value at line 1 column 1");
    let give = |text: &str| {
        let text = Some(Box::new(Val::String(text.to_owned())));
        encode_result(task, vec![Val::Result(Ok(text))], 10)
    };
    assert_eq!(give("[1]").unwrap(), Verdict::Returned(Json::parse("[1]").unwrap()));
    assert!(matches!(give("[1").unwrap_err(), ResultError::NotJson(_)));
    assert!(matches!(give("[1,2,3,4,5]").unwrap_err(), ResultError::TooLarge { limit: 10 }));
}

#[test]
fn a_result_has_a_limit() {
    let tasks = echo("", "string");
    let give = |length: usize| {
        encode_result(tasks.find("f").unwrap(), vec![Val::String("x".repeat(length))], 10).map(|_| ())
    };
    assert!(give(8).is_ok());
    assert!(matches!(give(9).unwrap_err(), ResultError::TooLarge { limit: 10 }));
}

fn failed(types: &str, ty: &str, error: Option<Val>) -> Verdict {
    let err = if ty.is_empty() { String::new() } else { format!("<_, {ty}>") };
    let tasks = tasks(&format!("world w {{ {types} export f: func() -> result{err}; }}"));
    let value = Val::Result(Err(error.map(Box::new)));
    encode_result(tasks.find("f").unwrap(), vec![value], 1 << 20).unwrap()
}

fn failure(message: &str, details: Option<&str>) -> Verdict {
    let details = details.map(|details| Json::parse(details).unwrap());
    Verdict::Failed { message: message.to_owned(), details }
}

fn text(text: &str) -> Val {
    Val::String(text.to_owned())
}

fn record(fields: Vec<(&str, Val)>) -> Val {
    Val::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[test]
fn an_error_of_any_type_becomes_message_and_details() {
    assert_eq!(failed("", "", None), failure("the task returned an error", None));
    assert_eq!(failed("", "string", Some(text("no"))), failure("no", None));
    assert_eq!(failed("", "u8", Some(Val::U8(4))), failure("4", Some("4")));
    let types = "record r { message: string, code: u8 }";
    let value = record(vec![("message", text("no")), ("code", Val::U8(4))]);
    assert_eq!(failed(types, "r", Some(value)), failure("no", Some(r#"{"message":"no","code":4}"#)));
    let value = record(vec![("code", Val::U8(4))]);
    assert_eq!(
        failed("record r { code: u8 }", "r", Some(value)),
        failure(r#"{"code":4}"#, Some(r#"{"code":4}"#))
    );
    let types = "variant v { too-big(u8), gone }";
    let value = Val::Variant("too-big".to_owned(), Some(Box::new(Val::U8(4))));
    assert_eq!(failed(types, "v", Some(value)), failure("too-big", Some("4")));
    assert_eq!(failed(types, "v", Some(Val::Variant("gone".to_owned(), None))), failure("gone", None));
    assert_eq!(failed("enum e { gone }", "e", Some(Val::Enum("gone".to_owned()))), failure("gone", None));
}

#[test]
fn a_long_error_is_cut() {
    let Verdict::Failed { message, details } =
        failed("", "list<string>", Some(Val::List(vec![text(&"ä".repeat(9000))])))
    else {
        panic!("not a failure")
    };
    assert!(message.len() > 4000 && message.len() <= Limits::ERROR_TEXT_BYTES, "{}", message.len());
    assert_eq!(details, None);
}

#[test]
fn a_task_error_steers() {
    let tasks = handler();
    let give = |case: &str, fields: Vec<(&str, Val)>| {
        let error = Val::Variant(case.to_owned(), Some(Box::new(record(fields))));
        encode_result(tasks.find("run").unwrap(), vec![Val::Result(Err(Some(Box::new(error))))], 10).unwrap()
    };
    let some = |value| Val::Option(Some(Box::new(value)));
    let message = "no".to_owned();
    assert_eq!(
        give("failed", vec![("message", text("no")), ("details", some(text("[1]")))]),
        failure("no", Some("[1]"))
    );
    assert_eq!(
        give("failed", vec![("message", text("no")), ("details", some(text("not JSON")))]),
        failure("no", Some("\"not JSON\""))
    );
    assert_eq!(
        give("permanent", vec![("message", text("no")), ("details", Val::Option(None))]),
        Verdict::Permanent { message: message.clone(), details: None }
    );
    let retry =
        vec![("message", text("no")), ("details", Val::Option(None)), ("after", some(Val::U64(1500)))];
    assert_eq!(
        give("retry", retry),
        Verdict::RetryAsked { message, details: None, after: Some(Duration::from_millis(1500)) }
    );
}
