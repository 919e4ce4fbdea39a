//! What wit-bindgen makes of `wit/`.

wit_bindgen::generate!({
    // It is a symbolic link to the workspace's directory. Cargo packs what it leads to, and unlike a copy it cannot
    // differ.
    path: "wit",
    world: "wasmhost:task/task",
    // `export!` is expanded in the crates of tasks: it has to be public, and to name the types by a path that is
    // valid there.
    pub_export_macro: true,
    default_bindings_module: "wasmhost_guest::bindings",
});
