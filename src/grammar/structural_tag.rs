//! A [`Grammar`] as the JSON of a structural tag that xgrammar reads.

use std::fmt::Write;

use super::{Grammar, Part, Shape, TextKind, Times};
use crate::control::Control;
use crate::error::Error;
use crate::prompt::{Tokenizer, control_id};
use crate::python::json;

impl Grammar<'_> {
    /// The grammar as a structural tag of xgrammar 0.2.8, with the control tokens by their ids.
    ///
    /// Text excludes every control token that the tokenizer knows, and may spell them; it may end with spaces
    /// that the layout trims. JSON has any white space, numbers and escapes. Where an answer may be JSON or calls, the calls
    /// have no text before them: xgrammar cannot distinguish the two.
    ///
    /// xgrammar must know each control token by some text, or it refuses the token. Let that text have a control
    /// character, such as `"\u{1}[INST]"`: no JSON string can hold one. With its own text, a control token can be sampled
    /// within any string, and a schema whose `enum` spells one asks for it.
    ///
    /// The names of calls are those of the tools; a call may have the id that the layout writes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoControlId`](crate::ErrorKind::NoControlId): the tokenizer has no id for a control token of the grammar (`[ARGS]` of a v7
    /// tokenizer).
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Control, Layout, Tokenizer};
    /// use mistral_chat_template::layout::WordStart;
    ///
    /// struct NoControls;
    /// impl Tokenizer for NoControls {
    ///     fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}
    ///     fn control(&self, _: Control) -> Option<u32> { None }
    /// }
    ///
    /// let chat = Chat::from_json(r#"{"messages": [], "response_format": {"type": "json_object"}}"#)?;
    /// let grammar = Layout::MAGNUM.grammar(&chat)?.ok_or("JSON is asked for")?;
    /// let tag = grammar.to_structural_tag(&NoControls)?;
    /// assert!(tag.starts_with(r#"{"type": "structural_tag", "format": "#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_structural_tag(&self, tokenizer: &impl Tokenizer) -> Result<String, Error> {
        let controls = Control::all().filter_map(|control| tokenizer.control(control));
        let excluded = controls.map(|id| id.to_string()).collect::<Vec<_>>().join(", ");
        let mut printer = Printer { grammar: self, tokenizer, excluded, out: String::new() };
        printer.out.push_str("{\"type\": \"structural_tag\", \"format\": ");
        printer.shape(&Shape::Part(Part::Answer))?;
        printer.out.push('}');
        Ok(printer.out)
    }
}

/// Is it what cannot be said to xgrammar: text that may go on where a control token, or JSON, may come instead?
fn is_text_before_calls(shape: &Shape<'_>) -> bool {
    match shape {
        Shape::Repeat(shape, Times::Optional) => **shape == Shape::Part(Part::TextBeforeCalls),
        _ => false,
    }
}

/// Do the shapes begin with the space of a run of text? The tokens of the text bring it with them.
fn begins_a_run(shapes: &[Shape<'_>]) -> bool {
    matches!(shapes, [Shape::Literal(_), Shape::Text(TextKind::Any | TextKind::Trimmed), ..])
}

struct Printer<'g, 't, T> {
    grammar: &'g Grammar<'g>,
    tokenizer: &'t T,
    /// The ids of all control tokens, as the items of a JSON list.
    excluded: String,
    out: String,
}

impl<T: Tokenizer> Printer<'_, '_, T> {
    /// Prints a shape. A structural tag has no rules: a part is printed where it stands, and none is part of itself.
    fn shape(&mut self, shape: &Shape<'_>) -> Result<(), Error> {
        match shape {
            Shape::Part(part) => match self.grammar.rule(*part) {
                Some(shape) => self.shape(shape)?,
                None => self.literal(""),
            },
            Shape::Control(control) => self.control(*control)?,
            Shape::Literal(text) => self.literal(text),
            Shape::Text(kind) => self.text(*kind),
            Shape::Name { names, .. } => {
                let names: Vec<_> = names.iter().map(|name| Shape::Literal(name.clone())).collect();
                match &*names {
                    [name] => self.shape(name)?,
                    names => self.list("or", names)?,
                }
            }
            Shape::Json(schema) => {
                self.out.push_str("{\"type\": \"sequence\", \"elements\": [");
                self.repeat(&Shape::Text(TextKind::Space), Times::Optional)?;
                self.out.push_str(", ");
                self.json(schema);
                self.out.push_str("]}");
            }
            Shape::PrintedJson(schema) => self.json(schema),
            Shape::Sequence(shapes) => match &**shapes {
                [] => self.literal(""),
                [_, text] if begins_a_run(shapes) => self.shape(text)?,
                [before, shape] if is_text_before_calls(before) => self.shape(shape)?,
                [before, shapes @ ..] if is_text_before_calls(before) => self.list("sequence", shapes)?,
                shapes => self.list("sequence", shapes)?,
            },
            Shape::Choice(shapes) => self.list("or", shapes)?,
            Shape::Repeat(shape, times) => self.repeat(shape, *times)?,
        }
        Ok(())
    }

    fn repeat(&mut self, shape: &Shape<'_>, times: Times) -> Result<(), Error> {
        self.out.push_str(match times {
            Times::Optional => "{\"type\": \"optional\", \"content\": ",
            Times::ZeroOrMore => "{\"type\": \"star\", \"content\": ",
            Times::OneOrMore => "{\"type\": \"plus\", \"content\": ",
        });
        self.shape(shape)?;
        self.out.push('}');
        Ok(())
    }

    fn list(&mut self, kind: &str, shapes: &[Shape<'_>]) -> Result<(), Error> {
        self.out.extend(["{\"type\": \"", kind, "\", \"elements\": ["]);
        let mut separator = "";
        for (index, shape) in shapes.iter().enumerate() {
            if kind == "sequence" && shapes.get(index..).is_some_and(begins_a_run) {
                continue;
            }
            self.out.push_str(separator);
            self.shape(shape)?;
            separator = ", ";
        }
        self.out.push_str("]}");
        Ok(())
    }

    fn json(&mut self, schema: &str) {
        self.out.extend(["{\"type\": \"json_schema\", \"json_schema\": ", schema, "}"]);
    }

    fn literal(&mut self, text: &str) {
        self.out.push_str("{\"type\": \"const_string\", \"value\": ");
        json::write_string(text, &mut self.out);
        self.out.push('}');
    }

    fn control(&mut self, control: Control) -> Result<(), Error> {
        let id = control_id(self.tokenizer, control)?;
        // Writing into a string does not fail.
        let _ = write!(self.out, "{{\"type\": \"token\", \"token\": {id}}}");
        Ok(())
    }

    fn text(&mut self, kind: TextKind) {
        match kind {
            TextKind::Any | TextKind::Trimmed => {
                let excluded = ["\"exclude_tokens\": [", &self.excluded, "]}"].concat();
                self.out.push_str("{\"type\": \"sequence\", \"elements\": [");
                self.out.extend(["{\"type\": \"exclude_token\", ", &excluded]);
                self.out.extend([", {\"type\": \"any_tokens\", ", &excluded, "]}"]);
            }
            TextKind::Line | TextKind::NotJson | TextKind::Space | TextKind::NineAlphanumeric => {
                self.out.push_str("{\"type\": \"regex\", \"pattern\": ");
                json::write_string(kind.pattern(), &mut self.out);
                self.out.push('}');
            }
        }
    }
}
