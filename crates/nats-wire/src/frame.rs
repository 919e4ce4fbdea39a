//! Splits the bytes of a connection into what the server says, by lengths alone. It does no I/O.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

use crate::message::Message;
use crate::server_info::ServerInfo;

/// The longest line that is waited for. The server's own limit for a line is 4 KiB by default, and its `INFO` in a large
/// cluster may have tens of KiB.
const LINE_BYTES: usize = 1 << 20;
/// The largest message that is waited for. The server's own limit is 64 MiB.
const MESSAGE_BYTES: usize = 64 << 20;

/// One operation of the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ServerOp {
    /// A message for a subscription.
    Message { sid: u64, message: Message },
    /// The answer to one of the client's pings.
    Pong,
    /// A ping, which the client has to answer.
    Ping,
    /// What the server announces about itself.
    Info(Box<ServerInfo>),
    /// An error.
    Err(String),
    /// An acknowledgement that has no meaning for this client.
    Ok,
}

/// Bytes that no NATS server sends. The connection cannot be used any further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server does not speak NATS: {0}")]
pub(crate) struct InvalidFrame(String);

/// Takes the server's next operation from the buffer; none where it has not been received whole yet.
pub(crate) fn next(buffer: &mut BytesMut) -> Result<Option<ServerOp>, InvalidFrame> {
    let Some(end) = memchr(b'\n', buffer) else {
        return if buffer.len() > LINE_BYTES { Err(invalid_frame(buffer)) } else { Ok(None) };
    };
    let line = buffer[..end].strip_suffix(b"\r").unwrap_or(&buffer[..end]);
    let (verb, rest) = word(line).unwrap_or_default();
    let op = match verb.to_ascii_uppercase().as_slice() {
        b"MSG" => return message(buffer, end, false),
        b"HMSG" => return message(buffer, end, true),
        b"PING" => ServerOp::Ping,
        b"PONG" => ServerOp::Pong,
        b"+OK" => ServerOp::Ok,
        b"-ERR" => ServerOp::Err(lossy(rest).trim_matches([' ', '\'']).to_owned()),
        b"INFO" => ServerOp::Info(serde_json::from_slice(rest).map_err(|_| invalid_frame(line))?),
        _ => return Err(invalid_frame(line)),
    };
    buffer.advance(end + 1);
    Ok(Some(op))
}

/// Takes a message whose first line ends at `end`: `MSG <subject> <sid> [reply] <bytes>`, or
/// `HMSG <subject> <sid> [reply] <header bytes> <bytes>`.
fn message(buffer: &mut BytesMut, end: usize, with_headers: bool) -> Result<Option<ServerOp>, InvalidFrame> {
    let line = buffer[..end].strip_suffix(b"\r").unwrap_or(&buffer[..end]);
    let parsed = First::parse(line, with_headers).ok_or_else(|| invalid_frame(line))?;
    let First { subject, sid, reply, header_bytes, bytes } = parsed;
    if buffer.len() < end + 1 + bytes + 2 {
        // All of the room is made at once: a large message would otherwise be copied each time that the buffer grows.
        buffer.reserve(end + 1 + bytes + 2 - buffer.len());
        return Ok(None);
    }
    buffer.advance(end + 1);
    let block = with_headers.then(|| buffer.split_to(header_bytes).freeze());
    let payload: Bytes = buffer.split_to(bytes - header_bytes).freeze();
    // If the lengths are wrong, bytes of a payload would be read as commands from here on.
    if &buffer[..2] != b"\r\n" {
        return Err(invalid_frame(&buffer[..2]));
    }
    buffer.advance(2);
    Ok(Some(ServerOp::Message { sid, message: Message { subject, reply, block, payload } }))
}

/// The first line of a message.
struct First {
    subject: String,
    sid: u64,
    reply: Option<String>,
    header_bytes: usize,
    bytes: usize,
}

impl First {
    fn parse(line: &[u8], with_headers: bool) -> Option<Self> {
        let words: Vec<_> = words(line).skip(1).collect();
        let sizes = if with_headers { 2 } else { 1 };
        let (named, sizes) = words.split_at_checked(words.len().checked_sub(sizes)?)?;
        let (subject, sid, reply) = match named {
            [subject, sid] => (subject, sid, None),
            [subject, sid, reply] => (subject, sid, Some(lossy(reply))),
            _ => return None,
        };
        let header_bytes = if with_headers { number(sizes[0])? } else { 0 };
        let bytes = number(sizes[sizes.len() - 1])?;
        // The cuts by these lengths, and the buffer that is made for them, rely on this.
        if header_bytes > bytes || bytes > MESSAGE_BYTES {
            return None;
        }
        let sid = u64::try_from(number(sid)?).ok()?;
        Some(Self { subject: lossy(subject), sid, reply, header_bytes, bytes })
    }
}

