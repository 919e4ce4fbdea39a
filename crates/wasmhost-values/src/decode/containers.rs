//! Decodes lists, tuples, records and flags.

use serde_json::value::RawValue;

use super::{Decoder, NAME_BYTES, VALUE_BYTES};
use crate::base64;
use crate::members::members;
use crate::mismatch::Mismatch;
use crate::types::{Named, Type};
use crate::value_builder::ValueBuilder;

impl<B: ValueBuilder> Decoder<B> {
    pub(super) fn list(&mut self, ty: &Type, element: &Type, raw: &RawValue) -> Result<B::Value, Mismatch> {
        if matches!(element, Type::U8) && raw.get().starts_with('"') {
            let bytes = base64::decode(&self.string(ty, raw)?)
                .ok_or_else(|| Mismatch::found("base64 or an array of numbers", raw))?;
            // In the engine each byte becomes a value like any other.
            self.charge(bytes.len() * VALUE_BYTES)?;
            return Ok(B::bytes(bytes));
        }
        let items = items(ty, raw)?.into_iter().enumerate();
        let values =
            items.map(|(index, item)| self.value(element, item).map_err(|error| error.in_item(index)));
        values.collect::<Result<_, _>>().map(B::list)
    }

    pub(super) fn tuple(&mut self, ty: &Type, types: &[Type], raw: &RawValue) -> Result<B::Value, Mismatch> {
        let items = items(ty, raw)?;
        if types.len() != items.len() {
            return Err(Mismatch::found(&format!("{} elements", types.len()), raw));
        }
        let values = types.iter().zip(items).enumerate();
        let values =
            values.map(|(index, (ty, item))| self.value(ty, item).map_err(|error| error.in_item(index)));
        values.collect::<Result<_, _>>().map(B::tuple)
    }

    pub(super) fn record(
        &mut self,
        ty: &Type,
        fields: &Named<Type>,
        raw: &RawValue,
    ) -> Result<B::Value, Mismatch> {
        let members = members(raw).unwrap_or_else(|| Err(Mismatch::kind(ty, raw)))?;
        self.charge(fields.names().map(|name| NAME_BYTES + name.len()).sum())?;
        Ok(B::record(fields, self.fields(fields, members)?))
    }

    pub(super) fn flags(
        &mut self,
        ty: &Type,
        names: &Named<()>,
        raw: &RawValue,
    ) -> Result<B::Value, Mismatch> {
        let mut set = Vec::new();
        for (index, item) in items(ty, raw)?.into_iter().enumerate() {
            let name = self.string(&Type::String, item).map_err(|error| error.in_item(index))?;
            check_known(&name, names).map_err(|error| error.in_item(index))?;
            self.charge(NAME_BYTES)?;
            set.push(name);
        }
        // A flag that is named twice is set once, as in the type.
        set.sort_unstable();
        set.dedup();
        Ok(B::flags(set))
    }

    pub(super) fn enumeration(
        &mut self,
        ty: &Type,
        names: &Named<()>,
        raw: &RawValue,
    ) -> Result<B::Value, Mismatch> {
        let name = self.string(ty, raw)?;
        check_known(&name, names)?;
        Ok(B::enumeration(name))
    }
}

fn check_known(name: &str, names: &Named<()>) -> Result<(), Mismatch> {
    if names.get(name).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = names.names().collect();
    Err(Mismatch::unknown(name, names))
}

/// The texts of the items of an array.
fn items<'a>(ty: &Type, raw: &'a RawValue) -> Result<Vec<&'a RawValue>, Mismatch> {
    serde_json::from_str(raw.get()).map_err(|_| Mismatch::kind(ty, raw))
}
