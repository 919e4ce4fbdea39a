//! Versions of modules, pushed, rolled back, removed and watched.

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use wasmhost_nats::RegistryView;
use wasmhost_nats::registry::{self, RegistryError, RunnableVersion};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::{Manifest, ModuleEntry};
use wasmhost_protocol::policy::Policy;
use wasmhost_testing::{Bench, within};

fn name() -> ModuleName {
    ModuleName::parse("thumbs").expect("a name")
}

async fn push(bench: &Bench, wasm: &'static [u8]) -> ModuleEntry {
    let manifest = Manifest { tasks: Vec::new(), refused: Vec::new(), imports: Vec::new() };
    let wasm = Bytes::from_static(wasm);
    registry::push(&bench.connection, &name(), wasm, Policy::default(), manifest).await.expect("it is pushed")
}

async fn current(bench: &Bench) -> Option<ModuleEntry> {
    registry::current(&bench.connection, &name()).await.expect("it is read").map(|(entry, _)| entry)
}

#[tokio::test]
async fn versions_roll_back_and_forth() {
    let bench = Bench::new().await;
    assert_eq!(current(&bench).await, None);
    let one = push(&bench, b"one").await;
    assert_eq!(push(&bench, b"one").await, one);
    let two = push(&bench, b"two").await;
    assert_eq!(current(&bench).await.as_ref(), Some(&two));
    assert_eq!(registry::fetch(&bench.connection, &one.digest).await.unwrap(), "one");
    assert_eq!(registry::rollback(&bench.connection, &name(), None).await.unwrap(), one);
    assert_eq!(current(&bench).await.as_ref(), Some(&one));
    assert_eq!(registry::rollback(&bench.connection, &name(), Some(two.digest)).await.unwrap(), two);
    let unknown = registry::rollback(&bench.connection, &name(), Some(Digest::of(b"three"))).await;
    assert!(matches!(unknown, Err(RegistryError::NoSuchVersion(_))));

    let history = registry::history(&bench.connection, &name()).await.unwrap();
    let digests: Vec<_> = history.iter().map(|version| version.entry.as_ref().unwrap().digest).collect();
    assert_eq!(digests, [one.digest, two.digest, one.digest, two.digest]);
    assert_eq!(registry::list(&bench.connection).await.unwrap(), [(name(), two)]);

    registry::remove(&bench.connection, &name()).await.unwrap();
    assert_eq!(current(&bench).await, None);
    assert!(registry::list(&bench.connection).await.unwrap().is_empty());
    assert!(matches!(registry::remove(&bench.connection, &name()).await, Err(RegistryError::Unknown(_))));
}

#[tokio::test]
async fn a_view_knows_what_stood_and_hears_what_comes() {
    let bench = Bench::new().await;
    let one = RunnableVersion::from(&push(&bench, b"one").await);
    let view = RegistryView::new(&bench.connection);
    let token = CancellationToken::new();
    let follow = async {
        within("a view that has loaded", view.loaded()).await;
        assert_eq!(view.get(&name()), Some(one.clone()));
        let changes = view.changes();
        let two = RunnableVersion::from(&push(&bench, b"two").await);
        wait(changes, || view.get(&name()).as_ref() == Some(&two)).await;
        assert_eq!(view.with_digest(&name(), &one.digest), Some(one.clone()));
        let changes = view.changes();
        registry::remove(&bench.connection, &name()).await.unwrap();
        wait(changes, || view.get(&name()).is_none()).await;
        assert_eq!(view.with_digest(&name(), &one.digest), Some(one));
        token.cancel();
    };
    tokio::join!(view.run(token.clone()), follow);
}

#[tokio::test]
async fn a_view_of_an_empty_registry_loads() {
    let bench = Bench::new().await;
    let view = RegistryView::new(&bench.connection);
    let token = CancellationToken::new();
    let load = async {
        within("a view that has loaded", view.loaded()).await;
        token.cancel();
    };
    tokio::join!(view.run(token.clone()), load);
    assert_eq!(view.get(&name()), None);
}

async fn wait(mut changes: tokio::sync::watch::Receiver<u64>, done: impl Fn() -> bool) {
    let heard = changes.wait_for(|_| done());
    within("a change of the registry", heard).await.expect("the view lives");
}
