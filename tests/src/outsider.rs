//! Somebody who only has the `nats` command line. Where it is not installed, the same bytes are sent by hand, and said so
//! aloud: a test that passes for another reason than its name must not do so silently.

use std::{io::Write, path::PathBuf, process::Stdio};

use anyhow::{Context, ensure};
use async_nats::{HeaderMap, jetstream};
use bytes::Bytes;
use futures::StreamExt;
use tokio::{
    process::{Child, Command},
    task::JoinSet,
};

use crate::{
    limit::{until, within},
    lines::Lines,
    paths,
    wasmhost::Ran,
};

/// The command line, or what stands in for it.
#[derive(Debug)]
pub struct Outsider {
    cli: Option<PathBuf>,
    url: String,
    nats: async_nats::Client,
}

/// A command that goes on printing what it hears.
#[derive(Debug)]
pub struct Listening {
    /// What it prints.
    pub lines: Lines,
    _child: Option<Child>,
    _tasks: JoinSet<()>,
}

impl Outsider {
    pub(crate) fn new(url: String, nats: async_nats::Client) -> Self {
        let cli = paths::nats_cli();
        if cli.is_none() {
            // The harness of `cargo test` captures `eprintln!`; this is to be seen.
            let _ = writeln!(
                std::io::stderr(),
                "NOTE: no `nats` command line in .tools/bin or on PATH: the same bytes are sent by hand"
            );
        }
        Self { cli, url, nats }
    }

    /// `nats req SUBJECT BODY -H NAME:VALUE …`: the answer's body.
    ///
    /// # Errors
    ///
    /// Where nobody answers.
    pub async fn req(&self, subject: &str, headers: &[(&str, &str)], body: &str) -> anyhow::Result<String> {
        if self.cli.is_some() {
            let answer = self.run("req", subject, headers, &[body, "--raw"]).await?;
            return Ok(answer.trim().to_owned());
        }
        let asking = self.nats.request_with_headers(subject.to_owned(), map(headers), body.to_owned().into());
        let answer = within(subject, asking).await??;
        Ok(String::from_utf8_lossy(&answer.payload).into_owned())
    }

    /// `nats pub SUBJECT BODY -H NAME:VALUE …`.
    ///
    /// # Errors
    ///
    /// Where it fails.
    pub async fn publish(&self, subject: &str, headers: &[(&str, &str)], body: &str) -> anyhow::Result<()> {
        if self.cli.is_some() {
            return self.run("pub", subject, headers, &[body]).await.map(drop);
        }
        let body = Bytes::from(body.to_owned());
        if headers.is_empty() {
            self.nats.publish(subject.to_owned(), body).await?;
        } else {
            self.nats.publish_with_headers(subject.to_owned(), map(headers), body).await?;
        }
        Ok(self.nats.flush().await?)
    }

    /// `nats kv get BUCKET KEY --raw`.
    ///
    /// # Errors
    ///
    /// Where there is no such key.
    pub async fn kv_get(&self, bucket: &str, key: &str) -> anyhow::Result<String> {
        if self.cli.is_some() {
            return self.run("kv", "get", &[], &[bucket, key, "--raw"]).await;
        }
        let bucket = jetstream::new(self.nats.clone()).get_key_value(bucket).await?;
        let value = bucket.get(key.to_owned()).await?.with_context(|| format!("no key {key}"))?;
        Ok(String::from_utf8_lossy(&value).into_owned())
    }

    /// `nats kv watch BUCKET`, with what stands there already.
    ///
    /// # Errors
    ///
    /// Where it fails.
    pub async fn kv_watch(&self, bucket: &str) -> anyhow::Result<Listening> {
        if self.cli.is_some() {
            return self.listen(&["kv", "watch", bucket]);
        }
        let bucket = jetstream::new(self.nats.clone()).get_key_value(bucket).await?;
        let entries = bucket.watch_with_history(">").await?;
        Ok(Listening::by_hand(entries.filter_map(async |entry| {
            let entry = entry.ok()?;
            Some(format!("{}: {}", entry.key, String::from_utf8_lossy(&entry.value)))
        })))
    }

    /// `nats sub SUBJECT`, once it hears: `knock` is a subject that matches.
    ///
    /// # Errors
    ///
    /// Where it fails.
    pub async fn sub(&self, subject: &str, knock: &str) -> anyhow::Result<Listening> {
        let listening =
            if self.cli.is_some() {
                self.listen(&["sub", subject])?
            } else {
                let messages = self.nats.subscribe(subject.to_owned()).await?;
                Listening::by_hand(messages.map(|message| {
                    format!("{} {}", message.subject, String::from_utf8_lossy(&message.payload))
                }))
            };
        until("a subscription that hears", async || {
            self.nats.publish(knock.to_owned(), "knock".into()).await?;
            self.nats.flush().await?;
            Ok(listening.lines.text().contains("knock").then_some(()))
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
        Ok(Listening { lines, _child: Some(child), _tasks: tasks })
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(self.cli.as_ref().context("no nats command line")?);
        command.args(["--server", &self.url]);
        // No context of whoever runs the tests: the command line keeps them in the home directory.
        command.env_clear().env("PATH", paths::path()).env("HOME", paths::cache()?);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Ok(command)
    }
}

impl Listening {
    fn by_hand(heard: impl futures::Stream<Item = String> + Send + 'static) -> Self {
        let (sender, lines) = Lines::by_hand();
        let mut tasks = JoinSet::new();
        tasks.spawn(heard.for_each(move |line| {
            sender.send_modify(|lines| lines.push(line));
            std::future::ready(())
        }));
        Self { lines, _child: None, _tasks: tasks }
    }
}

fn map(headers: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, *value);
    }
    map
}
