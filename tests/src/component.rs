//! Components with the tasks of a guest example and more in them.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;
use bytes::Bytes;

use crate::paths;

/// Joins of control flow in the function that is compiled slowly. Together with the variables they take the compiler some seconds
/// on one core, whatever the number of cores.
const JOINS: u32 = 15_000;

/// Variables that go through each join.
const VARIABLES: u32 = 300;

/// A guest example that takes the compiler some seconds, because it also has a module that nothing calls. Each call makes another
/// version.
///
/// # Errors
///
/// The guest cannot be read.
pub fn slow_to_compile(guest: &str) -> anyhow::Result<Bytes> {
    let mut component = version_of(guest)?.to_vec();
    component.extend(section(1, &slow_module()));
    Ok(component.into())
}

/// A version of a guest example that no host has compiled yet.
///
/// # Errors
///
/// The guest cannot be read.
pub fn version_of(guest: &str) -> anyhow::Result<Bytes> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let path = paths::guest(guest);
    let mut component = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let name = format!("{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    // A custom section: a name, and any bytes.
    let content = [&[1, b'v'], name.as_bytes(), &since.to_le_bytes()].concat();
    component.extend(section(0, &content));
    Ok(component.into())
}

/// A module with one function: `if v { w = w + 1 }`, again and again with other variables.
fn slow_module() -> Vec<u8> {
    let mut code = [number(1), number(VARIABLES), vec![0x7f]].concat();
    for join in 0..JOINS {
        // The steps have no common divisor with the number of variables, so that every pair comes sooner or later.
        let read = number(join * 7 % VARIABLES);
        let written = number(join * 11 % VARIABLES);
        let changed = [&[0x20][..], &written, &[0x41, 1, 0x6a, 0x21], &written].concat();
        code.extend([&[0x20][..], &read, &[0x04, 0x40], &changed, &[0x0b]].concat());
    }
    code.push(0x0b);
    let body = [number(u32::try_from(code.len()).unwrap_or(u32::MAX)), code].concat();
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    module.extend(section(1, &[1, 0x60, 0, 0]));
    module.extend(section(3, &[1, 0]));
    module.extend(section(10, &[&[1][..], &body].concat()));
    module
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let length = number(u32::try_from(content.len()).unwrap_or(u32::MAX));
    [&[id][..], &length, content].concat()
}

/// A number as WebAssembly encodes it: seven bits in each byte, the lowest first.
fn number(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
