//! Whether the user of a connection may do what a host does, found out by trying in a way that changes nothing. Without
//! this a host that may not pull would say that it serves, and do nothing.
//!
//! The server says what it denies apart from any answer, in the order in which it was asked. So all rights are tried at once,
//! and one round trip later all that are missing are known. Nothing that is tried asks for an answer: JetStream ignores such
//! requests. What goes to a stream expects one that does not exist, and is dropped.

use std::collections::BTreeSet;
use std::fmt;

use nats_wire::{Headers, Message, Wire};
use tokio::time::timeout;
use wasmhost_protocol::ids::{JobId, JobKey, QueueName, TaskName};
use wasmhost_protocol::names::{Right, Way, header};

use crate::connect::{ANSWER_TIMEOUT, Connection};
use crate::ids::random_token;

/// A stream that there is never: the name of one has no dot.
const NO_STREAM: &str = "no.stream";
const WAYS: [(Way, &str); 2] = [(Way::Publish, "publish to"), (Way::Subscribe, "subscribe to")];

/// Why the rights of a host are not known to be enough.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RightsError {
    /// Some are missing: all of them.
    #[error("{}", Missing(.0))]
    Missing(Vec<Right>),
    /// No answer.
    #[error("check the permissions of this host's user: {0}")]
    Unreachable(String),
}

/// What is missing, with the lines that grant it.
struct Missing<'a>(&'a [Right]);

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server does not permit what a host does:")?;
        for (way, preposition) in WAYS {
            for (subject, purpose) in self.of(way) {
                write!(f, "\n  {preposition} `{subject}`, for {purpose}")?;
            }
        }
        write!(
            f,
            "\ngrant it in `permissions` of this host's user in the server's configuration, and deny none of it:"
        )?;
        for (way, preposition) in WAYS {
            let subjects: Vec<_> = self.of(way).map(|(subject, _)| format!("{subject:?}")).collect();
            let word = preposition.trim_end_matches(" to");
            if !subjects.is_empty() {
                write!(f, "\n  {word}: {{ allow: [{}] }}", subjects.join(", "))?;
            }
        }
        Ok(())
    }
}

impl Missing<'_> {
    /// Each subject once, with its purpose.
    fn of(&self, way: Way) -> impl Iterator<Item = (&str, &str)> {
        let mut seen = BTreeSet::new();
        let of_way = self.0.iter().filter(move |right| right.way == way);
        of_way.map(|right| (&*right.subject, right.purpose)).filter(move |(subject, _)| seen.insert(*subject))
    }
}

/// Checks that a host of these queues may do what it must.
pub async fn check_rights(connection: &Connection, queues: &[QueueName]) -> Result<(), RightsError> {
    let seen = connection.denials.count();
    let tried = match timeout(ANSWER_TIMEOUT, try_all(connection, queues)).await {
        Ok(tried) => tried.map_err(RightsError::Unreachable)?,
        Err(_) => {
            return Err(RightsError::Unreachable("the server does not pass on what it is told".to_owned()));
        }
    };
    let denied = |right: &Right| connection.denials.name(seen, &right.tried);
    let missing: Vec<_> = tried.into_iter().filter(denied).collect();
    if missing.is_empty() { Ok(()) } else { Err(RightsError::Missing(missing)) }
}

/// Tries all rights; those that were tried.
async fn try_all(connection: &Connection, queues: &[QueueName]) -> Result<Vec<Right>, String> {
    // What strangers send is heard meanwhile, too.
    let wire = connection.edge().await.map_err(|error| error.to_string())?;
    let (names, key) = (&connection.names, nobodys_key());
    let mut rights = names.rights_of_host(queues, &key);
    for right in &rights {
        match right.way {
            // Ended at once: the server allows one answer to a question that it passes on, and counts each that hears it.
            Way::Subscribe => wire.subscribe(right.tried.clone(), None, 1).await.drain().await,
            Way::Publish => tell(wire, &right.tried, &right.harmless).await?,
        }
    }
    // What comes back to a question of one's own comes after all that was denied before it.
    if let Some(question) = ask_oneself(connection, wire).await?
        && let Some(reply) = question.reply
    {
        rights.push(names.right_to_answer(&reply));
        wire.publish(&reply, None, None, b"").await.map_err(|error| error.to_string())?;
        ask_oneself(connection, wire).await?;
    }
    Ok(rights)
}

/// Hears a broadcast of its own, over the server; none where the server denies that.
async fn ask_oneself(connection: &Connection, wire: &Wire) -> Result<Option<Message>, String> {
    let subject = connection.names.revoke_broadcast(&nobodys_key());
    let asking = async {
        let mut heard = wire.subscribe(subject.clone(), None, 1).await;
        let reply = wire.new_inbox();
        let asked = wire.publish(&subject, Some(&reply), None, b"").await;
        asked.map_err(|error| error.to_string())?;
        heard.next().await.ok_or_else(|| "a subscription ended".to_owned())
    };
    match connection.denials.or_denied(&subject, asking).await {
        Ok(heard) => heard.map(Some),
        Err(_) => Ok(None),
    }
}

/// A job that nobody submits.
fn nobodys_key() -> JobKey {
    let id = JobId::parse(&random_token().to_string()).expect("hexadecimal digits are an id");
    JobKey::new(TaskName::parse("rights.check").expect("a task's name"), id)
}

async fn tell(wire: &Wire, subject: &str, body: &str) -> Result<(), String> {
    let headers = Headers::of([(header::EXPECTED_STREAM, NO_STREAM)]).expect("a name can stand in a header");
    let told = wire.publish(subject, None, Some(&headers), body.as_bytes()).await;
    told.map_err(|error| error.to_string())
}
