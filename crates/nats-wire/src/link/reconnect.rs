//! Connects to one of several servers, with growing pauses between the rounds.

use std::time::Duration;

use crate::address::Address;
use crate::config::{Config, Notice};
use crate::handshake::{self, ConnectError, Established};

/// The pause before the second round over all servers.
const FIRST_DELAY: Duration = Duration::from_millis(20);
/// The longest pause before a round.
const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// Tries all servers again and again until one is connected to.
pub(super) async fn until_connected(config: &Config, servers: &[Address]) -> Established {
    let mut delay = FIRST_DELAY;
    loop {
        match try_each(config, servers).await {
            Ok(ready) => return ready,
            // Refused credentials are no reason to give up here: a file with credentials is read again at each
            // connect, and may have been renewed by then.
            Err(why) => config.notify(Notice::NotYet(why.to_string())),
        }
        // Clients that lost the same server must not all come back at the same moment.
        let wait = config.reconnect_delay.unwrap_or_else(|| delay.mul_f64(0.5 + fraction() / 2.0));
        tokio::time::sleep(wait).await;
        delay = LONGEST_DELAY.min(delay * 2);
    }
}

/// Tries each server once, from a random one on. A server that refuses the credentials is the last one that is tried, because
/// the others would refuse them too.
pub(super) async fn try_each(config: &Config, servers: &[Address]) -> Result<Established, ConnectError> {
    let mut last = ConnectError::NoServer;
    let first = (fraction() * servers.len() as f64) as usize;
    for at in 0..servers.len() {
        match handshake::connect(config, &servers[(first + at) % servers.len()]).await {
            Ok(ready) => return Ok(ready),
            Err(why @ ConnectError::Denied(_)) => return Err(why),
            Err(why) => last = why,
        }
    }
    Err(last)
}

/// A random number from 0.0 to 1.0. It only spreads delays, so that its mean will do where there is no randomness.
fn fraction() -> f64 {
    let mut bytes = [0; 4];
    if getrandom::fill(&mut bytes).is_err() {
        return 0.5;
    }
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}
