//! What a record is made of: results and blobs, usage, requests to stop, and the random ids that fence writers.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::digest::Digest;
use crate::json::Json;
use crate::timestamp::Timestamp;

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
