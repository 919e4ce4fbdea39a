//! The commands, one file each. Each has its flags, and runs with them.

pub(crate) mod dev;
pub(crate) mod run;
pub(crate) mod serve;

pub(crate) mod module;

pub(crate) mod jobs;
pub(crate) mod result;
pub(crate) mod revoke;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod watch;

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod guarded;
pub(crate) mod hosts;
pub(crate) mod wit;
