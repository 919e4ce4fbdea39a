//! What the engine derives from `wit/`: the traits of `wasmhost:task` and their linking.

wasmtime::component::bindgen!({
    path: "wit",
    world: "imports",
    imports: { default: async },
});
