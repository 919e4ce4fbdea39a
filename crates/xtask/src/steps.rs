//! Steps that run side by side. Each prints one line when it has ended: which of how many it is, what came of it, and how
//! long it took. What its programs write is kept, and shown where the step fails. A long step also says how far it is. All
//! of it goes to standard error, and is the same without a terminal.

mod cargo_line;
mod running;

use std::{
    cell::Cell,
    fmt::Display,
    io::{IsTerminal, Write},
    process::Command,
    sync::Mutex,
    thread::{Scope, ScopedJoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};

use running::{Running, Stop};

/// Where no line can change, a step that is under way prints this often how far it is.
const REMINDER: Duration = Duration::from_secs(30);

/// A line that changes is cut here: a longer one would wrap, and could not be taken back.
const LINE_LIMIT: usize = 78;

/// The steps of one command.
pub(crate) struct Board {
    total: usize,
    terminal: bool,
    /// Why the first step that failed did; the others are stopped then.
    failure: Mutex<Option<anyhow::Error>>,
    running: Running,
}

/// A step under way.
pub(crate) struct Step<'board> {
    board: &'board Board,
    number: usize,
    name: &'static str,
    begun: Instant,
    told: Cell<Instant>,
}

/// A step that runs beside others.
pub(crate) struct UnderWay<'scope, T>(ScopedJoinHandle<'scope, Option<T>>);

/// What a step leaves, and a few words about it.
pub(crate) type Ended<T> = anyhow::Result<(T, String)>;

impl Board {
    /// The board of so many steps.
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total,
            terminal: std::io::stderr().is_terminal(),
            failure: Mutex::default(),
            running: Running::default(),
        }
    }

    /// Starts a step beside the others. None comes of it where it failed or was stopped.
    pub(crate) fn start<'scope, 'env: 'scope, T: Send + 'scope>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        (number, name): (usize, &'static str),
        work: impl FnOnce(&Step<'_>) -> Ended<T> + Send + 'scope,
    ) -> UnderWay<'scope, T> {
        UnderWay(scope.spawn(move || self.run((number, name), work)))
    }

    /// Runs a step here.
    pub(crate) fn run<T>(
        &self,
        (number, name): (usize, &'static str),
        work: impl FnOnce(&Step<'_>) -> Ended<T>,
    ) -> Option<T> {
        let begun = Instant::now();
        let step = Step { board: self, number, name, begun, told: Cell::new(begun) };
        match work(&step) {
            Ok((value, what)) => {
                step.tell(format_args!("{what}; {}", Took(begun.elapsed())));
                Some(value)
            }
            Err(error) => {
                self.fail(&step, error);
                None
            }
        }
    }

    /// What the steps left, or why one failed.
    pub(crate) fn result<T>(self, left: Option<T>) -> anyhow::Result<T> {
        match self.failure.into_inner().expect("no step panics while it fails") {
            Some(error) => Err(error),
            None => left.context("a step ended without a result"),
        }
    }

    fn fail(&self, step: &Step<'_>, error: anyhow::Error) {
        let mut failure = self.failure.lock().expect("no step panics while it fails");
        // The steps that fail after the first one do so because they were stopped.
        if failure.is_none() {
            step.tell(format_args!("failed after {}", Took(step.begun.elapsed())));
            *failure = Some(error.context(step.name));
            self.running.stop_all();
        }
    }

    fn write(&self, text: &str) {
        // Where standard error is closed, nobody reads these lines.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

impl<T> UnderWay<'_, T> {
    /// Waits for the step's end.
    pub(crate) fn left(self) -> Option<T> {
        self.0.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Step<'_> {
    /// Prints something in a line of its own.
    pub(crate) fn tell(&self, what: impl Display) {
        // A line that changes stands without a line end, and is taken back first.
        let back = if self.board.terminal { "\r\u{1b}[K" } else { "" };
        self.board.write(&format!("{back}[{}/{}] {}: {what}\n", self.number, self.board.total, self.name));
        self.told.set(Instant::now());
    }

    /// Runs a program to its end, silently.
    pub(crate) fn call(&self, mut command: Command) -> anyhow::Result<()> {
        let line = crate::command::line(&command);
        let mut written = String::new();
        let status = self
            .board
            .running
            .watch(&mut command, |text| match cargo_line::progress(text) {
                // The bar is not kept: its many lines would push out those that say why a program failed.
                Some((done, total)) => self.advance(done, total),
                None => written.extend([text, "\n"]),
            })
            .with_context(|| format!("running `{line}`"))?;
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(anyhow!("`{line}` failed ({status})\n{}", cargo_line::reason(&written))),
            Err(Stop) => Err(anyhow!("stopped, as another step failed")),
        }
    }

    fn advance(&self, done: usize, total: usize) {
        let so_far = Took(self.begun.elapsed());
        if self.board.terminal {
            let line =
                format!("[{}/{}] {}: {done} of {total}, {so_far}", self.number, self.board.total, self.name);
            let line: String = line.chars().take(LINE_LIMIT).collect();
            self.board.write(&format!("\r\u{1b}[K{line}"));
        } else if self.told.get().elapsed() >= REMINDER {
            self.tell(format_args!("{done} of {total}, {so_far} so far"));
        }
    }
}

/// A duration for people.
pub(crate) struct Took(pub(crate) Duration);

impl Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.as_secs() {
            seconds @ 0..60 => write!(f, "{seconds} s"),
            seconds => write!(f, "{} min {} s", seconds / 60, seconds % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{process::Command, thread, time::Duration};

    use super::{Board, Took};

    fn shell(script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        shell
    }

    #[test]
    fn a_step_that_fails_stops_the_others_and_says_why() {
        let board = Board::new(2);
        let left = thread::scope(|scope| {
            let long = board.start(scope, (1, "long"), |step| {
                step.call(shell("exec sleep 600")).map(|()| ((), String::new()))
            });
            let short = board.start(scope, (2, "short"), |step| {
                step.call(shell("echo noise; echo 'error: no room' >&2; exit 3"))
                    .map(|()| ((), String::new()))
            });
            long.left().and(short.left())
        });
        let error = format!("{:#}", board.result(left).unwrap_err());
        assert!(error.starts_with("short: `sh -c "), "{error}");
        assert!(error.ends_with("failed (exit status: 3)\nerror: no room"), "{error}");
    }

    #[test]
    fn what_a_step_leaves_is_handed_on() {
        let board = Board::new(1);
        let left = board.run((1, "only"), |step| {
            step.call(shell("echo fine"))?;
            Ok((7, "seven".to_owned()))
        });
        assert_eq!(board.result(left).unwrap(), 7);
    }

    #[test]
    fn a_duration_is_told_in_minutes_and_seconds() {
        assert_eq!(Took(Duration::from_millis(59_900)).to_string(), "59 s");
        assert_eq!(Took(Duration::from_secs(125)).to_string(), "2 min 5 s");
    }
}
