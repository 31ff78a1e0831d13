//! The rows of a Parquet file as lines of JSON.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};

/// Reads a Parquet file as a line a row.
pub(crate) struct ParquetLines {
    rows: RowIter<'static>,
    line: Vec<u8>,
    given: usize,
    position: Arc<AtomicU64>,
    size: u64,
    rows_read: u64,
    row_count: u64,
}

impl ParquetLines {
    pub(crate) fn open(file: File, position: Arc<AtomicU64>) -> io::Result<Self> {
        let size = file.metadata()?.len();
        let reader = SerializedFileReader::new(file).map_err(fault)?;
        let row_count = u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or_default();
        let rows = RowIter::from_file_into(Box::new(reader));
        Ok(ParquetLines { rows, line: Vec::new(), given: 0, position, size, rows_read: 0, row_count })
    }
}

fn fault(error: ParquetError) -> io::Error {
    io::Error::other(format!("this Parquet cannot be read: {error}"))
}

impl Read for ParquetLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.line.len() {
            self.line.clear();
            self.given = 0;
            let Some(row) = self.rows.next() else { return Ok(0) };
            write_row(&row.map_err(fault)?, &mut self.line)?;
            self.line.push(b'\n');
            self.rows_read += 1;
            let done = self.rows_read as f64 / self.row_count.max(1) as f64;
            self.position.store((done * self.size as f64) as u64, Ordering::Relaxed);
        }
        let rest = self.line.get(self.given..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given += count;
        Ok(count)
    }
}

fn write_row(row: &Row, out: &mut Vec<u8>) -> io::Result<()> {
    out.push(b'{');
    for (index, (name, field)) in row.get_column_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, name)?;
        out.push(b':');
        write_field(field, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// A value as JSON: numbers as numbers, bytes as base64, dates and decimals as their text.
fn write_field(field: &Field, out: &mut Vec<u8>) -> io::Result<()> {
    match field {
        Field::Null => out.extend_from_slice(b"null"),
        Field::Bool(value) => write!(out, "{value}")?,
        Field::Byte(value) => write!(out, "{value}")?,
        Field::Short(value) => write!(out, "{value}")?,
        Field::Int(value) => write!(out, "{value}")?,
        Field::Long(value) => write!(out, "{value}")?,
        Field::UByte(value) => write!(out, "{value}")?,
        Field::UShort(value) => write!(out, "{value}")?,
        Field::UInt(value) => write!(out, "{value}")?,
        Field::ULong(value) => write!(out, "{value}")?,
        Field::Float(value) => serde_json::to_writer(&mut *out, value)?,
        Field::Double(value) => serde_json::to_writer(&mut *out, value)?,
        Field::Str(text) => serde_json::to_writer(&mut *out, text)?,
        Field::Bytes(bytes) => match str::from_utf8(bytes.data()) {
            // What is not marked as text is text more often than not.
            Ok(text) => serde_json::to_writer(&mut *out, text)?,
            Err(_) => serde_json::to_writer(&mut *out, &BASE64_STANDARD.encode(bytes.data()))?,
        },
        Field::Group(row) => write_row(row, out)?,
        Field::ListInternal(list) => {
            out.push(b'[');
            for (index, field) in list.elements().iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_field(field, out)?;
            }
            out.push(b']');
        }
        Field::MapInternal(map) => {
            out.push(b'{');
            for (index, (key, value)) in map.entries().iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                match key {
                    Field::Str(key) => serde_json::to_writer(&mut *out, key)?,
                    other => serde_json::to_writer(&mut *out, &other.to_string())?,
                }
                out.push(b':');
                write_field(value, out)?;
            }
            out.push(b'}');
        }
        other => serde_json::to_writer(&mut *out, &other.to_string())?,
    }
    Ok(())
}
