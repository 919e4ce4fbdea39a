//! The live view of a local run: states and log lines on standard error as they come.

use std::time::Duration;

use wasmhost_protocol::log::LogStream;
use wasmhost_protocol::outcome::{Outcome, Verdict};
use wasmhost_sandbox::{AttemptHandle, GuestLine, PendingUpdates};

use crate::output;
use crate::output::render;

/// A task that says nothing for this long is shown as started.
const QUIET: Duration = Duration::from_millis(50);

/// Shows states and log lines as they come, until the end.
pub(super) async fn follow(running: AttemptHandle) -> Outcome {
    let AttemptHandle { mut outcome, updates, control: _control, .. } = running;
    let mut logs = updates.logs();
    let mut view = View { started: false };
    let quiet = tokio::time::sleep(QUIET);
    tokio::pin!(quiet);
    let outcome = loop {
        // Dropping an arm loses nothing: lines and updates stay where they are until they are taken.
        tokio::select! {
            biased;
            Some(line) = logs.recv() => view.line(&line),
            () = updates.changed() => view.updates(updates.take()),
            outcome = &mut outcome => break outcome,
            () = &mut quiet, if !view.started => view.start(),
        }
    };
    // A task may end before it was shown as started, unless it never started.
    if !matches!(outcome.verdict, Verdict::BadArguments(_) | Verdict::UnknownFunction(_)) {
        view.start();
    }
    // The outcome may overtake what the guest said last.
    while let Some(line) = logs.try_recv() {
        view.line(&line);
    }
    view.updates(updates.take());
    if updates.dropped_lines() > 0 {
        output::note(format_args!("… {} log lines dropped", updates.dropped_lines()));
    }
    outcome
}

/// The live view. It begins with the first sign of life, since a task whose arguments are refused never starts.
struct View {
    started: bool,
}

impl View {
    fn start(&mut self) {
        if !self.started {
            output::note("STARTED");
        }
        self.started = true;
    }

    fn updates(&mut self, updates: Option<PendingUpdates>) {
        let Some(updates) = updates else { return };
        self.start();
        if let Some(update) = updates.update {
            let meta = update.meta.as_ref().map(render::json).unwrap_or_default();
            output::note(format_args!("{} {meta}", update.state));
        }
        if let Some(checkpoint) = updates.checkpoint {
            output::note(format_args!("checkpoint of {} bytes", checkpoint.len()));
        }
    }

    fn line(&mut self, line: &GuestLine) {
        self.start();
        let from = match line.stream {
            LogStream::Stdout => "stdout",
            LogStream::Stderr => "stderr",
            _ => line.level.as_str(),
        };
        let fields =
            line.fields.as_ref().map(|fields| format!(" {}", render::json(fields))).unwrap_or_default();
        // The sandbox has escaped the message.
        output::note(format_args!("  {from}: {}{fields}", line.message));
    }
}
