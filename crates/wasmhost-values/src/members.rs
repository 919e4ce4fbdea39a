//! Cuts the text of a JSON object into the texts of its members, without reading their values.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::mismatch::Mismatch;

/// The members of one object, in order; a name may be there twice.
pub(crate) type Members<'a> = Vec<(String, &'a RawValue)>;

/// The members of an object; none where `raw` is no object.
pub(crate) fn members(raw: &RawValue) -> Option<Result<Members<'_>, Mismatch>> {
    raw.get().starts_with('{').then(|| {
        let mut text = serde_json::Deserializer::from_str(raw.get());
        // The text is known to be JSON, so that only half of a surrogate pair in a name is left to fail.
        text.deserialize_map(ObjectVisitor).map_err(|_| Mismatch::new("a name in the object is not Unicode"))
    })
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
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
