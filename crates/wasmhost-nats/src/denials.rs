//! Permission denials, which the server sends apart from any answer: a denied request else looks like a timeout.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

/// Denials that are kept: more than the rights of a host of as many queues as one may serve.
const KEPT: usize = 2_048;

/// The newest denials of a connection, in order.
#[derive(Debug, Clone)]
pub(crate) struct Denials(Arc<watch::Sender<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    texts: VecDeque<String>,
    /// Denials in all.
    count: u64,
}

impl Kept {
    /// The newest denial after the first `seen` that has `part` in it.
    fn since(&self, seen: u64, part: &str) -> Option<&String> {
        let new = usize::try_from(self.count - seen).unwrap_or(usize::MAX);
        self.texts.iter().rev().take(new).find(|text| text.contains(part))
    }
}

impl Denials {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Kept::default())))
    }

    /// Keeps `text` if it is a denial.
    pub(crate) fn note(&self, text: &str) {
        if !text.to_ascii_lowercase().contains("permissions violation") {
            return;
        }
        self.0.send_modify(|kept| {
            kept.count += 1;
            kept.texts.push_back(text.to_owned());
            if kept.texts.len() > KEPT {
                kept.texts.pop_front();
            }
        });
    }

    pub(crate) fn last(&self) -> Option<String> {
        self.0.borrow().texts.back().cloned()
    }

    /// How many there were so far.
    pub(crate) fn count(&self) -> u64 {
        self.0.borrow().count
    }

    /// Whether one after the first `seen` is of `subject`.
    pub(crate) fn name(&self, seen: u64, subject: &str) -> bool {
        self.0.borrow().since(seen, &quoted(subject)).is_some()
    }

    /// The answer to a request on `subject`, or the denial that took its place.
    pub(crate) async fn or_denied<T>(
        &self,
        subject: &str,
        answer: impl Future<Output = T>,
    ) -> Result<T, String> {
        self.or_mentioned(&quoted(subject), answer).await
    }

    /// The answer to requests on subjects that mention `object`, or the denial that took its place.
    pub(crate) async fn or_mentioned<T>(
        &self,
        object: &str,
        answer: impl Future<Output = T>,
    ) -> Result<T, String> {
        let mut receiver = self.0.subscribe();
        let seen = receiver.borrow_and_update().count;
        // Dropping the wait loses nothing; dropping the answer gives up a reply that will never come.
        tokio::select! {
            biased;
            answer = answer => Ok(answer),
            Ok(kept) = receiver.wait_for(|kept| kept.since(seen, object).is_some()) => {
                Err(kept.since(seen, object).cloned().unwrap_or_default())
            }
        }
    }
}

/// A subject as the server names it: in quotes, so that another one which this begins is not meant.
fn quoted(subject: &str) -> String {
    format!("\"{subject}\"")
}
