//! Rows of a data set into training rows: Arrow in, Arrow out, on all cores.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type, UInt32Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Int32Array, Int64Array, ListArray, PrimitiveArray, RecordBatch};
use arrow_array::{LargeListArray, StringArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_json::LineDelimitedWriter;
use arrow_json::writer::WriterBuilder;
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema};
use mct::repair::RepairPolicy;
use mct::train::{Labelled, Learn, LearntTurns, Mask, Nulls, Packer, Row, RowReader, ThinkTags, TrainingPolicy};
use mct::{Format, Mode, Role};
use mistral_chat_template as mct;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyMapping};
use pyo3_arrow::PyRecordBatch;
use pyo3_arrow::input::AnyRecordBatch;

use crate::chat::text_of;
use crate::error::argument;
use crate::format::{ChatTemplate, Layout, Preset};
use crate::json;
use crate::prompt::{Characters, Tokens, named, tokens};
use crate::tokenizer::AnyTokenizer;

/// What lays the rows out.
enum Source {
    Layout(Box<mct::Layout>),
    Template(Box<mct::ChatTemplate>),
    Preset(Box<mct::preset::SceneFormat>),
}

impl Source {
    fn of(format: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(layout) = format.cast::<Layout>() {
            return Ok(Source::Layout(Box::new(layout.get().layout.in_mode(Mode::Finetuning))));
        }
        if let Ok(template) = format.cast::<ChatTemplate>() {
            return Ok(Source::Template(Box::new(template.get().template.clone())));
        }
        if let Ok(preset) = format.cast::<Preset>() {
            return Ok(Source::Preset(Box::new(preset.get().training_format(format.py())?)));
        }
        Err(PyTypeError::new_err("rows are laid out by a Layout, a ChatTemplate or a Preset"))
    }

    fn render_into(&self, chat: &mct::Chat<'_>, prompt: &mut mct::Prompt) -> Result<(), mct::Error> {
        match self {
            Source::Layout(layout) => layout.render_into(chat, prompt),
            Source::Template(template) => template.render_into(chat, prompt),
            Source::Preset(preset) => preset.render_into(chat, prompt),
        }
    }

    /// What is learnt. A template prints what it likes of a message: there, all replies are learnt, or the last.
    fn mask<'p>(&self, prompt: &'p mct::Prompt, row: &Row<'_>, policy: &TrainingPolicy) -> Result<Mask<'p>, Why> {
        if !matches!(self, Source::Template(_)) || policy.turns == LearntTurns::Everything {
            return Ok(policy.mask(prompt, row)?);
        }
        let learnt = policy.learnt(row);
        let is_reply = |index: usize| row.chat.messages.get(index).is_some_and(|m| m.role() == Role::Assistant);
        let Some(differs) = (0..learnt.len()).find(|index| is_reply(*index) != learnt[*index]) else {
            return Ok(prompt.mask(Learn::Assistant)?);
        };
        let last = (0..learnt.len()).rfind(|index| is_reply(*index));
        let count = learnt.iter().filter(|learnt| **learnt).count();
        if count == 1 && last.is_some_and(|last| learnt[last]) {
            return Ok(prompt.mask(Learn::LastTurn)?);
        }
        let sentence =
            "a template cannot say which of its text is this message's; learn=\"assistant\" learns all replies";
        Err(Why { kind: "weight".to_owned(), at: format!("messages[{differs}]"), sentence: sentence.to_owned() })
    }
}

/// Why a row cannot be used.
struct Why {
    kind: String,
    at: String,
    sentence: String,
}

impl From<mct::Error> for Why {
    fn from(error: mct::Error) -> Self {
        Why { kind: error.kind().name().to_owned(), at: error.at().to_owned(), sentence: error.to_string() }
    }
}

/// What a training row can hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Text,
    Mask,
    InputIds,
    Labels,
    AttentionMask,
    LossMask,
    MessageIndex,
    Length,
    Label,
    Row,
}

