//! Takes jobs from a queue, runs them in sandboxes and records every transition.
