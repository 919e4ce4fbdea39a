//! JSON passes unchanged through every interface: numbers of any length, the order of names, the spelling of strings. What two
//! readers could read differently is refused by every interface.

use anyhow::{Context, ensure};
use end_to_end::{Deployment, guest_path, within};
use futures::StreamExt;
use serde_json::Value;

use super::Test;

/// Texts that a tree of values would lose, change or refuse.
const TEXTS: [&str; 9] = [
    "1e400",
    "-0",
    "1E5",
    "0.1000000000000000055",
    "123456789012345678901234567890",
    "[1.0,-1e-400]",
    r#""\u00e9\/\ud83d\ude00\u001b""#,
    r#"{"z":1,"a":2,"Z":3,"":4}"#,
    r#"{"z":{"y":1e400,"x":[123456789012345678901234567890]},"a":0.1000000000000000055,"b":"\u202e\u0041"}"#,
];

/// A text with everything in it, for the interfaces that take an object.
const ALL: &str = TEXTS[8];

/// A text in which a name comes twice.
const TWICE: &str = r#"{"a":[0,{"b":1,"\u0062":2}]}"#;

/// Where it comes twice, as every error says.
const WHERE: &str = "a[1].b: given twice";

/// The text of a record, as it is in the bucket.
async fn record(deployment: &Deployment, key: &str) -> anyhow::Result<String> {
    deployment.record_text(key).await?.with_context(|| format!("{key} has no record"))
}

/// Waits for the end of a job by a command that shows every record as it is, and returns what it showed.
async fn watch(deployment: &Deployment, key: &str) -> anyhow::Result<String> {
    Ok(deployment.wasmhost(&["watch", key, "--json"]).await?.stdout)
}

async fn ask(deployment: &Deployment, subject: &str, body: &str) -> anyhow::Result<String> {
    let asking = deployment.nats.request(subject.to_owned(), body.to_owned().into());
    Ok(String::from_utf8(within(subject, asking).await??.payload.to_vec())?)
}

