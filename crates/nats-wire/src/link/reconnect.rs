//! Making the connection anew: each server in turn, in random order, patiently.

use std::time::Duration;

use super::Link;
use crate::address::Address;
use crate::config::{Config, Notice};
use crate::handshake::ConnectError;
use crate::handshake::{self, Ready};

/// The wait before the second round over all servers.
const FIRST_DELAY: Duration = Duration::from_millis(20);
/// The longest wait before a round.
const LONGEST_DELAY: Duration = Duration::from_secs(2);

impl Link {
    /// None: nobody has a handle any more.
    pub(super) async fn connect_again(&mut self) -> Option<Ready> {
        let (config, servers) = (self.config.clone(), self.servers.clone());
        let mut connecting = std::pin::pin!(until_connected(&config, &servers));
        loop {
            tokio::select! {
                ready = &mut connecting => return Some(ready),
                command = self.commands.recv() => self.obey_without_connection(command?),
            }
        }
    }
}

async fn until_connected(config: &Config, servers: &[Address]) -> Ready {
    let mut delay = FIRST_DELAY;
    loop {
        match try_each(config, servers).await {
            Ok(ready) => return ready,
            Err(why) => config.tell(Notice::NotYet(why.to_string())),
        }
        let wait = config.reconnect_delay.unwrap_or_else(|| delay.mul_f64(0.5 + fraction() / 2.0));
        tokio::time::sleep(wait).await;
        delay = LONGEST_DELAY.min(delay * 2);
    }
}

/// Tries each server once, in random order. One that refuses who connects is the last that is tried: the others would too.
pub(super) async fn try_each(config: &Config, servers: &[Address]) -> Result<Ready, ConnectError> {
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

/// A random number in 0.0..1.0; without randomness its mean, for it is a delay and no secret.
fn fraction() -> f64 {
    let mut bytes = [0; 4];
    if getrandom::fill(&mut bytes).is_err() {
        return 0.5;
    }
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}
