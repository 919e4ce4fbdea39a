//! Starts that fail say what is wrong and where: the flag, the variable, the file and its line, or the option of the server.

use anyhow::{Context, ensure};
use async_nats::jetstream::{consumer::pull, stream::DiscardPolicy};
use end_to_end::{Deployment, Direction, Flow, JOBS, STATES, Wasmhost, until_true, within};
use nats_server_child::Options;
use serde_json::json;
use wasmhost_client::{Client, ClientConfig, SubmitError};

use super::Test;

#[tokio::test]
async fn a_configuration_that_is_no_file_of_text_is_refused_by_name() -> Test {
    let deployment = Deployment::start().await?;
    let large = deployment.file("large.toml", &b"# \n".repeat(700_000))?;
    let binary = deployment.file("binary.toml", &[0xff, 0xfe, 0])?;
    let directory = large.parent().context("its directory")?;
    for (path, said) in [
        (large.as_path(), "has more than 512.0 KiB"),
        ("/dev/zero".as_ref(), "has more than 512.0 KiB"),
        (directory, "irectory"),
        (binary.as_path(), "not UTF-8"),
    ] {
        let path = path.display().to_string();
        deployment.wasmhost(&["serve", "--config", &path]).await?.refused(78, &[&path, said])?;
    }
    Ok(())
}

#[tokio::test]
async fn a_value_in_a_configuration_file_is_refused_with_its_line() -> Test {
    let deployment = Deployment::start().await?;
    let text = "queues = \"default\"\nslots = 0\nnats = \"http://n:4222\"\n\nmemory-limit = \"0\"\n";
    let file = deployment.file("host.toml", text.as_bytes())?.display().to_string();
    let wasmhost = deployment.command().without("NATS_URL");
    let ran = wasmhost.run(&["serve", "--config", &file]).await?;
    ran.refused(
        78,
        &[
            format!("{file}:2: `slots`: `0` is not a number from 1 to 10000"),
            format!("{file}:3: `nats`: `http://n:4222` is no address of a NATS server"),
            format!("{file}:5: `memory-limit`: size `0` is not from 64.0 KiB to 4.0 GiB"),
        ],
    )
}

#[tokio::test]
async fn a_value_from_the_environment_is_refused_with_its_variable() -> Test {
    let cases = [
        ("WASMHOST_SLOTS", "many", "--slots"),
        ("WASMHOST_ACK_WAIT", "99999999999d", "1d, the most"),
        ("WASMHOST_TRUST_SUBMITTERS", "maybe", "true, false"),
        ("WASMHOST_NATS", "nats://ada:secret@n:99999", "nats://n:99999"),
    ];
    for (variable, value, said) in cases {
        let environment = vec![(variable.to_owned(), value.to_owned())];
        let ran = Wasmhost::at("nats://127.0.0.1:1").environment(environment).run(&["serve"]).await?;
        ran.refused(78, &[&format!("{variable}: "), said])?;
        ensure!(!ran.stderr.contains("secret"), "a password is not repeated: {ran}");
    }
    Ok(())
}

#[tokio::test]
async fn an_address_that_no_server_can_have_is_usage_or_configuration() -> Test {
    for address in ["http://n:4222", "nats://n:99999", "nats://:4222", "nats://n:0"] {
        let ran = Wasmhost::at("nats://127.0.0.1:1").run(&["jobs", "--nats", address]).await?;
        ran.refused(2, &["--nats: ", address, "nats://host:port"])?;
        Wasmhost::at(address).run(&["jobs"]).await?.refused(78, &["NATS_URL: ", address])?;
    }
    Ok(())
}

#[tokio::test]
async fn a_server_whose_messages_are_too_small_is_refused_with_its_option() -> Test {
    let options = Options::default().extra_config("max_payload: 64KB");
    let deployment = Deployment::with(&options).await?;
    let said = ["`max_payload` is 65536, wanted 819200", "max_payload: 1MB"];
    deployment.wasmhost(&["serve"]).await?.refused(78, &said)
}

