//! What a guest posts: the newest wins, nothing is skipped, and what nobody takes is bounded.

use futures::FutureExt;
use wasmhost_protocol::log::{LogLevel, LogStream};

use super::log_queue::{WAITING_BYTES, WAITING_LINES};
use super::*;

fn update(state: &str, meta: &str) -> StateUpdate {
    StateUpdate { state: StateName::parse(state).unwrap(), meta: Some(Json::parse(meta).unwrap()) }
}

#[tokio::test]
async fn the_newest_update_of_a_name_wins() {
    let updates = GuestUpdates::new();
    updates.post_state(update("A", "1")).await;
    updates.post_state(update("A", "2")).await;
    updates.changed().await;
    assert_eq!(updates.take().unwrap().update, Some(update("A", "2")));
    assert_eq!(updates.take(), None);
}

#[tokio::test]
async fn a_change_of_name_is_never_skipped() {
    let updates = GuestUpdates::new();
    updates.post_state(update("A", "1")).await;
    let mut second = Box::pin(updates.post_state(update("B", "2")));
    assert!(second.as_mut().now_or_never().is_none());
    assert_eq!(updates.take().unwrap().update, Some(update("A", "1")));
    second.await;
    assert_eq!(updates.take().unwrap().update, Some(update("B", "2")));
}

#[tokio::test]
async fn a_dropped_wait_loses_nothing() {
    let updates = GuestUpdates::new();
    assert!(updates.changed().now_or_never().is_none());
    updates.post_checkpoint(Bytes::from_static(b"c"));
    assert!(updates.changed().now_or_never().is_some());
    assert!(updates.changed().now_or_never().is_some());
    assert_eq!(updates.take().unwrap().checkpoint.unwrap(), "c");
}

#[tokio::test]
async fn lines_that_nobody_reads_are_counted() {
    let updates = GuestUpdates::new();
    let line =
        GuestLine { level: LogLevel::Info, stream: LogStream::Guest, message: "x".into(), fields: None };
    for _ in 0..WAITING_LINES + 3 {
        updates.log(line.clone());
    }
    assert_eq!(updates.dropped_lines(), 3);
    updates.end_logs();
    let mut logs = updates.logs();
    for _ in 0..WAITING_LINES {
        assert_eq!(logs.recv().await, Some(line.clone()));
    }
    assert_eq!(logs.recv().await, None);
    assert_eq!(updates.logs().recv().await, None);
}

#[tokio::test]
async fn lines_that_wait_take_no_more_than_their_room_whatever_their_length() {
    let updates = GuestUpdates::new();
    let line = GuestLine {
        level: LogLevel::Info,
        stream: LogStream::Stdout,
        message: "\\u{1b}".repeat(8 << 10),
        fields: None,
    };
    let fit = WAITING_BYTES / line.bytes();
    assert!(fit < 10, "{fit}");
    let mut logs = updates.logs();
    for round in 1..=3 {
        for _ in 0..WAITING_LINES {
            updates.log(line.clone());
        }
        assert_eq!(updates.dropped_lines(), round * (WAITING_LINES - fit) as u64);
        assert_eq!(std::iter::from_fn(|| logs.try_recv()).count(), fit);
    }
}
