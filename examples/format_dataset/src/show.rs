//! One row, as it is laid out, with what is learnt in colour: `--show N`.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use mistral_chat_template::Prompt;
use mistral_chat_template::train::Mask;
use mistral_chat_template::train::Row;

use crate::formatter::Formatter;
use crate::input::Input;
use crate::mark::Taken;
use crate::options::Options;
use crate::source::Source;
use crate::summary::Noticed;
use crate::vocabulary::Vocabulary;

const LEARNT: Style = AnsiColor::Green.on_default().bold();
const CONTEXT: Style = Style::new().dimmed();

/// Shows the row of this number, counted from 1.
pub(crate) fn row(
    options: &Options,
    source: &Source,
    vocabulary: Option<&Vocabulary>,
    number: u64,
) -> Result<ExitCode, Box<dyn Error>> {
    let input = Input::open(options.input.as_deref(), 0, Taken::default())?;
    let at = usize::try_from(number.saturating_sub(1))?;
    let Some(line) = BufReader::new(input.reader).split(b'\n').nth(at) else {
        return Err(format!("the input has no row {number}").into());
    };
    let line = String::from_utf8(line?)?;
    let formatter = Formatter::new(options, source, vocabulary);
    let refused = |error: crate::formatter::Reason| format!("row {number}: {}", error.sentence);
    let mut row = formatter.read(line.trim().trim_start_matches('\u{feff}')).map_err(refused)?;
    let repairs = formatter.prepare(&mut row, &mut Noticed::default()).map_err(refused)?;
    let mut out = anstream::stdout();
    for repair in &repairs {
        writeln!(out, "{repair}")?;
    }
    let mut prompt = Prompt::new();
    show(&mut out, formatter.lay_out(&row, &mut prompt).map_err(refused)?)?;
    if let Some(chat) = row.rejected.take() {
        let mut rejected = Row::new(chat);
        rejected.prompt_len = row.prompt_len;
        writeln!(out, "rejected:")?;
        show(&mut out, formatter.lay_out(&rejected, &mut prompt).map_err(refused)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(out: &mut impl Write, (prompt, mask): (&Prompt, Mask<'_>)) -> std::io::Result<()> {
    let text = prompt.as_str();
    let mut shown = 0;
    for range in mask.ranges() {
        write!(out, "{CONTEXT}{}{CONTEXT:#}", visible(text.get(shown..range.start)))?;
        write!(out, "{LEARNT}{}{LEARNT:#}", visible(text.get(range.clone())))?;
        shown = range.end;
    }
    writeln!(out, "{CONTEXT}{}{CONTEXT:#}", visible(text.get(shown..)))
}

/// A text that moves no cursor: its controls spelt out, but for line ends.
fn visible(text: Option<&str>) -> String {
    let spelt = |c: char| if c.is_control() && c != '\n' { c.escape_unicode().to_string() } else { c.to_string() };
    text.unwrap_or_default().chars().map(spelt).collect()
}
