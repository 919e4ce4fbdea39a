//! What anybody hears who subscribes on NATS: writes of records, signs of life, passes of the reconciler. Tests wait for it
//! where nothing that is stored shows how far a host has come.

use std::time::{Duration, Instant};

use anyhow::Context;
use async_nats::{Message, Subscriber};
use futures::{FutureExt, StreamExt};

use crate::{deployment::Deployment, limit::within};

/// The payload with which a host says that it still works on a delivery.
const IN_PROGRESS: &[u8] = b"+WPI";

/// Messages on subjects, from when it was made.
#[derive(Debug)]
pub struct Traffic(Subscriber);

impl Deployment {
    /// Listens to a subject.
    ///
    /// # Errors
    ///
    /// There is no connection.
    pub async fn traffic(&self, subject: &str) -> anyhow::Result<Traffic> {
        let subscriber = self.nats.subscribe(subject.to_owned()).await?;
        self.nats.flush().await?;
        Ok(Traffic(subscriber))
    }

    /// Listens to the answers that hosts give for deliveries, signs of life among them.
    ///
    /// # Errors
    ///
    /// There is no connection.
    pub async fn answers(&self) -> anyhow::Result<Traffic> {
        self.traffic("$JS.ACK.WASMHOST_JOBS.>").await
    }

    /// Listens to the writes of records of one job, whether or not there is room for them.
    ///
    /// # Errors
    ///
    /// There is no connection.
    pub async fn writes(&self, key: &str) -> anyhow::Result<Traffic> {
        self.traffic(&format!("$KV.wasmhost-states.{key}")).await
    }

    /// Listens to the reconciler of the only host that serves a queue: each pass begins with a request for
    /// information about the queue's consumer.
    ///
    /// # Errors
    ///
    /// There is no connection.
    pub async fn reconciler(&self, queue: &str) -> anyhow::Result<Traffic> {
        self.traffic(&format!("$JS.API.CONSUMER.INFO.WASMHOST_JOBS.wasmhost-{queue}")).await
    }
}

impl Traffic {
    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// None comes in time.
    pub async fn next(&mut self, what: &str) -> anyhow::Result<Message> {
        within(what, self.0.next()).await?.context("the subscription ended")
    }

    /// Waits until this many messages more have come that are `wanted`.
    ///
    /// # Errors
    ///
    /// It takes too long.
    pub async fn until(
        &mut self,
        what: &str,
        count: usize,
        wanted: impl Fn(&Message) -> bool,
    ) -> anyhow::Result<()> {
        let mut seen = 0;
        let waiting = async {
            while seen < count {
                let message = self.0.next().await.context("the subscription ended")?;
                seen += usize::from(wanted(&message));
            }
            anyhow::Ok(())
        };
        within(what, waiting).await.with_context(|| format!("of {count}, {what} came {seen} times"))?
    }

    /// Waits for a host's sign of life for a delivery that comes at least this long from now on. After more than `--ack-wait` it
    /// shows that the host has kept the delivery.
    ///
    /// # Errors
    ///
    /// It takes too long.
    pub async fn until_alive_after(&mut self, time: Duration) -> anyhow::Result<()> {
        self.so_far();
        let from = Instant::now();
        let late_enough =
            |message: &Message| message.payload.as_ref() == IN_PROGRESS && from.elapsed() >= time;
        self.until("a sign of life", 1, late_enough).await
    }

    /// Waits until a host has tried to write a record with this state.
    ///
    /// # Errors
    ///
    /// It takes too long.
    pub async fn until_state(&mut self, state: &str) -> anyhow::Result<()> {
        let field = format!(r#""state":"{state}""#);
        let has_state =
            |message: &Message| message.payload.windows(field.len()).any(|window| window == field.as_bytes());
        self.until(&format!("a write of {state}"), 1, has_state).await
    }

    /// Waits until the reconciler has gone through this many passes from now on.
    ///
    /// # Errors
    ///
    /// It takes too long.
    pub async fn until_passes(&mut self, count: usize) -> anyhow::Result<()> {
        self.so_far();
        // The beginning of the pass after the last one shows that the last one is over; the first one may be under way.
        self.until("a pass of the reconciler", count + 2, |_| true).await
    }

    /// What has come so far, without waiting.
    pub fn so_far(&mut self) -> Vec<Message> {
        std::iter::from_fn(|| self.0.next().now_or_never().flatten()).collect()
    }
}
