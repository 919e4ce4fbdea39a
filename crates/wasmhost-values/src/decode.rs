//! JSON text → values, by the type. Every step cuts its text into slices of the text that came in; no tree is built, and what a
//! name means is looked up, however many names there are.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::build::Build;
use crate::mismatch::{Mismatch, shown};
use crate::types::{Named, ResultType, Type};
use crate::{base64, scalar};

/// Memory that the values of one call may take: `[{},{},…]` of records with many optional fields costs far more than
/// its text.
const ALL_BYTES: usize = 64 << 20;
/// What one value takes in the engine, but for what it holds.
const VALUE_BYTES: usize = 40;
/// What a field's name takes in the engine, but for its letters.
const NAME_BYTES: usize = 24;

/// The members of one object, in order.
pub(crate) type Members<'a> = Vec<(String, &'a RawValue)>;

/// Decodes the arguments of one call.
pub(crate) struct Decoder<B> {
    room: usize,
    build: PhantomData<B>,
}

impl<B: Build> Decoder<B> {
    pub(crate) fn new() -> Self {
        Self { room: ALL_BYTES, build: PhantomData }
    }

    /// The value of type `ty` that `raw` says.
    pub(crate) fn value(&mut self, ty: &Type, raw: &RawValue) -> Result<B::Value, Mismatch> {
        self.charge(VALUE_BYTES)?;
        match ty {
            Type::Bool => match raw.get() {
                "true" => Ok(B::bool(true)),
                "false" => Ok(B::bool(false)),
                _ => Err(Mismatch::kind(ty, raw)),
            },
            Type::F32 => scalar::f32(raw).map(B::f32),
            Type::F64 => scalar::f64(raw).map(B::f64),
            Type::Char => scalar::character(&self.string(ty, raw)?, raw).map(B::char),
            Type::String => self.string(ty, raw).map(B::string),
            Type::List(element) => self.list(ty, element, raw),
            Type::Record(fields) => self.record(ty, fields, raw),
            Type::Tuple(types) => self.tuple(ty, types, raw),
            Type::Variant(cases) => self.variant(ty, cases, raw),
            Type::Enum(names) => {
                let name = self.string(ty, raw)?;
                known(&name, names).map(|()| B::enumeration(name))
            }
            Type::Flags(names) => self.flags(ty, names, raw),
            Type::Option(payload) => self.option(payload, raw),
            Type::Result(result) => self.result(ty, result, raw),
            Type::S8 | Type::U8 | Type::S16 | Type::U16 | Type::S32 | Type::U32 | Type::S64 | Type::U64 => {
                scalar::integer(ty, raw).map(|value| B::integer(ty, value))
            }
            Type::Foreign(kind) => Err(Mismatch::new(format!("a {kind} has no JSON form"))),
        }
    }

    /// The values of named fields: unknown names first, because a misspelt name is also a missing one.
    pub(crate) fn fields(
        &mut self,
        fields: &Named<Type>,
        members: Members<'_>,
    ) -> Result<Vec<B::Value>, Mismatch> {
        let mut given: Vec<Option<&RawValue>> = vec![None; fields.len()];
        for (name, raw) in members {
            let Some((place, _)) = fields.find(&name) else {
                let names: Vec<&str> = fields.names().collect();
                return Err(Mismatch::unknown(&name, names));
            };
            if given[place].replace(raw).is_some() {
                return Err(Mismatch::new("given twice").in_field(&name));
            }
        }
        let value = |((name, ty), raw): ((&str, &Type), Option<&RawValue>)| {
            let value = match raw {
                Some(raw) => self.value(ty, raw),
                None => self.absent(ty),
            };
            value.map_err(|error| error.in_field(name))
        };
        fields.iter().zip(given).map(value).collect()
    }

    /// What a parameter or field is that was left out.
    pub(crate) fn absent(&mut self, ty: &Type) -> Result<B::Value, Mismatch> {
        self.charge(VALUE_BYTES)?;
        if ty.is_option() { Ok(B::option(None)) } else { Err(Mismatch::missing(ty)) }
    }

    fn charge(&mut self, bytes: usize) -> Result<(), Mismatch> {
        let room = self.room.checked_sub(bytes);
        self.room = room.ok_or_else(|| {
            Mismatch::new(format!("the arguments take more than {} MiB as values", ALL_BYTES >> 20))
        })?;
        Ok(())
    }

    fn string(&mut self, ty: &Type, raw: &RawValue) -> Result<String, Mismatch> {
        if !raw.get().starts_with('"') {
            return Err(Mismatch::kind(ty, raw));
        }
        self.charge(raw.get().len())?;
        serde_json::from_str(raw.get()).map_err(|_| Mismatch::new("the string is not Unicode"))
    }

    fn list(&mut self, ty: &Type, element: &Type, raw: &RawValue) -> Result<B::Value, Mismatch> {
        if matches!(element, Type::U8) && raw.get().starts_with('"') {
            let bytes = base64::decode(&self.string(ty, raw)?)
                .ok_or_else(|| Mismatch::found("base64 or an array of numbers", raw))?;
            self.charge(bytes.len() * VALUE_BYTES)?;
            return Ok(B::bytes(bytes));
        }
        let items = items(ty, raw)?.into_iter().enumerate();
        let values =
            items.map(|(index, item)| self.value(element, item).map_err(|error| error.in_item(index)));
        values.collect::<Result<_, _>>().map(B::list)
    }

    fn record(&mut self, ty: &Type, fields: &Named<Type>, raw: &RawValue) -> Result<B::Value, Mismatch> {
        let members = members(raw).unwrap_or_else(|| Err(Mismatch::kind(ty, raw)))?;
        self.charge(fields.names().map(|name| NAME_BYTES + name.len()).sum())?;
        Ok(B::record(fields, self.fields(fields, members)?))
    }

