//! As much of the NATS protocol as the proxy needs: where a frame ends, and to which subject it goes.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// One line of the protocol, with the payload that belongs to it.
#[derive(Debug)]
pub(super) struct Frame {
    /// Everything as it came.
    pub(super) bytes: Vec<u8>,
    line: String,
}

/// Reads one frame; none at the end.
pub(super) async fn read_frame(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Frame>> {
    let mut bytes = Vec::new();
    if from.read_until(b'\n', &mut bytes).await? == 0 {
        return Ok(None);
    }
    let line = String::from_utf8_lossy(&bytes).into_owned();
    if let Some(length) = payload_length(&line) {
        let start = bytes.len();
        bytes.resize(start + length + b"\r\n".len(), 0);
        from.read_exact(&mut bytes[start..]).await?;
    }
    Ok(Some(Frame { bytes, line }))
}

/// The last word of a line that has a payload.
fn payload_length(line: &str) -> Option<usize> {
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    match words.as_slice() {
        ["PUB" | "HPUB" | "MSG" | "HMSG", .., length] => length.parse().ok(),
        _ => None,
    }
}

impl Frame {
    /// Subject and reply subject of a client's publish that wants an answer.
    pub(super) fn publish(&self) -> Option<(&str, &str)> {
        match self.words().as_slice() {
            ["PUB", subject, reply, _] | ["HPUB", subject, reply, _, _] => Some((subject, reply)),
            _ => None,
        }
    }

    /// Subject of a message of the server's.
    pub(super) fn message(&self) -> Option<&str> {
        match self.words().as_slice() {
            ["MSG" | "HMSG", subject, ..] => Some(subject),
            _ => None,
        }
    }

    /// Whether this text is anywhere in it.
    pub(super) fn contains(&self, text: &str) -> bool {
        self.bytes.windows(text.len().max(1)).any(|window| window == text.as_bytes())
    }

    fn words(&self) -> Vec<&str> {
        self.line.split_ascii_whitespace().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn frames_end_where_they_do() {
        let mut wire: &[u8] =
            b"PING\r\nHPUB $KV.a.b _INBOX.1 4 8\r\nab\r\nc\r\nd\r\nMSG _INBOX.1 7 2\r\n\r\n\r\n";
        let mut frames = Vec::new();
        while let Some(frame) = read_frame(&mut wire).await.unwrap() {
            frames.push(frame);
        }
        assert_eq!(frames.iter().map(|frame| frame.bytes.len()).collect::<Vec<_>>(), [6, 37, 22]);
        assert_eq!(frames[1].publish(), Some(("$KV.a.b", "_INBOX.1")));
        assert!(frames[1].contains("c\r\nd") && !frames[1].contains("e"));
        assert_eq!(frames[2].message(), Some("_INBOX.1"));
        assert_eq!((frames[0].publish(), frames[0].message(), frames[2].publish()), (None, None, None));
    }
}
