//! The schema of each type, with types that are used again and again in shared `$defs`.

use std::collections::HashMap;

use super::pattern;
use crate::base64::PATTERN as BASE64_PATTERN;
use crate::types::{Named, Type};

/// The halfway point above the largest f32: from here on, rounding gives infinity.
const F32_END: &str = "3.4028235677973366e38";

/// Definitions by their text, each with its name, in the order in which they were made.
#[derive(Default)]
pub(super) struct Definitions {
    names: HashMap<String, String>,
    /// How many there are of each kind.
    used: HashMap<&'static str, usize>,
    texts: Vec<(String, String)>,
}

impl Definitions {
    /// The schema of `ty`: whole, or a reference to a definition.
    pub(super) fn of(&mut self, ty: &Type) -> String {
        match ty {
            Type::Bool => r#"{"type":"boolean"}"#.to_owned(),
            Type::S8 => integer(i8::MIN, i8::MAX),
            Type::U8 => integer(u8::MIN, u8::MAX),
            Type::S16 => integer(i16::MIN, i16::MAX),
            Type::U16 => integer(u16::MIN, u16::MAX),
            Type::S32 => integer(i32::MIN, i32::MAX),
            Type::U32 => integer(u32::MIN, u32::MAX),
            Type::S64 => self.shared("s64", long(i64::MIN, i64::MAX, &pattern::s64())),
            Type::U64 => self.shared("u64", long(u64::MIN, u64::MAX, &pattern::u64())),
            Type::F32 => {
                let range = format!(r#","exclusiveMinimum":-{F32_END},"exclusiveMaximum":{F32_END}"#);
                self.shared("f32", float(&range))
            }
            Type::F64 => self.shared("f64", float("")),
            Type::Char => r#"{"type":"string","minLength":1,"maxLength":1}"#.to_owned(),
            Type::String => r#"{"type":"string"}"#.to_owned(),
            Type::List(element) if matches!(**element, Type::U8) => self.shared("bytes", bytes()),
            Type::List(element) => format!(r#"{{"type":"array","items":{}}}"#, self.of(element)),
            Type::Option(payload) => self.option(payload),
            Type::Tuple(types) => self.tuple(types),
            Type::Record(fields) => {
                let text = self.object(fields);
                self.shared("record", text)
            }
            Type::Variant(cases) => {
                let cases: Vec<_> = cases.iter().map(|(name, ty)| (name, ty.as_ref())).collect();
                self.cases("variant", &cases)
            }
            Type::Result(result) => {
                self.cases("result", &[("ok", result.ok.as_ref()), ("err", result.err.as_ref())])
            }
            Type::Enum(cases) => self.shared("enum", format!(r#"{{"enum":{}}}"#, names(cases.names()))),
            Type::Flags(flags) => {
                let items = names(flags.names());
                self.shared("flags", format!(r#"{{"type":"array","items":{{"enum":{items}}}}}"#))
            }
            // No task is admitted with such a type.
            Type::Foreign(_) => r#"{"not":{}}"#.to_owned(),
        }
    }

    /// An object with these members, of which only options may be left out.
    pub(super) fn object(&mut self, fields: &Named<Type>) -> String {
        let member = |(name, ty): (&str, &Type)| format!("{}:{}", quoted(name), self.of(ty));
        let members: Vec<String> = fields.iter().map(member).collect();
        let required = names(fields.iter().filter(|(_, ty)| !ty.is_option()).map(|(name, _)| name));
        let members = members.join(",");
        format!(
            r#"{{"type":"object","properties":{{{members}}},"required":{required},"additionalProperties":false}}"#
        )
    }

    /// `,"$defs":{…}`, or nothing.
    pub(super) fn finish(self) -> String {
        if self.texts.is_empty() {
            return String::new();
        }
        let texts: Vec<String> =
            self.texts.iter().map(|(name, text)| format!("{}:{text}", quoted(name))).collect();
        format!(r#","$defs":{{{}}}"#, texts.join(","))
    }

    fn option(&mut self, payload: &Type) -> String {
        let payload_schema = self.of(payload);
        let some = if payload.is_option() { tagged("some", &payload_schema) } else { payload_schema };
        format!(r#"{{"anyOf":[{{"type":"null"}},{some}]}}"#)
    }

    fn tuple(&mut self, types: &[Type]) -> String {
        let items: Vec<String> = types.iter().map(|ty| self.of(ty)).collect();
        let text = format!(
            r#"{{"type":"array","prefixItems":[{}],"items":false,"minItems":{}}}"#,
            items.join(","),
            items.len()
        );
        self.shared("tuple", text)
    }

    /// `"case"` or `{"case": payload}`.
    fn cases(&mut self, kind: &'static str, cases: &[(&str, Option<&Type>)]) -> String {
        let mut forms = Vec::new();
        let bare = names(cases.iter().filter(|(_, ty)| ty.is_none()).map(|(name, _)| *name));
        if bare != "[]" {
            forms.push(format!(r#"{{"enum":{bare}}}"#));
            forms.push(format!(
                r#"{{"type":"object","propertyNames":{{"enum":{bare}}},"additionalProperties":{{"type":"null"}},"minProperties":1,"maxProperties":1}}"#
            ));
        }
        for (name, ty) in cases {
            if let Some(ty) = ty {
                let payload = self.of(ty);
                forms.push(tagged(name, &payload));
            }
        }
        self.shared(kind, format!(r#"{{"anyOf":[{}]}}"#, forms.join(",")))
    }

    /// A reference to the definition with this text, made if there is none yet.
    fn shared(&mut self, kind: &'static str, text: String) -> String {
        let name = self.names.entry(text).or_insert_with_key(|text| {
            let used = self.used.entry(kind).or_default();
            *used += 1;
            let name = if *used == 1 { kind.to_owned() } else { format!("{kind}-{used}") };
            self.texts.push((name.clone(), text.clone()));
            name
        });
        format!(r##"{{"$ref":"#/$defs/{name}"}}"##)
    }
}

/// `["a","b"]`.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(quoted).collect();
    format!("[{}]", names.join(","))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn integer<T: std::fmt::Display>(minimum: T, maximum: T) -> String {
    format!(r#"{{"type":"integer","minimum":{minimum},"maximum":{maximum}}}"#)
}

fn long<T: std::fmt::Display>(minimum: T, maximum: T, pattern: &str) -> String {
    let number = integer(minimum, maximum);
    format!(r#"{{"anyOf":[{number},{{"type":"string","pattern":{}}}]}}"#, quoted(pattern))
}

fn float(range: &str) -> String {
    format!(r#"{{"anyOf":[{{"type":"number"{range}}},{{"enum":["NaN","Infinity","-Infinity"]}}]}}"#)
}

fn bytes() -> String {
    let items = integer(u8::MIN, u8::MAX);
    let pattern = quoted(BASE64_PATTERN);
    format!(
        r#"{{"anyOf":[{{"type":"string","contentEncoding":"base64","pattern":{pattern}}},{{"type":"array","items":{items}}}]}}"#
    )
}

fn tagged(name: &str, payload: &str) -> String {
    let name = quoted(name);
    format!(
        r#"{{"type":"object","properties":{{{name}:{payload}}},"required":[{name}],"additionalProperties":false}}"#
    )
}
