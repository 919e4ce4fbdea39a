//! The ceilings: what the server does with the messages of jobs when nobody runs any.

mod closed;
mod drain;
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
        Scenario::Drain => false,
        Scenario::Closed | Scenario::Latency => true,
    };
    let template = Template::new(options.argument_bytes, is_awaited)?;
    match scenario {
        Scenario::Drain => drain::measure(&deployment, &template, options).await,
        Scenario::Closed | Scenario::Latency => {
            let jobs = options.jobs_of(scenario);
            closed::measure(&deployment, &template, jobs, options.callers_of(scenario)).await
        }
    }
}
