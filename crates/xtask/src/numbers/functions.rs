//! How long functions are.

/// The lines of every function that has a body, in code without comments and contents of literals.
pub(super) fn lengths(code: &str) -> Vec<usize> {
    // The type of a function pointer has no blank: `fn(u8)`.
    let starts = code.match_indices("fn ").map(|(start, _)| start);
    let starts = starts.filter(|start| !code[..*start].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
    starts.filter_map(|start| length(&code[start..])).collect()
}

/// The lines up to the end of the body; none where a semicolon comes first.
fn length(function: &str) -> Option<usize> {
    let mut open = 0usize;
    for (at, c) in function.char_indices() {
        match c {
            '(' | '[' | '{' => open += 1,
            // In a pattern of a macro, what is around the function closes without having been opened in it.
            ')' | ']' | '}' if open == 0 => return None,
            ')' | ']' => open -= 1,
            '}' if open == 1 => return Some(function[..at].matches('\n').count() + 1),
            '}' => open -= 1,
            ';' if open == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::lengths;

    #[test]
    fn every_function_with_a_body_counts() {
        let code = "\
fn a() {}
trait T { fn b(&self) -> [u8; 2]; }
pub(crate) fn c(
    x: fn(u8) -> u8,
) {
    if x { y }
    const fn inner() {
    }
}
";
        assert_eq!(lengths(code), [1, 7, 2]);
    }
}
