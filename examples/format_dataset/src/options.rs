//! The command line.

use std::error::Error;
use std::fmt;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser, ValueExt};
use mistral_chat_template::train::{LearntTurns, Nulls, RowField, RowReader, ThinkTags, TrainingPolicy};
use mistral_chat_template::{Dialect, Layout, Role};

use crate::files::{FileId, Part, Used, check_distinct, suffixed};
use crate::journal::Journal;
use crate::mark::Mark;
use crate::source::{Named, Source};
use crate::vocabulary::Vocabulary;

pub(crate) enum Command {
    Format(Box<Options>),
    Help,
}

pub(crate) struct Options {
    /// The file to read; `None` for standard input.
    pub(crate) input: Option<PathBuf>,
    /// The file to write; `None` for standard output.
    pub(crate) output: Option<PathBuf>,
    pub(crate) rows: RowReader,
    pub(crate) nulls: Nulls,
    /// Whose JSON the rows are; `None` for any shape.
    pub(crate) dialect: Option<Dialect>,
    pub(crate) unread: Unread,
    pub(crate) policy: TrainingPolicy,
    pub(crate) last_call_ids: LastCallIds,
    pub(crate) repair: Repair,
    pub(crate) columns: Vec<Column>,
    pub(crate) keep: Keep,
    pub(crate) max_length: Option<usize>,
    pub(crate) too_long: TooLong,
    pub(crate) pack: Option<usize>,
    pub(crate) duplicates: Duplicates,
    pub(crate) on_error: OnError,
    pub(crate) max_rejects: Option<MaxRejects>,
    pub(crate) show: Option<u64>,
    pub(crate) threads: NonZero<usize>,
    pub(crate) start: Begin,
    pub(crate) quiet: bool,
    named: Named,
    vocabulary: Option<PathBuf>,
    controls: Option<PathBuf>,
    pub(crate) system: SystemPrompt,
}

/// What a row of the output holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Text,
    Mask,
    MaskChars,
    Segments,
    InputIds,
    Labels,
    Length,
    AttentionMask,
    TokenMask,
    Messages,
}

impl Column {
    const ALL: [Column; 10] = [
        Column::Text,
        Column::Mask,
        Column::MaskChars,
        Column::Segments,
        Column::InputIds,
        Column::Labels,
        Column::Length,
        Column::AttentionMask,
        Column::TokenMask,
        Column::Messages,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Column::Text => "text",
            Column::Mask => "mask",
            Column::MaskChars => "mask_chars",
            Column::Segments => "segments",
            Column::InputIds => "input_ids",
            Column::Labels => "labels",
            Column::Length => "length",
            Column::AttentionMask => "attention_mask",
            Column::TokenMask => "token_mask",
            Column::Messages => "messages",
        }
    }

    fn needs_tokens(self) -> bool {
        match self {
            Column::InputIds | Column::Labels | Column::AttentionMask | Column::TokenMask | Column::Messages => true,
            Column::Text | Column::Mask | Column::MaskChars | Column::Segments | Column::Length => false,
        }
    }
}

/// What becomes of a row with a field that is not understood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Unread {
    Count,
    Reject,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LastCallIds {
    Keep,
    Drop,
}

/// What stands before a system prompt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SystemPrompt {
    /// The space that SentencePiece sets.
    AsTheCard,
    /// One more, as axolotl set it in August 2024.
    AfterASpace,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Repair {
    No,
    Yes,
}

/// Are the number and the other columns of a row kept?
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Keep {
    Nothing,
    Columns,
}

/// What becomes of a row that is too long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TooLong {
    Drop,
    Cut,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Duplicates {
    Keep,
    Reject,
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

/// How many rejects a run may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum MaxRejects {
    Rows(u64),
    Percent(f64),
}

impl MaxRejects {
    fn from_text(text: &str) -> Result<Self, String> {
        let fault = || format!("{text:?} is neither a number of rows nor a share such as 5%");
        match text.strip_suffix('%') {
            Some(share) => match share.trim().parse::<f64>() {
                Ok(share) if (0.0..=100.0).contains(&share) => Ok(MaxRejects::Percent(share)),
                _ => Err(fault()),
            },
            None => text.parse().map(MaxRejects::Rows).map_err(|_| fault()),
        }
    }

    pub(crate) fn is_passed(self, rejects: u64, rows: u64) -> bool {
        match self {
            MaxRejects::Rows(limit) => rejects > limit,
            MaxRejects::Percent(share) => rejects as f64 * 100.0 > share * rows as f64,
        }
    }
}

