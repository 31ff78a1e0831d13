//! Runs that can be trusted: resumed only as they began, never two at once, and every row accounted for.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::Value;

mod program;

use program::{failed, printed, run, start};

const GOOD: &str = r#"{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}]}"#;
const BAD: &str = r#"{"messages": [{"role": "wizard", "content": "Hi"}]}"#;

/// A folder of the test's own, emptied.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trust").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_finished_run_is_resumed_only_as_it_was() {
    let folder = folder("finished");
    let [input, output, template] = ["in", "out", "chat_template.jinja"].map(|name| folder.join(name));
    fs::write(&input, format!("{GOOD}\n{GOOD}\n")).unwrap();
    fs::write(&template, mistral_chat_template::Layout::V3.chat_template()).unwrap();
    let base = ["-q", text(&input), "-o", text(&output), "--template", text(&template)];
    printed(&run(&base, ""));
    let again = [&base[..], &["-r"]].concat();
    assert!(String::from_utf8_lossy(&run(&again, "").stderr).contains("nothing to resume: the output is complete"));
    let refused = |arguments: &[&str], why: &str| {
        let output = run(arguments, "");
        let (code, complaint) = failed(&output);
        assert!(code == 1 && complaint.contains(why), "{why}\nis not in\n{complaint}");
    };
    refused(&[&again[..], &["-m", "last"]].concat(), "other options");
    refused(&["-q", text(&input), "-o", text(&output), "-l", "v7", "-r"], "other options");
    fs::write(&input, format!("{GOOD}\n{GOOD}\n{GOOD}\n")).unwrap();
    refused(&again, "has grown from");
    fs::write(&input, format!("{GOOD}\n{}\n", GOOD.replace("Hi", "Ho"))).unwrap();
    refused(&again, "was exchanged");
    printed(&run(&base, ""));
    fs::write(&template, format!("{}{{# edited #}}", mistral_chat_template::Layout::V3.chat_template())).unwrap();
    refused(&again, "another layout's file");
    let alone = folder.join("alone");
    fs::write(&alone, "").unwrap();
    refused(&["-q", text(&input), "-o", text(&alone), "-r"], "to say that a run completed it");
    assert_eq!(fs::read_to_string(&alone).unwrap(), "");
}

#[test]
fn an_unfinished_run_is_resumed_only_with_its_input() {
    let folder = folder("exchanged");
    let [input, output] = ["in", "out"].map(|name| folder.join(name));
    let arguments = ["-q", "-e", "stop", text(&input), "-o", text(&output), "-r"];
    fs::write(&input, format!("{GOOD}\n{BAD}\n")).unwrap();
    assert_eq!(failed(&run(&arguments, "")).0, 1);
    fs::write(&input, format!("{}\n{GOOD}\n", GOOD.replace("Hi", "Ho"))).unwrap();
    let other = run(&arguments, "");
    assert!(failed(&other).1.contains("the run was begun with another input"), "{}", failed(&other).1);
    fs::write(&input, format!("{GOOD}\n{GOOD}\n")).unwrap();
    printed(&run(&arguments, ""));
    assert_eq!(fs::read_to_string(&output).unwrap().lines().count(), 2);
}

#[test]
fn two_runs_on_one_output_are_refused() {
    let folder = folder("lock");
    let [input, output] = ["in", "out"].map(|name| folder.join(name));
    fs::write(&input, GOOD).unwrap();
    let held = File::create(folder.join("out.part")).unwrap();
    held.lock().unwrap();
    let second = run(&["-q", text(&input), "-o", text(&output)], "");
    assert!(failed(&second).1.contains("another run is writing it"), "{}", failed(&second).1);
    assert!(!folder.join("out.journal").exists());
    drop(held);
    printed(&run(&["-q", text(&input), "-o", text(&output)], ""));
}

#[test]
fn the_exit_code_tells() {
    let code = |arguments: &[&str], input: String| run(arguments, input).status.code().unwrap();
    assert_eq!(code(&["-q"], format!("{BAD}\n{BAD}\n")), 1, "no row came out");
    assert_eq!(code(&["-q"], format!("{BAD}\n{GOOD}\n")), 0);
    assert_eq!(code(&["-q"], String::new()), 0, "nothing in, nothing out");
    for (limit, expected) in [("1", 0), ("0", 1), ("50%", 0), ("49%", 1)] {
        assert_eq!(code(&["-q", "--max-rejects", limit], format!("{BAD}\n{GOOD}\n")), expected, "{limit}");
    }
    assert_eq!(code(&["--max-rejects", "many"], String::new()), 2);
}

