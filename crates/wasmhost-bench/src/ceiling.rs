//! The ceilings: what the server does with the messages of jobs when nobody runs any.

mod closed;
mod drain;
mod fill;
mod worker;

use crate::deployment::Deployment;
use crate::error::BenchError;
use crate::measured::Measured;
use crate::options::Options;
use crate::scenario_kind::Scenario;
use crate::template::Template;

/// Measures the ceiling of one scenario once.
pub(crate) async fn measure(scenario: Scenario, options: &Options) -> Result<Measured, BenchError> {
    let deployment = Deployment::start(options).await?;
    let is_awaited = match scenario {
        Scenario::Drain | Scenario::Submit | Scenario::SubmitOne => false,
        Scenario::Closed | Scenario::Latency => true,
    };
    let template = Template::new(options.argument_bytes, is_awaited)?;
    let jobs = options.jobs_of(scenario);
    match scenario {
        Scenario::Drain => drain::measure(&deployment, &template, options).await,
        Scenario::Closed | Scenario::Latency => {
            closed::measure(&deployment, &template, jobs, options.callers_of(scenario)).await
        }
        Scenario::Submit => fill::measure(&deployment, &template, jobs, fill::FILLING_AT_ONCE).await,
        Scenario::SubmitOne => fill::measure(&deployment, &template, jobs, 1).await,
    }
}
