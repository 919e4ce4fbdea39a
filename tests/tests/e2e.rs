//! wasmhost end to end: real hosts and commands on a private nats-server. Each file is an area, and the name of each test is a
//! statement.

mod e2e {
    /// The result of every test. An error says what was waited for, and what was seen instead.
    type Test = anyhow::Result<()>;

    /// Prints a measurement. `cargo test` captures `eprintln!`, and hides it where the test passes.
    fn say(line: &str) {
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{line}\n"));
    }

    mod nats_cli;
    mod run;
    mod services;
    mod watch;

    mod audit;
    mod bench;
    mod blobs;
    mod crash;
    mod delay;
    mod drain;
    mod expiry;
    mod failpoints;
    mod fired;
    mod full;
    mod killers;
    mod lost_answers;
    mod memory;
    mod notices;
    mod partitions;
    mod races;
    mod reconcile;
    mod retry;
    mod revoke;
    mod sleepers;
    mod storm;
    mod surroundings;

    mod bad_files;
    mod bad_jobs;
    mod bad_surroundings;
    mod bounds;
    mod ceilings;
    mod cold;
    mod doubt;
    mod encrypted;
    mod hoards;
    mod hostile;
    mod json;
    mod options;
    mod reasons;
    mod rights;
    mod sign_in;
    mod slots;
    mod small;
    mod starts;
    mod strangers;

    mod bulk;
    mod commands;
    mod dev;
    mod modules;
    mod readme;
    mod tasks_page;
}
