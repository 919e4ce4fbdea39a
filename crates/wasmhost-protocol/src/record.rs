//! The record of a job: the value under its key in the states bucket.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Digest, HostId, JobId, JobKey, JobState, Json, QueueName, StateLabel, TaskName, Timestamp};

/// Everything that is known of a job. Written and read by the `wire` form; changed only through `next`.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where the job stands.
    pub stage: JobState,
    /// The JSON that goes with the state.
    pub meta: Option<Json>,
    /// The task.
    pub task: TaskName,
    /// The job's id.
    pub id: JobId,
    /// Claims so far; 0 while nothing claimed it.
    pub attempt: u32,
    /// Attempts in all, where the job or its module says so.
    pub max_attempts: Option<u32>,
    /// The queue that the job waits in.
    pub queue: QueueName,
    /// The host that claimed it last.
    pub host: Option<HostId>,
    /// When it was submitted; for a raw job, when its message was stored.
    pub submitted_at: Timestamp,
    /// When the current or last attempt was claimed.
    pub started_at: Option<Timestamp>,
    /// When this revision was made.
    pub updated_at: Timestamp,
    /// After this time no attempt starts.
    pub expires_at: Option<Timestamp>,
    /// The module's digest, from the first claim on.
    pub digest: Option<Digest>,
    /// What the last ended attempt used.
    pub usage: Option<Usage>,
    /// Digest of the arguments.
    pub args_digest: Option<Digest>,
    /// The job that submitted this one.
    pub parent: Option<JobKey>,
    /// The request to stop.
    pub revoke: Option<Revoke>,
    /// Powers that a failed attempt asked for and was denied.
    pub denied: Vec<String>,
    /// The newest checkpoint.
    pub checkpoint: Option<BlobRef>,
    /// The fence: changes at each claim, only the claim's owner writes under it.
    pub token: Option<Token>,
    /// Recognises an own write whose answer was lost.
    pub write: WriteId,
    /// Ended attempts that count against `max_attempts`.
    pub charged: u32,
    /// Claims that ended without any outcome.
    pub lost: u32,
    /// The delivery of the newest claim.
    pub delivery: Option<DeliveryOrdinal>,
    /// The message in the job stream that this record belongs to.
    pub msg_seq: Option<u64>,
    /// The revision of the delete marker that this use of the id was written over.
    pub after: Option<u64>,
    /// Fields that this version does not know, kept as they came.
    pub unknown: Vec<(String, Json)>,
}

impl Record {
    /// The job's key.
    #[must_use]
    pub fn key(&self) -> JobKey {
        JobKey::new(self.task.clone(), self.id.clone())
    }

    /// The word for where it stands.
    #[must_use]
    pub fn state(&self) -> StateLabel {
        self.stage.state()
    }

    /// Whether nothing follows.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.stage.is_terminal()
    }

    /// Attempts, the current one included, that neither count against `max_attempts` nor were lost.
    #[must_use]
    pub fn uncharged(&self) -> u32 {
        self.attempt.saturating_sub(self.charged.saturating_add(self.lost))
    }

    /// Whether `expires_at` has passed.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// A result where it stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// In the record.
    Inline(Json),
    /// In a blob.
    Blob(BlobRef),
}

/// A blob in the object store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRef {
    /// Its name in the store.
    pub name: String,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Size in bytes.
    pub bytes: u64,
}

/// What an attempt used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time in milliseconds.
    pub cpu_ms: u64,
    /// The most linear memory at any time, in bytes.
    pub memory_peak_bytes: u64,
    /// Time from instantiation to the end, in milliseconds.
    pub wall_ms: u64,
}

/// The request that a job not run, or stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoke {
    /// Why, for people.
    pub reason: String,
    /// When the guest must have stopped; only ever moves earlier.
    pub stop_at: Timestamp,
}

/// Which delivery of the message a claim came from: compared by the consumer's creation, then by count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeliveryOrdinal {
    /// When the consumer was created.
    pub created: Timestamp,
    /// How often it had delivered the message.
    pub count: u64,
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(u128);

        impl $name {
            /// From 128 random bits of the caller's.
            #[must_use]
            pub const fn from_random(bits: u128) -> Self {
                Self(bits)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let bits = (text.len() == 32).then(|| u128::from_str_radix(&text, 16).ok()).flatten();
                bits.map(Self).ok_or_else(|| D::Error::custom("expected 32 hexadecimal digits"))
            }
        }
    };
}

random_id!(
    /// 128 random bits a claim: the fence.
    Token
);
random_id!(
    /// 128 random bits an intended write, the same on its retries.
    WriteId
);
