//! Deleting due messages, from which messages of the job stream were copied
//! ([S3](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#s3)). A due message that is still in the schedule stream
//! comes to the job stream again, under a new sequence, when a server loses its place there, as a crash makes it do. So it is
//! deleted before the message that was copied from it: the deletion begins at the claim, precedes the record of the end where
//! the server allows it, and always precedes the acknowledgement.
//!
//! The job stream has a copy of everything that is deleted here, so that a crash at any point loses no job. What came again
//! before the deletion was stored before the job's end, and meets its record or what is left of it.

use bytes::Bytes;
use wasmhost_nats::{Connection, ReadError, StoredMessage, discard_due, due_at, fault, limited, remove_due};
use wasmhost_protocol::names::ScheduleOrigin;
use wasmhost_protocol::names::{JobSubject, Names, header};
use wasmhost_protocol::text::escape;

use crate::settle::Settlement;

/// The due message that a message of the job stream was copied from, according to the headers of the copy.
#[derive(Debug)]
pub(crate) struct DueMessage {
    /// Its sequence in the schedule stream.
    pub(crate) sequence: u64,
    /// Its subject in the schedule stream.
    subject: String,
    /// The job that the copy's subject names; none where it names no job.
    job: Option<JobSubject>,
    body: Bytes,
    /// The headers of ours, sorted.
    headers: Vec<(String, String)>,
}

impl DueMessage {
    /// Reads where a message of the job stream comes from; none where no schedule fired it.
    pub(crate) fn of<'a>(
        names: &Names,
        subject: &str,
        headers: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        body: &Bytes,
    ) -> Option<Self> {
        let origin = ScheduleOrigin::parse(names, headers.clone())?;
        Some(Self {
            sequence: origin.sequence,
            subject: names.due_of(subject).ok()?,
            job: names.parse_job_subject(subject).ok(),
            body: body.clone(),
            headers: own_headers(headers),
        })
    }

    /// Deletes the due message at the claim of its job, and everything that fired under the same name before it.
    async fn discard(&self, connection: &Connection) -> Result<(), ReadError> {
        match &self.job {
            // The headers are believed: no other job fires to this job's name, and the one that has the claim takes it to its
            // end.
            Some(job) if job.id.is_some() => discard_due(connection, job, self.sequence).await,
            // All jobs without an id fire to the same name, so that only this one message may be deleted.
            Some(_) | None => self.remove(connection).await,
        }
    }

    /// Deletes the due message by its sequence, if it is the one that the copy says it comes from.
    pub(crate) async fn remove(&self, connection: &Connection) -> Result<(), ReadError> {
        // Older servers let publishers forge where a message comes from: what is deleted is read first.
        match due_at(connection, self.sequence).await? {
            None => Ok(()),
            Some(due) if self.is_copy_of(&due) => remove_due(connection, self.sequence).await,
            Some(_) => {
                let sequence = self.sequence;
                limited!(warn, subject = %escape(&self.subject), sequence, "a message claims to come from a schedule that did not fire it");
                Ok(())
            }
        }
    }

    fn is_copy_of(&self, due: &StoredMessage) -> bool {
        due.subject == self.subject && due.payload == self.body && own_headers(due.pairs()) == self.headers
    }
}

fn own_headers<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    let mut own: Vec<_> = headers
        .filter(|(name, _)| header::is_of_wasmhost(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    own.sort();
    own
}

/// Deletes the due message of a job that was just claimed. Returns its sequence if it is deleted.
pub(crate) async fn discard(connection: &Connection, due: Option<&DueMessage>) -> Option<u64> {
    let due = due?;
    // Boxed, here and below: few jobs were fired.
    match Box::pin(due.discard(connection)).await {
        Ok(()) => {
            // A host that dies here loses nothing: the job stream has the message.
            fault::point("after-discard");
            Some(due.sequence)
        }
        Err(error) => {
            limited!(warn, %error, "could not delete a due message; it is tried again at the end of the job");
            None
        }
    }
}

/// Deletes the due message of a delivery that is about to be settled, if that removes the job's message and the claim did not
/// delete it (`discarded` is the sequence that it deleted). Returns how the delivery is settled now: silently where the due
/// message could not be deleted, so that another delivery tries again.
pub(crate) async fn before_settling(
    connection: &Connection,
    due: Option<&DueMessage>,
    discarded: Option<u64>,
    settlement: Settlement,
) -> Settlement {
    let Some(due) = due.filter(|due| discarded != Some(due.sequence)) else { return settlement };
    if !settlement.removes_message() {
        return settlement;
    }
    match Box::pin(due.remove(connection)).await {
        Ok(()) => settlement,
        Err(error) => {
            limited!(error, subject = %escape(&due.subject), %error, "could not delete a due message; its job's message is delivered again");
            Settlement::Silent
        }
    }
}
