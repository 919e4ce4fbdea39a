//! The auditor: records what is seen of a run, and says afterwards which job broke which promise of the protocol, or that
//! the run proves nothing because something was missed. It reads records as plain JSON, never through the code that wrote
//! them.
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

mod report;

pub use capture::{
    Answer, Capture, CaptureError, Effect, Entry, Fault, Left, Marker, Quiet, ResultRead, Revision, Revoke,
    Span, Submit, Watch,
};
pub use check::{Slack, check, check_within};
pub use record::{RecordError, Recorder};
pub use remaining::{LookError, left};
pub use report::{Gap, Invariant, Report, Verdict, Violation};
