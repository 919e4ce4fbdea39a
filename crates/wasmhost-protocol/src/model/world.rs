//! A state of the world: one key of the states bucket, the messages of that key, and everybody who works on
//! them.

use crate::model::inline_list::InlineList;
use crate::model::records::RecordId;

/// A state of the world. Times are counted in writes to the key, and random ids are small numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct World {
    /// The record under the key.
    pub(super) record_id: Option<RecordId>,
    /// The value under the key that is not a record of this version.
    pub(super) foreign: Option<ForeignValue>,
    /// The newest revision of the key; 0 where nothing was ever written.
    pub(super) revision: u8,
    /// Writes to the key so far, which are the server's clock.
    pub(super) writes: u8,
    /// How the record was deleted, where there is a delete marker.
    pub(super) marker: Option<Deletion>,
    /// Whether the terminal record is kept only for as long as one of a job that never ran.
    pub(super) short_lived: bool,
    pub(super) messages: InlineList<Message, 6>,
    pub(super) hosts: InlineList<Host, 3>,
    pub(super) clients: InlineList<Client, 2>,
    pub(super) revoker: Revoker,
    pub(super) reconcilers: InlineList<Reconciler, 2>,
    /// Writes without an answer, each of which arrives now, later or never.
    pub(super) in_flight: InlineList<Write, 3>,
    /// Publishes that wait in a connection's buffer.
    pub(super) buffered: InlineList<Publish, 2>,
    pub(super) budgets: Budgets,
    /// The number of the consumer, which rises where the consumer is recreated.
    pub(super) consumer: u8,
    /// The sequence of the newest message.
    pub(super) last_seq: u8,
    /// Whether `expires_at` has passed.
    pub(super) expired: bool,
    /// The revisions whose message id the streams remember, a bit each.
    pub(super) remembered_ids: u64,
    /// Whether delayed jobs are due.
    pub(super) due: bool,
    /// Uses of the id so far.
    pub(super) generations: u8,
    pub(super) ghost: Ghosts,
}

/// What only the invariants read, and no participant knows. The sets have a bit for each use of the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Ghosts {
    /// The faults so far that may have cost a claim its outcome.
    pub(super) faults: u8,
    /// Whether an operator purged a message.
    pub(super) purged: bool,
    /// Whether a message was delivered more often than hosts gave it back on purpose.
    pub(super) excess_deliveries: bool,
    /// The uses of the id that a submitter was told are accepted.
    pub(super) accepted: u8,
    /// The uses of the id that have ended.
    pub(super) ended: u8,
    /// The uses of the id that ended as `NotPublished`.
    pub(super) unpublished: u8,
    /// The messages that have a dead-letter copy, a bit for each sequence.
    pub(super) copied: u8,
    /// Whether the stream of dead letters refused a copy.
    pub(super) refused: bool,
}

/// A value under the key that is not a record of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ForeignValue {
    Unreadable,
    Newer,
}

/// How a record was deleted that has left a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Deletion {
    /// The record expired. `ended` is the revision of its end.
    Expired { ended: u8, short_lived: bool },
    /// A client forgot the ended job, or took back the record of a job that it could not publish.
    Deleted,
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Location {
    /// It is a schedule that has not fired.
    Schedule,
    /// It is a due message in the schedule stream.
    Due,
    /// It is in the job stream.
    #[default]
    Jobs,
}

/// A message of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Message {
    pub(super) seq: u8,
    pub(super) location: Location,
    pub(super) publish: Publish,
    /// Writes to the key before the message was stored.
    pub(super) stored_after: u8,
    /// Deliveries by this consumer.
    pub(super) count: u8,
    /// Whether it is delivered and not yet given back.
    pub(super) pending: bool,
    /// Whether it was given back with a delay.
    pub(super) delayed: bool,
    /// Of a due message: whether the job stream's source has passed it.
    pub(super) sourced: bool,
    /// Of a message in the job stream: the sequence of its due message; 0 where it was published directly.
    pub(super) source: u8,
}

impl Message {
    /// Returns as much of the message as a host needs to settle it, so that states that differ in the rest
    /// only are equal.
    pub(super) fn to_settle(self) -> Self {
        Self { seq: self.seq, source: self.source, ..Self::default() }
    }
}

/// A message as its submitter publishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Publish {
    /// `Wasmhost-Revision`; 0 where there is none.
    pub(super) revision: u8,
    /// The number of the arguments in its body.
    pub(super) args: u8,
    /// Writes to the key before the client read its clock.
    pub(super) submitted: u8,
    /// Ghost: which use of the id it belongs to.
    pub(super) generation: u8,
    /// Whether it is a schedule.
    pub(super) scheduled: bool,
}

/// A compare-and-set that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Write {
    pub(super) record_id: Option<RecordId>,
    pub(super) expected: u8,
}

