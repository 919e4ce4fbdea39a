//! A job while somebody waits for it, on standard error: a bar on a terminal, elsewhere a line for each change of state.

use std::pin::pin;

use indicatif::{ProgressBar, ProgressStyle};
use wasmhost_client::{Notes, States};
use wasmhost_protocol::record::Record;
use wasmhost_protocol::text::{escape, truncate};

use super::progress::Progress;
use super::render;
use super::terminal::{note, stderr_is_live};

/// The most bytes of a meta beside the bar.
const MESSAGE_BYTES: usize = 60;

/// How many steps the bar has.
const FULL: u64 = 10_000;

/// Waits for the next record of a job. What hosts say of the job meanwhile is passed to `tell` as it comes.
pub(crate) async fn next_record(
    states: &mut States,
    notes: &mut Notes,
    tell: impl Fn(&str),
) -> Option<Record> {
    // The future is kept until it is ready, since it may be reading the record that an event announced.
    let mut next = pin!(states.next());
    loop {
        tokio::select! {
            // A line that a host said while the job waited comes before the record that ends the waiting.
            biased;
            note = notes.next() => tell(&note),
            record = &mut next => return record,
        }
    }
}

/// Shows how a job goes on.
pub(crate) struct Follower {
    bar: Option<ProgressBar>,
    last_state: String,
}

impl Follower {
    /// Shows a bar where standard error is a terminal, else lines.
    pub(crate) fn new() -> Self {
        Self { bar: stderr_is_live().then(new_bar), last_state: String::new() }
    }

    /// Shows the newest record.
    pub(crate) fn show(&mut self, record: &Record) {
        match &self.bar {
            Some(bar) => move_bar(bar, record),
            None => {
                let state = record.label().to_string();
                // Progress within a state would be a line for each update.
                if state != self.last_state {
                    note(render::transition(record));
                    self.last_state = state;
                }
            }
        }
    }

    /// Shows a line that a host said of the job.
    pub(crate) fn note(&self, text: &str) {
        let text = escape(text);
        match &self.bar {
            // A line that is printed beside the bar would break it.
            Some(bar) => bar.suspend(|| note(text)),
            None => note(text),
        }
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::new(FULL);
    bar.set_style(waiting_style());
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    bar
}

fn move_bar(bar: &ProgressBar, record: &Record) {
    bar.set_prefix(record.label().to_string());
    let meta = record.meta.as_ref();
    if let Some(progress) = meta.and_then(Progress::of) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "the fraction is from 0 to 1"
        )]
        bar.set_position((progress.fraction * FULL as f64) as u64);
        bar.set_style(counting_style());
    }
    bar.set_message(truncate(&render::remark(record), MESSAGE_BYTES).to_owned());
}

fn waiting_style() -> ProgressStyle {
    style("{spinner} {prefix} {elapsed} {wide_msg}")
}

fn counting_style() -> ProgressStyle {
    style("{prefix} [{bar:30}] {percent}% {elapsed} {wide_msg}")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is well formed").progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_styles_are_well_formed() {
        waiting_style();
        counting_style();
    }
}
