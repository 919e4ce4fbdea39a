//! A queue's consumer as async-nats has it: the crate itself shows only its name and when it was created.

use async_nats::jetstream::consumer::PullConsumer;
use wasmhost_nats::QueueConsumer;
use wasmhost_testing::Bench;

pub(crate) async fn pull_consumer(bench: &Bench, consumer: &QueueConsumer) -> PullConsumer {
    let jobs =
        bench.jetstream.get_stream_no_info(bench.connection.names.jobs_stream()).await.expect("a name");
    jobs.get_consumer(&consumer.name).await.expect("the consumer is there")
}
