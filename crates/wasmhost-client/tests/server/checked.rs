//! What could only fail is refused before anything is written, by what the registry says at that time.

use futures::{FutureExt, StreamExt};
use serde_json::json;
use wasmhost_client::protocol::ids::{JobKey, ModuleName};
use wasmhost_client::protocol::policy::Policy;
use wasmhost_client::{Client, ClientConfig, Submission, SubmitError};
use wasmhost_testing::{Options, user};

use crate::{Bench, manifest, push, soon};

/// The signature of a function with one number, which is passed by name.
const DOUBLE: &str = r#"{"parameters":[["n","u8"]],"result":"u16"}"#;
/// The same with a text for the number, which the stored signature does not allow.
const TEXT: &str = r#"{"parameters":[["n","string"]]}"#;

#[tokio::test]
async fn what_could_only_fail_is_refused_and_nothing_is_written() {
    let bench = Bench::start().await;
    push(&bench.client, "math", &manifest(&[("double", Some(DOUBLE)), ("raw", None)])).await;
    let submit = async |task: &str, arguments: &str| {
        let error =
            bench.client.task(task).id("a").submit_json(arguments.to_owned()).await.expect_err(arguments);
        let key = JobKey::parse(&format!("{task}.a")).unwrap();
        assert!(bench.client.job(&key).record().await.is_err(), "{task} {arguments} is written");
        error.to_string()
    };
    assert_eq!(
        submit("math.double", r#"{"n": 256}"#).await,
        "task math.double: n: 256 is out of range for u8"
    );
    assert_eq!(submit("math.double", "").await, "task math.double: n: missing: expected u8");
    assert_eq!(
        submit("math.double", "[1, 2]").await,
        "task math.double: 2 arguments were given; the function takes 1"
    );
    let unknown = submit("math.duoble", "[1]").await;
    assert!(unknown.contains("no task `duoble`; did you mean `double`?"), "{unknown}");
    let unknown = submit("nobody.run", "").await;
    assert!(unknown.contains("no module `nobody`") && unknown.contains("wasmhost module push"), "{unknown}");
    assert_eq!(bench.queued().await, 0);
    bench.client.task("math.double").submit(&json!([1])).await.unwrap();
    bench.client.task("math.raw").submit(&json!({ "any": "thing" })).await.unwrap();
    assert_eq!(bench.queued().await, 2);
}

#[tokio::test]
async fn unchecked_jobs_are_for_modules_that_come_later() {
    let bench = Bench::start().await;
    bench.client.task("later.run").unchecked().submit(&json!({})).await.unwrap();
    assert_eq!(bench.queued().await, 1);
}

#[tokio::test]
async fn what_the_registry_forbade_is_allowed_as_soon_as_it_says_otherwise() {
    let bench = Bench::start().await;
    let submit = async || bench.client.task("math.double").submit(&json!(["x"])).await;
    assert!(matches!(submit().await.unwrap_err(), SubmitError::UnknownModule { .. }));
    push(&bench.client, "math", &manifest(&[("double", Some(DOUBLE))])).await;
    let refused = async || loop {
        match submit().await {
            Err(SubmitError::UnknownModule { .. }) => {}
            Err(SubmitError::BadArguments { .. }) => return,
            other => panic!("{other:?}"),
        }
    };
    soon(refused()).await;
    let text = manifest(&[("double", Some(TEXT))]);
    let name = ModuleName::parse("math").unwrap();
    bench.client.modules().push(&name, "another component".into(), Policy::default(), text).await.unwrap();
    let taken = async || while submit().await.is_err() {};
    soon(taken()).await;
}

#[tokio::test]
async fn a_thousand_submissions_look_into_the_registry_once() {
    let bench = Bench::start().await;
    push(&bench.client, "math", &manifest(&[("double", Some(DOUBLE))])).await;
    let reads = "$JS.API.STREAM.MSG.GET.KV_wasmhost-modules";
    let mut reads = bench.server.nats.subscribe(reads).await.unwrap();
    bench.server.round_trip().await;
    let all = (0..1_000).map(|n| Submission::new("math.double", &json!([n % 256])).unwrap());
    for submitted in bench.client.submit_many(all).await {
        submitted.unwrap();
    }
    // Requests that the server handled before this one have arrived here before its answer.
    bench.server.round_trip().await;
    let mut seen = 0;
    while reads.next().now_or_never().flatten().is_some() {
        seen += 1;
    }
    assert_eq!(seen, 1, "reads of the registry");
}

#[tokio::test]
async fn where_the_registry_may_not_be_read_the_host_says_what_it_thinks() {
    let deny = "\"$JS.API.STREAM.MSG.GET.KV_wasmhost-modules\"";
    let denied = format!("{{ user: u, password: p, permissions: {{ publish: {{ deny: {deny} }} }} }}");
    let options = "no_auth_user: all";
    let users = format!("authorization {{ users: [{denied}, {{ user: all, password: all }}] }}\n{options}");
    let bench = Bench::start_on(&Options::default().extra_config(users), |_| {}).await;
    let mut config = ClientConfig::new(bench.server.server.url());
    config.connect.credentials = user("u", "p");
    let client = Client::connect(config).await.unwrap();
    for task in ["demo.walk", "nobody.run", "nobody-else.run"] {
        client.task(task).submit(&json!({})).await.unwrap();
    }
    assert_eq!(bench.queued().await, 3);
}
