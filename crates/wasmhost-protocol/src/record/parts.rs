//! The parts of a record: results and blobs, usage, requests to stop, and the random ids that fence writers.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::digest::Digest;
use crate::digits::{Ascii, hexadecimal};
use crate::json::Json;
use crate::timestamp::Timestamp;

/// A `Payload` is the result of a job, or where it is stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// The result is in the record, as JSON of at most 64 KiB.
    Inline(Json),
    /// The result is a blob.
    Blob(BlobRef),
}

/// A `BlobRef` names a blob in the blob store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRef {
    /// The name of the blob in the store.
    pub name: String,
    /// The digest of the blob's bytes.
    pub digest: Digest,
    /// The size of the blob in bytes.
    pub bytes: u64,
}

/// `Usage` is what an attempt used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// The processor time in milliseconds.
    pub cpu_ms: u64,
    /// The most linear memory that the guest had at any time, in bytes.
    pub memory_peak_bytes: u64,
    /// The wall time from the start of the instance to the end, in milliseconds.
    pub wall_ms: u64,
}

/// A `Revoke` is the request that a job not run, or stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoke {
    /// The reason, for people; at most 1 KiB.
    pub reason: String,
    /// The time by which a running guest must have stopped. It is only ever moved earlier, so that two
    /// requests can meet in any order.
    pub stop_at: Timestamp,
}

/// A `DeliveryOrdinal` orders the deliveries of a message: by the creation of the consumer, then by its
/// delivery count. The count alone starts anew where the consumer is recreated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeliveryOrdinal {
    // The order of the fields is the order of comparison.
    /// When the queue's consumer was created.
    pub created: Timestamp,
    /// How often the consumer had delivered the message, this delivery included.
    pub count: u64,
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(u128);

        impl $name {
            /// Builds an id from 128 random bits of the caller.
            #[must_use]
            pub const fn from_random(bits: u128) -> Self {
                Self(bits)
            }

            fn digits(self) -> Ascii<32> {
                hexadecimal(&self.0.to_be_bytes())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.digits().as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.digits().as_str())
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
    /// A `Token` has 128 random bits, new at each claim. It is the fence: only the claim's owner knows it as
    /// its own, and only writes that carry it may change a running job.
    Token
);
random_id!(
    /// A `WriteId` has 128 random bits, new for every intended write and the same when that write is tried
    /// again. By it a writer recognises its own write after the answer was lost.
    WriteId
);
