//! How far a job is, as the meta of its state says.

use serde::Deserialize;
use wasmhost_protocol::json::Json;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Progress {
    /// The part that is done, from 0 to 1.
    pub(super) fraction: f64,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    progress: Option<Json>,
    #[serde(default)]
    current: Option<Json>,
    #[serde(default)]
    total: Option<Json>,
}

impl Progress {
    /// Reads a number from 0 to 100 in `progress`, or else `current` of `total`. There is no progress where the meta has
    /// neither.
    pub(super) fn of(meta: &Json) -> Option<Self> {
        let meta: Meta = meta.read().ok()?;
        let number = |value: Option<Json>| value.and_then(|value| value.read::<f64>().ok());
        if let Some(percent) = number(meta.progress).filter(|percent| (0.0..=100.0).contains(percent)) {
            return Some(Self { fraction: percent / 100.0 });
        }
        let current = number(meta.current)?;
        let total = number(meta.total)?;
        (total > 0.0 && (0.0..=total).contains(&current)).then_some(Self { fraction: current / total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(meta: &str) -> Option<f64> {
        Progress::of(&Json::parse(meta).unwrap()).map(|progress| progress.fraction * 100.0)
    }

    #[test]
    fn a_bar_needs_a_percentage_or_a_count() {
        assert_eq!(percent(r#"{"progress": 25}"#), Some(25.0));
        assert_eq!(percent(r#"{"progress": 12.5, "current": 1, "total": 2}"#), Some(12.5));
        assert_eq!(percent(r#"{"current": 1, "total": 4}"#), Some(25.0));
        assert_eq!(percent(r#"{"progress": 250, "current": 2, "total": 4}"#), Some(50.0));
        assert_eq!(percent(r#"{"progress": 1e400, "current": 2, "total": 4}"#), Some(50.0));
    }

    #[test]
    fn anything_else_is_no_progress() {
        for meta in [
            "null",
            "5",
            "[]",
            "{}",
            r#"{"progress": "25"}"#,
            r#"{"progress": -1}"#,
            r#"{"progress": 101}"#,
            r#"{"current": 1}"#,
            r#"{"current": 1, "total": 0}"#,
            r#"{"current": 5, "total": 4}"#,
        ] {
            assert_eq!(percent(meta), None, "{meta}");
        }
    }
}
