//! Why a guest ended: the message is in its own words, the kind is that of its own cause, and long texts are cut so
//! that both stay.

use wasmhost_protocol::ids::FunctionName;
use wasmhost_protocol::outcome::{Limit, Outcome, Verdict};
use wasmhost_protocol::policy::Limits;

use crate::components::call;
use crate::harness::{outcome, request};

/// Runs the function of a guest to its end.
async fn run(guest: &str, function: &str, args: &str, limits: Limits) -> Outcome {
    let mut request = request(args);
    request.function = FunctionName::parse(function).unwrap().into();
    request.limits = limits;
    outcome(guest, request).await
}

async fn hostile(args: &str) -> Outcome {
    run("hostile", "run", args, Limits::default()).await
}

/// The verdict on one line: its kind and its message.
fn line(outcome: &Outcome) -> String {
    match &outcome.verdict {
        Verdict::Returned(json) => format!("Returned: {json}"),
        Verdict::Failed { message, .. } => format!("Failed: {message}"),
        Verdict::Panicked(fault) => format!("Panicked: {}", fault.message),
        Verdict::Trapped(fault) => format!("Trapped: {}", fault.message),
        Verdict::Exited(fault) => format!("Exited: {}", fault.message),
        Verdict::Exceeded(limit, fault) => format!("Exceeded {limit:?}: {}", fault.message),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn an_error_that_says_nothing_is_explained_by_what_was_said_before_it() {
    let bare = run("refusing", "bare", "", Limits::default()).await;
    assert_eq!(line(&bare), "Failed: the task returned an error: invoice 4711 has no customer");
    assert_eq!(bare.stderr.unwrap(), "reading invoice 4711\ninvoice 4711 has no customer");
    let main = run("main-fails", "run", "", Limits::default()).await;
    assert_eq!(line(&main), r#"Failed: the task returned an error: Error: "invoice 4711 has no customer""#);
    assert!(main.stderr.unwrap().starts_with("reading invoice 4711\nError: "));
    let explained = run("refusing", "explained", r#"["no customer\u001b[2J"]"#, Limits::default()).await;
    assert_eq!(line(&explained), "Failed: no customer\\u{1b}[2J");
    assert_eq!(explained.stderr.unwrap(), "reading invoice 4711");
    let exited = hostile(r#"{"do":"write","text":"a\u009b\n\u202eb\n","then":{"do":"exit1"}}"#).await;
    assert_eq!(line(&exited), "Exited: exit(1): \\u{202e}b");
    assert_eq!(exited.stderr.unwrap(), "a\\u{9b}\n\\u{202e}b");
}

#[tokio::test]
async fn a_refusal_that_was_survived_is_not_blamed() {
    let then = async |deed: &str| line(&hostile(&format!(r#"{{"do":"refused","then":{deed}}}"#)).await);
    let memory = "out of memory: the limit is 134217728 bytes";
    assert_eq!(then(r#"{"do":"env"}"#).await, r#"Returned: {"args":["guest"],"vars":{}}"#);
    assert!(then(r#"{"do":"panic"}"#).await.starts_with("Panicked: a hostile panic (hostile/src/lib.rs:"));
    let before = format!("(before it the guest was refused more: {memory})");
    let stack = then(r#"{"do":"stack"}"#).await;
    assert!(stack.starts_with("Trapped: stack overflow (") && stack.ends_with(&before), "{stack}");
    let lived = then(r#"{"do":"stdout","lines":1,"then":{"do":"trap"}}"#).await;
    assert_eq!(lived, format!("Trapped: wasm `unreachable` instruction executed {before}"));
    assert_eq!(
        then(r#"{"do":"trap"}"#).await,
        format!("Exceeded Memory: {memory}"),
        "nothing was heard since"
    );
}

#[tokio::test]
async fn the_words_of_other_languages_count_whether_they_abort_or_exit() {
    let write =
        |text: &str, then: &str| format!(r#"{{"do":"write","text":"{text}","then":{{"do":"{then}"}}}}"#);
    let go = r"panic: no customer\n\ngoroutine 1 [running]:\nmain.f()\n\t/src/a.go:3 +0x2\n";
    assert_eq!(line(&hostile(&write(go, "exit1")).await), "Panicked: no customer (/src/a.go:3)");
    let python =
        r#"Traceback (most recent call last):\n  File \"a.py\", line 3, in f\nValueError: no customer\n"#;
    assert_eq!(
        line(&hostile(&write(python, "trap")).await),
        "Panicked: ValueError: no customer (a.py:3, in f)"
    );
    let no_memory = write(r"fatal error: out of memory\n", "exit1");
    assert_eq!(
        line(&hostile(&no_memory).await),
        "Panicked: fatal error: out of memory",
        "nothing was refused"
    );
    let refused = format!(r#"{{"do":"refused","then":{no_memory}}}"#);
    let wanted = "Exceeded Memory: out of memory: the limit is 134217728 bytes (fatal error: out of memory)";
    assert_eq!(line(&hostile(&refused).await), wanted);
}

#[tokio::test]
async fn last_words_stay_whatever_the_guest_writes_after_them() {
    let go = r"panic: no customer\n\ngoroutine 1 [running]:\nmain.f()\n\t/src/a.go:3 +0x2\n";
    let dump = format!(
        r#"{{"do":"write","text":"{go}","then":{{"do":"stderr","lines":3000,"then":{{"do":"exit1"}}}}}}"#
    );
    let outcome = hostile(&dump).await;
    assert_eq!(line(&outcome), "Panicked: no customer (/src/a.go:3)");
    let stderr = outcome.stderr.unwrap();
    assert!(
        stderr.starts_with("panic: no customer\n") && stderr.ends_with("\nhostile line 3000 of 3000"),
        "{stderr}"
    );
    assert!(stderr.contains(" left out …\n") && stderr.len() <= Limits::ERROR_TEXT_BYTES, "{stderr}");
}

#[tokio::test]
async fn a_backtrace_is_cut_in_its_middle_and_a_guests_names_are_no_causes() {
    let limit = "resource limit exceeded: memory count too high at 3";
    let name = |at: usize| format!("$\"{limit} {at} {}\\1b[2J\"", "N4demo".repeat(500));
    let body = |at: usize| match at {
        29 => "unreachable".to_owned(),
        _ => format!("call {}", name(at + 1)),
    };
    let functions: String = (0..30).map(|at| format!("(func {} {})\n", name(at), body(at))).collect();
    let outcome = call(
        &format!(
            "(component
                (core module $m {functions} (export \"f\" (func {})))
                (core instance $i (instantiate $m))
                (func (export \"f\") (canon lift (core func $i \"f\"))))",
            name(0)
        ),
        Limits::default(),
    )
    .await;
    assert_eq!(line(&outcome), "Trapped: wasm `unreachable` instruction executed");
    let Verdict::Trapped(fault) = outcome.verdict else { panic!("it trapped") };
    let backtrace = fault.backtrace.unwrap();
    assert!(backtrace.len() <= Limits::ERROR_TEXT_BYTES && !backtrace.contains('\u{1b}'), "{backtrace}");
    assert!(backtrace.starts_with(&format!("{limit} 29 ")), "innermost first: {backtrace}");
    assert!(backtrace.lines().last().unwrap().starts_with(&format!("{limit} 0 ")), "{backtrace}");
    assert!(backtrace.contains(" frames left out …\n"), "{backtrace}");
}

/// The engine has no types for these limits. Provoking them shows whether a new version of it has other words.
#[tokio::test]
async fn limits_that_the_engine_only_has_words_for_are_recognised() {
    let limits = Limits { memory_bytes: 512 << 20, result_bytes: 1 << 30, ..Limits::default() };
    let large = run("hostile", "run", r#"{"do":"big-result","bytes":70000000}"#, limits).await;
    assert!(matches!(large.verdict, Verdict::Exceeded(Limit::Result, _)), "{large:?}");
    for handles in [0, 1] {
        let limits = Limits { handles, ..Limits::default() };
        let none = run("hostile", "run", r#"{"do":"stderr","lines":1}"#, limits).await;
        assert!(matches!(none.verdict, Verdict::Exceeded(Limit::Instances, _)), "{handles}: {none:?}");
    }
}

#[tokio::test]
async fn what_readers_read_differently_is_no_result_no_meta_and_no_details() {
    let say = async |deed: &str| hostile(deed).await;
    let twice = r#"{\"a\":[0,{\"b\":1,\"\\u0062\":2}]}"#;
    let result = say(&format!(r#"{{"do":"say","result":"{twice}"}}"#)).await;
    assert_eq!(
        line(&result),
        "Failed: the handler returned an object with a name twice: a[1].b: given twice"
    );
    let deep = format!(r#"{{"do":"say","result":"{}{}"}}"#, "[".repeat(65), "]".repeat(65));
    assert_eq!(line(&say(&deep).await), "Failed: the handler returned a text that is nested deeper than 64");
    let meta = say(&format!(r#"{{"do":"meta","text":"{twice}"}}"#)).await;
    assert_eq!(line(&meta), r#"Returned: "invalid-state: meta: a[1].b: given twice""#);
    let failed = say(&format!(r#"{{"do":"fail","message":"no","details":"{twice}"}}"#)).await;
    let Verdict::Failed { details: Some(details), .. } = failed.verdict else { panic!("{failed:?}") };
    assert_eq!(details.read::<String>().unwrap(), r#"{"a":[0,{"b":1,"\u0062":2}]}"#, "kept as its text");
}
