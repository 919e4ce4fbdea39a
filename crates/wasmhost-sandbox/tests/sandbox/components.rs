//! Components as the tools of other people make them: composed ones, those of languages with exceptions and collected
//! objects, those with types that have no JSON form. They are written as text here, so that each is exactly its case.

use wasmhost_protocol::ids::FunctionName;
use wasmhost_protocol::outcome::{Outcome, Verdict};
use wasmhost_protocol::policy::Limits;
use wasmhost_sandbox::{LoadError, inspect};

use crate::harness::{digest_of, request, sandbox, soon, wasm};

/// Makes the component that `text` describes.
pub(crate) fn component(text: &str) -> bytes::Bytes {
    wat::parse_str(text).unwrap().into()
}

/// Calls the function `f` of a component once.
pub(crate) async fn call(text: &str, limits: Limits) -> Outcome {
    let sandbox = sandbox(2, None);
    let wasm = component(text);
    let module = sandbox.load(digest_of(&wasm), wasm).await.unwrap();
    let mut request = request("");
    request.function = FunctionName::parse("f").unwrap().into();
    request.limits = limits;
    soon(sandbox.start(&module, request).outcome).await
}

async fn returned(text: &str) -> String {
    let outcome = call(text, Limits::default()).await;
    let Verdict::Returned(json) = outcome.verdict else { panic!("{outcome:?}") };
    json.to_string()
}

