//! The built program, run as a user runs it.
#![allow(dead_code, reason = "each test file uses a part")]

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

const PROGRAM: &str = env!("CARGO_BIN_EXE_format_dataset");

/// Runs it without a terminal and without wishes about colour.
pub(crate) fn run(arguments: &[impl AsRef<OsStr>], stdin: impl AsRef<[u8]>) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_remove("NO_COLOR").env_remove("CLICOLOR").env_remove("CLICOLOR_FORCE");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut pipe, stdin) = (child.stdin.take().unwrap(), stdin.as_ref().to_vec());
    // A program that does not read it closes the pipe.
    let writer = thread::spawn(move || drop(pipe.write_all(&stdin)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Starts it, to be interrupted.
pub(crate) fn start(arguments: &[impl AsRef<OsStr>]) -> Child {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs it in a folder, with a file as its standard input and one as its standard output.
pub(crate) fn run_on(arguments: &[impl AsRef<OsStr>], folder: &Path, stdin: File, stdout: File) -> Output {
    Command::new(PROGRAM).args(arguments).current_dir(folder).stdin(stdin).stdout(stdout).output().unwrap()
}

/// What it printed on standard output, having succeeded.
#[track_caller]
pub(crate) fn printed(output: &Output) -> &str {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaint}", output.status);
    str::from_utf8(&output.stdout).unwrap()
}

/// The exit code of a run that failed, and what it printed on standard error.
#[track_caller]
pub(crate) fn failed(output: &Output) -> (i32, &str) {
    assert!(output.stdout.is_empty(), "printed {:?}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap(), str::from_utf8(&output.stderr).unwrap())
}
