//! Every way of the `nats` command line to name a server and credentials, on servers that ask for credentials. A host uses both
//! NATS clients of wasmhost, so that one that serves has signed in with both.

use std::{fs, path::Path};

use anyhow::Context;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use end_to_end::{Host, Wasmhost};
use nats_server_child::{Options, Server};
use nkeys::KeyPair;
use serde_json::{Value, json};

use super::Test;

/// An address on which no server listens.
const NOWHERE: &str = "nats://127.0.0.1:1";

fn server(extra_config: impl Into<String>) -> anyhow::Result<Server> {
    end_to_end::server(&Options::default().extra_config(extra_config))
}

/// The program with only these variables in its environment.
fn wasmhost(environment: &[(&str, &str)]) -> Wasmhost {
    let variables = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let wasmhost = Wasmhost::at(NOWHERE).environment(variables.collect());
    if environment.iter().any(|(name, _)| *name == "NATS_URL") {
        wasmhost
    } else {
        wasmhost.without("NATS_URL")
    }
}

/// Checks that a host with these variables and flags comes to serve.
async fn serves(environment: &[(&str, &str)], flags: &[&str]) -> Test {
    let serving = Host::serving(&wasmhost(environment), flags).await;
    serving.with_context(|| format!("{environment:?} {flags:?}"))?.drain().await
}

/// The server's address without the scheme.
fn host_and_port(server: &Server) -> String {
    server.url().trim_start_matches("nats://").to_owned()
}

