//! Converts between JSON text and the engine's values, by the types of the component: arguments before a call, the
//! verdict after it. It knows nothing of instances.

mod convert;
mod encode;
mod failure;
mod text;
mod values;
mod verdict;

pub(crate) use convert::Converter;
pub(crate) use failure::NO_PAYLOAD;
pub(crate) use verdict::ResultError;

#[cfg(test)]
mod tests;
