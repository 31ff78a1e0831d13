//! Blocks of lines from a reader to the formatters in turn, and back in the same order to the writer.
//!
//! Each formatter has a queue of its own on either side. The reader deals blocks out round by round and the writer takes
//! them up likewise, so the order needs no sorting; the queues are short, so that memory is bounded.

use std::error::Error;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use crate::options::{OnError, Options};
use crate::progress::Progress;
use crate::row::{Formatter, Reason};
use crate::sink::{Input, Sink};
use crate::source::Source;
use crate::summary::Lengths;
use crate::vocabulary::Vocabulary;

const BLOCK_SIZE: usize = 1 << 20;

/// How many blocks wait before a formatter, and how many behind it.
const QUEUE_LENGTH: usize = 2;

/// Some whole lines, and what has become of them.
#[derive(Default)]
pub(crate) struct Block {
    input: Vec<u8>,
    pub(crate) output: Vec<u8>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) lengths: Lengths,
    /// The bytes and lines that were taken: fewer than there are where a reject stops the run.
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    /// Does the run stop at the line that follows those taken?
    pub(crate) stop: Option<Reject>,
}

/// A row that cannot be used.
pub(crate) struct Reject {
    /// The number of lines before it in its block.
    pub(crate) lines_before: u64,
    pub(crate) reason: Reason,
    pub(crate) row: String,
}

pub(crate) fn run(
    options: &Options,
    source: &Source,
    vocabulary: Option<&Vocabulary>,
    input: Input,
    sink: &mut Sink,
) -> Result<(), Box<dyn Error>> {
    let progress = Progress::new(options, sink)?;
    let (free, freed) = channel();
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
        let reader = scope.spawn(move || read_blocks(input, &freed, &to_formatters));
        write_blocks(&from_formatters, sink, &free, &progress)?;
        drop(from_formatters);
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(())
    })
}

/// Reads blocks of whole lines; the last line may lack its end.
fn read_blocks(mut input: impl Read, freed: &Receiver<Block>, queues: &[SyncSender<Block>]) -> io::Result<()> {
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
    let Block { input, output, rejects, lengths, bytes, lines, stop } = block;
    output.clear();
    rejects.clear();
    (*lengths, *bytes, *lines, *stop) = (Lengths::default(), 0, 0, None);
    for (line, text) in lines_of(input) {
        if !line.trim_ascii().is_empty() {
            match text.and_then(|text| formatter.format(text.trim_ascii(), output)) {
                Ok(length) => lengths.add(length),
                Err(reason) => {
                    let row = String::from_utf8_lossy(line.trim_ascii()).into_owned();
                    let reject = Reject { lines_before: *lines, reason, row };
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

/// Lines, each with its text.
type Lines<'b> = Box<dyn Iterator<Item = (&'b [u8], Result<&'b str, Reason>)> + 'b>;

fn lines_of(block: &[u8]) -> Lines<'_> {
    // Most blocks are text as a whole, which is told faster than line by line.
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
    sink: &mut Sink,
    free: &Sender<Block>,
    progress: &Progress,
) -> Result<(), Box<dyn Error>> {
    for queue in queues.iter().cycle() {
        let Ok(block) = queue.recv() else { break };
        sink.write(&block, progress)?;
        if let Some(Reject { reason, .. }) = &block.stop {
            return Err(format!("line {}: {}", sink.place().line + 1, reason.sentence).into());
        }
        // The reader may have come to the end, and needs no more blocks.
        let _ = free.send(block);
    }
    Ok(())
}
