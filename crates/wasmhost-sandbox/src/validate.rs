//! Checks a component before anything of it is compiled: its first bytes and its size, then its imports by name. Every
//! refusal says what its author can do about it.

use wasmhost_protocol::policy::Limits;
use wasmtime::Engine;

use crate::component::Import;
use crate::imports::{PROVIDED, ProvidedPackage};
use crate::load_error::LoadError;

const WASM_MAGIC: &[u8] = b"\0asm";
const CORE_VERSION: &[u8] = &[1, 0, 0, 0];
const COMPONENT_VERSION: &[u8] = &[0x0d, 0, 1, 0];
const ELF_MAGIC: &[u8] = b"\x7fELF";
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZIP_MAGIC: &[u8] = b"PK";
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Checks that the bytes begin like a component and are not more than may be compiled.
pub(crate) fn check_bytes(wasm: &[u8]) -> Result<(), LoadError> {
    let refuse = |text: &str| Err(LoadError::NotAComponent(text.to_owned()));
    if wasm.len() > Limits::MODULE_BYTES {
        return Err(LoadError::TooLarge { bytes: wasm.len(), limit: Limits::MODULE_BYTES });
    }
    // Native code would run with the rights of the host. Artifacts are ELF files themselves.
    if Engine::detect_precompiled(wasm).is_some() || wasm.starts_with(ELF_MAGIC) {
        return Err(LoadError::Precompiled);
    }
    if wasm.is_empty() {
        return refuse("the file is empty");
    }
    if !wasm.starts_with(WASM_MAGIC) {
        return refuse(describe_foreign(wasm));
    }
    match wasm.get(4..8) {
        Some(CORE_VERSION) => refuse("this is a core module; wrap it with `wasm-tools component new`"),
        Some(COMPONENT_VERSION) => Ok(()),
        Some(_) => refuse("this is WebAssembly of an unknown version; build it for `wasm32-wasip2`"),
        None => refuse("the file ends within its header; copy or build it again"),
    }
}

/// What a file without the magic number of WebAssembly seems to be, and what to do about it.
fn describe_foreign(bytes: &[u8]) -> &'static str {
    let text = bytes.trim_ascii_start();
    if text.starts_with(b"(component") || text.starts_with(b"(module") || text.starts_with(b";;") {
        return "this is WebAssembly text; make a binary with `wasm-tools parse`";
    }
    if [GZIP_MAGIC, ZIP_MAGIC, ZSTD_MAGIC].iter().any(|magic| bytes.starts_with(magic)) {
        return "this is compressed; unpack it first";
    }
    "this is no WebAssembly: it does not start with `\\0asm`"
}

/// Checks that everything that the component imports is provided.
pub(crate) fn check_imports(imports: &[Import]) -> Result<(), LoadError> {
    let missing = imports.iter().filter(|import| import.needs_provider && !is_provided(&import.name));
    let missing: Vec<_> = missing.map(|import| with_advice(&import.name)).collect();
    if missing.is_empty() { Ok(()) } else { Err(LoadError::MissingImports(missing)) }
}

fn is_provided(import: &str) -> bool {
    let Some(parts) = ImportName::parse(import) else { return false };
    PROVIDED.iter().any(|provided| {
        let patch = parts.version.strip_prefix(provided.version_prefix);
        // A release candidate such as `0.2.0-rc-2023-11-10` has other functions under the same names.
        let is_release = patch.is_some_and(|patch| patch.bytes().all(|byte| byte.is_ascii_digit()));
        provided.name == parts.package && is_release && provided.interfaces.contains(&parts.interface)
    })
}

/// The parts of `wasi:io/streams@0.2.6`: `wasi:io`, `streams` and `0.2.6`.
struct ImportName<'a> {
    package: &'a str,
    interface: &'a str,
    version: &'a str,
}

impl<'a> ImportName<'a> {
    fn parse(import: &'a str) -> Option<Self> {
        let (package, rest) = import.split_once('/')?;
        let (interface, version) = rest.split_once('@')?;
        Some(Self { package, interface, version })
    }
}

/// The import, and what its author can do about it where that is known.
fn with_advice(import: &str) -> String {
    let Some(parts) = ImportName::parse(import) else { return import.to_owned() };
    let provided = PROVIDED.iter().find(|provided| provided.name == parts.package);
    match provided {
        Some(ProvidedPackage { version_prefix: "0.2.", .. }) if parts.version.starts_with("0.2.0-") => {
            format!(
                "{import} (a candidate of before the release of WASI 0.2; build it with a toolchain of 2024 or later, \
             as `cargo build --target wasm32-wasip2` of Rust 1.82)"
            )
        }
        Some(ProvidedPackage { name, version_prefix, .. }) if !parts.version.starts_with(version_prefix) => {
            format!("{import} (hosts provide {name} {version_prefix}x)")
        }
        _ => import.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_component_are_named_with_the_fix() {
        let cases: [(&[u8], &str); 6] = [
            (b"", "empty"),
            (b"\0asm\x01\0\0\0", "wasm-tools component new"),
            (b"\0asm\x0d\0", "ends within its header"),
            (b"  (component)", "wasm-tools parse"),
            (b"\x1f\x8b\x08", "unpack"),
            (b"hello", "does not start with"),
        ];
        for (bytes, fix) in cases {
            let text = check_bytes(bytes).unwrap_err().to_string();
            assert!(text.contains(fix), "{text}");
        }
        assert!(matches!(check_bytes(b"\x7fELF\x02"), Err(LoadError::Precompiled)));
        assert!(matches!(check_bytes(&vec![0; Limits::MODULE_BYTES + 1]), Err(LoadError::TooLarge { .. })));
    }

    #[test]
    fn only_our_versions_are_provided() {
        assert!(is_provided("wasi:io/streams@0.2.12") && is_provided("wasmhost:task/state@0.1.0"));
        assert!(!is_provided("wasi:io/streams@0.3.0") && !is_provided("wasi:keyvalue/store@0.2.0"));
        assert!(!is_provided("wasmhost:task/handler@0.1.0") && !is_provided("state"));
        assert!(
            !is_provided("wasi:io/streams@0.2.0-rc-2023-11-10") && !is_provided("wasi:io/streams@0.2.0+x")
        );
    }

    #[test]
    fn a_missing_import_comes_with_what_its_author_can_do() {
        let import = |name: &str| Import { name: name.to_owned(), needs_provider: true };
        let refusal =
            |name| check_imports(&[import("wasi:io/poll@0.2.6"), import(name)]).unwrap_err().to_string();
        let candidate = refusal("wasi:io/streams@0.2.0-rc-2023-11-10");
        assert!(candidate.contains("wasi:io/streams@0.2.0-rc-2023-11-10 (a candidate"), "{candidate}");
        assert!(candidate.contains("wasm32-wasip2") && !candidate.contains("poll"), "{candidate}");
        assert!(refusal("wasi:io/streams@0.3.0").ends_with("(hosts provide wasi:io 0.2.x)"));
        assert!(refusal("acme:db/store@1.0.0").ends_with("nobody provides the imports acme:db/store@1.0.0"));
    }
}
