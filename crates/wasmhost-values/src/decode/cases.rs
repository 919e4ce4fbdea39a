//! Decodes options, variants and results.

use serde_json::value::RawValue;

use super::Decoder;
use crate::members::members;
use crate::mismatch::{Mismatch, shown, shown_type};
use crate::types::{Named, ResultType, Type};
use crate::value_builder::ValueBuilder;

impl<B: ValueBuilder> Decoder<B> {
    pub(super) fn option(&mut self, payload: &Type, raw: &RawValue) -> Result<B::Value, Mismatch> {
        if raw.get() == "null" {
            return Ok(B::option(None));
        }
        if !payload.is_option() {
            return Ok(B::option(Some(self.value(payload, raw)?)));
        }
        // An option of an option is tagged, so that "none" and "some none" differ.
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

    pub(super) fn variant(
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

    pub(super) fn result(
        &mut self,
        ty: &Type,
        result: &ResultType,
        raw: &RawValue,
    ) -> Result<B::Value, Mismatch> {
        let (name, payload) = self.case(ty, raw)?;
        let payload = match name.as_str() {
            "ok" => self.payload(&name, result.ok.as_ref(), payload).map(Ok),
            "err" => self.payload(&name, result.err.as_ref(), payload).map(Err),
            _ => return Err(Mismatch::unknown(&name, ["ok", "err"])),
        };
        Ok(B::result(payload.map_err(|error| error.in_field(&name))?))
    }

    /// Reads `"case"` or `{"case": payload}`.
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
                let expected = shown_type(ty);
                Err(Mismatch::new(format!("expected a payload of type {expected}: {{\"{case}\": …}}")))
            }
            (None, Some(raw)) if raw.get() != "null" => {
                Err(Mismatch::new(format!("takes no payload, found {}", shown(raw.get()))))
            }
            (None, _) => Ok(None),
        }
    }
}
