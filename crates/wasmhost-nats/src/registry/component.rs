//! The bytes of components, named by digest.

use bytes::Bytes;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::policy::Limits;

use super::error::RegistryError;
use crate::connect::Connection;
use crate::objects::{self, Object, ObjectError, Readers, Wanted};

/// A good copy is left in place: to replace it would break those who read it.
pub(super) async fn store(
    connection: &Connection,
    digest: &Digest,
    wasm: &Bytes,
) -> Result<(), RegistryError> {
    match fetch(connection, digest).await {
        Ok(_) => Ok(()),
        Err(
            ObjectError::Missing(_)
            | ObjectError::Corrupt { .. }
            | ObjectError::Incomplete { .. }
            | ObjectError::TooLarge { .. }
            | ObjectError::Link(_),
        ) => {
            let (store, name) = (connection.names.components_store(), digest.to_string());
            let object = Object { name: &name, bytes: wasm, digest, readers: Readers::Any, ttl: None };
            Ok(objects::put(connection, &store, &object).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// The component's bytes, checked against the digest; at most `Limits::MODULE_BYTES`.
pub async fn fetch(connection: &Connection, digest: &Digest) -> Result<Bytes, ObjectError> {
    let name = digest.to_string();
    let wanted = Wanted { name: &name, digest, limit: Limits::MODULE_BYTES as u64 };
    objects::get(connection, &connection.names.components_store(), &wanted).await
}
