//! The command line.

use std::error::Error;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser, ValueExt};
use mistral_chat_template::{Chat, Dialect, Layout, Learn};

use crate::files::{FileId, Part, Used, check_distinct, suffixed};
use crate::journal::Journal;
use crate::source::{Named, Source};
use crate::vocabulary::Vocabulary;

pub(crate) const HELP: &str = "\
Formats a data set of conversations for training: each row a prompt and the bytes of it to learn.

Usage: format_dataset [INPUT] [--output FILE] [OPTIONS]

INPUT is JSON Lines, a conversation a line; - or nothing is standard input. Each line comes out as
  {\"text\": \"<s>[INST] Hi[/INST] Hello!</s>\", \"mask\": [[19, 30]]}
in the order of the input, on standard output if no file is named.

What to read
  -d, --dialect NAME     auto (default: each row by its `conversations` or `messages`), sharegpt, openai,
                         mistral, or either of the last two

How to lay it out
  -l, --layout NAME      magnum (default), v3, v7-tekken, v13+think, a model's name …
      --preset FILES     as SillyTavern does, by a preset that comes with the library (magnum, mistral-v7) or by
                         files: context.json,instruct.json; without <s>, which backends set
      --template PATH    by a model's own Jinja template: its folder, a tokenizer_config.json or a
                         chat_template.jinja. What stands in {% generation %} blocks is learnt; a template
                         without any takes --learn everything
  -m, --learn WHAT       weighted (default: every assistant turn but those with \"weight\": 0), assistant
                         (every one, whatever its weight), last (the last one), everything

What to write
  -o, --output FILE      the rows; until they are complete they stand in FILE.part, beside FILE.journal, and FILE
                         is what it was
  -s, --segments         the control tokens and texts of each row as `segments`
  -v, --vocabulary FILE  a tekken.json or SentencePiece model: token ids as `input_ids`, and `labels`
                         with -100 where nothing is learnt
      --controls FILE    a JSON object of control tokens and their ids, beside those of the vocabulary
  -e, --on-error WHAT    what to do about a row that cannot be used: skip (default: report it on standard
                         error and go on), stop, or the name of a file that takes it with its line number
                         and reason

How to run
  -t, --threads N        how many threads format (default: one a core)
  -r, --resume           go on where an interrupted run stopped; needs INPUT and --output
  -q, --quiet            no progress and no summary
  -h, --help             this text

Memory does not grow with the input: a few blocks of 1 MiB for each thread, and the longest row.";

pub(crate) enum Command {
    Format(Box<Options>),
    Help,
}

pub(crate) struct Options {
    /// The file to read; none for standard input.
    pub(crate) input: Option<PathBuf>,
    /// The file to write; none for standard output.
    pub(crate) output: Option<PathBuf>,
    /// Whose JSON the rows are; none to recognise each.
    pub(crate) dialect: Option<Dialect>,
    pub(crate) turns: Turns,
    pub(crate) columns: Columns,
    pub(crate) on_error: OnError,
    pub(crate) threads: NonZero<usize>,
    pub(crate) start: Begin,
    pub(crate) quiet: bool,
    named: Named,
    vocabulary: Option<PathBuf>,
    controls: Option<PathBuf>,
}

/// What is to be learnt of each row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Turns {
    Weighted,
    Assistant,
    Last,
    Everything,
}

/// What stands in a row beside its text and mask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Columns {
    TextAndMask,
    Segments,
}

/// What becomes of a row that cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OnError {
    Skip,
    Stop,
    Keep(PathBuf),
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Begin {
    Anew,
    Resume,
}

impl Turns {
    pub(crate) fn learn<'c>(self, chat: &'c Chat<'c>) -> Learn<'c> {
        match self {
            Turns::Weighted => Learn::Weighted(chat),
            Turns::Assistant => Learn::Assistant,
            Turns::Last => Learn::LastTurn,
            Turns::Everything => Learn::Everything,
        }
    }

    fn from_name(name: &str) -> Result<Self, String> {
        Ok(match name {
            "weighted" => Turns::Weighted,
            "assistant" => Turns::Assistant,
            "last" => Turns::Last,
            "everything" => Turns::Everything,
            _ => return Err(format!("{name:?} cannot be learnt; there are weighted, assistant, last, everything")),
        })
    }
}

fn dialect(name: &str) -> Result<Option<Dialect>, String> {
    Ok(Some(match name {
        "auto" => return Ok(None),
        "sharegpt" => Dialect::ShareGpt,
        "openai" => Dialect::OpenAi,
        "mistral" => Dialect::Mistral,
        "either" => Dialect::Either,
        _ => return Err(format!("{name:?} is no dialect; there are auto, sharegpt, openai, mistral, either")),
    }))
}

impl Default for Options {
    fn default() -> Self {
        Options {
            input: None,
            output: None,
            dialect: None,
            turns: Turns::Weighted,
            columns: Columns::TextAndMask,
            on_error: OnError::Skip,
            threads: std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
            start: Begin::Anew,
            quiet: false,
            named: Named::default(),
            vocabulary: None,
            controls: None,
        }
    }
}

