//! The exhaustive model of the protocol: one key, with hosts, submitting clients, a revoking client,
//! reconcilers and a server, in every order of their steps that a scenario's budgets of faults and wishes
//! allow.
//!
//! The model drives the functions that hosts and clients run. Every record that is written comes from
//! `transition`, every claim from `decide_claim`. What follows a write without an answer comes from
//! `resolve_write` and `still_owned`, what follows an outcome from `decide`, and what a reconciler does from
//! `end_missing_job` and `decide_due_message`. What hosts and clients decide besides is modelled after their
//! code.
//!
//! A state of the world (`world`) names the records of the search (`records`) by number. The model (`steps`)
//! collects the steps that a state allows: those of the `server`, of hosts before a claim (`host`), with a
//! claim (`lease`), when they write (`host_write`) and settle (`settle`), of clients (`client`, `publish`),
//! of the `revoker` and of the `reconciler`. The search (`search`) goes breadth first, checks each write and
//! each state against the `invariants`, and prints the shortest way to each violation. Time is nothing but
//! order (`clock`). A paused host is one that takes no step while its lease lapses, and random ids are the
//! smallest numbers that are used nowhere.
//!
//! The tests are in two modules: in `holds` every scenario (`scenarios`) keeps every invariant, and in
//! `breaks` each of the `mutants` violates one. `just model` explores the scenarios with more faults at a
//! time.

mod breaks;
mod client;
mod clock;
mod holds;
mod host;
mod host_write;
mod inline_list;
mod invariants;
mod lease;
mod mutants;
mod publish;
mod reconciler;
mod records;
mod revoker;
mod scenarios;
mod search;
mod server;
mod settle;
mod steps;
mod world;
