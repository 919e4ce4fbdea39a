//! JSON for the values of WebAssembly components, without an engine: the types of a function, their JSON Schema and WIT
//! text, and what arguments must look like. A host decodes arguments with it and a client checks them with it, so that
//! both refuse them in the same words.
//!
//! ```
//! use wasmhost_values::{FunctionType, Parameters, check_arguments};
//!
//! let double: FunctionType = serde_json::from_str(r#"{"parameters":[["n","u8"]],"result":"u16"}"#).unwrap();
//! let error = check_arguments(Parameters::Typed(&double), br#"{"n": 256}"#).unwrap_err();
//! assert_eq!(error.to_string(), "n: 256 is out of range for u8");
//! ```

// The types of a function are described,
mod types;

// admitted as those of a task, stored, and written as WIT
mod admission;
mod table;
mod wit;

// and as JSON Schema.
mod schema;

// Arguments are decoded by them, part by part,
mod arguments;
mod decode;
mod members;

// down to single values.
mod base64;
mod mismatch;
mod scalar;
mod value_builder;

pub use admission::{MAX_NESTING, MAX_TYPES};
pub use arguments::{ArgumentError, Parameters, check_arguments, decode_arguments};
pub use base64::encode as encode_base64;
pub use mismatch::Mismatch;
pub use schema::{any as any_schema, arguments as arguments_schema, result as result_schema};
pub use types::{FunctionType, Named, ResultType, Type};
pub use value_builder::ValueBuilder;
