//! Revoking: queued jobs end here, running ones are asked.

use std::time::Duration;

use futures::StreamExt;
use wasmhost_client::protocol::ids::JobKey;
use wasmhost_client::protocol::machine::{Transition, Writer};
use wasmhost_client::protocol::record::StateLabel;
use wasmhost_client::{RevokeError, RevokeOptions};
use wasmhost_nats::now;

use crate::{Bench, soon};

#[tokio::test]
async fn a_queued_job_is_revoked_and_its_message_left_for_a_host() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let record = job.revoke("user left").await.unwrap();
    assert_eq!((record.label(), record.attempt), (StateLabel::Revoked, 0));
    assert_eq!(job.record().await.unwrap().revoke.clone().unwrap().reason, "user left");
    assert!(bench.message(&job).await.is_some());
    assert_eq!(job.revoke("again").await.unwrap().revoke.clone().unwrap().reason, "user left");
}

#[tokio::test]
async fn a_running_job_is_asked_its_host_woken_and_its_end_awaited() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let token = bench.claim(&job).await;
    let connection = bench.client.connection();
    let mut words = bench.server.nats.subscribe(connection.names.revoke_broadcast_filter()).await.unwrap();
    bench.server.round_trip().await;
    let host = async {
        let word = words.next().await.unwrap();
        assert_eq!(word.subject.as_str(), connection.names.revoke_broadcast(job.key()));
        let asked = job.record().await.unwrap().revoke.clone().unwrap();
        assert!(asked.stop_at > now().plus(Duration::from_secs(20)), "{asked:?}");
        bench
            .write(
                &job,
                Writer::Owner(token),
                Transition::Revoked { reason: String::new(), usage: None },
                None,
            )
            .await;
    };
    let options = RevokeOptions::new("stop").with_grace(Duration::from_secs(30));
    let (revoked, ()) = soon(async { tokio::join!(job.revoke_with(options), host) }).await;
    assert_eq!(revoked.unwrap().revoke.clone().unwrap().reason, "stop");
}

#[tokio::test]
async fn only_if_queued_leaves_a_running_job_alone() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    bench.claim(&job).await;
    let options = RevokeOptions::default().if_queued();
    let error = job.revoke_with(options).await.unwrap_err();
    assert!(matches!(error, RevokeError::AlreadyRunning { .. }), "{error}");
    assert_eq!(job.record().await.unwrap().revoke, None);
}

#[tokio::test]
async fn a_job_that_waits_for_its_retry_is_revoked_at_once() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let token = bench.claim(&job).await;
    let not_before = now().plus(Duration::from_secs(60));
    let retry = Transition::Retry { reason: "busy".to_owned(), not_before, charge: true, usage: None };
    bench.write(&job, Writer::Owner(token), retry, None).await;
    assert_eq!(job.revoke("stop").await.unwrap().label(), StateLabel::Revoked);
}

#[tokio::test]
async fn a_second_revoke_only_moves_the_time_to_stop_earlier() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    bench.claim(&job).await;
    let ask = async |reason: &str, seconds| {
        let grace = Duration::from_secs(seconds);
        let options = RevokeOptions::new(reason).with_grace(grace);
        job.request_revoke(options).await.unwrap().revoke.clone().unwrap()
    };
    let first = ask("first", 60).await;
    assert_eq!(ask("later", 600).await, first);
    let sooner = ask("sooner", 1).await;
    assert!(sooner.stop_at < first.stop_at && sooner.reason == "first", "{sooner:?}");
}

#[tokio::test]
async fn an_ended_job_is_too_late_and_an_unknown_one_not_found() {
    let bench = Bench::start().await;
    let job = bench.submit("a").await;
    let token = bench.claim(&job).await;
    bench.succeed(&job, token, "7", None).await;
    let error = job.revoke("stop").await.unwrap_err();
    assert!(
        matches!(&error, RevokeError::TooLate { record } if record.label() == StateLabel::Success),
        "{error}"
    );
    assert_eq!(error.to_string(), "too late: job demo.run.a is SUCCESS");
    let unknown = bench.client.job(&JobKey::parse("demo.run.b").unwrap());
    assert!(matches!(unknown.revoke("stop").await, Err(RevokeError::NotFound { .. })));
}
