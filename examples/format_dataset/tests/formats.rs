//! What goes in and what comes out: compressed files, arrays, Parquet, columns, vocabularies.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

mod program;

use program::{failed, printed, run};

const ROWS: &str = concat!(
    r#"{"id": 7, "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Grüße!"}]}"#,
    "\n",
    r#"{"id": 8, "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]}"#,
    "\n",
);

fn rows(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A folder of the test's own, emptied.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("formats").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A Tekken file of single bytes: its ids are the bytes behind 20 control tokens.
fn vocabulary(folder: &Path) -> PathBuf {
    use base64::Engine;
    let entry = |byte: u8| {
        let token = base64::prelude::BASE64_STANDARD.encode([byte]);
        json!({"rank": byte, "token_bytes": token, "token_str": null})
    };
    let file = json!({
        "config": {"pattern": "[\\s\\S]", "num_vocab_tokens": 256, "default_vocab_size": 276,
            "default_num_special_tokens": 20, "version": "v3"},
        "vocab": (0..=255).map(entry).collect::<Vec<_>>(),
    });
    let path = folder.join("tekken.json");
    fs::write(&path, file.to_string()).unwrap();
    path
}

#[test]
fn an_input_is_told_by_its_first_bytes() {
    let folder = folder("inputs");
    let plain = printed(&run(&["-q"], ROWS)).to_owned();
    assert_eq!(plain.lines().count(), 2);
    let packed = |name: &str, bytes: Vec<u8>| {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        assert_eq!(printed(&run(&["-q", text(&path)], "")), plain, "{name}");
        let piped = run(&["-q"], fs::read(&path).unwrap());
        assert_eq!(printed(&piped), plain, "{name} on standard input");
    };
    let gzip = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    let array = format!("\u{feff}[{}]\n", ROWS.trim().replace('\n', " ,\n\n"));
    packed("a.jsonl.gz", gzip(ROWS.as_bytes()));
    packed("two members of a gzip", [gzip(&ROWS.as_bytes()[..40]), gzip(&ROWS.as_bytes()[40..])].concat());
    packed("a.jsonl.zst", zstd::encode_all(ROWS.as_bytes(), 1).unwrap());
    packed("array.json", array.clone().into_bytes());
    packed("array.json.gz", gzip(array.as_bytes()));
    packed("bom.jsonl", format!("\u{feff}{ROWS}").into_bytes());
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_row() {
    let plain = printed(&run(&["-q", "-k"], ROWS)).to_owned();
    // Joined files have one in the middle.
    let marked: String = ROWS.lines().map(|line| format!("\u{feff}{line}\r\n")).collect();
    assert_eq!(printed(&run(&["-q", "-k"], marked)), plain);
    let rejects = folder("marked").join("rejects");
    run(&["-q", "-e", text(&rejects)], "\u{feff}{}\n");
    assert_eq!(rows(&fs::read_to_string(&rejects).unwrap())[0]["row"], "{}");
}

/// Arrow gives the arguments of each call the members of all others.
#[test]
fn nulls_of_other_rows_are_told_and_dropped() {
    let row = |arguments: &str| {
        format!(
            r#"{{"messages": [{{"role": "user", "content": "?"}}, {{"role": "assistant", "content": null, "tool_calls": [{{"id": "abc123def", "type": "function", "function": {{"name": "w", "arguments": {arguments}}}}}]}}]}}"#
        )
    };
    let input = [r#"{"city": "Oslo", "unit": null}"#, r#"{"city": "Rome", "unit": "C"}"#].map(row).join("\n");
    let called = |options: &[&str]| {
        let output = run(options, &input);
        let learnt = |row: &Value| {
            let (text, mask) = (row["text"].as_str().unwrap(), &row["mask"][0]);
            let [start, end] = [0, 1].map(|at| usize::try_from(mask[at].as_u64().unwrap()).unwrap());
            text[start..end].to_owned()
        };
        let learnt: Vec<_> = rows(printed(&output)).iter().map(learnt).collect();
        (learnt, String::from_utf8(output.stderr).unwrap())
    };
    let call =
        |arguments: &str| format!(r#"[TOOL_CALLS] [{{"name": "w", "arguments": {arguments}, "id": "abc123def"}}]</s>"#);
    let rome = call(r#"{"city": "Rome", "unit": "C"}"#);
    let (kept, summary) = called(&[]);
    assert_eq!(kept, [call(r#"{"city": "Oslo", "unit": null}"#), rome.clone()]);
    assert!(summary.contains("1  members that are null stand in arguments of calls"), "{summary}");
    let (dropped, summary) = called(&["--drop-nulls", "everywhere"]);
    assert!(summary.contains("1  members that are null were left out of arguments of calls"), "{summary}");
    assert_eq!(dropped, [call(r#"{"city": "Oslo"}"#), rome]);
}

#[test]
fn what_nothing_reads_is_refused_by_name() {
    let utf16: Vec<u8> = ROWS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (input, name) in [
        (utf16.clone(), "UTF-16"),
        ([b"\xff\xfe".as_slice(), &utf16].concat(), "UTF-16"),
        (b"BZh91AY&SY".to_vec(), "bzip2"),
        (b"PK\x03\x04".to_vec(), "ZIP"),
        (b"ab\0cd".to_vec(), "binary"),
        (b"PAR1....".to_vec(), "Parquet"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n".to_vec(), "Git LFS"),
        (b"\n<!DOCTYPE html>\n".to_vec(), "HTML"),
        (format!("[{}", ROWS.trim().replace('\n', ",")).into_bytes(), "the array has no end: the input is cut off"),
    ] {
        let output = run(&["-q"], input);
        let (code, complaint) = failed(&output);
        assert!(code == 1 && complaint.contains(name), "{name}: {complaint}");
    }
}

#[test]
fn parquet_comes_out_and_goes_in() {
    let folder = folder("parquet");
    let (input, parquet) = (folder.join("in.jsonl"), folder.join("out.parquet"));
    fs::write(&input, ROWS).unwrap();
    let vocabulary = vocabulary(&folder);
    let options =
        ["-q", "-k", "-l", "v3-tekken", "-v", text(&vocabulary), "-c", "text,mask,input_ids,labels,token_mask,length"];
    printed(&run(&[&options[..], &[text(&input), "-o", text(&parquet)]].concat(), ""));
    assert!(fs::read(&parquet).unwrap().starts_with(b"PAR1"));
    let lines = rows(printed(&run(&[&options[..], &[text(&input)]].concat(), "")));
    // The file is an input again: no conversation, but every column comes back in the rejects.
    let rejects = folder.join("rejects");
    run(&["-q", "-e", text(&rejects), text(&parquet)], "");
    let told = rows(&fs::read_to_string(&rejects).unwrap());
    for (line, told) in lines.iter().zip(&told) {
        let mut back: Value = serde_json::from_str(told["row"].as_str().unwrap()).unwrap();
        back["columns"] = serde_json::from_str(back["columns"].as_str().unwrap()).unwrap();
        assert_eq!(&back, line);
    }
    assert_eq!(told.len(), 2);
}

#[test]
fn rows_of_parquet_are_read() {
    let folder = folder("parquet_in");
    let parquet = folder.join("rows.parquet");
    parquet_file(&parquet);
    let output = run(&["-q", "-k", text(&parquet)], "");
    let rows = rows(printed(&output));
    assert_eq!(rows[0]["text"], "<s>[INST] Hi[/INST] Hello!</s>");
    assert_eq!(rows[0]["columns"], json!({"id": 7}));
    assert_eq!(rows.len(), 1);
}

/// One conversation as Arrow writes it, with the keys of other rows.
fn parquet_file(path: &Path) {
    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use std::sync::Arc;
    let schema = "message row {
        OPTIONAL INT64 id;
        OPTIONAL BYTE_ARRAY messages (UTF8);
        OPTIONAL group conversations (LIST) { REPEATED group list { OPTIONAL group element {
            OPTIONAL BYTE_ARRAY from (UTF8); OPTIONAL BYTE_ARRAY value (UTF8); } } }
    }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let file = fs::File::create(path).unwrap();
    let mut writer = parquet::file::writer::SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut id = group.next_column().unwrap().unwrap();
    id.typed::<Int64Type>().write_batch(&[7], Some(&[1]), None).unwrap();
    id.close().unwrap();
    let mut messages = group.next_column().unwrap().unwrap();
    messages.typed::<ByteArrayType>().write_batch(&[], Some(&[0]), None).unwrap();
    messages.close().unwrap();
    for texts in [["human", "gpt"], ["Hi", "Hello!"]] {
        let mut column = group.next_column().unwrap().unwrap();
        let texts = texts.map(ByteArray::from);
        column.typed::<ByteArrayType>().write_batch(&texts, Some(&[4, 4]), Some(&[0, 1])).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn every_column_can_be_had() {
    let folder = folder("columns");
    let vocabulary = vocabulary(&folder);
    let columns = "text,mask,mask_chars,segments,length,input_ids,labels,attention_mask,token_mask,messages";
    let options = ["-q", "-k", "-l", "v3-tekken", "-v", text(&vocabulary), "-c", columns];
    let rows = rows(printed(&run(&options, ROWS)));
    let ids = |text: &str| text.bytes().map(|byte| u32::from(byte) + 20).collect::<Vec<_>>();
    let row = &rows[0];
    let expected = [vec![1, 3], ids("Hi"), vec![4], ids("Grüße!"), vec![2]].concat();
    assert_eq!(row["text"], "<s>[INST]Hi[/INST]Grüße!</s>");
    assert_eq!((&row["mask"], &row["mask_chars"]), (&json!([[18, 30]]), &json!([[18, 28]])));
    assert_eq!(row["input_ids"], json!(expected));
    let learnt = ids("Grüße!").len() + 1;
    let labels: Vec<i64> = [vec![-100; 5], expected[5..].iter().map(|id| i64::from(*id)).collect()].concat();
    assert_eq!(row["labels"], json!(labels));
    assert_eq!(row["attention_mask"], json!(vec![1; expected.len()]));
    assert_eq!(row["token_mask"], json!([vec![false; 5], vec![true; learnt]].concat()));
    assert_eq!(row["messages"], json!([vec![-1], vec![0; 4], vec![1; learnt]].concat()));
    assert_eq!(row["length"], expected.len());
    assert_eq!((&row["line"], &row["columns"]), (&json!(1), &json!({"id": 7})));
    assert_eq!(rows[1]["line"], 2);
}

#[test]
fn a_vocabulary_belongs_to_a_layout() {
    let folder = folder("vocabulary");
    let vocabulary = vocabulary(&folder);
    for layout in [&[][..], &["-l", "magnum"], &["-l", "v7"]] {
        let arguments = [&["-v", text(&vocabulary), "-o", "never_written"][..], layout].concat();
        let output = run(&arguments, ROWS);
        let (code, complaint) = failed(&output);
        assert!(code == 1 && complaint.contains(text(&vocabulary)) && complaint.contains("--layout"), "{complaint}");
        assert!(
            complaint.contains("is for a SentencePiece vocabulary, and the tokenizer has a Tekken one"),
            "{complaint}"
        );
        assert!(!Path::new("never_written").exists() && !Path::new("never_written.part").exists());
    }
}

#[test]
fn rows_are_packed_cut_and_told_apart() {
    let folder = folder("packed");
    let vocabulary = vocabulary(&folder);
    let options = ["-q", "-l", "v3-tekken", "-v", text(&vocabulary)];
    let packed = rows(printed(&run(&[&options[..], &["--pack", "30"]].concat(), format!("{ROWS}{ROWS}"))));
    let starts: Vec<&Value> = packed.iter().map(|row| &row["starts"]).collect();
    assert_eq!(starts, [&json!([0, 14]), &json!([0, 14])], "{packed:?}");
    assert_eq!(packed[0]["position_ids"][14], 0);
    assert_eq!(packed[0]["input_ids"].as_array().unwrap().len(), 25);
    let (input, output) = (folder.join("in"), folder.join("out"));
    fs::write(&input, format!("{ROWS}{ROWS}")).unwrap();
    printed(&run(&[&options[..], &["--pack", "30", text(&input), "-o", text(&output)]].concat(), ""));
    assert_eq!(rows(&fs::read_to_string(&output).unwrap()), packed);

    let cut =
        rows(printed(&run(&[&options[..], &["--max-length", "6", "--too-long", "cut", "-e", "skip"]].concat(), ROWS)));
    assert_eq!(cut.iter().map(|row| &row["text"]).collect::<Vec<_>>(), ["<s>[INST]a[/INST]b</s>"]);
    let dropped = run(&[&options[1..], &["--max-length", "11"]].concat(), ROWS);
    assert_eq!(rows(printed(&dropped)).len(), 1);
    assert!(String::from_utf8_lossy(&dropped.stderr).contains("1  too_long, first in line 1"));

    let too_long = run(&[&options[..], &["--pack", "11", "-e", "skip"]].concat(), ROWS);
    let alone = rows(printed(&too_long));
    assert_eq!(alone.iter().map(|row| &row["length"]).collect::<Vec<_>>(), [11], "no sequence is longer than asked");

    let pair = r#"{"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"}"#;
    let beside = run(&[&options[1..], &["--pack", "30"]].concat(), format!("{pair}\n{ROWS}"));
    assert_eq!(rows(printed(&beside)).len(), 1);
    assert!(String::from_utf8_lossy(&beside.stderr).contains("1  packed_pair, first in line 1"));

    let once = run(&["--dedup"], format!("{ROWS}{ROWS}"));
    assert_eq!(rows(printed(&once)).len(), 2);
    assert!(String::from_utf8_lossy(&once.stderr).contains("2  duplicate, first in line 3"));
}

#[test]
fn what_is_noticed_is_reported() {
    let row = r#"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}], "images": ["a"]}"#;
    let counted = run(&[] as &[&str], row);
    assert_eq!(rows(printed(&counted)).len(), 1);
    let told = String::from_utf8_lossy(&counted.stderr).into_owned();
    assert!(told.contains("1  rows have a field that was not understood: images"), "{told}");
    assert!(told.contains("learnt: 11 of 30 bytes"), "{told}");
    let rated = r#"{"prompt": "q", "responses": ["a", "b", "c", "d"], "scores": [2, 1, 4, 3]}"#;
    let told = String::from_utf8(run(&[] as &[&str], rated).stderr).unwrap();
    assert!(told.contains("2  answers between the best and the worst of their rows were left out"), "{told}");
    let strict = run(&["--strict", "-e", "stop"], row);
    assert_eq!(strict.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&strict.stderr).contains("line 1: images: the field is not understood"));
}

#[test]
fn pairs_and_labels_come_out() {
    let input = concat!(
        r#"{"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"}"#,
        "\n",
        r#"{"prompt": "Hi", "completion": "Hello!", "label": false}"#
    );
    let rows = rows(printed(&run(&["-q"], input)));
    let pair = json!({"chosen_text": "<s>[INST] Hi[/INST] Hello!</s>", "chosen_mask": [[19, 30]],
        "rejected_text": "<s>[INST] Hi[/INST] What?</s>", "rejected_mask": [[19, 29]], "prompt_bytes": 19});
    assert_eq!(rows[0], pair);
    assert_eq!(rows[1], json!({"text": "<s>[INST] Hi[/INST] Hello!</s>", "mask": [[19, 30]], "label": false}));
}

#[test]
fn rows_are_mended_for_training() {
    let row = r#"{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": [{"id": "call_9yKqLb2xVzT0cWm3uRsE1hNd", "function": {"name": "w", "arguments": "{}"}}]}, {"role": "tool", "content": "4", "tool_call_id": "call_9yKqLb2xVzT0cWm3uRsE1hNd"}, {"role": "assistant", "content": "4.", "weight": 0}]}"#;
    let refused = run(&["-q"], row);
    assert_eq!(refused.status.code(), Some(1));
    let rows = rows(printed(&run(&["-q", "--repair"], row)));
    assert_eq!(rows[0]["repairs"].as_array().unwrap().len(), 2, "{rows:?}");
    let text = rows[0]["text"].as_str().unwrap();
    let learnt = rows[0]["mask"].as_array().unwrap();
    let range = |range: &Value| range[0].as_u64().unwrap() as usize..range[1].as_u64().unwrap() as usize;
    assert_eq!(learnt.len(), 1);
    assert!(text[range(&learnt[0])].starts_with("[TOOL_CALLS] [{\"name\": \"w\""), "{rows:?}");
}

#[test]
fn a_second_space_before_a_system_prompt() {
    let row = r#"{"system": "Be kind.", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}]}"#;
    let rows = rows(printed(&run(&["-q", "--system-space"], row)));
    assert_eq!(rows[0]["text"], "<s>[INST]  Be kind.\nHi[/INST] Hello!</s>");
}

#[test]
fn one_row_is_shown() {
    let output = run(&["--show", "2", "-m", "last"], ROWS);
    assert_eq!(printed(&output), "<s>[INST] a[/INST] b</s>[INST] c[/INST] d</s>\n", "no colour in a pipe");
    let missing = run(&["--show", "3"], ROWS);
    assert_eq!(failed(&missing), (1, "error: the input has no row 3\n"));
}
