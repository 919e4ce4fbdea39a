//! Progress of a job in its meta, and the bar that shows it. The bar is only for terminals; elsewhere every change of
//! state is a line.

use std::pin::pin;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use wasmhost_client::{Notes, States};
use wasmhost_protocol::json::Json;
use wasmhost_protocol::record::Record;
use wasmhost_protocol::text::{escape, truncate};

use crate::output;
use crate::output::render;

/// The most bytes of a meta's message beside the bar.
const MESSAGE_BYTES: usize = 60;

/// Steps of the bar.
const FULL: u64 = 10_000;

/// How far a job says it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Progress {
    /// From 0 to 1.
    pub(crate) fraction: f64,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    progress: Option<Json>,
    #[serde(default)]
    current: Option<Json>,
    #[serde(default)]
    total: Option<Json>,
}

impl Progress {
    /// Reads a number from 0 to 100 in `progress`, else `current` of `total`; none where the meta has neither.
    pub(crate) fn of(meta: &Json) -> Option<Self> {
        let meta: Meta = meta.read().ok()?;
        let number = |value: Option<Json>| value.and_then(|value| value.read::<f64>().ok());
        if let Some(percent) = number(meta.progress).filter(|percent| (0.0..=100.0).contains(percent)) {
            return Some(Self { fraction: percent / 100.0 });
        }
        let (current, total) = (number(meta.current)?, number(meta.total)?);
        (total > 0.0 && (0.0..=total).contains(&current)).then_some(Self { fraction: current / total })
    }
}

/// The next record of a job. What hosts say of it meanwhile is told as it comes.
pub(crate) async fn next_record(
    states: &mut States,
    notes: &mut Notes,
    tell: impl Fn(&str),
) -> Option<Record> {
    // Not dropped before it has one: it may be reading what an event told of.
    let mut next = pin!(states.next());
    loop {
        tokio::select! {
            biased;
            note = notes.next() => tell(&note),
            record = &mut next => return record,
        }
    }
}

/// Shows a job's way on standard error while somebody waits for it.
pub(crate) struct Follower {
    bar: Option<ProgressBar>,
    last_state: String,
}

impl Follower {
    /// For the terminal, or whatever standard error is.
    pub(crate) fn new() -> Self {
        Self { bar: output::stderr_is_live().then(new_bar), last_state: String::new() }
    }

    /// Shows the newest record.
    pub(crate) fn show(&mut self, record: &Record) {
        match &self.bar {
            Some(bar) => move_bar(bar, record),
            None => {
                let state = record.state().to_string();
                if state != self.last_state {
                    output::note(render::transition(record));
                    self.last_state = state;
                }
            }
        }
    }

    /// Shows what somebody says beside the record.
    pub(crate) fn note(&self, text: &str) {
        let text = escape(text);
        match &self.bar {
            Some(bar) => bar.suspend(|| output::note(text)),
            None => output::note(text),
        }
    }

    /// Leaves the line clean.
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
    bar.set_prefix(record.state().to_string());
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

    fn percent(meta: &str) -> Option<f64> {
        Progress::of(&Json::parse(meta).unwrap()).map(|progress| progress.fraction * 100.0)
    }

    #[test]
    fn a_bar_needs_a_percentage_or_a_count() {
        assert_eq!(percent(r#"{"progress": 25}"#), Some(25.0));
        assert_eq!(percent(r#"{"progress": 12.5, "current": 1, "total": 2}"#), Some(12.5));
        assert_eq!(percent(r#"{"current": 1, "total": 4}"#), Some(25.0));
        assert_eq!(percent(r#"{"progress": 250, "current": 2, "total": 4}"#), Some(50.0));
        assert_eq!(percent(r#"{"progress": 1e400, "current": 2, "total": 4}"#), Some(50.0));
    }

    #[test]
    fn anything_else_is_no_progress() {
        for meta in [
            "null",
            "5",
            "[]",
            "{}",
            r#"{"progress": "25"}"#,
            r#"{"progress": -1}"#,
            r#"{"progress": 101}"#,
            r#"{"current": 1}"#,
            r#"{"current": 1, "total": 0}"#,
            r#"{"current": 5, "total": 4}"#,
        ] {
            assert_eq!(percent(meta), None, "{meta}");
        }
    }

    #[test]
    fn the_styles_are_well_formed() {
        waiting_style();
        counting_style();
    }
}
