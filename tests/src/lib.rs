//! The harness of the end-to-end tests: a private nats-server for each test, hosts and commands as real child processes, a
//! recorder of every transition, a proxy that loses answers and is a bad network, and storms. Everything ends with the test.
//! It knows wasmhost as its users do, by its command line, its client and its subjects, which are spelled out here on
//! purpose.

mod limit;
mod paths;
mod promised;

mod component;
mod deployment;
mod host;
mod lines;
mod wasmhost;

mod events;
mod history;
mod traffic;

mod outsider;
mod page;
mod proxy;
mod shell;
mod stranger;

mod audited;
mod storm;

pub use audited::Audited;
pub use component::{slow_to_compile, version_of};
pub use deployment::{BLOBS, DEAD, DeadLetter, Deployment, JOBS, SCHEDULES, STATES, server};
pub use events::Events;
pub use history::{History, Transition};
pub use host::Host;
pub use limit::{LIMIT, until, until_true, within};
pub use lines::{Level, Lines};
pub use outsider::Outsider;
pub use page::{Reader, Step, parse as steps_of};
pub use paths::{guest, guest_path, nats_server, number, oldest_nats_server, wasmhost_with_faults};
pub use promised::{DEV_READY, EXPORT_NATS_URL, RECORDING, SERVING, WAITING_FOR_NATS};
pub use proxy::{Direction, Flow, Proxy, Swallowed};
pub use shell::{README, shell};
pub use storm::{Plan, Report, Scale, StormOptions, Theme, storm};
pub use stranger::{Stranger, malformed_blocks, status_blocks};
pub use traffic::Traffic;
pub use wasmhost::{Following, Ran, Wasmhost};