impl fmt::Display for MaxRejects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MaxRejects::Rows(limit) => write!(f, "{limit}"),
            MaxRejects::Percent(share) => write!(f, "{share}%"),
        }
    }
}

fn dialect(name: &str) -> Result<Option<Dialect>, String> {
    Ok(Some(match name {
        "auto" => return Ok(None),
        "sharegpt" => Dialect::ShareGpt,
        "openai" => Dialect::OpenAi,
        "mistral" => Dialect::Mistral,
        "either" => Dialect::Either,
        _ => {
            return Err(format!("{name:?} is not a dialect; the dialects are auto, sharegpt, openai, mistral, either"));
        }
    }))
}

/// One of the values of an option.
fn one_of<T: Copy>(option: &str, word: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let choice = choices.iter().find(|(name, _)| *name == word).map(|(_, choice)| *choice);
    choice.ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        format!("{word:?} is not a value of {option}; the values are {}", names.join(", "))
    })
}

fn columns(list: &str) -> Result<Vec<Column>, String> {
    let choices = Column::ALL.map(|column| (column.name(), column));
    list.split(',').map(|name| one_of("--columns", name.trim(), &choices)).collect()
}

fn mapped<'w>(option: &str, word: &'w str) -> Result<(&'w str, &'w str), String> {
    word.split_once('=').ok_or_else(|| format!("{option} needs NAME=NAME, and {word:?} has no ="))
}

const ROLES: [(&str, Role); 4] =
    [("system", Role::System), ("user", Role::User), ("assistant", Role::Assistant), ("tool", Role::Tool)];

impl Default for Options {
    fn default() -> Self {
        Options {
            input: None,
            output: None,
            rows: RowReader::default(),
            nulls: Nulls::default(),
            dialect: None,
            unread: Unread::Count,
            policy: TrainingPolicy::default(),
            last_call_ids: LastCallIds::Keep,
            repair: Repair::No,
            columns: Vec::new(),
            keep: Keep::Nothing,
            max_length: None,
            too_long: TooLong::Drop,
            pack: None,
            duplicates: Duplicates::Keep,
            on_error: OnError::Skip,
            max_rejects: None,
            show: None,
            threads: std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
            start: Begin::Anew,
            quiet: false,
            named: Named::default(),
            vocabulary: None,
            controls: None,
            system: SystemPrompt::AsTheCard,
        }
    }
}

