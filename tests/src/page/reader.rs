//! Somebody who does what a page says, in a directory of their own.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, ensure};
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

use super::shown::{as_shown, in_order};
use super::step::{Commands, Step, Way};
use crate::{
    paths,
    wasmhost::{Following, Ran, follow},
};

/// How long one block may take: the first builds what all others build on.
const BLOCK_LIMIT: Duration = Duration::from_secs(600);

/// The file in which each block leaves the directory for the next one.
const DIRECTORY_FILE: &str = ".directory";

/// How the tools of other languages are had.
const FIX: &str = "install Python 3 and Node.js, and run `cargo xtask tools`";

/// A reader.
#[derive(Debug)]
pub struct Reader {
    // Ended before their directory goes.
    others: Vec<Following>,
    home: TempDir,
    directory: PathBuf,
    builds: PathBuf,
    nats_url: Option<String>,
}

impl Reader {
    /// In an empty directory. What cargo builds on the way is kept in `builds` for the next time.
    ///
    /// # Errors
    ///
    /// Where there is no directory to be had.
    pub fn new(builds: PathBuf) -> anyhow::Result<Self> {
        let home = TempDir::with_prefix("wasmhost-page-")?;
        let directory = home.path().canonicalize()?;
        Ok(Self { others: Vec::new(), home, directory, builds, nats_url: None })
    }

    /// Does one step.
    ///
    /// # Errors
    ///
    /// Where a command ends otherwise, or prints something else, than the page says.
    pub async fn follow(&mut self, step: &Step) -> anyhow::Result<()> {
        match step {
            Step::File { path, text } => self.write(path, text),
            Step::Commands(commands) => {
                let done = self.type_in(commands).await;
                done.with_context(|| format!("line {} of the page: {}", commands.line, commands.script))
            }
        }
    }

    fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let path = self.home.path().join(path);
        let directory = path.parent().context("a file without a directory")?;
        ensure!(directory.is_dir(), "the page made no directory for {}", path.display());
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }

    async fn type_in(&mut self, commands: &Commands) -> anyhow::Result<()> {
        match &commands.way {
            Way::Exits(code) => self.run(commands, *code).await,
            Way::Needs(program) => {
                ensure!(is_installed(program)?, "no {program}; fix: {FIX}");
                self.run(commands, 0).await
            }
            Way::Installs => Ok(()),
            Way::Stays => self.stay(commands).await,
        }
    }

    async fn run(&mut self, commands: &Commands, code: i32) -> anyhow::Result<()> {
        let script = format!("exec 2>&1\n{}\npwd > \"$HOME_OF_PAGE/{DIRECTORY_FILE}\"", commands.script);
        let mut shell = self.shell(&script)?;
        if commands.script.starts_with("cargo build") {
            // Other tests run beside it, some of which are about time.
            shell.env("CARGO_BUILD_JOBS", "1");
        }
        let output = timeout(BLOCK_LIMIT, shell.output()).await.context("it does not end")??;
        let ran = Ran::of(commands.script.clone(), &output);
        ensure!(ran.code == code, "exit code {code} was expected: {ran}");
        // Said only where a machine takes long for it.
        let lines = ran.stdout.lines().filter(|line| !line.starts_with("compiling "));
        let lines: Vec<_> = lines.map(str::to_owned).collect();
        if let Some(shown) = &commands.output {
            ensure!(as_shown(shown, &lines), "the page shows\n{}\nbut: {ran}", shown.join("\n"));
        }
        if code == 0 {
            self.directory = fs::read_to_string(self.home.path().join(DIRECTORY_FILE))?.trim_end().into();
        }
        Ok(())
    }

    /// Starts a command that goes on, and waits until it has printed what the page shows, between what else it logs.
    async fn stay(&mut self, commands: &Commands) -> anyhow::Result<()> {
        let shown = commands.output.as_ref().context("nothing says when a command that stays is ready")?;
        let mut other = follow(self.shell(&format!("exec 2>&1; exec {}", commands.script))?)?;
        let lines = other.stdout.until("what the page shows", |lines| in_order(shown, lines)).await?;
        let url = lines.iter().find_map(|line| line.strip_prefix("export NATS_URL="));
        self.nats_url = url.map(str::to_owned).or(self.nats_url.take());
        self.others.push(other);
        Ok(())
    }

    /// A shell with what a reader has: `wasmhost`, a nats-server, and cargo, which downloads nothing here.
    fn shell(&self, script: &str) -> anyhow::Result<Command> {
        let mut shell = Command::new("sh");
        shell.args(["-eu", "-c", script]).current_dir(&self.directory).kill_on_drop(true);
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        shell.env("PATH", path()?).env("HOME_OF_PAGE", self.home.path());
        shell.env("XDG_CACHE_HOME", paths::cache()?).env("WASMHOST_NATS_SERVER", paths::nats_server()?);
        for name in
            ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "NATS_URL"]
        {
            shell.env_remove(name);
        }
        shell.env("CARGO_NET_OFFLINE", "true").env("CARGO_BUILD_BUILD_DIR", &self.builds);
        if let Some(url) = &self.nats_url {
            shell.env("NATS_URL", url);
        }
        Ok(shell)
    }
}

/// The search path, with the `wasmhost` that is tested before all others, and the tools that `cargo xtask tools` installs.
fn path() -> anyhow::Result<OsString> {
    let wasmhost = paths::wasmhost()?;
    let own = wasmhost.parent().map(Path::to_owned).into_iter().chain([paths::tools()]);
    env::join_paths(own.chain(env::split_paths(&paths::search_path()))).context("a search path")
}

fn is_installed(program: &str) -> anyhow::Result<bool> {
    Ok(env::split_paths(&path()?).any(|directory| directory.join(program).is_file()))
}
