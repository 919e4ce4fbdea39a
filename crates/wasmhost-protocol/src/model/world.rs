//! A state of the world: one key of the states bucket, the messages of that key, and everybody who is at work on them.

use crate::model::few::Few;
use crate::model::records::Rec;

/// A state. Fields that only an invariant reads are called ghosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct World {
    pub(super) rec: Option<Rec>,
    /// Something other than a record of this version stands under the key.
    pub(super) odd: Option<Odd>,
    /// The key's last revision; 0 where nothing ever stood.
    pub(super) rev: u8,
    /// Writes to the key so far: the server's clock.
    pub(super) writes: u8,
    /// What left a delete marker, where one stands.
    pub(super) marker: Option<Gone>,
    /// Whether the terminal record lives only as long as one of a job that never ran.
    pub(super) brief: bool,
    pub(super) msgs: Few<Msg, 6>,
    pub(super) hosts: Few<Host, 3>,
    pub(super) clients: Few<Client, 2>,
    pub(super) revoker: Revoker,
    pub(super) recons: Few<Recon, 2>,
    /// Writes without an answer: each lands now, later or never.
    pub(super) net: Few<Write, 3>,
    /// Publishes that wait in a connection's buffer.
    pub(super) buffered: Few<Publish, 2>,
    pub(super) left: Left,
    /// Which creation of the consumer this is.
    pub(super) created: u8,
    /// Messages stored so far.
    pub(super) seqs: u8,
    /// Whether `expires_at` has passed.
    pub(super) expired: bool,
    /// Revisions whose message id the streams remember, a bit each.
    pub(super) ids: u64,
    /// Scheduled jobs are due.
    pub(super) due: bool,
    /// Uses of the id so far.
    pub(super) runs: u8,
    pub(super) ghost: Ghosts,
}

/// What only invariants read; the sets are bits by run, or by message for copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Ghosts {
    /// What may have cost a claim its outcome.
    pub(super) faults: u8,
    /// An operator took a message.
    pub(super) purged: bool,
    /// A message was delivered more often than hosts gave it back on purpose.
    pub(super) storm: bool,
    pub(super) accepted: u8,
    pub(super) over: u8,
    pub(super) unpublished: u8,
    /// Messages with a copy for people.
    pub(super) copied: u8,
    /// DEAD refused a copy.
    pub(super) refused: bool,
}

/// What is no record of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Odd {
    Unreadable,
    Newer,
}

/// A record that is gone, with a marker in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Gone {
    /// It expired: T10 by the server. Its revision, and how long it lived.
    Expired { ended: u8, brief: bool },
    /// Somebody deleted it: T10 by a client, or T11.
    Deleted,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Place {
    Schedule,
    Due,
    #[default]
    Jobs,
}

/// A message of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Msg {
    pub(super) seq: u8,
    pub(super) place: Place,
    pub(super) what: Publish,
    /// Writes to the key before it was stored.
    pub(super) born: u8,
    /// Deliveries by this consumer.
    pub(super) count: u8,
    /// Delivered, and not yet given back.
    pub(super) pending: bool,
    /// Given back with a delay.
    pub(super) delayed: bool,
    /// Of one that fired: the job stream's source has passed it.
    pub(super) taken: bool,
    /// Of one in the job stream: which one it was, when it fired; 0: it was published there.
    pub(super) source: u8,
}

impl Msg {
    /// As much of it as a host needs to settle it.
    pub(super) fn to_settle(self) -> Self {
        Self { seq: self.seq, source: self.source, ..Self::default() }
    }
}

/// What is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Publish {
    /// `Wasmhost-Revision`; 0: none.
    pub(super) hdr: u8,
    /// Which arguments its body holds.
    pub(super) args: u8,
    /// Writes to the key before its client asked for the time.
    pub(super) submitted: u8,
    /// Ghost: which use of the id.
    pub(super) run: u8,
    /// It is a schedule.
    pub(super) scheduled: bool,
}

/// A compare-and-set under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Write {
    pub(super) new: Option<Rec>,
    pub(super) exp: u8,
}

