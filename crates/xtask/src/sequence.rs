//! Steps one after the other. One that fails does not keep the others from saying what they find; at the end a table says
//! what each came to and what it cost.

use std::time::{Duration, Instant};

use anyhow::bail;

use crate::{
    say::say,
    steps::{Board, Ended, Step, Took},
};

/// The steps of one command.
pub(crate) struct Sequence {
    total: usize,
    ended: Vec<Line>,
}

/// A line of the table.
struct Line {
    name: &'static str,
    took: Duration,
    failed: bool,
}

impl Sequence {
    /// That of so many steps.
    pub(crate) fn new(total: usize) -> Self {
        Self { total, ended: Vec::new() }
    }

    /// Runs a step. None where it failed; the error is printed at once.
    pub(crate) fn run<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&Step<'_>) -> Ended<T>,
    ) -> Option<T> {
        let begun = Instant::now();
        // Each step has a board of its own: on a common one a failure would stop what runs after it.
        let board = Board::new(self.total);
        let left = board.run((self.ended.len() + 1, name), work);
        let result = board.result(left);
        self.ended.push(Line { name, took: begun.elapsed(), failed: result.is_err() });
        result.inspect_err(|error| eprintln!("error: {error:#}")).ok()
    }

    /// Whether a step has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.ended.iter().any(|line| line.failed)
    }

    /// Prints the table, and fails where a step did.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        say("");
        for line in self.table() {
            say(line);
        }
        if self.has_failed() {
            let failed: Vec<_> = self.ended.iter().filter(|line| line.failed).map(|line| line.name).collect();
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }

    fn table(&self) -> Vec<String> {
        let line = |name: &str, took: String, came_to: &str| format!("{name:<24} {took:>12}  {came_to}");
        let mut table = Vec::new();
        for Line { name, took, failed } in &self.ended {
            table.push(line(name, Took(*took).to_string(), if *failed { "failed" } else { "ok" }));
        }
        let left = self.total - self.ended.len();
        if left > 0 {
            table.push(line(&format!("({left} more)"), String::new(), "not run"));
        }
        table.push(line("all", Took(self.ended.iter().map(|line| line.took).sum()).to_string(), ""));
        table.into_iter().map(|line| line.trim_end().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Sequence;

    #[test]
    fn a_step_that_fails_keeps_no_other_from_running_but_is_in_the_table() {
        let mut sequence = Sequence::new(3);
        assert_eq!(sequence.run("first", |_| anyhow::Ok(((), String::new()))), Some(()));
        assert_eq!(sequence.run("second", |_| -> anyhow::Result<((), String)> { anyhow::bail!("no") }), None);
        assert_eq!(
            sequence.table(),
            [
                "first                             0 s  ok",
                "second                            0 s  failed",
                "(1 more)                               not run",
                "all                               0 s",
            ]
        );
        assert_eq!(sequence.end().unwrap_err().to_string(), "failed: second");
    }
}
