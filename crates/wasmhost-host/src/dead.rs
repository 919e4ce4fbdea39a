//! Copies of what failed, kept for people. A copy precedes the terminal write; without room for one the record wins.

use wasmhost_nats::dead::{DeadLetter, publish_dead};
use wasmhost_protocol::{End, Record, Stage};

use crate::delivery::Delivery;
use crate::host::Host;
use crate::settle::Settle;

/// Tries to keep a copy before the record is written without one (R10).
const TRIES: u32 = 3;

/// Keeps a copy of a message that has no record to end, and removes it; where no copy can be kept, it stays.
pub(crate) async fn bury_message(host: &Host, delivery: &Delivery, reason: &str, why: &str) -> Settle {
    tracing::error!(job.key = %delivery.key, reason, why, "a message cannot become an attempt; it is kept for people");
    let letter = letter(host, delivery, reason, why);
    if keep(host, &letter).await { Settle::Term } else { Settle::Silent }
}

/// Keeps a copy of a job that is about to end in FAILURE. Says whether it could.
pub(crate) async fn bury_failure(host: &Host, delivery: &Delivery, record: &Record) -> bool {
    let Stage::Ended { end: End::Failure(error), .. } = &record.stage else { return true };
    keep(host, &letter(host, delivery, error.kind.as_str(), &error.message)).await
}

fn letter(host: &Host, delivery: &Delivery, kind: &str, why: &str) -> DeadLetter {
    DeadLetter {
        subject: host.connection.names.dead_subject(&delivery.key),
        options: delivery.options.clone(),
        kind: kind.to_owned(),
        reason: why.to_owned(),
        body: delivery.body().clone(),
    }
}

async fn keep(host: &Host, letter: &DeadLetter) -> bool {
    for _ in 0..TRIES {
        match publish_dead(&host.connection, letter).await {
            Ok(()) => return true,
            Err(error) => tracing::warn!(subject = letter.subject, %error, "could not keep a copy of a failed job"),
        }
    }
    false
}
