//! The program, run: rows, masks, rejects, and runs that are interrupted.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use mistral_chat_template::Layout;
use serde_json::{Value, json};

mod program;

use program::{failed, printed, run, run_on, start};

const GOOD: &str = r#"{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}]}"#;
const NO_REPLY: &str = r#"{"messages": [{"role": "user", "content": "Hi"}]}"#;
const NO_ROLE: &str = r#"{"messages": [{"role": "wizard", "content": "Hi"}]}"#;

fn rows(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A folder of the test's own, emptied.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("format_dataset").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The text of a file of many conversations, each told by its number; every hundredth cannot be used.
fn many(count: usize) -> String {
    let row = |number| match number % 100 {
        7 => json!({"messages": [{"role": "user", "content": format!("question {number}")}]}),
        _ => json!({"messages": [
            {"role": "user", "content": format!("question {number}")},
            {"role": "assistant", "content": "answer ".repeat(number % 50) + "!"},
        ]}),
    };
    (0..count).map(|number| format!("{}\n", row(number))).collect()
}

/// Where a file stands until it is whole.
fn part(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.part", path.display()))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn rows_are_text_and_mask() {
    let output = run(&["--segments"], GOOD);
    let segments = json!([{"control": "<s>"}, {"control": "[INST]"}, {"text": "Hi"}, {"control": "[/INST]"},
        {"text": "Hello!"}, {"control": "</s>"}]);
    let row = json!({"text": "<s>[INST] Hi[/INST] Hello!</s>", "mask": [[19, 30]], "segments": segments});
    assert_eq!(rows(printed(&output)), [row]);
}

#[test]
fn each_form_is_recognised() {
    let beside = r#"{"id": 7, "tools": [], "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]}"#;
    let output = run(&[] as &[&str], format!("{GOOD}\n\n{beside}\r\n"));
    let texts: Vec<_> = rows(printed(&output)).into_iter().map(|row| row["text"].clone()).collect();
    assert_eq!(texts, ["<s>[INST] Hi[/INST] Hello!</s>"; 2]);
}

#[test]
fn the_turns_to_learn_are_chosen() {
    let chat = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0},
        {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]}"#
        .replace('\n', "");
    for (turns, mask) in [
        ("weighted", json!([[39, 45]])),
        ("assistant", json!([[18, 24], [39, 45]])),
        ("last", json!([[39, 45]])),
        ("everything", json!([[0, 45]])),
    ] {
        let output = run(&["--learn", turns], &chat);
        let rows = rows(printed(&output));
        assert_eq!(rows[0]["text"], "<s>[INST] a[/INST] b</s>[INST] c[/INST] d</s>");
        assert_eq!(rows[0]["mask"], mask, "{turns}");
    }
}

#[test]
fn rows_are_laid_out_by_a_preset() {
    let output = run(&["--quiet", "--preset", "mistral-v7"], GOOD);
    assert_eq!(rows(printed(&output)), [json!({"text": "[INST] Hi[/INST] Hello!</s>", "mask": [[16, 27]]})]);
    let tools = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]}"#;
    let output = run(&["-e", "stop", "--preset", "magnum"], tools);
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(
        complaint.ends_with("error: line 1: messages[1].role: a preset has no place for tool results\n"),
        "{complaint}"
    );
}

#[test]
fn rows_are_laid_out_by_a_template() {
    let folder = folder("template");
    fs::write(folder.join("chat_template.jinja"), Layout::V3.chat_template()).unwrap();
    let tokens = json!({"bos_token": "<s>", "eos_token": "</s>"});
    fs::write(folder.join("tokenizer_config.json"), tokens.to_string()).unwrap();
    let options = ["--quiet", "--template", text(&folder)];
    let row = json!({"text": "<s>[INST] Hi[/INST] Hello!</s>", "mask": [[19, 30]]});
    assert_eq!(rows(printed(&run(&options, GOOD))), [row]);

    let weighted =
        r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]}"#;
    let output = run(&[&options[..], &["-e", "stop"]].concat(), weighted);
    let sentence =
        "error: line 1: messages[1].weight: a template cannot leave a message unlearnt; --learn assistant learns it\n";
    assert_eq!(failed(&output), (1, sentence));
    let output = run(&[&options[..], &["--learn", "assistant"]].concat(), weighted);
    assert_eq!(rows(printed(&output))[0]["mask"], json!([[18, 24]]));
}

