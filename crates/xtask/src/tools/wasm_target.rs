//! The toolchain's target for guests.

use std::{path::Path, process::Command};

use anyhow::{Context, bail};

use crate::{command, say::say};

const TARGET: &str = "wasm32-wasip2";

/// Adds the target to the toolchain, unless it is there.
pub(crate) fn install() -> anyhow::Result<()> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().context("running rustc")?;
    let sysroot = String::from_utf8(output.stdout).context("reading the toolchain's directory")?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir() {
        say(format_args!("{TARGET}: installed"));
        return Ok(());
    }
    if command::on_path("rustup").is_none() {
        bail!(
            "the toolchain lacks the target {TARGET}, and there is no rustup; mend: install the target as you installed Rust"
        );
    }
    say(format_args!("{TARGET}: adding it to the toolchain"));
    command::run(Command::new("rustup").args(["target", "add", TARGET]))
}