    fn tuple(&mut self, ty: &Type, types: &[Type], raw: &RawValue) -> Result<B::Value, Mismatch> {
        let items = items(ty, raw)?;
        if types.len() != items.len() {
            return Err(Mismatch::found(&format!("{} elements", types.len()), raw));
        }
        let values = types.iter().zip(items).enumerate();
        let values =
            values.map(|(index, (ty, item))| self.value(ty, item).map_err(|error| error.in_item(index)));
        values.collect::<Result<_, _>>().map(B::tuple)
    }

    fn flags(&mut self, ty: &Type, names: &Named<()>, raw: &RawValue) -> Result<B::Value, Mismatch> {
        let mut given = Vec::new();
        for (index, item) in items(ty, raw)?.into_iter().enumerate() {
            let name = self.string(&Type::String, item).map_err(|error| error.in_item(index))?;
            known(&name, names).map_err(|error| error.in_item(index))?;
            self.charge(NAME_BYTES)?;
            given.push(name);
        }
        given.sort_unstable();
        given.dedup();
        Ok(B::flags(given))
    }

    fn option(&mut self, payload: &Type, raw: &RawValue) -> Result<B::Value, Mismatch> {
        if raw.get() == "null" {
            return Ok(B::option(None));
        }
        if !payload.is_option() {
            return Ok(B::option(Some(self.value(payload, raw)?)));
        }
        let wrong = || Mismatch::found("null or {\"some\": …}, for an option of an option", raw);
        let mut members = members(raw).unwrap_or_else(|| Err(wrong()))?;
        match (members.pop(), members.is_empty()) {
            (Some((name, raw)), true) if name == "some" => {
                let value = self.value(payload, raw).map_err(|error| error.in_field("some"))?;
                Ok(B::option(Some(value)))
            }
            _ => Err(wrong()),
        }
    }

    fn variant(
        &mut self,
        ty: &Type,
        cases: &Named<Option<Type>>,
        raw: &RawValue,
    ) -> Result<B::Value, Mismatch> {
        let (name, payload) = self.case(ty, raw)?;
        let Some(expected) = cases.get(&name) else {
            let names: Vec<&str> = cases.names().collect();
            return Err(Mismatch::unknown(&name, names));
        };
        let payload = self.payload(&name, expected.as_ref(), payload);
        Ok(B::variant(name.clone(), payload.map_err(|error| error.in_field(&name))?))
    }

    fn result(&mut self, ty: &Type, result: &ResultType, raw: &RawValue) -> Result<B::Value, Mismatch> {
        let (name, payload) = self.case(ty, raw)?;
        let payload = match name.as_str() {
            "ok" => self.payload(&name, result.ok.as_ref(), payload).map(Ok),
            "err" => self.payload(&name, result.err.as_ref(), payload).map(Err),
            _ => return Err(Mismatch::unknown(&name, ["ok", "err"])),
        };
        Ok(B::result(payload.map_err(|error| error.in_field(&name))?))
    }

    /// `"case"` or `{"case": payload}`.
    fn case<'a>(&mut self, ty: &Type, raw: &'a RawValue) -> Result<(String, Option<&'a RawValue>), Mismatch> {
        if raw.get().starts_with('"') {
            return Ok((self.string(ty, raw)?, None));
        }
        let mut members = members(raw).unwrap_or_else(|| Err(Mismatch::kind(ty, raw)))?;
        match (members.pop(), members.last()) {
            (Some((name, payload)), None) => Ok((name, Some(payload))),
            (Some((name, _)), Some((other, _))) if *other == name => {
                Err(Mismatch::new("given twice").in_field(&name))
            }
            (last, _) => {
                let names: Vec<_> =
                    members.iter().chain(&last).take(3).map(|(name, _)| shown(name)).collect();
                let found = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                Err(Mismatch::new(format!("expected one case, as in {{\"case\": …}}; found {found}")))
            }
        }
    }

    fn payload(
        &mut self,
        case: &str,
        ty: Option<&Type>,
        raw: Option<&RawValue>,
    ) -> Result<Option<B::Value>, Mismatch> {
        match (ty, raw) {
            (Some(ty), Some(raw)) => self.value(ty, raw).map(Some),
            (Some(ty), None) => {
                let expected = crate::mismatch::shown_type(ty);
                Err(Mismatch::new(format!("expected a payload of type {expected}: {{\"{case}\": …}}")))
            }
            (None, Some(raw)) if raw.get() != "null" => {
                Err(Mismatch::new(format!("takes no payload, found {}", shown(raw.get()))))
            }
            (None, _) => Ok(None),
        }
    }
}

fn known(name: &str, names: &Named<()>) -> Result<(), Mismatch> {
    if names.get(name).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = names.names().collect();
    Err(Mismatch::unknown(name, names))
}

fn items<'a>(ty: &Type, raw: &'a RawValue) -> Result<Vec<&'a RawValue>, Mismatch> {
    serde_json::from_str(raw.get()).map_err(|_| Mismatch::kind(ty, raw))
}

/// The members of an object; none where `raw` is no object.
pub(crate) fn members(raw: &RawValue) -> Option<Result<Members<'_>, Mismatch>> {
    struct Object;

    impl<'de> Visitor<'de> for Object {
        type Value = Members<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    raw.get().starts_with('{').then(|| {
        let mut text = serde_json::Deserializer::from_str(raw.get());
        text.deserialize_map(Object).map_err(|_| Mismatch::new("a name in the object is not Unicode"))
    })
}
