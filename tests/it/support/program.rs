//! The built examples, run as a user runs them.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Output;

use super::output::{command, output_of};
pub(crate) use super::output::{failed, printed};

/// The program of an example, beside which `cargo test` puts this test.
fn path(example: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program = profile.join("examples").join(format!("{example}{}", env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is not built: run `cargo test`, or `cargo build --examples`", program.display());
    program
}

/// Runs an example in the repository.
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
    let mut command = command(path(example));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).envs(variables.iter().copied());
    output_of(command, stdin.as_bytes())
}
