//! Installing what the other commands need into `.tools`; nothing outside the repository changes but the toolchain's
//! own wasm target and the caches of cargo, Go, pip and npm.

pub(crate) mod componentize;
mod go;
mod link;
pub(crate) mod linters;
pub(crate) mod nats_cli;
pub(crate) mod oldest_server;
pub(crate) mod server;
pub(crate) mod wasm_target;
mod wheel;

use std::thread;

use crate::{repository::Repository, steps::Board};

/// Installs every tool that is missing.
pub(crate) fn install(repository: &Repository) -> anyhow::Result<()> {
    let board = Board::new(5);
    let ready = thread::scope(|scope| {
        let target = board.start(scope, (1, "wasm target"), wasm_target::add);
        let server = board.start(scope, (2, "nats-server"), |step| server::install(repository, step));
        let oldest =
            board.start(scope, (3, "oldest nats-server"), |step| oldest_server::install(repository, step));
        let cli = board.start(scope, (4, "nats"), |step| nats_cli::install(repository, step));
        let componentize =
            board.start(scope, (5, "componentize"), |step| componentize::install(repository, step));
        let target = target.left();
        let server = server.left();
        oldest.left().and(cli.left()).and(componentize.left()).and(server).and(target)
    });
    board.result(ready)
}