const COLUMNS: [(&str, Column); 10] = [
    ("text", Column::Text),
    ("mask", Column::Mask),
    ("input_ids", Column::InputIds),
    ("labels", Column::Labels),
    ("attention_mask", Column::AttentionMask),
    ("loss_mask", Column::LossMask),
    ("message_index", Column::MessageIndex),
    ("length", Column::Length),
    ("label", Column::Label),
    ("row", Column::Row),
];

impl Column {
    fn named(name: &str) -> PyResult<Self> {
        let found = COLUMNS.iter().find(|(known, _)| *known == name);
        let allowed = || COLUMNS.map(|(name, _)| name).join(", ");
        found.map(|(_, column)| *column).ok_or_else(|| argument("columns", name, &allowed()))
    }

    fn name(self) -> &'static str {
        COLUMNS.iter().find(|(_, column)| *column == self).map_or("", |(name, _)| name)
    }

    const fn needs_ids(self) -> bool {
        matches!(
            self,
            Column::InputIds | Column::Labels | Column::AttentionMask | Column::LossMask | Column::MessageIndex
        )
    }
}

/// What is asked for.
struct Plan {
    source: Source,
    tokenizer: Option<AnyTokenizer>,
    reader: RowReader,
    policy: TrainingPolicy,
    repairs: bool,
    max_length: Option<usize>,
    cuts: bool,
    columns: Vec<Column>,
    /// Is a row rejected that has a field which bears on training and is not understood?
    is_strict: bool,
}

/// One prompt of a row.
#[derive(Default)]
struct LaidOut {
    text: String,
    mask: Vec<(usize, usize)>,
    tokens: Tokens,
    length: usize,
}

struct Formatted {
    chosen: LaidOut,
    rejected: Option<LaidOut>,
    label: Option<bool>,
    /// The fields that bear on training, as far as their names say, and were not understood.
    unread: BTreeSet<String>,
}

impl Plan {
    fn format(&self, text: &str, prompt: &mut mct::Prompt) -> Result<Formatted, Why> {
        let mut row = self.reader.read(text)?;
        if let (true, Some(name)) = (self.is_strict, row.notes.unread.first()) {
            let sentence = format!("{name}: the field is not understood, and strict=True rejects its row");
            return Err(Why { kind: "unread_field".to_owned(), at: name.clone(), sentence });
        }
        row.end_with_reply();
        if let Source::Layout(layout) = &self.source {
            row.give_unprinted_ids(layout);
        }
        if let (true, Source::Layout(layout)) = (self.repairs, &self.source) {
            row.repair(layout, &RepairPolicy::for_training())?;
        }
        if let (Some(limit), true) = (self.max_length, self.cuts) {
            let fits = |row: &Row<'_>| {
                self.source.render_into(&row.chat, prompt)?;
                Ok::<_, mct::Error>(self.length(prompt)? <= limit)
            };
            if row.cut(fits)?.is_none() {
                return Err(too_long(limit, "even its first exchange is longer"));
            }
        }
        let chosen = self.lay_out(&row, prompt)?;
        let rejected = row.rejected.as_ref().map(|chat| {
            let mut other = Row::new(chat.clone());
            (other.marks, other.prompt_len) = (vec![None; chat.messages.len()], row.prompt_len);
            self.lay_out(&other, prompt)
        });
        Ok(Formatted { chosen, rejected: rejected.transpose()?, label: row.label, unread: row.notes.unread })
    }

    fn length(&self, prompt: &mct::Prompt) -> Result<usize, mct::Error> {
        match &self.tokenizer {
            Some(tokenizer) => Ok(prompt.encode(tokenizer)?.len()),
            None => Ok(prompt.as_str().chars().count()),
        }
    }

    fn has(&self, column: Column) -> bool {
        self.columns.contains(&column)
    }

    fn lay_out(&self, row: &Row<'_>, prompt: &mut mct::Prompt) -> Result<LaidOut, Why> {
        self.source.render_into(&row.chat, prompt)?;
        let prompt = &*prompt;
        let mask = self.source.mask(prompt, row, &self.policy)?;
        let mut laid_out = LaidOut::default();
        laid_out.length = match &self.tokenizer {
            Some(tokenizer) => {
                laid_out.tokens = tokens(prompt, Some(&mask), tokenizer)?;
                laid_out.tokens.labelled.input_ids.len()
            }
            None => prompt.as_str().chars().count(),
        };
        match self.max_length {
            Some(limit) if laid_out.length > limit => {
                return Err(too_long(limit, &format!("it has {}", laid_out.length)));
            }
            _ => {}
        }
        if self.has(Column::Text) {
            laid_out.text = prompt.as_str().to_owned();
        }
        if self.has(Column::Mask) {
            let mut characters = Characters::of(prompt.as_str());
            laid_out.mask = mask.ranges().iter().map(|range| characters.range(range)).collect();
        }
        Ok(laid_out)
    }
}

