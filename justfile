# Everything here is also plain cargo: `cargo xtask` lists what it does.

# Where cargo-component puts what it builds
component := "guest-examples/target/wasm32-wasip1/release"

[private]
default:
    @just --list --unsorted

# All that CI checks before the tests: formatting, documents, lints, spelling, dependencies and more
[group('check')]
check:
    cargo xtask check

# Every test, or those whose name contains the filter
[group('check')]
test *filter:
    cargo xtask test {{ filter }}

# A storm of jobs and faults, judged by the auditor: just chaos --jobs 10000 --minutes 10 --seed 7
[group('check')]
chaos *args:
    cargo xtask chaos {{ args }}

# The protocol's model with wide bounds: minutes and gigabytes, for every night
[group('check')]
model:
    WASMHOST_MODEL=wide cargo test --release -p wasmhost-protocol --lib -- --test-threads 1 --nocapture model::holds::

# What has to pass before a change lands
[group('check')]
ci:
    .ci/run

# The packages of a release, and a program that has only them
[group('check')]
package:
    cargo xtask package

# Jobs on this machine, and beside them what the server could do without them: just bench drain --rounds 3
[group('check')]
bench *args:
    cargo run -q --release -p wasmhost-cli -- bench {{ args }}

# Whether the release build is as fast as usual, as a part of what the server could do without jobs
[group('check')]
speed:
    cargo xtask speed

# How long files and functions are, and how much of them explains
[group('check')]
numbers:
    cargo xtask numbers

# Review changed snapshots (cargo install cargo-insta --locked)
[group('check')]
snap:
    cargo insta review

# Build the guest examples
[group('guests')]
guests:
    cargo xtask guests

# Build all guest examples with cargo-component, and run one job of each (cargo install cargo-component --locked)
[group('guests')]
guests-component:
    cd guest-examples && cargo component build --release
    cargo run -q -p wasmhost-cli -- run {{ component }}/hello.wasm '{"name": "Ada"}'
    cargo run -q -p wasmhost-cli -- run {{ component }}/progress.wasm '{"steps": 10, "delay_ms": 10}'
    cargo run -q -p wasmhost-cli -- run {{ component }}/flaky.wasm '{"fail_times": 0}'
    cargo run -q -p wasmhost-cli -- run {{ component }}/thumbs.wasm resize @guest-examples/thumbs/job.json

# One job of each guest example on a private server, every transition checked
[group('show')]
demo:
    cargo xtask demo

# The documentation of all crates
[group('show')]
doc:
    cargo doc --workspace --no-deps --open
