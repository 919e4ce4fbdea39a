//! A host that starts names every right that its user lacks, with the lines that grant them.

use std::fs;

use anyhow::{Context, ensure};
use end_to_end::{Deployment, Host, JOBS, SERVING, Wasmhost, guest_path, server, within};
use nats_server_child::{Options, Server};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use wasmhost_client::{Client, ClientConfig};

use super::Test;

/// Starts a server with an administrator, and a host's user with these permissions.
fn server_with(permissions: &str) -> anyhow::Result<Server> {
    let users = format!(
        "authorization {{ users: [\n{{ user: admin, password: secret }}\n\
         {{ user: host, password: secret, permissions: {{ {permissions} }} }}\n] }}"
    );
    server(&Options::default().extra_config(users))
}

fn url(server: &Server, user: &str) -> String {
    server.url().replace("//", &format!("//{user}:secret@"))
}

/// Lets a host of the administrator make the streams, and ends it.
async fn set_up(server: &Server) -> Test {
    Host::serving(&Wasmhost::at(url(server, "admin")), &["--queues", "default,high"]).await?.kill().await
}

#[tokio::test]
async fn each_right_that_a_host_lacks_is_named_with_the_line_that_grants_it() -> Test {
    for (denied, what, subject) in [
        ("publish: { deny: \"$KV.wasmhost-states.>\" }", "publish to", "$KV.wasmhost-states.>"),
        ("subscribe: { deny: \"_INBOX.>\" }", "subscribe to", "_INBOX.>"),
        (
            "publish: { deny: \"$JS.API.CONSUMER.MSG.NEXT.WASMHOST_JOBS.>\" }",
            "publish to",
            "$JS.API.CONSUMER.MSG.NEXT.WASMHOST_JOBS.wasmhost-default",
        ),
        ("publish: { deny: \"$JS.ACK.>\" }", "publish to", "$JS.ACK.WASMHOST_JOBS.wasmhost-default.>"),
        ("publish: { deny: \"wasmhost.dead.>\" }", "publish to", "wasmhost.dead.>"),
        ("publish: { deny: \"_INBOX.>\" }", "publish to", "_INBOX.>"),
        ("subscribe: { deny: \"$SRV.>\" }", "subscribe to", "$SRV.>"),
        ("subscribe: { deny: \"wasmhost.submit.>\" }", "subscribe to", "wasmhost.submit.>"),
    ] {
        let server = server_with(denied)?;
        set_up(&server).await?;
        let ran = Wasmhost::at(url(&server, "host")).run(&["serve"]).await?;
        let word = if what == "publish to" { "publish" } else { "subscribe" };
        ran.refused(77, &[format!("{what} `{subject}`"), format!("{word}: {{ allow: [\"{subject}\"")])?;
        ensure!(!ran.stderr.contains(SERVING), "{ran}");
    }
    Ok(())
}

#[tokio::test]
async fn the_lines_that_are_reported_are_enough_to_serve() -> Test {
    let closed = server_with("publish: { deny: \">\" }, subscribe: { deny: \">\" }")?;
    let ran = Wasmhost::at(url(&closed, "host")).run(&["serve", "--queues", "default,high"]).await?;
    ran.refused(77, &["wasmhost-high", "$KV.wasmhost-states.>", "_INBOX.>"])?;
    let granted: Vec<_> = ran.stderr.lines().filter(|line| line.contains(": { allow: [")).collect();
    ensure!(granted.len() == 2, "{ran}");
    let server = server_with(&granted.join(", "))?;
    set_up(&server).await?;

    let flags = ["--queues", "default,high", "--reconcile-after", "1s"];
    let mut host = Host::serving(&Wasmhost::at(url(&server, "host")), &flags).await?;
    let admin = Wasmhost::at(url(&server, "admin"));
    let component = guest_path("hello")?;
    admin.run(&["module", "push", &component]).await?.ok()?;
    let client = Client::connect(ClientConfig::new(url(&server, "admin"))).await?;
    let job = client.task("hello.run").queue("high").submit(&json!({ "name": "Ada" })).await?;
    let greeting: Value = within("a result", job.result()).await??;
    assert_eq!(greeting, json!({ "greeting": "Hello, Ada!" }));
    let admin = async_nats::ConnectOptions::with_user_and_password("admin".to_owned(), "secret".to_owned());
    let nats = admin.connect(server.url()).await?;
    let answered = nats.request("wasmhost.status.".to_owned() + &job.key().to_string(), "".into());
    let answered = within("an answer of the service", answered).await??;
    let record: Value = serde_json::from_slice(&answered.payload).context("a record")?;
    assert_eq!(record["state"], "SUCCESS");
    // The server denied nothing: a host warns of every denial.
    host.check_no_warnings()?;
    // The rights are enough to give a queue its consumer back, too.
    let jobs = async_nats::jetstream::new(nats).get_stream(JOBS).await?;
    jobs.delete_consumer("wasmhost-high").await?;
    let job = client.task("hello.run").queue("high").submit(&json!({ "name": "Ada" })).await?;
    let _: Value = within("a result", job.result()).await??;
    host.check_alive()
}

#[tokio::test]
async fn a_host_of_as_many_queues_as_it_may_serve_names_all_that_it_lacks() -> Test {
    let closed = server_with("publish: { deny: \">\" }, subscribe: { deny: \">\" }")?;
    let queues: Vec<_> = (0..256).map(|n| format!("q{n}")).collect();
    let ran = Wasmhost::at(url(&closed, "host")).run(&["serve", "--queues", &queues.join(",")]).await?;
    ran.refused(77, &["$JS.API.INFO", "$KV.wasmhost-states.>"])?;
    for queue in queues {
        let lacking = ran.stderr.contains(&format!("`$JS.API.CONSUMER.INFO.WASMHOST_JOBS.wasmhost-{queue}`"));
        ensure!(lacking, "{queue}: {} lines", ran.stderr.lines().count());
    }
    Ok(())
}

#[tokio::test]
async fn a_host_that_may_do_all_starts_without_a_word_about_it() -> Test {
    let (_deployment, mut host) = Deployment::with_host(&[]).await?;
    host.check_no_warnings()?;
    host.check_alive()
}

#[tokio::test]
async fn a_watch_whose_right_is_taken_away_ends_with_it() -> Test {
    const ALL: &str = r#"publish: ">", subscribe: ">""#;
    let server = server_with(ALL)?;
    let mut host = Host::serving(&Wasmhost::at(url(&server, "admin")), &[]).await?;
    let admin = Wasmhost::at(url(&server, "admin"));
    let component = guest_path("hostile")?;
    admin.run(&["module", "push", &component]).await?.ok()?;
    admin.run(&["submit", "hostile.run", r#"{"do":"sleep","ms":600000}"#, "--id", "s"]).await?.ok()?;
    let reader = Wasmhost::at(url(&server, "host"));
    let mut watching = reader.follow(&["watch", "hostile.run.s"])?;
    watching.stdout.wait_for("STARTED").await?;

    let config = server.store().join("nats-server.conf");
    let less = ALL.replace("publish: \">\"", "publish: { deny: [\"$JS.API.STREAM.MSG.GET.>\"] }");
    fs::write(&config, fs::read_to_string(&config)?.replace(ALL, &less))?;
    let pid = Pid::from_raw(server.pid().cast_signed()).context("a process without an id")?;
    kill_process(pid, Signal::HUP)?;

    assert_eq!(watching.end().await?, 77, "{}", watching.stderr.text());
    watching.stderr.wait_for("$JS.API.STREAM.MSG.GET.KV_wasmhost-states").await?;
    host.check_alive()
}