#[test]
fn a_template_says_what_is_learnt_or_is_refused() {
    let folder = folder("no_generation");
    let file = folder.join("chat_template.jinja");
    fs::write(&file, "{% for m in messages %}{{ m.content }}{% endfor %}").unwrap();
    let output = run(&["--template", text(&file)], GOOD);
    let sentence = "the template has no {% generation %} block, so nothing says what of its prompts is to be learnt; \
                    --learn everything learns all of it";
    assert_eq!(failed(&output), (1, &*format!("error: {}: {sentence}\n", file.display())));
    let output = run(&["--quiet", "--template", text(&file), "--learn", "everything"], GOOD);
    assert_eq!(rows(printed(&output)), [json!({"text": "HiHello!", "mask": [[0, 8]]})]);
    let config = folder.join("tokenizer_config.json");
    let output = run(&["--template", text(&config)], GOOD);
    assert_eq!(failed(&output), (1, &*format!("error: {}: there is no such file\n", config.display())));
}

#[test]
fn the_last_reply_is_learnt_only_if_its_weight_says_so() {
    let row = |weight: u8| {
        let messages = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": weight}]);
        format!("{}\n", json!({"messages": messages}))
    };
    let output = run(&["--learn", "last"], row(0) + &row(1));
    assert_eq!(rows(printed(&output))[0]["mask"], json!([[39, 45]]));
    let report = String::from_utf8(output.stderr).unwrap();
    let reason =
        "nothing_to_learn, first in line 1: there is nothing to learn: no message of the prompt is to be learnt";
    assert!(report.contains(reason), "{report}");
}

#[test]
fn rejects_are_skipped_and_reported() {
    let input = format!("{GOOD}\n{NO_REPLY}\n\n{NO_ROLE}\n{{}}\n[\n{GOOD}");
    let output = run(&[] as &[&str], &input);
    assert_eq!(rows(printed(&output)).len(), 2);
    let report = String::from_utf8(output.stderr).unwrap();
    let no_role =
        "messages[0].role: \"wizard\" is not a role; the roles are user, assistant, human, gpt, system, tool, ";
    for line in [
        "line 2: messages[0].role: fine-tuning learns from an assistant message at the end, not from a user message (magnum)",
        &format!("line 4: {no_role}"),
        "line 5: the row has neither a conversation nor a prompt with an answer; it has no fields",
        &format!("           1  row_role, first in line 4: {no_role}"),
        "length in bytes: 30 on average, 30 at most",
        "          16 – 31                    2  ████████████████████████████████████████",
    ] {
        assert!(report.lines().any(|told| told.contains(line)), "{line}\nis not in\n{report}");
    }
    assert!(report.contains("2 rows, 4 rejects"), "{report}");
}

