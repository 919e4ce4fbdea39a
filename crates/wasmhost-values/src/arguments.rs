//! The arguments of a call as a whole: an object by name, an array by position, or none.

use serde_json::value::RawValue;
use wasmhost_protocol::json::{InvalidJson, Json};
use wasmhost_protocol::policy::Limits;

use crate::build::{Build, Nothing};
use crate::decode::{Decoder, Members, members};
use crate::mismatch::{Mismatch, kind, shown};
use crate::types::{FunctionType, Named, Type};

/// Why arguments were refused before a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentError {
    /// Too long a text.
    #[error("the arguments are {found} bytes long; at most {limit} are taken")]
    TooLarge {
        /// Its length in bytes.
        found: usize,
        /// The longest that is taken.
        limit: usize,
    },
    /// Another encoding.
    #[error("the arguments are not UTF-8")]
    NotUtf8,
    /// Not one JSON value, nested too deeply, or with a name twice.
    #[error("{}", .0.of("the arguments are"))]
    NotJson(#[from] InvalidJson),
    /// One value where there should be an object or an array; `fix` shows it as an array.
    #[error("the arguments are a {found}; an object gives them by name, an array by position: {fix}")]
    NotParameters {
        /// The JSON kind found.
        found: &'static str,
        /// The same value as an array, cut.
        fix: String,
    },
    /// More values than parameters.
    #[error("{found} arguments were given; the function takes {parameters}")]
    TooMany {
        /// Values in the array.
        found: usize,
        /// Parameters of the function.
        parameters: usize,
    },
    /// A value that does not fit its parameter.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

/// What a task takes.
#[derive(Debug, Clone, Copy)]
pub enum Parameters<'a> {
    /// JSON text as it is.
    Text,
    /// Values of the function's types.
    Typed(&'a FunctionType),
}

impl From<serde_json::Error> for ArgumentError {
    fn from(error: serde_json::Error) -> Self {
        Self::NotJson(error.into())
    }
}

/// The values that the JSON text `body` gives the parameters of a task.
pub fn decode_arguments<B: Build>(
    parameters: Parameters<'_>,
    body: &[u8],
) -> Result<Vec<B::Value>, ArgumentError> {
    let text = json_text(body)?;
    let checked = match Json::check(text.as_bytes()) {
        Err(error @ (InvalidJson::NotJson(_) | InvalidJson::TooDeep)) => return Err(error.into()),
        checked => checked,
    };
    let values = match parameters {
        Parameters::Text => vec![B::string(text.to_owned())],
        // Where a name stands twice is said with the parameter's name, which the text alone has not.
        Parameters::Typed(function) => typed::<B>(&function.parameters, text)?,
    };
    checked?;
    Ok(values)
}

fn typed<B: Build>(parameters: &Named<Type>, text: &str) -> Result<Vec<B::Value>, ArgumentError> {
    let raw: &RawValue = serde_json::from_str(text)?;
    if let Some(members) = members(raw) {
        return by_name::<B>(parameters, members?);
    }
    match kind(raw.get()) {
        "array" => by_position::<B>(parameters, raw),
        "null" => by_name::<B>(parameters, Members::new()),
        found => Err(ArgumentError::NotParameters { found, fix: format!("[{}]", shown(raw.get())) }),
    }
}

/// Whether a task can be called with the JSON text `body`.
pub fn check_arguments(parameters: Parameters<'_>, body: &[u8]) -> Result<(), ArgumentError> {
    decode_arguments::<Nothing>(parameters, body).map(drop)
}

/// The text within its limit; `null` where there is none.
fn json_text(body: &[u8]) -> Result<&str, ArgumentError> {
    let limit = Limits::ARGUMENT_BYTES;
    if body.len() > limit {
        return Err(ArgumentError::TooLarge { found: body.len(), limit });
    }
    let text = str::from_utf8(body).map_err(|_| ArgumentError::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    Ok(if text.is_empty() { "null" } else { text })
}

fn by_name<B: Build>(parameters: &Named<Type>, members: Members<'_>) -> Result<Vec<B::Value>, ArgumentError> {
    Ok(Decoder::<B>::new().fields(parameters, members)?)
}

fn by_position<B: Build>(parameters: &Named<Type>, raw: &RawValue) -> Result<Vec<B::Value>, ArgumentError> {
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
