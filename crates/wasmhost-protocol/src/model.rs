//! The exhaustive model of the protocol: one key, hosts, submitting clients, a revoker, reconcilers and a server, in every
//! order of their steps that a scenario's budgets of faults and wishes allow. It drives the functions that the hosts
//! and clients run: each record that is written comes out of `next`, claims by way of `judge`, what follows an answer
//! that tells nothing out of `fate` and `still_owned`, what follows an outcome out of `decide`, and what a reconciler
//! writes out of `end_of_gone`. What hosts and clients decide beside them is modelled after their code.
//!
//! A state of the world (`world`) names the records of the search (`records`) by number. `model` collects the steps that a
//! state allows: the server's, hosts' (`host` before a claim, `lease` with one), clients', the revoker's and the
//! reconcilers'. `search` goes breadth first, holds each write and each state against `invariants`, and prints the
//! shortest way to what it finds broken. Time is order only (`clock`); a paused host is one that takes no step while its
//! lease lapses; random ids are the smallest numbers that stand nowhere.
//!
//! Two kinds of tests: each scenario `holds`, and each of the `mutants` `breaks` an invariant. `just model` explores the
//! scenarios with more faults at a time.

mod breaks;
mod client;
mod clock;
mod few;
mod holds;
mod host;
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
mod steps;
mod world;
