//! Blocks of lines from a reader to the formatters in turn, and back in the same order to the writer.
//!
//! Each formatter has a queue of its own on either side. The reader deals blocks out round by round and the writer takes
//! them up likewise, so the order needs no sorting; the queues are short, so that memory is bounded.

use std::error::Error;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use crate::formatter::{Formatter, Reason, Written};
use crate::input::Input;
use crate::interrupt;
use crate::options::{OnError, Options};
use crate::progress::Progress;
use crate::sink::Sink;
use crate::source::Source;
use crate::summary::Noticed;
use crate::vocabulary::Vocabulary;

const BLOCK_SIZE: usize = 1 << 20;

/// How many blocks wait before a formatter, and how many behind it.
const QUEUE_LENGTH: usize = 2;

/// How often the writer looks whether it is interrupted, while nothing comes.
const PATIENCE: Duration = Duration::from_millis(200);

/// Some whole lines, and what has become of them.
#[derive(Default)]
pub(crate) struct Block {
    input: Vec<u8>,
    /// The number of lines before the block.
    lines_before: u64,
    pub(crate) output: Vec<u8>,
    /// What stands in the output, row by row.
    pub(crate) rows: Vec<Row>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) noticed: Noticed,
    /// The bytes and lines that were taken: fewer than there are where a reject stops the run.
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    /// Does the run stop at the line that follows those taken?
    pub(crate) stop: Option<Reject>,
}

impl Block {
    /// The row of the line that begins at this byte offset.
    pub(crate) fn line_at(&self, bytes_before: u64) -> &[u8] {
        let rest = usize::try_from(bytes_before).ok().and_then(|start| self.input.get(start..)).unwrap_or_default();
        row_of(rest.split(|byte| *byte == b'\n').next().unwrap_or_default())
    }

    /// The bytes that were taken.
    pub(crate) fn taken(&self) -> &[u8] {
        usize::try_from(self.bytes).ok().and_then(|bytes| self.input.get(..bytes)).unwrap_or_default()
    }
}

/// A row of a block's output.
pub(crate) struct Row {
    /// Where its line ends in the output.
    pub(crate) end: usize,
    /// The lines and bytes before its own in the block.
    pub(crate) lines_before: u64,
    pub(crate) bytes_before: u64,
    pub(crate) written: Written,
}

/// A row that cannot be used.
pub(crate) struct Reject {
    /// The lines and bytes before it in its block.
    pub(crate) lines_before: u64,
    pub(crate) bytes_before: u64,
    pub(crate) reason: Reason,
    /// The row as it lies in the input.
    pub(crate) row: Vec<u8>,
}

/// Runs to the end of the input, or to what stops it; the sink comes back to be finished.
pub(crate) fn run(
    options: &Options,
    source: &Source,
    vocabulary: Option<&Vocabulary>,
    input: Input,
    sink: Sink,
) -> (Result<(), Box<dyn Error>>, Sink) {
    let progress = Progress::new(options, &sink, &input);
    let Input { reader, .. } = input;
    let (free, freed) = channel();
    let lines_before = sink.place().line;
    thread::scope(|scope| {
        let (mut to_formatters, mut from_formatters) = (Vec::new(), Vec::new());
        for _ in 0..options.threads.get() {
            let (to_formatter, blocks) = sync_channel(QUEUE_LENGTH);
            let (done, from_formatter) = sync_channel(QUEUE_LENGTH);
            let formatter = Formatter::new(options, source, vocabulary);
            scope.spawn(move || format_blocks(formatter, &options.on_error, &blocks, &done));
            to_formatters.push(to_formatter);
            from_formatters.push(from_formatter);
        }
        let reader = scope.spawn(move || read_blocks(reader, lines_before, &freed, &to_formatters));
        let (written, sink) = write_blocks(&from_formatters, options, sink, &free, &progress);
        drop(from_formatters);
        let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (written.and_then(|()| Ok(read?)), sink)
    })
}