#[test]
fn rejects_are_kept_byte_for_byte_and_told_in_moderation() {
    let folder = folder("rejects");
    let rejects = folder.join("rejects");
    let input = [BAD.as_bytes(), b"\n{\"a\": \"\xff\"}\n", GOOD.as_bytes()].concat();
    printed(&run(&["-q", "-e", text(&rejects)], &input));
    let told: Vec<Value> =
        fs::read_to_string(&rejects).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&told[0]["row"], &told[0]["offset"]), (&Value::from(BAD), &Value::from(0)));
    assert_eq!(
        (&told[1]["row_base64"], &told[1]["offset"]),
        (&Value::from("eyJhIjogIv8ifQ=="), &Value::from(BAD.len() + 1))
    );
    let flood = run(&["-q"], format!("{}{GOOD}\n", format!("{BAD}\n").repeat(8000)));
    let told = String::from_utf8_lossy(&flood.stderr).into_owned();
    assert_eq!(told.lines().count(), 21, "{told}");
    assert!(told.ends_with("… and 7980 rejects more; --on-error FILE keeps them all\n"), "{told}");
}

/// The signals that a process catches, as Linux tells them.
#[cfg(target_os = "linux")]
fn caught(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn an_interruption_before_the_first_row_is_told() {
    let folder = folder("early");
    // Nobody writes into the pipe, so that opening it waits.
    let [input, output] = ["in", "out"].map(|name| folder.join(name));
    assert!(std::process::Command::new("mkfifo").arg(&input).status().unwrap().success());
    for (number, signal) in [(2, "-INT"), (15, "-TERM")] {
        let waiting = start(&[text(&input), "-o", text(&output)]);
        while caught(waiting.id()) & 1 << (number - 1) == 0 {
            std::thread::yield_now();
        }
        std::process::Command::new("kill").args([signal, &waiting.id().to_string()]).status().unwrap();
        let ended = waiting.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(130), "{signal}");
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "interrupted before any row was written\n");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "the pipe alone");
}

/// Each interruption, and then the rest: byte for byte what a run without it writes.
#[cfg(unix)]
#[test]
fn every_interruption_is_made_good() {
    let folder = folder("interrupted");
    let [plain, whole, rejects] = ["in.jsonl", "whole", "rejects"].map(|name| folder.join(name));
    let rows: String = (0..20_000)
        .map(|number| match number % 50 {
            3 => format!("{BAD}\n"),
            _ => GOOD.replace("Hi", &format!("question {number}")) + "\n",
        })
        .collect();
    fs::write(&plain, &rows).unwrap();
    let zst = folder.join("in.jsonl.zst");
    fs::write(&zst, zstd::encode_all(rows.as_bytes(), 1).unwrap()).unwrap();
    let array = folder.join("in.json");
    fs::write(&array, format!("[{}]", rows.trim().replace('\n', ","))).unwrap();
    printed(&run(&["-q", "-e", text(&rejects), text(&plain), "-o", text(&whole)], ""));
    let all_rejects = fs::read_to_string(&rejects).unwrap();
    assert_eq!(fs::read_to_string(&whole).unwrap().lines().count() + all_rejects.lines().count(), 20_000);
    for (index, input) in [&plain, &zst, &array].into_iter().enumerate() {
        for signal in ["-INT", "-TERM", "-KILL"] {
            let output = folder.join(format!("out{index}{signal}"));
            let rejects = folder.join(format!("rejects{index}{signal}"));
            let arguments = ["-q", "-t", "1", "-e", text(&rejects), text(input), "-o", text(&output), "-r"];
            let mut run_of = start(&arguments);
            let part = folder.join(format!("out{index}{signal}.part"));
            while fs::metadata(&part).map_or(0, |part| part.len()) == 0 && run_of.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
            let kill = std::process::Command::new("kill").args([signal, &run_of.id().to_string()]).status().unwrap();
            let ended = run_of.wait_with_output().unwrap();
            if kill.success() && !ended.status.success() && signal != "-KILL" {
                assert_eq!(ended.status.code(), Some(130));
                let told = String::from_utf8_lossy(&ended.stderr);
                assert!(told.contains("the same command with --resume goes on"), "{told}");
            }
            printed(&run(&arguments, ""));
            assert!(fs::read(&output).unwrap() == fs::read(&whole).unwrap(), "{input:?} {signal}");
            let found = fs::read_to_string(&rejects).unwrap();
            assert_eq!(found.lines().count(), all_rejects.lines().count(), "{input:?} {signal}");
        }
    }
}
