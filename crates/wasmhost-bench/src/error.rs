//! Why a measurement failed.

/// Why a measurement failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The private nats-server could not be started.
    #[error("start a private nats-server")]
    Server(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The program `wasmhost` could not be run, or failed.
    #[error("run `wasmhost {command}`: {text}")]
    Wasmhost {
        /// The command.
        command: String,
        /// What went wrong.
        text: String,
    },
    /// Something on the server could not be done.
    #[error("{what}")]
    Deployment {
        /// What was to be done.
        what: &'static str,
        /// Why it was not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A job did not end as it has to.
    #[error("a job of the measurement: {0}")]
    Job(String),
    /// The files of a measurement could not be written.
    #[error("write the files of a measurement")]
    Files(#[source] std::io::Error),
    /// The processes could not be observed.
    #[error("read what the processes use")]
    Processes(#[source] std::io::Error),
}

impl BenchError {
    pub(crate) fn deployment(
        what: &'static str,
    ) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        move |source| Self::Deployment { what, source }
    }
}

/// Says what was to be done, where something on the server failed.
pub(crate) trait Doing<T> {
    fn doing(self, what: &'static str) -> Result<T, BenchError>;
}

impl<T, E: Into<Box<dyn std::error::Error + Send + Sync>>> Doing<T> for Result<T, E> {
    fn doing(self, what: &'static str) -> Result<T, BenchError> {
        self.map_err(|error| BenchError::deployment(what)(error.into()))
    }
}
