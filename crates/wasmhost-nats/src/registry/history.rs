//! Reading the registry: current versions, and the history of a module.

use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::ModuleEntry;

use super::error::RegistryError;
use super::version::{Version, version};
use crate::connect::Connection;
use crate::direct::newest;
use crate::message::{MessageSelector, read};

/// The current version and its revision.
pub async fn current(
    connection: &Connection,
    name: &ModuleName,
) -> Result<Option<(ModuleEntry, u64)>, RegistryError> {
    let (stream, subject) = (connection.names.modules_stream(), connection.names.module_subject(name));
    let newest =
        read(connection, &stream, MessageSelector::LastOn(&subject)).await?.map(|message| version(&message));
    Ok(newest.and_then(|version| Some((version.entry?, version.revision))))
}

/// The module's versions, oldest first; empty for a name that was never pushed.
pub async fn history(connection: &Connection, name: &ModuleName) -> Result<Vec<Version>, RegistryError> {
    let (stream, subject) = (connection.names.modules_stream(), connection.names.module_subject(name));
    let mut versions = Vec::new();
    let mut from = 1;
    // From the leader, one by one: there are twenty at most, and what a change is decided by must be the newest.
    while let Some(message) = read(connection, &stream, MessageSelector::From(from, &subject)).await? {
        from = message.sequence + 1;
        versions.push(version(&message));
    }
    Ok(versions)
}

/// All modules that are not removed, with their current versions, by name.
pub async fn list(connection: &Connection) -> Result<Vec<(ModuleName, ModuleEntry)>, RegistryError> {
    let names = &connection.names;
    let (stream, filter) = (names.modules_stream(), names.modules_filter());
    let messages = newest(connection, &stream, &filter).await?;
    let rows = messages.iter().filter_map(|message| {
        let name = names.parse_module_subject(&message.subject).ok();
        name.zip(version(message).entry)
    });
    let mut modules: Vec<(ModuleName, ModuleEntry)> = rows.collect();
    modules.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(modules)
}