/// Arguments of the hostile task with a text in them.
fn deed(what: &str, field: &str, text: &str) -> String {
    format!(r#"{{"do":"{what}","{field}":{}}}"#, Value::from(text))
}

#[tokio::test]
async fn arguments_and_results_pass_unchanged_whoever_carries_them() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hostile"]).await?;
    for (index, text) in TEXTS.iter().enumerate() {
        let file = deployment.file("args.json", text.as_bytes())?;
        let at_file = format!("@{}", file.display());
        let submit = |from: &str, way: &str| {
            ["submit", "hostile.run", from, "--wait", "--id", &format!("{way}-{index}")].map(str::to_owned)
        };
        let by_file = submit(&at_file, "file");
        let by_file = deployment.wasmhost(&by_file.each_ref().map(String::as_str)).await?;
        assert_eq!(by_file.ok()?, *text, "from a file");
        let by_stdin = submit("-", "stdin");
        let by_stdin =
            deployment.command().run_with(&by_stdin.each_ref().map(String::as_str), text.as_bytes()).await?;
        assert_eq!(by_stdin.ok()?, *text, "from standard input");
        let key = format!("hostile.run.service-{index}");
        let answer = ask(&deployment, &format!("wasmhost.submit.{key}"), text).await?;
        ensure!(answer.contains("\"key\""), "{answer}");
        let result = deployment.wasmhost(&["result", &key]).await?;
        assert_eq!(result.ok()?, *text, "by the service");
        let field = format!(r#""result":{text},"#);
        for (interface, seen) in [
            ("the bucket", record(&deployment, &key).await?),
            ("watch", watch(&deployment, &key).await?),
            ("status", deployment.wasmhost(&["status", &key, "--json"]).await?.stdout),
            ("the service", ask(&deployment, &format!("wasmhost.status.{key}"), "").await?),
        ] {
            ensure!(seen.contains(&field), "{interface}: {field} is not in {seen}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn meta_details_and_fields_of_log_lines_pass_unchanged() -> Test {
    let (deployment, _host) = Deployment::with_host(&["hostile"]).await?;
    let mut lines = deployment.nats.subscribe("wasmhost.logs.hostile.run.log").await?;
    let details = deed("fail", "details", ALL).replacen('{', r#"{"message":"no","#, 1);
    let details = details.replacen(r#"{"message":"no","do":"fail""#, r#"{"do":"fail","message":"no""#, 1);
    let log = deed("log", "fields", ALL).replacen(r#""log","#, r#""log","message":"m","#, 1);
    for (id, body) in [("meta", deed("meta", "text", ALL)), ("details", details), ("log", log)] {
        deployment.publish(&format!("wasmhost.jobs.default.hostile.run.{id}"), &[], &body).await?;
    }
    let meta = format!(r#""meta":{ALL},"#);
    let watched = watch(&deployment, "hostile.run.meta").await?;
    ensure!(watched.contains(&meta), "{watched}");
    ensure!(record(&deployment, "hostile.run.meta").await?.contains(&meta));
    let details = format!(r#""details":{ALL},"#);
    let watched = watch(&deployment, "hostile.run.details").await?;
    ensure!(watched.contains(&details), "{watched}");
    let status = ask(&deployment, "wasmhost.status.hostile.run.details", "").await?;
    ensure!(status.contains(&details), "{status}");
    let line = within("a log line", lines.next()).await?.context("the subscription ended")?;
    let line = String::from_utf8(line.payload.to_vec())?;
    ensure!(line.contains(&format!(r#""fields":{ALL}"#)), "{line}");
    Ok(())
}

#[tokio::test]
async fn a_name_that_stands_twice_is_refused_at_every_door_in_the_same_words() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hostile"]).await?;
    let file = deployment.file("args.json", TWICE.as_bytes())?;
    let at_file = format!("@{}", file.display());
    deployment.wasmhost(&["submit", "hostile.run", &at_file, "--id", "a"]).await?.refused(2, &[WHERE])?;
    let submit = ["submit", "hostile.run", "-", "--id", "a"];
    deployment.command().run_with(&submit, TWICE.as_bytes()).await?.refused(2, &[WHERE])?;
    let component = guest_path("hostile")?;
    deployment.wasmhost(&["run", &component, TWICE]).await?.refused(2, &[WHERE])?;
    let answer = ask(&deployment, "wasmhost.submit.hostile.run.a", TWICE).await?;
    ensure!(answer.contains("BadRequest") && answer.contains(WHERE), "{answer}");
    ensure!(deployment.record("hostile.run.a").await?.is_none(), "nothing was written");

    let mut events = deployment.events().await?;
    let mut lines = deployment.nats.subscribe("wasmhost.logs.hostile.run.log").await?;
    let log = deed("log", "fields", TWICE).replacen(r#""log","#, r#""log","message":"m","#, 1);
    let fail = deed("fail", "details", TWICE).replacen(r#""fail","#, r#""fail","message":"no","#, 1);
    let deeds = [
        ("raw", TWICE.to_owned()),
        ("say", deed("say", "result", TWICE)),
        ("meta", deed("meta", "text", TWICE)),
        ("fail", fail),
        ("log", log),
    ];
    for (id, body) in &deeds {
        deployment.publish(&format!("wasmhost.jobs.default.hostile.run.{id}"), &[], body).await?;
    }
    let mut ends = std::collections::BTreeMap::new();
    for (id, _) in &deeds {
        ends.insert(*id, events.until_end(&format!("hostile.run.{id}")).await?.last().clone());
    }
    assert_eq!(ends["raw"]["error"]["kind"], "BadArguments");
    assert_eq!(ends["raw"]["error"]["message"], WHERE);
    let said = format!("the handler returned an object with a name twice: {WHERE}");
    assert_eq!(ends["say"]["error"]["message"], said);
    assert_eq!(ends["meta"]["result"], format!("invalid-state: meta: {WHERE}"));
    // Details and fields accompany something else, and are kept as the text that they are.
    assert_eq!(ends["fail"]["error"]["details"], TWICE);
    let line = within("a log line", lines.next()).await?.context("the subscription ended")?;
    let line: Value = serde_json::from_slice(&line.payload)?;
    assert_eq!(line["fields"], TWICE);
    host.check_alive()
}

#[tokio::test]
async fn what_is_nested_too_deeply_is_refused_at_every_door() -> Test {
    let (deployment, mut host) = Deployment::with_host(&["hostile"]).await?;
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deep = nested(65);
    let why = "nested deeper than 64";
    deployment.wasmhost(&["submit", "hostile.run", &deep, "--id", "a"]).await?.refused(2, &[why])?;
    let answer = ask(&deployment, "wasmhost.submit.hostile.run.a", &deep).await?;
    ensure!(answer.contains("BadRequest") && answer.contains(why), "{answer}");
    let client = deployment.client().await?;
    let meta: Value = {
        let body = serde_json::from_str::<Value>(&deed("meta", "text", &deep))?;
        client.task("hostile.run").submit(&body).await?.result().await?
    };
    assert_eq!(meta, format!("invalid-state: meta: {why}"));
    let say =
        deployment.wasmhost(&["submit", "hostile.run", &deed("say", "result", &deep), "--wait"]).await?;
    say.refused(1, &[why])?;
    let fits = deployment.wasmhost(&["submit", "hostile.run", &nested(64), "--wait"]).await?;
    assert_eq!(fits.ok()?, nested(64));
    host.check_alive()
}