fn too_long(limit: usize, why: &str) -> Why {
    let sentence = format!("the row is longer than {limit}: {why}");
    Why { kind: "too_long".to_owned(), at: String::new(), sentence }
}

/// Rows as JSON text.
enum Rows {
    Texts(Vec<String>),
    Batches(Vec<RecordBatch>),
}

impl Rows {
    fn of(rows: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = rows.py();
        if rows.hasattr("__arrow_c_stream__")? || rows.hasattr("__arrow_c_array__")? {
            let reader = rows.extract::<AnyRecordBatch>()?.into_reader()?;
            let batches = py.detach(|| reader.collect::<Result<Vec<_>, _>>());
            return Ok(Rows::Batches(batches.map_err(arrow_error)?));
        }
        if let Ok(mapping) = rows.cast::<PyMapping>() {
            return columns_to_rows(mapping).map(Rows::Texts);
        }
        let mut texts = Vec::new();
        for row in rows.try_iter()? {
            let row = row?;
            texts.push(match text_of(&row)? {
                Some(text) => text.to_string(),
                None => {
                    let mut text = String::new();
                    let place = format!("[{}]", texts.len());
                    json::write(&row, &mut text).map_err(|fault| fault.within(place).into_py(py))?;
                    text
                }
            });
        }
        Ok(Rows::Texts(texts))
    }
}

/// Columns, as `datasets` hands batches over, into a JSON text for each row.
fn columns_to_rows(columns: &Bound<'_, PyMapping>) -> PyResult<Vec<String>> {
    let py = columns.py();
    let columns: Bound<'_, PyDict> = py.get_type::<PyDict>().call1((columns,))?.cast_into()?;
    let mut rows: Vec<String> = Vec::new();
    let members: Vec<_> = columns.iter().collect();
    for (position, (name, values)) in members.iter().enumerate() {
        let name: String = name.extract()?;
        let values = match values.cast::<PyList>() {
            Ok(list) => list.clone(),
            Err(_) => PyList::new(py, values.try_iter()?.collect::<PyResult<Vec<_>>>()?)?,
        };
        if position == 0 {
            rows = vec!["{".to_owned(); values.len()];
        } else if rows.len() != values.len() {
            let sentence = format!("the column {name:?} has {} values, and others {}", values.len(), rows.len());
            return Err(PyValueError::new_err(sentence));
        }
        for (index, (row, value)) in rows.iter_mut().zip(values.iter()).enumerate() {
            if position > 0 {
                row.push(',');
            }
            json::quote(&name, row);
            row.push(':');
            let place = format!("[{index}].{name}");
            json::write(&value, row).map_err(|fault| fault.within(place).into_py(py))?;
        }
    }
    for row in &mut rows {
        row.push('}');
    }
    Ok(rows)
}

fn arrow_error(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What one thread makes of its rows.
#[derive(Default)]
struct Part {
    rows: Vec<(usize, Formatted)>,
    rejects: Vec<(usize, Why)>,
}

impl Part {
    fn of<'t>(plan: &Plan, first: usize, texts: impl Iterator<Item = &'t str>) -> Self {
        let mut prompt = mct::Prompt::new();
        let mut part = Part::default();
        for (index, text) in texts.enumerate() {
            match plan.format(text, &mut prompt) {
                Ok(formatted) => part.rows.push((first + index, formatted)),
                Err(why) => part.rejects.push((first + index, why)),
            }
        }
        part
    }
}

