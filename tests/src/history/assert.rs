//! Assertions over the history of a job. Each returns the history, so that several read as one sentence, and panics with the
//! whole history where it does not hold.

use serde_json::Value;

use super::History;

impl History {
    /// The job ended in this state.
    #[track_caller]
    pub fn assert_end(&self, state: &str) -> &Self {
        assert_eq!(self.ends(), 1, "one end was expected:{self}");
        self.assert_field("state", state)
    }

    /// The job ended in SUCCESS.
    #[track_caller]
    pub fn assert_success(&self) -> &Self {
        self.assert_end("SUCCESS")
    }

    /// The job ended in FAILURE with an error of this kind.
    #[track_caller]
    pub fn assert_failure(&self, kind: &str) -> &Self {
        self.assert_end("FAILURE");
        let found = &self.last()["error"]["kind"];
        assert_eq!(found, kind, "an error of the kind {kind} was expected:{self}");
        self
    }

    /// The job ended in REVOKED.
    #[track_caller]
    pub fn assert_revoked(&self) -> &Self {
        self.assert_end("REVOKED")
    }

    /// The error of the last record has all of these texts in its message.
    #[track_caller]
    pub fn assert_message(&self, texts: &[impl AsRef<str>]) -> &Self {
        let message = self.last()["error"]["message"].as_str().unwrap_or_default();
        for text in texts {
            assert!(
                message.contains(text.as_ref()),
                "{:?} was expected in {message:?}:{self}",
                text.as_ref()
            );
        }
        self
    }

    /// The last record is of the attempt with this number; 0 where the job was never claimed.
    #[track_caller]
    pub fn assert_attempt(&self, attempt: u64) -> &Self {
        self.assert_field("attempt", attempt)
    }

    /// This many claims ended without an outcome.
    #[track_caller]
    pub fn assert_lost(&self, lost: u64) -> &Self {
        self.assert_field("lost", lost)
    }

    /// This many attempts were charged.
    #[track_caller]
    pub fn assert_charged(&self, charged: u64) -> &Self {
        self.assert_field("charged", charged)
    }

    /// The last record has this result.
    #[track_caller]
    pub fn assert_result(&self, result: impl Into<Value>) -> &Self {
        self.assert_field("result", result)
    }

    /// A field of the last record has this value.
    #[track_caller]
    pub fn assert_field(&self, field: &str, value: impl Into<Value>) -> &Self {
        let value = value.into();
        assert_eq!(self.last()[field], value, "`{field}` is not {value}:{self}");
        self
    }

    /// The job went through these states, in this order.
    #[track_caller]
    pub fn assert_states<const N: usize>(&self, states: [&str; N]) -> &Self {
        assert_eq!(self.states(), states, "other states were expected:{self}");
        self
    }

    /// There is one revision for each of these states.
    #[track_caller]
    pub fn assert_revisions<const N: usize>(&self, states: [&str; N]) -> &Self {
        let found: Vec<_> = self.0.iter().map(super::Transition::state).collect();
        assert_eq!(found, states, "other revisions were expected:{self}");
        self
    }
}
