//! The harness of the end-to-end tests: a private nats-server a test, hosts and commands as real child processes, a
//! recorder of every transition, a proxy that loses answers and is a bad network, and storms. Everything ends with the
//! test. It knows wasmhost as its users do: by its command line, its client and its subjects, which are spelled out here
//! on purpose.

mod limit;
mod paths;

mod component;
mod deployment;
mod host;
mod lines;
mod wasmhost;

mod events;
mod outsider;
mod page;
mod proxy;
mod shell;
mod stranger;

mod audited;
mod storm;

pub use audited::Audited;
pub use component::{slow_to_compile, version_of};
pub use deployment::{Deployment, server};
pub use events::{Events, History, Transition};
pub use host::Host;
pub use limit::{LIMIT, until, within};
pub use lines::Lines;
pub use outsider::Outsider;
pub use page::{Reader, Step, parse as steps_of};
pub use paths::{broken_wasmhost, guest, nats_server, number, oldest_nats_server};
pub use proxy::{Direction, Flow, Proxy, Swallowed};
pub use shell::{README, has_nats_cli, shell};
pub use storm::{Plan, Report, Scale, StormOptions, Theme, storm};
pub use stranger::{Stranger, malformed_blocks, status_blocks};
pub use wasmhost::{Following, Ran, Wasmhost};
