//! Derives the manifest of a component: its tasks with signatures and schemas, the exports that are no tasks, its
//! imports.

use wasmhost_protocol::json::Json;
use wasmhost_protocol::manifest::{Manifest, ManifestTask, RefusedFunction};
use wasmhost_values::{any_schema, arguments_schema, result_schema};

use crate::description::{Description, describe};
use crate::load_error::LoadError;
use crate::tasks::Task;

/// The most that the signatures, schemas and types of one module may have together, in bytes.
const MANIFEST_BYTES: usize = 256 << 10;
/// The most refused exports that a manifest names; of those beyond, it has only the number.
const REFUSED: usize = 200;
/// The most imports that a manifest lists.
const IMPORTS: usize = 1_000;

/// The signature of an untyped task, in the words of `wit/task.wit`.
const HANDLER: &str = "run: func(args: json) -> result<json, task-error>";

/// Derives the manifest of the component `wasm` without compiling it.
///
/// # Errors
///
/// Refuses what a host would refuse to load, and a component without a single task.
pub fn inspect(wasm: &[u8]) -> Result<Manifest, LoadError> {
    manifest(&describe(wasm)?)
}

/// Derives the manifest of a described component. A component without a single task is refused, with each export.
pub(crate) fn manifest(description: &Description) -> Result<Manifest, LoadError> {
    let mut manifest = Manifest {
        tasks: Vec::new(),
        refused: description.tasks.refused().to_vec(),
        imports: description.imports.iter().take(IMPORTS).cloned().collect(),
    };
    let mut bytes_left = MANIFEST_BYTES;
    for task in description.tasks.iter() {
        match manifest_task(task, &mut bytes_left) {
            Some(task) => manifest.tasks.push(task),
            None => manifest.refused.push(RefusedFunction {
                name: task.full_name(),
                reason: format!("its types do not fit into a manifest of {} KiB", MANIFEST_BYTES >> 10),
            }),
        }
    }
    let not_named = manifest.refused.len().saturating_sub(REFUSED);
    if not_named > 0 {
        manifest.refused.truncate(REFUSED);
        manifest
            .refused
            .push(RefusedFunction { name: "…".to_owned(), reason: format!("and {not_named} more") });
    }
    if manifest.tasks.is_empty() { Err(LoadError::NoTask(manifest.refused)) } else { Ok(manifest) }
}

/// The entry of a task; none where it has more bytes than are left.
fn manifest_task(task: &Task, bytes_left: &mut usize) -> Option<ManifestTask> {
    let (signature, arguments, result) = if task.is_untyped {
        (HANDLER.to_owned(), any_schema(), any_schema())
    } else {
        let signature = task.ty.signature(task.function.as_str());
        (signature, arguments_schema(&task.ty), result_schema(&task.ty))
    };
    // A client decodes by the types, which are far shorter than the schemas that people and other programs read.
    let types = Json::encode(&task.ty).expect("types are written as JSON");
    let bytes = signature.len() + arguments.len() + result.len() + types.as_str().len();
    *bytes_left = bytes_left.checked_sub(bytes)?;
    let parameters = || task.ty.parameters.names().map(str::to_owned).collect();
    Some(ManifestTask {
        function: task.function.clone(),
        interface: task.interface.clone(),
        signature,
        parameters: (!task.is_untyped).then(parameters),
        types: (!task.is_untyped).then_some(types),
        arguments: Json::stored(arguments).expect("the schema is written as JSON"),
        result: Json::stored(result).expect("the schema is written as JSON"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::wit::component;

    fn inspected(text: &str) -> Manifest {
        inspect(&component(text)).unwrap()
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
