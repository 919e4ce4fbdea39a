//! The client on a real nats-server.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use nats_wire::{
    Auth, BadHeaders, Config, ConnectError, HeaderBlock, Headers, Message, Notice, RequestError, SendError,
    Subscription, Wire,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wasmhost_testing::{PATIENCE, Server, within};

use crate::start_server;

fn config(server: &Server) -> Config {
    Config::new([server.url().as_str()]).unwrap()
}

async fn wire(server: &Server) -> Wire {
    Wire::connect(config(server)).await.expect("it connects")
}

async fn next(subscription: &mut Subscription) -> Option<Message> {
    within("a message", subscription.next()).await
}

/// Connects, sends any bytes, and returns when the server has handled them.
async fn stranger(server: &Server, bytes: &[u8]) {
    let mut tcp = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    tcp.write_all(b"CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n").await.unwrap();
    tcp.write_all(bytes).await.unwrap();
    tcp.write_all(b"PING\r\n").await.unwrap();
    // The answer to a ping comes after everything before it was handled.
    let mut heard = Vec::new();
    let pong = b"PONG\r\n";
    while !heard.windows(pong.len()).any(|window| window == pong) {
        tcp.read_buf(&mut heard).await.unwrap();
    }
}

fn hpub(subject: &[u8], block: &[u8], payload: &str) -> Vec<u8> {
    let sizes = format!(" {} {}\r\n", block.len(), block.len() + payload.len());
    [b"HPUB ", subject, sizes.as_bytes(), block, payload.as_bytes(), b"\r\n"].concat()
}

#[tokio::test]
async fn no_bytes_of_a_message_end_the_connection() {
    let server = start_server("");
    let wire = wire(&server).await;
    let mut messages = wire.subscribe("x.>", None, 64).await;
    wire.flush().await.unwrap();
    let blocks: [&[u8]; 7] = [
        b"NATS/1.0\r\nX: a\rb\r\n\r\n",
        b"NATS/1.0\r\nX Y: a\r\n\r\n",
        b"NATS/1.0\r\nno colon\r\n\r\n",
        b"NATS/1.0\r\nX: \xff\xfe\r\n\r\n",
        b"NATS/1.0 wrong\r\n\r\n",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK",
    ];
    let mut bytes: Vec<u8> = blocks.iter().flat_map(|block| hpub(b"x.y", block, "bad")).collect();
    bytes.extend(hpub(b"x.\xff\xfe", b"NATS/1.0\r\n\r\n", "odd"));
    bytes.extend(hpub(b"x.z", b"NATS/1.0\r\nA: 1\r\n\r\n", "good"));
    stranger(&server, &bytes).await;
    for block in blocks {
        let message = next(&mut messages).await.unwrap();
        assert_eq!(message.block.as_deref(), Some(block));
        assert!(message.headers().is_err());
    }
    assert_eq!(next(&mut messages).await.unwrap().subject, "x.\u{fffd}\u{fffd}");
    let good = next(&mut messages).await.unwrap();
    assert_eq!((good.headers().unwrap().get("A"), &*good.payload), (Some("1"), b"good".as_slice()));
    assert_eq!(wire.changes().borrow().connects, 1);
}

#[tokio::test]
async fn what_is_published_is_heard_with_its_headers() {
    let server = start_server("");
    let here = wire(&server).await;
    let there = wire(&server).await;
    let mut messages = here.subscribe("a.*", None, 8).await;
    here.flush().await.unwrap();
    let headers = HeaderBlock::of([("K", "v"), ("K", "w")]).unwrap();
    there.publish("a.b", Some("r.s"), Some(&headers), b"body").await.unwrap();
    there.publish("a.c", None, None, b"").await.unwrap();
    let message = next(&mut messages).await.unwrap();
    assert_eq!((message.subject.as_str(), message.reply.as_deref()), ("a.b", Some("r.s")));
    assert_eq!(message.headers(), Headers::of([("K", "v"), ("K", "w")]));
    assert_eq!(next(&mut messages).await.unwrap().block, None);
    for subject in ["", "a b", "a\r\nPUB b", "a.\u{e4}"] {
        let refused = there.publish(subject, None, None, b"").await;
        assert_eq!(refused, Err(SendError::Subject(subject.to_owned())));
    }
    assert!(matches!(HeaderBlock::of([("K", "a\r\nb")]), Err(BadHeaders::Value { .. })));
    let limit = there.server_info().max_payload;
    let refused = there.publish("a.b", None, None, &vec![0; limit + 1]).await;
    assert_eq!(refused, Err(SendError::TooLarge { bytes: limit + 1, limit }));
}

