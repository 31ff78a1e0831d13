//! The command line into a [`Command`].

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};
use mistral_chat_template::grammar::LarkStyle;
use mistral_chat_template::{Dialect, Layout, Mode};

use crate::Failure;
use crate::given::{Given, NAMES as GIVEN};
use crate::source::Source;

pub(crate) const HELP: &str = "\
Shows the prompt that a chat becomes, as the model reads it.

Usage: preview [OPTIONS] CHAT.json
       preview --layout list

CHAT.json is a request to a chat-completion endpoint, Mistral's or OpenAI's,
or a ShareGPT conversation; - is standard input.

Options:
  -l, --layout NAME    How to lay the chat out: a version (v3, v13+think+image)
                       or a model's name (Mistral-Nemo-Instruct-2407). `list`
                       shows what there is [default: magnum]
      --preset NAME    Lay it out as SillyTavern does, by a preset that comes with
                       the library (magnum, mistral-v7) or by files:
                       context.json,instruct.json
      --template PATH  Lay it out by a model's own Jinja template: its folder, a
                       tokenizer_config.json or a chat_template.jinja. What it
                       is given beside the chat:
      --generation-prompt, --no-generation-prompt
                       With or without what begins an answer [default: without]
      --continue       The last message is one to be continued
      --variable NAME=JSON
                       A variable, such as enable_thinking=false
      --documents FILE Documents to answer from: a JSON list of objects
      --now SECONDS    The time, in seconds since 1970 [default: it is now]
      --html FILE      Write the prompt as a page for a browser, whole in one file;
                       control tokens tell the ids that released tokenizers have
  -p, --plain          Print the exact bytes of the prompt, and nothing else
  -g, --grammar FORM   Print the grammar of the answer instead: lark (as
                       mistral-common prints it), exact-lark or structural-tag,
                       with the control ids of released tokenizers
  -m, --mode MODE      What the prompt is for: test, serving, finetuning or
                       agnostic [default: finetuning for a ShareGPT
                       conversation that ends with a reply, else test]
  -d, --dialect NAME   Whose JSON it is: mistral, openai, either or sharegpt
                       [default: found out]
  -w, --width COLUMNS  How wide to draw [default: the terminal, at most 120]
  -h, --help           Show this

How to read it:
  [INST]     In colour: a control token. Where a user types the same characters,
             they are underlined in red, with ! beside them: they are text
  · ⏎ →      A space, a newline, a tab. A dot in colour is the space that
             SentencePiece sets before text
  ‹U+200B›   A character that cannot be seen
  The margin says which message a part comes from. A row ends where the prompt
  has ⏎, where the margin changes, and where the terminal is full.

Colours go by NO_COLOR and CLICOLOR_FORCE, and are left out of a pipe.
The exit code is 1 for a chat that cannot be shown, 2 for a wrong command line.
";

/// What to do.
pub(crate) enum Command {
    Help,
    /// List the layouts.
    Layouts,
    Show(Box<Options>),
}

/// What to show, and how.
pub(crate) struct Options {
    pub(crate) input: Input,
    pub(crate) source: Source,
    pub(crate) mode: Option<Mode>,
    pub(crate) dialect: Option<Dialect>,
    pub(crate) output: Output,
    /// Where a page for a browser goes.
    pub(crate) html: Option<PathBuf>,
    /// What a template is given beside the chat.
    pub(crate) given: Given,
}

/// Where the chat is.
pub(crate) enum Input {
    File(PathBuf),
    Stdin,
}

/// What to print.
#[derive(Clone, Copy)]
pub(crate) enum Output {
    /// The prompt's bytes.
    Plain,
    /// The grammar of the answer.
    Grammar(GrammarForm),
    /// The prompt laid out for a browser, into the file that the options name.
    Html,
    /// The prompt laid out for a person, this many columns wide.
    Page { width: usize },
}

/// How a grammar is printed.
#[derive(Clone, Copy)]
pub(crate) enum GrammarForm {
    Lark(LarkStyle),
    StructuralTag,
}

