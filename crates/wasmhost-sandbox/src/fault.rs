//! Finds out why a call failed. To the engine, traps, exits, panics and limits look alike, and a record has to tell
//! them apart. Where the engine has a type for an error, the type decides; where it has only a text, the text of the
//! root cause is compared as a whole.

mod backtrace;
mod engine;
mod message;

use wasmhost_protocol::json::Json;
use wasmhost_protocol::outcome::{Fault, Limit, Verdict};
use wasmhost_protocol::policy::Limits;
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::codec::NO_PAYLOAD;
use crate::error_text::clip;
use crate::guest::{CpuTimeUsedUp, ImportLimitExceeded, Observations};
use crate::last_words::{self, LastWords};
use crate::refusals::Refused;
use crate::tasks::Task;
use message::{limit_text, refusal_text};

/// A call that did not return a result, with all that is known of it.
pub(crate) struct FailedCall<'a> {
    pub(crate) task: &'a Task,
    pub(crate) limits: &'a Limits,
    pub(crate) observations: &'a Observations,
}

impl FailedCall<'_> {
    /// The verdict on a call that ended with `error`.
    pub(crate) fn verdict(&self, error: &wasmtime::Error) -> Verdict {
        // Errors with a type of their own come before those that are told by text, and whatever the host lacked comes
        // before everything that the guest could be blamed for.
        let exit = error.downcast_ref::<I32Exit>().map(|exit| exit.0);
        if self.task.is_command && exit == Some(0) {
            return Verdict::Returned(Json::null());
        }
        if error.is::<CpuTimeUsedUp>() {
            return self.limit_exceeded(Limit::Cpu, Some(error));
        }
        if let Some(reason) = engine::host_fault(error) {
            return Verdict::HostBug(reason);
        }
        if let Some(exceeded) = error.downcast_ref::<ImportLimitExceeded>() {
            return Verdict::Exceeded(Limit::Instances, fault(&exceeded.to_string(), Some(error)));
        }
        if let Some(limit) = engine::limit(error) {
            return self.limit_exceeded(limit, Some(error));
        }
        match exit {
            Some(status) => self.exited(status),
            None => self.ended_by_trap(error),
        }
    }

    /// The verdict on a call that was ended by a limit, with the error by which it was ended if there is one.
    pub(crate) fn limit_exceeded(&self, limit: Limit, error: Option<&wasmtime::Error>) -> Verdict {
        Verdict::Exceeded(limit, fault(&limit_text(self.limits, limit), error))
    }

    /// Explains an error that the task returned without a payload by what the guest wrote to standard error last.
    pub(crate) fn explain(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Failed { message, details: None } if message == NO_PAYLOAD => {
                Verdict::Failed { message: self.with_closing_words(message), details: None }
            }
            other => other,
        }
    }

    fn exited(&self, status: i32) -> Verdict {
        if status == 0 {
            return Verdict::Exited(fault("exit(0) without a result", None));
        }
        // A guest that exits after the last words of a runtime that aborts has caught that error and gone on.
        match self.last_words().filter(|last_words| last_words.runtime_exits) {
            Some(last_words) => self.gave_up(&last_words, None),
            None => Verdict::Exited(fault(&self.with_closing_words(format!("exit({status})")), None)),
        }
    }

    fn ended_by_trap(&self, error: &wasmtime::Error) -> Verdict {
        match error.downcast_ref::<Trap>() {
            // Compilers turn an abort into this trap, which has no cause of its own.
            Some(Trap::UnreachableCodeReached) => self.aborted(error),
            None if engine::is_uncaught_exception(error) => self.aborted(error),
            Some(_) => self.trapped(error),
            // The guest has not run: its instance could not be made.
            None => match self.observations.refusals.unsurvived() {
                Some(refused) => self.refused(refused, None, Some(error)),
                None => self.trapped(error),
            },
        }
    }

    /// The verdict on a guest that gave up, by its last words or by what it was refused right before.
    fn aborted(&self, error: &wasmtime::Error) -> Verdict {
        match (self.last_words(), self.observations.refusals.unsurvived()) {
            (Some(last_words), _) => self.gave_up(&last_words, Some(error)),
            (None, Some(refused)) => self.refused(refused, None, Some(error)),
            (None, None) => self.trapped(error),
        }
    }

    /// The verdict on a guest that said why it gave up. That it had no memory is believed only if it was refused some.
    fn gave_up(&self, last_words: &LastWords, error: Option<&wasmtime::Error>) -> Verdict {
        let refused = self.observations.refusals.last();
        match refused.filter(|refused| last_words.out_of_memory && refused.is_memory()) {
            Some(refused) => self.refused(refused, Some(&last_words.message), error),
            None => Verdict::Panicked(fault(&last_words.message, error)),
        }
    }

    /// The verdict on a trap with a cause of its own. A refusal before it may still be what led to it.
    fn trapped(&self, error: &wasmtime::Error) -> Verdict {
        let mut message = engine::trap_text(error);
        if let Some(refused) = self.observations.refusals.last() {
            let refusal = refusal_text(self.limits, refused);
            message.push_str(&format!(" (before it the guest was refused more: {refusal})"));
        }
        Verdict::Trapped(fault(&message, Some(error)))
    }

    fn refused(
        &self,
        refused: Refused,
        last_words: Option<&str>,
        error: Option<&wasmtime::Error>,
    ) -> Verdict {
        let mut message = refusal_text(self.limits, refused);
        if let Some(last_words) = last_words {
            message.push_str(&format!(" ({last_words})"));
        }
        match refused {
            Refused::Memory | Refused::MemoryByModule => {
                Verdict::Exceeded(Limit::Memory, fault(&message, error))
            }
            Refused::Tables => Verdict::Exceeded(Limit::Tables, fault(&message, error)),
            // The attempt is tried again, perhaps on a host with more memory.
            Refused::MemoryByMachine => Verdict::HostBug(message),
        }
    }

    fn last_words(&self) -> Option<LastWords> {
        last_words::read(&self.observations.stderr.text())
    }

    fn with_closing_words(&self, message: String) -> String {
        match last_words::closing(&self.observations.stderr.text()) {
            Some(words) => clip(&format!("{message}: {words}")),
            None => message,
        }
    }
}

/// What the guest wrote to standard error last, in the form of records; none where it wrote nothing.
pub(crate) fn stderr(observations: &Observations) -> Option<String> {
    let text = observations.stderr.text();
    (!text.is_empty()).then(|| clip(&text))
}

fn fault(message: &str, error: Option<&wasmtime::Error>) -> Fault {
    let frames = error.and_then(|error| error.downcast_ref::<WasmBacktrace>());
    let backtrace = frames.map(backtrace::text).filter(|text| !text.is_empty());
    Fault { message: clip(message), backtrace }
}
