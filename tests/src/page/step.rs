//! What a reader does, step by step.

/// One step of the reader's, in the page's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A file is written.
    File {
        /// Its path, from the directory in which the page begins.
        path: String,
        /// What is in it.
        text: String,
    },
    /// Commands are typed.
    Commands(Commands),
}

/// Commands of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands {
    /// The line of the page on which they begin.
    pub line: usize,
    /// For a shell.
    pub script: String,
    /// How they are run.
    pub way: Way,
    /// What they print; none where the page does not say it.
    pub output: Option<Vec<String>>,
}

/// How commands are run, as the words behind `sh` say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// To their end, which has this exit code: 0 without a word, else `exits CODE`.
    Exits(i32),
    /// `stays`: in another terminal, until the page is over.
    Stays,
    /// `installs`: they set up the reader's machine, and tests leave them out.
    Installs,
    /// `needs PROGRAM`: to a good end, by this program, which `cargo xtask tools` installs.
    Needs(String),
}
