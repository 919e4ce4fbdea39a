//! What hosts say of a job while it waits with them: lines of their own among those that the guest logs. They cost nothing to
//! anybody who does not listen, and tell nothing that the record would have to.

use nats_wire::Subscription;
use serde::Deserialize;
use wasmhost_nats::ConnectError;

use crate::job::Handle;

/// Lines that wait to be taken; of more, the newest are missed.
const WAITING: usize = 256;
/// The stream of a host's own lines.
const OF_HOSTS: &str = "host";

/// The lines of hosts on one job's log, from when it was made.
pub struct Notes(Subscription);

#[derive(Deserialize)]
struct Line {
    stream: String,
    message: String,
}

impl Handle {
    /// Listens to what hosts say of the job. Where the server does not permit that, there is nothing to hear.
    pub async fn notes(&self) -> Result<Notes, ConnectError> {
        let connection = self.client.connection();
        let subject = connection.names.logs_subject(&self.key);
        Ok(Notes(connection.edge().await?.subscribe(subject, None, WAITING).await))
    }
}

impl Notes {
    /// The next one. Safe to drop.
    pub async fn next(&mut self) -> String {
        while let Some(message) = self.0.next().await {
            if let Ok(line) = serde_json::from_slice::<Line>(&message.payload)
                && line.stream == OF_HOSTS
            {
                return line.message;
            }
        }
        std::future::pending().await
    }
}
