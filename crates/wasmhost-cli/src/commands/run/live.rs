//! The live view of a local run: states and logs on standard error as they come.

use std::time::Duration;

use wasmhost_protocol::outcome::{Outcome, Verdict};
use wasmhost_sandbox::{AttemptHandle, LogLevel, LogLine, LogStream, PendingUpdates};

use crate::{output, render};

/// A task that says nothing for so long is shown as started.
const QUIET: Duration = Duration::from_millis(50);

/// Shows states and logs as they come, until the end.
pub(super) async fn follow(running: AttemptHandle) -> Outcome {
    let AttemptHandle { mut outcome, updates, control: _control, .. } = running;
    let mut logs = updates.logs();
    let mut show = Show { started: false };
    let quiet = tokio::time::sleep(QUIET);
    tokio::pin!(quiet);
    let outcome = loop {
        // Taking a line and looking for posts lose nothing when another arm is first.
        tokio::select! {
            biased;
            Some(line) = logs.recv() => show.line(&line),
            () = updates.changed() => show.post(updates.take()),
            outcome = &mut outcome => break outcome,
            () = &mut quiet, if !show.started => show.start(),
        }
    };
    if !matches!(outcome.verdict, Verdict::BadArguments(_) | Verdict::UnknownFunction(_)) {
        show.start();
    }
    while let Some(line) = logs.try_recv() {
        show.line(&line);
    }
    show.post(updates.take());
    if updates.dropped_lines() > 0 {
        output::note(format_args!("… {} log lines dropped", updates.dropped_lines()));
    }
    outcome
}

/// The live view on standard error. Refused arguments never start, so it starts with the first sign of life.
struct Show {
    started: bool,
}

impl Show {
    fn start(&mut self) {
        if !self.started {
            output::note("STARTED");
        }
        self.started = true;
    }

    fn post(&mut self, post: Option<PendingUpdates>) {
        let Some(post) = post else { return };
        self.start();
        if let Some(update) = post.update {
            let meta = update.meta.as_ref().map(render::json).unwrap_or_default();
            output::note(format_args!("{} {meta}", update.state));
        }
        if let Some(checkpoint) = post.checkpoint {
            output::note(format_args!("checkpoint of {} bytes", checkpoint.len()));
        }
    }

    fn line(&mut self, line: &LogLine) {
        self.start();
        let from = match (line.stream, line.level) {
            (LogStream::Stdout, _) => "stdout",
            (LogStream::Stderr, _) => "stderr",
            (LogStream::Guest, LogLevel::Trace) => "trace",
            (LogStream::Guest, LogLevel::Debug) => "debug",
            (LogStream::Guest, LogLevel::Info) => "info",
            (LogStream::Guest, LogLevel::Warn) => "warn",
            (LogStream::Guest, LogLevel::Error) => "error",
        };
        let fields =
            line.fields.as_ref().map(|fields| format!(" {}", render::json(fields))).unwrap_or_default();
        // The sandbox has escaped the message.
        output::note(format_args!("  {from}: {}{fields}", line.message));
    }
}
