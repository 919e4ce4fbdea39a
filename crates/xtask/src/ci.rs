//! What has to pass before a change is merged: the checks, then every test, then a comparison of its speed,
//! and a table of what each cost.

use crate::{check, repository::Repository, sequence::Sequence, speed, test};

/// Runs all of it. The tests wait for the checks: a failed check is quicker to fix than they run.
pub(crate) fn run(repository: &Repository) -> anyhow::Result<()> {
    let mut sequence = Sequence::new(check::COUNT + 3);
    check::run_in(repository, &mut sequence);
    if sequence.has_failed() {
        return sequence.end();
    }
    // `prepare` has a board of its own, because its steps run side by side.
    let programs = sequence.run("building the tests", |_| {
        test::prepare(repository).map(|programs| (programs, "servers, guests and tests".to_owned()))
    });
    if let Some(programs) = programs {
        sequence.run("tests", |_| {
            test::run_with(repository, &programs, &[]).map(|()| ((), "all passed".to_owned()))
        });
    }
    if !sequence.has_failed() {
        sequence.run("speed", |step| speed::check(repository, step));
    }
    sequence.end()
}