#[tokio::test]
async fn all_differences_of_streams_and_consumers_are_reported_by_one_start() -> Test {
    let (deployment, host) = Deployment::with_host(&[]).await?;
    host.kill().await?;
    deployment.jetstream().delete_stream(STATES).await?;
    deployment.edit_stream(JOBS, |config| config.discard = DiscardPolicy::Old).await?;
    let jobs = deployment.stream(JOBS).await?;
    let found = jobs.consumer_info("wasmhost-default").await?.config;
    let changed = pull::Config {
        durable_name: found.durable_name,
        filter_subject: found.filter_subject,
        max_ack_pending: found.max_ack_pending,
        max_waiting: found.max_waiting,
        ack_wait: std::time::Duration::from_secs(10),
        max_deliver: 5,
        ..pull::Config::default()
    };
    jobs.update_consumer(changed).await?;
    let said = [
        "`WASMHOST_JOBS`: `discard` is old, wanted new",
        "`wasmhost-default`: `ack_wait` is 10s, wanted 30s",
        "`wasmhost-default`: `max_deliver` is 5, wanted -1",
        "`KV_wasmhost-states` is missing",
    ];
    deployment.wasmhost(&["serve"]).await?.refused(78, &said)
}

#[tokio::test]
async fn certificates_are_not_given_to_a_server_without_tls() -> Test {
    let deployment = Deployment::start().await?;
    let ca = deployment.file("ca.pem", CA.as_bytes())?.display().to_string();
    let ran = deployment.wasmhost(&["jobs", "--tls-ca", &ca]).await?;
    ran.refused(78, &["speaks no TLS", "--tls-ca"])
}

#[tokio::test]
async fn a_client_of_a_server_without_our_streams_says_so() -> Test {
    let deployment = Deployment::start().await?;
    let client = Client::connect(ClientConfig::new(deployment.server.url())).await?;
    let submitted = client.task("hello.run").submit(&json!({})).await;
    ensure!(matches!(submitted, Err(SubmitError::NotSetUp { .. })), "{submitted:?}");
    let text = submitted.err().context("an error")?.to_string();
    ensure!(text.contains("wasmhost serve"), "{text}");

    for command in [&["hosts"][..], &["module", "list"], &["jobs"]] {
        deployment.wasmhost(command).await?.refused(78, &["wasmhost serve"]).context(command[0])?;
    }

    let host = deployment.host(&[]).await?;
    host.kill().await?;
    deployment.jetstream().delete_stream(JOBS).await?;
    let submitted = client.task("hello.run").submit(&json!({})).await;
    ensure!(matches!(submitted, Err(SubmitError::NotSetUp { .. })), "{submitted:?}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_before_a_lease_ends() -> Test {
    let deployment = Deployment::start().await?;
    let proxy = deployment.proxy().await?;
    let mut host = deployment.host_behind(&proxy, &[]).await?;
    deployment.push("progress").await?;
    let mut events = deployment.events().await?;
    let arguments = json!({ "steps": 100, "delay_ms": 100 });
    deployment.client().await?.task("progress.run").id("p").submit(&arguments).await?;
    events.until_state("progress.run.p", "PROGRESS").await?;
    let connections = proxy.accepted();
    proxy.flow(Direction::ToClient, Flow::Stalled);
    until_true("a connection of the host after the silent one", async || Ok(proxy.accepted() > connections))
        .await?;
    proxy.flow(Direction::ToClient, Flow::Open);
    let history = within("the end of the job", events.until_end("progress.run.p")).await??;
    // The lease was kept.
    history.assert_success().assert_attempt(1).assert_lost(0);
    host.check_alive()
}

/// The certificate of an authority that has signed nothing.
const CA: &str = "\
-----BEGIN CERTIFICATE-----
MIIBnzCCAUWgAwIBAgIUXG6ce8Ak6HZ9h/nxpiWcHnTc8gowCgYIKoZIzj0EAwIw
JDEiMCAGA1UEAwwZYW4gYXV0aG9yaXR5IG9mIHRoZSB0ZXN0czAgFw0yNjExMzAx
ODEwMDFaGA8yMTI2MTEwNjE4MTAwMVowJDEiMCAGA1UEAwwZYW4gYXV0aG9yaXR5
IG9mIHRoZSB0ZXN0czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOR50gC5L4Ev
AJCj6WycxKOrEU2JL09Qgx/LvXBK78J5fSen1TLo07D8qwiAO6CqlZoEbXA558pv
i7gEX4DGGsmjUzBRMB0GA1UdDgQWBBSTAS2XIn8jXVi0+gRRSyyBr5vBLjAfBgNV
HSMEGDAWgBSTAS2XIn8jXVi0+gRRSyyBr5vBLjAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0gAMEUCIQDvRGeJIsqwtxHqZ93Bgx/rG2CFbHYBgxrERaLBOyXx
mQIgSz8JRBRjMTPckXsewJwUuU/hxPS7I4PxBTQy5LUSTKA=
-----END CERTIFICATE-----";
