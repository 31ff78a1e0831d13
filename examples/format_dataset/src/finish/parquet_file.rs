//! Lines of JSON as a Parquet file: the columns that any line has, each of the type that its values have.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use serde_json::{Map, Value};

/// How many bytes of lines make a group of rows.
const GROUP_SIZE: usize = 32 << 20;

type Lines<'l> = dyn Fn() -> io::Result<Box<dyn Iterator<Item = io::Result<Vec<u8>>>>> + 'l;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Bool,
    Int,
    Bools,
    Ints,
    IntLists,
    Texts,
    /// Text; what is of no type above, as JSON.
    Text,
}

impl Kind {
    /// What a value is; nothing of null and of an empty list, which are of any type.
    fn of(name: &str, value: &Value) -> Option<Self> {
        match (name, value) {
            // Whatever rows they come from, these are JSON.
            ("columns" | "segments" | "chosen_segments" | "rejected_segments", Value::Null) => None,
            ("columns" | "segments" | "chosen_segments" | "rejected_segments", _) => Some(Kind::Text),
            (_, Value::Null) => None,
            (_, Value::Bool(_)) => Some(Kind::Bool),
            (_, Value::Number(_)) => Some(Kind::Int),
            (_, Value::String(_) | Value::Object(_)) => Some(Kind::Text),
            (_, Value::Array(items)) => match items.first()? {
                Value::Bool(_) => Some(Kind::Bools),
                Value::Number(_) => Some(Kind::Ints),
                Value::Array(_) => Some(Kind::IntLists),
                Value::String(_) => Some(Kind::Texts),
                Value::Null | Value::Object(_) => Some(Kind::Text),
            },
        }
    }

    /// The type in Parquet's words.
    fn declaration(self, name: &str) -> String {
        let list = |of: &str| format!("OPTIONAL group {name} (LIST) {{ REPEATED group list {{ {of} }} }}");
        match self {
            Kind::Bool => format!("OPTIONAL BOOLEAN {name};"),
            Kind::Int => format!("OPTIONAL INT64 {name};"),
            Kind::Text => format!("OPTIONAL BYTE_ARRAY {name} (UTF8);"),
            Kind::Bools => list("REQUIRED BOOLEAN element;"),
            Kind::Ints => list("REQUIRED INT64 element;"),
            Kind::Texts => list("REQUIRED BYTE_ARRAY element (UTF8);"),
            Kind::IntLists => list("REQUIRED group element (LIST) { REPEATED group list { REQUIRED INT64 element; } }"),
        }
    }
}

/// Writes the lines, which are read twice: once for their columns.
pub(super) fn write(lines: &Lines<'_>, file: File) -> io::Result<File> {
    let columns = columns_of(lines)?;
    let mut schema = String::from("message row { ");
    for (name, kind) in &columns {
        let _ = write!(schema, "{} ", kind.declaration(name));
    }
    schema.push('}');
    let schema = Arc::new(parse_message_type(&schema).map_err(fault)?);
    let compression = Compression::ZSTD(ZstdLevel::default());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(file, schema, properties).map_err(fault)?;
    let (mut rows, mut size) = (Vec::new(), 0);
    for line in lines()? {
        let line = line?;
        size += line.len();
        rows.push(serde_json::from_slice(&line)?);
        if size > GROUP_SIZE {
            write_group(&mut writer, &columns, &rows)?;
            (rows, size) = (Vec::new(), 0);
        }
    }
    if !rows.is_empty() {
        write_group(&mut writer, &columns, &rows)?;
    }
    writer.into_inner().map_err(fault)
}

