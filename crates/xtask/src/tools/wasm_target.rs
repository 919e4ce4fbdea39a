//! The toolchain's target for guests.

use std::{path::Path, process::Command};

use anyhow::{Context, bail};

use crate::{
    command,
    steps::{Ended, Step},
};

const TARGET: &str = "wasm32-wasip2";

/// The same as a step of its own.
pub(crate) fn add(step: &Step<'_>) -> Ended<()> {
    install(step).map(|()| ((), TARGET.to_owned()))
}

/// Adds the target to the toolchain, unless it is there.
pub(crate) fn install(step: &Step<'_>) -> anyhow::Result<()> {
    // The toolchain's directory says it, and not rustup: there are toolchains without rustup.
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().context("running rustc")?;
    let sysroot = String::from_utf8(output.stdout).context("reading the toolchain's directory")?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    if command::on_path("rustup").is_none() {
        bail!(
            "the toolchain lacks the target {TARGET}, and there is no rustup; fix: install the target as you installed Rust"
        );
    }
    step.tell(format_args!("adding {TARGET} to the toolchain"));
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    step.call(rustup)
}
