//! A host can cancel, stop, freeze and drop an attempt, whatever the guest is doing.

use std::time::{Duration, Instant};

use wasmhost_protocol::outcome::{Limit, Outcome, Verdict};
use wasmhost_sandbox::AttemptHandle;

use crate::harness::{quiet, request, sandbox, soon, start, wasm};

/// How long a stop may take. It is long enough for a slow machine, and far shorter than the guest would run.
const STOP_TIME: Duration = Duration::from_secs(2);

async fn stopped(mut running: AttemptHandle) -> Outcome {
    assert!(quiet(&mut running.outcome).await, "it runs");
    let stopped_at = Instant::now();
    running.control.stop();
    let outcome = soon(running.outcome).await;
    assert!(stopped_at.elapsed() < STOP_TIME);
    assert_eq!(outcome.verdict, Verdict::Cancelled);
    outcome
}

#[tokio::test]
async fn a_busy_loop_is_stopped() {
    let usage = stopped(start("hostile", request(r#"{"do":"spin"}"#)).await).await.usage;
    assert!(usage.cpu_ms > 10, "{usage:?}");
}

#[tokio::test]
async fn a_sleeping_guest_is_stopped() {
    let usage = stopped(start("hostile", request(r#"{"do":"sleep","ms":600000}"#)).await).await.usage;
    assert!(usage.cpu_ms < 100, "{usage:?}");
}

#[tokio::test]
async fn a_guest_that_waits_for_its_host_is_stopped() {
    let running = start("hostile", request(r#"{"do":"states","n":5}"#)).await;
    stopped(running).await;
}

#[tokio::test]
async fn a_dropped_outcome_frees_the_slot() {
    let sandbox = sandbox(1, None);
    let (digest, bytes) = wasm("hostile");
    let module = sandbox.load(digest, bytes).await.unwrap();
    let mut first = sandbox.start(&module, request(r#"{"do":"spin"}"#));
    assert!(quiet(&mut first.outcome).await);
    drop(first);
    let second = sandbox.start(&module, request(r#"{"do":"env"}"#));
    assert!(matches!(soon(second.outcome).await.verdict, Verdict::Returned(_)));
}

#[tokio::test]
async fn a_cancelled_task_ends_by_itself() {
    let running = start("progress", request(r#"{"steps":1000000,"delay_ms":1}"#)).await;
    soon(running.updates.changed()).await;
    running.control.cancel();
    expect_own_ending(running).await;
}

#[tokio::test]
async fn the_soft_timeout_cancels() {
    let mut request = request(r#"{"steps":1000000,"delay_ms":1}"#);
    request.limits.soft_timeout = Some(Duration::from_millis(20));
    expect_own_ending(start("progress", request).await).await;
}

async fn expect_own_ending(running: AttemptHandle) {
    let outcome = soon(running.outcome).await;
    let Verdict::Failed { message, .. } = &outcome.verdict else { panic!("{outcome:?}") };
    assert!(message.starts_with("stopped at "), "{message}");
}

#[tokio::test]
async fn a_guest_without_a_lease_stands_still() {
    let mut request = request(r#"{"do":"spin"}"#);
    request.limits.cpu = Duration::from_millis(30);
    let mut running = start("hostile", request).await;
    running.control.renew(Instant::now());
    assert!(quiet(&mut running.outcome).await);
    running.control.renew(Instant::now() + Duration::from_secs(600));
    let outcome = soon(running.outcome).await;
    assert!(matches!(outcome.verdict, Verdict::Exceeded(Limit::Cpu, _)), "{outcome:?}");
}

#[tokio::test]
async fn a_guest_whose_lease_has_ended_does_not_begin() {
    let mut request = request("{}");
    request.lease_end = Some(Instant::now());
    let mut running = start("hello", request).await;
    assert!(quiet(&mut running.outcome).await);
    running.control.renew(Instant::now() + Duration::from_secs(600));
    let outcome = soon(running.outcome).await;
    assert!(matches!(outcome.verdict, Verdict::Returned(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_host_call_without_a_lease_stands_still_and_can_be_stopped() {
    let running = start("progress", request("{}")).await;
    running.control.renew(Instant::now());
    running.updates.take();
    stopped(running).await;
}
