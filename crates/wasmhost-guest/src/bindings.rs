//! What wit-bindgen makes of `wit/`.

wit_bindgen::generate!({
    path: "wit",
    world: "wasmhost:task/task",
    pub_export_macro: true,
    default_bindings_module: "wasmhost_guest::bindings",
});
