//! `wasmhost run`: one attempt of a task on this machine, without NATS.

mod ending;
mod live;

use std::path::{Path, PathBuf};

use wasmhost_protocol::ids::{FunctionName, JobId, ModuleName, QueueName, TaskName};
use wasmhost_protocol::manifest::Manifest;
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::text::escape;
use wasmhost_sandbox::{AttemptRequest, Compiler, FunctionChoice, JobContext};

use crate::cli::Global;
use crate::commands::module::tasks;
use crate::error::CliError;
use crate::exit::Exit;
use crate::{component, input, toml_file};

/// Flags of `run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
FUNCTION may be left out where there is only one task. States and logs go to standard error, the result to standard \
output. Wrong arguments and an unknown function end with 2.

Example: wasmhost run hello.wasm '{\"name\": \"Ada\"}'
         wasmhost run thumbs.wasm resize @args.json")]
pub(crate) struct Args {
    /// The component's file
    file: PathBuf,
    /// The function, or INTERFACE#FUNCTION
    #[arg(allow_negative_numbers = true)]
    function: Option<String>,
    /// The arguments: JSON, `@FILE`, or `-` for standard input
    #[arg(allow_negative_numbers = true)]
    arguments: Option<String>,
    /// What the task may use
    #[arg(long, value_name = "FILE.toml")]
    policy: Option<PathBuf>,
}

/// Runs the task and prints its result.
pub(crate) async fn run(args: Args, _: &Global) -> Result<Exit, CliError> {
    let (function, arguments) = function_and_arguments(args.function, args.arguments)?;
    let policy = args.policy.as_deref().map(toml_file::policy).transpose()?.unwrap_or_default();
    let sandbox = component::sandbox(Compiler::InProcess)?;
    let component = component::load(&sandbox, &args.file).await?;
    let function = choose(&component.manifest, function.as_deref())?;
    let job = context(&args.file, &function, &policy);
    let arguments = input::arguments(arguments.as_deref())?;
    let mut request = AttemptRequest::new(job, function, arguments, policy.limits);
    request.config = policy.config;
    ending::report(live::follow(sandbox.start(&component.loaded, request)).await)
}

/// A first argument that looks like arguments is them.
fn function_and_arguments(
    function: Option<String>,
    arguments: Option<String>,
) -> Result<(Option<String>, Option<String>), CliError> {
    match (function, arguments) {
        (Some(first), None) if input::is_arguments(&first) => Ok((None, Some(first))),
        (Some(first), Some(_)) if input::is_arguments(&first) => Err(CliError::usage(
            "the arguments are given twice: write `wasmhost run FILE [FUNCTION] [ARGS]`, and quote ARGS for the shell",
        )),
        other => Ok(other),
    }
}

/// The task that is meant; where that is not clear, all are listed.
fn choose(manifest: &Manifest, wanted: Option<&str>) -> Result<FunctionChoice, CliError> {
    let listed = |problem: String| {
        CliError::usage(format_args!("{problem}; its tasks:\n{}", tasks(manifest).trim_end()))
    };
    let Some(wanted) = wanted else {
        return match manifest.tasks.as_slice() {
            [only] => Ok(FunctionChoice::Named(only.function.clone())),
            _ => Err(listed("the component has several tasks: name one of them".to_owned())),
        };
    };
    if wanted.contains('#') {
        return Ok(FunctionChoice::Qualified(wanted.to_owned()));
    }
    let found = manifest.tasks.iter().find(|task| task.function.as_str() == wanted);
    match found {
        Some(task) => Ok(FunctionChoice::Named(task.function.clone())),
        None => Err(listed(format!("the component has no task `{}`", escape(wanted)))),
    }
}

/// What the guest is told of its job.
fn context(file: &Path, function: &FunctionChoice, policy: &Policy) -> JobContext {
    let name = function.as_str().rsplit('#').next().unwrap_or_default();
    let local = || ModuleName::parse("local").expect("`local` is a module's name");
    let module = component::module_name(file).unwrap_or_else(|_| local());
    let function = FunctionName::parse(name)
        .unwrap_or_else(|_| FunctionName::parse("run").expect("`run` is a function's name"));
    let now = wasmhost_nats::now();
    JobContext {
        id: JobId::parse("local").expect("`local` is an id"),
        task: TaskName::new(&module, &function),
        queue: QueueName::default_queue(),
        attempt: 1,
        max_attempts: policy.retry.max_attempts,
        submitted_at: now,
        deadline: now.plus(policy.limits.timeout),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(function: Option<&str>, arguments: Option<&str>) -> Option<(Option<String>, Option<String>)> {
        function_and_arguments(function.map(str::to_owned), arguments.map(str::to_owned)).ok()
    }

    #[test]
    fn a_function_may_be_left_out() {
        let own = |text: &str| Some(text.to_owned());
        assert_eq!(split(None, None), Some((None, None)));
        assert_eq!(split(Some("{}"), None), Some((None, own("{}"))));
        assert_eq!(split(Some("-"), None), Some((None, own("-"))));
        assert_eq!(split(Some("resize"), None), Some((own("resize"), None)));
        assert_eq!(split(Some("resize"), Some("@f")), Some((own("resize"), own("@f"))));
        assert_eq!(split(Some("{}"), Some("{}")), None);
    }

    #[test]
    fn an_unclear_function_is_usage_and_lists_the_tasks() {
        let task = |name: &str| {
            serde_json::json!({
                "function": name, "interface": null, "signature": format!("{name}: func()"),
                "parameters": [], "arguments": {}, "result": {},
            })
        };
        let manifest = |tasks: &[&str]| -> Manifest {
            let tasks: Vec<_> = tasks.iter().map(|name| task(name)).collect();
            serde_json::from_value(serde_json::json!({ "tasks": tasks, "refused": [], "imports": [] }))
                .unwrap()
        };
        let one = manifest(&["resize"]);
        assert_eq!(choose(&one, None).unwrap().as_str(), "resize");
        assert_eq!(choose(&one, Some("a:b/c#d")).unwrap().as_str(), "a:b/c#d");
        for (manifest, wanted) in
            [(manifest(&["a", "b"]), None), (one, Some("reszie")), (manifest(&[]), None)]
        {
            let cli_error = choose(&manifest, wanted).unwrap_err();
            assert_eq!(cli_error.exit, Exit::Usage);
            assert!(cli_error.text.contains("its tasks:\n"), "{}", cli_error.text);
        }
    }
}
