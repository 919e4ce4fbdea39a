//! The faults of a storm, each at its time. Those that last are two: one begins them, another ends them.

use std::time::Duration;

use crate::proxy::Direction;

/// One fault at its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// From the start of the storm.
    pub at: Duration,
    /// What happens.
    pub fault: Fault,
}

/// What happens to whom. A host_slot is a place for a host: whoever dies there is followed by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` of the host.
    Kill(usize),
    /// SIGSTOP of the host.
    Pause(usize),
    /// SIGCONT of the host.
    Resume(usize),
    /// SIGTERM of the host, as a deployment does; the next one starts at once.
    Terminate(usize),
    /// `kill -9` of nats-server.
    KillServer(Moment),
    /// nats-server starts again on its data.
    StartServer,
    /// All connections of a line are closed.
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
    /// With nothing under way: all that was stored was told.
    AtRest,
    /// With writes under way, whose answers nobody hears.
    AmidWrites,
}

/// A way to the server, with a proxy of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// That of a host.
    Seat(usize),
    /// That of whoever submits and revokes.
    Clients,
}

/// A write whose answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Write {
    /// The first record of a client.
    Pending,
    /// A host's claim.
    Started,
    /// A host's end.
    Success,
}

/// Kinds of faults, for counting them.
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
    /// Its kind; none for what only ends another fault.
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

    /// The word in a capture.
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
    /// The state that it writes.
    pub(super) fn state(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Started => "STARTED",
            Self::Success => "SUCCESS",
        }
    }
}
