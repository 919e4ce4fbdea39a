//! Storms: every kind of fault on many jobs at once, after which the auditor checks every promise; and storms on hosts that break
//! one rule of the protocol, which the auditor has to notice.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use anyhow::ensure;
use end_to_end::{Plan, Scale, StormOptions, Theme, storm, wasmhost_with_faults};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::Mutex;
use wasmhost_audit::Invariant;

use super::{Test, say};

const SEEDS: [u64; 2] = [7, 1984];

const SCALE: Scale = Scale { jobs: 500, time: Duration::from_secs(36), hosts: 4 };

/// The scale of storms with a broken rule. It is smaller, because a broken rule shows soon.
const CONTROL: Scale = Scale { jobs: 200, time: Duration::from_secs(12), hosts: 4 };

const CONTROL_SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

/// How many storms with a broken rule run at a time. Each of them mostly waits.
const AT_ONCE: usize = 2;

/// A rule that can be switched off, the theme of storms that show it, and an invariant that breaks with it each time.
type Rule = (&'static str, Theme, Invariant);

const RULES: [Rule; 4] = [
    ("naive-writer", Theme::Everything, Invariant::I1),
    ("ack-before-record", Theme::Everything, Invariant::I5),
    ("no-fence-at-adoption", Theme::Everything, Invariant::I4),
    ("r5-over-terminal", Theme::LateEnds, Invariant::I1),
];

/// Lets the tests of this file run one after the other: together they would only slow down each other's hosts.
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
async fn every_broken_rule_is_noticed() -> Test {
    let program = wasmhost_with_faults()?;
    let _turn = TURN.lock().await;
    let storms = RULES.into_iter().flat_map(|rule| CONTROL_SEEDS.map(|seed| notice(&program, rule, seed)));
    stream::iter(storms).buffer_unordered(AT_ONCE).try_collect().await
}

/// Runs a storm on hosts that break this rule, and checks that the auditor notices. The hosts do not reconcile, because that would
/// end jobs that are stuck.
async fn notice(program: &Path, (rule, theme, promise): Rule, seed: u64) -> Test {
    let options = StormOptions {
        program: Some(program.to_owned()),
        environment: vec![("FAILPOINTS".to_owned(), format!("{rule}=return"))],
        reconcile_after: Duration::from_secs(3_600),
        rest_within: Duration::from_secs(5),
    };
    let report = storm(&Plan::about(theme, seed, CONTROL), &options).await?;
    let broken: BTreeSet<_> = report.audit.violations.iter().map(|violation| violation.invariant).collect();
    say(&format!("{rule}, seed {seed}: {broken:?}"));
    ensure!(broken.contains(&promise), "{rule} goes unnoticed:\n{report}");
    // The capture of a promise that was broken on purpose is of no use.
    report.kept.map(fs::remove_dir_all).transpose()?;
    Ok(())
}
