//! What a guest was refused. To the engine, an allocation that failed within a guest looks like any other trap; what is
//! remembered here tells a guest that ended for want of memory from one that ended by itself.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a guest can be refused, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Memory beyond the limit of the attempt.
    Memory,
    /// Memory beyond the maximum that the module itself declares.
    MemoryByModule,
    /// Memory that the limit allows and the machine does not have.
    MemoryByMachine,
    /// Elements of tables.
    Tables,
}

impl Refused {
    /// Whether memory was refused, by whomever.
    pub(crate) fn is_memory(self) -> bool {
        match self {
            Self::Memory | Self::MemoryByModule | Self::MemoryByMachine => true,
            Self::Tables => false,
        }
    }
}

/// The last refusal, and whether the guest survived it. A refusal that it survived is not what ended it.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<LastRefusal>);

#[derive(Debug, Default, Clone, Copy)]
struct LastRefusal {
    refused: Option<Refused>,
    survived: bool,
}

impl Refusals {
    /// Remembers a refusal in place of earlier ones.
    pub(crate) fn note(&self, refused: Refused) {
        *self.lock() = LastRefusal { refused: Some(refused), survived: false };
    }

    /// Notes that the guest went on: it was granted something else, wrote output or called an import of the task.
    pub(crate) fn mark_survived(&self) {
        self.lock().survived = true;
    }

    /// The last refusal, unless the guest went on after it.
    pub(crate) fn unsurvived(&self) -> Option<Refused> {
        let last = *self.lock();
        last.refused.filter(|_| !last.survived)
    }

    /// The last refusal, whether or not the guest went on after it.
    pub(crate) fn last(&self) -> Option<Refused> {
        self.lock().refused
    }

    fn lock(&self) -> MutexGuard<'_, LastRefusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
