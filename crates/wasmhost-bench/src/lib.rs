//! Measures a wasmhost deployment on this machine, and beside it the ceiling: what the server alone does with the same messages.
//!
//! A rate says little of a machine that others use as well. Each scenario is therefore measured in turn with its ceiling, several
//! times, and the medians are compared: only the quotient can be compared with that of another day.
//!
//! | to | module |
//! |---|---|
//! | run the scenarios | `run`, `scenario` |
//! | do the same without jobs | `ceiling` |
//! | start the programs, and read what they use | `deployment`, `processes` |
//! | say what was measured | [`report`] |

mod ceiling;
mod deployment;
mod error;
mod measured;
mod options;
mod processes;
pub mod report;
mod row;
mod run;
mod scenario;
mod scenario_kind;
mod target;
mod template;

pub use error::BenchError;
pub use options::Options;
pub use row::{Figures, Row};
pub use run::run;
pub use scenario_kind::Scenario;
pub use target::{Bound, Target, Verdict};
