//! Reading the registry: the current versions, and the history of a module.

use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::ModuleEntry;

use super::error::RegistryError;
use super::version::{Version, version};
use crate::connect::Connection;
use crate::direct::newest;
use crate::message::{MessageSelector, read};

/// Reads the current version of a module, with its revision; none where there is no such module.
pub async fn current(
    connection: &Connection,
    name: &ModuleName,
) -> Result<Option<(ModuleEntry, u64)>, RegistryError> {
    let stream = connection.names.modules_stream();
    let subject = connection.names.module_subject(name);
    let newest =
        read(connection, &stream, MessageSelector::LastOn(&subject)).await?.map(|message| version(&message));
    Ok(newest.and_then(|version| Some((version.entry?, version.revision))))
}

/// Reads all versions of a module, oldest first; none where the name was never pushed.
pub async fn history(connection: &Connection, name: &ModuleName) -> Result<Vec<Version>, RegistryError> {
    let stream = connection.names.modules_stream();
    let subject = connection.names.module_subject(name);
    let mut versions = Vec::new();
    let mut from = 1;
    // One by one from the leader, not a page from a replica: a change is decided by the newest version, and there are
    // twenty at most.
    while let Some(message) = read(connection, &stream, MessageSelector::From(from, &subject)).await? {
        from = message.sequence + 1;
        versions.push(version(&message));
    }
    Ok(versions)
}

/// Lists all modules that are not removed, with their current versions, ordered by name.
pub async fn list(connection: &Connection) -> Result<Vec<(ModuleName, ModuleEntry)>, RegistryError> {
    let names = &connection.names;
    let messages = newest(connection, &names.modules_stream(), &names.modules_filter()).await?;
    let rows = messages.iter().filter_map(|message| {
        let name = names.parse_module_subject(&message.subject).ok();
        name.zip(version(message).entry)
    });
    let mut modules: Vec<(ModuleName, ModuleEntry)> = rows.collect();
    modules.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(modules)
}
