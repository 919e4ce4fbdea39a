//! What hosts say of a job while it waits with them, such as that its module is being compiled: lines of their own in the
//! job's log. They cost nothing where nobody listens, and nothing depends on them.

use nats_wire::Subscription;
use wasmhost_nats::ConnectError;
use wasmhost_protocol::log::{LogLine, LogStream};

use crate::job::JobHandle;

/// How many lines wait to be taken. Further ones are dropped.
const WAITING: usize = 256;

/// The lines that hosts write into the log of one job, from when this was made.
pub struct Notes(Subscription);

impl JobHandle {
    /// Listens to what hosts say of the job. Where the server does not permit that, no line ever comes.
    ///
    /// # Errors
    ///
    /// The connection for what strangers send cannot be made.
    pub async fn notes(&self) -> Result<Notes, ConnectError> {
        let connection = self.client.connection();
        let subject = connection.names.logs_subject(&self.key);
        Ok(Notes(connection.edge().await?.subscribe(subject, None, WAITING).await))
    }
}

impl Notes {
    /// Waits for the next line. The future may be dropped without losing one.
    pub async fn next(&mut self) -> String {
        while let Some(message) = self.0.next().await {
            if let Ok(line) = serde_json::from_slice::<LogLine>(&message.payload)
                && line.stream == LogStream::Host
            {
                return line.message;
            }
        }
        // The subscription has ended, which says nothing of the job: who waits for both waits on for the record.
        std::future::pending().await
    }
}
