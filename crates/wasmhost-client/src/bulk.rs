//! Many submissions at once, pipelined; each is its own job with its own answer.

use futures::StreamExt;

use crate::client::Client;
use crate::job::Handle;
use crate::submission::Submission;
use crate::submit::SubmitError;

/// Submissions under way at a time: enough to hide the round trip, few enough for the server's pending publishes.
const IN_FLIGHT: usize = 512;

impl Client {
    /// Submits all of them and answers in the same order; one that fails does not stop the others.
    pub async fn submit_many(
        &self,
        submissions: impl IntoIterator<Item = Submission>,
    ) -> Vec<Result<Handle, SubmitError>> {
        let submit = async |submission| Ok(self.submit(submission).await?.job);
        futures::stream::iter(submissions).map(submit).buffered(IN_FLIGHT).collect().await
    }
}
