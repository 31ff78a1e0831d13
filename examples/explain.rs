//! A prompt from a server's log: which layout it is nearest to, and what is wrong with it.
//!
//! ```sh
//! printf '<s><s>[INST]Hi [/INST]' | cargo run --example explain -- --layout v3
//! ```

use std::io::{self, Read, Write};
use std::process::ExitCode;

use mistral_chat_template::Layout;
use mistral_chat_template::explain::{Deviation, Explanation};

#[path = "support/terminal.rs"]
mod terminal;

use terminal::Colour;

const HELP: &str = "\
Explains a prompt: which layout it is nearest to, where it is not what that layout writes, and the mend.

Usage: explain [OPTIONS] [FILE]

  FILE             the prompt; - or nothing for standard input
  --layout NAME    v3, v7-tekken, v13+think … or a model's name (default: the nearest)
  --system TEXT    the system prompt, to see whether it stands in the right turn
  --mend           print the mended prompt and nothing else
  --help           print this

A single line break at the end of the input is not part of the prompt.
Exits with 1 where something is wrong. NO_COLOR turns colour off.";

#[derive(Default)]
struct Options {
    layout: Option<Layout>,
    system: Option<String>,
    mend: bool,
    file: Option<String>,
}

fn options() -> Result<Option<Options>, String> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--layout" => options.layout = Some(value()?.parse().map_err(|error| format!("{error}"))?),
            "--system" => options.system = Some(value()?),
            "--mend" => options.mend = true,
            unknown if unknown.starts_with("--") => return Err(format!("{unknown} is not an option; see --help")),
            file => options.file = Some(file.to_owned()),
        }
    }
    Ok(Some(options))
}

fn prompt(file: Option<&str>) -> Result<String, String> {
    let mut prompt = String::new();
    match file {
        None | Some("-") => {
            io::stdin().read_to_string(&mut prompt).map_err(|error| format!("standard input: {error}"))?;
        }
        Some(file) => prompt = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?,
    }
    if prompt.ends_with('\n') {
        prompt.pop();
    }
    Ok(prompt)
}

/// The explanation to show, and the layouts that are as near.
fn explained<'p>(prompt: &'p str, options: &Options) -> (Option<Explanation<'p>>, Vec<&'static str>) {
    let system = |layout: &Layout| match &options.system {
        Some(system) => Explanation::with_system(prompt, layout, system),
        None => Explanation::new(prompt, layout),
    };
    if let Some(layout) = &options.layout {
        return (Some(system(layout)), Vec::new());
    }
    let nearest = Explanation::nearest(prompt);
    let least = nearest.first().map_or(0, |nearest| nearest.deviations.len());
    let as_near = nearest.iter().skip(1).take_while(|other| other.deviations.len() == least);
    (nearest.first().map(|nearest| system(&nearest.layout)), as_near.map(|other| other.layout.name).collect())
}

/// The prompt with what is wrong in red and what belongs there in green, or in `[-…-]` and `{+…+}`; line breaks are shown.
fn show_prompt(explanation: &Explanation<'_>, colour: Colour, output: &mut impl Write) -> io::Result<()> {
    let shown =
        |range: std::ops::Range<usize>| explanation.prompt.get(range).unwrap_or_default().replace('\n', "\\n\n");
    let mut end = 0;
    for Deviation { range, mend, .. } in &explanation.deviations {
        if range.start < end || range.len() == explanation.prompt.len() {
            continue;
        }
        write!(output, "{}", shown(end..range.start))?;
        let (wrong, right) = (shown(range.clone()), mend.as_deref().unwrap_or_default().replace('\n', "\\n\n"));
        match colour {
            Colour::On => write!(output, "{}{}", colour.paint(41, wrong), colour.paint(42, right))?,
            Colour::Off => {
                let marked = |open: &str, text: String, close: &str| match text.as_str() {
                    "" => text,
                    _ => [open, &text, close].concat(),
                };
                write!(output, "{}{}", marked("[-", wrong, "-]"), marked("{+", right, "+}"))?;
            }
        }
        end = range.end;
    }
    writeln!(output, "{}\n", shown(end..explanation.prompt.len()))
}

fn show(explanation: &Explanation<'_>, as_near: &[&str], colour: Colour, output: &mut impl Write) -> io::Result<()> {
    let name = explanation.layout.name;
    match (explanation.deviations.len(), as_near) {
        (0, []) => writeln!(output, "{} writes this prompt.", colour.paint(1, name))?,
        (0, others) => {
            writeln!(output, "{} writes this prompt, and so do {}.", colour.paint(1, name), others.join(", "))?
        }
        (count, others) => {
            let things = if count == 1 { "One thing is" } else { "Some things are" };
            write!(output, "{things} not as {} writes a prompt", colour.paint(1, name))?;
            match others {
                [] => writeln!(output, ":\n")?,
                _ => writeln!(output, " (as near: {}):\n", others.join(", "))?,
            }
        }
    }
    if !explanation.deviations.is_empty() {
        show_prompt(explanation, colour, output)?;
    }
    for deviation in &explanation.deviations {
        let at = colour.paint(2, format!("{:>5}", deviation.range.start));
        writeln!(output, "{at}  {}", colour.paint(31, deviation))?;
        let wrong = explanation.prompt.get(deviation.range.clone()).unwrap_or_default();
        match deviation.mend.as_deref() {
            None => {}
            Some("") => writeln!(output, "       remove {wrong:?}")?,
            Some(mend) if wrong.is_empty() => {
                writeln!(output, "       insert {}", colour.paint(32, format!("{mend:?}")))?
            }
            Some(mend) => writeln!(output, "       write {} for {wrong:?}", colour.paint(32, format!("{mend:?}")))?,
        }
    }
    Ok(())
}

fn run() -> Result<ExitCode, String> {
    let Some(options) = options()? else {
        println!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let prompt = prompt(options.file.as_deref())?;
    let (Some(explanation), as_near) = explained(&prompt, &options) else {
        return Err("there is no layout".to_owned());
    };
    let mut output = io::stdout().lock();
    let colour = Colour::of(&output);
    let shown = match options.mend {
        true => writeln!(output, "{}", explanation.mended()),
        false => show(&explanation, &as_near, colour, &mut output),
    };
    match shown {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.to_string()),
        _ => {}
    }
    Ok(if explanation.deviations.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("explain: {error}");
        ExitCode::from(2)
    })
}
