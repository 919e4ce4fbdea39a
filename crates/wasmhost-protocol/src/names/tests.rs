//! Names as they are documented: what is built is parsed back, and nothing but a filter has a wildcard.

use super::*;
use crate::ids::{HostId, JobKey, QueueName};
use proptest::prelude::*;

fn names() -> Names {
    Names::new(&Namespace::default())
}

#[test]
fn a_namespace_follows_its_rule() {
    for good in ["a", "wasmhost", "9-x", &"x".repeat(32)] {
        assert!(Namespace::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "-a", "A", "a.b", "a*", ">", "a b", "a_b", &"x".repeat(33)] {
        assert!(Namespace::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(Names::new(&Namespace::parse("team-2").unwrap()).jobs_stream(), "TEAM-2_JOBS");
}

#[test]
fn names_are_as_documented() {
    let names = names();
    let queue = QueueName::default_queue();
    let key = JobKey::parse("thumbs.to-PNG.7_a").unwrap();
    for (found, wanted) in [
        (names.jobs_stream(), "WASMHOST_JOBS"),
        (names.job_subject(&queue, &key), "wasmhost.jobs.default.thumbs.to-PNG.7_a"),
        (names.job_without_id(&queue, key.task()), "wasmhost.jobs.default.thumbs.to-PNG"),
        (names.consumer(&queue), "wasmhost-default"),
        (names.schedule(&queue, &key), "wasmhost.schedules.default.thumbs.to-PNG.7_a"),
        (names.due_anywhere(&key), "wasmhost.due.*.thumbs.to-PNG.7_a"),
        (names.states_stream(), "KV_wasmhost-states"),
        (names.states_of_task(key.task()), "$KV.wasmhost-states.thumbs.to-PNG.*"),
        (names.states_republish().0, "$KV.wasmhost-states.>"),
        (names.states_republish().1, "wasmhost.events.>"),
        (names.module_subject(&key.task().module()), "$KV.wasmhost-modules.thumbs"),
        (names.blob_name(&key, 2, "ab"), "thumbs.to-PNG.7_a/2-ab"),
        (names.dead_unreadable(7), "wasmhost.dead.unreadable.7"),
        (names.revoke_broadcast(&key), "wasmhost.control.revoke.thumbs.to-PNG.7_a"),
    ] {
        assert_eq!(found, wanted);
    }
}

#[test]
fn a_due_message_says_the_same_under_either_subject() {
    let names = names();
    for (jobs, due) in [
        ("wasmhost.jobs.q.m.f.i", "wasmhost.due.q.m.f.i"),
        ("wasmhost.jobs.q.m.f", "wasmhost.due.q.m.f"),
        ("wasmhost.jobs.x", "wasmhost.due.x"),
    ] {
        assert_eq!(names.due_of(jobs).unwrap(), due);
        assert_eq!(names.due_of(due).unwrap(), due, "the transform leaves what looks like a wildcard");
        assert_eq!(names.parse_due_subject(due).ok(), names.parse_job_subject(jobs).ok());
    }
    assert!(names.due_of("other.jobs.q.m.f").is_err());
    assert_eq!(names.job_of_due("wasmhost.due.x").as_deref(), Some("wasmhost.jobs.x"));
    assert_eq!(names.job_of_due("wasmhost.due.q.m.*"), None);
    let fired = names.parse_due_subject("wasmhost.due.q.m.f.i").unwrap();
    assert_eq!(names.due_subject(&fired), "wasmhost.due.q.m.f.i");
    assert!(names.parse_due_subject("wasmhost.jobs.q.m.f").is_err());
}

#[test]
fn a_subject_with_a_wrong_number_of_tokens_or_a_wildcard_is_refused() {
    let names = names();
    for bad in [
        "wasmhost.jobs",
        "wasmhost.jobs.q",
        "wasmhost.jobs.q.m",
        "wasmhost.jobs.q.m.f.i.x",
        "other.jobs.q.m.f",
        "wasmhost.jobs.*.m.f",
        "wasmhost.jobs.q.m.>",
        "wasmhost.jobs.q.m.f.",
        "wasmhost.jobs..m.f",
        "",
    ] {
        assert!(names.parse_job_subject(bad).is_err(), "{bad}");
    }
    for bad in ["wasmhost.submit.m", "wasmhost.submit.m.f.i.x", "wasmhost.submit.m.*"] {
        assert!(names.parse_submit_subject(bad).is_err(), "{bad}");
    }
    for bad in ["$KV.wasmhost-states.m.f", "$KV.wasmhost-states.m.f.>", "$KV.wasmhost-modules.m.f.i"] {
        assert!(names.parse_state_subject(bad).is_err(), "{bad}");
    }
    for bad in ["wasmhost.logs.m.f", "wasmhost.logs.m.f.>", "wasmhost.log.m.f.i", "wasmhost.logs"] {
        assert!(names.parse_logs_subject(bad).is_err(), "{bad}");
    }
    for bad in [
        "wasmhost.schedules",
        "wasmhost.schedules.by-hand",
        "wasmhost.schedules.q.m.f",
        "wasmhost.schedules.q.m.f.i.x",
        "wasmhost.schedules.*.m.f.i",
        "wasmhost.due.q.m.f.i",
    ] {
        assert!(names.parse_schedule_subject(bad).is_err(), "{bad}");
    }
}

prop_compose! {
    fn keys()(module in "[a-z0-9][a-z0-9-]{0,62}", function in "[a-zA-Z0-9][a-zA-Z0-9-]{0,62}",
              id in "[A-Za-z0-9_-]{1,64}") -> JobKey {
        JobKey::parse(&format!("{module}.{function}.{id}")).unwrap()
    }
}

prop_compose! {
    fn queues()(text in "[a-z0-9][a-z0-9-]{0,62}") -> QueueName {
        QueueName::parse(&text).unwrap()
    }
}

proptest! {
    #[test]
    fn subjects_read_back(key in keys(), queue in queues(), namespace in "[a-z0-9][a-z0-9-]{0,31}") {
        let names = Names::new(&Namespace::parse(&namespace).unwrap());
        let task = key.task().clone();
        let id = Some(key.id().clone());
        let with_id = names.parse_job_subject(&names.job_subject(&queue, &key)).unwrap();
        prop_assert_eq!(with_id, JobSubject { queue: queue.clone(), task: task.clone(), id: id.clone() });
        let without = names.parse_job_subject(&names.job_without_id(&queue, &task)).unwrap();
        prop_assert_eq!(without, JobSubject { queue: queue.clone(), task: task.clone(), id: None });
        let submit = |id| names.parse_submit_subject(&names.submit_subject(&task, id)).unwrap();
        prop_assert_eq!(submit(id.as_ref()), (task.clone(), id.clone()));
        prop_assert_eq!(submit(None), (task.clone(), None));
        for found in [
            names.parse_state_subject(&names.state_subject(&key)),
            names.parse_event_subject(&names.event_subject(&key)),
            names.parse_status_subject(&names.status_subject(&key)),
            names.parse_revoke_subject(&names.revoke_subject(&key)),
            names.parse_revoke_broadcast(&names.revoke_broadcast(&key)),
            names.parse_logs_subject(&names.logs_subject(&key)),
        ] {
            prop_assert_eq!(found.unwrap(), key.clone());
        }
        let scheduled = names.parse_schedule_subject(&names.schedule(&queue, &key)).unwrap();
        prop_assert_eq!(scheduled, (queue, key));
    }

    #[test]
    fn only_filters_hold_wildcards(key in keys(), queue in queues(), sequence: u64) {
        let names = names();
        let task = key.task();
        let module = key.task().module();
        let host = HostId::parse(key.id().as_str()).unwrap();
        for name in [
            names.jobs_stream(), names.job_subject(&queue, &key), names.job_without_id(&queue, task),
            names.consumer(&queue), names.schedules_stream(), names.schedule(&queue, &key),
            names.due(&queue, &key), names.states_bucket(), names.states_stream(), names.state_subject(&key),
            names.event_subject(&key), names.modules_bucket(), names.modules_stream(),
            names.module_subject(&module), names.components_store(), names.blobs_store(),
            names.blob_name(&key, 1, "0a"), names.hosts_bucket(), names.hosts_stream(),
            names.host_subject(&host), names.scanner_lease(), names.logs_stream(), names.logs_subject(&key), names.dead_stream(),
            names.dead_subject(&key), names.dead_unreadable(sequence), names.service_name(),
            names.submit_subject(task, None), names.submit_subject(task, Some(key.id())),
            names.status_subject(&key), names.revoke_subject(&key), names.revoke_broadcast(&key),
        ] {
            prop_assert!(!name.contains(|c: char| c == '*' || c == '>' || c.is_whitespace()), "{}", name);
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC*") {
        let names = names();
        let _ = names.parse_job_subject(&format!("wasmhost.jobs.{text}"));
        if let Ok(key) = names.parse_state_subject(&format!("$KV.wasmhost-states.{text}")) {
            prop_assert_eq!(key.as_str(), text);
        }
    }
}