fn format_texts(plan: &Plan, texts: &[String], threads: usize) -> Vec<Part> {
    let share = texts.len().div_ceil(threads.max(1)).max(1);
    if texts.len() <= share {
        return vec![Part::of(plan, 0, texts.iter().map(String::as_str))];
    }
    thread::scope(|scope| {
        let starts = (0..texts.len()).step_by(share);
        let workers: Vec<_> = starts
            .zip(texts.chunks(share))
            .map(|(first, texts)| scope.spawn(move || Part::of(plan, first, texts.iter().map(String::as_str))))
            .collect();
        workers.into_iter().map(joined).collect()
    })
}

fn joined<T>(worker: thread::ScopedJoinHandle<'_, T>) -> T {
    match worker.join() {
        Ok(part) => part,
        // Python is told of it as of a panic here.
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn format_batches(plan: &Plan, batches: &[RecordBatch], threads: usize) -> Result<Vec<Part>, ArrowError> {
    let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let share = total.div_ceil(threads.max(1)).max(1);
    let mut slices = Vec::new();
    let mut first = 0;
    for batch in batches {
        for start in (0..batch.num_rows()).step_by(share) {
            let length = share.min(batch.num_rows() - start);
            slices.push((first + start, batch.slice(start, length)));
        }
        first += batch.num_rows();
    }
    let format = |(first, batch): &(usize, RecordBatch)| {
        // A null is a member that the row has, as it is in a dict: the reader decides what it means.
        let mut writer: LineDelimitedWriter<Vec<u8>> = WriterBuilder::new().with_explicit_nulls(true).build(Vec::new());
        writer.write(batch)?;
        writer.finish()?;
        let lines = String::from_utf8(writer.into_inner()).map_err(|error| ArrowError::JsonError(error.to_string()))?;
        Ok(Part::of(plan, *first, lines.lines()))
    };
    if threads <= 1 || slices.len() <= 1 {
        return slices.iter().map(format).collect();
    }
    let share = slices.len().div_ceil(threads);
    thread::scope(|scope| {
        let workers: Vec<_> = slices
            .chunks(share)
            .map(|slices| scope.spawn(move || slices.iter().map(format).collect::<Result<Vec<_>, _>>()))
            .collect();
        workers
            .into_iter()
            .map(joined)
            .collect::<Result<Vec<_>, _>>()
            .map(|parts| parts.into_iter().flatten().collect())
    })
}

/// Lists of numbers, one a row, of one array.
fn list<T: ArrowPrimitiveType>(values: Vec<T::Native>, lengths: &[usize], nulls: Option<NullBuffer>) -> ListArray {
    let field = Arc::new(Field::new_list_field(T::DATA_TYPE, false));
    let values = Arc::new(PrimitiveArray::<T>::from_iter_values(values));
    ListArray::new(field, OffsetBuffer::from_lengths(lengths.iter().copied()), values, nulls)
}

fn column(column: Column, laid_out: &[Option<&LaidOut>]) -> ArrayRef {
    let has = laid_out.iter().map(Option::is_some);
    let nulls = laid_out.iter().any(Option::is_none).then(|| NullBuffer::from_iter(has));
    let ids = || laid_out.iter().map(|row| row.map_or(0, |row| row.tokens.labelled.input_ids.len()));
    let lengths: Vec<usize> = match column {
        Column::Mask => laid_out.iter().map(|row| row.map_or(0, |row| row.mask.len())).collect(),
        _ => ids().collect(),
    };
    let total = lengths.iter().sum();
    let rows = || laid_out.iter().flatten();
    match column {
        Column::InputIds => {
            let mut values = Vec::with_capacity(total);
            rows().for_each(|row| values.extend(row.tokens.labelled.input_ids.iter().map(|id| id.cast_signed())));
            Arc::new(list::<Int32Type>(values, &lengths, nulls))
        }
        Column::Labels => {
            let mut values = Vec::with_capacity(total);
            rows().for_each(|row| values.extend_from_slice(&row.tokens.labelled.labels));
            Arc::new(list::<Int64Type>(values, &lengths, nulls))
        }
        Column::MessageIndex => {
            let mut values = Vec::with_capacity(total);
            rows().for_each(|row| values.extend(row.tokens.runs.messages()));
            Arc::new(list::<Int32Type>(values, &lengths, nulls))
        }
        Column::AttentionMask => Arc::new(list::<arrow_array::types::Int8Type>(vec![1; total], &lengths, nulls)),
        Column::LossMask => {
            let labels = rows().flat_map(|row| &row.tokens.labelled.labels);
            let values: BooleanArray = labels.map(|label| Some(*label != Labelled::IGNORED)).collect();
            let field = Arc::new(Field::new_list_field(DataType::Boolean, true));
            Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), Arc::new(values), nulls))
        }
        Column::Mask => {
            let edge = |edge: fn(&(usize, usize)) -> usize| -> ArrayRef {
                let edges =
                    rows().flat_map(|row| &row.mask).map(|range| i64::try_from(edge(range)).unwrap_or(i64::MAX));
                Arc::new(Int64Array::from_iter_values(edges))
            };
            let fields = Fields::from(["start", "stop"].map(|name| Field::new(name, DataType::Int64, false)).to_vec());
            let ranges = StructArray::new(fields.clone(), vec![edge(|range| range.0), edge(|range| range.1)], None);
            let field = Arc::new(Field::new_list_field(DataType::Struct(fields), false));
            Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), Arc::new(ranges), nulls))
        }
        Column::Text => Arc::new(StringArray::from_iter(laid_out.iter().map(|row| row.map(|row| &row.text)))),
        Column::Length => {
            let length = |row: &LaidOut| i32::try_from(row.length).unwrap_or(i32::MAX);
            Arc::new(Int32Array::from_iter(laid_out.iter().map(|row| row.map(length))))
        }
        // These are the row's and not a prompt's.
        Column::Label | Column::Row => Arc::new(Int64Array::from(Vec::<i64>::new())),
    }
}