/// A slot of a host, with what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Host {
    pub(super) step: HostStep,
    /// The message that it holds, as it was delivered.
    pub(super) message: Message,
    /// The number of the consumer that delivered the message.
    pub(super) consumer: u8,
    /// Whether its claim takes the record over from a delivery that is not older, or from a message that is
    /// gone.
    pub(super) adopt: bool,
    /// The sequence of the record's own message, where the host has found it to be gone.
    pub(super) gone: u8,
    /// The number of the newest claim that it made.
    pub(super) claim: u8,
    /// The number in the token of that claim.
    pub(super) token: u8,
    /// The record that it writes; while a guest runs, the newest one that it has accepted.
    pub(super) record_id: Option<RecordId>,
    /// The revision that it has accepted, or that its write expects.
    pub(super) expected: u8,
    pub(super) intent: Intent,
    /// Ghost: whether its claim is or was in the bucket.
    pub(super) recorded: bool,
}

/// What a host does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum HostStep {
    #[default]
    Idle,
    /// It reads the record and decides about the delivery.
    Read,
    /// It looks up the message that the record belongs to.
    LookUp {
        seq: u8,
    },
    /// It stores a dead-letter copy, and then writes its record.
    Copy,
    Write,
    /// Its write had no answer, or a conflict.
    Unknown,
    Run,
    Ack,
    Nak,
    /// It stores a dead-letter copy of a message that is no job, and then removes the message.
    DeadLetter,
    Term,
}

/// What a host intends to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Intent {
    #[default]
    Claim,
    /// The end of a job that it does not own.
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
    pub(super) step: ClientStep,
    /// The number of the arguments that it submits.
    pub(super) args: u8,
    /// The record that it writes, or has read.
    pub(super) record_id: Option<RecordId>,
    /// The revision of that record, or the one that its write expects.
    pub(super) expected: u8,
    /// Whether it wrote the PENDING record itself.
    pub(super) own: bool,

    /// Whether it sent a publish of which it does not know whether it was stored.
    pub(super) doubt: bool,
    /// Whether more than 30 s have passed.
    pub(super) late: bool,
    /// Touches so far, which the model bounds: two clients could go on with them for 30 s.
    pub(super) touches: u8,
}

/// What a submitting client does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum ClientStep {
    #[default]
    Idle,
    Write(WriteReason),
    Unknown(WriteReason),
    Publish,
    /// It publishes, after it has looked for a message of its own.
    Send,
    /// Its publish waits in the connection's buffer, and it waits for the answer.
    Buffered,
    /// It looks for its message in one of the locations, by number: before it publishes, or in doubt after
    /// it.
    Find {
        location: u8,
        first: bool,
    },
    Done,
    Dead,
}

/// Why a client writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum WriteReason {
    /// It records the job.
    Submit,
    /// It touches a record that it has met.
    Met,
    /// It touches the record in doubt, after it has found its message.
    Found,
    /// It touches the record in doubt, after it has found no message.
    NotFound,
}

/// A client that revokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Revoker {
    pub(super) write: Write,
}

/// A reconciler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Reconciler {
    pub(super) step: ReconcilerStep,
    /// The number of the scan, 1 or 2.
    pub(super) scan: u8,
}

/// What a reconciler does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum ReconcilerStep {
    #[default]
    Idle,
    /// It looks for a message in one of the locations, by number.
    Scan(u8),
    /// It waits for its grace to pass.
    Grace,
    Write,
}

macro_rules! budgets {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// How often each fault, and each wish of a participant, may still happen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub(super) struct Budgets { $($(#[$doc])* pub(super) $name: u8,)* }

        impl Budgets {
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
    /// A lease lapses under a live host, because of a pause or a partition.
    lapse,
    /// A delivery count is repeated, or the consumer is recreated.
    recount,
    /// The server forgets a nak's delay.
    early_redelivery,
    /// A host has walked away from stale deliveries as often as it may, and takes the job over.
    stale,
    handoff,
    progress,
    revoke,
    /// `expires_at` passes.
    expire,
    /// A terminal record expires.
    ttl,
    /// A client forgets an ended job.
    forget,
    /// An operator purges a message.
    purge,
    /// The server dies, and no longer knows how far the job stream's source was.
    source_reset,
    /// A client dies.
    client_crash,
    /// A publish stays in a client's buffer, and the client waits.
    late,
    /// A publish has no answer, and stays in a buffer.
    unanswered,
    /// A message is delivered 21 times without a claim.
    excess_deliveries,
    /// A host gives a suspect's delivery back 21 times.
    give_back,
    /// Something that is not a record of this version is written under the key.
    foreign_value,
    /// The stream of dead letters refuses a copy.
    refuse_copy,
}
