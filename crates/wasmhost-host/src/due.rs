//! Deleting what fired (S3). What still stands in the schedule stream comes again when a server has lost its place there, as a
//! crash makes it do, and under a new sequence of the job stream. So it goes before the message that was made of it: this
//! is begun at the claim, and comes before the record of the end where the server lets it, before the acknowledgement always.
//! The job stream has all that is deleted here, so that no crash in between loses a job; what came again before then was
//! stored before the end, and finds the record or what is left of it (R4, R7, R14).

use bytes::Bytes;
use wasmhost_nats::{Connection, ReadError, StoredMessage, discard_due, due_at, fault, limited, remove_due};
use wasmhost_protocol::names::Sourced;
use wasmhost_protocol::names::{JobSubject, Names, header};

use crate::settle::Settle;

/// What a message says of where it fired.
#[derive(Debug)]
pub(crate) struct Fired {
    /// Its sequence in the schedule stream.
    pub(crate) sequence: u64,
    /// Its subject there.
    subject: String,
    /// The same, read; none where it names no job.
    job: Option<JobSubject>,
    body: Bytes,
    /// Our own headers, in order.
    headers: Vec<(String, String)>,
}

impl Fired {
    /// Reads a message of the job stream; none where no schedule fired it.
    pub(crate) fn of<'a>(
        names: &Names,
        subject: &str,
        headers: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        body: &Bytes,
    ) -> Option<Self> {
        let sourced = Sourced::parse(names, headers.clone())?;
        Some(Self {
            sequence: sourced.sequence,
            subject: names.due_of(subject).ok()?,
            job: names.parse_job_subject(subject).ok(),
            body: body.clone(),
            headers: own(headers),
        })
    }

    /// A job's own message is believed in what it says of its source: no other fires to its name, and now that it has the
    /// claim, it is the one that takes the job to its end. All without an id fire to the same name.
    async fn discard(&self, connection: &Connection) -> Result<(), ReadError> {
        match &self.job {
            Some(job) if job.id.is_some() => discard_due(connection, job, self.sequence).await,
            Some(_) | None => self.remove(connection).await,
        }
    }

    /// Older servers let publishers forge where a message comes from: what is deleted is read first, and must be the same.
    pub(crate) async fn remove(&self, connection: &Connection) -> Result<(), ReadError> {
        match due_at(connection, self.sequence).await? {
            None => Ok(()),
            Some(due) if self.is_of(&due) => remove_due(connection, self.sequence).await,
            Some(_) => {
                let (subject, sequence) = (&self.subject, self.sequence);
                limited!(warn, %subject, sequence, "a message that says it was fired, and was not");
                Ok(())
            }
        }
    }

    fn is_of(&self, due: &StoredMessage) -> bool {
        due.subject == self.subject && due.payload == self.body && own(due.pairs()) == self.headers
    }
}

fn own<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    let ours = |name: &str| {
        name.get(..header::PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(header::PREFIX))
    };
    let mut own: Vec<_> = headers
        .filter(|(name, _)| ours(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    own.sort();
    own
}

/// At a claim: deletes what fired to its job. The sequence, where it is gone.
pub(crate) async fn discard(connection: &Connection, fired: Option<&Fired>) -> Option<u64> {
    let fired = fired?;
    match fired.discard(connection).await {
        Ok(()) => {
            fault::point("after-discard");
            Some(fired.sequence)
        }
        Err(error) => {
            limited!(warn, %error, "could not delete what fired; it is tried again at the end of the job");
            None
        }
    }
}

/// How a message is settled that was to be settled like this: where it would go, what it fired from is gone before it, or it
/// comes again. `discarded`: what its claim deleted.
pub(crate) async fn before_settling(
    connection: &Connection,
    fired: Option<&Fired>,
    discarded: Option<u64>,
    how: Settle,
) -> Settle {
    let Some(fired) = fired.filter(|fired| discarded != Some(fired.sequence)) else { return how };
    match how {
        Settle::Ack | Settle::Term => {}
        Settle::Nak(_) | Settle::Silent => return how,
    }
    match fired.remove(connection).await {
        Ok(()) => how,
        Err(error) => {
            limited!(error, subject = %fired.subject, %error, "could not delete what fired; its message comes again");
            Settle::Silent
        }
    }
}
