//! Accounts and servers that allow little: what they refuse is reported once, with the setting that helps, and a host serves where
//! they allow enough.

use anyhow::{Context, ensure};
use end_to_end::{Host, Wasmhost};
use nats_server_child::{Options, Server};

use super::Test;

/// Starts a server whose account has these limits.
fn server(limits: &str) -> anyhow::Result<Server> {
    let accounts = format!(
        "accounts {{ A: {{ jetstream: {{ {limits} }}, users: [{{ user: a, password: a }}] }}, SYS: {{ users: [{{ user: s, \
         password: s }}] }} }}\nsystem_account: SYS\nno_auth_user: a"
    );
    end_to_end::server(&Options::default().extra_config(accounts))
}

#[tokio::test]
async fn what_an_account_does_not_allow_is_reported_with_its_setting() -> Test {
    let cases: [(&str, &[&str], &[&str]); 6] = [
        ("max_streams: 3", &[], &["`max_streams`", "nine"]),
        ("max_file: 20MB", &[], &["reserve 6144 MiB", "`--storage`", "`max_file`", "`max_file_store`"]),
        ("max_file: 20MB", &["--storage", "70M"], &["reserve 60 MiB"]),
        ("store_max_stream_bytes: 1MB", &[], &["`store_max_stream_bytes`", "`--storage`"]),
        ("max_bytes_required: true", &[], &["`max_bytes_required`"]),
        ("", &["--replicas", "3"], &["`--replicas`", "cluster"]),
    ];
    for (limits, flags, said) in cases {
        let server = server(limits)?;
        let ran = Wasmhost::at(server.url()).run(&[&["serve"], flags].concat()).await?;
        ran.refused(78, said).context(limits)?;
        ensure!(ran.stderr.matches("fix: ").count() == 1, "{ran}");
    }
    Ok(())
}

#[tokio::test]
async fn an_account_that_allows_enough_is_served_again_and_again() -> Test {
    for limits in ["max_consumers: 8", "max_ack_pending: 100", "max_file: 20MB, max_streams: 9"] {
        let server = server(limits)?;
        for start in ["first", "second"] {
            let serving = Host::serving(&Wasmhost::at(server.url()), &["--storage", "10M"]).await;
            serving.with_context(|| format!("{limits}: {start}"))?.drain().await?;
        }
    }
    Ok(())
}
