//! Denials of permissions. The server reports one apart from any answer, so that a denied request would otherwise look
//! like a timeout ([fact 29](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#f29)).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How many denials are remembered: more than a host with as many queues as one may serve has rights.
const MAX_REMEMBERED: usize = 2_048;
/// How a report begins to name an inbox to which nothing may be published. An inbox of a prefix of its own (`_INBOX_user.…`), which
/// any submitter may name, says nothing of the others.
const INBOX: &str = "Publish to \"_INBOX.";
/// How long nothing is sent to inboxes after a denial.
const NOTICES_PAUSE: Duration = Duration::from_secs(60);

/// The newest denials of a connection, in order. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Denials(Arc<watch::Sender<Remembered>>);

#[derive(Debug, Default)]
struct Remembered {
    texts: VecDeque<String>,
    /// How many denials there were in all, forgotten ones included.
    count: u64,
    /// When the server denied a message to an inbox.
    notice_denied_at: Option<Instant>,
}

impl Remembered {
    /// The newest denial after the first `seen` ones that has `part` in it.
    fn since(&self, seen: u64, part: &str) -> Option<&String> {
        let new = usize::try_from(self.count - seen).unwrap_or(usize::MAX);
        self.texts.iter().rev().take(new).find(|text| text.contains(part))
    }
}

impl Denials {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Remembered::default())))
    }

    /// Remembers an error that the server reported, if it is a denial.
    pub(crate) fn note(&self, text: &str) {
        if !text.to_ascii_lowercase().contains("permissions violation") {
            return;
        }
        self.0.send_modify(|remembered| {
            remembered.count += 1;
            if text.contains(INBOX) {
                remembered.notice_denied_at = Some(Instant::now());
            }
            remembered.texts.push_back(text.to_owned());
            if remembered.texts.len() > MAX_REMEMBERED {
                remembered.texts.pop_front();
            }
        });
    }

    /// The newest denial, as the server described it.
    pub(crate) fn last(&self) -> Option<String> {
        self.0.borrow().texts.back().cloned()
    }

    /// How many denials there were so far.
    pub(crate) fn count(&self) -> u64 {
        self.0.borrow().count
    }

    /// Whether a denial after the first `seen` ones names `subject`.
    pub(crate) fn has_denied(&self, seen: u64, subject: &str) -> bool {
        self.0.borrow().since(seen, &quoted(subject)).is_some()
    }

    /// Whether a message to an inbox may be permitted: not for a while after one was denied, since rights seldom change.
    pub(crate) fn may_notify(&self) -> bool {
        self.0.borrow().notice_denied_at.is_none_or(|at| at.elapsed() > NOTICES_PAUSE)
    }

    /// Waits for the answer to a request on `subject`, or for the denial that takes its place.
    pub(crate) async fn or_denied<T>(
        &self,
        subject: &str,
        answer: impl Future<Output = T>,
    ) -> Result<T, String> {
        self.or_mentioned(&quoted(subject), answer).await
    }

    /// Waits for the answer to a request on `subject` that was sent when there had been `seen` denials, or for the denial that
    /// takes its place.
    pub(crate) async fn or_denied_since<T>(
        &self,
        seen: u64,
        subject: &str,
        answer: impl Future<Output = T>,
    ) -> Result<T, String> {
        let object = quoted(subject);
        let mut receiver = self.0.subscribe();
        // Dropping the wait loses nothing; dropping the answer gives up a reply that will never come.
        tokio::select! {
            biased;
            answer = answer => Ok(answer),
            Ok(remembered) = receiver.wait_for(|remembered| remembered.since(seen, &object).is_some()) => {
                Err(remembered.since(seen, &object).cloned().unwrap_or_default())
            }
        }
    }

    /// Waits for the answer to requests on subjects that contain `object`, or for the denial that takes its place.
    /// Another request of this connection on such a subject that is denied meanwhile ends the wait, too.
    pub(crate) async fn or_mentioned<T>(
        &self,
        object: &str,
        answer: impl Future<Output = T>,
    ) -> Result<T, String> {
        // Counted before the request is sent, since the future sends it when it is first polled.
        let mut receiver = self.0.subscribe();
        let seen = receiver.borrow_and_update().count;
        // Dropping the wait loses nothing; dropping the answer gives up a reply that will never come.
        tokio::select! {
            biased;
            answer = answer => Ok(answer),
            Ok(remembered) = receiver.wait_for(|remembered| remembered.since(seen, object).is_some()) => {
                Err(remembered.since(seen, object).cloned().unwrap_or_default())
            }
        }
    }
}

/// A subject as the server's report has it: in quotes, so that it is not found in a longer subject that begins with it.
fn quoted(subject: &str) -> String {
    format!("\"{subject}\"")
}
