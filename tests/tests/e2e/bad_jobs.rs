//! Jobs that cannot run. Each ends in FAILURE with a kind of the closed list and a message that names what is wrong.

use anyhow::{Context, ensure};
use end_to_end::{Deployment, until};
use serde_json::json;

use super::Test;

/// A job that cannot run, with the kind of its error and parts of the message.
struct Case {
    task: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    kind: &'static str,
    said: &'static [&'static str],
}

const fn case(
    task: &'static str,
    body: &'static str,
    kind: &'static str,
    said: &'static [&'static str],
) -> Case {
    Case { task, headers: &[], body, kind, said }
}

const fn headed(headers: &'static [(&'static str, &'static str)], said: &'static [&'static str]) -> Case {
    Case { task: "hello.run", headers, body: "{}", kind: "BadJob", said }
}

const CASES: [Case; 15] = [
    case("nobody.run", "{}", "UnknownModule", &["nobody", "wasmhost module push"]),
    case("thumbs.reszie", "{}", "UnknownFunction", &["reszie", "resize"]),
    case("hello.walk", "{}", "UnknownFunction", &["walk"]),
    case(
        "thumbs.resize",
        r#"{"image":"","width":"wide"}"#,
        "BadArguments",
        &[r#"width: expected u32, found string "wide""#],
    ),
    case("thumbs.resize", r#"{"image":"?","width":1}"#, "BadArguments", &["image: expected base64"]),
    case("thumbs.resize", r#"{"image":"","widht":1}"#, "BadArguments", &["widht", "width"]),
    case("thumbs.resize", "[", "BadArguments", &[]),
    case("thumbs.resize", "5", "BadArguments", &["[5]"]),
    case("hello.run", r#"{"nmae":"Ada"}"#, "Permanent", &["nmae"]),
    headed(&[("Wasmhost-Priority", "1")], &["`Wasmhost-Priority` is unknown"]),
    headed(&[("wasmhost-timeout", "1s"), ("Wasmhost-Timeout", "1s")], &["`Wasmhost-Timeout` is repeated"]),
    headed(&[("Wasmhost-Timeout", "soon")], &["`Wasmhost-Timeout` is unreadable"]),
    headed(&[("Wasmhost-Expires", "tomorrow")], &["`Wasmhost-Expires` is unreadable"]),
    headed(&[("Wasmhost-Queue", "high")], &["`Wasmhost-Queue`", "submit service"]),
    headed(&[("Wasmhost-Max-Attempts", "0")], &["`Wasmhost-Max-Attempts` is unreadable"]),
];

#[tokio::test]
async fn a_job_that_cannot_run_fails_with_what_is_wrong_and_the_host_stays_up() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello", "thumbs"]).await?;
    let mut events = deployment.events().await?;
    for (index, case) in CASES.iter().enumerate() {
        let subject = format!("wasmhost.jobs.default.{}.{index}", case.task);
        deployment.publish(&subject, case.headers, case.body).await?;
    }
    for (index, case) in CASES.iter().enumerate() {
        let named = || format!("{} {:?} {}", case.task, case.headers, case.body);
        let history = events.until_end(&format!("{}.{index}", case.task)).await.with_context(named)?;
        history.assert_failure(case.kind).assert_message(case.said);
    }
    deployment.publish("wasmhost.jobs.default.hello.run.good", &[], "{}").await?;
    events.until_end("hello.run.good").await?.assert_success();
    host.check_alive()
}

#[tokio::test]
async fn a_message_without_a_readable_key_is_dead_lettered() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let sequence = deployment.publish("wasmhost.jobs.default.Hello.run", &[], "what is this").await?;
    let name = format!("unreadable.{sequence}");
    let letter = until("a dead-letter copy", async || deployment.dead_letter(&name).await).await?;
    assert_eq!(letter.body, b"what is this");
    assert_eq!(letter.published_at, "wasmhost.jobs.default.Hello.run");
    assert_eq!(letter.kind, "BadJob");
    assert_eq!(letter.reason, "module `Hello` is not 1-63 of a-z, 0-9 and `-`, not starting with `-`");
    deployment.until_queue_empty().await?;
    host.check_alive()
}

#[tokio::test]
async fn a_subject_with_a_wrong_number_of_tokens_is_refused_by_the_server_itself() -> Test {
    let (deployment, _host) = Deployment::with_host(&[]).await?;
    for subject in ["wasmhost.jobs.default.hello", "wasmhost.jobs.default.hello.run.a.b"] {
        let answer = deployment.nats.request(subject, "{}".into()).await;
        ensure!(answer.is_err(), "{subject}: {answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn arguments_are_refused_on_the_command_line_before_anything_is_sent() -> Test {
    let (deployment, _host) = Deployment::with_host(&["thumbs"]).await?;
    let submit = async |arguments: &[&str]| deployment.wasmhost(&[&["submit"], arguments].concat()).await;
    submit(&["thumbs.resize", "{"]).await?.refused(2, &["JSON"])?;
    submit(&["nobody.run"]).await?.refused(2, &["no module `nobody`", "wasmhost module push"])?;
    submit(&["thumbs.reszie", "{}"]).await?.refused(2, &["did you mean `resize`?"])?;
    let wide = r#"{"image":"","width":"wide"}"#;
    submit(&["thumbs.resize", wide]).await?.refused(2, &[r#"width: expected u32, found string "wide""#])?;
    submit(&["thumbs.resize", r#"{"image":"","width":4294967296}"#])
        .await?
        .refused(2, &["4294967296 is out of range"])?;
    submit(&["thumbs.resize", "@/no/such/file"]).await?.refused(66, &["/no/such/file"])?;
    submit(&["thumbs", "{}"]).await?.refused(2, &["thumbs"])?;
    submit(&["thumbs.resize", "{}", "--id", "a.b"]).await?.refused(2, &["a.b"])?;
    submit(&["thumbs.resize", "{}", "--timeout", "5"]).await?.refused(2, &["--timeout"])?;
    let large = deployment.file("large.json", json!("x".repeat(600_000)).to_string().as_bytes())?;
    submit(&["thumbs.resize", &format!("@{}", large.display())]).await?.refused(2, &["512"])?;
    assert_eq!(deployment.wasmhost(&["jobs", "--json"]).await?.ok()?, "");
    Ok(())
}

#[tokio::test]
async fn a_record_that_is_none_is_never_overwritten() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hello"]).await?;
    let bucket = deployment.bucket("wasmhost-states").await?;
    bucket.put("hello.run.odd", "not a record".into()).await?;
    deployment.publish("wasmhost.jobs.default.hello.run.odd", &[], "{}").await?;
    until("a dead-letter copy", async || deployment.dead_letter("hello.run.odd").await).await?;
    assert_eq!(bucket.get("hello.run.odd").await?.as_deref(), Some(b"not a record".as_slice()));
    deployment.wasmhost(&["status", "hello.run.odd"]).await?;
    host.check_alive()
}