fn batch_of(columns: &[Column], rows: &[(usize, Formatted)]) -> Result<RecordBatch, ArrowError> {
    let mut arrays: Vec<(String, ArrayRef)> = Vec::new();
    let chosen: Vec<_> = rows.iter().map(|(_, row)| Some(&row.chosen)).collect();
    let rejected: Vec<_> = rows.iter().map(|(_, row)| row.rejected.as_ref()).collect();
    let has_pairs = rejected.iter().any(Option::is_some);
    for column in columns {
        let array: ArrayRef = match column {
            Column::Row => Arc::new(Int64Array::from_iter_values(
                rows.iter().map(|(index, _)| i64::try_from(*index).unwrap_or(i64::MAX)),
            )),
            Column::Label => Arc::new(rows.iter().map(|(_, row)| row.label).collect::<BooleanArray>()),
            _ => self::column(*column, &chosen),
        };
        arrays.push((column.name().to_owned(), array));
        if has_pairs && !matches!(column, Column::Row | Column::Label) {
            arrays.push((format!("rejected_{}", column.name()), self::column(*column, &rejected)));
        }
    }
    let fields: Vec<Field> =
        arrays.iter().map(|(name, array)| Field::new(name, array.data_type().clone(), true)).collect();
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let arrays = arrays.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
}

