//! Deeds that use something up, and never return by themselves.

use std::hint::black_box;

/// Computes for ever.
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

/// Asks for more memory than there is, and says whether it was refused.
pub fn refused() -> bool {
    black_box(Vec::<u8>::new().try_reserve_exact(1 << 30)).is_err()
}

/// Recurses until the stack is gone; the depth is used after the call, so it cannot become a loop.
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

/// Lets the crate be checked natively; only the component is ever run.
#[cfg(not(target_arch = "wasm32"))]
pub fn trap() -> ! {
    std::process::abort()
}