#[tokio::test]
async fn a_user_signs_in_by_address_flags_or_variables() -> Test {
    let server = server(r#"authorization { users: [{ user: "a:da", password: "p@s/s,%" }] }"#)?;
    let url = server.url();
    let address = host_and_port(&server);
    let encoded = format!("nats://a%3Ada:p%40s%2fs%2C%25@{address}");
    serves(&[("NATS_URL", &encoded)], &[]).await?;
    serves(&[], &["--nats", &format!("{NOWHERE}, {encoded},")]).await?;
    serves(&[], &["--server", &address, "--user", "a:da", "--password", "p@s/s,%"]).await?;
    let variables = [("NATS_URL", url.as_str()), ("NATS_USER", "a:da"), ("NATS_PASSWORD", "p@s/s,%")];
    // An empty variable counts as one that is not set.
    serves(&[&variables[..], &[("NATS_CREDS", ""), ("WASMHOST_SLOTS", "")]].concat(), &[]).await?;
    let secret = [("SECRET", "p@s/s,%")];
    serves(&secret, &["--nats", &url, "--user", "a:da", "--password", "env://SECRET"]).await?;
    let bad = wasmhost(&[]).run(&["jobs", "--nats", &format!("nats://ada:50%@{address}")]).await?;
    bad.refused(2, &["--nats: ", &address, "`%` without two hexadecimal digits"])
}

#[tokio::test]
async fn a_token_is_a_token_wherever_it_stands() -> Test {
    let server = server(r#"authorization { token: "to/ken" }"#)?;
    let url = server.url();
    let address = host_and_port(&server);
    serves(&[], &["--nats", &format!("to%2Fken@{address}")]).await?;
    serves(&[("NATS_URL", &url), ("NATS_TOKEN", "to/ken")], &[]).await?;
    serves(&[("NATS_URL", &url), ("NATS_USER", "to/ken")], &[]).await?;
    let directory = tempfile::tempdir()?;
    let file = written(directory.path(), "token", "to/ken\n")?;
    serves(&[], &["--nats", &url, "--token", &format!("file://{file}")]).await
}

#[tokio::test]
async fn a_context_says_where_and_who_and_flags_overrule_it() -> Test {
    let server = server(r#"authorization { token: "secret" }"#)?;
    let config = tempfile::tempdir()?;
    let contexts = config.path().join("nats/context");
    fs::create_dir_all(&contexts)?;
    let context =
        json!({ "url": server.url(), "token": "env://SECRET", "description": "", "tls_first": false });
    let file = written(&contexts, "mine.json", &context.to_string())?;
    let home = config.path().display().to_string();
    let environment = [("XDG_CONFIG_HOME", home.as_str()), ("SECRET", "secret")];
    serves(&environment, &["--context", "mine"]).await?;
    serves(&[&environment[..], &[("NATS_CONTEXT", "mine")]].concat(), &[]).await?;
    serves(&environment, &["--context", &file]).await?;
    let wasmhost = wasmhost(&environment);
    let ran = wasmhost.run(&["jobs", "--context", "mine", "--token", "wrong"]).await?;
    ran.refused(77, &["credentials are refused"])?;
    let ran = wasmhost.run(&["jobs", "--context", "mien"]).await?;
    ran.refused(78, &["--context, NATS_CONTEXT", "did you mean `mine`?"])?;
    written(&contexts, "proxied.json", r#"{"socks_proxy":"proxy:1080"}"#)?;
    let ran = wasmhost.run(&["jobs", "--context", "proxied"]).await?;
    ran.refused(78, &["`proxied`", "`socks_proxy`", "does not support"])
}

#[tokio::test]
async fn a_key_signs_in_from_its_file() -> Test {
    let user = KeyPair::new_user();
    let server = server(format!("authorization {{ users: [{{ nkey: {} }}] }}", user.public_key()))?;
    let directory = tempfile::tempdir()?;
    let seed = written(directory.path(), "user.nk", &user.seed()?)?;
    serves(&[("NATS_NKEY", &seed)], &["--nats", &server.url()]).await?;
    serves(&[], &["--nats", &server.url(), "--nkey", &format!("file://{seed}")]).await
}

#[tokio::test]
async fn a_jwt_signs_in_from_its_file_or_as_it_is() -> Test {
    let operator = KeyPair::new_operator();
    let system = KeyPair::new_account();
    let account = KeyPair::new_account();
    let of_operator = jwt(&operator, &operator.public_key(), &json!({ "type": "operator", "version": 2 }))?;
    let of_system = jwt(&operator, &system.public_key(), &an_account(0))?;
    let of_account = jwt(&operator, &account.public_key(), &an_account(-1))?;
    let server = server(format!(
        "operator: {of_operator}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{ {}: {of_system}, {}: {of_account} }}",
        system.public_key(),
        system.public_key(),
        account.public_key(),
    ))?;
    let user = KeyPair::new_user();
    let of_user =
        json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {} });
    let of_user = jwt(&account, &user.public_key(), &of_user)?;
    let seed = user.seed()?;
    let directory = tempfile::tempdir()?;
    let creds = written(
        directory.path(),
        "user.creds",
        &format!(
            "-----BEGIN NATS USER JWT-----\n{of_user}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        ),
    )?;
    let url = server.url();
    serves(&[("NATS_CREDS", &creds)], &["--nats", &url]).await?;
    serves(&[("NATS_JWT", &of_user), ("NATS_SEED", &seed)], &["--nats", &url]).await
}

#[tokio::test]
async fn a_file_that_is_not_what_it_should_be_is_named_before_anybody_is_asked() -> Test {
    let directory = tempfile::tempdir()?;
    let garbage = written(directory.path(), "garbage", "garbage")?;
    let jobs = ["jobs", "--nats", NOWHERE];
    let ran = async |flags: &[&str]| wasmhost(&[]).run(&[&jobs, flags].concat()).await;
    for (flags, named) in [
        (&["--creds", &garbage][..], "--creds (NATS_CREDS)"),
        (&["--nkey", &garbage], "--nkey (NATS_NKEY)"),
        (&["--tls-ca", &garbage], "--tls-ca (NATS_CA)"),
        (&["--tlscert", &garbage, "--tlskey", &garbage], "--tls-cert (NATS_CERT)"),
    ] {
        ran(flags).await?.refused(65, &[garbage.as_str(), named])?;
    }
    for flag in ["--creds", "--nkey", "--tls-ca"] {
        ran(&[flag, "/no/such/file"]).await?.refused(66, &["/no/such/file", flag])?;
    }
    ran(&["--jwt", "x", "--seed", "y"]).await?.refused(78, &["--seed (NATS_SEED)"])?;
    ran(&["--jwt", "x"]).await?.refused(2, &["--jwt and --seed"])?;
    ran(&["--token", "op://vault/token"])
        .await?
        .refused(2, &["--token (NATS_TOKEN)", "`op:` is not supported"])
}

/// Writes a file, and returns its path.
fn written(directory: &Path, name: &str, text: &str) -> anyhow::Result<String> {
    let path = directory.join(name);
    fs::write(&path, text)?;
    Ok(path.display().to_string())
}

fn an_account(jetstream: i64) -> Value {
    let limits = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
        "mem_storage": jetstream, "disk_storage": jetstream, "streams": jetstream, "consumer": jetstream,
    });
    json!({ "type": "account", "version": 2, "limits": limits, "default_permissions": { "pub": {}, "sub": {} } })
}

/// A JWT of `issuer` about `subject`, as `nsc` would write it.
fn jwt(issuer: &KeyPair, subject: &str, nats: &Value) -> anyhow::Result<String> {
    let claims = json!({ "jti": "x", "iat": 1, "iss": issuer.public_key(), "name": "x", "sub": subject, "nats": nats });
    let parts = [json!({ "typ": "JWT", "alg": "ed25519-nkey" }), claims];
    let text = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let signature = issuer.sign(text.as_bytes())?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