impl Options {
    pub(crate) fn parse(mut parser: Parser) -> Result<Command, Box<dyn Error>> {
        let mut options = Options::default();
        let (mut has_input, mut with_segments) = (false, false);
        let mut named = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Short('l') | Arg::Long("layout") => {
                    let layout = parser.value()?.string()?.parse::<Layout>()?;
                    is_named_once(named.replace(Named::Layout(Box::new(layout))))?;
                }
                Arg::Long("preset") => is_named_once(named.replace(Named::Preset(parser.value()?.string()?)))?,
                Arg::Long("template") => is_named_once(named.replace(Named::Template(parser.value()?.into())))?,
                Arg::Long("system-space") => options.system = SystemPrompt::AfterASpace,
                Arg::Short('s') | Arg::Long("segments") => with_segments = true,
                Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
                Arg::Value(path) if !has_input => {
                    (options.input, has_input) = (file(path.into()), true);
                }
                Arg::Short(short) => {
                    let long = long_of(short).ok_or_else(|| Arg::Short(short).unexpected())?;
                    options.set(long, &mut parser)?;
                }
                Arg::Long(long) => {
                    let long = long.to_owned();
                    if !options.set(&long, &mut parser)? {
                        return Err(Arg::Long(&long).unexpected().into());
                    }
                }
                other => return Err(other.unexpected().into()),
            }
        }
        options.named = named.unwrap_or_default();
        // No row is longer than a sequence.
        options.max_length = options.max_length.into_iter().chain(options.pack).min();
        options.choose_columns(with_segments);
        options.check()?;
        Ok(Command::Format(Box::new(options)))
    }

    /// Sets an option; false if there is no such option.
    fn set(&mut self, option: &str, parser: &mut Parser) -> Result<bool, Box<dyn Error>> {
        match option {
            "dialect" => self.dialect = dialect(&parser.value()?.string()?)?,
            "learn" => self.policy = parser.value()?.string()?.parse()?,
            "map" => self.map(&parser.value()?.string()?)?,
            "role" => self.role(&parser.value()?.string()?)?,
            "strict" => self.unread = Unread::Reject,
            "drop-nulls" => self.drop_nulls(&parser.value()?.string()?)?,
            "think-tags" => self.rows = std::mem::take(&mut self.rows).with_think_tags(ThinkTags::AsThinking),
            "repair" => self.repair = Repair::Yes,
            "dedup" => self.duplicates = Duplicates::Reject,
            "last-call-ids" => {
                let choices = [("keep", LastCallIds::Keep), ("drop", LastCallIds::Drop)];
                self.last_call_ids = one_of("--last-call-ids", &parser.value()?.string()?, &choices)?;
            }
            "columns" => self.columns = columns(&parser.value()?.string()?)?,
            "keep" => self.keep = Keep::Columns,
            "max-length" => self.max_length = Some(parser.value()?.parse()?),
            "too-long" => {
                let choices = [("drop", TooLong::Drop), ("cut", TooLong::Cut)];
                self.too_long = one_of("--too-long", &parser.value()?.string()?, &choices)?;
            }
            "pack" => self.pack = Some(parser.value()?.parse()?),
            _ => return self.set_run(option, parser),
        }
        Ok(true)
    }

    /// Sets an option that no row depends on.
    fn set_run(&mut self, option: &str, parser: &mut Parser) -> Result<bool, Box<dyn Error>> {
        match option {
            "output" => self.output = file(parser.value()?.into()),
            "vocabulary" => self.vocabulary = Some(parser.value()?.into()),
            "controls" => self.controls = Some(parser.value()?.into()),
            "on-error" => {
                let value = parser.value()?;
                self.on_error = match value.to_str() {
                    Some("skip") => OnError::Skip,
                    Some("stop") => OnError::Stop,
                    _ => OnError::Keep(value.into()),
                };
            }
            "max-rejects" => self.max_rejects = Some(MaxRejects::from_text(&parser.value()?.string()?)?),
            "show" => self.show = Some(parser.value()?.parse()?),
            "threads" => self.threads = parser.value()?.parse()?,
            "resume" => self.start = Begin::Resume,
            "quiet" => self.quiet = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn map(&mut self, word: &str) -> Result<(), String> {
        let (field, name) = mapped("--map", word)?;
        let known = || RowField::ALL.map(|field| field.names().first().copied().unwrap_or_default()).join(", ");
        let field = RowField::from_name(field)
            .ok_or_else(|| format!("{field:?} is not a field; the fields are {}", known()))?;
        self.rows = std::mem::take(&mut self.rows).with_field(field, name);
        Ok(())
    }

    fn role(&mut self, word: &str) -> Result<(), String> {
        let (name, role) = mapped("--role", word)?;
        self.rows = std::mem::take(&mut self.rows).with_role(name, one_of("--role", role, &ROLES)?);
        Ok(())
    }

    fn drop_nulls(&mut self, word: &str) -> Result<(), String> {
        let choices = [("tools", Nulls::DropInTools), ("everywhere", Nulls::DropEverywhere), ("nowhere", Nulls::Keep)];
        self.nulls = one_of("--drop-nulls", word, &choices)?;
        self.rows = std::mem::take(&mut self.rows).with_nulls(self.nulls);
        Ok(())
    }

    fn choose_columns(&mut self, with_segments: bool) {
        if self.columns.is_empty() {
            self.columns = vec![Column::Text, Column::Mask];
            if self.vocabulary.is_some() {
                self.columns.extend([Column::InputIds, Column::Labels, Column::Length]);
            }
        }
        if with_segments && !self.columns.contains(&Column::Segments) {
            self.columns.push(Column::Segments);
        }
        for needed in [Column::InputIds, Column::Labels] {
            if self.pack.is_some() && !self.columns.contains(&needed) {
                self.columns.push(needed);
            }
        }
    }

    pub(crate) fn has(&self, column: Column) -> bool {
        self.columns.contains(&column)
    }

    /// Is the output Parquet?
    pub(crate) fn writes_parquet(&self) -> bool {
        let extension = self.output.as_deref().and_then(Path::extension);
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"))
    }

    fn check(&self) -> Result<(), String> {
        let fault = |sentence: &str| Err(sentence.to_owned());
        if self.start == Begin::Resume && (self.input.is_none() || self.output.is_none()) {
            return fault("a run can only be resumed from a file to a file: name INPUT and --output");
        }
        if self.controls.is_some() && self.vocabulary.is_none() {
            return fault("--controls needs a --vocabulary");
        }
        if self.pack.is_some() && self.vocabulary.is_none() {
            return fault("--pack counts tokens: it needs a --vocabulary");
        }
        let tokens = self.columns.iter().find(|column| column.needs_tokens() && self.vocabulary.is_none());
        if let Some(column) = tokens {
            return Err(format!("the column {} holds tokens: it needs a --vocabulary", column.name()));
        }
        if self.duplicates == Duplicates::Reject && !self.has(Column::Text) {
            return fault("--dedup needs the column text");
        }
        if self.repair == Repair::Yes && !matches!(self.named, Named::Layout(_)) {
            return fault("--repair mends rows for a --layout");
        }
        self.check_files()
    }

    /// The file that the rejects go to, if any.
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
        let input = self.input.as_deref().map_or_else(stdin, |path| Used::at("the input", path));
        let mut read: Vec<_> = input.into_iter().collect();
        read.extend(self.vocabulary.as_deref().and_then(|path| Used::at("the vocabulary", path)));
        read.extend(self.controls.as_deref().and_then(|path| Used::at("the controls", path)));
        read.extend(self.named.files().iter().filter_map(|path| Used::at("the layout's file", path)));
        let output = self.output.as_deref();
        let mut written: Vec<_> = output.map_or_else(stdout, |path| Used::at("the output", path)).into_iter().collect();
        written.extend(self.rejects().and_then(|path| Used::at("the rejects", path)));
        // The output comes first: where these collide, so do the files that they belong to.
        let parts = output.into_iter().chain(self.rejects()).map(Part::path_for);
        written.extend(parts.filter_map(|path| Used::at("the unfinished", &path)));
        if let Some(output) = output {
            let journal = Journal::path_for(output);
            written.extend(Used::at("the converted", &crate::finish::path_for(output)));
            written.extend(Used::at("the mark", &Mark::path_for(output)));
            written.extend(
                [journal.clone(), suffixed(&journal, ".new")].iter().filter_map(|path| Used::at("the journal", path)),
            );
        }
        check_distinct(&read, &written)
    }

    pub(crate) fn open_vocabulary(&self) -> Result<Option<Vocabulary>, String> {
        let Some(path) = &self.vocabulary else { return Ok(None) };
        let vocabulary = Vocabulary::open(path, self.controls.as_deref());
        vocabulary.map(Some).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(crate) fn vocabulary_name(&self) -> String {
        self.vocabulary.as_deref().map(|path| path.display().to_string()).unwrap_or_default()
    }

    pub(crate) fn open_source(&self) -> Result<Source, Box<dyn Error>> {
        self.named.open(self.policy.turns == LearntTurns::Everything)
    }

    /// What lengths are counted in.
    pub(crate) fn unit(&self) -> &'static str {
        if self.vocabulary.is_some() { "tokens" } else { "bytes" }
    }

    /// The files other than the input that a row depends on.
    pub(crate) fn sources(&self) -> Vec<(&'static str, PathBuf)> {
        let layout = self.named.files().into_iter().map(|path| ("layout's file", path));
        let vocabulary = self.vocabulary.iter().map(|path| ("vocabulary", path.clone()));
        let controls = self.controls.iter().map(|path| ("controls", path.clone()));
        layout.chain(vocabulary).chain(controls).collect()
    }

    /// All words that a row depends on: a run is resumed with those it began with.
    pub(crate) fn fingerprint(&self) -> String {
        let Options { named, dialect, policy, columns, on_error, rows, .. } = self;
        let Options { unread, last_call_ids, repair, keep, max_length, too_long, pack, duplicates, system, .. } = self;
        format!(
            "{} {dialect:?} {rows:?} {unread:?} {policy:?} {last_call_ids:?} {repair:?} {columns:?} {keep:?} {max_length:?} \
             {too_long:?} {pack:?} {duplicates:?} {system:?} {on_error:?}",
            named.fingerprint()
        )
    }
}

fn long_of(short: char) -> Option<&'static str> {
    Some(match short {
        'd' => "dialect",
        'm' => "learn",
        'o' => "output",
        'v' => "vocabulary",
        'c' => "columns",
        'k' => "keep",
        'e' => "on-error",
        't' => "threads",
        'r' => "resume",
        'q' => "quiet",
        _ => return None,
    })
}

fn is_named_once(before: Option<Named>) -> Result<(), &'static str> {
    before.map_or(Ok(()), |_| Err("name one of --layout, --preset and --template, once"))
}

/// The file that is named, or none for `-`.
fn file(path: PathBuf) -> Option<PathBuf> {
    (path != Path::new("-")).then_some(path)
}
