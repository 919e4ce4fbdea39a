//! What guests that gave up wrote, and the last words that are read from it. The files in `texts` were written by real
//! builds of the toolchains that they are named after (`libcxx-zig` is the C and C++ of zig; long traces are cut at
//! their end). What stands here in the code is from the documentation of the languages.

use super::*;

/// Reads a text, and expects this message in it.
fn check(name: &str, text: &str, message: &str) -> LastWords {
    let words = read(text).unwrap_or_else(|| panic!("{name}: nothing was found in {text}"));
    assert_eq!(words.message, message, "{name}");
    words
}

macro_rules! texts {
    ($($name:literal => $message:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("texts/", $name, ".txt")), $message)),+]
    };
}

#[test]
fn the_last_words_of_real_builds_are_read() {
    let texts = texts! {
        "rust-1.95-panic" => "a hostile panic (hostile/src/lib.rs:35:24)",
        "componentize-py-0.25.1-plain" => "ValueError: invoice 4711 has no customer (/0/app.py:8, in plain)",
        "componentize-py-0.25.1-chained" => "app.BillingError: invoice 4711 has no customer (/0/app.py:13, in chained)",
        "componentize-py-0.25.1-cause" => "app.BillingError: invoice 4711 has no customer (/0/app.py:18, in cause)",
        "componentize-py-0.25.1-multi" => "ValueError: first line\nsecond line (/0/app.py:19, in multi)",
        "componentize-py-0.25.1-recursion" =>
            "RecursionError: maximum recursion depth exceeded (/0/app.py:24, in f)",
        "componentize-py-0.25.1-syntax" => "SyntaxError: invalid syntax (<string>, line 1) (<string>:0)",
        "componentize-py-0.25.1-asserting" => "AssertionError (/0/app.py:30, in asserting)",
        "componentize-js-0.23-plain" => "invoice 4711 has no customer (app.js:2:26, in bill)",
        "componentize-js-0.23-logged" => "invoice 4711 has no customer (app.js:11:86, in logged)",
        "componentize-js-0.23-cause" => "invoice 4711 has no customer (app.js:1:56, in BillingError)",
        "componentize-js-0.23-text" => "invoice 4711 has no customer",
        "componentize-js-0.23-types" => "can't access property \"customer\" of undefined (app.js:10:27, in types)",
        "componentize-qjs-0.4-plain" => "invoice 4711 has no customer (/app.js:2:47, in bill)",
        "componentize-qjs-0.4-text" => "invoice 4711 has no customer",
        "componentize-qjs-0.4-types" => "cannot read property 'customer' of undefined (/app.js:10:34, in types)",
        "go-1.26-panic" => "invoice 4711 has no customer (/src/panic.go:4)",
        "go-1.26-text" => "invoice 4711 has no customer (/src/str.go:2)",
        "go-1.26-repanicked" => "(main.E) 0x1fcd8 [recovered, repanicked] (/src/custom.go:3)",
        "go-1.26-index" => "runtime error: index out of range [6] with length 1 (/src/index.go:3)",
        "go-1.26-nil" => "runtime error: invalid memory address or nil pointer dereference (/src/nilp.go:3)",
        "go-1.26-deadlock" => "fatal error: all goroutines are asleep - deadlock! (/src/deadlock.go:2)",
        "assemblyscript-0.28-wasi-shim-abort" => "invoice 4711 has no customer (index.ts(1:31))",
        "libcxx-zig-0.17-out-of-range" => "out_of_range: vector",
        "libcxx-zig-0.17-terminate" => "libc++abi: terminating",
        "libcxx-zig-0.17-pure-virtual" => "libc++abi: Pure virtual function called!",
        "libcxx-zig-0.17-assert" => "Assertion failed: argc == 99 && \"no customer\" (assert.c: main: 3)",
    };
    for (name, text, message) in texts {
        let words = check(name, text, message);
        assert!(!words.out_of_memory, "{name}");
        let exits = name.starts_with("go-") || name.starts_with("assemblyscript-");
        assert_eq!(words.runtime_exits, exits, "{name}");
    }
}

#[test]
fn having_no_memory_is_told_from_all_else() {
    let texts = texts! {
        "rust-1.95-memory" => "memory allocation of 1048576 bytes failed",
        "componentize-py-0.25.1-memory" => "MemoryError (/0/app.py:22, in memory)",
        "componentize-js-0.23-memory" => "out of memory",
        "componentize-qjs-0.4-memory" => "out of memory (/app.js:8:84, in memory)",
        "go-1.26-memory" => "fatal error: out of memory (/src/oom.go:3)",
        "libcxx-zig-0.17-bad-alloc" => "bad_alloc",
    };
    let documented = [
        (
            "libstdc++",
            "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n",
            "std::bad_alloc: std::bad_alloc",
        ),
        (
            "libc++abi",
            "libc++abi: terminating due to uncaught exception of type std::bad_alloc: std::bad_alloc",
            "std::bad_alloc: std::bad_alloc",
        ),
        (
            "a Rust that unwinds",
            "thread 'main' panicked at library/alloc/src/alloc.rs:1:2:\nmemory allocation of 9 bytes failed\n",
            "memory allocation of 9 bytes failed (library/alloc/src/alloc.rs:1:2)",
        ),
    ];
    for (name, text, message) in texts.into_iter().chain(documented) {
        assert!(check(name, text, message).out_of_memory, "{name}");
    }
    let other = "thread 'main' panicked at a.rs:1:2:\nthe shop is out of memory sticks: memory allocation of 3 failed";
    assert!(!read(other).unwrap().out_of_memory);
}

