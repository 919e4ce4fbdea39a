//! The records of a search, each stored once and named by a number in the states of the world. Fields that no
//! decision reads are made equal first, so that histories that differ only there lead to the same state.

use std::hash::{Hash, Hasher};
use std::num::NonZeroU16;

use crate::record::{End, JobState, Record, RunningLabel, Token, WriteId};
use crate::timestamp::Timestamp;
use rustc_hash::{FxHashMap, FxHasher};

/// The number of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RecordId(NonZeroU16);

/// What the record truly belongs to, whatever its fields say: a claim, and a use of the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Ghost {
    pub(super) claim: u8,
    pub(super) generation: u8,
}

/// A record with what the model knows of it.
#[derive(Debug)]
pub(super) struct InternedRecord {
    pub(super) record: Record,
    pub(super) ghost: Ghost,
    /// The numbers in its token and in its write id.
    pub(super) token: u8,
    pub(super) write: u8,
}

#[derive(Default)]
pub(super) struct Records {
    interned: Vec<InternedRecord>,
    index: FxHashMap<u64, Vec<RecordId>>,
}

pub(super) fn token(number: u8) -> Token {
    Token::from_random(u128::from(number))
}

pub(super) fn write_id(number: u8) -> WriteId {
    WriteId::from_random(u128::from(number))
}

impl Records {
    pub(super) fn get(&self, record_id: RecordId) -> &InternedRecord {
        &self.interned[usize::from(record_id.0.get()) - 1]
    }

    pub(super) fn intern(&mut self, mut record: Record, ghost: Ghost) -> RecordId {
        normalise(&mut record);
        let alike = self.index.entry(digest(&record, ghost)).or_default();
        let same = |record_id: &&RecordId| {
            let interned = &self.interned[usize::from(record_id.0.get()) - 1];
            interned.ghost == ghost && interned.record == record
        };
        if let Some(record_id) = alike.iter().find(same) {
            return *record_id;
        }
        let number = u16::try_from(self.interned.len() + 1).expect("fewer records than numbers");
        let record_id = RecordId(NonZeroU16::new(number).expect("counted from 1"));
        alike.push(record_id);
        let number =
            |id: String| u8::from_str_radix(&id[30..], 16).expect("small numbers stand for random bits");
        let token = record.token.map_or(0, |token| number(token.to_string()));
        let write = number(record.write.to_string());
        self.interned.push(InternedRecord { record, ghost, token, write });
        record_id
    }
}

/// Sets the times that no decision reads to one value.
fn normalise(record: &mut Record) {
    let origin = Timestamp::from_unix_ms(0);
    record.updated_at = origin;
    record.started_at = record.started_at.map(|_| origin);
    if let JobState::Ended { finished_at, .. } = &mut record.state {
        *finished_at = origin;
    }
}

fn digest(record: &Record, ghost: Ghost) -> u64 {
    let mut hasher = FxHasher::default();
    let times =
        [Some(record.submitted_at), record.expires_at, record.revoke.as_ref().map(|revoke| revoke.stop_at)];
    (record.attempt, record.charged, record.lost, record.token, record.write, times).hash(&mut hasher);
    (record.delivery, record.msg_seq, record.after, record.args_digest, ghost).hash(&mut hasher);
    match &record.state {
        JobState::Pending { .. } => 0_u8.hash(&mut hasher),
        JobState::Running(RunningLabel::Pending | RunningLabel::Started) => 1_u8.hash(&mut hasher),
        JobState::Running(RunningLabel::Custom(_)) => 2_u8.hash(&mut hasher),
        JobState::Retry { not_before } => not_before.hash(&mut hasher),
        JobState::Ended { end: End::Success(_), .. } => 3_u8.hash(&mut hasher),
        JobState::Ended { end: End::Failure(error), .. } => error.kind.hash(&mut hasher),
        JobState::Ended { end: End::Revoked, .. } => 4_u8.hash(&mut hasher),
    }
    hasher.finish()
}