/// Rows of a data set into training rows, and those that cannot be used with the reason.
#[pyfunction]
#[pyo3(signature = (rows, format, vocabulary=None, *, learn="weighted", columns=None, repair=false, max_length=None,
    too_long="drop", nulls="drop_in_tools", think_tags=false, strict=false, threads=None))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn format_batch<'py>(
    rows: &Bound<'py, PyAny>,
    format: &Bound<'py, PyAny>,
    vocabulary: Option<&Bound<'py, PyAny>>,
    learn: &str,
    columns: Option<Vec<String>>,
    repair: bool,
    max_length: Option<usize>,
    too_long: &str,
    nulls: &str,
    think_tags: bool,
    strict: bool,
    threads: Option<usize>,
) -> PyResult<(Bound<'py, PyAny>, Vec<Bound<'py, PyAny>>)> {
    let py = rows.py();
    let tokenizer = vocabulary.map(AnyTokenizer::of).transpose()?;
    let source = Source::of(format)?;
    if let (Source::Layout(layout), Some(tokenizer)) = (&source, &tokenizer) {
        layout.check_tokenizer(tokenizer).map_err(|error| crate::error::to_py(py, &error))?;
    }
    let policy: TrainingPolicy = learn.parse().map_err(|error: mct::train::UnknownPolicy| {
        let mut sentence = String::new();
        let _ = write!(sentence, "learn: {error}");
        PyValueError::new_err(sentence)
    })?;
    let columns = match columns {
        Some(names) => names.iter().map(|name| Column::named(name)).collect::<PyResult<Vec<_>>>()?,
        None if tokenizer.is_some() => vec![Column::InputIds, Column::Labels],
        None => vec![Column::Text, Column::Mask],
    };
    if let (None, Some(column)) = (&tokenizer, columns.iter().find(|column| column.needs_ids())) {
        return Err(PyValueError::new_err(format!("the column {:?} needs a vocabulary", column.name())));
    }
    let cuts = match too_long {
        "drop" => false,
        "cut" => true,
        _ => return Err(argument("too_long", too_long, "drop, cut")),
    };
    let nulls = match nulls {
        "keep" => Nulls::Keep,
        "drop_in_tools" => Nulls::DropInTools,
        "drop_everywhere" => Nulls::DropEverywhere,
        _ => return Err(argument("nulls", nulls, "keep, drop_in_tools, drop_everywhere")),
    };
    let think_tags = if think_tags { ThinkTags::AsThinking } else { ThinkTags::AsText };
    let reader = RowReader::default().with_nulls(nulls).with_think_tags(think_tags);
    let needs_python = matches!(tokenizer, Some(AnyTokenizer::Callable(_)));
    let cores = || thread::available_parallelism().map_or(1, NonZero::get);
    let threads = if needs_python { 1 } else { threads.unwrap_or_else(cores).clamp(1, 256) };
    let plan =
        Plan { source, tokenizer, reader, policy, repairs: repair, max_length, cuts, columns, is_strict: strict };
    let rows = Rows::of(rows)?;
    let work = || {
        let parts = match &rows {
            Rows::Texts(texts) => format_texts(&plan, texts, threads),
            Rows::Batches(batches) => format_batches(&plan, batches, threads)?,
        };
        let (mut rows, mut rejects) = (Vec::new(), Vec::new());
        for part in parts {
            rows.extend(part.rows);
            rejects.extend(part.rejects);
        }
        let mut unread: BTreeMap<String, usize> = BTreeMap::new();
        for name in rows.iter_mut().flat_map(|(_, row)| std::mem::take(&mut row.unread)) {
            *unread.entry(name).or_default() += 1;
        }
        Ok::<_, ArrowError>((batch_of(&plan.columns, &rows)?, rejects, unread))
    };
    let (batch, rejects, unread) = if needs_python { work() } else { py.detach(work) }.map_err(arrow_error)?;
    AnyTokenizer::raised()?;
    if !unread.is_empty() {
        let fields: Vec<_> = unread.iter().map(|(name, count)| format!("{name} ({count} rows)")).collect();
        let sentence = format!("fields that bear on training and are not understood: {}", fields.join(", "));
        py.import("warnings")?.call_method1("warn", (sentence,))?;
    }
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = named(py, &CLASS, "Reject")?;
    let reject = |(row, why): (usize, Why)| class.call1((row, why.kind, why.at, why.sentence));
    let rejects = rejects.into_iter().map(reject).collect::<PyResult<Vec<_>>>()?;
    Ok((PyRecordBatch::new(batch).into_pyarrow(py)?, rejects))
}

