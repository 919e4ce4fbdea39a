//! End-to-end tests: one binary, one file an area.
