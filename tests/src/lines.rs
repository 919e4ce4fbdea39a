//! The lines that a child process writes, kept as they come, and the levels of those that are a log's.

use anyhow::Context;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    sync::watch,
    task::JoinSet,
};

use crate::limit::within;

/// The lines so far, and those to come.
#[derive(Debug, Clone)]
pub struct Lines(watch::Receiver<Vec<String>>);

/// The level of a line of a log, from the most verbose to the most urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Details.
    Debug,
    /// What a host does.
    Info,
    /// What an operator should know.
    Warn,
    /// What an operator should fix.
    Error,
}

impl Level {
    /// The level of a line; none for a line that is not of a log. It is the word behind the time.
    pub(crate) fn of(line: &str) -> Option<Self> {
        match line.split_whitespace().nth(1)? {
            "DEBUG" => Some(Self::Debug),
            "INFO" => Some(Self::Info),
            "WARN" => Some(Self::Warn),
            "ERROR" => Some(Self::Error),
            _ => None,
        }
    }
}

impl Lines {
    /// Reads to the end in a task of `tasks`.
    pub(crate) fn of(output: impl AsyncRead + Unpin + Send + 'static, tasks: &mut JoinSet<()>) -> Self {
        let (lines, seen) = watch::channel(Vec::new());
        tasks.spawn(async move {
            let mut reader = BufReader::new(output).split(b'\n');
            while let Ok(Some(line)) = reader.next_segment().await {
                lines.send_modify(|lines| lines.push(String::from_utf8_lossy(&line).into_owned()));
            }
        });
        Self(seen)
    }

    /// Waits for a line with this text in it.
    ///
    /// # Errors
    ///
    /// The output ends without such a line, or it takes too long; with what was written instead.
    pub async fn wait_for(&mut self, text: &str) -> anyhow::Result<String> {
        let seen = self.until(text, |lines| lines.iter().any(|line| line.contains(text))).await?;
        Ok(seen.into_iter().find(|line| line.contains(text)).unwrap_or_default())
    }

    /// Waits until the lines are as wanted.
    ///
    /// # Errors
    ///
    /// The output ends before, or it takes too long; with what was written instead.
    pub async fn until(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&Vec<String>) -> bool,
    ) -> anyhow::Result<Vec<String>> {
        let mut lines = self.0.clone();
        let waiting = async { lines.wait_for(|lines| wanted(lines)).await.map(|lines| lines.clone()) };
        let seen = within(what, waiting)
            .await
            .and_then(|seen| seen.with_context(|| format!("the output ended: {what}")));
        seen.with_context(|| format!("written so far:\n{}", self.text()))
    }

    /// Waits for the end of the output, and returns all lines.
    ///
    /// # Errors
    ///
    /// It takes too long.
    pub async fn to_end(&mut self) -> anyhow::Result<Vec<String>> {
        let mut lines = self.0.clone();
        let waiting = async { while lines.changed().await.is_ok() {} };
        within("the end of the output", waiting)
            .await
            .with_context(|| format!("written so far:\n{}", self.text()))?;
        Ok(self.0.borrow().clone())
    }

    /// The first line so far with this text in it.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<String> {
        self.0.borrow().iter().find(|line| line.contains(text)).cloned()
    }

    /// The lines so far that have this level or a more urgent one.
    #[must_use]
    pub fn at_least(&self, level: Level) -> Vec<String> {
        self.0.borrow().iter().filter(|line| Level::of(line) >= Some(level)).cloned().collect()
    }

    /// How many lines there are so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.borrow().len()
    }

    /// All lines so far.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.borrow().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn a_line_of_a_log_has_a_level_and_no_other_line_has_one() {
        let line = |level: &str| format!("2026-12-01T07:00:00.000000Z {level} serving host.id=a");
        assert_eq!(Level::of(&line("ERROR")), Some(Level::Error));
        assert_eq!(Level::of(&line(" WARN")), Some(Level::Warn));
        assert_eq!(Level::of(&line(" INFO")), Some(Level::Info));
        assert_eq!(Level::of("the program said WARN"), None);
        assert_eq!(Level::of(""), None);
        assert!(Level::Error > Level::Warn && Some(Level::Info) > None);
    }
}
