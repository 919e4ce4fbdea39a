//! Makes components for tests from WIT text; their functions trap.

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve};

use super::Tasks;

/// Makes a component of the world `w`. The text goes into the package `demo:app`, beside `wasmhost:task`.
pub(crate) fn component(text: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    for (name, text) in
        [("task.wit", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/wit/task.wit"))), ("run.wit", RUN)]
    {
        resolve.push_str(name, text).unwrap();
    }
    let package = resolve.push_str("demo.wit", &format!("package demo:app;\n{text}")).unwrap();
    let world = resolve.select_world(&[package], Some("w")).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// The tasks of the component that [`component`] makes.
pub(crate) fn tasks(text: &str) -> Tasks {
    Tasks::from_component(crate::component::read(&component(text)).unwrap())
}

const RUN: &str = "package wasi:cli@0.2.6; interface run { run: func() -> result; }";
