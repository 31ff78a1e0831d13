//! What a program printed; the package `examples/format_dataset` tests its program with this file too.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread;

/// A program in an environment that asks for no colour and forbids none.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_remove("NO_COLOR").env_remove("CLICOLOR").env_remove("CLICOLOR_FORCE");
    command
}

/// Runs a command without a terminal, with this on its standard input.
pub(crate) fn output_of(mut command: Command, stdin: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut pipe, stdin) = (child.stdin.take().unwrap(), stdin.to_owned());
    // A program that does not read it closes the pipe.
    let writer = thread::spawn(move || drop(pipe.write_all(&stdin)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// What a program printed on standard output, having succeeded.
#[track_caller]
pub(crate) fn printed(output: &Output) -> &str {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaint}", output.status);
    str::from_utf8(&output.stdout).unwrap()
}

/// The exit code of a program that failed, and what it printed on standard error.
#[track_caller]
pub(crate) fn failed(output: &Output) -> (i32, &str) {
    assert!(output.stdout.is_empty(), "printed {:?}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap(), str::from_utf8(&output.stderr).unwrap())
}