/// Reads blocks of whole lines; the last line may lack its end.
fn read_blocks(
    mut input: impl Read,
    mut lines_before: u64,
    freed: &Receiver<Block>,
    queues: &[SyncSender<Block>],
) -> io::Result<()> {
    let mut rest = Vec::new();
    for queue in queues.iter().cycle() {
        let mut block = freed.try_recv().unwrap_or_default();
        block.input.clear();
        block.input.append(&mut rest);
        let mut has_ended = false;
        while !has_ended {
            let searched = block.input.len();
            has_ended = input.by_ref().take(BLOCK_SIZE as u64).read_to_end(&mut block.input)? < BLOCK_SIZE;
            let new = block.input.get(searched..).unwrap_or_default();
            if let Some(last) = new.iter().rposition(|byte| *byte == b'\n') {
                if !has_ended {
                    rest.extend_from_slice(new.get(last + 1..).unwrap_or_default());
                    block.input.truncate(searched + last + 1);
                }
                break;
            }
        }
        block.lines_before = lines_before;
        lines_before += block.input.iter().filter(|byte| **byte == b'\n').count() as u64;
        // A queue whose other end is gone belongs to a run that has stopped.
        if queue.send(block).is_err() || has_ended {
            break;
        }
    }
    Ok(())
}

fn format_blocks(mut formatter: Formatter<'_>, on_error: &OnError, blocks: &Receiver<Block>, done: &SyncSender<Block>) {
    for mut block in blocks {
        format_block(&mut formatter, on_error, &mut block);
        if done.send(block).is_err() {
            return;
        }
    }
}

fn format_block(formatter: &mut Formatter<'_>, on_error: &OnError, block: &mut Block) {
    let Block { input, lines_before, output, rows, rejects, noticed, bytes, lines, stop } = block;
    output.clear();
    rows.clear();
    rejects.clear();
    (*noticed, *bytes, *lines, *stop) = (Noticed::default(), 0, 0, None);
    for (line, text) in lines_of(input) {
        let row = row_of(line);
        if !row.is_empty() {
            let number = *lines_before + *lines + 1;
            match text.and_then(|text| formatter.format(text_of(text), number, noticed, output)) {
                Ok(written) => {
                    rows.push(Row { end: output.len(), lines_before: *lines, bytes_before: *bytes, written });
                }
                Err(reason) => {
                    let reject = Reject { lines_before: *lines, bytes_before: *bytes, reason, row: row.to_vec() };
                    if *on_error == OnError::Stop {
                        *stop = Some(reject);
                        return;
                    }
                    rejects.push(reject);
                }
            }
        }
        *bytes += line.len() as u64;
        *lines += 1;
    }
}

/// The mark that Windows sets before UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

fn row_of(line: &[u8]) -> &[u8] {
    line.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(line).trim_ascii()
}

fn text_of(line: &str) -> &str {
    line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii()
}

/// Lines, each with its text.
type Lines<'b> = Box<dyn Iterator<Item = (&'b [u8], Result<&'b str, Reason>)> + 'b>;

fn lines_of(block: &[u8]) -> Lines<'_> {
    // Most blocks are text as a whole, which is faster to check than line by line.
    match str::from_utf8(block) {
        Ok(text) => Box::new(text.split_inclusive('\n').map(|line| (line.as_bytes(), Ok(line)))),
        Err(_) => Box::new(block.split_inclusive(|byte| *byte == b'\n').map(|line| {
            let not_text = |error| Reason { kind: "utf8", sentence: format!("the line is not UTF-8: {error}") };
            (line, str::from_utf8(line).map_err(not_text))
        })),
    }
}

fn write_blocks(
    queues: &[Receiver<Block>],
    options: &Options,
    mut sink: Sink,
    free: &Sender<Block>,
    progress: &Progress,
) -> (Result<(), Box<dyn Error>>, Sink) {
    for queue in queues.iter().cycle() {
        let block = loop {
            if interrupt::is_wanted() {
                progress.clear();
                // The reader may wait for a terminal or a pipe, and nothing is lost by not waiting for it.
                interrupt::leave(options, sink);
            }
            match queue.recv_timeout(PATIENCE) {
                Ok(block) => break Some(block),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break None,
            }
        };
        let Some(block) = block else { break };
        if let Err(error) = sink.write(&block, progress) {
            return (Err(error), sink);
        }
        if let Some(Reject { reason, .. }) = &block.stop {
            let error = format!("line {}: {}", sink.place().line + 1, reason.sentence);
            return (Err(error.into()), sink);
        }
        // The reader may have come to the end, and needs no more blocks.
        let _ = free.send(block);
    }
    (Ok(()), sink)
}
