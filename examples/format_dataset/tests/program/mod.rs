//! The built program, run as a user runs it.
#![allow(dead_code, unused_imports, reason = "each test file uses a part")]

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

#[path = "../../../../tests/it/support/output.rs"]
mod output;

pub(crate) use output::{failed, printed};

const PROGRAM: &str = env!("CARGO_BIN_EXE_format_dataset");

/// Runs it without a terminal.
pub(crate) fn run(arguments: &[impl AsRef<OsStr>], stdin: impl AsRef<[u8]>) -> Output {
    let mut command = output::command(PROGRAM);
    command.args(arguments);
    output::output_of(command, stdin.as_ref())
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
