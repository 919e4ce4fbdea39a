use super::wit::tasks;
use super::*;

fn names(tasks: &Tasks) -> Vec<String> {
    tasks.iter().map(Task::full_name).collect()
}

fn refused(tasks: &Tasks) -> Vec<String> {
    tasks.refused().iter().map(|refused| format!("{}: {}", refused.name, refused.reason)).collect()
}

#[test]
fn functions_at_the_top_level_and_in_interfaces_are_tasks() {
    let tasks = tasks("interface api { b: func(); } world w { export a: func(x: u32); export api; }");
    assert_eq!(names(&tasks), ["a", "demo:app/api#b"]);
    assert!(tasks.refused().is_empty());
    assert_eq!(tasks.find("b").unwrap().interface.as_deref(), Some("demo:app/api"));
    assert_eq!(tasks.find("demo:app/api#b").unwrap().function.as_str(), "b");
}

#[test]
fn what_has_no_json_form_is_refused_by_name() {
    let long = "x".repeat(64);
    let tasks = tasks(&format!(
        "interface api {{
            resource blob {{ constructor(); size: func() -> u32; open: static func(); }}
            take: func(b: list<blob>);
            {long}: func();
            fine: func();
        }}
        interface exports {{ init: func(); }}
        world w {{ export api; export exports: interface {{ init: func(); }} }}"
    ));
    assert_eq!(names(&tasks), ["demo:app/api#fine"]);
    let methods = "constructors and functions of resources cannot be called with JSON";
    let expected = [
        format!("demo:app/api#[constructor]blob: {methods}"),
        format!("demo:app/api#[method]blob.size: {methods}"),
        format!("demo:app/api#[static]blob.open: {methods}"),
        "demo:app/api#take: its parameter `b` has a resource in it, which has no JSON form".to_owned(),
        format!("demo:app/api#{long}: its name is not 1-63 of a-z, A-Z, 0-9 and `-`, not starting with `-`"),
    ];
    let mut found = refused(&tasks);
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn two_exports_of_one_name_refuse_only_that_name() {
    let text =
        "interface a { f: func(); g: func(); } interface b { f: func(); } world w { export a; export b; }";
    let tasks = tasks(text);
    assert_eq!(names(&tasks), ["demo:app/a#g"]);
    let reason = "it is exported more than once: `demo:app/a#f`, `demo:app/b#f`";
    assert_eq!(refused(&tasks), [format!("f: {reason}")]);
    assert_eq!(
        tasks.find("f").unwrap_err().to_string(),
        format!("`f` cannot be a task: {reason}; the module exports g; refused are `f` ({reason})")
    );
    assert_eq!(tasks.find("demo:app/b#f").unwrap().full_name(), "demo:app/b#f");
}

#[test]
fn a_handler_wins_over_a_command() {
    let command = tasks("world w { export wasi:cli/run@0.2.6; }");
    assert!(command.find("run").unwrap().is_command);
    let both = tasks("world w { export wasi:cli/run@0.2.6; export wasmhost:task/handler@0.1.0; }");
    let run = both.find("run").unwrap();
    assert!(run.is_untyped && run.returns_task_error && !run.is_command);
    assert!(both.refused().is_empty());
}

#[test]
fn a_task_error_is_known_by_its_structure_and_an_import() {
    let returns_task_error = |text: &str| tasks(text).find("f").unwrap().returns_task_error;
    let types = "use wasmhost:task/types@0.1.0.{task-error}; export f: func() -> result<_, task-error>;";
    assert!(returns_task_error(&format!("world w {{ {types} }}")));
    let alike = "record failure { message: string, details: option<string> }
        record retry { message: string, details: option<string>, after: option<u64> }
        variant mine { failed(failure), retry(retry), permanent(failure) }
        export f: func() -> result<_, mine>;";
    assert!(!returns_task_error(&format!("world w {{ {alike} }}")));
    assert!(returns_task_error(&format!("world w {{ import wasmhost:task/job@0.1.0; {alike} }}")));
    let other = alike.replace("option<u64>", "option<u32>");
    assert!(!returns_task_error(&format!("world w {{ import wasmhost:task/job@0.1.0; {other} }}")));
}

#[test]
fn an_unknown_name_gets_the_nearest_one() {
    let tasks = tasks("world w { export resize: func(); export describe: func(); }");
    assert_eq!(
        tasks.find("resiez").unwrap_err().to_string(),
        "no task `resiez`; did you mean `resize`?; the module exports resize, describe"
    );
}

#[test]
fn types_without_bound_are_refused() {
    let mut text = "type t0 = tuple<u8, u8>;".to_owned();
    for level in 1..14 {
        text += &format!("type t{level} = tuple<t{0}, t{0}>;", level - 1);
    }
    let tasks = tasks(&format!("world w {{ {text} export big: func(t: t13); export small: func(t: t9); }}"));
    assert_eq!(names(&tasks), ["small"]);
    assert_eq!(refused(&tasks), ["big: its parameter `t` brings it over 10000 types"]);
    let name = "n".repeat(129);
    let nested = format!("{}u8{}", "list<".repeat(24), ">".repeat(24));
    let tasks = super::wit::tasks(&format!(
        "world w {{ record r {{ {name}: u8 }} export long: func(r: r); export deep: func() -> {nested}; }}"
    ));
    assert_eq!(
        refused(&tasks),
        [
            "long: its parameter `r` has the name `nnnnnnnnnnnnnnnnnnnn…` of more than 128 bytes in it",
            "deep: its result has more than 24 types within each other",
        ]
    );
}
