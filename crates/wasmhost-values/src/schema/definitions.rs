//! Writes the schemas of types, with those that may be used again in shared `$defs`.

use std::collections::HashMap;

use super::{forms, pattern};
use crate::types::{Named, ResultType, Type};
use forms::{integer, long_integer, names, quoted, tagged};

/// The shared definitions of one schema.
#[derive(Default)]
pub(super) struct Definitions {
    /// The names of definitions by their texts.
    names: HashMap<String, String>,
    /// How many definitions there are of each kind.
    counts: HashMap<&'static str, usize>,
    /// The names and texts in the order in which they were made.
    texts: Vec<(String, String)>,
}

impl Definitions {
    /// The schema of a type: as a whole, or as a reference to a definition.
    pub(super) fn of(&mut self, ty: &Type) -> String {
        match ty {
            Type::Bool => r#"{"type":"boolean"}"#.to_owned(),
            Type::Char => r#"{"type":"string","minLength":1,"maxLength":1}"#.to_owned(),
            Type::String => r#"{"type":"string"}"#.to_owned(),
            Type::S8 => integer(i8::MIN, i8::MAX),
            Type::U8 => integer(u8::MIN, u8::MAX),
            Type::S16 => integer(i16::MIN, i16::MAX),
            Type::U16 => integer(u16::MIN, u16::MAX),
            Type::S32 => integer(i32::MIN, i32::MAX),
            Type::U32 => integer(u32::MIN, u32::MAX),
            Type::S64 => self.shared("s64", long_integer(i64::MIN, i64::MAX, &pattern::s64())),
            Type::U64 => self.shared("u64", long_integer(u64::MIN, u64::MAX, &pattern::u64())),
            Type::F32 => self.shared("f32", forms::f32()),
            Type::F64 => self.shared("f64", forms::f64()),
            Type::List(element) => self.list(element),
            Type::Option(payload) => self.option(payload),
            Type::Tuple(types) => self.tuple(types),
            Type::Record(fields) => self.record(fields),
            Type::Variant(cases) => self.variant(cases),
            Type::Result(result) => self.result(result),
            Type::Enum(cases) => self.enumeration(cases),
            Type::Flags(flags) => self.flags(flags),
            // No function with such a type is admitted, so that no schema has it.
            Type::Foreign(_) => r#"{"not":{}}"#.to_owned(),
        }
    }

    /// The schema of an object with these members, of which only options may be left out.
    pub(super) fn object(&mut self, fields: &Named<Type>) -> String {
        let member = |(name, ty): (&str, &Type)| format!("{}:{}", quoted(name), self.of(ty));
        let members: Vec<String> = fields.iter().map(member).collect();
        let required = names(fields.iter().filter(|(_, ty)| !ty.is_option()).map(|(name, _)| name));
        let members = members.join(",");
        format!(
            r#"{{"type":"object","properties":{{{members}}},"required":{required},"additionalProperties":false}}"#
        )
    }

    /// Writes the definitions as the last member of a schema, `,"$defs":{…}`, or nothing.
    pub(super) fn finish(self) -> String {
        if self.texts.is_empty() {
            return String::new();
        }
        let texts: Vec<String> =
            self.texts.iter().map(|(name, text)| format!("{}:{text}", quoted(name))).collect();
        format!(r#","$defs":{{{}}}"#, texts.join(","))
    }

    fn list(&mut self, element: &Type) -> String {
        if matches!(element, Type::U8) {
            return self.shared("bytes", forms::bytes());
        }
        format!(r#"{{"type":"array","items":{}}}"#, self.of(element))
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

    fn record(&mut self, fields: &Named<Type>) -> String {
        let text = self.object(fields);
        self.shared("record", text)
    }

    fn variant(&mut self, cases: &Named<Option<Type>>) -> String {
        let cases: Vec<_> = cases.iter().map(|(name, ty)| (name, ty.as_ref())).collect();
        self.cases("variant", &cases)
    }

    fn result(&mut self, result: &ResultType) -> String {
        self.cases("result", &[("ok", result.ok.as_ref()), ("err", result.err.as_ref())])
    }

    fn enumeration(&mut self, cases: &Named<()>) -> String {
        let names = names(cases.names());
        self.shared("enum", format!(r#"{{"enum":{names}}}"#))
    }

    fn flags(&mut self, flags: &Named<()>) -> String {
        let names = names(flags.names());
        self.shared("flags", format!(r#"{{"type":"array","items":{{"enum":{names}}}}}"#))
    }

    /// `"case"`, `{"case": null}` or `{"case": payload}`.
    fn cases(&mut self, kind: &'static str, cases: &[(&str, Option<&Type>)]) -> String {
        let bare: Vec<&str> = cases.iter().filter(|(_, ty)| ty.is_none()).map(|(name, _)| *name).collect();
        let mut forms = Vec::new();
        if !bare.is_empty() {
            forms.push(forms::bare_cases(&names(bare.into_iter())));
        }
        for (name, ty) in cases {
            if let Some(ty) = ty {
                let payload = self.of(ty);
                forms.push(tagged(name, &payload));
            }
        }
        self.shared(kind, format!(r#"{{"anyOf":[{}]}}"#, forms.join(",")))
    }

    /// A reference to the definition with this text, which is made if there is none yet.
    fn shared(&mut self, kind: &'static str, text: String) -> String {
        // A type that is used again would otherwise be written again, and its parts with it: the schema could grow
        // without bound.
        let name = self.names.entry(text).or_insert_with_key(|text| {
            let count = self.counts.entry(kind).or_default();
            *count += 1;
            let name = if *count == 1 { kind.to_owned() } else { format!("{kind}-{count}") };
            self.texts.push((name.clone(), text.clone()));
            name
        });
        format!(r##"{{"$ref":"#/$defs/{name}"}}"##)
    }
}
