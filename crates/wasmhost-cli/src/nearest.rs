//! The name that was probably meant, for messages about unknown ones.

/// `; did you mean …?` where a known name is a typing error away from `wrong`, or nothing.
pub(crate) fn suggestion<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let near = wasmhost_protocol::nearest(wrong, names);
    let near = near.filter(|(_, edits)| *edits <= wrong.chars().count().max(3) / 2);
    near.map(|(name, _)| format!("; did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::suggestion;

    #[test]
    fn a_typing_error_finds_its_name_and_nonsense_finds_none() {
        let names = ["queues", "slots", "grace"];
        assert_eq!(suggestion("qeues", names), "; did you mean `queues`?");
        assert_eq!(suggestion("slot", names), "; did you mean `slots`?");
        assert_eq!(suggestion("completely-else", names), "");
    }
}
