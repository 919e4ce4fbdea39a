//! The serialised form of a function's types: a table in which every type stands once and refers to those before it.
//!
//! `{"types":[{"list":"u8"},{"record":[["width","u32"],["image",0]]}],"parameters":[["size",1]],"result":"bool"}`

mod address;
mod form;
mod reader;
#[cfg(test)]
mod tests;
mod writer;
