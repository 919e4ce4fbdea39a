//! A server that is missing, or not as it must be, and commands that do not exist.

use anyhow::ensure;
use async_nats::jetstream::kv;
use end_to_end::{Deployment, Host, WAITING_FOR_NATS, Wasmhost, guest_path};
use nats_server_child::Options;

use super::Test;

#[tokio::test]
async fn without_a_server_every_command_says_so() -> Test {
    let mut deployment = Deployment::start().await?;
    let address = deployment.server.url();
    deployment.server.kill()?;
    let commands: [&[&str]; 7] = [
        &["serve", "--await-nats", "false"],
        &["submit", "hello.run", "{}"],
        &["status", "hello.run.a"],
        &["watch", "hello.run.a"],
        &["jobs"],
        &["hosts"],
        &["module", "list"],
    ];
    for command in commands {
        let ran = deployment.wasmhost(command).await?;
        ran.refused(69, &[address.trim_start_matches("nats://"), "--nats", "wasmhost dev"])?;
    }
    Ok(())
}

#[tokio::test]
async fn a_host_waits_for_a_server_and_can_be_stopped_meanwhile() -> Test {
    let mut deployment = Deployment::start().await?;
    deployment.server.kill()?;
    let mut given_up = Host::spawn(&deployment.command(), &[])?;
    given_up.log.wait_for(WAITING_FOR_NATS).await?;
    given_up.drain().await?;
    let mut host = Host::spawn(&deployment.command(), &[])?;
    host.log.wait_for(WAITING_FOR_NATS).await?;
    deployment.server.restart()?;
    host.until_serving().await?;
    host.check_alive()
}

#[tokio::test]
async fn a_home_that_cannot_be_written_costs_the_cache_and_no_more() -> Test {
    let hello = guest_path("hello")?;
    let nowhere = "nats://127.0.0.1:1";
    let home = vec![("HOME".to_owned(), "/dev/null".to_owned())];
    let unwritable = Wasmhost::at(nowhere).without("XDG_CACHE_HOME").environment(home);
    let homeless = Wasmhost::at(nowhere).without("XDG_CACHE_HOME").without("HOME");
    for wasmhost in [unwritable, homeless] {
        let ran = wasmhost.run(&["run", &hello, r#"{"name":"Ada"}"#]).await?;
        ensure!(ran.ok()?.contains("Hello, Ada!"), "{ran}");
        ensure!(ran.stderr.matches("compiled at each start").count() == 1, "{ran}");
    }
    Ok(())
}

#[tokio::test]
async fn without_jetstream_a_host_says_how_to_turn_it_on() -> Test {
    let deployment = Deployment::with(&Options::default().without_jetstream()).await?;
    deployment.wasmhost(&["serve"]).await?.refused(78, &["JetStream", "-js"])?;
    deployment.wasmhost(&["submit", "hello.run", "{}"]).await?.refused(78, &["JetStream"])
}

#[tokio::test]
async fn without_a_host_ever_started_a_client_says_what_is_missing() -> Test {
    let deployment = Deployment::start().await?;
    deployment.wasmhost(&["submit", "hello.run", "{}"]).await?.refused(78, &["wasmhost serve"])
}

#[tokio::test]
async fn a_bucket_with_foreign_settings_is_refused_by_field() -> Test {
    let deployment = Deployment::start().await?;
    let config = kv::Config { bucket: "wasmhost-states".to_owned(), history: 5, ..kv::Config::default() };
    deployment.jetstream().create_key_value(config).await?;
    let said = ["KV_wasmhost-states", "max_msgs_per_subject", "5", "1", "nats stream"];
    deployment.wasmhost(&["serve"]).await?.refused(78, &said)
}

#[tokio::test]
async fn a_wrong_password_is_a_permission_problem() -> Test {
    let users = "authorization { users: [{ user: ada, password: secret }] }";
    let options = Options::default().extra_config(users);
    let server = end_to_end::server(&options)?;
    let wasmhost = Wasmhost::at(server.url());
    let ran = wasmhost.run(&["jobs", "--user", "ada", "--password", "wrong"]).await?;
    ran.refused(77, &["credentials are refused", "--user"])?;
    ensure!(!ran.stderr.contains("wrong"), "a password is not repeated: {ran}");
    Ok(())
}

#[tokio::test]
async fn a_missing_permission_is_named_with_its_subject() -> Test {
    let users = r#"authorization { users: [
        { user: host, password: secret }
        { user: reader, password: secret, permissions: { publish: ["_INBOX.>"], subscribe: ["_INBOX.>"] } }
    ] }"#;
    let options = Options::default().extra_config(users);
    let server = end_to_end::server(&options)?;
    let url = |user: &str| server.url().replace("//", &format!("//{user}:secret@"));
    let mut host = Host::serving(&Wasmhost::at(url("host")), &[]).await?;
    let ran = Wasmhost::at(url("reader")).run(&["submit", "hello.run", "{}"]).await?;
    ran.refused(77, &["$KV.wasmhost-states.hello.run."])?;
    ensure!(!ran.stderr.contains("secret"), "a password is not repeated: {ran}");
    let ran = Wasmhost::at(url("reader")).run(&["serve"]).await?;
    ran.refused(77, &["$JS.API"])?;
    host.check_alive()
}

#[tokio::test]
async fn a_wrong_flag_or_command_is_usage() -> Test {
    let wasmhost = Wasmhost::at("nats://127.0.0.1:1");
    let cases: [(&[&str], &str); 8] = [
        (&[], "Usage"),
        (&["sreve"], "serve"),
        (&["serve", "--slosts", "3"], "--slots"),
        (&["serve", "--queues", "UPPER"], "UPPER"),
        (&["serve", "--grace", "soon"], "--grace"),
        (&["status", "hello.run"], "hello.run"),
        (&["jobs", "--state", "success"], "SUCCESS"),
        (&["--namespace", "a.b", "jobs"], "a.b"),
    ];
    for (arguments, named) in cases {
        wasmhost.run(arguments).await?.refused(2, &[named])?;
    }
    Ok(())
}

#[tokio::test]
async fn all_problems_of_a_configuration_file_are_listed_together() -> Test {
    let deployment = Deployment::start().await?;
    let file = deployment.file("host.toml", b"qeues = \"a\"\nslots = \"many\"\n")?;
    let ran = deployment.wasmhost(&["serve", "--config", file.to_str().unwrap_or_default()]).await?;
    ran.refused(78, &["unknown key `qeues`; did you mean `queues`?", "`slots`"])
}
