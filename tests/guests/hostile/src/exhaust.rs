//! Deeds that use something up, and never return by themselves.

use std::hint::black_box;

/// Computes without an end.
pub fn spin() -> ! {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

/// Allocates and touches a mebibyte at a time.
pub fn memory() -> ! {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; 1 << 20]));
    }
}

/// Asks for more memory than there is, and returns whether that was refused.
pub fn refused() -> bool {
    black_box(Vec::<u8>::new().try_reserve_exact(1 << 30)).is_err()
}

/// Recurses until the stack is used up. It uses the frame after the call, so that the compiler cannot make a loop of it.
pub fn stack(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if black_box(depth) == u64::MAX {
        return depth;
    }
    stack(depth + 1) + black_box(frame)[0]
}

/// Executes the instruction `unreachable`.
#[cfg(target_arch = "wasm32")]
pub fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

/// Lets the crate compile for the machine that checks it. Only the component is ever run.
#[cfg(not(target_arch = "wasm32"))]
pub fn trap() -> ! {
    std::process::abort()
}
