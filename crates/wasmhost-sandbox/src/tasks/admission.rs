//! Whether a function can be a task: its name, and types that have a JSON form and a bounded description.

use wasmhost_protocol::FunctionName;
use wasmtime::component::Type;
use wasmtime::component::types::{ComponentFunc, Record};

use crate::signature::without_json;

/// Types within the types of one function, each use counted: 227 bytes of component can describe 131,072.
const MAX_TYPES: usize = 10_000;

/// Types within each other. Deeper schemas would not pass JSON parsers' own limit, usually 128 brackets.
const MAX_NESTING: usize = 24;

/// Names of parameters, fields, cases and flags, in bytes.
const MAX_NAME_BYTES: usize = 128;

/// The function's name as a task, or why it cannot be one.
pub(super) fn admit(name: &str, func: &ComponentFunc) -> Result<FunctionName, String> {
    if name.starts_with('[') {
        return Err("constructors and functions of resources cannot be called with JSON".to_owned());
    }
    if func.async_() {
        return Err("it is an async function".to_owned());
    }
    let name = FunctionName::parse(name).map_err(|error| format!("its name is not {}", error.rule))?;
    let mut walk = Walk { room: MAX_TYPES, nesting: 0 };
    for (name, ty) in func.params() {
        check_name(name).map_err(|problem| format!("it {problem}"))?;
        walk.check(&ty).map_err(|problem| format!("its parameter `{name}` {problem}"))?;
    }
    for ty in func.results() {
        walk.check(&ty).map_err(|problem| format!("its result {problem}"))?;
    }
    Ok(name)
}

/// A walk through the types of one function.
struct Walk {
    room: usize,
    nesting: usize,
}

impl Walk {
    fn check(&mut self, ty: &Type) -> Result<(), String> {
        if let Some(kind) = without_json(ty) {
            return Err(format!("has a {kind} in it, which has no JSON form"));
        }
        self.count(1)?;
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(format!("has more than {MAX_NESTING} types within each other"));
        }
        self.check_parts(ty)?;
        self.nesting -= 1;
        Ok(())
    }

    fn check_parts(&mut self, ty: &Type) -> Result<(), String> {
        match ty {
            Type::List(list) => self.check(&list.ty()),
            Type::Option(option) => self.check(&option.ty()),
            Type::Tuple(tuple) => tuple.types().try_for_each(|ty| self.check(&ty)),
            Type::Result(result) => result.ok().iter().chain(&result.err()).try_for_each(|ty| self.check(ty)),
            Type::Record(record) => record.fields().try_for_each(|field| {
                check_name(field.name)?;
                self.check(&field.ty)
            }),
            Type::Variant(variant) => variant.cases().try_for_each(|case| {
                self.count(1)?;
                check_name(case.name)?;
                case.ty.map_or(Ok(()), |ty| self.check(&ty))
            }),
            Type::Enum(cases) => {
                self.count(cases.names().len())?;
                cases.names().try_for_each(check_name)
            }
            Type::Flags(flags) => {
                self.count(flags.names().len())?;
                flags.names().try_for_each(check_name)
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, types: usize) -> Result<(), String> {
        self.room =
            self.room.checked_sub(types).ok_or_else(|| format!("brings it over {MAX_TYPES} types"))?;
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), String> {
    if name.len() <= MAX_NAME_BYTES {
        return Ok(());
    }
    let start = wasmhost_protocol::truncate(name, 20);
    Err(format!("has the name `{start}…` of more than {MAX_NAME_BYTES} bytes in it"))
}

/// Whether this is `func(args: string) -> result<string, task-error>`.
pub(super) fn takes_json(func: &ComponentFunc) -> bool {
    let parameters: Vec<Type> = func.params().map(|(_, ty)| ty).collect();
    let ok = match func.results().next() {
        Some(Type::Result(result)) => result.ok(),
        _ => None,
    };
    parameters == [Type::String] && ok == Some(Type::String) && is_task_error(func)
}

/// Whether the function's error is `wasmhost:task/types.task-error`, compared by structure.
pub(super) fn is_task_error(func: &ComponentFunc) -> bool {
    let Some(Type::Result(result)) = func.results().next() else { return false };
    let Some(Type::Variant(variant)) = result.err() else { return false };
    let cases: Vec<_> = variant.cases().map(|case| (case.name, case.ty)).collect();
    match cases.as_slice() {
        [("failed", Some(failed)), ("retry", Some(retry)), ("permanent", Some(permanent))] => {
            is_failure(failed, None) && is_failure(retry, Some("after")) && is_failure(permanent, None)
        }
        _ => false,
    }
}

fn is_failure(ty: &Type, last: Option<&str>) -> bool {
    let Type::Record(record) = ty else { return false };
    let names: Vec<&str> = record.fields().map(|field| field.name).collect();
    let mut wanted = vec!["message", "details"];
    wanted.extend(last);
    names == wanted && has_types(record)
}

fn has_types(record: &Record) -> bool {
    record.fields().all(|field| match (field.name, field.ty) {
        ("message", Type::String) => true,
        ("details", Type::Option(details)) => details.ty() == Type::String,
        ("after", Type::Option(after)) => after.ty() == Type::U64,
        _ => false,
    })
}
