//! JSON text → `Val`, by the type. Every step cuts its text into slices of the text that came in; no tree is built.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use wasmtime::component::{Type, Val, types};

use super::mismatch::Mismatch;
use super::{base64, scalar};

/// Memory that the values of one call may take: `[{},{},…]` of records with many optional fields costs far more than
/// its text.
const VALUE_BYTES: usize = 64 << 20;

/// The members of one object, in order.
pub(super) type Members<'a> = Vec<(String, &'a RawValue)>;

/// Decodes the arguments of one call.
pub(super) struct Decoder {
    room: usize,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self { room: VALUE_BYTES }
    }

    /// The value of type `ty` that `raw` says.
    pub(super) fn value(&mut self, ty: &Type, raw: &RawValue) -> Result<Val, Mismatch> {
        self.charge(size_of::<Val>())?;
        match ty {
            Type::Bool => match raw.get() {
                "true" => Ok(Val::Bool(true)),
                "false" => Ok(Val::Bool(false)),
                _ => Err(Mismatch::kind(ty, raw)),
            },
            Type::Float32 | Type::Float64 => scalar::float(ty, raw),
            Type::Char => scalar::character(&self.string(ty, raw)?),
            Type::String => self.string(ty, raw).map(Val::String),
            Type::List(list) => self.list(ty, list, raw),
            Type::Record(record) => self.record(ty, record, raw),
            Type::Tuple(tuple) => self.tuple(ty, tuple, raw),
            Type::Variant(variant) => self.variant(ty, variant, raw),
            Type::Enum(names) => {
                let name = self.string(ty, raw)?;
                known(&name, || names.names()).map(|()| Val::Enum(name))
            }
            Type::Flags(flags) => self.flags(ty, flags, raw),
            Type::Option(option) => self.option(&option.ty(), raw),
            Type::Result(result) => self.result(ty, result, raw),
            Type::S8 | Type::U8 | Type::S16 | Type::U16 | Type::S32 | Type::U32 | Type::S64 | Type::U64 => {
                scalar::integer(ty, raw)
            }
            _ => Err(Mismatch::new("this type has no JSON form")),
        }
    }

    /// The values of named fields: unknown names first, because a misspelt name is also a missing one.
    pub(super) fn fields<'t>(
        &mut self,
        fields: &[(&'t str, Type)],
        members: Members<'_>,
    ) -> Result<Vec<(&'t str, Val)>, Mismatch> {
        let mut given: HashMap<String, &RawValue> = HashMap::with_capacity(members.len());
        let names: HashSet<&str> = fields.iter().map(|(name, _)| *name).collect();
        for (name, raw) in members {
            if !names.contains(name.as_str()) {
                return Err(Mismatch::unknown(&name, fields.iter().map(|(name, _)| *name)));
            }
            if given.contains_key(&name) {
                return Err(Mismatch::new("given twice").in_field(&name));
            }
            given.insert(name, raw);
        }
        let value = |(name, ty): &(&'t str, Type)| {
            let value = match given.get(*name) {
                Some(raw) => self.value(ty, raw),
                None => self.absent(ty),
            };
            Ok((*name, value.map_err(|error| error.in_field(name))?))
        };
        fields.iter().map(value).collect()
    }

    /// What a parameter or field is that was left out.
    pub(super) fn absent(&mut self, ty: &Type) -> Result<Val, Mismatch> {
        self.charge(size_of::<Val>())?;
        match ty {
            Type::Option(_) => Ok(Val::Option(None)),
            _ => Err(Mismatch::new("missing")),
        }
    }

    fn charge(&mut self, bytes: usize) -> Result<(), Mismatch> {
        let room = self.room.checked_sub(bytes);
        self.room = room.ok_or_else(|| {
            Mismatch::new(format!("the arguments take more than {} MiB as values", VALUE_BYTES >> 20))
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

    fn list(&mut self, ty: &Type, list: &types::List, raw: &RawValue) -> Result<Val, Mismatch> {
        let element = list.ty();
        if element == Type::U8 && raw.get().starts_with('"') {
            let bytes = base64::decode(&self.string(ty, raw)?).ok_or_else(|| Mismatch::new("not base64"))?;
            self.charge(bytes.len() * size_of::<Val>())?;
            return Ok(Val::List(bytes.into_iter().map(Val::U8).collect()));
        }
        let items = items(ty, raw)?.into_iter().enumerate();
        let values =
            items.map(|(index, item)| self.value(&element, item).map_err(|error| error.in_item(index)));
        values.collect::<Result<_, _>>().map(Val::List)
    }

    fn record(&mut self, ty: &Type, record: &types::Record, raw: &RawValue) -> Result<Val, Mismatch> {
        let members = members(raw).unwrap_or_else(|| Err(Mismatch::kind(ty, raw)))?;
        let fields: Vec<_> = record.fields().map(|field| (field.name, field.ty)).collect();
        self.charge(fields.iter().map(|(name, _)| size_of::<String>() + name.len()).sum())?;
        let values = self.fields(&fields, members)?;
        Ok(Val::Record(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    }

    fn tuple(&mut self, ty: &Type, tuple: &types::Tuple, raw: &RawValue) -> Result<Val, Mismatch> {
        let (types, items) = (tuple.types(), items(ty, raw)?);
        if types.len() != items.len() {
            let problem = format!("expected {} elements, found {}", types.len(), items.len());
            return Err(Mismatch::new(problem));
        }
        let values = types.zip(items).enumerate();
        let values =
            values.map(|(index, (ty, item))| self.value(&ty, item).map_err(|error| error.in_item(index)));
        values.collect::<Result<_, _>>().map(Val::Tuple)
    }

    fn flags(&mut self, ty: &Type, flags: &types::Flags, raw: &RawValue) -> Result<Val, Mismatch> {
        let mut given = Vec::new();
        for (index, item) in items(ty, raw)?.into_iter().enumerate() {
            let name = self.string(&Type::String, item).map_err(|error| error.in_item(index))?;
            known(&name, || flags.names()).map_err(|error| error.in_item(index))?;
            given.push(name);
        }
        given.sort_unstable();
        given.dedup();
        Ok(Val::Flags(given))
    }

    fn option(&mut self, payload: &Type, raw: &RawValue) -> Result<Val, Mismatch> {
        if raw.get() == "null" {
            return Ok(Val::Option(None));
        }
        let value = match payload {
            Type::Option(_) => {
                let wrong = || Mismatch::new("expected null or {\"some\": …}, for an option of an option");
                let mut members = members(raw).unwrap_or_else(|| Err(wrong()))?;
                match (members.pop(), members.is_empty()) {
                    (Some((name, raw)), true) if name == "some" => {
                        self.value(payload, raw).map_err(|error| error.in_field("some"))?
                    }
                    _ => return Err(wrong()),
                }
            }
            _ => self.value(payload, raw)?,
        };
        Ok(Val::Option(Some(Box::new(value))))
    }

    fn variant(&mut self, ty: &Type, variant: &types::Variant, raw: &RawValue) -> Result<Val, Mismatch> {
        let (name, payload) = self.case(ty, raw)?;
        let Some(case) = variant.cases().find(|case| case.name == name) else {
            return Err(Mismatch::unknown(&name, variant.cases().map(|case| case.name)));
        };
        let value = self.payload(case.ty.as_ref(), payload).map_err(|error| error.in_field(&name))?;
        Ok(Val::Variant(name, value))
    }

    fn result(&mut self, ty: &Type, result: &types::ResultType, raw: &RawValue) -> Result<Val, Mismatch> {
        let (name, payload) = self.case(ty, raw)?;
        match name.as_str() {
            "ok" => self.payload(result.ok().as_ref(), payload).map(|value| Val::Result(Ok(value))),
            "err" => self.payload(result.err().as_ref(), payload).map(|value| Val::Result(Err(value))),
            _ => return Err(Mismatch::unknown(&name, ["ok", "err"].into_iter())),
        }
        .map_err(|error| error.in_field(&name))
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
                let count = members.len() + usize::from(last.is_some());
                Err(Mismatch::new(format!("expected one case, found {count}")))
            }
        }
    }

    fn payload(&mut self, ty: Option<&Type>, raw: Option<&RawValue>) -> Result<Option<Box<Val>>, Mismatch> {
        match (ty, raw) {
            (Some(ty), Some(raw)) => Ok(Some(Box::new(self.value(ty, raw)?))),
            (Some(_), None) => Err(Mismatch::new("missing")),
            (None, Some(raw)) if raw.get() != "null" => Err(Mismatch::new("takes no payload")),
            (None, _) => Ok(None),
        }
    }
}

fn known<'a, N: Iterator<Item = &'a str>>(name: &str, names: impl Fn() -> N) -> Result<(), Mismatch> {
    if names().any(|known| known == name) { Ok(()) } else { Err(Mismatch::unknown(name, names())) }
}

fn items<'a>(ty: &Type, raw: &'a RawValue) -> Result<Vec<&'a RawValue>, Mismatch> {
    serde_json::from_str(raw.get()).map_err(|_| Mismatch::kind(ty, raw))
}

/// The members of an object; none where `raw` is no object.
pub(super) fn members(raw: &RawValue) -> Option<Result<Members<'_>, Mismatch>> {
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
