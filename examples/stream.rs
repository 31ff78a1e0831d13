//! A recorded model output, cut at random and printed as a client would see it come in.
//!
//! ```sh
//! cargo run --example stream -- --layout v7 --seed 3
//! cargo run --example stream -- --vocabulary examples/server/vocabulary/tekken.json
//! ```

use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use mistral_chat_template::completion::{CallDeltas, Delta, Leniency, NewCallIds, NewDeltas};
use mistral_chat_template::{Completion, CompletionReader, Control, Layout, Tokenizer};

#[path = "support/terminal.rs"]
mod terminal;
#[path = "support/vocabulary.rs"]
mod vocabulary;

use terminal::Colour;
use vocabulary::Vocabulary;

const HELP: &str = "\
Streams a model's output: cut at random, read piece by piece, printed as it is understood.

Usage: stream [OPTIONS] [FILE]

  FILE             an output with its control tokens spelled out; - for standard input
                   (default: a recorded one that suits the layout)
  --layout NAME    v3, v7-tekken, v13+think … or a model's name (default: v13+think)
  --seed N         which cuts (default: 1)
  --vocabulary F   a tekken.json or a SentencePiece model: the reader is given token ids, one at a time
  --delay MS       the pause after each piece (default: 40 on a terminal, else 0)
  --json           print each delta as a server sends it to its client
  --whole          tell each call when it is complete (default: piece by piece)
  --lenient        read also what no model of the layout should write, and say what that was
  --help           print this

Thinking is dim, tool calls are cyan. NO_COLOR turns colour off.";

const THINKING: &str = "[THINK]The user asks for the weather in two cities. I call the tool for each; 5 < 6, and \"[/THI\" is \
no token.[/THINK]Let me look at both.";
const SEPARATE: &str = "[TOOL_CALLS]get_weather[ARGS]{\"city\": \"Paris\"}[TOOL_CALLS]get_weather[ARGS]{\"city\": \
\"Orléans\", \"days\": 2}</s>";
const WITH_IDS: &str = "Let me look at both.[TOOL_CALLS]get_weather[CALL_ID]abc123def[ARGS]{\"city\": \
\"Paris\"}[TOOL_CALLS]get_weather[CALL_ID]bcd234efg[ARGS]{\"city\": \"Orléans\"}</s>";
const LIST: &str = "[TOOL_CALLS][{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}, \"id\": \"abc123def\"}, \
{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Orléans\", \"days\": 2}, \"id\": \"bcd234efg\"}]</s>";
const TEXT: &str = "It is 22 degrees in Paris, and 21 in Orléans.</s>";

struct Options {
    layout: Layout,
    seed: u64,
    delay: Duration,
    json: bool,
    leniency: Leniency,
    whole: bool,
    vocabulary: Option<PathBuf>,
    file: Option<String>,
}

fn options() -> Result<Option<Options>, String> {
    let mut options = Options {
        layout: "v13+think".parse().map_err(|error| format!("{error}"))?,
        seed: 1,
        delay: Duration::from_millis(if io::stdout().is_terminal() { 40 } else { 0 }),
        json: false,
        leniency: Leniency::Strict,
        whole: false,
        vocabulary: None,
        file: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--layout" => options.layout = value()?.parse().map_err(|error| format!("{error}"))?,
            "--seed" => options.seed = number(&value()?)?,
            "--delay" => options.delay = Duration::from_millis(number(&value()?)?),
            "--json" => options.json = true,
            "--lenient" => options.leniency = Leniency::Lenient,
            "--whole" => options.whole = true,
            "--vocabulary" => options.vocabulary = Some(value()?.into()),
            unknown if unknown.starts_with("--") => return Err(format!("{unknown} is not an option; see --help")),
            file => options.file = Some(file.to_owned()),
        }
    }
    Ok(Some(options))
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number"))
}

/// The recorded output that suits the layout.
fn recorded(layout: &Layout) -> String {
    use mistral_chat_template::layout::ToolCalls;
    use mistral_chat_template::version::Feature;
    match layout.calls {
        ToolCalls::None => TEXT.to_owned(),
        ToolCalls::List | ToolCalls::ListWithIds => LIST.to_owned(),
        ToolCalls::NameIdArguments => WITH_IDS.to_owned(),
        ToolCalls::NameArguments if layout.features.contains(Feature::Think) => [THINKING, SEPARATE].concat(),
        ToolCalls::NameArguments => SEPARATE.to_owned(),
        _ => TEXT.to_owned(),
    }
}

/// Pieces of one to six characters, as the seed has it.
fn pieces(text: &str, seed: u64) -> Vec<String> {
    let mut state = seed;
    let mut pieces = vec![String::new()];
    let mut left = 1;
    for char in text.chars() {
        if left == 0 {
            // One step of SplitMix64.
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            left = 1 + (mixed >> 32) % 6;
            pieces.push(String::new());
        }
        left -= 1;
        if let Some(piece) = pieces.last_mut() {
            piece.push(char);
        }
    }
    pieces
}

/// How an output comes to the reader.
enum Sampled {
    /// As text in which control tokens are spelled out.
    Pieces(Vec<String>),
    /// As token ids.
    Ids(Vec<u32>, Box<Vocabulary>),
}

