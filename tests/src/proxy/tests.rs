use std::time::{Duration, Instant};

use futures::FutureExt;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::limit::{LIMIT, until_true};

/// Both ends of one connection through a proxy.
struct Ends {
    proxy: Proxy,
    client: BufReader<TcpStream>,
    server: BufReader<TcpStream>,
}

impl Ends {
    async fn connect() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::before(listener.local_addr().unwrap().port()).await.unwrap();
        let client = TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let mut ends = Self { proxy, client: BufReader::new(client), server: BufReader::new(server) };
        // The proxy knows of the connection when something came through.
        send(&mut ends.client, "CONNECT").await;
        assert_eq!(receive(&mut ends.server).await, "CONNECT");
        ends
    }
}

async fn send(end: &mut BufReader<TcpStream>, text: &str) {
    end.get_mut().write_all(format!("{text}\r\n").as_bytes()).await.unwrap();
}

/// The next line; empty at the end of the connection.
async fn receive(end: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    match within("a line", end.read_line(&mut line)).await.unwrap() {
        Ok(_) => line.trim_end().to_owned(),
        Err(_) => String::new(),
    }
}

#[tokio::test]
async fn a_stalled_direction_keeps_what_comes_and_the_other_one_flows() {
    let mut ends = Ends::connect().await;
    ends.proxy.flow(Direction::ToServer, Flow::Stalled);
    send(&mut ends.client, "PING 1").await;
    send(&mut ends.client, "PING 2").await;
    send(&mut ends.server, "PONG").await;
    assert_eq!(receive(&mut ends.client).await, "PONG");
    until_true("a frame that is held", async || Ok(ends.proxy.held() > 0)).await.unwrap();
    assert!(receive(&mut ends.server).now_or_never().is_none(), "nothing came through");
    ends.proxy.flow(Direction::ToServer, Flow::Open);
    assert_eq!(receive(&mut ends.server).await, "PING 1");
    assert_eq!(receive(&mut ends.server).await, "PING 2");
}

#[tokio::test]
async fn a_closed_proxy_lets_nothing_through_until_it_is_opened() {
    let mut ends = Ends::connect().await;
    ends.proxy.close();
    ends.proxy.flow(Direction::ToClient, Flow::Open);
    send(&mut ends.server, "PONG").await;
    until_true("a frame that is held", async || Ok(ends.proxy.held() > 0)).await.unwrap();
    assert!(receive(&mut ends.client).now_or_never().is_none(), "nothing came through");
    ends.proxy.open();
    assert_eq!(receive(&mut ends.client).await, "PONG");
}

#[tokio::test]
async fn late_frames_come_late_in_order_and_do_not_wait_for_each_other() {
    const DELAY: Duration = Duration::from_secs(1);
    // One after the other they would take longer than any wait may.
    const FRAMES: u64 = 2 * LIMIT.as_secs();
    let mut ends = Ends::connect().await;
    ends.proxy.flow(Direction::ToServer, Flow::Late(DELAY));
    let sent = Instant::now();
    for number in 0..FRAMES {
        send(&mut ends.client, &format!("PING {number}")).await;
    }
    let receiving = async {
        for number in 0..FRAMES {
            assert_eq!(receive(&mut ends.server).await, format!("PING {number}"));
            assert!(sent.elapsed() >= DELAY);
        }
    };
    within("all late frames", receiving).await.unwrap();
}

#[tokio::test]
async fn a_cut_ends_both_sides_and_what_is_held_is_lost() {
    let mut ends = Ends::connect().await;
    ends.proxy.close();
    send(&mut ends.client, "PING").await;
    until_true("a frame that is held", async || Ok(ends.proxy.held() > 0)).await.unwrap();
    assert_eq!(ends.proxy.cut(), 1);
    assert_eq!(receive(&mut ends.client).await, "");
    assert_eq!(receive(&mut ends.server).await, "");
}
