//! What the values of a type cost the host beyond what the engine charges for them. The engine charges 40 bytes a value and the
//! letters of names; the names of flags that are set, fields and cases are texts of their own, and a case of an
//! enum is found by counting through those before it.

use wasmhost_values::Type;

/// What the engine charges for a value, and a value takes, but for what it holds.
const VALUE: f64 = 40.0;
/// A value in a box of its own, or in a list that grew.
const HELD: f64 = 48.0;
/// A text, but for its letters.
const TEXT: f64 = 24.0;
/// The allocator's own.
const ALLOCATION: f64 = 16.0;
/// The smallest allocation.
const LEAST_ALLOCATION: f64 = 32.0;
/// Cases of an enum that are passed by in the time that a value takes anyway.
const CASES_A_VALUE: f64 = 50.0;

/// Bytes of the host that one byte of charge may stand for, at worst: 1 or more.
pub(super) fn host_bytes_per_charge(result: Option<&Type>) -> f64 {
    let mut worst = 1.0;
    if let Some(ty) = result {
        Cost::of(ty, &mut worst).rate(&mut worst);
    }
    worst
}

#[derive(Clone, Copy)]
struct Cost {
    host: f64,
    charge: f64,
}

impl Cost {
    const ONE: Self = Self { host: HELD, charge: VALUE };

    /// One value of the type, at its worst; what may be repeated on its own is rated on its own.
    fn of(ty: &Type, worst: &mut f64) -> Self {
        match ty {
            Type::String => Self::ONE.and_text(1),
            Type::Enum(names) => {
                let searched = VALUE * names.len() as f64 / CASES_A_VALUE;
                Self::ONE.and_text(shortest(names.names())).and(searched, 0.0)
            }
            Type::Flags(names) => names.names().fold(Self::ONE.and(ALLOCATION, 0.0), |cost, name| {
                cost.and(TEXT * 2.0, 0.0).and_text(name.len())
            }),
            Type::List(element) => {
                Self::of(element, worst).rate(worst);
                Self::ONE.and(ALLOCATION, 0.0)
            }
            Type::Option(payload) => Self::ONE.or(Self::ONE.with(Self::of(payload, worst))),
            Type::Result(result) => {
                let payloads = [&result.ok, &result.err].map(|payload| match payload {
                    Some(ty) => Self::ONE.with(Self::of(ty, worst)),
                    None => Self::ONE,
                });
                payloads[0].or(payloads[1])
            }
            Type::Variant(cases) => {
                let case = |(name, payload): (&str, &Option<Type>)| {
                    let case = Self::ONE.and_text(name.len());
                    payload.as_ref().map_or(case, |ty| case.with(Self::of(ty, worst)))
                };
                cases.iter().map(case).reduce(Self::or).unwrap_or(Self::ONE)
            }
            Type::Tuple(types) => {
                let all = Self::ONE.and(ALLOCATION, 0.0);
                types.iter().fold(all, |cost, ty| cost.with(Self::of(ty, worst)))
            }
            Type::Record(fields) => {
                let all = Self::ONE.and(ALLOCATION, 0.0);
                fields.iter().fold(all, |cost, (name, ty)| {
                    cost.and(TEXT, 0.0).and_text(name.len()).with(Self::of(ty, worst))
                })
            }
            _ => Self::ONE,
        }
    }

    fn and(self, host: f64, charge: f64) -> Self {
        Self { host: self.host + host, charge: self.charge + charge }
    }

    fn and_text(self, bytes: usize) -> Self {
        let bytes = bytes as f64;
        self.and((bytes + ALLOCATION).max(LEAST_ALLOCATION), bytes)
    }

    fn with(self, other: Self) -> Self {
        self.and(other.host, other.charge)
    }

    /// The worse of the two.
    fn or(self, other: Self) -> Self {
        if self.host * other.charge >= other.host * self.charge { self } else { other }
    }

    fn rate(self, worst: &mut f64) {
        *worst = worst.max(self.host / self.charge);
    }
}

fn shortest<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.map(str::len).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use crate::tasks::wit::tasks;

    fn rate(declared: &str, ty: &str) -> f64 {
        let tasks = tasks(&format!("world w {{ {declared} export f: func() -> {ty}; }}"));
        tasks.find("f").unwrap().host_bytes_per_charge()
    }

    #[test]
    fn bytes_and_records_cost_about_their_charge_and_flags_and_long_enums_far_more() {
        let (bytes, record) =
            (rate("", "list<u8>"), rate("record r { width: u32, name: string }", "list<r>"));
        assert!((1.0..1.7).contains(&bytes) && (1.0..3.0).contains(&record), "{bytes} {record}");
        let names = |count: usize| (0..count).map(|n| format!("n{n}")).collect::<Vec<_>>().join(", ");
        let flags = rate(&format!("flags f {{ {} }}", names(32)), "list<f>");
        assert!(flags > 15.0, "{flags}");
        let (few, many) =
            (rate("enum e { a, b }", "list<e>"), rate(&format!("enum e {{ {} }}", names(9_000)), "list<e>"));
        assert!(few < 2.5 && many > 100.0, "{few} {many}");
    }
}