#[tokio::test]
async fn a_request_has_an_answer_or_says_why_not() {
    let server = start_server("");
    let wire = wire(&server).await;
    let mut asked = wire.subscribe("ask", Some("q"), 8).await;
    wire.flush().await.unwrap();
    let (answer, ()) = tokio::join!(wire.request("ask", b"?", PATIENCE), async {
        let request = next(&mut asked).await.unwrap();
        wire.publish(&request.reply.unwrap(), None, None, b"!").await.unwrap();
    });
    assert_eq!(&*answer.unwrap().payload, b"!");
    let nobody = wire.request("nobody", b"", PATIENCE).await;
    assert_eq!(nobody, Err(RequestError::NoResponders("nobody".to_owned())));

    let mut answers = wire.ask("ask", b"", 3).await.unwrap();
    let reply = next(&mut asked).await.unwrap().reply.unwrap();
    for body in [b"1", b"2", b"3"] {
        wire.publish(&reply, None, None, body).await.unwrap();
    }
    for body in [b"1", b"2", b"3"] {
        assert_eq!(&*answers.next().await.unwrap().payload, body);
    }
}

#[tokio::test]
async fn each_of_many_requests_under_way_gets_its_own_answer() {
    let server = start_server("");
    let wire = wire(&server).await;
    let mut asked = wire.subscribe("ask", None, 8).await;
    let mut answers = Vec::new();
    for body in [b"1", b"2", b"3"] {
        answers.push(wire.send_request("ask", None, body).await.unwrap());
    }
    // Nobody waits for the second answer: it must reach nobody else.
    drop(answers.remove(1));
    let mut requests = Vec::new();
    for _ in 0..3 {
        requests.push(next(&mut asked).await.unwrap());
    }
    for request in requests.into_iter().rev() {
        wire.publish(&request.reply.unwrap(), None, None, &request.payload).await.unwrap();
    }
    for (answer, body) in answers.into_iter().zip([b"1", b"3"]) {
        assert_eq!(&*within("an answer", answer).await.unwrap().payload, body);
    }
}

#[tokio::test]
async fn the_connection_is_made_anew_with_its_subscriptions() {
    let mut server = start_server("");
    let wire = wire(&server).await;
    let mut messages = wire.subscribe("a", None, 8).await;
    let _mute = wire.subscribe("mute", None, 8).await;
    let mut unanswered = wire.ask("mute", b"", 1).await.unwrap();
    wire.flush().await.unwrap();
    let mut changes = wire.changes();
    server.kill().unwrap();
    changes.wait_for(|state| !state.connected).await.unwrap();
    assert_eq!(unanswered.next().await, None);
    assert_eq!(wire.publish("a", None, None, b"lost").await, Err(SendError::Disconnected));
    let mut late = wire.subscribe("b", None, 8).await;
    server.restart().unwrap();
    changes.wait_for(|state| state.connected && state.connects == 2).await.unwrap();
    for subject in ["a", "b"] {
        wire.publish(subject, None, None, subject.as_bytes()).await.unwrap();
    }
    assert_eq!(&*next(&mut messages).await.unwrap().payload, b"a");
    assert_eq!(&*next(&mut late).await.unwrap().payload, b"b");
}

#[tokio::test]
async fn what_is_expected_may_come_over_a_later_connection() {
    let mut server = start_server("");
    let wire = wire(&server).await;
    let expected = wire.expect().await;
    let unheard = wire.expect().await;
    let unheard = (unheard.subject().to_owned(), drop(unheard)).0;
    assert_ne!(expected.subject(), unheard);
    let mut changes = wire.changes();
    server.kill().unwrap();
    changes.wait_for(|state| !state.connected).await.unwrap();
    let late = wire.expect().await;
    server.restart().unwrap();
    changes.wait_for(|state| state.connected).await.unwrap();
    for subject in [&unheard, expected.subject(), late.subject()] {
        wire.publish(subject, None, None, subject.as_bytes()).await.unwrap();
    }
    for expected in [expected, late] {
        let subject = expected.subject().to_owned();
        let message = within("what is expected", expected).await.unwrap();
        assert_eq!(&*message.payload, subject.as_bytes());
    }
}

#[tokio::test]
async fn what_was_on_its_way_comes_before_a_drained_subscription_ends() {
    let server = start_server("");
    let wire = wire(&server).await;
    let mut messages = wire.subscribe("a", None, 100).await;
    for number in 0..100_u8 {
        wire.publish("a", None, None, &[number]).await.unwrap();
    }
    messages.drain().await;
    wire.flush().await.unwrap();
    wire.publish("a", None, None, b"after").await.unwrap();
    for number in 0..100 {
        assert_eq!(&*next(&mut messages).await.unwrap().payload, [number]);
    }
    assert_eq!(next(&mut messages).await, None);
}