/// The lists of a column of ids or labels.
fn lists(batch: &RecordBatch, name: &str) -> PyResult<Vec<Vec<i64>>> {
    let missing = || PyValueError::new_err(format!("there is no column {name:?} of lists of whole numbers"));
    let array = batch.column_by_name(name).ok_or_else(missing)?;
    let values_at = |index: usize| -> Option<ArrayRef> {
        if let Some(lists) = array.as_any().downcast_ref::<ListArray>() {
            return Some(lists.value(index));
        }
        array.as_any().downcast_ref::<LargeListArray>().map(|lists| lists.value(index))
    };
    let numbers = |array: &ArrayRef| -> Option<Vec<i64>> {
        let array = array.as_any();
        if let Some(array) = array.downcast_ref::<PrimitiveArray<Int64Type>>() {
            return Some(array.values().to_vec());
        }
        if let Some(array) = array.downcast_ref::<PrimitiveArray<Int32Type>>() {
            return Some(array.values().iter().map(|value| i64::from(*value)).collect());
        }
        let array = array.downcast_ref::<PrimitiveArray<UInt32Type>>()?;
        Some(array.values().iter().map(|value| i64::from(*value)).collect())
    };
    (0..array.len()).map(|index| values_at(index).and_then(|values| numbers(&values)).ok_or_else(missing)).collect()
}

/// Rows with `input_ids` and `labels` packed, in order, into sequences of at most `length` tokens.
#[pyfunction]
pub(crate) fn pack<'py>(rows: &Bound<'py, PyAny>, length: usize) -> PyResult<Bound<'py, PyAny>> {
    let py = rows.py();
    let mut packer = Packer::new(length);
    let mut sequences = Vec::new();
    let mut add = |input_ids: Vec<i64>, labels: Vec<i64>| -> PyResult<()> {
        if input_ids.len() != labels.len() {
            let sentence = format!("a row has {} input_ids and {} labels", input_ids.len(), labels.len());
            return Err(PyValueError::new_err(sentence));
        }
        let ids = input_ids.iter().map(|id| u32::try_from(*id)).collect::<Result<Vec<_>, _>>();
        let input_ids = ids.map_err(|_| PyValueError::new_err("a token id is negative or too large"))?;
        sequences.extend(packer.add(Labelled { input_ids, labels }));
        Ok(())
    };
    if rows.hasattr("__arrow_c_stream__")? || rows.hasattr("__arrow_c_array__")? {
        for batch in rows.extract::<AnyRecordBatch>()?.into_reader()? {
            let batch = batch.map_err(arrow_error)?;
            for (input_ids, labels) in lists(&batch, "input_ids")?.into_iter().zip(lists(&batch, "labels")?) {
                add(input_ids, labels)?;
            }
        }
    } else {
        let numbers = |row: &Bound<'py, PyAny>, name: &str| -> PyResult<Vec<i64>> {
            let values = row.get_item(name)?;
            match values.getattr_opt("tolist")? {
                Some(to_list) => to_list.call0()?.extract(),
                None => values.extract(),
            }
        };
        for row in rows.try_iter()? {
            let row = row?;
            add(numbers(&row, "input_ids")?, numbers(&row, "labels")?)?;
        }
    }
    sequences.extend(packer.finish());
    let lengths: Vec<usize> = sequences.iter().map(|packed| packed.rows.input_ids.len()).collect();
    let ids = sequences.iter().flat_map(|packed| &packed.rows.input_ids).map(|id| id.cast_signed()).collect();
    let labels = sequences.iter().flat_map(|packed| &packed.rows.labels).copied().collect();
    let positions = sequences.iter().flat_map(|packed| &packed.position_ids).map(|at| at.cast_signed()).collect();
    let starts = sequences.iter().flat_map(|packed| &packed.starts);
    let starts = starts.map(|start| i32::try_from(*start).unwrap_or(i32::MAX)).collect();
    let start_lengths: Vec<usize> = sequences.iter().map(|packed| packed.starts.len()).collect();
    let arrays: [(&str, ListArray); 4] = [
        ("input_ids", list::<Int32Type>(ids, &lengths, None)),
        ("labels", list::<Int64Type>(labels, &lengths, None)),
        ("position_ids", list::<Int32Type>(positions, &lengths, None)),
        ("starts", list::<Int32Type>(starts, &start_lengths, None)),
    ];
    let batch = RecordBatch::try_from_iter(arrays.map(|(name, array)| (name, Arc::new(array) as ArrayRef)));
    PyRecordBatch::new(batch.map_err(arrow_error)?).into_pyarrow(py)
}
