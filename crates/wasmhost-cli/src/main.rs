//! The wasmhost command.
fn main() {}
