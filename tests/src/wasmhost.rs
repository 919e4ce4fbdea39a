//! The program `wasmhost` as a child process, run to its end or followed line by line.

use std::{
    ffi::OsStr,
    path::PathBuf,
    process::{Output, Stdio},
};

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    task::JoinSet,
};

use crate::{limit::within, lines::Lines, paths, promised::PANICKED};

/// The program with a server's address and an environment of its own.
#[derive(Debug, Clone)]
pub struct Wasmhost {
    url: String,
    program: Option<PathBuf>,
    environment: Vec<(String, String)>,
    left_out: Vec<String>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; -1 where a signal ended it.
    pub code: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// The command, for messages.
    line: String,
}

/// A running command.
#[derive(Debug)]
pub struct Following {
    /// What it writes to standard output.
    pub stdout: Lines,
    /// What it writes to standard error.
    pub stderr: Lines,
    child: Child,
    _tasks: JoinSet<()>,
}

impl Wasmhost {
    /// The program for the server at this address.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), program: None, environment: Vec::new(), left_out: Vec::new() }
    }

    /// Another build of the program; none for the usual one.
    #[must_use]
    pub fn program(self, program: Option<PathBuf>) -> Self {
        Self { program, ..self }
    }

    /// The program with these variables in its environment.
    #[must_use]
    pub fn environment(self, environment: Vec<(String, String)>) -> Self {
        Self { environment, ..self }
    }

    /// The program without a variable that it would have otherwise.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.left_out.push(name.to_owned());
        self
    }

    /// The command. Of the test's environment it has only `PATH`.
    pub(crate) fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(match &self.program {
            Some(program) => program.clone(),
            None => paths::wasmhost()?,
        });
        command.args(arguments).env_clear().env("PATH", paths::search_path()).env("NATS_URL", &self.url);
        command.env("HOME", paths::cache()?).env("XDG_CACHE_HOME", paths::cache()?);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        for name in &self.left_out {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Ok(command)
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    ///
    /// The command cannot be run, or does not end in time. An exit code is no error here.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        self.run_with(arguments, b"").await
    }

    /// Runs a command to its end, with something on its standard input.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub async fn run_with(&self, arguments: &[&str], input: &[u8]) -> anyhow::Result<Ran> {
        let line = format!("wasmhost {}", arguments.join(" "));
        let mut child = self.command(arguments)?.stdin(Stdio::piped()).spawn().context("running wasmhost")?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        let running = async {
            // A command that does not read its input may end before everything is written.
            let _ = stdin.write_all(input).await;
            drop(stdin);
            child.wait_with_output().await
        };
        Ok(Ran::of(line.clone(), &within(&line, running).await??))
    }

    /// Starts a command and leaves it running.
    ///
    /// # Errors
    ///
    /// The command cannot be run.
    pub fn follow(&self, arguments: &[&str]) -> anyhow::Result<Following> {
        follow(self.command(arguments)?)
    }
}

/// Starts any command whose lines are wanted.
pub(crate) fn follow(mut command: Command) -> anyhow::Result<Following> {
    let mut child = command.spawn().context("running a command")?;
    let mut tasks = JoinSet::new();
    let stdout = Lines::of(child.stdout.take().context("no standard output")?, &mut tasks);
    let stderr = Lines::of(child.stderr.take().context("no standard error")?, &mut tasks);
    Ok(Following { stdout, stderr, child, _tasks: tasks })
}

impl Following {
    /// Waits for the end of the command, and returns its exit code.
    ///
    /// # Errors
    ///
    /// It takes too long.
    pub async fn end(&mut self) -> anyhow::Result<i32> {
        self.stdout.to_end().await?;
        let status = within("the end of a command", self.child.wait()).await??;
        Ok(status.code().unwrap_or(-1))
    }
}

impl Ran {
    pub(crate) fn of(line: String, output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { code, stdout: text(&output.stdout), stderr: text(&output.stderr), line }
    }

    /// The standard output, without the last line end, of a command that succeeded.
    ///
    /// # Errors
    ///
    /// The command failed.
    pub fn ok(&self) -> anyhow::Result<&str> {
        ensure!(self.code == 0, "{self}");
        Ok(self.stdout.trim_end())
    }

    /// The standard output as JSON, of a command that succeeded.
    ///
    /// # Errors
    ///
    /// The command failed, or did not write JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(self.ok()?).with_context(|| format!("not JSON: {self}"))
    }

    /// Each line of standard output as JSON, of a command that succeeded.
    ///
    /// # Errors
    ///
    /// The command failed, or wrote a line that is not JSON.
    pub fn json_lines(&self) -> anyhow::Result<Vec<Value>> {
        let lines = self.ok()?.lines();
        lines.map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))).collect()
    }

    /// Checks that the command failed with this exit code, wrote all of these texts to standard error, and did not panic.
    ///
    /// # Errors
    ///
    /// It ended otherwise; with everything that it wrote.
    pub fn refused(&self, code: i32, said: &[impl AsRef<str>]) -> anyhow::Result<()> {
        ensure!(self.code == code, "exit code {code} was expected: {self}");
        for text in said {
            ensure!(self.stderr.contains(text.as_ref()), "{:?} was expected in: {self}", text.as_ref());
        }
        ensure!(!self.stderr.contains(PANICKED), "{self}");
        Ok(())
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` ended with {}\nstdout: {}\nstderr: {}",
            self.line, self.code, self.stdout, self.stderr
        )
    }
}

/// A path as an argument.
pub(crate) fn argument(path: &(impl AsRef<OsStr> + ?Sized)) -> anyhow::Result<&str> {
    path.as_ref().to_str().context("a path that is not UTF-8")
}
