//! What a guest posts reaches its host: every state, the newest checkpoint, the log lines.

use wasmhost_protocol::json::Json;
use wasmhost_protocol::log::{LogLevel, LogStream};
use wasmhost_protocol::outcome::Verdict;

use crate::harness::{request, soon, start};

#[tokio::test]
async fn no_state_name_is_ever_skipped() {
    let running = start("hostile", request(r#"{"do":"states","n":50}"#)).await;
    for i in 0..50 {
        soon(running.updates.changed()).await;
        let update = running.updates.take().unwrap().update.unwrap();
        assert_eq!(update.state.as_str(), if i % 2 == 0 { "EVEN" } else { "ODD" });
        assert_eq!(update.meta.unwrap().as_str(), format!(r#"{{"i":{i}}}"#));
    }
    assert!(matches!(soon(running.outcome).await.verdict, Verdict::Returned(_)));
    assert_eq!(running.updates.take(), None);
}

#[tokio::test]
async fn the_newest_update_of_one_name_wins() {
    let running = start("progress", request(r#"{"steps":1000,"delay_ms":0}"#)).await;
    assert!(matches!(soon(running.outcome).await.verdict, Verdict::Returned(_)));
    let update = running.updates.take().unwrap().update.unwrap();
    let meta: serde_json::Value = update.meta.unwrap().read().unwrap();
    assert_eq!(meta["current"], 1000);
}

#[tokio::test]
async fn a_checkpoint_is_there_at_the_next_attempt() {
    let first = start("hostile", request(r#"{"do":"checkpoint","fail_times":1}"#)).await;
    assert!(matches!(soon(first.outcome).await.verdict, Verdict::Failed { .. }));
    let mut next = request(r#"{"do":"checkpoint","fail_times":1}"#);
    next.checkpoint = first.updates.take().unwrap().checkpoint;
    let second = start("hostile", next).await;
    assert_eq!(soon(second.outcome).await.verdict, Verdict::Returned(Json::parse(r#"{"count":2}"#).unwrap()));
}

#[tokio::test]
async fn log_lines_and_standard_error_arrive() {
    let running = start("progress", request(r#"{"steps":1}"#)).await;
    let mut logs = running.updates.logs();
    let first = soon(logs.recv()).await.unwrap();
    assert_eq!(
        (first.level, first.stream, first.message.as_str()),
        (LogLevel::Info, LogStream::Guest, "starting")
    );
    assert_eq!(first.fields, Some(Json::parse(r#"{"steps":1}"#).unwrap()));
    soon(running.outcome).await;

    let running = start("hostile", request(r#"{"do":"stderr","lines":2}"#)).await;
    let mut logs = running.updates.logs();
    soon(running.outcome).await;
    let line = logs.recv().await.unwrap();
    assert_eq!((line.stream, line.message.as_str()), (LogStream::Stderr, "hostile line 1 of 2"));
    assert!(logs.recv().await.is_some());
    assert_eq!(logs.recv().await, None);
}
