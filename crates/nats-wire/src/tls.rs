//! Encryption: which authorities are trusted, and the client's own certificate.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::config::Tls;

/// Encrypts a connection to `host`.
pub(crate) async fn upgrade(tls: &Tls, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let tls = tls.clone();
    // Reading the system's certificates means hundreds of files.
    let config = tokio::task::spawn_blocking(move || config(&tls)).await??;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

impl Tls {
    /// Reads the files that are named, as a connect would.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or has no certificate or key in it. The error names the file.
    pub async fn check(&self) -> io::Result<()> {
        if self.ca.is_none() && self.identity.is_none() {
            return Ok(());
        }
        let tls = self.clone();
        tokio::task::spawn_blocking(move || config(&tls).map(drop)).await?
    }
}

fn config(tls: &Tls) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match &tls.ca {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| unusable(path, &error))?;
            }
        }
        None => {
            // The system's store may have certificates that cannot be parsed. They must not keep the others from
            // being used, whereas one in a file that is named is an error.
            let native = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(native.certs);
        }
    }
    // The provider is named, because a program may have linked more than one.
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let builder = builder.with_root_certificates(roots);
    let Some((certificate, key)) = &tls.identity else { return Ok(builder.with_no_client_auth()) };
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
    let config = builder.with_client_auth_cert(certificates(certificate)?, private);
    config.map_err(|error| unusable(certificate, &error))
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| unusable(path, &error))?;
    let certificates: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| unusable(path, &error))?;
    if certificates.is_empty() {
        return Err(unusable(path, &pem::Error::NoItemsFound));
    }
    Ok(certificates)
}

/// The error for a file that cannot be used, with the kind of the I/O error where that was the cause.
fn unusable(path: &Path, error: &(dyn Error + 'static)) -> io::Error {
    let kind = match error.downcast_ref() {
        Some(pem::Error::Io(error)) => error.kind(),
        _ => io::ErrorKind::InvalidData,
    };
    io::Error::new(kind, format!("{}: {error}", path.display()))
}