/// A slot of a host, with what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Host {
    pub(super) pc: At,
    /// The message in hand, as it was delivered.
    pub(super) msg: Msg,
    pub(super) created: u8,
    /// R3's fourth time: the claim takes the record from a delivery that does not look older.
    pub(super) adopt: bool,
    /// R4: a message of this sequence is gone.
    pub(super) gone: u8,
    /// The newest claim that it made, and its fence.
    pub(super) claim: u8,
    pub(super) token: u8,
    /// The record that it writes; while a guest runs, the one that it holds.
    pub(super) rec: Option<Rec>,
    /// The revision that it holds, or writes over.
    pub(super) exp: u8,
    pub(super) intent: Intent,
    /// Ghost: its claim is in the bucket, or was.
    pub(super) recorded: bool,
}

/// What a host does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum At {
    #[default]
    Idle,
    /// Read the record, and judge the delivery.
    Read,
    /// R4: look the record's own message up.
    Look {
        seq: u8,
    },
    /// Keep a copy, then write what it holds.
    Copy,
    Write,
    /// R5: the write had no answer, or a conflict.
    Unknown,
    Run,
    Ack,
    Nak,
    /// Keep a copy, then remove a message that is no job.
    Bury,
    Term,
}

/// What a host wants to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Intent {
    #[default]
    Claim,
    /// T6, T6b, T8: the end of a job that it does not own.
    End,
    Progress,
    Retry,
    HandOff,
    Success,
    Failure,
    Revoked,
}

/// A submitting client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Client {
    pub(super) pc: Submitting,
    /// Which arguments it submits.
    pub(super) args: u8,
    /// The record that it writes or holds, and the revision.
    pub(super) rec: Option<Rec>,
    pub(super) exp: u8,
    /// T0 was its own.
    pub(super) own: bool,

    /// A publish was sent whose fate is not known.
    pub(super) doubt: bool,
    /// More than 30 s have passed.
    pub(super) late: bool,
    /// Touches so far; two clients could go on with it for 30 s.
    pub(super) touches: u8,
}

/// What a submitting client does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Submitting {
    #[default]
    Idle,
    Write(Why),
    Unknown(Why),
    Publish,
    /// The same, after it looked for a message that may stand.
    Send,
    /// Its publish waits in the connection's buffer, and it waits for the answer.
    Stuck,
    /// Look the message up: in the place of this number, before it publishes or after a doubt.
    Find {
        place: u8,
        first: bool,
    },
    Done,
    Dead,
}

/// Why a client writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Why {
    /// T0.
    Submit,
    /// T0b of a record that it met.
    Met,
    /// T0b after a doubt, where its message stands.
    Stands,
    /// T0b after a doubt, where none does.
    Gone,
}

/// A client that revokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Revoker {
    pub(super) write: Write,
}

/// A reconciler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Recon {
    pub(super) pc: Reconciling,
    pub(super) scan: u8,
}

/// What a reconciler does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Reconciling {
    #[default]
    Idle,
    /// Look in the place of this number.
    Scan(u8),
    /// Wait a grace.
    Grace,
    Write,
}

macro_rules! budgets {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What may still happen, and how often.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub(super) struct Left { $($(#[$doc])* pub(super) $name: u8,)* }

        impl Left {
            pub(super) fn total(&self) -> u8 {
                0 $(+ self.$name)*
            }
        }
    };
}

budgets! {
    /// A host dies.
    crash,
    /// A write has no answer.
    unknown,
    /// A lease lapses under a live host: a pause, a partition.
    lapse,
    /// A delivery count is repeated, or the consumer re-created.
    recount,
    /// A nak's delay is forgotten.
    hasty,
    /// R3's fourth time: taken over all the same.
    stale,
    handoff,
    progress,
    revoke,
    /// `expires_at` passes.
    expire,
    /// A terminal record expires.
    ttl,
    /// T10 by a client.
    forget,
    /// An operator takes a message.
    purge,
    /// The server dies, and no longer knows how far the job stream's source has come.
    amnesia,
    /// A client dies.
    client_crash,
    /// A publish stays in a client's buffer.
    late,
    /// A publish has no answer, and stays in a buffer.
    unanswered,
    /// A message is delivered 21 times without a claim.
    storm,
    /// A host gives a suspect's delivery back, 21 times.
    give_back,
    /// Something that is no record is written under the key.
    junk,
    /// DEAD refuses a copy.
    refuse,
}
