//! One job: a private nats-server, `wasmhost serve`, a module, and a program that submits and reads the result.

use std::{
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nats_server_child::{Options, Server};

use crate::steps::Step;

/// What a host logs when it takes jobs.
const SERVING: &str = "serving host.id=";

/// How long the host may take until it does, and the program until it has read the result.
const LIMIT: Duration = Duration::from_secs(60);

/// What takes part.
pub(super) struct Job {
    pub(super) nats_server: PathBuf,
    pub(super) wasmhost: PathBuf,
    pub(super) component: PathBuf,
    pub(super) program: PathBuf,
}

impl Job {
    /// Runs it; returns what the program wrote.
    pub(super) fn run(&self, step: &Step<'_>) -> anyhow::Result<String> {
        let server = Server::start(&self.nats_server, &Options::default())?;
        let url = server.url();
        let wasmhost = |arguments: &[&str]| {
            let mut command = Command::new(&self.wasmhost);
            command.args(["--nats", &url]).args(arguments);
            command
        };
        let mut host = Running::start(wasmhost(&["serve"]).stdout(Stdio::null()).stderr(Stdio::piped()))?;
        let log = host.child.stderr.take().context("the host has no standard error")?;
        // The host makes the streams and buckets, without which there is nothing to push to.
        wait_for(SERVING, &lines(log))?;
        let mut push = wasmhost(&["module", "push"]);
        push.arg(&self.component);
        step.call(push)?;
        let mut program = Command::new(&self.program);
        let mut program = Running::start(program.env("NATS_URL", &url).stdout(Stdio::piped()))?;
        let written = lines(program.child.stdout.take().context("the program has no output")?);
        let result = written.recv_timeout(LIMIT).context("the program, which wrote nothing")?;
        let status = program.child.wait().context("waiting for the program")?;
        if !status.success() {
            bail!("the program failed ({status})");
        }
        Ok(result)
    }
}

/// A program that ends with this.
struct Running {
    child: Child,
}

impl Running {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let line = crate::command::line(command);
        let child = command.stdin(Stdio::null()).spawn().with_context(|| format!("running `{line}`"))?;
        Ok(Self { child })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A program that has ended by itself does not need to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is written, line by line, read to the end so that the writer never waits.
fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Whoever waited for a line may have seen it and gone on.
            let _ = sender.send(line);
        }
    });
    receiver
}

fn wait_for(part: &str, lines: &Receiver<String>) -> anyhow::Result<()> {
    let end = Instant::now() + LIMIT;
    let mut seen = Vec::new();
    while let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
        if line.contains(part) {
            return Ok(());
        }
        seen.push(line);
    }
    bail!("the host does not serve; it said:\n{}", seen.join("\n"))
}
