//! The programs that steps run, so that they can be stopped together.

use std::{
    io::{self, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Mutex,
};

/// The programs that run now.
#[derive(Default)]
pub(super) struct Running(Mutex<State>);

#[derive(Default)]
struct State {
    stopped: bool,
    children: Vec<Child>,
}

/// The program was stopped, or not even begun.
pub(super) struct Stop;

impl Running {
    /// Runs a program to its end, and hands on each line that it writes; a carriage return ends one too.
    pub(super) fn watch(
        &self,
        command: &mut Command,
        line: impl FnMut(&str),
    ) -> io::Result<Result<ExitStatus, Stop>> {
        // Both outputs share one pipe, so that their lines stay in order.
        let (output, input) = io::pipe()?;
        // Several programs run at once: none of them may ask the user.
        let Some(id) = self.start(command.stdin(Stdio::null()).stdout(input.try_clone()?).stderr(input))?
        else {
            return Ok(Err(Stop));
        };
        // As long as the command holds writing ends of the pipe, reading from it never ends.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        lines(output, line)?;
        // A program whose output is at its end ends by itself, and needs no stop any more. The wait for it must not
        // hold the lock, which stopping the others needs.
        let mut state = self.state();
        let place =
            state.children.iter().position(|child| child.id() == id).expect("only this call takes it out");
        let mut child = state.children.swap_remove(place);
        let stopped = state.stopped;
        drop(state);
        let status = child.wait()?;
        Ok(if stopped { Err(Stop) } else { Ok(status) })
    }

    /// Stops all, and lets none begin.
    pub(super) fn stop_all(&self) {
        let mut state = self.state();
        state.stopped = true;
        for child in &mut state.children {
            // A program that has ended by itself does not need to be stopped.
            let _ = child.kill();
        }
    }

    fn start(&self, command: &mut Command) -> io::Result<Option<u32>> {
        let mut state = self.state();
        if state.stopped {
            return Ok(None);
        }
        // The lock is held while the program starts, so that `stop_all` misses none.
        let child = command.spawn()?;
        let id = child.id();
        state.children.push(child);
        Ok(Some(id))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics with the lock held")
    }
}

fn lines(output: impl Read, mut line: impl FnMut(&str)) -> io::Result<()> {
    let mut text = Vec::new();
    for byte in BufReader::new(output).bytes() {
        match byte? {
            b'\n' | b'\r' => {
                line(&String::from_utf8_lossy(&text));
                text.clear();
            }
            byte => text.push(byte),
        }
    }
    if !text.is_empty() {
        line(&String::from_utf8_lossy(&text));
    }
    Ok(())
}
