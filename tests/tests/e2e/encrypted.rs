//! A server that accepts encrypted connections only, from clients whose certificate it trusts.

use std::fs;

use end_to_end::{Host, Wasmhost, guest_path, nats_server};
use nats_server_child::{Options, Server};

use super::Test;

#[tokio::test]
async fn a_job_runs_over_encrypted_connections_only() -> Test {
    let directory = tempfile::tempdir()?;
    // One certificate that signs itself serves the server and whoever connects.
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let certificate = directory.path().join("cert.pem");
    let key = directory.path().join("key.pem");
    fs::write(&certificate, signed.cert.pem())?;
    fs::write(&key, signed.signing_key.serialize_pem())?;
    let certificate = certificate.display().to_string();
    let key = key.display().to_string();
    let extra_config = format!(
        "tls {{ cert_file: {certificate:?}, key_file: {key:?}, ca_file: {certificate:?}, verify: true }}"
    );
    let server = Server::start(&nats_server()?, &Options::default().extra_config(extra_config))?;
    let wasmhost = Wasmhost::at(server.url());
    let trusted = ["--tls-ca", &certificate, "--tls-cert", &certificate, "--tls-key", &key];

    let mut host = Host::serving(&wasmhost, &trusted).await?;
    let component = guest_path("hello")?;
    wasmhost.run(&[&["module", "push", &component], &trusted[..]].concat()).await?.ok()?;
    let submit = ["submit", "hello.run", r#"{"name":"Ada"}"#, "--wait"];
    let ended = wasmhost.run(&[&submit, &trusted[..]].concat()).await?;
    ended.ok()?;
    anyhow::ensure!(ended.stdout.contains("Hello, Ada!"), "{ended}");
    host.check_alive()?;

    // Nobody else gets in, and the error says why.
    let without = wasmhost.run(&["hosts", "--tls-ca", &certificate]).await?;
    without.refused(77, &["asks for a client certificate", "--tls-cert and --tls-key"])?;
    let distrustful = wasmhost.run(&["hosts"]).await?;
    distrustful.refused(78, &["its certificate is not trusted", "UnknownIssuer", "--tls-ca"])
}

#[tokio::test]
async fn a_server_that_waits_for_encryption_before_its_first_word_is_served() -> Test {
    let directory = tempfile::tempdir()?;
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let certificate = directory.path().join("cert.pem");
    let key = directory.path().join("key.pem");
    fs::write(&certificate, signed.cert.pem())?;
    fs::write(&key, signed.signing_key.serialize_pem())?;
    let certificate = certificate.display().to_string();
    let extra_config = format!(
        "tls {{ cert_file: {certificate:?}, key_file: {:?}, handshake_first: true }}",
        key.display().to_string()
    );
    let server = Server::start(&nats_server()?, &Options::default().extra_config(extra_config))?;
    let mut host =
        Host::serving(&Wasmhost::at(server.url()), &["--tls-ca", &certificate, "--tlsfirst"]).await?;
    host.check_alive()
}
