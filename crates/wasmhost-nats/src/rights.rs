//! Whether the user of a connection has the rights of a host, found out by trying each in a way that changes nothing.
//! Without this, a host that may not pull would report that it serves, and do nothing.
//!
//! The server reports a denial apart from any answer, in the order in which it was asked. So all rights are tried at
//! once, and one round trip later all missing ones are known. No try asks for an answer, since JetStream ignores a
//! request without a reply; and a message to a stream expects a stream that does not exist, and is dropped.

use std::collections::BTreeSet;
use std::fmt;

use nats_wire::{HeaderBlock, Wire};
use tokio::time::timeout;
use wasmhost_protocol::ids::{JobId, JobKey, QueueName, TaskName};
use wasmhost_protocol::names::{Access, Right, header};

use crate::connect::{ANSWER_TIMEOUT, Connection};
use crate::ids::random_token;

/// A stream that cannot exist, since no stream's name has a dot.
const NO_STREAM: &str = "no.stream";
const ACCESSES: [(Access, &str); 2] = [(Access::Publish, "publish to"), (Access::Subscribe, "subscribe to")];

/// Why it is not known that the user of a connection has the rights of a host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RightsError {
    /// The user lacks these rights, which are all that are missing.
    #[error("{}", Missing(.0))]
    Missing(Vec<Right>),
    /// There is no answer.
    #[error("check the permissions of this host's user: {0}")]
    Unreachable(String),
}

/// The missing rights, with the lines of the server's configuration that grant them.
struct Missing<'a>(&'a [Right]);

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server does not permit what a host does:")?;
        for (access, preposition) in ACCESSES {
            for (subject, purpose) in self.missing(access) {
                write!(f, "\n  {preposition} `{subject}`, for {purpose}")?;
            }
        }
        write!(
            f,
            "\ngrant it in `permissions` of this host's user in the server's configuration, and deny none of it:"
        )?;
        for (access, preposition) in ACCESSES {
            let subjects: Vec<_> = self.missing(access).map(|(subject, _)| format!("{subject:?}")).collect();
            let word = preposition.trim_end_matches(" to");
            if !subjects.is_empty() {
                write!(f, "\n  {word}: {{ allow: [{}] }}", subjects.join(", "))?;
            }
        }
        Ok(())
    }
}

impl Missing<'_> {
    /// The subjects of the missing rights of this kind, each once, with their purposes.
    fn missing(&self, access: Access) -> impl Iterator<Item = (&str, &str)> {
        let mut seen = BTreeSet::new();
        let missing = self.0.iter().filter(move |right| right.access == access);
        missing
            .map(|right| (&*right.subject, right.purpose))
            .filter(move |(subject, _)| seen.insert(*subject))
    }
}

/// Checks that the user of the connection has the rights of a host that serves these queues.
pub async fn check_rights(connection: &Connection, queues: &[QueueName]) -> Result<(), RightsError> {
    let seen = connection.denials.count();
    let tried = match timeout(ANSWER_TIMEOUT, try_all(connection, queues)).await {
        Ok(tried) => tried.map_err(RightsError::Unreachable)?,
        Err(_) => {
            return Err(RightsError::Unreachable("the server does not pass on what it is told".to_owned()));
        }
    };
    let is_denied = |right: &Right| connection.denials.has_denied(seen, &right.tried);
    let missing: Vec<_> = tried.into_iter().filter(is_denied).collect();
    if missing.is_empty() { Ok(()) } else { Err(RightsError::Missing(missing)) }
}

/// Tries all rights, and returns them once the server has reported every denial.
async fn try_all(connection: &Connection, queues: &[QueueName]) -> Result<Vec<Right>, String> {
    // Over the edge connection, since the subscriptions may bring what strangers send.
    let wire = connection.edge().await.map_err(|error| error.to_string())?;
    let names = &connection.names;
    let rights = names.rights_of_host(queues, &unused_key());
    for right in &rights {
        match right.access {
            Access::Subscribe => wire.subscribe(right.tried.clone(), None, 1).await.drain().await,
            Access::Publish => publish_harmless(wire, &right.tried, &right.harmless).await?,
        }
    }
    // A message to oneself comes after all denials before it.
    hear_oneself(connection, wire).await?;
    Ok(rights)
}

/// Sends a broadcast to itself by way of the server, and waits until it has come, or is denied.
async fn hear_oneself(connection: &Connection, wire: &Wire) -> Result<(), String> {
    let subject = connection.names.revoke_broadcast(&unused_key());
    let hearing = async {
        let mut heard = wire.subscribe(subject.clone(), None, 1).await;
        wire.publish(&subject, None, None, b"").await.map_err(|error| error.to_string())?;
        heard.next().await.map(drop).ok_or_else(|| "a subscription ended".to_owned())
    };
    connection.denials.or_denied(&subject, hearing).await.unwrap_or(Ok(()))
}

/// The key of a job that nobody has submitted.
fn unused_key() -> JobKey {
    let id = JobId::parse(&random_token().to_string()).expect("hexadecimal digits are an id");
    JobKey::new(TaskName::parse("rights.check").expect("a task's name"), id)
}

async fn publish_harmless(wire: &Wire, subject: &str, body: &str) -> Result<(), String> {
    let headers =
        HeaderBlock::of([(header::EXPECTED_STREAM, NO_STREAM)]).expect("a name can stand in a header");
    let published = wire.publish(subject, None, Some(&headers), body.as_bytes()).await;
    published.map_err(|error| error.to_string())
}
