//! The ceiling of callers that wait: each records and publishes a job, and hears of its end by the bucket's events.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;
use nats_wire::{Subscription, Wire};
use tokio::sync::oneshot;
use wasmhost_protocol::ids::QueueName;
use wasmhost_protocol::names::Names;

use super::worker::{publish, work};
use crate::deployment::Deployment;
use crate::error::{BenchError, Doing};
use crate::measured::Measured;
use crate::template::{Template, expecting, key};

/// A job has three revisions: PENDING, STARTED and SUCCESS.
const REVISIONS: u8 = 3;
/// How many events may wait to be taken.
const PENDING_EVENTS: usize = 65_536;

/// Whoever waits for a job, by the subject of its events: how many revisions were seen, and whom to tell of the last.
type Waiting = Rc<RefCell<HashMap<String, (u8, oneshot::Sender<()>)>>>;

pub(super) async fn measure(
    deployment: &Deployment,
    template: &Template,
    jobs: u64,
    callers: usize,
) -> Result<Measured, BenchError> {
    let names = &deployment.connection.names;
    let wire = deployment.connection.edge().await.doing("connect")?;
    let events = wire.subscribe(names.events_filter(), None, PENDING_EVENTS).await;
    wire.flush().await.doing("subscribe to the events")?;
    let template = Rc::new(template.clone());
    let waiting = Waiting::default();
    let processes = deployment.processes(None);
    let before = processes.sample()?;
    let calls = async {
        let call = |number| call(wire, names, &template, &waiting, number);
        let calls = stream::iter(0..jobs).map(call).buffer_unordered(callers);
        calls.collect::<Vec<_>>().await.into_iter().collect::<Result<Vec<_>, _>>()
    };
    let working = work(wire, names, template.clone(), jobs, |_| Ok(()));
    let latencies = tokio::select! {
        results = async { tokio::join!(calls, working) } => {
            results.1?;
            results.0?
        }
        () = tell(events, &waiting) => return Err(BenchError::Job("the events ended".to_owned())),
    };
    let used = processes.sample()?.since(&before);
    Ok(Measured { jobs, used, latencies })
}

async fn call(
    wire: &Wire,
    names: &Names,
    template: &Template,
    waiting: &Waiting,
    number: u64,
) -> Result<Duration, BenchError> {
    let begun = Instant::now();
    let key = key(number);
    let (ended, end) = oneshot::channel();
    waiting.borrow_mut().insert(names.event_subject(&key), (0, ended));
    let revision = publish(wire, &names.state_subject(&key), &expecting(0, None), &template.pending).await?;
    let headers = template.job_headers(&key, revision, &names.jobs_stream());
    let subject = names.job_subject(&QueueName::default_queue(), &key);
    publish(wire, &subject, &headers, &template.arguments).await?;
    end.await.doing("wait for the end of a job")?;
    Ok(begun.elapsed())
}

/// Tells callers of the ends of their jobs, as long as there are events.
async fn tell(mut events: Subscription, waiting: &Waiting) {
    while let Some(event) = events.next().await {
        let mut waiting = waiting.borrow_mut();
        let Some((seen, _)) = waiting.get_mut(&event.subject) else { continue };
        *seen += 1;
        if *seen == REVISIONS
            && let Some((_, ended)) = waiting.remove(&event.subject)
        {
            // A caller that has ended needs no word.
            let _ = ended.send(());
        }
    }
}
