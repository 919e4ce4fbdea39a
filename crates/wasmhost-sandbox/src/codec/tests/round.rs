use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

static TASKS: LazyLock<Tasks> = LazyLock::new(|| {
    echo(
        "record all { a: f32, b: f64, c: s64, d: u64, e: string, f: list<u8>, g: option<option<s8>>, h: list<result<char, u16>> }",
        "all",
    )
});

fn some(value: Val) -> Val {
    Val::Option(Some(Box::new(value)))
}

fn values() -> impl Strategy<Value = Val> {
    let option = any::<Option<Option<i8>>>();
    let results = any::<Vec<Result<char, u16>>>();
    let bytes = any::<Vec<u8>>();
    let simple = (any::<u32>(), any::<u64>(), any::<i64>(), any::<u64>(), any::<String>());
    (simple, bytes, option, results).prop_map(|((a, b, c, d, e), f, g, h)| {
        let inner = |value: Option<i8>| Val::Option(value.map(|value| Box::new(Val::S8(value))));
        let result = |value| match value {
            Ok(ok) => Val::Result(Ok(Some(Box::new(Val::Char(ok))))),
            Err(err) => Val::Result(Err(Some(Box::new(Val::U16(err))))),
        };
        let fields = [
            ("a", Val::Float32(f32::from_bits(a))),
            ("b", Val::Float64(f64::from_bits(b))),
            ("c", Val::S64(c)),
            ("d", Val::U64(d)),
            ("e", Val::String(e)),
            ("f", Val::List(f.into_iter().map(Val::U8).collect())),
            ("g", g.map_or(Val::Option(None), |value| some(inner(value)))),
            ("h", Val::List(h.into_iter().map(result).collect())),
        ];
        Val::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    })
}

proptest! {
    #[test]
    fn every_value_comes_back(value in values()) {
        let text = encode(&TASKS, std::slice::from_ref(&value));
        prop_assert_eq!(decode(&TASKS, &text).unwrap(), [value]);
    }
}
