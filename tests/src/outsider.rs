//! A user who only has the `nats` command line.

use std::{path::PathBuf, process::Stdio};

use anyhow::{Context, ensure};
use tokio::{
    process::{Child, Command},
    task::JoinSet,
};

use crate::{
    limit::{until_true, within},
    lines::Lines,
    paths,
    wasmhost::Ran,
};

/// The command line, with the address of the server.
#[derive(Debug)]
pub struct Outsider {
    cli: PathBuf,
    url: String,
    nats: async_nats::Client,
}

/// A command that goes on printing what it hears.
#[derive(Debug)]
pub struct Listening {
    /// What it prints.
    pub lines: Lines,
    _child: Child,
    _tasks: JoinSet<()>,
}

impl Outsider {
    pub(crate) fn new(url: String, nats: async_nats::Client) -> anyhow::Result<Self> {
        Ok(Self { cli: paths::nats_cli()?, url, nats })
    }

    /// Runs `nats req SUBJECT BODY -H NAME:VALUE …`, and returns the body of the answer.
    ///
    /// # Errors
    ///
    /// Nobody answers.
    pub async fn req(&self, subject: &str, headers: &[(&str, &str)], body: &str) -> anyhow::Result<String> {
        let answer = self.run("req", subject, headers, &[body, "--raw"]).await?;
        Ok(answer.trim().to_owned())
    }

    /// Runs `nats pub SUBJECT BODY -H NAME:VALUE …`.
    ///
    /// # Errors
    ///
    /// The command fails.
    pub async fn publish(&self, subject: &str, headers: &[(&str, &str)], body: &str) -> anyhow::Result<()> {
        self.run("pub", subject, headers, &[body]).await.map(drop)
    }

    /// Runs `nats kv get BUCKET KEY --raw`.
    ///
    /// # Errors
    ///
    /// There is no such key.
    pub async fn kv_get(&self, bucket: &str, key: &str) -> anyhow::Result<String> {
        self.run("kv", "get", &[], &[bucket, key, "--raw"]).await
    }

    /// Starts `nats kv watch BUCKET`, which begins with what is there already.
    ///
    /// # Errors
    ///
    /// The command cannot be run.
    pub fn kv_watch(&self, bucket: &str) -> anyhow::Result<Listening> {
        self.listen(&["kv", "watch", bucket])
    }

    /// Starts `nats sub SUBJECT`, and waits until it hears a message on `knock`, which is a subject that matches.
    ///
    /// # Errors
    ///
    /// The command cannot be run, or hears nothing.
    pub async fn sub(&self, subject: &str, knock: &str) -> anyhow::Result<Listening> {
        let listening = self.listen(&["sub", subject])?;
        until_true("a subscription that hears", async || {
            self.nats.publish(knock.to_owned(), "knock".into()).await?;
            self.nats.flush().await?;
            Ok(listening.lines.text().contains("knock"))
        })
        .await?;
        Ok(listening)
    }

    async fn run(
        &self,
        verb: &str,
        object: &str,
        headers: &[(&str, &str)],
        arguments: &[&str],
    ) -> anyhow::Result<String> {
        let mut command = self.command()?;
        command.args([verb, object]).args(arguments);
        for (name, value) in headers {
            command.arg("-H").arg(format!("{name}:{value}"));
        }
        let line = format!("nats {verb} {object} {}", arguments.join(" "));
        let ran = Ran::of(line.clone(), &within(&line, command.output()).await??);
        ensure!(ran.code == 0, "{ran}");
        Ok(ran.stdout)
    }

    fn listen(&self, arguments: &[&str]) -> anyhow::Result<Listening> {
        let mut child = self.command()?.args(arguments).spawn().context("running nats")?;
        let mut tasks = JoinSet::new();
        let lines = Lines::of(child.stdout.take().context("no standard output")?, &mut tasks);
        Ok(Listening { lines, _child: child, _tasks: tasks })
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(&self.cli);
        command.args(["--server", &self.url]);
        // The command line keeps contexts in the home directory: those of whoever runs the tests must not count.
        command.env_clear().env("PATH", paths::search_path()).env("HOME", paths::cache()?);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Ok(command)
    }
}
