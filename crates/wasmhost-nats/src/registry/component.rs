//! The bytes of components, in the object store where each has its digest as its name.

use bytes::Bytes;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::policy::Limits;

use super::error::RegistryError;
use crate::connect::Connection;
use crate::objects::{self, Object, ObjectError, Readers, Wanted};

/// Reads the component with this digest, and checks its bytes against it. They are at most `Limits::MODULE_BYTES`.
pub async fn fetch(connection: &Connection, digest: &Digest) -> Result<Bytes, ObjectError> {
    let name = digest.to_string();
    let wanted = Wanted { name: &name, digest, limit: Limits::MODULE_BYTES as u64 };
    objects::get(connection, &connection.names.components_store(), &wanted).await
}

/// Stores the component, unless the store holds it already.
pub(super) async fn store(
    connection: &Connection,
    digest: &Digest,
    wasm: &Bytes,
) -> Result<(), RegistryError> {
    match fetch(connection, digest).await {
        // A good copy is left in place: a host that reads it at this moment would lose its chunks.
        Ok(_) => Ok(()),
        Err(
            ObjectError::Missing(_)
            | ObjectError::Corrupt { .. }
            | ObjectError::Incomplete { .. }
            | ObjectError::TooLarge { .. }
            | ObjectError::Link(_),
        ) => {
            let store = connection.names.components_store();
            let name = digest.to_string();
            let object = Object { name: &name, bytes: wasm, digest, readers: Readers::Any, ttl: None };
            Ok(objects::put(connection, &store, &object).await?)
        }
        Err(
            error @ (ObjectError::Denied { .. }
            | ObjectError::Full { .. }
            | ObjectError::NotSetUp { .. }
            | ObjectError::Failed { .. }),
        ) => Err(error.into()),
    }
}
