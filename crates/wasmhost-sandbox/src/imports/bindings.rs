//! The traits of `wasmhost:task` and their linking, generated from the WIT files of the repository.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "imports",
    imports: { default: async },
});
