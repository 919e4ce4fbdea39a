//! Conveniences for authors of wasmhost tasks in Rust.