#[tokio::test]
async fn messages_without_room_are_counted_and_a_notice() {
    let server = start_server("");
    let notices = Arc::new(Mutex::new(Vec::new()));
    let observer = notices.clone();
    let config = config(&server)
        .ping_interval(Duration::from_millis(50))
        .observer(move |notice| observer.lock().unwrap().push(notice));
    let wire = Wire::connect(config).await.unwrap();
    let mut messages = wire.subscribe("a", None, 2).await;
    let mut witness = wire.subscribe("a", None, 10).await;
    for _ in 0..5 {
        wire.publish("a", None, None, b"").await.unwrap();
    }
    for _ in 0..5 {
        next(&mut witness).await.unwrap();
    }
    assert_eq!(messages.missed(), 3);
    let dropped = Notice::Dropped { subject: "a".to_owned(), count: 3 };
    within("a notice of dropped messages", async {
        while !notices.lock().unwrap().contains(&dropped) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    next(&mut messages).await.unwrap();
    next(&mut messages).await.unwrap();
    wire.publish("a", None, None, b"new").await.unwrap();
    assert_eq!(&*next(&mut messages).await.unwrap().payload, b"new");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left() {
    let server = start_server("");
    let notices = Arc::new(Mutex::new(Vec::new()));
    let observer = notices.clone();
    let config = config(&server)
        .ping_interval(Duration::from_millis(100))
        .connect_timeout(Duration::from_millis(300))
        .observer(move |notice| observer.lock().unwrap().push(notice));
    let wire = Wire::connect(config).await.unwrap();
    let mut changes = wire.changes();
    let pid = rustix::process::Pid::from_raw(server.pid().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    within("the end of the connection", changes.wait_for(|state| !state.connected)).await.unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    within("a new connection", changes.wait_for(|state| state.connected)).await.unwrap();
    let why = "the server answered none of 2 pings".to_owned();
    let notices = notices.lock().unwrap();
    assert!(notices.contains(&Notice::Disconnected(why)), "{notices:?}");
}

/// Forwards one connection to the server at `to`, whose bytes come slowly.
async fn slow_way(listener: TcpListener, to: u16) {
    let (mut from_client, mut to_client) = listener.accept().await.unwrap().0.into_split();
    let (mut from_server, mut to_server) = TcpStream::connect(("127.0.0.1", to)).await.unwrap().into_split();
    let slowly = async {
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        let mut bytes = [0; 4096];
        loop {
            let count = from_server.read(&mut bytes).await.unwrap();
            pace.tick().await;
            to_client.write_all(&bytes[..count]).await.unwrap();
        }
    };
    let ((), copied) = tokio::join!(slowly, tokio::io::copy(&mut from_client, &mut to_server));
    copied.unwrap();
}

#[tokio::test]
async fn a_large_message_on_a_slow_way_is_a_sign_of_life() {
    let server = start_server("");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let testing = async {
        let slow = Config::new([address.as_str()]).unwrap().ping_interval(Duration::from_millis(50));
        let wire = Wire::connect(slow).await.unwrap();
        let mut messages = wire.subscribe("x", None, 4).await;
        wire.flush().await.unwrap();
        // It takes a second.
        let large = vec![b'a'; 400_000];
        let other = self::wire(&server).await;
        other.publish("x", None, None, &large).await.unwrap();
        other.flush().await.unwrap();
        assert_eq!(next(&mut messages).await.unwrap().payload, large);
        wire.flush().await.expect("the connection of before stands");
    };
    tokio::select! {
        () = slow_way(listener, server.port()) => panic!("the way has an end"),
        () = testing => {}
    }
}

#[tokio::test]
async fn who_connects_is_proven_in_each_way() {
    let server = start_server("authorization { token: sesame }");
    Wire::connect(config(&server).auth(Auth::Token("sesame".to_owned()))).await.unwrap();
    let refused = Wire::connect(config(&server)).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Denied(_)), "{refused}");

    let server = start_server("authorization { user: ada, password: \"p s\" }");
    let auth = Auth::UserPassword { user: "ada".to_owned(), password: "p s".to_owned() };
    Wire::connect(config(&server).auth(auth)).await.unwrap();

    let pair = nkeys::KeyPair::new_user();
    let server = start_server(&format!("authorization {{ users: [ {{ nkey: {} }} ] }}", pair.public_key()));
    let auth = Auth::NkeySeed(pair.seed().unwrap());
    Wire::connect(config(&server).auth(auth)).await.unwrap();
    let auth = Auth::NkeySeed(nkeys::KeyPair::new_user().seed().unwrap());
    let refused = Wire::connect(config(&server).auth(auth)).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Denied(_)), "{refused}");
}

#[tokio::test]
async fn a_denied_right_is_a_notice() {
    let server = start_server(
        "authorization { users: [ { user: a, password: b, permissions: { subscribe: [\"_INBOX.>\"] } } ] }",
    );
    let (sender, mut notices) = tokio::sync::mpsc::unbounded_channel();
    let auth = Auth::UserPassword { user: "a".to_owned(), password: "b".to_owned() };
    let config = config(&server).auth(auth).observer(move |notice| drop(sender.send(notice)));
    let wire = Wire::connect(config).await.unwrap();
    let _subscription = wire.subscribe("secrets.>", None, 1).await;
    wire.flush().await.unwrap();
    assert_eq!(notices.recv().await, Some(Notice::Connected));
    let denial = "Permissions Violation for Subscription to \"secrets.>\"".to_owned();
    assert_eq!(notices.recv().await, Some(Notice::ServerError(denial)));
}
