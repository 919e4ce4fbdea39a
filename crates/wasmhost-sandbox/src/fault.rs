//! Says what broke a guest: traps, exits, panics and limits look alike to the engine and must not in a record. Where the
//! engine has a type for an error, the type decides; where it has only a text, the root cause alone, and all of it.

mod backtrace;
mod engine;

use wasmhost_protocol::json::Json;
use wasmhost_protocol::outcome::{Fault, Limit, Verdict};
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::text::{cut_middle, escape_lines};
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::codec::NO_PAYLOAD;
use crate::guest::{CpuTimeUsedUp, ImportLimitExceeded, Observations, RESULT_BYTES};
use crate::last_words::{self, LastWords};
use crate::refusals::Refused;
use crate::tasks::Task;

/// A call that did not return.
pub(crate) struct FailedCall<'a> {
    pub(crate) task: &'a Task,
    pub(crate) limits: &'a Limits,
    pub(crate) observed: &'a Observations,
}

impl FailedCall<'_> {
    /// The verdict on a call that ended with `error`.
    pub(crate) fn verdict(&self, error: &wasmtime::Error) -> Verdict {
        let exit = error.downcast_ref::<I32Exit>().map(|exit| exit.0);
        if self.task.is_command && exit == Some(0) {
            return Verdict::Returned(Json::null());
        }
        if error.is::<CpuTimeUsedUp>() {
            return self.over(Limit::Cpu, Some(error));
        }
        if let Some(why) = engine::host_fault(error) {
            return Verdict::HostBug(why);
        }
        if let Some(too_much) = error.downcast_ref::<ImportLimitExceeded>() {
            return Verdict::Exceeded(Limit::Instances, fault(&too_much.to_string(), Some(error)));
        }
        if let Some(limit) = engine::limit(error) {
            return self.over(limit, Some(error));
        }
        let words = last_words::read(&self.observed.stderr.text());
        match (exit, error.downcast_ref::<Trap>()) {
            (Some(status), _) => self.exited(status, words.as_ref().filter(|words| words.runtime_exits)),
            (None, Some(Trap::UnreachableCodeReached)) => self.aborted(words, error),
            (None, None) if engine::is_uncaught_exception(error) => self.aborted(words, error),
            (None, Some(_)) => self.trapped(error),
            // No code of the guest's: an instance that could not be made.
            (None, None) => match self.observed.refusals.unsurvived() {
                Some(refused) => self.refused(refused, None, Some(error)),
                None => self.trapped(error),
            },
        }
    }

    /// The verdict on a call that was ended because of `limit`.
    pub(crate) fn exceeded(&self, limit: Limit) -> Verdict {
        self.over(limit, None)
    }

    /// An error that says nothing by itself, with what the guest said last before it.
    pub(crate) fn explained(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Failed { message, details: None } if message == NO_PAYLOAD => {
                Verdict::Failed { message: self.with_closing_words(message), details: None }
            }
            other => other,
        }
    }

    /// A guest that gave up by itself, which compilers make a trap without a cause.
    fn aborted(&self, words: Option<LastWords>, error: &wasmtime::Error) -> Verdict {
        let fresh = self.observed.refusals.unsurvived();
        match (words, fresh) {
            (Some(words), _) => self.gave_up(&words, Some(error)),
            (None, Some(refused)) => self.refused(refused, None, Some(error)),
            (None, None) => self.trapped(error),
        }
    }

    /// A guest that said why it gives up. That there was no memory is believed where some was refused.
    fn gave_up(&self, words: &LastWords, error: Option<&wasmtime::Error>) -> Verdict {
        match self.observed.refusals.last().filter(|refused| words.out_of_memory && refused.is_memory()) {
            Some(refused) => self.refused(refused, Some(&words.message), error),
            None => Verdict::Panicked(fault(&words.message, error)),
        }
    }

    /// A trap with a cause of its own; a refusal before it may still be what led to it.
    fn trapped(&self, error: &wasmtime::Error) -> Verdict {
        let mut message = engine::trap_text(error);
        if let Some(refused) = self.observed.refusals.last() {
            message.push_str(&format!(
                " (before it the guest was refused more: {})",
                self.refusal_text(refused)
            ));
        }
        Verdict::Trapped(fault(&message, Some(error)))
    }

    fn exited(&self, status: i32, words: Option<&LastWords>) -> Verdict {
        match words {
            _ if status == 0 => Verdict::Exited(fault("exit(0) without a result", None)),
            Some(words) => self.gave_up(words, None),
            None => Verdict::Exited(fault(&self.with_closing_words(format!("exit({status})")), None)),
        }
    }

    fn refused(&self, refused: Refused, words: Option<&str>, error: Option<&wasmtime::Error>) -> Verdict {
        let mut message = self.refusal_text(refused);
        if let Some(words) = words {
            message.push_str(&format!(" ({words})"));
        }
        match refused {
            Refused::Memory | Refused::MemoryByModule => {
                Verdict::Exceeded(Limit::Memory, fault(&message, error))
            }
            Refused::Tables => Verdict::Exceeded(Limit::Tables, fault(&message, error)),
            Refused::MemoryByMachine => Verdict::HostBug(message),
        }
    }

    fn refusal_text(&self, refused: Refused) -> String {
        match refused {
            Refused::Memory => self.limit_text(Limit::Memory),
            Refused::MemoryByModule => {
                "out of memory: the module itself names a maximum, and reached it".to_owned()
            }
            Refused::MemoryByMachine => "the machine has no more memory".to_owned(),
            Refused::Tables => self.limit_text(Limit::Tables),
        }
    }

    fn with_closing_words(&self, message: String) -> String {
        match last_words::closing(&self.observed.stderr.text()) {
            Some(words) => kept(&format!("{message}: {words}"), "lines"),
            None => message,
        }
    }

    fn over(&self, limit: Limit, error: Option<&wasmtime::Error>) -> Verdict {
        Verdict::Exceeded(limit, fault(&self.limit_text(limit), error))
    }

    fn limit_text(&self, limit: Limit) -> String {
        let limits = self.limits;
        match limit {
            Limit::Memory => format!("out of memory: the limit is {} bytes", limits.memory_bytes),
            Limit::Cpu => format!("CPU time is used up: the limit is {:?}", limits.cpu),
            Limit::Wall => format!("timed out after {:?}", limits.timeout),
            Limit::Fuel => "fuel is used up".to_owned(),
            Limit::Tables => format!("too many table elements: the limit is {}", limits.table_elements),
            Limit::Instances => {
                format!("too many instances or handles: the limit is {} handles", limits.handles)
            }
            Limit::Result => format!(
                "more values in one call than a host holds for a guest: {} MiB, and within the memory limit of {} bytes \
                 together with the guest's own",
                RESULT_BYTES >> 20,
                limits.memory_bytes
            ),
        }
    }
}

/// What the guest wrote to standard error last, as records have it.
pub(crate) fn stderr(observed: &Observations) -> Option<String> {
    let text = observed.stderr.text();
    (!text.is_empty()).then(|| kept(&text, "lines"))
}

fn fault(message: &str, error: Option<&wasmtime::Error>) -> Fault {
    let frames = error.and_then(|error| error.downcast_ref::<WasmBacktrace>());
    let backtrace = frames.map(backtrace::text).filter(|text| !text.is_empty());
    Fault { message: kept(message, "lines"), backtrace }
}

/// A text of the guest's as records have it, within its own room.
fn kept(text: &str, what: &str) -> String {
    cut_middle(&escape_lines(text), Limits::ERROR_TEXT_BYTES, what)
}
