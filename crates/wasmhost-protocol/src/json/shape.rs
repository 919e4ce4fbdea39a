//! Checks the shape of a valid JSON text: how deep it is nested, and that no object has a name twice. It is
//! one pass over the text, without recursion and without a tree, so that no text can use up the stack or take
//! more memory than its names.

use std::borrow::Cow;
use std::collections::HashSet;

use super::invalid::{InvalidJson, MAX_DEPTH};
use crate::text::{escape, truncate};

/// The most bytes that a path shows of one name.
const NAME_BYTES: usize = 128;
/// The first names of an object are compared one by one, and further ones go into a set: most objects are
/// small, and a short list costs less than hashing.
const LISTED_NAMES: usize = 8;

/// An object or array that is still open.
enum Open<'a> {
    Object { names: Names<'a>, next_is_name: bool },
    Array { index: usize },
}

/// The names that an object has had so far.
#[derive(Default)]
struct Names<'a> {
    listed: Vec<Cow<'a, str>>,
    hashed: HashSet<Cow<'a, str>>,
    /// The newest name as it is written, for the path of an error.
    newest: &'a str,
}

impl<'a> Names<'a> {
    /// Adds a name as it is written, and returns whether it is new. Names are compared without their escapes:
    /// `"a"` and `"\u0061"` are the same name.
    fn add(&mut self, written: &'a str) -> bool {
        self.newest = written;
        let name = unescaped(written);
        if self.listed.len() < LISTED_NAMES {
            let is_new = !self.listed.contains(&name);
            self.listed.push(name);
            return is_new;
        }
        !self.listed.contains(&name) && self.hashed.insert(name)
    }
}

/// Checks a text that is known to be valid JSON. Brackets are therefore not matched against each other.
pub(super) fn check(text: &str) -> Result<(), InvalidJson> {
    let bytes = text.as_bytes();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = end_of_string(bytes, at);
                if let Some(Open::Object { names, next_is_name: next_is_name @ true }) = open.last_mut() {
                    *next_is_name = false;
                    if !names.add(&text[at + 1..end]) {
                        return Err(InvalidJson::Twice { path: path(&open) });
                    }
                }
                at = end;
            }
            // The depth bounds the list of what is open, too.
            b'{' | b'[' if open.len() == MAX_DEPTH => return Err(InvalidJson::TooDeep),
            b'{' => open.push(Open::Object { names: Names::default(), next_is_name: true }),
            b'[' => open.push(Open::Array { index: 0 }),
            b'}' | b']' => drop(open.pop()),
            b',' => match open.last_mut() {
                Some(Open::Object { next_is_name, .. }) => *next_is_name = true,
                Some(Open::Array { index }) => *index += 1,
                None => {}
            },
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Returns the position of the quotation mark that ends the string that begins at `start`.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        // What follows a backslash does not end the string.
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at
}

/// Returns the name without its escapes. A name with half of a surrogate pair is not text and stays as it is
/// written.
fn unescaped(written: &str) -> Cow<'_, str> {
    if !written.contains('\\') {
        return Cow::Borrowed(written);
    }
    match serde_json::from_str(&format!("\"{written}\"")) {
        Ok(name) => Cow::Owned(name),
        Err(_) => Cow::Borrowed(written),
    }
}

