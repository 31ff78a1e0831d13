//! What a line is answered with.

use std::io::{self, Write};

use mistral_chat_template::error::Family;
use mistral_chat_template::{Error, Prompt};
use serde::Serialize;

use crate::completion_line::Answer;
use crate::living::News;
use crate::segments::Segments;

/// Why a line was refused.
#[derive(serde::Serialize)]
pub(crate) struct Refusal<'a> {
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    ok: bool,
    kind: String,
    family: &'static str,
    at: String,
    error: String,
}

impl<'a> Refusal<'a> {
    pub(crate) fn of(id: Option<&'a str>, error: &Error) -> Self {
        Refusal {
            id,
            line: None,
            ok: false,
            kind: error.kind().name().to_owned(),
            family: error.family().as_str(),
            at: error.at().to_owned(),
            error: error.to_string(),
        }
    }

    /// This refusal with the number of the line, for a line whose id cannot be read.
    pub(crate) fn at_line(self, number: usize) -> Self {
        Refusal { line: Some(number), ..self }
    }

    /// A refusal of the line itself.
    pub(crate) fn new(id: Option<&'a str>, kind: &str, family: Family, at: &str, error: impl Into<String>) -> Self {
        Refusal {
            id,
            line: None,
            ok: false,
            kind: kind.to_owned(),
            family: family.as_str(),
            at: at.to_owned(),
            error: error.into(),
        }
    }
}

/// A prompt.
#[derive(serde::Serialize)]
struct Rendered<'a> {
    id: Option<&'a str>,
    pub(crate) ok: bool,
    string: &'a str,
    plain: String,
    segments: Segments<'a>,
    stop: Vec<&'a str>,
    #[serde(flatten)]
    news: &'a News,
}

pub(crate) fn write_prompt(output: &mut impl Write, id: Option<&str>, prompt: &Prompt, news: &News) -> io::Result<()> {
    let rendered = Rendered {
        id,
        ok: true,
        string: prompt.as_str(),
        plain: prompt.plain(),
        segments: Segments { prompt, start: 0 },
        stop: prompt.stop_strings().iter().map(|stop| &**stop).collect(),
        news,
    };
    write_json(output, &rendered)
}

/// What a completion says; what is wrong with it stands beside what is right.
pub(crate) fn write_completion(output: &mut impl Write, id: Option<&str>, answer: &Answer) -> io::Result<()> {
    #[derive(serde::Serialize)]
    struct Read<'a> {
        id: Option<&'a str>,
        ok: bool,
        #[serde(flatten)]
        answer: &'a Answer,
    }
    #[derive(serde::Serialize)]
    struct Fault<'a> {
        #[serde(flatten)]
        refusal: Refusal<'a>,
        #[serde(flatten)]
        answer: &'a Answer,
    }
    match &answer.error {
        None => write_json(output, &Read { id, ok: true, answer }),
        Some(error) => write_json(output, &Fault { refusal: Refusal::of(id, error), answer }),
    }
}

pub(crate) fn write_json(output: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(output, value).map_err(io::Error::from)
}
