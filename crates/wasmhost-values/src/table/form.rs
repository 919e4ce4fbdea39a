//! The table as it is serialised.

use serde::{Deserialize, Serialize};

/// The types of one function.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Table {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) types: Vec<Definition>,
    pub(super) parameters: Vec<(String, Reference)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<Reference>,
}

/// A type that has other types or names in it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Definition {
    List(Reference),
    Option(Reference),
    Tuple(Vec<Reference>),
    Result(Option<Reference>, Option<Reference>),
    Record(Vec<(String, Reference)>),
    Variant(Vec<(String, Option<Reference>)>),
    Enum(Vec<String>),
    Flags(Vec<String>),
}

/// A simple type by its name, any other by its index in the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
// In JSON a number is an index and a string is a name, so that neither needs a tag.
#[serde(untagged)]
pub(super) enum Reference {
    Index(usize),
    Simple(String),
}