fn fault(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

/// The columns in the order in which they come, and what they hold.
fn columns_of(lines: &Lines<'_>) -> io::Result<Vec<(String, Kind)>> {
    let (mut kinds, mut order) = (BTreeMap::<String, Option<Kind>>::new(), Vec::new());
    for line in lines()? {
        let row: Map<String, Value> = serde_json::from_slice(&line?)?;
        for (name, value) in row {
            let kind = Kind::of(&name, &value);
            match kinds.get_mut(&name) {
                Some(known) => *known = (*known).max(kind),
                None => {
                    order.push(name.clone());
                    kinds.insert(name, kind);
                }
            }
        }
    }
    // A column that holds nothing anywhere is a list of nothing.
    let kind_of = |name: String| {
        let kind = kinds.get(&name).copied().flatten().unwrap_or(Kind::Texts);
        (name, kind)
    };
    Ok(order.into_iter().map(kind_of).collect())
}

fn write_group(
    writer: &mut SerializedFileWriter<File>,
    columns: &[(String, Kind)],
    rows: &[Map<String, Value>],
) -> io::Result<()> {
    let mut group = writer.next_row_group().map_err(fault)?;
    for (name, kind) in columns {
        let values = rows.iter().map(|row| row.get(name).unwrap_or(&Value::Null));
        match kind {
            Kind::Bool => write_column::<BoolType>(&mut group, Levels::flat(values, Value::as_bool))?,
            Kind::Int => write_column::<Int64Type>(&mut group, Levels::flat(values, Value::as_i64))?,
            Kind::Text => write_column::<ByteArrayType>(&mut group, Levels::flat(values, text))?,
            Kind::Bools => write_column::<BoolType>(&mut group, Levels::lists(values, Value::as_bool))?,
            Kind::Ints => write_column::<Int64Type>(&mut group, Levels::lists(values, Value::as_i64))?,
            Kind::Texts => write_column::<ByteArrayType>(&mut group, Levels::lists(values, text))?,
            Kind::IntLists => write_column::<Int64Type>(&mut group, Levels::lists_of_lists(values))?,
        }
    }
    group.close().map_err(fault)?;
    Ok(())
}

fn text(value: &Value) -> Option<ByteArray> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(ByteArray::from(text.as_str())),
        other => Some(ByteArray::from(other.to_string().into_bytes())),
    }
}

/// The values of a column, and how each stands in its row: Parquet's definition and repetition levels.
struct Levels<T> {
    values: Vec<T>,
    definitions: Vec<i16>,
    repetitions: Option<Vec<i16>>,
}

impl<T> Levels<T> {
    fn flat<'v>(column: impl Iterator<Item = &'v Value>, read: impl Fn(&Value) -> Option<T>) -> Self {
        let (mut values, mut definitions) = (Vec::new(), Vec::new());
        for value in column {
            let value = read(value);
            definitions.push(i16::from(value.is_some()));
            values.extend(value);
        }
        Levels { values, definitions, repetitions: None }
    }

    fn lists<'v>(column: impl Iterator<Item = &'v Value>, read: impl Fn(&Value) -> Option<T>) -> Self {
        let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
        for value in column {
            let items = value.as_array();
            let Some(items) = items.filter(|items| !items.is_empty()) else {
                definitions.push(i16::from(value.is_array()));
                repetitions.push(0);
                continue;
            };
            for (index, value) in items.iter().filter_map(&read).enumerate() {
                values.push(value);
                definitions.push(2);
                repetitions.push(i16::from(index > 0));
            }
        }
        Levels { values, definitions, repetitions: Some(repetitions) }
    }
}

impl Levels<i64> {
    fn lists_of_lists<'v>(column: impl Iterator<Item = &'v Value>) -> Self {
        let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
        for value in column {
            let items = value.as_array();
            let Some(lists) = items.filter(|items| !items.is_empty()) else {
                definitions.push(i16::from(value.is_array()));
                repetitions.push(0);
                continue;
            };
            for (outer, list) in lists.iter().enumerate() {
                let numbers: Vec<i64> = list.as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
                if numbers.is_empty() {
                    definitions.push(2);
                    repetitions.push(i16::from(outer > 0));
                }
                for (inner, number) in numbers.into_iter().enumerate() {
                    values.push(number);
                    definitions.push(3);
                    repetitions.push(if inner > 0 { 2 } else { i16::from(outer > 0) });
                }
            }
        }
        Levels { values, definitions, repetitions: Some(repetitions) }
    }
}

fn write_column<T: DataType>(group: &mut SerializedRowGroupWriter<'_, File>, levels: Levels<T::T>) -> io::Result<()> {
    let Some(mut column) = group.next_column().map_err(fault)? else {
        return Err(io::Error::other("the file has fewer columns than its rows"));
    };
    let Levels { values, definitions, repetitions } = levels;
    column.typed::<T>().write_batch(&values, Some(&definitions), repetitions.as_deref()).map_err(fault)?;
    column.close().map_err(fault)
}
