//! A queue's consumer as async-nats has it: the crate itself shows only its name and when it was created.

use async_nats::jetstream::consumer::PullConsumer;
use wasmhost_nats::{Connection, QueueConsumer};

pub(crate) async fn pull_consumer(connection: &Connection, consumer: &QueueConsumer) -> PullConsumer {
    let jobs = connection.jetstream.get_stream_no_info(connection.names.jobs_stream()).await.expect("a name");
    jobs.get_consumer(&consumer.name).await.expect("the consumer is there")
}
