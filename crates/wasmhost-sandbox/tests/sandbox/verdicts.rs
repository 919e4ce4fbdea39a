//! Each way in which a guest misbehaves has a verdict of its own.

use std::time::Duration;

use wasmhost_protocol::ids::FunctionName;
use wasmhost_protocol::outcome::{Fault, Verdict};
use wasmhost_protocol::policy::Limits;
use wasmhost_sandbox::FunctionChoice;

use crate::harness::{outcome, request};

/// A verdict on one line: its kind and its message.
fn line(verdict: &Verdict) -> String {
    let fault = |kind: &str, fault: &Fault| format!("{kind}: {}", fault.message);
    match verdict {
        Verdict::Returned(json) => format!("Returned: {json}"),
        Verdict::Failed { message, .. } => format!("Failed: {message}"),
        Verdict::Permanent { message, .. } => format!("Permanent: {message}"),
        Verdict::Panicked(it) => fault("Panicked", it),
        Verdict::Trapped(it) => fault("Trapped", it),
        Verdict::Exited(it) => fault("Exited", it),
        Verdict::Exceeded(limit, it) => fault(&format!("Exceeded {limit:?}"), it),
        Verdict::BadArguments(text) => format!("BadArguments: {text}"),
        Verdict::UnknownFunction(text) => format!("UnknownFunction: {text}"),
        other => format!("{other:?}"),
    }
}

async fn check(args: &str, limits: Limits, expected: &str) {
    let mut request = request(args);
    request.limits = limits;
    let verdict = outcome("hostile", request).await.verdict;
    assert!(line(&verdict).starts_with(expected), "{args}: {verdict:?}, expected {expected}");
}

