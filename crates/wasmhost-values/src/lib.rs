//! JSON for the values of WebAssembly components, without an engine: the types of a function, their JSON Schema and WIT text, and
//! what arguments must look like. A host decodes with it, a client refuses with it, in the same words.
//!
//! ```
//! use wasmhost_values::{FunctionType, Parameters, check_arguments};
//!
//! let double: FunctionType = serde_json::from_str(r#"{"parameters":[["n","u8"]],"result":"u16"}"#).unwrap();
//! let error = check_arguments(Parameters::Typed(&double), br#"{"n": 256}"#).unwrap_err();
//! assert_eq!(error.to_string(), "n: 256 is out of range for u8");
//! ```

mod types;

mod admission;
mod table;
mod wit;

mod schema;

mod arguments;
mod base64;
mod build;
mod decode;
mod mismatch;
mod scalar;

pub use admission::{MAX_NESTING, MAX_TYPES};
pub use arguments::{ArgumentError, Parameters, check_arguments, decode_arguments};
pub use base64::encode as encode_base64;
pub use build::Build;
pub use types::{FunctionType, Named, ResultType, Type};

pub use schema::{any as any_schema, arguments as arguments_schema, result as result_schema};
