//! Decodes the arguments of a call as a whole: an object by name, an array by position, or none.

use serde_json::value::RawValue;
use wasmhost_protocol::json::{InvalidJson, Json};
use wasmhost_protocol::policy::Limits;

use crate::decode::Decoder;
use crate::members::{Members, members};
use crate::mismatch::{Mismatch, kind, shown};
use crate::types::{FunctionType, Named, Type};
use crate::value_builder::{Discard, ValueBuilder};

/// Why arguments were refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentError {
    /// The text is too long.
    #[error("the arguments are {found} bytes long; at most {limit} are taken")]
    TooLarge {
        /// The length of the text, in bytes.
        found: usize,
        /// The longest that is accepted, in bytes.
        limit: usize,
    },
    /// The text is not UTF-8.
    #[error("the arguments are not UTF-8")]
    NotUtf8,
    /// The text is not one JSON value, is nested too deeply, or has a name twice.
    #[error("{}", .0.about("the arguments are"))]
    NotJson(#[from] InvalidJson),
    /// The text is a single value where an object or an array should be.
    #[error("the arguments are a {found}; an object gives them by name, an array by position: {fix}")]
    NotParameters {
        /// The JSON kind of the value.
        found: &'static str,
        /// The same value as an array, cut.
        fix: String,
    },
    /// There are more values than parameters.
    #[error("{found} arguments were given; the function takes {parameters}")]
    TooMany {
        /// How many values the array has.
        found: usize,
        /// How many parameters the function has.
        parameters: usize,
    },
    /// A value does not fit its parameter.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

impl From<serde_json::Error> for ArgumentError {
    fn from(error: serde_json::Error) -> Self {
        Self::NotJson(error.into())
    }
}

/// The parameters of a task.
#[derive(Debug, Clone, Copy)]
pub enum Parameters<'a> {
    /// One text, which is any JSON as it is.
    Text,
    /// Values of the function's types.
    Typed(&'a FunctionType),
}

/// Decodes the JSON text `body` into the values of a task's parameters.
///
/// # Errors
///
/// Refuses a text that is too long or no JSON, and values that do not fit the parameters.
pub fn decode_arguments<B: ValueBuilder>(
    parameters: Parameters<'_>,
    body: &[u8],
) -> Result<Vec<B::Value>, ArgumentError> {
    let text = json_text(body)?;
    let duplicates = match Json::check(text.as_bytes()) {
        Err(error @ (InvalidJson::NotJson(_) | InvalidJson::TooDeep)) => return Err(error.into()),
        other => other,
    };
    let values = match parameters {
        Parameters::Text => vec![B::string(text.to_owned())],
        // The decoder goes first: it reports a name that stands twice with the name of the parameter before it.
        Parameters::Typed(function) => decode_typed::<B>(&function.parameters, text)?,
    };
    duplicates?;
    Ok(values)
}

/// Checks that a task can be called with the JSON text `body`.
///
/// # Errors
///
/// Refuses what [`decode_arguments`] refuses, in the same words.
pub fn check_arguments(parameters: Parameters<'_>, body: &[u8]) -> Result<(), ArgumentError> {
    decode_arguments::<Discard>(parameters, body).map(drop)
}

/// The text without a byte order mark and the white space around it; `null` where nothing is left.
fn json_text(body: &[u8]) -> Result<&str, ArgumentError> {
    let limit = Limits::ARGUMENT_BYTES;
    // The size is checked first, since everything after it takes time by the length of the text.
    if body.len() > limit {
        return Err(ArgumentError::TooLarge { found: body.len(), limit });
    }
    let text = str::from_utf8(body).map_err(|_| ArgumentError::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    Ok(if text.is_empty() { "null" } else { text })
}

fn decode_typed<B: ValueBuilder>(
    parameters: &Named<Type>,
    text: &str,
) -> Result<Vec<B::Value>, ArgumentError> {
    let raw: &RawValue = serde_json::from_str(text)?;
    // An object always gives the parameters by name. Were it taken for a single parameter too, a second one that is
    // added later would change what the same text means.
    if let Some(members) = members(raw) {
        return by_name::<B>(parameters, members?);
    }
    match kind(raw.get()) {
        "array" => by_position::<B>(parameters, raw),
        "null" => by_name::<B>(parameters, Members::new()),
        found => Err(ArgumentError::NotParameters { found, fix: format!("[{}]", shown(raw.get())) }),
    }
}

fn by_name<B: ValueBuilder>(
    parameters: &Named<Type>,
    members: Members<'_>,
) -> Result<Vec<B::Value>, ArgumentError> {
    Ok(Decoder::<B>::new().fields(parameters, members)?)
}

fn by_position<B: ValueBuilder>(
    parameters: &Named<Type>,
    raw: &RawValue,
) -> Result<Vec<B::Value>, ArgumentError> {
    let items: Vec<&RawValue> = serde_json::from_str(raw.get())?;
    if items.len() > parameters.len() {
        return Err(ArgumentError::TooMany { found: items.len(), parameters: parameters.len() });
    }
    let mut decoder = Decoder::<B>::new();
    let value = |(index, (name, ty)): (usize, (&str, &Type))| {
        let value = match items.get(index) {
            Some(raw) => decoder.value(ty, raw),
            None => decoder.absent(ty),
        };
        Ok(value.map_err(|error| error.in_field(name))?)
    };
    parameters.iter().enumerate().map(value).collect()
}
