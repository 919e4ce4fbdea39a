//! The headers of a job, read and written.

use std::time::Duration;

use super::*;
use crate::names::header;

const DIGEST: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn parse(headers: &[(&str, &str)], scope: HeaderScope) -> Result<JobOptions, BadHeader> {
    JobOptions::parse(headers.iter().copied(), scope)
}

#[test]
fn options_read_back() {
    let headers = [
        ("Wasmhost-Revision", "18446744073709551615"),
        ("Wasmhost-Digest", DIGEST),
        ("Wasmhost-Max-Attempts", "3"),
        ("Wasmhost-Timeout", "1m30s"),
        ("Wasmhost-Expires", "2026-01-31T12:00:00.000Z"),
        ("Wasmhost-Result-TTL", "0"),
        ("Wasmhost-Parent", "thumbs.resize.1"),
        ("Wasmhost-Args-Digest", DIGEST),
        ("Wasmhost-Submitted-At", "2026-01-31T11:00:00.000Z"),
        ("Wasmhost-Notify", "_INBOX.a.1"),
        ("Wasmhost-Queue", "high"),
        ("Wasmhost-Delay", "250ms"),
        ("traceparent", TRACE),
    ];
    let options = parse(&headers, HeaderScope::Submit).unwrap();
    let pairs = options.to_pairs();
    assert_eq!(pairs.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>(), headers);
    assert_eq!(
        parse(&[("Wasmhost-At", "2026-01-31T12:00:00Z")], HeaderScope::Submit).unwrap().to_pairs().len(),
        1
    );
    assert!(JobOptions::default().to_pairs().is_empty());
}

#[test]
fn letter_case_does_not_matter() {
    assert_eq!(
        parse(&[("wasmHOST-timeout", " 30s")], HeaderScope::Job).unwrap().timeout.unwrap().as_secs(),
        30
    );
    let twice = [("Wasmhost-Timeout", "30s"), ("wasmhost-timeout", "30s")];
    assert_eq!(parse(&twice, HeaderScope::Job), Err(BadHeader::Repeated { name: header::TIMEOUT }));
}

#[test]
fn headers_that_are_not_ours_are_ignored() {
    let others = [("Nats-Msg-Id", "x"), ("Wasmhost", "x"), ("täglich-x", ""), ("traceparent", "junk")];
    assert_eq!(parse(&others, HeaderScope::Job), Ok(JobOptions::default()));
}

#[test]
fn a_header_of_the_submit_service_is_unknown_on_a_job() {
    for name in
        [header::QUEUE, header::DELAY, header::AT, "Wasmhost-", "Wasmhost-Priority", header::DEAD_KIND]
    {
        let error = parse(&[(name, "1")], HeaderScope::Job).unwrap_err();
        assert!(error.to_string().starts_with(&format!("header `{name}` is unknown")), "{error}");
    }
    let both = [("Wasmhost-Delay", "1s"), ("Wasmhost-At", "2026-01-31T12:00:00Z")];
    assert!(matches!(parse(&both, HeaderScope::Submit), Err(BadHeader::Excluded { .. })));
}

#[test]
fn an_unreadable_header_is_named() {
    for (name, value) in [
        (header::REVISION, ""),
        (header::REVISION, "0"),
        (header::REVISION, "+1"),
        (header::REVISION, "18446744073709551616"),
        (header::DIGEST, "abc"),
        (header::MAX_ATTEMPTS, "0"),
        (header::TIMEOUT, "30"),
        (header::EXPIRES, "30s"),
        (header::RESULT_TTL, "1"),
        (header::PARENT, "a.b.*"),
        (header::NOTIFY, "$KV.wasmhost-states.m.f.i"),
        (header::QUEUE, "a.b"),
        (header::AT, "2026-01-31T12:00:00"),
    ] {
        let error = parse(&[(name, value)], HeaderScope::Submit).unwrap_err();
        assert!(error.to_string().starts_with(&format!("header `{name}` is unreadable: ")), "{error}");
    }
}

#[test]
fn a_value_outside_of_its_bounds_is_refused_with_the_bound() {
    for (name, within, outside, bound) in [
        (header::MAX_ATTEMPTS, "1000000", "1000001", "1000000, the most"),
        (header::MAX_ATTEMPTS, "1", "4294967296", "1000000, the most"),
        (header::TIMEOUT, "30d", "30d1ms", "30d, the most"),
        (header::TIMEOUT, "1ms", "0", "1ms, the least"),
        (header::RESULT_TTL, "3650d", "3650d1ms", "3650d, the most"),
        (header::RESULT_TTL, "1s", "999ms", "1s, the least"),
        (header::EXPIRES, "2262-01-01T00:00:00Z", "2262-01-01T00:00:00.001Z", "2262-01-01"),
        (header::AT, "2262-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2262-01-01"),
    ] {
        assert!(parse(&[(name, within)], HeaderScope::Submit).is_ok(), "{name}: {within}");
        let error = parse(&[(name, outside)], HeaderScope::Submit).unwrap_err();
        assert!(matches!(error, BadHeader::OutOfBounds { .. }), "{error}");
        assert!(error.to_string().contains(bound), "{error}");
    }
    assert_eq!(
        parse(&[(header::RESULT_TTL, "0")], HeaderScope::Job).unwrap().result_ttl,
        Some(Duration::ZERO)
    );
}
