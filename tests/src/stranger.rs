//! A stranger with a socket, who sends any bytes to a server, as no client library would.

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::limit::within;

/// A connection that sends any bytes.
#[derive(Debug)]
pub struct Stranger {
    tcp: TcpStream,
    heard: Vec<u8>,
}

impl Stranger {
    pub(crate) async fn connect(port: u16) -> anyhow::Result<Self> {
        let mut tcp = TcpStream::connect(("127.0.0.1", port)).await.context("connecting as a stranger")?;
        tcp.write_all(b"CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n").await?;
        let mut stranger = Self { tcp, heard: Vec::new() };
        stranger.flush().await?;
        Ok(stranger)
    }

    /// Sends a message with this block of headers, and a subject for the answer where one is wanted.
    ///
    /// # Errors
    ///
    /// The connection is closed.
    pub async fn publish(
        &mut self,
        subject: &[u8],
        reply: Option<&str>,
        block: &[u8],
        payload: &[u8],
    ) -> anyhow::Result<()> {
        let reply = reply.map(|reply| format!(" {reply}")).unwrap_or_default();
        let sizes = format!("{reply} {} {}\r\n", block.len(), block.len() + payload.len());
        let message = [b"HPUB ", subject, sizes.as_bytes(), block, payload, b"\r\n"].concat();
        Ok(self.tcp.write_all(&message).await?)
    }

    /// Waits until the server has handled everything that was sent.
    ///
    /// # Errors
    ///
    /// The server ended the connection; with what it said.
    pub async fn flush(&mut self) -> anyhow::Result<()> {
        self.heard.clear();
        self.tcp.write_all(b"PING\r\n").await?;
        within("the server's answer to a stranger", async {
            while !self.heard.windows(6).any(|window| window == b"PONG\r\n") {
                let read = self.tcp.read_buf(&mut self.heard).await?;
                ensure!(read > 0, "the server ended it: {}", String::from_utf8_lossy(&self.heard));
            }
            Ok(())
        })
        .await?
    }
}

/// Blocks of headers that each break a rule, with what is wrong with them. A nats-server stores and delivers all of them.
#[must_use]
pub fn malformed_blocks() -> Vec<(&'static str, Vec<u8>)> {
    let block = |lines: &[u8]| [b"NATS/1.0\r\n", lines, b"\r\n\r\n"].concat();
    let long = [b"X: ".as_slice(), &[b'a'; 60 << 10]].concat();
    let many: Vec<u8> = (0..4_000).flat_map(|at| format!("X-{at}: {at}\r\n").into_bytes()).collect();
    vec![
        ("CR in a value", block(b"X: a\rb")),
        ("CR at the end of a value", block(b"X: a\r")),
        ("CR in a name", block(b"X\rY: a")),
        ("LF in a value", block(b"X: a\nb")),
        ("a line that LF alone ends", block(b"X: a\nY: b")),
        ("NUL in a value", block(b"X: a\0b")),
        ("NUL in a name", block(b"X\0: a")),
        ("ESC in a value", block(b"X: \x1b[2Ja")),
        ("DEL in a value", block(b"X: a\x7f")),
        ("BEL in a name", block(b"X\x07: a")),
        ("a space in a name", block(b"X Y: a")),
        ("a space before a name", block(b" X: a")),
        ("a space behind a name", block(b"X : a")),
        ("a tab in a name", block(b"X\tY: a")),
        ("a name of no characters", block(b": a")),
        ("a name that is not ASCII", block("tägl: a".as_bytes())),
        ("a name with brackets of another script", block("X\u{202e}: a".as_bytes())),
        ("no colon", block(b"X")),
        ("no colon in the second line", block(b"X: a\r\nY")),
        ("a value over two lines", block(b"X: a\r\n b")),
        ("a value over two lines, the second with a colon", block(b"X: a\r\n b: c")),
        ("a value over two lines, by a tab", block(b"X: a\r\n\tb")),
        ("Latin-1 in a value", block(b"X: \xe9")),
        ("bytes that are no UTF-8 in a value", block(b"X: \xff\xfe")),
        ("a cut character in a value", block(b"X: \xe2\x82")),
        ("a surrogate in a value", block(b"X: \xed\xa0\x80")),
        ("bytes that are no UTF-8 in a name", block(b"\xc3\x28: a")),
        ("another version", b"NATS/2.0\r\nX: a\r\n\r\n".to_vec()),
        ("another protocol", b"HTTP/1.1 200 OK\r\nX: a\r\n\r\n".to_vec()),
        ("a version in small letters", b"nats/1.0\r\nX: a\r\n\r\n".to_vec()),
        ("no version", b"X: a\r\n\r\n".to_vec()),
        ("nothing but an empty line", b"\r\n\r\n".to_vec()),
        ("nothing but bytes", b"\x00\xff\x00\xff\x80\x81".to_vec()),
        ("no empty line at the end", b"NATS/1.0\r\nX: a\r\n".to_vec()),
        ("no line end at all", b"NATS/1.0".to_vec()),
        ("more behind the empty line", b"NATS/1.0\r\n\r\nX: a\r\n\r\n".to_vec()),
        ("60 KiB in one value", block(&long)),
        ("4,000 headers", [b"NATS/1.0\r\n".as_slice(), &many, b"\r\n"].concat()),
    ]
}

/// Blocks that begin with a status, as only the server's own answers may. A nats-server removes the status from messages that it
/// stores, so that these are good as jobs. A service receives them as they are.
#[must_use]
pub fn status_blocks() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a status line that is none", b"NATS/1.0 wrong\r\n\r\n".to_vec()),
        ("a status", b"NATS/1.0 503\r\n\r\n".to_vec()),
        ("a status with words", b"NATS/1.0 404 No Messages\r\n\r\n".to_vec()),
        (
            "a status that ends a request",
            b"NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 1\r\n\r\n".to_vec(),
        ),
        ("a heartbeat", b"NATS/1.0 100 Idle Heartbeat\r\n\r\n".to_vec()),
        ("a status too large", b"NATS/1.0 99999\r\n\r\n".to_vec()),
    ]
}