impl Input {
    /// The file, if it is one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        match self {
            Input::File(path) => Some(path.clone()),
            Input::Stdin => None,
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::File(path) => path.display().fmt(f),
            Input::Stdin => f.write_str("standard input"),
        }
    }
}

const NARROWEST: usize = 40;
const WIDEST: usize = 120;

pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let mut parser = Parser::from_iter(arguments);
    let (mut input, mut mode, mut dialect, mut width) = (None, None, None, None);
    let mut source = Source::Layout(Layout::MAGNUM);
    let (mut plain, mut grammar, mut html, mut given) = (false, None, None, Given::default());
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Short('l') | Arg::Long("layout") => match parser.value()?.string()?.as_str() {
                "list" => return Ok(Command::Layouts),
                name => source = Source::from_name(name)?,
            },
            Arg::Long("preset") => source = Source::preset(&parser.value()?.string()?)?,
            Arg::Long("template") => source = Source::template(&parser.value()?.string()?)?,
            Arg::Long("html") => html = Some(PathBuf::from(parser.value()?)),
            Arg::Short('p') | Arg::Long("plain") => plain = true,
            Arg::Short('g') | Arg::Long("grammar") => {
                grammar = Some(named("form of a grammar", parser.value()?, &FORMS)?);
            }
            Arg::Short('m') | Arg::Long("mode") => mode = Some(named("mode", parser.value()?, &MODES)?),
            Arg::Short('d') | Arg::Long("dialect") => dialect = Some(named("dialect", parser.value()?, &DIALECTS)?),
            Arg::Short('w') | Arg::Long("width") => width = Some(parser.value()?.parse::<usize>()?),
            Arg::Long(name) if GIVEN.contains(&name) => {
                let name = name.to_owned();
                given
                    .take(&name, || Ok(parser.value()?.string()?))
                    .map_err(|error| Failure::Usage(error.to_string()))?;
            }
            Arg::Value(path) if input.is_none() && path == "-" => input = Some(Input::Stdin),
            Arg::Value(path) if input.is_none() => input = Some(Input::File(path.into())),
            other => return Err(other.unexpected().into()),
        }
    }
    let Some(input) = input else {
        return Err(Failure::Usage("which chat? Name a JSON file, or - for standard input".to_owned()));
    };
    let width = width.unwrap_or_else(|| terminal_width().min(WIDEST)).max(NARROWEST);
    let output = match grammar {
        Some(form) => Output::Grammar(form),
        None if plain => Output::Plain,
        None if html.is_some() => Output::Html,
        None => Output::Page { width },
    };
    if let (Some(html), Output::Grammar(_) | Output::Plain) = (&html, output) {
        let html = html.display();
        return Err(Failure::Usage(format!(
            "{html} would be written beside --plain or --grammar; ask for one of them"
        )));
    }
    let source = source.given(&given);
    Ok(Command::Show(Box::new(Options { input, source, mode, dialect, output, html, given })))
}

const MODES: [(&str, Mode); 4] =
    [("test", Mode::Test), ("serving", Mode::Serving), ("finetuning", Mode::Finetuning), ("agnostic", Mode::Agnostic)];

const FORMS: [(&str, GrammarForm); 3] = [
    ("lark", GrammarForm::Lark(LarkStyle::MistralCommon)),
    ("exact-lark", GrammarForm::Lark(LarkStyle::Exact)),
    ("structural-tag", GrammarForm::StructuralTag),
];

const DIALECTS: [(&str, Dialect); 4] = [
    ("mistral", Dialect::Mistral),
    ("openai", Dialect::OpenAi),
    ("either", Dialect::Either),
    ("sharegpt", Dialect::ShareGpt),
];

fn named<T: Copy>(what: &str, value: OsString, names: &[(&str, T)]) -> Result<T, Failure> {
    let value = value.string()?;
    let found = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(&value));
    found.map(|(_, named)| *named).ok_or_else(|| {
        let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
        Failure::Usage(format!("{value:?} is not a {what}; there are {}", names.join(", ")))
    })
}

fn terminal_width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| width.0.into())
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Failure::Usage(error.to_string())
    }
}
