//! What is known of a component before it is compiled.

use wasmhost_values::FunctionType;

use super::memories::Memories;

/// What a component imports and exports, and what its memories need.
#[derive(Debug)]
pub(crate) struct ComponentSummary {
    /// Its imports, in their order in the component.
    pub(crate) imports: Vec<Import>,
    /// Its exports, in their order in the component.
    pub(crate) exports: Vec<Export>,
    /// What is known of its memories.
    pub(crate) memories: Memories,
}

/// One import of a component.
#[derive(Debug)]
pub(crate) struct Import {
    /// Its name, such as `wasi:io/streams@0.2.6`.
    pub(crate) name: String,
    /// Whether it has a function or a resource, which somebody has to provide; types alone come with the component.
    pub(crate) needs_provider: bool,
}

/// One export, at the top level of a component or in an instance that it exports.
#[derive(Debug)]
pub(crate) struct Export {
    /// The instance that it is in; none at the top level.
    pub(crate) interface: Option<String>,
    /// Its name within the instance or at the top level.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: ExportKind,
}

/// What an export is.
#[derive(Debug)]
pub(crate) enum ExportKind {
    /// A function with its type, or with the reason why its type cannot be described.
    Function { is_async: bool, ty: Result<FunctionType, String> },
    /// An instance without exports.
    EmptyInstance,
    /// An instance within an exported instance, whose functions no host reaches.
    NestedInstance,
    /// A component.
    Component,
    /// A core module.
    Module,
    /// A type.
    Type,
}