#[test]
fn a_reject_stops_the_run() {
    let output = run(&["--quiet", "--on-error", "stop"], format!("{GOOD}\n{NO_ROLE}\n{GOOD}"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(rows(&String::from_utf8(output.stdout).unwrap()).len(), 1, "what stands before it is written");
    let report = String::from_utf8(output.stderr).unwrap();
    assert!(report.starts_with("error: line 2: messages[0].role: \"wizard\" is not a role"), "{report}");
}

#[test]
fn rejects_go_to_a_file() {
    let rejects = folder("rejects").join("rejects.jsonl");
    let output = run(&["--on-error", text(&rejects)], format!("{NO_ROLE}\n{GOOD}\n"));
    assert_eq!(rows(printed(&output)).len(), 1);
    let told = rows(&fs::read_to_string(rejects).unwrap());
    assert_eq!(told[0]["line"], 1);
    assert_eq!(told[0]["kind"], "row_role");
    assert_eq!(told[0]["row"], NO_ROLE);
    assert_eq!(told.len(), 1);
}

#[test]
fn threads_keep_the_order() {
    let input = many(60_000);
    assert!(input.len() > 4 << 20, "several blocks");
    let one = run(&["--quiet", "--threads", "1"], &input);
    let many = run(&["--quiet", "--threads", "5"], &input);
    assert!(printed(&one) == printed(&many));
    assert_eq!(printed(&one).lines().count(), 60_000 - 600);
}

#[test]
fn an_interrupted_run_goes_on_where_it_stopped() {
    let folder = folder("resume");
    let [input, whole, parts, rejects] = ["in", "whole", "parts", "rejects"].map(|name| folder.join(name));
    let good = many(30_000);
    fs::write(&input, &good).unwrap();
    let arguments =
        |output| ["--quiet", "-e", text(&rejects), "-o", output, text(&input), "--resume"].map(str::to_owned);
    printed(&run(&arguments(text(&whole)), ""));
    let all_rejects = fs::read(&rejects).unwrap();

    // As a run leaves it that is killed some time after it noted its place: rows beyond it, and half of one.
    let line_ends =
        |bytes: &[u8], count: usize| bytes.split_inclusive(|b| *b == b'\n').take(count).map(<[u8]>::len).sum();
    let (output_length, rejects_length): (usize, usize) =
        (line_ends(&fs::read(&whole).unwrap(), 9_900), line_ends(&all_rejects, 100));
    let offset: usize = line_ends(good.as_bytes(), 10_000);
    let journal = folder.join("parts.journal");
    let mut killed = start(&arguments(text(&parts)));
    while !journal.exists() {
        std::thread::yield_now();
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!parts.exists(), "what is not whole is not in its place");
    fs::write(part(&parts), &fs::read(&whole).unwrap()[..output_length + 1234]).unwrap();
    fs::write(part(&rejects), &all_rejects[..rejects_length + 5]).unwrap();
    let mut note: Value = serde_json::from_slice(&fs::read(&journal).unwrap()).unwrap();
    note["place"]["offset"] = offset.into();
    note["place"]["line"] = 10_000.into();
    note["place"]["output"] = output_length.into();
    note["place"]["rejects"] = rejects_length.into();
    fs::write(&journal, note.to_string()).unwrap();

    let anew = run(&arguments(text(&parts))[..6], "");
    let (code, complaint) = failed(&anew);
    assert!(code == 1 && complaint.contains("was begun and is not complete"), "{complaint}");
    let other = [&arguments(text(&parts))[..], &["--layout".to_owned(), "v7".to_owned()]].concat();
    let other = run(&other, "");
    assert!(failed(&other).1.contains("the run was begun with other options"), "{}", failed(&other).1);

    printed(&run(&arguments(text(&parts)), ""));
    assert!(fs::read(&parts).unwrap() == fs::read(&whole).unwrap(), "nothing is lost and nothing doubled");
    assert!(fs::read(&rejects).unwrap() == all_rejects);
    assert!(!journal.exists());
    printed(&run(&arguments(text(&parts)), ""));
    assert!(fs::read(&parts).unwrap() == fs::read(&whole).unwrap(), "a complete output is left alone");
}

#[test]
fn a_run_that_a_reject_stopped_goes_on_from_it() {
    let folder = folder("stopped");
    let [input, output] = ["in", "out"].map(|name| folder.join(name));
    fs::write(&input, format!("{GOOD}\n{NO_ROLE}\n{GOOD}\n")).unwrap();
    let arguments = ["-q", "-e", "stop", "-o", text(&output), text(&input), "-r"];
    assert_eq!(run(&arguments, "").status.code(), Some(1));
    assert_eq!(fs::read_to_string(part(&output)).unwrap().lines().count(), 1);
    fs::write(&input, format!("{GOOD}\n{GOOD}\n{GOOD}\n")).unwrap();
    printed(&run(&arguments, ""));
    assert_eq!(fs::read_to_string(&output).unwrap().lines().count(), 3);
}

/// Names of one file in a folder: by its path, whole, and by links.
#[cfg(unix)]
fn names_of(folder: &Path, file: &str) -> Vec<String> {
    let whole = folder.canonicalize().unwrap().join(file);
    let linked_folder = folder.with_extension("linked");
    let _ = fs::remove_file(&linked_folder);
    std::os::unix::fs::symlink(folder, &linked_folder).unwrap();
    std::os::unix::fs::symlink(file, folder.join("symbolic")).unwrap();
    std::os::unix::fs::symlink("symbolic", folder.join("twice")).unwrap();
    fs::hard_link(&whole, folder.join("hard")).unwrap();
    let in_linked = linked_folder.join(file);
    [file, &format!("./{file}"), text(&whole), text(&in_linked), "symbolic", "twice", "hard"]
        .map(str::to_owned)
        .to_vec()
}

#[cfg(unix)]
#[test]
fn no_input_is_destroyed() {
    let folder = folder("aliases");
    let input = folder.join("h.jsonl");
    fs::write(&input, GOOD).unwrap();
    fs::write(folder.join("other"), GOOD).unwrap();
    let null = || File::options().read(true).write(true).open("/dev/null").unwrap();
    for name in names_of(&folder, "h.jsonl") {
        let name = &*name;
        let commands: [(&[&str], &str, &str); 7] = [
            (&["h.jsonl", "-o", name], "the input h.jsonl", &format!("the output {name}")),
            (&["h.jsonl", "-o", "new", "-e", name], "the input h.jsonl", &format!("the rejects {name}")),
            (
                &["other", "-o", "new", "-v", "h.jsonl", "-e", name],
                "the vocabulary h.jsonl",
                &format!("the rejects {name}"),
            ),
            (
                &["other", "--template", "h.jsonl", "-o", name],
                "the layout's file h.jsonl",
                &format!("the output {name}"),
            ),
            (&["other", "-o", "h.jsonl", "-e", name], "the output h.jsonl", &format!("the rejects {name}")),
            (&["-o", name], "the input on standard input", &format!("the output {name}")),
            (&["-o", "new", "-e", name], "the input on standard input", &format!("the rejects {name}")),
        ];
        for (arguments, one, other) in commands {
            let stdin = if arguments[0].starts_with('-') { File::open(&input).unwrap() } else { null() };
            let output = run_on(arguments, &folder, stdin, null());
            let expected = format!("error: {one} and {other} are one file\n\nSee --help for what there is.\n");
            assert_eq!(failed(&output), (2, &*expected), "{arguments:?}");
            assert_eq!(fs::read_to_string(&input).unwrap(), GOOD, "{arguments:?}");
            assert!(!folder.join("new").exists() && !folder.join("new.part").exists(), "{arguments:?}");
        }
    }
    let appended = File::options().append(true).open(&input).unwrap();
    let output = run_on(&["h.jsonl"], &folder, null(), appended);
    assert_eq!(failed(&output).0, 2);
    assert_eq!(fs::read_to_string(&input).unwrap(), GOOD);
}

#[cfg(unix)]
#[test]
fn files_that_do_not_exist_yet_are_told_apart() {
    let folder = folder("new_files");
    fs::write(folder.join("in"), GOOD).unwrap();
    std::os::unix::fs::symlink("z", folder.join("dangling")).unwrap();
    let null = || File::options().read(true).write(true).open("/dev/null").unwrap();
    for (output, rejects) in [("z", "./z"), ("z", "dangling"), ("z", "z.journal"), ("z", "z.part"), ("z.part", "z")] {
        let arguments = ["in", "-o", output, "-e", rejects];
        let output = run_on(&arguments, &folder, null(), null());
        assert_eq!(failed(&output).0, 2, "{arguments:?}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "{arguments:?}");
    }
}

#[test]
fn an_old_output_stays_until_the_new_one_is_whole() {
    let folder = folder("old_output");
    let output = folder.join("out");
    fs::write(&output, "old").unwrap();
    let stopped = run(&["-q", "-e", "stop", "-o", text(&output)], format!("{GOOD}\n{NO_ROLE}\n"));
    assert_eq!(failed(&stopped).0, 1);
    assert_eq!(fs::read_to_string(&output).unwrap(), "old");
    printed(&run(&["-q", "-o", text(&output)], GOOD));
    assert_eq!(rows(&fs::read_to_string(&output).unwrap()).len(), 1);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it: a pipe cannot be resumed");
}

#[test]
fn a_failed_start_leaves_nothing() {
    let folder = folder("failed_start");
    let [input, output] = ["in", "out"].map(|name| folder.join(name));
    fs::create_dir(&input).unwrap();
    let rejects = folder.join("no such folder").join("rejects");
    assert_eq!(failed(&run(&[text(&input), "-o", text(&output)], "")).0, 1);
    fs::remove_dir(&input).unwrap();
    fs::write(&input, GOOD).unwrap();
    assert_eq!(failed(&run(&[text(&input), "-o", text(&output), "-e", text(&rejects)], "")).0, 1);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    printed(&run(&["-q", text(&input), "-o", text(&output)], ""));
}

#[test]
fn wrong_command_lines_are_reported() {
    for (arguments, sentence) in [
        (
            &["--learn", "nothing"][..],
            "\"nothing\" cannot be learnt; there are weighted, last, mistral-finetune, everything, system, user, assistant, tool",
        ),
        (&["-d", "yaml"], "\"yaml\" is not a dialect; the dialects are auto, sharegpt, openai, mistral, either"),
        (&["--resume"], "a run can only be resumed from a file to a file: name INPUT and --output"),
        (&["a", "-o", "a"], "the input a and the output a are one file"),
        (&["--layout", "v3", "--preset", "magnum"], "name one of --layout, --preset and --template, once"),
        (&["--controls", "a"], "--controls needs a --vocabulary"),
    ] {
        let output = run(arguments, "");
        let expected = format!("error: {sentence}\n\nSee --help for what there is.\n");
        assert_eq!(failed(&output), (2, &*expected), "{arguments:?}");
    }
}

#[test]
fn help_names_every_option() {
    let output = run(&["--help"], "");
    for option in [
        "--dialect",
        "--layout",
        "--preset",
        "--template",
        "--learn",
        "--output",
        "--segments",
        "--vocabulary",
        "--controls",
        "--on-error",
        "--threads",
        "--resume",
        "--quiet",
        "--help",
    ] {
        assert!(printed(&output).contains(option), "{option}");
    }
}
