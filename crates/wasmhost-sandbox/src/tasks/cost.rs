//! What the values of a type cost the host beyond what the engine charges for them. The engine charges 40 bytes for
//! each value and the letters of names. In the host, the names of fields, of cases and of set flags are strings of
//! their own, and a case of an enum is found by counting through the cases before it.

use wasmhost_values::{Named, Type};

/// What the engine charges for a value, and what a value takes without its contents, in bytes.
const VALUE: f64 = 40.0;
/// What a value takes in a box of its own, or in a list that grew, in bytes.
const STORED_VALUE: f64 = 48.0;
/// What a string takes without its letters, in bytes.
const STRING: f64 = 24.0;
/// What the allocator adds to each allocation, in bytes.
const ALLOCATION: f64 = 16.0;
/// The smallest allocation, in bytes.
const MIN_ALLOCATION: f64 = 32.0;
/// How many cases of an enum are passed over in the time that a value takes anyway.
const CASES_PER_VALUE: f64 = 50.0;

/// How many bytes of the host one byte of charge stands for, at worst; at least 1.
pub(super) fn host_bytes_per_charge(result: Option<&Type>) -> f64 {
    let mut analysis = Analysis { worst_ratio: 1.0 };
    if let Some(ty) = result {
        analysis.rate(ty);
    }
    analysis.worst_ratio
}

/// The worst ratio that was found in a type so far.
struct Analysis {
    worst_ratio: f64,
}

impl Analysis {
    /// Takes the ratio of one value of a type into account.
    fn rate(&mut self, ty: &Type) {
        let cost = self.cost(ty);
        self.worst_ratio = self.worst_ratio.max(cost.host / cost.charged);
    }

    /// The cost of one value of a type in its worst case, without the elements of lists.
    fn cost(&mut self, ty: &Type) -> Cost {
        match ty {
            Type::String => Cost::VALUE.with_string(1),
            Type::Enum(names) => enum_cost(names),
            Type::Flags(names) => flags_cost(names),
            Type::List(element) => {
                // A list can repeat its element without limit, so that the ratio of the element decides.
                self.rate(element);
                Cost::CONTAINER
            }
            Type::Option(payload) => Cost::VALUE.worse(self.with_payload(Cost::VALUE, Some(payload))),
            Type::Result(result) => {
                let ok = self.with_payload(Cost::VALUE, result.ok.as_ref());
                let err = self.with_payload(Cost::VALUE, result.err.as_ref());
                ok.worse(err)
            }
            Type::Variant(cases) => self.variant(cases),
            Type::Tuple(types) => types.iter().fold(Cost::CONTAINER, |cost, ty| cost.plus(self.cost(ty))),
            Type::Record(fields) => fields.iter().fold(Cost::CONTAINER, |cost, (name, ty)| {
                cost.with_host_bytes(STRING).with_string(name.len()).plus(self.cost(ty))
            }),
            // Numbers, characters and booleans; a foreign type is in no task.
            _ => Cost::VALUE,
        }
    }

    fn variant(&mut self, cases: &Named<Option<Type>>) -> Cost {
        let costs = cases
            .iter()
            .map(|(name, payload)| self.with_payload(Cost::VALUE.with_string(name.len()), payload.as_ref()));
        costs.reduce(Cost::worse).unwrap_or(Cost::VALUE)
    }

    fn with_payload(&mut self, case: Cost, payload: Option<&Type>) -> Cost {
        payload.map_or(case, |ty| case.plus(self.cost(ty)))
    }
}

fn enum_cost(names: &Named<()>) -> Cost {
    let shortest = names.names().map(str::len).min().unwrap_or(0);
    let search = VALUE * names.len() as f64 / CASES_PER_VALUE;
    Cost::VALUE.with_string(shortest).with_host_bytes(search)
}

/// The worst case of flags is that all of them are set.
fn flags_cost(names: &Named<()>) -> Cost {
    names.names().fold(Cost::CONTAINER, |cost, name| {
        // The list of names grows by doubling, so that up to half of it may be unused.
        cost.with_host_bytes(STRING * 2.0).with_string(name.len())
    })
}

/// What values take in the host, and what the engine charges for them, in bytes.
#[derive(Clone, Copy)]
struct Cost {
    host: f64,
    charged: f64,
}

impl Cost {
    /// A value without contents.
    const VALUE: Self = Self { host: STORED_VALUE, charged: VALUE };
    /// A value whose contents are in an allocation of their own.
    const CONTAINER: Self = Self { host: STORED_VALUE + ALLOCATION, charged: VALUE };

    fn with_host_bytes(self, bytes: f64) -> Self {
        Self { host: self.host + bytes, ..self }
    }

    /// Adds the letters of a string, which are charged as well.
    fn with_string(self, letters: usize) -> Self {
        let charged = letters as f64;
        self.plus(Self { host: (charged + ALLOCATION).max(MIN_ALLOCATION), charged })
    }

    fn plus(self, other: Self) -> Self {
        Self { host: self.host + other.host, charged: self.charged + other.charged }
    }

    /// Whichever of the two costs the host more for each byte of charge.
    fn worse(self, other: Self) -> Self {
        if self.host * other.charged >= other.host * self.charged { self } else { other }
    }
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
        let bytes = rate("", "list<u8>");
        let record = rate("record r { width: u32, name: string }", "list<r>");
        assert!((1.0..1.7).contains(&bytes) && (1.0..3.0).contains(&record), "{bytes} {record}");
        let names = |count: usize| (0..count).map(|n| format!("n{n}")).collect::<Vec<_>>().join(", ");
        let flags = rate(&format!("flags f {{ {} }}", names(32)), "list<f>");
        assert!(flags > 15.0, "{flags}");
        let few = rate("enum e { a, b }", "list<e>");
        let many = rate(&format!("enum e {{ {} }}", names(9_000)), "list<e>");
        assert!(few < 2.5 && many > 100.0, "{few} {many}");
    }
}
