//! The streams, buckets and consumers on the server, and waiting until they are empty.

use anyhow::Context;
use async_nats::jetstream::{self, consumer::PullConsumer, kv, stream};

use super::Deployment;
use crate::limit::until_true;

/// The stream of jobs.
pub const JOBS: &str = "WASMHOST_JOBS";

/// The stream of schedules, and of what they fired.
pub const SCHEDULES: &str = "WASMHOST_SCHEDULES";

/// The stream of dead-letter copies.
pub const DEAD: &str = "WASMHOST_DEAD";

/// The stream behind the bucket of records.
pub const STATES: &str = "KV_wasmhost-states";

/// The stream behind the store of large results and checkpoints.
pub const BLOBS: &str = "OBJ_wasmhost-blobs";

impl Deployment {
    /// JetStream, as any client uses it.
    #[must_use]
    pub fn jetstream(&self) -> jetstream::Context {
        jetstream::new(self.nats.clone())
    }

    /// A stream.
    ///
    /// # Errors
    ///
    /// There is no such stream.
    pub async fn stream(&self, name: &str) -> anyhow::Result<stream::Stream> {
        self.jetstream().get_stream(name).await.with_context(|| format!("the stream {name}"))
    }

    /// A bucket.
    ///
    /// # Errors
    ///
    /// There is no such bucket.
    pub async fn bucket(&self, name: &str) -> anyhow::Result<kv::Store> {
        self.jetstream().get_key_value(name).await.with_context(|| format!("the bucket {name}"))
    }

    /// The consumer of a queue.
    ///
    /// # Errors
    ///
    /// There is no such consumer.
    pub async fn consumer(&self, queue: &str) -> anyhow::Result<PullConsumer> {
        let name = format!("wasmhost-{queue}");
        let found = self.stream(JOBS).await?.get_consumer(&name).await;
        found.map_err(|error| anyhow::anyhow!("the consumer {name}: {error}"))
    }

    /// Deletes the consumer of a queue, as an operator might.
    ///
    /// # Errors
    ///
    /// There is no such consumer.
    pub async fn delete_consumer(&self, queue: &str) -> anyhow::Result<()> {
        self.stream(JOBS).await?.delete_consumer(&format!("wasmhost-{queue}")).await?;
        Ok(())
    }

    /// How many messages a stream holds.
    ///
    /// # Errors
    ///
    /// There is no such stream.
    pub async fn messages(&self, stream: &str) -> anyhow::Result<u64> {
        Ok(self.stream(stream).await?.cached_info().state.messages)
    }

    /// Waits until a stream holds no message.
    ///
    /// # Errors
    ///
    /// It takes too long.
    pub async fn until_empty(&self, stream: &str) -> anyhow::Result<()> {
        until_true(&format!("an empty {stream}"), async || Ok(self.messages(stream).await? == 0)).await
    }

    /// Waits until no job is queued, so that no message can run anything again.
    ///
    /// # Errors
    ///
    /// It takes too long.
    pub async fn until_queue_empty(&self) -> anyhow::Result<()> {
        self.until_empty(JOBS).await
    }

    /// Waits until no job is queued or scheduled, and nothing is there that a schedule fired.
    ///
    /// # Errors
    ///
    /// It takes too long.
    pub async fn until_nothing_waits(&self) -> anyhow::Result<()> {
        self.until_empty(JOBS).await?;
        self.until_empty(SCHEDULES).await
    }

    /// Waits until no blob is stored.
    ///
    /// # Errors
    ///
    /// It takes too long.
    pub async fn until_no_blobs(&self) -> anyhow::Result<()> {
        self.until_empty(BLOBS).await
    }

    /// Changes the configuration of a stream, as an operator might.
    ///
    /// # Errors
    ///
    /// There is no such stream, or the server refuses the change.
    pub async fn edit_stream(
        &self,
        name: &str,
        change: impl FnOnce(&mut stream::Config),
    ) -> anyhow::Result<()> {
        let mut config = self.stream(name).await?.cached_info().config.clone();
        change(&mut config);
        self.jetstream().update_stream(config).await?;
        Ok(())
    }

    /// Lets the job stream hold this many messages.
    ///
    /// # Errors
    ///
    /// The server refuses the change.
    pub async fn limit_queue(&self, messages: i64) -> anyhow::Result<()> {
        self.edit_stream(JOBS, |config| config.max_messages = messages).await
    }

    /// Removes all messages of the job stream, as an operator might.
    ///
    /// # Errors
    ///
    /// The server refuses it.
    pub async fn purge_queue(&self) -> anyhow::Result<()> {
        self.stream(JOBS).await?.purge().await?;
        Ok(())
    }
}
