//! What a Markdown page links to, offers as anchors, and names as code.

use std::collections::{BTreeMap, BTreeSet};

/// A page.
pub(super) struct Page {
    /// The targets of its links, as they are written.
    pub(super) links: Vec<String>,
    /// What links can lead to within it.
    pub(super) anchors: BTreeSet<String>,
    /// Its code spans.
    pub(super) code: Vec<String>,
}

impl Page {
    /// Reads a page; blocks of code are left out.
    pub(super) fn read(text: &str) -> Self {
        let prose = without_blocks(text);
        let (prose, code) = without_spans(&prose);
        // Anchors come from the text with its spans: what is code in a heading is a part of its anchor.
        Self { links: links(&prose), anchors: anchors(&without_blocks(text)), code }
    }
}

/// The lines outside of fenced blocks.
fn without_blocks(text: &str) -> String {
    let mut fence = None;
    let mut prose = String::new();
    for line in text.lines() {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, None) => prose.extend([line, "\n"]),
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {}
        }
    }
    prose
}

/// The text without its code spans, and those.
fn without_spans(text: &str) -> (String, Vec<String>) {
    let mut prose = String::new();
    let mut code = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        prose.push_str(&rest[..start]);
        let ticks = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let (mark, after) = rest[start..].split_at(ticks);
        match after.split_once(mark) {
            Some((span, after)) => {
                code.push(span.trim().to_owned());
                rest = after;
            }
            // Ticks that nothing closes are text.
            None => rest = after,
        }
    }
    prose.push_str(rest);
    (prose, code)
}

/// What stands in `](…)`, without a title, and behind `[name]:` at the beginning of a line.
fn links(prose: &str) -> Vec<String> {
    let inline = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let named = prose.lines().filter_map(|line| {
        let (_, target) = line.strip_prefix('[')?.split_once("]: ")?;
        Some(target)
    });
    let target = |written: &str| written.split_whitespace().next().map(ToOwned::to_owned);
    inline.chain(named).filter_map(target).collect()
}

/// The headings as GitHub makes anchors of them, and those that are written as `<a id="…">`.
fn anchors(prose: &str) -> BTreeSet<String> {
    let written = prose.split("<a id=\"").skip(1).filter_map(|rest| rest.split_once('"'));
    let mut anchors: BTreeSet<_> = written.map(|(anchor, _)| anchor.to_owned()).collect();
    let mut seen = BTreeMap::new();
    for heading in prose.lines().filter_map(heading) {
        let anchor = slug(&label(heading));
        let count = seen.entry(anchor.clone()).or_insert(0);
        anchors.insert(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
        *count += 1;
    }
    anchors
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    (text.len() < line.len()).then(|| text.strip_prefix(' ')).flatten()
}

/// A heading without the targets of its links and without tags.
fn label(heading: &str) -> String {
    let mut label = String::new();
    let mut rest = heading;
    while let Some((before, after)) = rest.split_once("](") {
        label.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    label.push_str(rest);
    while let Some((before, (_, after))) =
        label.split_once('<').and_then(|(before, after)| Some((before, after.split_once('>')?)))
    {
        label = format!("{before}{after}");
    }
    label
}

/// Lower case, words joined by `-`, without any other sign.
fn slug(label: &str) -> String {
    let kept = label.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::Page;

    const PAGE: &str = "\
# One: `two` and [three](x.md)
Text with [a link](a.md#b), `[no](link.md)`, ``a ` b`` and
[another](<b.md> \"title\").

```sh
# no heading
[no](link.md)
```
## Same
<a id=\"r5\"></a>
## Same
[name]: c.md
";

    #[test]
    fn links_in_code_are_none() {
        assert_eq!(Page::read(PAGE).links, ["x.md", "a.md#b", "<b.md>", "c.md"]);
    }

    #[test]
    fn anchors_are_those_of_github() {
        let anchors: Vec<_> = Page::read(PAGE).anchors.into_iter().collect();
        assert_eq!(anchors, ["one-two-and-three", "r5", "same", "same-1"]);
    }

    #[test]
    fn code_spans_are_kept() {
        assert_eq!(Page::read(PAGE).code, ["two", "[no](link.md)", "a ` b"]);
    }
}
