//! JSON ⇄ the engine's values, guided by the component's own types: arguments before a run, the verdict after it. Knows
//! nothing of instances, and never fails for a reason that is not the text's or the value's.

mod build;
mod convert;

mod encode;
mod failure;
mod text;
mod verdict;

pub(crate) use convert::Converter;
pub(crate) use failure::NO_PAYLOAD;
pub(crate) use verdict::ResultError;

#[cfg(test)]
mod tests;
