//! What is checked before anything is compiled, each refusal with its mend: the bytes by their first few, then the
//! imports by name.

use wasmhost_protocol::{Limits, escape, truncate};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::imports::PROVIDED;
use crate::load::LoadError;

const WASM_MAGIC: &[u8] = b"\0asm";
const CORE_VERSION: &[u8] = &[1, 0, 0, 0];
const COMPONENT_VERSION: &[u8] = &[0x0d, 0, 1, 0];
/// Imports of one component.
const IMPORTS: usize = 1_000;

/// Checks that the bytes look like a component of a size that may be compiled.
pub(crate) fn check_bytes(wasm: &[u8]) -> Result<(), LoadError> {
    let refuse = |text: &str| Err(LoadError::NotAComponent(text.to_owned()));
    if wasm.len() > Limits::MODULE_BYTES {
        return Err(LoadError::TooLarge { bytes: wasm.len(), limit: Limits::MODULE_BYTES });
    }
    if Engine::detect_precompiled(wasm).is_some() || wasm.starts_with(b"\x7fELF") {
        return Err(LoadError::Precompiled);
    }
    if wasm.is_empty() {
        return refuse("the file is empty");
    }
    if !wasm.starts_with(WASM_MAGIC) {
        return refuse(foreign(wasm));
    }
    match wasm.get(4..8) {
        Some(CORE_VERSION) => refuse("this is a core module; wrap it with `wasm-tools component new`"),
        Some(COMPONENT_VERSION) => Ok(()),
        Some(_) => refuse("this is WebAssembly of an unknown version; build it for `wasm32-wasip2`"),
        None => refuse("the file ends within its header; copy or build it again"),
    }
}

fn foreign(bytes: &[u8]) -> &'static str {
    let start = bytes.trim_ascii_start();
    if start.starts_with(b"(component") || start.starts_with(b"(module") || start.starts_with(b";;") {
        return "this is WebAssembly text; make a binary with `wasm-tools parse`";
    }
    if bytes.starts_with(&[0x1f, 0x8b])
        || bytes.starts_with(b"PK")
        || bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
    {
        return "this is compressed; unpack it first";
    }
    "this is no WebAssembly: it does not start with `\\0asm`"
}

/// The compiler's refusal, with a mend where there is one.
pub(crate) fn explain(error: &str) -> LoadError {
    let text = escape(truncate(error, Limits::ERROR_TEXT_BYTES));
    if text.contains("unexpected end") || text.contains("is out of bounds (bound") {
        return LoadError::NotAComponent(format!(
            "the component is cut off; copy or build it again ({text})"
        ));
    }
    LoadError::Compile(text)
}

/// Checks that everything the component imports is provided.
pub(crate) fn check_imports(engine: &Engine, component: &Component) -> Result<(), LoadError> {
    let component = component.component_type();
    let imports = component.imports(engine);
    if imports.len() > IMPORTS {
        return Err(LoadError::NotAComponent(format!("it has more than {IMPORTS} imports")));
    }
    let missing: Vec<_> = imports
        .filter(|(name, item)| needs_provider(engine, &item.ty) && !is_provided(name))
        .map(|(name, _)| escape(truncate(name, 200)))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(LoadError::MissingImports(missing)) }
}

/// Types alone need nobody to provide them.
fn needs_provider(engine: &Engine, item: &ComponentItem) -> bool {
    match item {
        ComponentItem::ComponentInstance(instance) => {
            instance.exports(engine).any(|(_, item)| needs_provider(engine, &item.ty))
        }
        ComponentItem::Type(_) => false,
        ComponentItem::ComponentFunc(_)
        | ComponentItem::CoreFunc(_)
        | ComponentItem::Module(_)
        | ComponentItem::Component(_)
        | ComponentItem::Resource(_) => true,
    }
}

fn is_provided(import: &str) -> bool {
    let Some((package, rest)) = import.split_once('/') else { return false };
    let Some((interface, version)) = rest.split_once('@') else { return false };
    PROVIDED.iter().any(|(ours, major, interfaces)| {
        *ours == package && version.starts_with(major) && interfaces.contains(&interface)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_component_are_named_with_the_mend() {
        let cases: [(&[u8], &str); 6] = [
            (b"", "empty"),
            (b"\0asm\x01\0\0\0", "wasm-tools component new"),
            (b"\0asm\x0d\0", "ends within its header"),
            (b"  (component)", "wasm-tools parse"),
            (b"\x1f\x8b\x08", "unpack"),
            (b"hello", "does not start with"),
        ];
        for (bytes, mend) in cases {
            let text = check_bytes(bytes).unwrap_err().to_string();
            assert!(text.contains(mend), "{text}");
        }
        assert!(matches!(check_bytes(b"\x7fELF\x02"), Err(LoadError::Precompiled)));
        assert!(matches!(check_bytes(&vec![0; Limits::MODULE_BYTES + 1]), Err(LoadError::TooLarge { .. })));
    }

    #[test]
    fn only_our_versions_are_provided() {
        assert!(is_provided("wasi:io/streams@0.2.12") && is_provided("wasmhost:task/state@0.1.0"));
        assert!(!is_provided("wasi:io/streams@0.3.0") && !is_provided("wasi:keyvalue/store@0.2.0"));
        assert!(!is_provided("wasmhost:task/handler@0.1.0") && !is_provided("state"));
    }
}
