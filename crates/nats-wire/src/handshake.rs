//! The handshake of a connection: the server sends `INFO`, the client sends `CONNECT` and a ping, and the server answers it.

use std::io;

use bytes::BytesMut;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::address::Address;
use crate::config::Config;
use crate::credentials::{Identity, identity};
use crate::frame::{self, ServerOp};
use crate::server_info::ServerInfo;
use crate::tls;

/// Why a client could not connect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The server refuses the credentials, or asks for some.
    #[error("the server refuses who connects: {0}")]
    Denied(String),
    /// No server answers, or the answer is not that of a NATS server.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No server answered in time.
    #[error("no answer in time")]
    TimedOut,
    /// The configuration has no address of a server.
    #[error("no server is named")]
    NoServer,
}

/// A byte stream in both directions, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection after the handshake, with the bytes that were read beyond it.
pub(crate) struct Established {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) buffer: BytesMut,
    pub(crate) info: ServerInfo,
}

#[derive(Serialize)]
struct Connect<'a> {
    verbose: bool,
    pedantic: bool,
    tls_required: bool,
    name: &'a str,
    lang: &'static str,
    version: &'static str,
    protocol: u8,
    headers: bool,
    no_responders: bool,
    #[serde(flatten)]
    identity: Identity,
}

/// Connects to one server, within the time that the configuration allows.
pub(crate) async fn connect(config: &Config, address: &Address) -> Result<Established, ConnectError> {
    // All steps have one limit: a server that accepts connections and says nothing must not keep the next one from
    // being tried.
    match tokio::time::timeout(config.connect_timeout, handshake(config, address)).await {
        Ok(established) => established,
        Err(_) => Err(ConnectError::TimedOut),
    }
}

/// Connects and goes through the handshake.
async fn handshake(config: &Config, address: &Address) -> Result<Established, ConnectError> {
    let tcp = TcpStream::connect((address.host.as_str(), address.port)).await?;
    // Commands that wait are already written in one piece. A small one must not wait for the acknowledgement of the
    // one before.
    tcp.set_nodelay(true)?;
    let Established { mut stream, mut buffer, info } = read_info_encrypted(config, address, tcp).await?;
    let tls_required = config.asks_for_tls(address) || info.tls_required;
    let connect = Connect {
        verbose: false,
        pedantic: false,
        tls_required,
        name: &config.name,
        lang: "rust",
        version: env!("CARGO_PKG_VERSION"),
        // Protocol 1 lets the server announce changes of its cluster by further `INFO` lines.
        protocol: 1,
        headers: true,
        // A request that nobody can answer is answered by the server, with status 503, instead of running into its
        // timeout. The server refuses this without `headers`.
        no_responders: true,
        identity: identity(&config.auth, &info.nonce).await?,
    };
    let connect = serde_json::to_string(&connect).map_err(io::Error::other)?;
    // A `CONNECT` that is accepted has no answer of its own: the answer to the ping shows it.
    stream.write_all(format!("CONNECT {connect}\r\nPING\r\n").as_bytes()).await?;
    stream.flush().await?;
    loop {
        match read_op(&mut stream, &mut buffer).await? {
            ServerOp::Pong => return Ok(Established { stream, buffer, info }),
            ServerOp::Ping => stream.write_all(b"PONG\r\n").await?,
            ServerOp::Err(why) => return Err(refused(why)),
            ServerOp::Ok | ServerOp::Info(_) => {}
            other @ ServerOp::Message { .. } => return Err(unexpected(&other)),
        }
    }
}

/// Reads the server's `INFO`, and encrypts the connection where the server or the configuration asks for it.
async fn read_info_encrypted(
    config: &Config,
    address: &Address,
    mut tcp: TcpStream,
) -> Result<Established, ConnectError> {
    let mut buffer = BytesMut::with_capacity(4096);
    if config.tls.first {
        let mut stream = tls::upgrade(&config.tls, &address.host, tcp).await?;
        let info = read_info(&mut stream, &mut buffer).await?;
        return Ok(Established { stream: Box::new(stream), buffer, info });
    }
    let info = read_info(&mut tcp, &mut buffer).await?;
    if !config.asks_for_tls(address) && !info.tls_required {
        return Ok(Established { stream: Box::new(tcp), buffer, info });
    }
    if !buffer.is_empty() {
        // An attacker on the network could otherwise add bytes of its own that would count as the server's.
        return Err(io::Error::new(io::ErrorKind::InvalidData, "bytes before the encryption").into());
    }
    let stream = tls::upgrade(&config.tls, &address.host, tcp).await?;
    Ok(Established { stream: Box::new(stream), buffer, info })
}

/// Reads the server's `INFO`.
async fn read_info<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
) -> Result<ServerInfo, ConnectError> {
    match read_op(stream, buffer).await? {
        ServerOp::Info(info) => Ok(*info),
        other => Err(unexpected(&other)),
    }
}

/// Reads the server's next operation.
async fn read_op<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut BytesMut) -> io::Result<ServerOp> {
    loop {
        if let Some(op) = frame::next(buffer).map_err(io::Error::other)? {
            return Ok(op);
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
    }
}

fn refused(why: String) -> ConnectError {
    // The server's errors have no code. Refused credentials are recognised by their words: `Authorization Violation`,
    // or `User Authentication Expired` and its like.
    let lower = why.to_ascii_lowercase();
    if lower.contains("authorization") || lower.contains("authentication") {
        ConnectError::Denied(why)
    } else {
        ConnectError::Io(io::Error::other(why))
    }
}

fn unexpected(op: &ServerOp) -> ConnectError {
    ConnectError::Io(io::Error::new(io::ErrorKind::InvalidData, format!("the server begins with {op:?}")))
}