impl Options {
    pub(crate) fn parse(mut parser: Parser) -> Result<Command, Box<dyn Error>> {
        let mut options = Options::default();
        let (mut has_input, mut named) = (false, None);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Short('d') | Arg::Long("dialect") => options.dialect = dialect(&parser.value()?.string()?)?,
                Arg::Short('l') | Arg::Long("layout") => {
                    let layout = parser.value()?.string()?.parse::<Layout>()?;
                    is_named_once(named.replace(Named::Layout(Box::new(layout))))?;
                }
                Arg::Long("preset") => is_named_once(named.replace(Named::Preset(parser.value()?.string()?)))?,
                Arg::Long("template") => is_named_once(named.replace(Named::Template(parser.value()?.into())))?,
                Arg::Short('m') | Arg::Long("learn") => options.turns = Turns::from_name(&parser.value()?.string()?)?,
                Arg::Short('o') | Arg::Long("output") => options.output = file(parser.value()?.into()),
                Arg::Short('s') | Arg::Long("segments") => options.columns = Columns::Segments,
                Arg::Short('v') | Arg::Long("vocabulary") => options.vocabulary = Some(parser.value()?.into()),
                Arg::Long("controls") => options.controls = Some(parser.value()?.into()),
                Arg::Short('e') | Arg::Long("on-error") => {
                    let value = parser.value()?;
                    options.on_error = match value.to_str() {
                        Some("skip") => OnError::Skip,
                        Some("stop") => OnError::Stop,
                        _ => OnError::Keep(value.into()),
                    };
                }
                Arg::Short('t') | Arg::Long("threads") => options.threads = parser.value()?.parse()?,
                Arg::Short('r') | Arg::Long("resume") => options.start = Begin::Resume,
                Arg::Short('q') | Arg::Long("quiet") => options.quiet = true,
                Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
                Arg::Value(path) if !has_input => {
                    (options.input, has_input) = (file(path.into()), true);
                }
                other => return Err(other.unexpected().into()),
            }
        }
        options.named = named.unwrap_or_default();
        options.check()?;
        Ok(Command::Format(Box::new(options)))
    }

    fn check(&self) -> Result<(), String> {
        if self.start == Begin::Resume && (self.input.is_none() || self.output.is_none()) {
            return Err("only from a file to a file can a run be resumed: name INPUT and --output".to_owned());
        }
        if self.controls.is_some() && self.vocabulary.is_none() {
            return Err("--controls go with a --vocabulary".to_owned());
        }
        self.check_files()
    }

    /// The file that takes the rejects, if there is one.
    pub(crate) fn rejects(&self) -> Option<&Path> {
        match &self.on_error {
            OnError::Keep(path) => Some(path),
            OnError::Skip | OnError::Stop => None,
        }
    }

    /// Is there any file that the run would read and write, or write twice?
    fn check_files(&self) -> Result<(), String> {
        let stdin = || FileId::of_stdin().map(|id| Used { description: "the input on standard input".to_owned(), id });
        let stdout = || FileId::of_stdout().map(|id| Used { description: "standard output".to_owned(), id });
        let mut read: Vec<_> =
            self.input.as_deref().map_or_else(stdin, |path| Used::at("the input", path)).into_iter().collect();
        read.extend(self.vocabulary.as_deref().and_then(|path| Used::at("the vocabulary", path)));
        read.extend(self.controls.as_deref().and_then(|path| Used::at("the controls", path)));
        read.extend(self.named.files().iter().filter_map(|path| Used::at("the layout's file", path)));
        let output = self.output.as_deref();
        let mut written: Vec<_> = output.map_or_else(stdout, |path| Used::at("the output", path)).into_iter().collect();
        written.extend(self.rejects().and_then(|path| Used::at("the rejects", path)));
        // The output comes first: where these collide, so do the files that they belong to.
        let parts = output.into_iter().chain(self.rejects()).map(Part::path_for);
        written.extend(parts.filter_map(|path| Used::at("the unfinished", &path)));
        let journal = output.map(Journal::path_for);
        written.extend(
            journal
                .iter()
                .flat_map(|path| [path.clone(), suffixed(path, ".new")])
                .filter_map(|path| Used::at("the journal", &path)),
        );
        check_distinct(&read, &written)
    }

    pub(crate) fn open_vocabulary(&self) -> Result<Option<Vocabulary>, String> {
        let Some(path) = &self.vocabulary else { return Ok(None) };
        let vocabulary = Vocabulary::open(path, self.controls.as_deref());
        vocabulary.map(Some).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(crate) fn open_source(&self) -> Result<Source, Box<dyn Error>> {
        self.named.open(self.turns)
    }

    /// What lengths are counted in.
    pub(crate) fn unit(&self) -> &'static str {
        if self.vocabulary.is_some() { "tokens" } else { "bytes" }
    }

    /// All that a row depends on: a run is resumed with what it began with.
    pub(crate) fn fingerprint(&self) -> String {
        let Options { named, dialect, turns, columns, on_error, vocabulary, controls, input, .. } = self;
        let name = named.fingerprint();
        format!("{input:?} {name} {dialect:?} {turns:?} {columns:?} {on_error:?} {vocabulary:?} {controls:?}")
    }
}

fn is_named_once(before: Option<Named>) -> Result<(), &'static str> {
    before.map_or(Ok(()), |_| Err("a row is laid out in one way: --layout, --preset or --template, once"))
}

/// The file that is named, or none for `-`.
fn file(path: PathBuf) -> Option<PathBuf> {
    (path != Path::new("-")).then_some(path)
}