/// A component that exports the function `f` of a core module.
fn lifted(module: &str) -> String {
    format!(
        "(component
            (core module $m {module})
            (core instance $i (instantiate $m))
            (func (export \"f\") (result u32) (canon lift (core func $i \"f\"))))"
    )
}

#[tokio::test]
async fn exceptions_are_thrown_and_caught() {
    let text = lifted(
        "(tag $oops (param i32))
         (func (export \"f\") (result i32)
            (block $caught (result i32)
                (try_table (result i32) (catch $oops $caught)
                    i32.const 41
                    throw $oops))
            i32.const 1
            i32.add)",
    );
    assert_eq!(returned(&text).await, "42");
}

#[tokio::test]
async fn collected_objects_live_within_the_memory_limit() {
    let text = |count: u32| {
        lifted(&format!(
            "(type $node (struct (field (mut i64)) (field (ref null $node))))
             (func (export \"f\") (result i32)
                (local $list (ref null $node)) (local $left i32)
                (local.set $left (i32.const {count}))
                (loop $more
                    (local.set $list (struct.new $node (i64.const 7) (local.get $list)))
                    (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
                (i32.wrap_i64 (struct.get $node 0 (local.get $list))))"
        ))
    };
    assert_eq!(returned(&text(1_000)).await, "7");
    let limits = Limits { memory_bytes: 8 << 20, ..Limits::default() };
    let outcome = call(&text(10_000_000), limits).await;
    assert!(
        matches!(outcome.verdict, Verdict::Exceeded(wasmhost_protocol::outcome::Limit::Memory, _)),
        "{outcome:?}"
    );
    assert!(outcome.usage.memory_peak_bytes <= 8 << 20, "{outcome:?}");
}

#[tokio::test]
async fn a_component_composed_of_many_runs() {
    let parts: String = (0..12)
        .map(|n| {
            format!(
                "(component $part{n}
                    (core module $m (memory 1) (table 1 funcref) (func (export \"g\") (result i32) (i32.const {n})))
                    (core instance $i (instantiate $m))
                    (func (export \"g\") (result u32) (canon lift (core func $i \"g\"))))
                 (instance $i{n} (instantiate $part{n}))"
            )
        })
        .collect();
    let text = format!("(component {parts} (export \"f\" (func $i11 \"g\")))");
    assert_eq!(returned(&text).await, "11");
}

#[tokio::test]
async fn more_parts_than_there_is_room_for_are_named_with_the_number() {
    let memories: String = (0..40).map(|_| "(memory 1)").collect();
    let text = lifted(&format!("{memories} (func (export \"f\") (result i32) (i32.const 1))"));
    let wasm = component(&text);
    let error = sandbox(1, None).load(digest_of(&wasm), wasm).await.unwrap_err().to_string();
    assert!(error.contains("memories count of 40 exceeds the per-instance limit of 32"), "{error}");
}

#[tokio::test]
async fn a_64_bit_memory_follows_the_limit() {
    let text = lifted(
        "(memory i64 1)
         (func (export \"f\") (result i32) (i32.wrap_i64 (memory.grow (i64.const 1024))))",
    );
    assert_eq!(returned(&text).await, "1");
    let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let Verdict::Returned(refused) = call(&text, limits).await.verdict else { panic!("it traps") };
    assert_eq!(refused.to_string(), "4294967295");
}

#[tokio::test]
async fn a_large_first_memory_follows_the_limit_and_is_named_where_no_limit_allows_it() {
    let text =
        |pages: u32| lifted(&format!("(memory {pages}) (func (export \"f\") (result i32) (memory.size))"));
    let limits = Limits { memory_bytes: 256 << 20, ..Limits::default() };
    let Verdict::Returned(size) = call(&text(4_000), limits).await.verdict else { panic!("it traps") };
    assert_eq!(size.to_string(), "4000");
    let outcome = call(&text(4_000), Limits::default()).await;
    assert!(
        matches!(outcome.verdict, Verdict::Exceeded(wasmhost_protocol::outcome::Limit::Memory, _)),
        "{outcome:?}"
    );
    let wasm = component(&text(16_000));
    let error = sandbox(1, None).load(digest_of(&wasm), wasm).await.unwrap_err().to_string();
    assert!(error.contains("1048576000") && error.contains("--memory-limit"), "{error}");
}

/// A function with a map, and one without.
const MAP: &str = "(component
        (core module $m
            (memory (export \"m\") 1)
            (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 0))
            (func (export \"g\") (param i32 i32))
            (func (export \"f\") (result i32) (i32.const 5)))
        (core instance $i (instantiate $m))
        (type $map (map string u32))
        (func (export \"g\") (param \"counts\" $map)
            (canon lift (core func $i \"g\") (memory (core memory $i \"m\")) (realloc (core func $i \"realloc\"))))
        (func (export \"f\") (result u32) (canon lift (core func $i \"f\"))))";

#[test]
fn a_function_with_a_map_is_refused_by_name() {
    let manifest = inspect(&component(MAP)).unwrap();
    assert_eq!(manifest.tasks[0].function.as_str(), "f");
    assert_eq!(manifest.refused[0].name, "g");
    assert!(manifest.refused[0].reason.contains("`counts` has a map in it"), "{manifest:?}");
}

#[tokio::test]
async fn a_component_with_a_map_runs_its_other_functions() {
    assert_eq!(returned(MAP).await, "5");
}

#[test]
fn an_instance_within_an_instance_is_named() {
    let text = "(component
        (core module $m (func (export \"f\") (result i32) (i32.const 5)))
        (core instance $i (instantiate $m))
        (func $f (result u32) (canon lift (core func $i \"f\")))
        (instance $inner (export \"deep\" (func $f)))
        (instance $outer (export \"inner\" (instance $inner)))
        (export \"outer\" (instance $outer))
        (export \"f\" (func $f)))";
    let manifest = inspect(&component(text)).unwrap();
    assert_eq!(manifest.tasks.len(), 1);
    assert_eq!(manifest.refused[0].name, "outer#inner");
    assert!(manifest.refused[0].reason.contains("an instance within an instance"), "{manifest:?}");
}

#[test]
fn a_component_without_a_task_is_refused_with_each_export() {
    let text = "(component
        (core module $m (func (export \"f\") (result i32) (i32.const 5)))
        (core instance $i (instantiate $m))
        (func $f (result u32) (canon lift (core func $i \"f\")))
        (instance $inner (export \"deep\" (func $f)))
        (instance $outer (export \"inner\" (instance $inner)))
        (export \"outer\" (instance $outer))
        (component $part)
        (export \"part\" (component $part))
        (export \"code\" (core module $m))
        (instance $empty)
        (export \"empty\" (instance $empty)))";
    let error = inspect(&component(text)).unwrap_err();
    assert!(matches!(&error, LoadError::NoTask(refused) if refused.len() == 4), "{error}");
    let error = error.to_string();
    for part in
        ["`outer#inner`: an instance within", "`part`: a component", "`code`: a core module", "`empty`: "]
    {
        assert!(error.contains(part), "{error}");
    }
    let error = inspect(&component("(component)")).unwrap_err().to_string();
    assert!(error.contains("it exports no task"), "{error}");
}

#[test]
fn a_release_candidate_of_wasi_is_named_with_the_fix() {
    let text = "(component
        (import \"wasi:io/poll@0.2.0-rc-2023-11-10\" (instance (export \"poll\" (func))))
        (core module $m (func (export \"f\")))
        (core instance $i (instantiate $m))
        (func (export \"f\") (canon lift (core func $i \"f\"))))";
    let error = inspect(&component(text)).unwrap_err().to_string();
    assert!(error.contains("nobody provides the imports wasi:io/poll@0.2.0-rc-2023-11-10"), "{error}");
    assert!(error.contains("build it with a toolchain of 2024 or later"), "{error}");
}

/// A component of two parts, of which one calls the function of the other; `lift` and `lower` say how.
fn nested(ty: &str, lift: &str, lower: &str) -> String {
    format!(
        "(component
            (component $callee
                (core module $m
                    (func (export \"g\") (result i32) (i32.const 0))
                    (func (export \"cb\") (param i32 i32 i32) (result i32) (i32.const 0))
                    (func (export \"sync\")))
                (core instance $i (instantiate $m))
                (func (export \"g\") {ty} (canon lift {lift})))
            (instance $c (instantiate $callee))
            (component $caller
                (import \"g\" (func $g {ty}))
                (core module $m
                    (import \"\" \"g\" (func $g (result i32)))
                    (func (export \"f\")))
                (core module $s
                    (import \"\" \"g\" (func $g))
                    (func (export \"f\")))
                {lower}
                (func (export \"f\") (canon lift (core func $i \"f\"))))
            (instance $r (instantiate $caller (with \"g\" (func $c \"g\"))))
            (export \"f\" (func $r \"f\")))"
    )
}

#[test]
fn calls_between_parts_that_take_a_stack_each_are_refused() {
    let asynchronous = "(core func $i \"g\") async (callback (core func $i \"cb\"))";
    let synchronous = "(core func $i \"sync\")";
    let lowered_async = "(core func $l (canon lower (func $g) async))
        (core instance $x (export \"g\" (func $l)))
        (core instance $i (instantiate $m (with \"\" (instance $x))))";
    let lowered = "(core func $l (canon lower (func $g)))
        (core instance $x (export \"g\" (func $l)))
        (core instance $i (instantiate $s (with \"\" (instance $x))))";
    for (ty, lift, lower) in [
        ("async", asynchronous, lowered),
        ("async", asynchronous, lowered_async),
        ("async", synchronous, lowered_async),
    ] {
        let error = inspect(&component(&nested(ty, lift, lower))).unwrap_err().to_string();
        assert!(error.contains("asynchronous functions, for which no host has the stacks"), "{error}");
    }
    assert_eq!(inspect(&component(&nested("", synchronous, lowered))).unwrap().tasks.len(), 1);
}

#[test]
fn an_asynchronous_function_is_refused_by_name_and_the_others_run() {
    let text = "(component
        (core module $m
            (func (export \"g\") (result i32) (i32.const 0))
            (func (export \"cb\") (param i32 i32 i32) (result i32) (i32.const 0))
            (func (export \"f\")))
        (core instance $i (instantiate $m))
        (func (export \"g\") async (canon lift (core func $i \"g\") async (callback (core func $i \"cb\"))))
        (func (export \"f\") (canon lift (core func $i \"f\"))))";
    let manifest = inspect(&component(text)).unwrap();
    assert_eq!(manifest.tasks.len(), 1);
    assert_eq!(manifest.refused[0].reason, "it is an async function");
}

#[test]
fn many_exports_of_a_large_type_are_read_within_a_budget() {
    let cases: String = (0..9_000).map(|n| format!("\"c{n}\" ")).collect();
    let exports: String = (0..5_000).map(|n| format!("(export \"f{n}\" (func $f))")).collect();
    let text = format!(
        "(component
            (core module $m (func (export \"f\") (param i32)))
            (core instance $i (instantiate $m))
            (type $enum (enum {cases}))
            (export $e \"e\" (type $enum))
            (func $f (param \"e\" $e) (canon lift (core func $i \"f\")))
            {exports})"
    );
    let manifest = inspect(&component(&text)).unwrap();
    assert!(manifest.tasks.len() < 20, "{}", manifest.tasks.len());
    let refused = manifest.refused.iter();
    assert!(refused.clone().any(|it| it.reason == "it brings the module over 100000 types"));
    let last = &refused.last().unwrap().reason;
    assert!(last.starts_with("and 47") && last.ends_with(" more"), "{last}");
    let text = serde_json::to_string(&manifest).unwrap();
    assert!(text.len() < 1 << 19, "{}", text.len());
}

#[tokio::test]
async fn the_tasks_of_an_artifact_on_disk_are_those_of_the_component() {
    let dir = tempfile::tempdir().unwrap();
    let (digest, bytes) = wasm("thumbs");
    sandbox(1, Some(dir.path().to_owned())).load(digest, bytes.clone()).await.unwrap();
    let cached = sandbox(1, Some(dir.path().to_owned())).cached(&digest).await.unwrap();
    assert_eq!(cached.manifest().unwrap(), inspect(&bytes).unwrap());
}
