//! A state of the world: one key of the states bucket, the messages of that key, and everybody who is at work on them.

use crate::few::Few;
use crate::records::Rec;

/// A state. Fields that only an invariant reads are called ghosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct World {
    pub(crate) rec: Option<Rec>,
    /// Something other than a record of this version stands under the key.
    pub(crate) odd: Option<Odd>,
    /// The key's last revision; 0 where nothing ever stood.
    pub(crate) rev: u8,
    /// Writes to the key so far: the server's clock.
    pub(crate) writes: u8,
    /// What left a delete marker, where one stands.
    pub(crate) marker: Option<Gone>,
    /// Whether the terminal record lives only as long as one of a job that never ran.
    pub(crate) brief: bool,
    pub(crate) msgs: Few<Msg, 6>,
    pub(crate) hosts: Few<Host, 3>,
    pub(crate) clients: Few<Client, 2>,
    pub(crate) revoker: Revoker,
    pub(crate) recons: Few<Recon, 2>,
    /// Writes without an answer: each lands now, later or never.
    pub(crate) net: Few<Write, 3>,
    /// Publishes that wait in a connection's buffer.
    pub(crate) buffered: Few<Publish, 2>,
    pub(crate) left: Left,
    /// Which creation of the consumer this is.
    pub(crate) created: u8,
    /// Messages stored so far.
    pub(crate) seqs: u8,
    /// Whether `expires_at` has passed.
    pub(crate) expired: bool,
    /// Revisions whose message id the streams remember, a bit each.
    pub(crate) ids: u64,
    /// Scheduled jobs are due.
    pub(crate) due: bool,
    /// Uses of the id so far.
    pub(crate) runs: u8,
    pub(crate) ghost: Ghosts,
}

/// What only invariants read; the sets are bits by run, or by message for copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Ghosts {
    /// What may have cost a claim its outcome.
    pub(crate) faults: u8,
    /// An operator took a message.
    pub(crate) purged: bool,
    /// A message was delivered more often than hosts gave it back on purpose.
    pub(crate) storm: bool,
    pub(crate) accepted: u8,
    pub(crate) over: u8,
    pub(crate) unpublished: u8,
    /// Messages with a copy for people.
    pub(crate) copied: u8,
    /// DEAD refused a copy.
    pub(crate) refused: bool,
}

/// What is no record of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Odd {
    Unreadable,
    Newer,
}

/// A record that is gone, with a marker in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Gone {
    /// It expired: T10 by the server. Its revision, and how long it lived.
    Expired { ended: u8, brief: bool },
    /// Somebody deleted it: T10 by a client, or T11.
    Deleted,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Place {
    Schedule,
    Due,
    #[default]
    Jobs,
}

/// A message of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Msg {
    pub(crate) seq: u8,
    pub(crate) place: Place,
    pub(crate) what: Publish,
    /// Writes to the key before it was stored.
    pub(crate) born: u8,
    /// Deliveries by this consumer.
    pub(crate) count: u8,
    /// Delivered, and not yet given back.
    pub(crate) pending: bool,
    /// Given back with a delay.
    pub(crate) delayed: bool,
    /// Of one that fired: the job stream's source has passed it.
    pub(crate) taken: bool,
    /// Of one in the job stream: which one it was, when it fired; 0: it was published there.
    pub(crate) source: u8,
}

impl Msg {
    /// As much of it as a host needs to settle it.
    pub(crate) fn to_settle(self) -> Self {
        Self { seq: self.seq, source: self.source, ..Self::default() }
    }
}

/// What is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Publish {
    /// `Wasmhost-Revision`; 0: none.
    pub(crate) hdr: u8,
    /// Which arguments its body holds.
    pub(crate) args: u8,
    /// Writes to the key before its client asked for the time.
    pub(crate) submitted: u8,
    /// Ghost: which use of the id.
    pub(crate) run: u8,
    /// It is a schedule.
    pub(crate) scheduled: bool,
}

/// A compare-and-set under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Write {
    pub(crate) new: Option<Rec>,
    pub(crate) exp: u8,
}

/// A slot of a host, with what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Host {
    pub(crate) pc: At,
    /// The message in hand, as it was delivered.
    pub(crate) msg: Msg,
    pub(crate) created: u8,
    /// R3's fourth time: the claim takes the record from a delivery that does not look older.
    pub(crate) adopt: bool,
    /// R4: a message of this sequence is gone.
    pub(crate) gone: u8,
    /// The newest claim that it made, and its fence.
    pub(crate) claim: u8,
    pub(crate) token: u8,
    /// The record that it writes; while a guest runs, the one that it holds.
    pub(crate) rec: Option<Rec>,
    /// The revision that it holds, or writes over.
    pub(crate) exp: u8,
    pub(crate) intent: Intent,
    /// Ghost: its claim is in the bucket, or was.
    pub(crate) recorded: bool,
}

/// What a host does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum At {
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
pub(crate) enum Intent {
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
pub(crate) struct Client {
    pub(crate) pc: Submitting,
    /// Which arguments it submits.
    pub(crate) args: u8,
    /// The record that it writes or holds, and the revision.
    pub(crate) rec: Option<Rec>,
    pub(crate) exp: u8,
    /// T0 was its own.
    pub(crate) own: bool,

    /// A publish was sent whose fate is not known.
    pub(crate) doubt: bool,
    /// More than 30 s have passed.
    pub(crate) late: bool,
    /// Touches so far; two clients could go on with it for 30 s.
    pub(crate) touches: u8,
}

/// What a submitting client does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Submitting {
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
pub(crate) enum Why {
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
pub(crate) struct Revoker {
    pub(crate) write: Write,
}

/// A reconciler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Recon {
    pub(crate) pc: Reconciling,
    pub(crate) scan: u8,
}

/// What a reconciler does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Reconciling {
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
        pub(crate) struct Left { $($(#[$doc])* pub(crate) $name: u8,)* }

        impl Left {
            pub(crate) fn total(&self) -> u8 {
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
