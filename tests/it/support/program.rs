//! The built examples, run as a user runs them.
#![allow(dead_code, reason = "each test file uses a part")]

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::{env, thread};

/// The program of an example, beside which `cargo test` puts this test.
fn path(example: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program = profile.join("examples").join(format!("{example}{}", env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is not built: run `cargo test`, or `cargo build --examples`", program.display());
    program
}

/// Runs an example in the repository, without a terminal and without wishes about colour.
pub(crate) fn run(example: &str, arguments: &[impl AsRef<OsStr>], stdin: &str) -> Output {
    run_with(example, arguments, stdin, &[])
}

/// Runs an example with variables set.
pub(crate) fn run_with(
    example: &str,
    arguments: &[impl AsRef<OsStr>],
    stdin: &str,
    variables: &[(&str, &str)],
) -> Output {
    let mut command = Command::new(path(example));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env_remove("NO_COLOR").env_remove("CLICOLOR").env_remove("CLICOLOR_FORCE");
    command.envs(variables.iter().copied());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut pipe, stdin) = (child.stdin.take().unwrap(), stdin.to_owned());
    // An example that does not read it closes the pipe.
    let writer = thread::spawn(move || drop(pipe.write_all(stdin.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Starts an example, which is to be killed.
pub(crate) fn start(example: &str, arguments: &[impl AsRef<OsStr>]) -> Child {
    Command::new(path(example)).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

/// Runs an example in a folder, with a file as its standard input and one as its standard output.
pub(crate) fn run_on(
    example: &str,
    arguments: &[impl AsRef<OsStr>],
    folder: &Path,
    stdin: File,
    stdout: File,
) -> Output {
    Command::new(path(example)).args(arguments).current_dir(folder).stdin(stdin).stdout(stdout).output().unwrap()
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
