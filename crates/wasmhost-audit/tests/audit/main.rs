//! The auditor on captures that are built by hand, each with one defect at most, and on recordings of a real nats-server.

mod builder;
mod clean;
mod defects;
mod properties;
mod recorded;