/// Returns the path of the newest name, such as `items[3].width`.
fn path(open: &[Open<'_>]) -> String {
    let mut path = String::new();
    for open in open {
        match open {
            Open::Object { names, .. } => {
                let dot = if path.is_empty() { "" } else { "." };
                path.push_str(dot);
                path.push_str(&escape(truncate(&unescaped(names.newest), NAME_BYTES)));
            }
            Open::Array { index } => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::Json;

    fn refusal(text: &str) -> String {
        Json::parse(text).map_err(|error| error.to_string()).unwrap_err()
    }

    #[test]
    fn whatever_is_json_is_kept_as_it_is_written() {
        for text in [
            "1e400",
            "123456789012345678901234567890",
            "0.1000000000000000055",
            "-0",
            "-0.0",
            "1E5",
            "1.0",
            r#"{"b":1,"a":2, "B":3}"#,
            r#""\u00e9\/\ud83d\ude00\ud800""#,
            "[]",
            r#"[{"a":1},{"a":2}]"#,
            "[1,\n2]",
            r#"{"a":{"a":{"a":"a,\"a\":[{"}}}"#,
            r#"{"":1,"\\":2,"\"":3}"#,
            r#"["a","a"]"#,
            "\" , \"",
        ] {
            assert_eq!(Json::parse(text).unwrap().as_str(), text);
            let record = serde_json::to_string(&[Json::parse(text).unwrap()]).unwrap();
            assert_eq!(record, format!("[{text}]"));
        }
    }

    #[test]
    fn a_name_that_is_given_twice_is_refused_with_its_path() {
        for (text, wanted) in [
            (r#"{"a":1,"a":1}"#, "a: given twice"),
            (r#"{"a":1,"\u0061":2}"#, "a: given twice"),
            (r#"{"items":[0,[],{"w":{"x":1 , "x" :2}}]}"#, "items[2].w.x: given twice"),
            (r#"[[{"":1,"":2}]]"#, "[0][0].: given twice"),
            ("{\"\u{202e}\":1,\"\u{202e}\":2}", "\\u{202e}: given twice"),
            (r#"{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,"8":8,"9":9,"10":0,"9":1}"#, "9: given twice"),
            (r#"{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,"8":8,"9":9,"10":0,"2":1}"#, "2: given twice"),
        ] {
            assert_eq!(refusal(text), wanted, "{text}");
        }
    }

    #[test]
    fn depth_has_a_bound_and_invalid_json_is_an_error() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(nested(Json::MAX_DEPTH)).is_ok());
        assert_eq!(refusal(&nested(Json::MAX_DEPTH + 1)), "nested deeper than 64");
        assert_eq!(refusal(&nested(1 << 20)), "nested deeper than 64");
        assert!(refusal(&"[".repeat(1 << 20)).starts_with("not JSON: EOF"));
        assert!(Json::stored(nested(1 << 10)).is_ok(), "stored JSON is read at any depth");
        assert!(refusal("{").starts_with("not JSON: "));
    }

    /// Generates JSON texts with few different names, each with whether one of its objects has a name twice.
    fn texts() -> impl Strategy<Value = (String, bool)> {
        let leaf = prop::sample::select(vec!["1", "\"a\"", "null", r#""{\"a\":1,""#]);
        let leaf = leaf.prop_map(|text| (text.to_owned(), false));
        leaf.prop_recursive(4, 40, 5, |inner| {
            let name = prop::sample::select(vec![
                ("a", "a"),
                ("a", "\\u0061"),
                ("b", "b"),
                ("c", "c"),
                ("\"", "\\\""),
            ]);
            let members = prop::collection::vec((name, inner.clone()), 0..5);
            let object = members.prop_map(|members| {
                let names: HashSet<_> = members.iter().map(|((meant, _), _)| *meant).collect();
                let twice = names.len() < members.len() || members.iter().any(|(_, (_, twice))| *twice);
                let members =
                    members.iter().map(|((_, written), (value, _))| format!("\"{written}\" : {value}"));
                (format!("{{{}}}", members.collect::<Vec<_>>().join(", ")), twice)
            });
            let items = prop::collection::vec(inner, 0..5);
            let array = items.prop_map(|items| {
                let texts: Vec<_> = items.iter().map(|(text, _)| text.as_str()).collect();
                (format!("[{}]", texts.join(" ,")), items.iter().any(|(_, twice)| *twice))
            });
            prop_oneof![object, array]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_name_that_is_given_twice_is_found_at_any_depth((text, twice) in texts()) {
            let parsed = Json::parse(text.clone());
            prop_assert_eq!(matches!(parsed, Err(InvalidJson::Twice { .. })), twice, "{} {:?}", text, parsed);
            prop_assert!(twice || parsed.unwrap().as_str() == text);
        }
    }
}
