//! The manifest of a component: its tasks with signatures and schemas, what it refuses, what it imports.

use wasmhost_protocol::{Json, Manifest, ManifestTask, RefusedFunction};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::tasks::{Task, Tasks};
use crate::{schema, signature};

/// Signatures and schemas of one module, in bytes of text.
const MANIFEST_BYTES: usize = 256 << 10;

/// The signature of an untyped task, with the names that reflection does not have.
const HANDLER: &str = "run: func(args: json) -> result<json, task-error>";

/// Derives the manifest of `component`. Types can be had from a compiled component only.
pub(crate) fn manifest(engine: &Engine, component: &Component) -> Manifest {
    let tasks = Tasks::of(engine, component);
    let mut room = MANIFEST_BYTES;
    let mut manifest = Manifest {
        tasks: Vec::new(),
        refused: tasks.refused().to_vec(),
        imports: component.component_type().imports(engine).map(|(name, _)| name.to_owned()).collect(),
    };
    for task in tasks.iter() {
        match described(task, &mut room) {
            Some(described) => manifest.tasks.push(described),
            None => manifest.refused.push(RefusedFunction {
                name: task.full_name(),
                reason: format!("its types do not fit into a manifest of {} KiB", MANIFEST_BYTES >> 10),
            }),
        }
    }
    manifest
}

/// The task's entry; none where it takes more than `room`.
fn described(task: &Task, room: &mut usize) -> Option<ManifestTask> {
    let (signature, arguments, result) = if task.raw {
        (HANDLER.to_owned(), schema::anything(), schema::anything())
    } else {
        let signature = signature::signature(task.function.as_str(), &task.func);
        (signature, schema::arguments(&task.func), schema::result(&task.func))
    };
    *room = room.checked_sub(signature.len() + arguments.len() + result.len())?;
    let parameters = || task.func.params().map(|(name, _)| name.to_owned()).collect();
    Some(ManifestTask {
        function: task.function.clone(),
        interface: task.interface.clone(),
        signature,
        parameters: (!task.raw).then(parameters),
        arguments: Json::parse(arguments).expect("the schema is written as JSON"),
        result: Json::parse(result).expect("the schema is written as JSON"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::wit::{ENGINE, component};

    fn inspected(text: &str) -> Manifest {
        manifest(&ENGINE, &component(text))
    }

    #[test]
    fn a_manifest_describes_tasks_in_wit_and_in_json_schema() {
        let manifest = inspected(
            "world w {
                import wasmhost:task/job@0.1.0;
                record size { width: u32, height: option<u32> }
                export resize: func(image: list<u8>, to: size) -> result<list<u8>, string>;
            }",
        );
        assert_eq!(manifest.imports, ["wasmhost:task/types@0.1.0", "wasmhost:task/job@0.1.0"]);
        let [task] = manifest.tasks.as_slice() else { panic!("{manifest:?}") };
        let signature = "resize: func(image: list<u8>, to: record) -> result<list<u8>, string>";
        assert_eq!(task.signature, signature);
        assert_eq!(task.parameters.as_deref(), Some(&["image".to_owned(), "to".to_owned()][..]));
        let schema: serde_json::Value = task.arguments.read().unwrap();
        assert_eq!(schema["anyOf"][0]["required"], serde_json::json!(["image", "to"]));
        assert_eq!(schema["$defs"]["record"]["required"], serde_json::json!(["width"]));
    }

    #[test]
    fn a_handler_takes_anything() {
        let manifest = inspected("world w { export wasmhost:task/handler@0.1.0; }");
        let [task] = manifest.tasks.as_slice() else { panic!("{manifest:?}") };
        assert_eq!(task.parameters, None);
        assert_eq!(task.signature, HANDLER);
        assert_eq!(task.interface.as_deref(), Some("wasmhost:task/handler@0.1.0"));
    }

    #[test]
    fn what_does_not_fit_into_the_manifest_is_refused() {
        let names: Vec<String> = (0..2000).map(|n| format!("{}{n}", "x".repeat(100))).collect();
        let text = format!(
            "world w {{ enum e {{ {} }} export big: func(e: e) -> e; export small: func(); }}",
            names.join(", ")
        );
        let manifest = inspected(&text);
        assert_eq!(manifest.tasks.len(), 1);
        assert_eq!(manifest.refused[0].name, "big");
        assert_eq!(manifest.refused[0].reason, "its types do not fit into a manifest of 256 KiB");
    }
}
