//! The binary as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

/// The binary in a folder of its own, with nothing of this process's settings.
pub(crate) fn vestibule(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(arguments).current_dir(folder);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VESTIBULE_"))
    {
        command.env_remove(name);
    }
    command
}

/// Runs the binary to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    vestibule(folder, arguments).output().unwrap()
}

/// A running process that does not outlive its test.
pub(crate) struct Running {
    process: Child,
    /// What was not read yet; one reader for all waits, for each reads ahead.
    log: Option<BufReader<ChildStderr>>,
}

impl Running {
    /// Starts it with its output at hand.
    pub(crate) fn start(mut command: Command) -> Self {
        Self::of(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Starts it with its log in a file, which takes however much there is to say.
    pub(crate) fn start_logging_to(mut command: Command, log: std::fs::File) -> Self {
        Self::of(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log))
    }

    fn of(command: &mut Command) -> Self {
        let mut process = command.spawn().unwrap();
        let log = process.stderr.take().map(BufReader::new);
        Self { process, log }
    }

    /// The next line of its standard output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line
    }

    /// Reads the log until a line holds this text; returns that line.
    pub(crate) fn wait_for_log(&mut self, text: &str) -> String {
        let log = self.log.as_mut().unwrap();
        log.lines().map(Result::unwrap).find(|line| line.contains(text)).unwrap()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end; returns the exit code.
    pub(crate) fn wait(mut self) -> Option<i32> {
        self.process.wait().unwrap().code()
    }

    /// Waits for its end; returns the exit code and what is left of the log.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.log.take().unwrap().read_to_string(&mut log).unwrap();
        (self.process.wait().unwrap().code(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
