//! The tools of other languages that the task author's page installs: a test builds the page's components with them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use super::{link::link, wheel};
use crate::{
    command,
    repository::Repository,
    steps::{Ended, Step},
};

/// The page. Its versions are those that are tested.
const PAGE: &str = include_str!("../../../../docs/tasks.md");

/// A tool, as the page installs it.
#[derive(Debug, PartialEq, Eq)]
struct Tool {
    installer: Installer,
    /// The package with its version, in the installer's own form.
    requirement: &'static str,
    /// The program that the package has.
    program: &'static str,
    version: &'static str,
}

#[derive(Debug, PartialEq, Eq)]
enum Installer {
    Pip,
    Npm,
}

/// Installs each that is missing, and links its program into `.tools/bin`. Where that fails, the others are installed, and
/// the test that needs this one fails.
pub(crate) fn install(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    let mut words = Vec::new();
    for tool in tools(PAGE) {
        match tool.install(repository, step) {
            Ok(()) => words.push(tool.requirement.to_owned()),
            Err(error) => {
                step.tell(format_args!("{error:#}"));
                words.push(format!("not {}: the test of docs/tasks.md will fail", tool.requirement));
            }
        }
    }
    Ok(((), words.join(", ")))
}

/// The tools of the page. What it installs by other means is no tool of other languages.
fn tools(page: &'static str) -> impl Iterator<Item = Tool> {
    page.lines().filter_map(|line| {
        if let Some(requirement) = line.strip_prefix("pip install ") {
            let (program, version) = requirement.split_once("==")?;
            return Some(Tool { installer: Installer::Pip, requirement, program, version });
        }
        let requirement = line.strip_prefix("npm install --global ")?;
        let (package, version) = requirement.rsplit_once('@')?;
        let program = package.rsplit_once('/').map_or(package, |(_, name)| name);
        Some(Tool { installer: Installer::Npm, requirement, program, version })
    })
}

impl Tool {
    fn install(&self, repository: &Repository, step: &Step<'_>) -> anyhow::Result<()> {
        // The version is part of the directory, so that another one on the page is installed beside it.
        let directory = PathBuf::from(format!("{}-{}", self.program, self.version));
        let own = repository.tools().join(&directory);
        let program = match self.installer {
            Installer::Pip => directory.join("bin").join(self.program),
            Installer::Npm => directory.join("node_modules/.bin").join(self.program),
        };
        if !repository.tools().join(&program).exists() {
            step.tell(format_args!("installing {}, once", self.requirement));
            match self.installer {
                Installer::Pip => wheel::install(step, &own, self.requirement)?,
                Installer::Npm => npm(step, &own, self.requirement)?,
            }
        }
        link(&repository.tools().join("bin"), self.program, &Path::new("..").join(program))
    }
}

fn npm(step: &Step<'_>, directory: &Path, requirement: &str) -> anyhow::Result<()> {
    command::on_path("npm").context("there is no npm; fix: install Node.js")?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(directory).arg(requirement);
    step.call(npm).context("fix: see that npm reaches its registry")
}

#[cfg(test)]
mod tests {
    use super::{Installer, PAGE, Tool, tools};

    #[test]
    fn the_page_names_each_tool_with_its_version() {
        let found: Vec<_> =
            tools("pip install a-b==1.2\ncargo install x\nnpm install --global @c/d@3.4\n").collect();
        let pip = Tool { installer: Installer::Pip, requirement: "a-b==1.2", program: "a-b", version: "1.2" };
        let npm = Tool { installer: Installer::Npm, requirement: "@c/d@3.4", program: "d", version: "3.4" };
        assert_eq!(found, [pip, npm]);
        assert_eq!(tools(PAGE).count(), 2, "the tools of Python and JavaScript");
    }
}
