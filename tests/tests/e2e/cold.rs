//! Cold starts: a module is fetched and compiled while its jobs wait for it.

use std::fs;
use std::time::Duration;

use anyhow::{Context, ensure};
use end_to_end::{Deployment, Host, slow_to_compile, until, version_of};
use futures::future::try_join_all;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use wasmhost_client::protocol::policy::{Limits, Policy};

use super::Test;

const ACK_WAIT: Duration = Duration::from_secs(2);

/// Starts a host that has compiled nothing yet.
async fn cold_host(deployment: &Deployment) -> anyhow::Result<Host> {
    deployment.host(&["--ack-wait", "2s", "--cache-dir", &deployment.directory("cache")]).await
}

/// Waits for the process that compiles for a host.
async fn compiler_of(host: &Host) -> anyhow::Result<Pid> {
    until("a compiler", async || Ok(host.children("compile-component")?.first().copied())).await
}

#[tokio::test]
async fn no_time_limit_of_a_job_runs_while_its_module_is_compiled() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = cold_host(&deployment).await?;
    let second = Duration::from_secs(1);
    let limits = Limits { timeout: second, soft_timeout: Some(second), ..Limits::default() };
    let policy = Policy { limits, ..Policy::default() };
    deployment.push_cold("hello", "cold", slow_to_compile("hello")?, policy).await?;
    let mut events = deployment.events().await?;
    let mut submit = deployment.command().follow(&["submit", "cold.run", "{}", "--id", "c", "--wait"])?;
    let compiler = compiler_of(&host).await?;
    kill_process(compiler, Signal::STOP)?;
    events.until_state("cold.run.c", "STARTED").await?;
    let said = submit.stderr.wait_for("is being compiled, once on this host").await?;
    ensure!(said.contains("module cold (") && said.contains("KiB)"), "{said}");
    // Longer than the limits, and longer than a lease lasts without signs of life.
    tokio::time::sleep(ACK_WAIT + ACK_WAIT / 2).await;
    kill_process(compiler, Signal::CONT)?;
    let history = events.until_end("cold.run.c").await?;
    // One attempt: its lease was kept.
    history.assert_success().assert_attempt(1);
    assert_eq!(submit.end().await?, 0);
    host.check_alive()
}

#[tokio::test]
async fn a_compiler_that_somebody_kills_costs_a_job_nothing_but_time() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = cold_host(&deployment).await?;
    deployment.push_cold("hello", "cold", slow_to_compile("hello")?, Policy::default()).await?;
    let mut events = deployment.events().await?;
    deployment.client().await?.task("cold.run").id("c").submit(&json!({})).await?;
    kill_process(compiler_of(&host).await?, Signal::KILL)?;
    let retry = events.until_state("cold.run.c", "RETRY").await?;
    ensure!(
        retry["meta"]["reason"].as_str().is_some_and(|why| why.contains("compiler ended early")),
        "{retry}"
    );
    assert_eq!(retry["charged"], 0, "the attempt is not charged: {retry}");
    let program = std::env::current_exe()?;
    let directory = program.ancestors().nth(2).context("a directory")?.display().to_string();
    ensure!(!retry.to_string().contains(&directory), "the program's path is not in the record: {retry}");
    let history = events.until_end("cold.run.c").await?;
    history.assert_success().assert_attempt(2);
    host.check_alive()
}

#[tokio::test]
async fn many_jobs_of_a_cold_module_fetch_it_once() -> Test {
    let deployment = Deployment::start().await?;
    let mut host = cold_host(&deployment).await?;
    for module in ["one", "many"] {
        deployment.push_cold("hello", module, version_of("hello")?, Policy::default()).await?;
    }
    let client = deployment.client().await?;
    // Each read of the store of components is a request that anybody can hear.
    let mut reads = [
        deployment.traffic("$JS.API.*.*.*.OBJ_wasmhost-components.>").await?,
        deployment.traffic("$JS.API.DIRECT.GET.OBJ_wasmhost-components").await?,
        deployment.traffic("$JS.API.STREAM.MSG.GET.OBJ_wasmhost-components").await?,
    ];
    let mut fetched = async |module: &str, jobs: usize| {
        let task = format!("{module}.run");
        let arguments = json!({});
        let submitting = (0..jobs).map(|_| client.task(&task).submit(&arguments));
        for job in try_join_all(submitting).await? {
            let _: Value = job.result().await?;
        }
        deployment.nats.flush().await?;
        Ok::<usize, anyhow::Error>(reads.iter_mut().map(|read| read.so_far().len()).sum())
    };
    let one = fetched("one", 1).await?;
    ensure!(one > 0, "nothing was heard of it");
    assert_eq!(fetched("many", 60).await?, one);
    host.check_alive()
}

#[tokio::test]
async fn run_and_push_say_what_they_compile_and_that_it_is_once() -> Test {
    let deployment = Deployment::start().await?;
    let _host = deployment.host(&[]).await?;
    let cache = deployment.directory("own");
    let file = deployment.file("slow.wasm", &slow_to_compile("hello")?)?;
    fs::create_dir(&cache)?;
    let file = file.display().to_string();
    let command = deployment.command().environment(vec![("XDG_CACHE_HOME".to_owned(), cache)]);
    let first = command.run(&["run", &file, "{}"]).await?;
    first.ok()?;
    ensure!(first.stderr.contains("compiling ") && first.stderr.contains("slow.wasm"), "{first}");
    ensure!(first.stderr.contains("KiB), once: from then on it is in the cache"), "{first}");
    let second = command.run(&["module", "push", &file]).await?;
    second.ok()?;
    ensure!(!second.stderr.contains("compiling"), "it is in the cache: {second}");
    let other = deployment.file("other.wasm", &slow_to_compile("hello")?)?.display().to_string();
    let pushed = command.run(&["module", "push", &other]).await?;
    pushed.ok()?;
    ensure!(pushed.stderr.contains("compiling ") && pushed.stderr.contains("other.wasm"), "{pushed}");
    Ok(())
}
