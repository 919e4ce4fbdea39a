//! The name that was probably meant, for messages about unknown names.

/// `; did you mean …?` where one of `names` is a typing error away from `wrong`, else nothing.
pub(crate) fn suggestion<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let near = wasmhost_protocol::text::nearest(wrong, names);
    near.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
