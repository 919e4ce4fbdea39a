use nats_wire::Message;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::JobId;
use wasmhost_protocol::names::Namespace;

use super::*;

const STORED_MS: i64 = 1_700_000_000_123;

/// Reads the second delivery of message 30, with these headers.
fn parse(subject: &str, headers: &str) -> Result<Delivery, Box<NotAJob>> {
    let block = format!("NATS/1.0\r\n{headers}\r\n");
    let message = Message {
        subject: subject.to_owned(),
        reply: Some(format!("$JS.ACK.S.C.2.30.4.{STORED_MS}000000.5")),
        block: Some(block.into()),
        payload: Bytes::from_static(b"{}"),
    };
    let names = Names::new(&Namespace::default());
    Delivery::parse(&names, Delivered::of(&message).unwrap(), Timestamp::from_unix_ms(1))
}

#[test]
fn a_job_is_read_from_subject_headers_and_the_delivery_itself() {
    let delivery = parse("wasmhost.jobs.fast.m.f.id", "Wasmhost-Max-Attempts: 3\r\n").unwrap();
    assert_eq!((delivery.key.to_string().as_str(), delivery.queue.as_str()), ("m.f.id", "fast"));
    assert_eq!((delivery.options.max_attempts, &delivery.bad_headers), (Some(3), &None));
    let ordinal = DeliveryOrdinal { created: Timestamp::from_unix_ms(1), count: 2 };
    assert_eq!((delivery.msg_seq, delivery.ordinal), (30, ordinal));
    assert_eq!(delivery.spec().submitted_at.unix_ms(), STORED_MS, "a raw job is submitted when it is stored");
    assert!(delivery.due.is_none());
}

#[test]
fn a_job_whose_headers_cannot_be_read_is_a_job_all_the_same() {
    for headers in ["no colon\r\n", "Wasmhost-Max-Attempts: many\r\n", "Wasmhost-Unknown: x\r\n"] {
        let delivery = parse("wasmhost.jobs.default.m.f.id", headers).unwrap();
        assert_eq!(delivery.options, JobOptions::default());
        assert!(delivery.bad_headers.is_some(), "{headers}");
    }
}

#[test]
fn a_subject_that_names_no_job_has_no_record_to_end() {
    for subject in ["wasmhost.jobs.default.m.f.a*b", "wasmhost.jobs.default.m.Ünable", "elsewhere"] {
        let not_a_job = parse(subject, "").unwrap_err();
        assert_eq!(not_a_job.message.subject, subject);
        assert!(not_a_job.due.is_none());
    }
}

#[test]
fn an_id_that_nobody_gave_is_derived_from_where_the_message_is_stored() {
    let delivery = parse("wasmhost.jobs.default.m.f", "").unwrap();
    assert_eq!(*delivery.key.id(), JobId::derived(30, STORED_MS));
}

#[test]
fn a_fired_job_derives_its_id_from_the_due_message_that_it_was_copied_from() {
    let source = "Nats-Stream-Source: WASMHOST_SCHEDULES 17 > > wasmhost.due.default.m.f\r\n";
    let delivery = parse("wasmhost.jobs.default.m.f", source).unwrap();
    assert_eq!(*delivery.key.id(), JobId::fired(17, None, &Digest::of(b"{}")));
    assert_eq!(delivery.due.unwrap().sequence, 17);
}