/// Splits a line at spaces and tabs only, because a subject may have any other byte in it.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// The first word of a line, and the rest.
fn word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
    line.split_at_checked(end)
}

fn number(word: &[u8]) -> Option<usize> {
    // `parse` alone would also take a plus sign.
    let digits = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    if digits { std::str::from_utf8(word).ok()?.parse().ok() } else { None }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn invalid_frame(line: &[u8]) -> InvalidFrame {
    InvalidFrame(line[..line.len().min(80)].escape_ascii().to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<ServerOp>, InvalidFrame> {
        let mut buffer = BytesMut::from(bytes);
        let mut ops = Vec::new();
        while let Some(one) = next(&mut buffer)? {
            ops.push(one);
        }
        assert!(buffer.is_empty(), "{buffer:?} is left");
        Ok(ops)
    }

    fn message(
        subject: &str,
        reply: Option<&str>,
        block: Option<&'static [u8]>,
        payload: &'static [u8],
    ) -> Message {
        Message {
            subject: subject.to_owned(),
            reply: reply.map(ToOwned::to_owned),
            block: block.map(Bytes::from_static),
            payload: Bytes::from_static(payload),
        }
    }

    #[test]
    fn what_a_server_says_is_framed() {
        let ops = all(b"PING\r\npong\r\n+OK\r\n-ERR 'No such thing'\r\nMSG a.b 7 2\r\nhi\r\n\
            MSG a 1 _INBOX.x 0\r\n\r\nHMSG a 9 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
        let at = |sid, message| ServerOp::Message { sid, message };
        assert_eq!(
            ops.unwrap(),
            [
                ServerOp::Ping,
                ServerOp::Pong,
                ServerOp::Ok,
                ServerOp::Err("No such thing".to_owned()),
                at(7, message("a.b", None, None, b"hi")),
                at(1, message("a", Some("_INBOX.x"), None, b"")),
                at(9, message("a", Some("r"), Some(b"NATS/1.0\r\n\r\n"), b"hi")),
            ]
        );
    }

    #[test]
    fn a_strangers_bytes_are_a_matter_of_the_message() {
        let ops = all(b"HMSG a.\xff\x00\x0b. 1 \xfe 6 6\r\n\r\r\n\nXY\r\nMSG a 1 1\r\n\n\r\n").unwrap();
        let ServerOp::Message { message: first, .. } = &ops[0] else { panic!("{ops:?}") };
        assert_eq!((first.subject.as_str(), first.reply.as_deref()), ("a.\u{fffd}\0\x0b.", Some("\u{fffd}")));
        assert!(first.headers().is_err());
        assert_eq!(ops.len(), 2);
    }

    #[test]
    fn what_is_not_nats_is_an_error() {
        for line in
            ["GET / HTTP/1.1", "MSG a 1", "MSG a x 1", "HMSG a 1 9 2", "MSG a 1 99999999999", "", "INFO {"]
        {
            assert!(all(format!("{line}\r\n").as_bytes()).is_err(), "{line}");
        }
        assert!(all(b"MSG a 1 1\r\nabc").is_err());
    }

    proptest! {
        #[test]
        fn pieces_say_what_the_whole_says(
            payload in prop::collection::vec(any::<u8>(), 0..60),
            block in prop::collection::vec(any::<u8>(), 0..40),
            cut in 0_usize..100,
        ) {
            let first = format!("PING\r\nHMSG s 3 r {} {}\r\n", block.len(), block.len() + payload.len());
            let whole = [first.as_bytes(), &block, &payload, b"\r\nPONG\r\n"].concat();
            let (early, late) = whole.split_at(cut.min(whole.len()));
            let mut buffer = BytesMut::new();
            let mut ops = Vec::new();
            for piece in [early, late] {
                buffer.extend_from_slice(piece);
                while let Some(one) = next(&mut buffer).unwrap() {
                    ops.push(one);
                }
            }
            prop_assert_eq!(ops, all(&whole).unwrap());
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut buffer = BytesMut::from(bytes.as_slice());
            while let Ok(Some(_)) = next(&mut buffer) {}
        }
    }
}
