//! The demo: a private server, a host, one job of each guest example, every transition printed, and proof from a second
//! subscriber that none was missed. It knows wasmhost only from outside: its command line and its subjects.

mod host;
mod transition;

use std::{fmt::Display, path::PathBuf, process::Output, time::Duration};

use anyhow::{Context, bail, ensure};
use async_nats::Subscriber;
use futures::StreamExt;
use nats_server_child::{Options, Server};
use tokio::{process::Command, time::timeout};

use host::Host;
use transition::{EVENTS, Transition};

/// How long all jobs together may take; the first run compiles the components.
const JOBS_LIMIT: Duration = Duration::from_secs(120);

/// The modules, and of each the task and arguments of one job.
const JOBS: [(&str, &str, &str); 4] = [
    ("hello", "hello.run", r#"{"name": "Ada"}"#),
    ("progress", "progress.run", r#"{"steps": 20, "delay_ms": 50}"#),
    ("thumbs", "thumbs.resize", include_str!("../../../../guest-examples/thumbs/job.json")),
    ("flaky", "flaky.run", r#"{"fail_times": 1, "how": "retry", "after_ms": 200}"#),
];

/// What the demo runs; `cargo xtask demo` builds it.
struct Programs {
    wasmhost: PathBuf,
    nats_server: PathBuf,
    /// The workspace of the guest examples.
    examples: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let programs = Programs::from_arguments()?;
    let mut server = Server::start(&programs.nats_server, &Options::default())?;
    say(format_args!("nats-server: {}, with a store that goes with it", server.url()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(show(&programs, &server))?;
    server.stop().context("stopping nats-server")
}

impl Programs {
    fn from_arguments() -> anyhow::Result<Self> {
        let paths: Vec<_> = std::env::args_os().skip(1).map(PathBuf::from).collect();
        let Ok([wasmhost, nats_server, examples]) = <[PathBuf; 3]>::try_from(paths) else {
            bail!("usage: demo WASMHOST NATS_SERVER GUEST_EXAMPLES; or let `cargo xtask demo` do it");
        };
        Ok(Self { wasmhost, nats_server, examples })
    }

    fn component(&self, module: &str) -> PathBuf {
        self.examples.join("target/wasm32-wasip2/release").join(module).with_extension("wasm")
    }
}

async fn show(programs: &Programs, server: &Server) -> anyhow::Result<()> {
    let (first, second) = (connect(server).await?, connect(server).await?);
    let host = Host::start(&programs.wasmhost, server, &first).await?;
    say("host: wasmhost serve is up");
    let (events, same_events) = (subscribe(&first).await?, subscribe(&second).await?);
    let all = async {
        tokio::try_join!(
            run_jobs(programs, server),
            follow(events, |transition| say(transition)),
            follow(same_events, |_| ())
        )
    };
    let seen = timeout(JOBS_LIMIT, all).await.context("the jobs took too long").and_then(|seen| seen);
    let ((), seen, also_seen) = seen.with_context(|| format!("the host said, {}", host.log_text()))?;
    transition::check(&also_seen).context("the second subscriber")?;
    ensure!(seen == also_seen, "the two subscribers saw different transitions");
    say(format_args!(
        "checked: {} transitions of {} jobs, no gap, all ended in SUCCESS",
        seen.len(),
        JOBS.len()
    ));
    host.stop().await
}

async fn connect(server: &Server) -> anyhow::Result<async_nats::Client> {
    async_nats::connect(server.url()).await.with_context(|| format!("connecting to {}", server.url()))
}

/// Subscribes, and returns when the server knows it.
async fn subscribe(client: &async_nats::Client) -> anyhow::Result<Subscriber> {
    let events = client.subscribe(format!("{EVENTS}>")).await.context("subscribing to the events")?;
    client.flush().await.context("subscribing to the events")?;
    Ok(events)
}

/// Pushes every module, then runs its job and waits for the result.
async fn run_jobs(programs: &Programs, server: &Server) -> anyhow::Result<()> {
    for (module, task, arguments) in JOBS {
        let component = programs.component(module);
        let file = component.to_str().context("the repository's path is not UTF-8")?;
        wasmhost(programs, server, &["module", "push", file]).await?;
        say(format_args!("pushed {module}"));
        let output = wasmhost(programs, server, &["submit", task, arguments, "--wait"]).await?;
        say(format_args!("result of {task}: {}", String::from_utf8_lossy(&output.stdout).trim()));
    }
    Ok(())
}

/// Runs the command line; the error has what it wrote.
async fn wasmhost(programs: &Programs, server: &Server, arguments: &[&str]) -> anyhow::Result<Output> {
    let output = Command::new(&programs.wasmhost)
        .args(["--nats", &server.url()])
        .args(arguments)
        .kill_on_drop(true)
        .output()
        .await
        .context("running wasmhost")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`wasmhost {}` failed ({}): {}", arguments.join(" "), output.status, said.trim());
    }
    Ok(output)
}

/// Collects transitions until every job has ended.
async fn follow(
    mut events: Subscriber,
    mut show: impl FnMut(&Transition),
) -> anyhow::Result<Vec<Transition>> {
    let mut seen = Vec::new();
    let mut ended = 0;
    while ended < JOBS.len() {
        let message = events.next().await.context("the subscription ended")?;
        let transition = Transition::read(&message)?;
        show(&transition);
        ended += usize::from(transition.is_terminal());
        seen.push(transition);
    }
    Ok(seen)
}

#[expect(clippy::print_stdout, reason = "printing is what the demo is for")]
fn say(line: impl Display) {
    println!("{line}");
}