#[tokio::test]
async fn every_deed_has_its_verdict() {
    let cases = [
        (r#"{"do":"panic"}"#, "Panicked: a hostile panic (hostile/src/lib.rs:"),
        (r#"{"do":"trap"}"#, "Trapped: wasm `unreachable` instruction executed"),
        (r#"{"do":"exit0"}"#, "Exited: exit(0) without a result"),
        (r#"{"do":"exit1"}"#, "Exited: exit(1)"),
        (r#"{"do":"oom"}"#, "Exceeded Memory: out of memory: the limit is 134217728 bytes"),
        (r#"{"do":"survived-oom"}"#, "Panicked: invoice 4711 has no customer (true)"),
        (r#"{"do":"stack"}"#, "Trapped: stack overflow"),
        (r#"{"do":"stderr","lines":3}"#, "Returned: 3"),
        (r#"{"do":"env"}"#, r#"Returned: {"args":["guest"],"vars":{}}"#),
        (r#"{"do":"bad-json"}"#, "Failed: the handler returned a text that is not JSON"),
        (r#"{"do":"states","n":5}"#, r#"Returned: {"states":5}"#),
        (r#"{"do":"reserved-state"}"#, r#"Returned: "invalid-state: state `SUCCESS` is not"#),
        (r#"{"do":"big-meta"}"#, r#"Returned: "too-large: 8192""#),
        (r#"{"do":"checkpoint","fail_times":1}"#, "Failed: run 1 fails, as asked"),
        (r#"{"do":"config","key":"colour"}"#, r#"Returned: "blue""#),
        (r#"{"do":"config","key":"other"}"#, "Returned: null"),
        (r#"{"do":"nothing"}"#, "Permanent: wrong arguments"),
        ("{", "BadArguments: the arguments are not JSON"),
        (r#"{"do":"big-result","bytes":1000}"#, "Returned: \"xxx"),
    ];
    for (args, expected) in cases {
        check(args, Limits::default(), expected).await;
    }
}

#[tokio::test]
async fn every_limit_is_named_when_it_is_hit() {
    let limits = Limits::default;
    let ms = Duration::from_millis;
    let cases = [
        (
            r#"{"do":"spin"}"#,
            Limits { cpu: ms(50), ..limits() },
            "Exceeded Cpu: CPU time is used up: the limit is 50ms",
        ),
        (r#"{"do":"spin"}"#, Limits { timeout: ms(50), ..limits() }, "Exceeded Wall: timed out after 50ms"),
        (r#"{"do":"sleep","ms":60000}"#, Limits { timeout: ms(50), ..limits() }, "Exceeded Wall: timed out"),
        (r#"{"do":"sleep","ms":100}"#, Limits { cpu: ms(50), ..limits() }, "Returned: null"),
        (r#"{"do":"env"}"#, Limits { memory_bytes: 64 << 10, ..limits() }, "Exceeded Memory: out of memory"),
        (
            r#"{"do":"env"}"#,
            Limits { table_elements: 1, ..limits() },
            "Exceeded Tables: too many table elements",
        ),
        (r#"{"do":"sleep","ms":1}"#, Limits { handles: 0, ..limits() }, "Exceeded Instances: too many"),
        (
            r#"{"do":"big-result","bytes":1000}"#,
            Limits { result_bytes: 99, ..limits() },
            "Exceeded Result: the result is larger",
        ),
        (
            r#"{"do":"oom"}"#,
            Limits { memory_bytes: 1 << 40, ..limits() },
            "Exceeded Memory: out of memory: the limit is 536870912",
        ),
    ];
    for (args, limits, expected) in cases {
        check(args, limits, expected).await;
    }
}

#[tokio::test]
async fn a_broken_guest_leaves_its_backtrace_and_its_last_lines() {
    let outcome = outcome("hostile", request(r#"{"do":"panic"}"#)).await;
    let Verdict::Panicked(fault) = &outcome.verdict else { panic!("{outcome:?}") };
    assert!(outcome.stderr.as_ref().unwrap().contains("panicked at hostile/src/lib.rs"));
    let backtrace = fault.backtrace.as_ref().unwrap();
    assert!(backtrace.contains("\nstd::panicking::") || backtrace.contains("::run"), "{backtrace}");
}

#[tokio::test]
async fn powers_are_denied_and_named() {
    let net = outcome("hostile", request(r#"{"do":"net","addr":"127.0.0.1:4222"}"#)).await;
    assert!(line(&net.verdict).starts_with(r#"Returned: {"error""#), "{net:?}");
    assert_eq!(net.denied, ["sockets tcp"]);
    let name = outcome("hostile", request(r#"{"do":"net","addr":"example.com:80"}"#)).await;
    assert_eq!(name.denied, ["sockets lookup example.com"]);
    let files = outcome("hostile", request(r#"{"do":"fs"}"#)).await;
    assert!(!line(&files.verdict).contains("succeeded"), "{files:?}");
}

#[tokio::test]
async fn an_unknown_function_lists_the_known_ones() {
    let mut request = request("");
    request.function = FunctionName::parse("rum").unwrap().into();
    let verdict = outcome("hello", request.clone()).await.verdict;
    assert!(line(&verdict).starts_with("UnknownFunction") && line(&verdict).contains("run"), "{verdict:?}");
    request.function = FunctionChoice::Qualified("wasmhost:task/handler@0.1.0#run".to_owned());
    request.args = r#"{"name":"Ada"}"#.into();
    let verdict = outcome("hello", request).await.verdict;
    assert_eq!(line(&verdict), r#"Returned: {"greeting":"Hello, Ada!"}"#);
}

#[tokio::test]
async fn usage_is_measured() {
    let mut request = request(r#"{"do":"spin"}"#);
    request.limits.cpu = Duration::from_millis(100);
    let usage = outcome("hostile", request).await.usage;
    assert!(usage.cpu_ms >= 100 && usage.cpu_ms < 1_000, "{usage:?}");
    assert!(usage.wall_ms >= 100 && usage.memory_peak_bytes >= 1 << 20, "{usage:?}");
}