impl Sampled {
    fn of(output: &str, options: &Options) -> Result<Self, String> {
        let Some(file) = &options.vocabulary else { return Ok(Sampled::Pieces(pieces(output, options.seed))) };
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let vocabulary = Vocabulary::open(file, None).map_err(|error| told(&error))?;
        options.layout.check_tokenizer(&vocabulary).map_err(|error| told(&error))?;
        Ok(Sampled::Ids(ids(output, &options.layout, &vocabulary)?, Box::new(vocabulary)))
    }
}

/// The ids of an output: a control token is one, where it is spelled out.
fn ids(output: &str, layout: &Layout, vocabulary: &Vocabulary) -> Result<Vec<u32>, String> {
    let (mut ids, mut rest) = (Vec::new(), output);
    while !rest.is_empty() {
        let found = |control: Control| Some((rest.find(control.as_str())?, control));
        let next = layout.vocabulary.iter().filter_map(found).min_by_key(|(at, _)| *at);
        let (text, after) = rest.split_at(next.map_or(rest.len(), |(at, _)| at));
        vocabulary.text(text, layout.word_start, &mut ids);
        rest = after;
        if let Some((_, control)) = next {
            let id = Tokenizer::control(vocabulary, control);
            ids.push(id.ok_or_else(|| format!("the vocabulary has no {control}"))?);
            rest = &rest[control.as_str().len()..];
        }
    }
    Ok(ids)
}

/// Prints a delta as a person would see it.
fn show(delta: &Delta, colour: Colour, output: &mut impl Write) -> io::Result<()> {
    match delta {
        Delta::Thinking(text) => write!(output, "{}", colour.paint(2, text)),
        Delta::ThinkingEnd => writeln!(output),
        Delta::Text(text) => write!(output, "{text}"),
        Delta::ToolCall(call) => {
            let id = call.id.as_ref().map(|id| format!("({id}) ")).unwrap_or_default();
            match &call.name {
                Some(name) => {
                    write!(output, "\n{} {}", colour.paint(36, format!("{}: {name}", call.index)), colour.paint(2, id))?
                }
                None if !id.is_empty() => write!(output, " {}", colour.paint(2, id))?,
                None => {}
            }
            write!(output, "{}", colour.paint(36, &call.arguments))
        }
        _ => Ok(()),
    }
}

fn stream(options: &Options, sampled: &Sampled) -> io::Result<()> {
    let mut output = io::stdout().lock();
    let colour = Colour::of(&output);
    let new_ids = NewCallIds::seeded(options.seed);
    let calls = if options.whole { CallDeltas::Whole(new_ids) } else { CallDeltas::Streamed(new_ids) };
    let mut reader = CompletionReader::new(&options.layout).with_calls(calls).with_leniency(options.leniency);
    let mut completion = Completion::default();
    let mut print = |delta: &Delta| match options.json {
        true if delta.is_marker() => Ok(()),
        true => writeln!(output, "{}", serde_json::to_string(delta)?),
        false => show(delta, colour, &mut output).and_then(|()| output.flush()),
    };
    let mut read = |deltas: NewDeltas<'_>| {
        for delta in deltas {
            print(&delta)?;
            completion.add(delta);
        }
        std::thread::sleep(options.delay);
        io::Result::Ok(())
    };
    match sampled {
        Sampled::Pieces(pieces) => pieces.iter().try_for_each(|piece| read(reader.push(piece)))?,
        Sampled::Ids(ids, vocabulary) => ids.iter().try_for_each(|id| read(reader.push_id(*id, vocabulary)))?,
    }
    let finished = reader.finish();
    finished.deltas.iter().try_for_each(&mut print)?;
    completion.finish(finished);
    if !options.json {
        writeln!(output)?;
    }
    for liberty in &completion.liberties {
        eprintln!("{liberty}");
    }
    if !completion.rest.is_empty() {
        eprintln!("What has no place in the message: {}", completion.rest);
    }
    match completion.into_result() {
        Ok(message) if message.prefix => eprintln!("The output has no end token: the message can be continued."),
        Ok(_) => {}
        Err(error) => eprintln!("{error}"),
    }
    Ok(())
}

fn run() -> Result<(), String> {
    let Some(options) = options()? else {
        println!("{HELP}");
        return Ok(());
    };
    let text = match options.file.as_deref() {
        None => recorded(&options.layout),
        Some("-") => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(|error| format!("standard input: {error}"))?;
            text
        }
        Some(file) => std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?,
    };
    match stream(&options, &Sampled::of(&text, &options)?) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stream: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOCABULARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/server/vocabulary/tekken.json");

    #[test]
    fn ids_say_what_the_text_says() {
        let vocabulary = Vocabulary::open(VOCABULARY.as_ref(), None).unwrap();
        for name in ["v3-tekken", "v7-tekken", "v11", "v13", "v13+think", "v15+think"] {
            let layout: Layout = name.parse().unwrap();
            let output = recorded(&layout);
            let by_ids =
                CompletionReader::new(&layout).read_ids(&ids(&output, &layout, &vocabulary).unwrap(), &vocabulary);
            assert_eq!(by_ids.message, Completion::from_text(&output, &layout).message, "{name}");
            assert!(by_ids.error.is_none(), "{name}");
        }
    }
}
