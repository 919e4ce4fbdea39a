//! The records of a search, each kept once: the world names them by number. What no decision reads is made equal first,
//! so that histories that differ only there come to the same state.

use std::hash::{Hash, Hasher};
use std::num::NonZeroU16;

use crate::record::{End, JobState, Record, RunningLabel, Token, WriteId};
use crate::timestamp::Timestamp;
use rustc_hash::{FxHashMap, FxHasher};

/// A kept record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Rec(NonZeroU16);

/// What the record truly is, whatever it says: which claim's, and which use of the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Ghost {
    pub(super) claim: u8,
    pub(super) run: u8,
}

/// A record with what is known beside it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) record: Record,
    pub(super) ghost: Ghost,
    /// The number in its token and in its write id.
    pub(super) token: u8,
    pub(super) write: u8,
}

#[derive(Default)]
pub(super) struct Records {
    kept: Vec<Kept>,
    index: FxHashMap<u64, Vec<Rec>>,
}

pub(super) fn token(number: u8) -> Token {
    Token::from_random(u128::from(number))
}

pub(super) fn write_id(number: u8) -> WriteId {
    WriteId::from_random(u128::from(number))
}

impl Records {
    pub(super) fn get(&self, rec: Rec) -> &Kept {
        &self.kept[usize::from(rec.0.get()) - 1]
    }

    pub(super) fn keep(&mut self, mut record: Record, ghost: Ghost) -> Rec {
        level(&mut record);
        let alike = self.index.entry(digest(&record, ghost)).or_default();
        let same = |rec: &&Rec| {
            let kept = &self.kept[usize::from(rec.0.get()) - 1];
            kept.ghost == ghost && kept.record == record
        };
        if let Some(rec) = alike.iter().find(same) {
            return *rec;
        }
        let number = u16::try_from(self.kept.len() + 1).expect("fewer records than numbers");
        let rec = Rec(NonZeroU16::new(number).expect("counted from 1"));
        alike.push(rec);
        let number =
            |id: String| u8::from_str_radix(&id[30..], 16).expect("small numbers stand for random bits");
        let token = record.token.map_or(0, |token| number(token.to_string()));
        let write = number(record.write.to_string());
        self.kept.push(Kept { record, ghost, token, write });
        rec
    }
}

/// No decision reads these times; a search that found one to matter would not be repeatable by its trace.
fn level(record: &mut Record) {
    let origin = Timestamp::from_unix_ms(0);
    record.updated_at = origin;
    record.started_at = record.started_at.map(|_| origin);
    if let JobState::Ended { finished_at, .. } = &mut record.stage {
        *finished_at = origin;
    }
}

fn digest(record: &Record, ghost: Ghost) -> u64 {
    let mut hasher = FxHasher::default();
    let times =
        [Some(record.submitted_at), record.expires_at, record.revoke.as_ref().map(|revoke| revoke.stop_at)];
    (record.attempt, record.charged, record.lost, record.token, record.write, times).hash(&mut hasher);
    (record.delivery, record.msg_seq, record.after, record.args_digest, ghost).hash(&mut hasher);
    match &record.stage {
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
