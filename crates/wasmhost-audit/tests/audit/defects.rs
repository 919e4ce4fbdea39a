//! Plants one defect at a time in a clean run. The report has to name exactly the promises that the defect breaks.

mod client_views;
mod gaps;
mod written;

use std::collections::BTreeSet;

use serde_json::json;
use wasmhost_audit::{Invariant, Verdict, check};

use crate::builder::{Job, Run};
use crate::clean::clean;

/// A defect: what it is, how it is planted, what it breaks.
type Defect = (&'static str, fn(&mut Run), &'static [Invariant]);

fn each_is_caught(defects: &[Defect]) {
    for (name, plant, breaks) in defects {
        let mut run = clean();
        plant(&mut run);
        let report = check(&run.finish());
        let found: BTreeSet<_> = report.violations.iter().map(|violation| violation.invariant).collect();
        assert_eq!(found, breaks.iter().copied().collect(), "{name}: {report}");
        assert_eq!(report.verdict, Verdict::Broken, "{name}");
        for violation in &report.violations {
            assert_eq!(violation.key.as_str(), KEY, "{name}: {violation}");
        }
    }
}

/// The job that has the defect.
const KEY: &str = "work.run.defect";

/// The job was recorded, and nothing more happened.
fn recorded(run: &mut Run) -> Job {
    let mut job = Job::new(KEY);
    run.store(&mut job);
    job
}

/// The job's first attempt runs.
fn running(run: &mut Run) -> Job {
    let mut job = recorded(run);
    run.claim(&mut job);
    job
}

/// The job's second attempt runs.
fn running_again(run: &mut Run) -> Job {
    let mut job = running(run);
    run.claim(&mut job);
    job
}

fn succeeded(run: &mut Run) -> Job {
    let mut job = running(run);
    run.end(&mut job, "SUCCESS");
    job
}

/// The job runs, and a client asked that it stop.
fn asked_to_stop(run: &mut Run) -> Job {
    let mut job = running(run);
    job.set("revoke", json!({"reason": "enough", "stop_at": run.in_seconds(60)}));
    run.store(&mut job);
    job
}

fn retrying(run: &mut Run) -> Job {
    let mut job = running(run);
    job.set("charged", json!(1));
    job.set("not_before", json!(run.in_seconds(20)));
    run.end(&mut job, "RETRY");
    job
}
