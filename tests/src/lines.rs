//! The lines that a child process writes, kept as they come.

use anyhow::Context;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    sync::watch,
    task::JoinSet,
};

use crate::limit::within;

/// Lines so far, and those to come.
#[derive(Debug, Clone)]
pub struct Lines(watch::Receiver<Vec<String>>);

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

    /// Lines that the caller adds.
    pub(crate) fn by_hand() -> (watch::Sender<Vec<String>>, Self) {
        let (lines, seen) = watch::channel(Vec::new());
        (lines, Self(seen))
    }

    /// Waits for a line with this text in it.
    ///
    /// # Errors
    ///
    /// Where the output ends without it, or it takes too long; with what was written instead.
    pub async fn wait_for(&mut self, text: &str) -> anyhow::Result<String> {
        let seen = self.until(text, |lines| lines.iter().any(|line| line.contains(text))).await?;
        Ok(seen.into_iter().find(|line| line.contains(text)).unwrap_or_default())
    }

    /// Waits until the lines are as wanted.
    ///
    /// # Errors
    ///
    /// Where the output ends before, or it takes too long; with what was written instead.
    pub async fn until(
        &mut self,
        what: &str,
        wanted: impl FnMut(&Vec<String>) -> bool,
    ) -> anyhow::Result<Vec<String>> {
        let mut lines = self.0.clone();
        let mut wanted = wanted;
        let waiting = async { lines.wait_for(|lines| wanted(lines)).await.map(|lines| lines.clone()) };
        let seen = within(what, waiting)
            .await
            .and_then(|seen| seen.with_context(|| format!("the output ended: {what}")));
        seen.with_context(|| format!("written so far:\n{}", self.text()))
    }

    /// Waits for the end of the output; all lines.
    ///
    /// # Errors
    ///
    /// Where it takes too long.
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

    /// How many lines so far have this text in them.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        self.0.borrow().iter().filter(|line| line.contains(text)).count()
    }

    /// All lines so far.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.borrow().join("\n")
    }
}
