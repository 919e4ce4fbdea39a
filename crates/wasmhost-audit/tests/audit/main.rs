//! The auditor on captures made by hand, each good but for one defect, and on recordings of a real nats-server.

mod builder;
mod clean;
mod defects;
mod properties;
mod recorded;
