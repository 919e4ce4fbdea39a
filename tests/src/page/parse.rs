//! Finding the steps in the Markdown of a page.

use anyhow::{Context, bail, ensure};

use super::step::{Commands, Step, Way};

/// The fence around a block of code.
const FENCE: &str = "```";

/// The steps of a page.
///
/// # Errors
///
/// Where a block is neither a file nor commands nor what commands print; with its line.
pub fn parse(page: &str) -> anyhow::Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut before = "";
    let mut lines = (1..).zip(page.lines());
    while let Some((number, line)) = lines.next() {
        if let Some(info) = line.strip_prefix(FENCE) {
            let block: Vec<_> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| *line != FENCE).collect();
            add(&mut steps, info, before, &block, number)
                .with_context(|| format!("line {number} of the page"))?;
        } else if !line.is_empty() {
            before = line;
        }
    }
    Ok(steps)
}

fn add(steps: &mut Vec<Step>, info: &str, before: &str, block: &[&str], line: usize) -> anyhow::Result<()> {
    let (language, words) = info.split_once(' ').unwrap_or((info, ""));
    match language {
        "sh" => {
            let way = way(words)?;
            steps.push(Step::Commands(Commands { line, script: block.join("\n"), way, output: None }));
        }
        "text" => match steps.last_mut() {
            Some(Step::Commands(Commands { output: output @ None, .. })) => {
                *output = Some(block.iter().copied().map(str::to_owned).collect());
            }
            _ => bail!("an output that belongs to no commands"),
        },
        _ => {
            let path = before.strip_prefix("**").and_then(|path| path.strip_suffix("**"));
            let path =
                path.context("a block that is no commands, and no file, whose path would stand before it")?;
            ensure!(words.is_empty(), "words behind the language of a file: {words}");
            steps.push(Step::File { path: path.to_owned(), text: format!("{}\n", block.join("\n")) });
        }
    }
    Ok(())
}

fn way(words: &str) -> anyhow::Result<Way> {
    Ok(match words.split_once(' ').unwrap_or((words, "")) {
        ("", "") => Way::Exits(0),
        ("exits", code) => Way::Exits(code.parse().context("an exit code")?),
        ("stays", "") => Way::Stays,
        ("installs", "") => Way::Installs,
        ("needs", program) => Way::Needs(program.to_owned()),
        _ => bail!("nobody knows how to run commands that are `{words}`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_commands_and_their_output_are_found() {
        let page = "# A page\n\n**a/b.rs**\n\n```rust\nfn a() {}\n```\n\nSo:\n\n```sh exits 2\nrun it\nand that\n```\n\n\
                    which says\n\n```text\nno\n…\n```\n";
        let commands = Commands {
            line: 11,
            script: "run it\nand that".to_owned(),
            way: Way::Exits(2),
            output: Some(vec!["no".to_owned(), "…".to_owned()]),
        };
        let file = Step::File { path: "a/b.rs".to_owned(), text: "fn a() {}\n".to_owned() };
        assert_eq!(parse(page).unwrap(), [file, Step::Commands(commands)]);
    }

    #[test]
    fn a_block_that_nobody_checks_is_refused_with_its_line() {
        for page in [
            "Text.\n\n```rust\nfn a() {}\n```",
            "Text.\n\n```text\nout\n```",
            "Text.\n\n```sh quietly\ntrue\n```",
        ] {
            let error = parse(page).unwrap_err();
            assert_eq!(error.to_string(), "line 3 of the page", "{page}");
        }
    }
}
