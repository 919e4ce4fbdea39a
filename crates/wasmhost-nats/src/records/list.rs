//! All records, or those of a module or a task, as they stand when asked.

use async_nats::jetstream::consumer::DeliverPolicy;
use futures::{Stream, StreamExt};
use wasmhost_protocol::{JobKey, ModuleName, Names, Standing, TaskName};

use super::Records;
use super::standing::standing_of;
use crate::message::ReadError;
use crate::replay::{Replay, replay};

/// Which jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum JobFilter {
    /// All.
    #[default]
    All,
    /// Those of one module.
    Module(ModuleName),
    /// Those of one task.
    Task(TaskName),
}

impl JobFilter {
    fn states(&self, names: &Names) -> String {
        match self {
            Self::All => names.states_filter(),
            Self::Module(module) => names.states_of_module(module),
            Self::Task(task) => names.states_of_task(task),
        }
    }

    pub(crate) fn events(&self, names: &Names) -> String {
        match self {
            Self::All => names.events_filter(),
            Self::Module(module) => names.events_of_module(module),
            Self::Task(task) => names.events_of_task(task),
        }
    }
}

impl Records {
    /// What stands under each key, each once, oldest write first; it ends. Keys that are no job's are left out.
    pub async fn list(
        &self,
        filter: &JobFilter,
    ) -> Result<impl Stream<Item = Result<(JobKey, Standing), ReadError>> + Send + use<>, ReadError> {
        let names = self.connection.names.clone();
        let (stream, subject) = (names.states_stream(), filter.states(&names));
        let messages =
            replay(&self.connection, Replay::whole(&stream, &subject, DeliverPolicy::LastPerSubject)).await?;
        Ok(messages.filter_map(move |message| {
            let row = match message {
                Ok(message) => names.parse_state_subject(&message.subject).ok().map(|key| {
                    let headers = message.headers.as_ref();
                    let standing =
                        standing_of(&key, message.sequence, message.stored_at, headers, &message.payload);
                    Ok((key, standing))
                }),
                Err(error) => Some(Err(error)),
            };
            std::future::ready(row)
        }))
    }
}