#[test]
fn documented_forms_are_read() {
    for (text, message) in [
        (
            "noise\n\nthread '<unnamed>' panicked at src/lib.rs:17:27:\nbad luck\ntwice\nnote: run with `RUST_BACKTRACE=1`",
            "bad luck\ntwice (src/lib.rs:17:27)",
        ),
        (
            "thread 'main' panicked at 'bad luck', src/lib.rs:1:2\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
            "bad luck (src/lib.rs:1:2)",
        ),
        (
            "thread 'main' panicked at 'assertion failed: `(left == right)`\n  left: `'a', 'b'`,\n right: `2`', src/lib.rs:1:2\n",
            "assertion failed: `(left == right)`\n  left: `'a', 'b'`,\n right: `2` (src/lib.rs:1:2)",
        ),
        ("panicked at src/lib.rs:1:2:\nno std", "no std (src/lib.rs:1:2)"),
        (
            "fatal runtime error: failed to initiate panic, error 5\n",
            "fatal runtime error: failed to initiate panic, error 5",
        ),
        (
            "terminate called after throwing an instance of 'std::runtime_error'\n  what():  invoice 4711\n",
            "std::runtime_error: invoice 4711",
        ),
        ("terminate called after throwing an instance of 'int'\n", "int"),
        ("terminate called without an active exception", "terminate called without an active exception"),
        (
            "libc++abi: terminating due to uncaught exception of type std::runtime_error: invoice 4711\n",
            "std::runtime_error: invoice 4711",
        ),
        ("libc++abi: terminating with uncaught exception of type int\n", "int"),
        ("abort: invoice 4711 in assembly/index.ts(3:5)\n", "invoice 4711 (assembly/index.ts(3:5))"),
        (
            "Unhandled exception. System.InvalidOperationException: invoice 4711\n   at Billing.Bill(Int32) in /app/Program.cs:line 3\n   at Billing.Main()\n",
            "System.InvalidOperationException: invoice 4711 (Billing.Bill(Int32) in /app/Program.cs:line 3)",
        ),
        (
            "Uncaught RangeError: invoice 4711\n    at bill (app.js:1:2)\n    at app.js:9:1\n",
            "RangeError: invoice 4711 (bill (app.js:1:2))",
        ),
        ("Uncaught (in promise) Error: invoice 4711\n", "Error: invoice 4711"),
        ("panic: runtime error: index out of range\n", "runtime error: index out of range"),
        (
            "  File \"app.py\", line 3\n    x = = 1\n        ^\nSyntaxError: invalid syntax\n",
            "SyntaxError: invalid syntax (app.py:3)",
        ),
        (
            "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    raise E\nE\n",
            "E (a.py:3, in f)",
        ),
    ] {
        check(text, text, message);
    }
}

#[test]
fn the_newest_words_win_and_what_is_no_panic_is_none() {
    let first = "thread 'a' panicked at a.rs:1:1:\nfirst\n\n";
    let second = "panic: second\n\ngoroutine 1 [running]:\n";
    assert_eq!(read(&format!("{first}{second}")).unwrap().message, "second");
    assert_eq!(read(&format!("{second}{first}")).unwrap().message, "first (a.rs:1:1)");
    for text in [
        "",
        "no such thing",
        "don't panic: it is all right",
        "an Error: nothing",
        "he panicked at the disco",
        "Stack:",
        "Redirecting call to abort()",
        "Traceback (most recent call last):",
        "thread 'x'",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn a_python_that_goes_on_after_a_traceback_did_not_end_with_it() {
    let text = "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\nValueError: x\n";
    assert!(read(text).unwrap().runtime_exits);
    assert!(!read(&format!("{text}\ntrying the next one\n")).unwrap().runtime_exits);
}

#[test]
fn closing_words_are_the_error_of_main_or_the_last_line() {
    assert_eq!(
        closing("reading\nError: no customer\n\nCaused by:\n    0: invoice 4711\n").unwrap(),
        "Error: no customer\n\nCaused by:\n    0: invoice 4711"
    );
    assert_eq!(closing("reading\ninvoice 4711 has no customer\n\n").unwrap(), "invoice 4711 has no customer");
    assert_eq!(closing(" \n"), None);
}
