//! Many submissions at once. They are pipelined, and each has an answer of its own.

use futures::StreamExt;

use crate::client::Client;
use crate::job::JobHandle;
use crate::submission::Submission;
use crate::submit::error::SubmitError;

/// How many submissions are under way at a time: enough to hide the round trip, and few enough for the number of publishes
/// that a server lets wait.
const IN_FLIGHT: usize = 512;

impl Client {
    /// Submits all jobs. The answers have the same order, and one that is an error does not stop the others.
    pub async fn submit_many(
        &self,
        submissions: impl IntoIterator<Item = Submission>,
    ) -> Vec<Result<JobHandle, SubmitError>> {
        // Boxed, since a future of kilobytes is moved from hand to hand before it runs.
        let submit = |submission| Box::pin(async { Ok(self.submit(submission).await?.job) });
        // `buffered` and not `buffer_unordered`: the answers have the order of the submissions.
        futures::stream::iter(submissions).map(submit).buffered(IN_FLIGHT).collect().await
    }
}
