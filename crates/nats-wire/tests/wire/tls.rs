//! Encrypted connections to a real nats-server: which certificates each side accepts, and what a third party can add.

use std::fs;
use std::path::PathBuf;

use nats_wire::{Config, ConnectError, Tls, Wire};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wasmhost_testing::Server;

use crate::start_server;

/// An authority, with the directory of what it signed.
struct Authority {
    directory: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Each authority has a name of its own, because two of the same name differ in the signature only.
        params.distinguished_name.push(DnType::CommonName, format!("authority {:p}", &raw const params));
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { directory, issuer }
    }

    fn ca(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// A certificate for this name or address, and its key.
    fn sign(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        let paths = ["cert", "key"].map(|kind| self.directory.path().join(format!("{name}-{kind}.pem")));
        fs::write(&paths[0], signed.pem()).unwrap();
        fs::write(&paths[1], key.serialize_pem()).unwrap();
        let [certificate, key] = paths;
        (certificate, key)
    }
}

/// A server with a certificate for this name, and these lines more about encryption.
fn server(authority: &Authority, name: &str, more: &str) -> Server {
    let (certificate, key) = authority.sign(name);
    start_server(&format!("tls {{ cert_file: {certificate:?}, key_file: {key:?}, {more} }}"))
}

fn config(port: u16, tls: Tls) -> Config {
    Config::new([format!("127.0.0.1:{port}").as_str()]).unwrap().tls(tls)
}

fn trusting(authority: &Authority) -> Tls {
    Tls::default().ca(authority.ca())
}

async fn refused(config: Config, why: &str) {
    let error = Wire::connect(config).await.expect_err("it connects");
    assert!(matches!(error, ConnectError::Io(_)), "{error:?}");
    assert!(error.to_string().contains(why), "{error}");
}

#[tokio::test]
async fn messages_go_encrypted_in_both_directions() {
    let authority = Authority::new();
    let server = server(&authority, "127.0.0.1", "");
    let wire = Wire::connect(config(server.port(), trusting(&authority))).await.unwrap();
    let mut messages = wire.subscribe("x", None, 4).await;
    // It is more than one record of the encryption holds.
    let large = vec![b'a'; 500_000];
    wire.publish("x", None, None, &large).await.unwrap();
    wire.publish("x", None, None, b"small").await.unwrap();
    wire.flush().await.unwrap();
    assert_eq!(messages.next().await.unwrap().payload, large);
    assert_eq!(messages.next().await.unwrap().payload, "small");
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_refused() {
    let authority = Authority::new();
    let other = server(&Authority::new(), "127.0.0.1", "");
    refused(config(other.port(), trusting(&authority)), "certificate").await;
    // The authorities that the machine trusts have not signed it either.
    refused(config(other.port(), Tls::default()), "certificate").await;
    let misnamed = server(&authority, "nats.example", "");
    refused(config(misnamed.port(), trusting(&authority)), "certificate").await;
}

#[tokio::test]
async fn a_server_that_asks_for_certificates_gets_ours() {
    let authority = Authority::new();
    let server = server(&authority, "127.0.0.1", &format!("verify: true, ca_file: {:?}", authority.ca()));
    let without = Wire::connect(config(server.port(), trusting(&authority))).await;
    assert!(matches!(without, Err(ConnectError::Io(_))), "{without:?}");
    let (certificate, key) = Authority::new().sign("ada");
    let foreign = trusting(&authority).identity(certificate, key);
    refused(config(server.port(), foreign), "").await;
    let (certificate, key) = authority.sign("ada");
    let ours = trusting(&authority).identity(certificate, key);
    Wire::connect(config(server.port(), ours)).await.unwrap().flush().await.unwrap();
}

#[tokio::test]
async fn where_encryption_is_asked_for_nothing_is_said_in_the_open() {
    let authority = Authority::new();
    let server = start_server("");
    let error = Wire::connect(config(server.port(), trusting(&authority).required())).await;
    assert!(matches!(error, Err(ConnectError::Io(_))), "{error:?}");
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let server = server(&authority, "127.0.0.1", "");
    let (certificate, _) = authority.sign("ada");
    let missing = Tls::default().ca("/no/such/ca.pem");
    refused(config(server.port(), missing), "/no/such/ca.pem").await;
    let no_key = trusting(&authority).identity(certificate.clone(), certificate);
    refused(config(server.port(), no_key), "ada-cert.pem").await;
}

/// What a third party adds before the encryption must not count as the server's words after it.
#[tokio::test]
async fn words_before_the_encryption_are_refused() {
    let authority = Authority::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let between = async {
        let (mut tcp, _) = listener.accept().await.unwrap();
        tcp.write_all(b"INFO {\"tls_required\":true,\"max_payload\":1048576}\r\nMSG x 2 2\r\nhi\r\n")
            .await
            .unwrap();
        let mut heard = Vec::new();
        tcp.read_to_end(&mut heard).await.unwrap();
        heard
    };
    let connecting = refused(config(port, trusting(&authority)), "before the encryption");
    let (heard, ()) = tokio::join!(between, connecting);
    assert!(heard.is_empty(), "{heard:?}");
}
