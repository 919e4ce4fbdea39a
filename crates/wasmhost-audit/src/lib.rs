//! The auditor records what happens in a run, and decides afterwards which job broke which promise of the protocol, or that
//! the run proves nothing because something was missed. It reads records as plain JSON and never through the code that
//! wrote them: an auditor that shared that code would share its mistakes.
//!
//! A [`Recorder`] watches a deployment while it runs and makes a [`Capture`]. [`check`] turns a capture into a [`Report`]; it
//! does no I/O, so that the same capture always has the same report. The invariants are those of
//! [docs/protocol.md](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#invariants).
//!
//! ```
//! use wasmhost_audit::{Capture, Invariant, Verdict, check};
//!
//! let seen = r#"
//! {"key": "thumbs.resize.1", "state": "PENDING", "revision": 1}
//! {"kind": "span", "first": 1, "last": 0}
//! {"kind": "quiet", "at": "2026-01-31T12:00:00Z"}
//! "#;
//! let report = check(&Capture::parse("run.jsonl", seen)?);
//! assert_eq!(report.verdict, Verdict::Broken);
//! assert_eq!(report.violations[0].invariant, Invariant::I5);
//! # Ok::<(), wasmhost_audit::CaptureError>(())
//! ```

mod capture;
mod record;
mod remaining;

mod check;
mod facts;
mod history;
mod slack;

mod report;

pub use capture::{
    Answer, Capture, CaptureError, Effect, Entry, Fault, Marker, Quiet, Remaining, ResultRead, Revision,
    Revoke, Span, Submit, Watch,
};
pub use check::{check, check_within};
pub use record::{RecordError, Recorder};
pub use remaining::{ListError, remaining};
pub use report::{Gap, Invariant, Report, Verdict, Violation};
pub use slack::Slack;
