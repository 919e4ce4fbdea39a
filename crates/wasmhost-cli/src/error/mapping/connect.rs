//! Errors of connecting, each with what helps.

use wasmhost_nats::ConnectError;

use crate::error::passwords::without_passwords;
use crate::error::{CliError, Exit, chain};

impl From<ConnectError> for CliError {
    fn from(error: ConnectError) -> Self {
        let (exit, advice) = exit_and_advice(&error);
        Self::new(exit, format_args!("{}; {advice}", without_passwords(&chain(&error))))
    }
}

fn exit_and_advice(error: &ConnectError) -> (Exit, &'static str) {
    match error {
        ConnectError::Credentials { source, .. } => {
            (Exit::of_file(source), "check --creds (NATS_CREDS) and --nkey (NATS_NKEY)")
        }
        ConnectError::Seed { .. } => (Exit::Config, "check --seed (NATS_SEED)"),
        ConnectError::Certificate { source } => (
            Exit::of_file(source),
            "check --tls-ca (NATS_CA), --tls-cert (NATS_CERT) and --tls-key (NATS_KEY)",
        ),
        ConnectError::HalfCertificate => (Exit::Usage, "give both --tls-cert and --tls-key"),
        ConnectError::Address(_) => (Exit::Config, "check --nats, WASMHOST_NATS and NATS_URL"),
        ConnectError::NoTls { .. } => {
            (Exit::Config, "enable TLS on the server, or leave --tls-ca and --tls-cert out")
        }
        ConnectError::Untrusted { .. } => (
            Exit::Config,
            "name the authority that signed it with --tls-ca, and the server as its certificate does",
        ),
        ConnectError::NoCertificate { .. } => {
            (Exit::Denied, "give one that it trusts: --tls-cert and --tls-key")
        }
        ConnectError::Denied { .. } => {
            (Exit::Denied, "check --creds, --nkey, --jwt, --token or --user, and what the address says")
        }
        ConnectError::TooOld { .. } => (Exit::Config, "upgrade the server"),
        _ => {
            (Exit::Unreachable, "start a server (`wasmhost dev`), or say where it is with --nats or NATS_URL")
        }
    }
}
