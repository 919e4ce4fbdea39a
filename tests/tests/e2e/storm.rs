//! Storms: every fault there is, on many jobs at once, judged by the auditor; and storms on hosts that break one rule of
//! the protocol, which the auditor has to notice.

use std::{collections::BTreeSet, fs, time::Duration};

use anyhow::ensure;
use end_to_end::{Plan, Scale, StormOptions, Theme, broken_wasmhost, storm};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::Mutex;
use wasmhost_audit::Invariant;

use super::{Test, say};

const SEEDS: [u64; 2] = [7, 1984];

const SCALE: Scale = Scale { jobs: 500, time: Duration::from_secs(36), hosts: 4 };

/// Smaller, since a broken rule shows soon.
const CONTROL: Scale = Scale { jobs: 200, time: Duration::from_secs(12), hosts: 4 };

const CONTROL_SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

/// Control storms at a time: each of them mostly waits.
const AT_ONCE: usize = 2;

/// A rule that can be switched off, the storms that show it, and a promise that breaks with it each time.
type Rule = (&'static str, Theme, Invariant);

const RULES: [Rule; 4] = [
    ("naive-writer", Theme::Everything, Invariant::I1),
    ("ack-before-record", Theme::Everything, Invariant::I5),
    ("no-fence-at-adoption", Theme::Everything, Invariant::I4),
    ("r5-over-terminal", Theme::LateEnds, Invariant::I1),
];

/// The tests of this file take turns, or they would only be slow hosts to each other.
static TURN: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_breaks_no_promise() -> Test {
    let _turn = TURN.lock().await;
    for seed in SEEDS {
        let report = storm(&Plan::new(seed, SCALE), &StormOptions::default()).await?;
        ensure!(report.is_good(), "{report}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_broken_rule_is_convicted() -> Test {
    if broken_wasmhost().is_none() {
        say("NOTE: no WASMHOST_FAULTS_BIN, a build with `--features faults`: no rule was broken");
        return Ok(());
    }
    let _turn = TURN.lock().await;
    let storms = RULES.into_iter().flat_map(|rule| CONTROL_SEEDS.map(|seed| convict(rule, seed)));
    stream::iter(storms).buffer_unordered(AT_ONCE).try_collect().await
}

/// Raises a storm on hosts that break this rule. They do not reconcile: that would end what is stuck.
async fn convict((rule, theme, promise): Rule, seed: u64) -> Test {
    let options = StormOptions {
        program: broken_wasmhost(),
        environment: vec![("FAILPOINTS".to_owned(), format!("{rule}=return"))],
        reconcile_after: Duration::from_secs(3_600),
        rest_within: Duration::from_secs(5),
    };
    let report = storm(&Plan::about(theme, seed, CONTROL), &options).await?;
    let broken: BTreeSet<_> = report.audit.violations.iter().map(|violation| violation.invariant).collect();
    say(&format!("{rule}, seed {seed}: {broken:?}"));
    ensure!(broken.contains(&promise), "{rule} goes unnoticed:\n{report}");
    // What was to be broken is of no use to anybody.
    report.kept.map(fs::remove_dir_all).transpose()?;
    Ok(())
}
