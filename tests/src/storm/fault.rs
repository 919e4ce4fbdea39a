//! The faults of a storm, each at its time. A fault that lasts is two: one begins it, another one ends it.

use std::time::Duration;

use crate::proxy::Direction;

/// A fault at its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The time from the start of the storm.
    pub at: Duration,
    /// The fault.
    pub fault: Fault,
}

/// What happens to whom. Hosts are named by the number of their host slot, in which one host runs at a time and is replaced when
/// it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` of the host.
    Kill(usize),
    /// SIGSTOP of the host.
    Pause(usize),
    /// SIGCONT of the host.
    Resume(usize),
    /// SIGTERM of the host, as in a deploy. The next host starts at once.
    Terminate(usize),
    /// `kill -9` of nats-server, at a moment of this kind.
    KillServer(Moment),
    /// nats-server starts again on its data.
    StartServer,
    /// All connections of a line are closed; new ones are accepted.
    Cut(Line),
    /// Nothing flows in this direction.
    Stall(Line, Direction),
    /// Everything flows late.
    Slow(Line, Duration),
    /// Everything flows again.
    Heal(Line),
    /// The answer to the next write of this state is lost.
    LoseAnswer(Line, Write),
}

/// When nats-server is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// With no write under way, so that everybody has heard of everything that was stored.
    AtRest,
    /// With writes under way, whose answers are lost.
    AmidWrites,
}

/// A way to the server that has a proxy of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The line of the host in this host slot.
    Host(usize),
    /// The line of all clients.
    Clients,
}

/// A write whose answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Write {
    /// A client's first record of a job.
    Pending,
    /// A host's claim of a job.
    Started,
    /// A host's end of a job.
    Success,
}

/// The kinds of faults that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Kill,
    Pause,
    Terminate,
    ServerKill,
    ServerKillAmidWrites,
    Cut,
    StallToServer,
    StallToClient,
    Slow,
    LostAnswer,
}

impl Fault {
    /// The kind of the fault; none for one that only ends another fault.
    pub(super) fn kind(self) -> Option<Kind> {
        match self {
            Self::Kill(_) => Some(Kind::Kill),
            Self::Pause(_) => Some(Kind::Pause),
            Self::Terminate(_) => Some(Kind::Terminate),
            Self::KillServer(Moment::AtRest) => Some(Kind::ServerKill),
            Self::KillServer(Moment::AmidWrites) => Some(Kind::ServerKillAmidWrites),
            Self::Cut(_) => Some(Kind::Cut),
            Self::Stall(_, Direction::ToServer) => Some(Kind::StallToServer),
            Self::Stall(_, Direction::ToClient) => Some(Kind::StallToClient),
            Self::Slow(..) => Some(Kind::Slow),
            Self::LoseAnswer(..) => Some(Kind::LostAnswer),
            Self::Resume(_) | Self::StartServer | Self::Heal(_) => None,
        }
    }
}

impl Kind {
    pub(super) const ALL: [Self; 10] = [
        Self::Kill,
        Self::Pause,
        Self::Terminate,
        Self::ServerKill,
        Self::ServerKillAmidWrites,
        Self::Cut,
        Self::StallToServer,
        Self::StallToClient,
        Self::Slow,
        Self::LostAnswer,
    ];

    /// The word for the kind in a capture.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Terminate => "terminate",
            Self::ServerKill => "server-kill",
            Self::ServerKillAmidWrites => "server-kill-amid-writes",
            Self::Cut => "cut",
            Self::StallToServer => "stall-to-server",
            Self::StallToClient => "stall-to-client",
            Self::Slow => "slow",
            Self::LostAnswer => "lost-answer",
        }
    }
}

impl Write {
    /// The state in the record that is written.
    pub(super) fn state(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Started => "STARTED",
            Self::Success => "SUCCESS",
        }
    }
}
