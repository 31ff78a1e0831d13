//! A [`Grammar`] as the Lark that llguidance reads.

use std::fmt::Write;

use serde_json::Value;

use super::calls::ANY_OBJECT;
use super::{Grammar, Part, Shape, TextKind, Times};
use crate::control::Control;
use crate::error::Error;
use crate::prompt::{Tokenizer, control_id};
use crate::python::json;

/// Which of two grammars is printed.
///
/// ```
/// use mistral_chat_template::grammar::LarkStyle;
///
/// assert_eq!(LarkStyle::default(), LarkStyle::MistralCommon);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LarkStyle {
    /// As mistral-common 1.13.1 prints it, byte for byte, from v11 on. Against [`Exact`](LarkStyle::Exact), white space
    /// may come before the name of a call and anywhere in its arguments, which may spell numbers and strings in any way;
    /// text may end with spaces; the name is any line of text unless a tool is strict or the choice names one; no call
    /// has an id; and where one of several tools is called once, only a call of the first has text before it.
    #[default]
    MistralCommon,
    /// What the [`Grammar`] says: what the model answers is what the layout prints for it in the next prompt, so that
    /// a prefix cache holds.
    Exact,
}

/// JSON as Python prints it, for arguments of any kind. Of a float's shortest forms it has those of up to 15 digits, which
/// every 64-bit float can hold; `NaN` and `Infinity` are not JSON.
const PRINTED_OBJECT: &str = r#"
object: "{" (member (", " member)*)? "}"
member: STRING ": " value
value: object | array | STRING | NUMBER | "true" | "false" | "null"
array: "[" (value (", " value)*)? "]"
STRING: /"([^"\\\x00-\x1f]|\\(["\\bfnrt]|u00(0[0-7bef]|1[0-9a-f])))*"/
NUMBER: INTEGER | DECIMAL | EXPONENT
INTEGER: /0|-?[1-9][0-9]{0,4299}/
DECIMAL: /-?(0\.(0|0{0,3}[1-9]([0-9]*[1-9])?)|[1-9][0-9]*\.(0|[0-9]*[1-9]))/ & /-?[0-9.]{3,16}/
EXPONENT: /-?[1-9](\.[0-9]{0,13}[1-9])?e(\+(1[6-9]|[2-9][0-9]|[12][0-9]{2})|-(0[5-9]|[1-9][0-9]|[12][0-9]{2}))/
"#;

/// The member of a schema in which llguidance finds its options.
const OPTIONS: &str = "x-guidance";

/// What llguidance is given with a schema, so that JSON has Python's white space and escapes.
const PYTHON_FORM: &str = concat!(
    r#""x-guidance": {"whitespace_flexible": false, "item_separator": ", ", "key_separator": ": ", "#,
    r#""json_allowed_escapes": "nrbtf\\\""}"#
);

/// The options that are about the form of JSON, which is Python's.
const FORM_OPTIONS: [&str; 5] =
    ["whitespace_flexible", "whitespace_pattern", "item_separator", "key_separator", "json_allowed_escapes"];

impl Part {
    /// The name that mistral-common's grammars have for the part.
    ///
    /// ```
    /// # use mistral_chat_template::grammar::Part;
    /// assert_eq!(Part::Answer.lark_name(), "start");
    /// ```
    #[must_use]
    pub const fn lark_name(self) -> &'static str {
        match self {
            Part::Answer => "start",
            Part::Json => "json_grammar",
            Part::Body => "body",
            Part::Calls => "fcalls",
            Part::TextBeforeCalls => "pretool_content",
            Part::Text => "content",
            Part::Thinking => "think",
        }
    }
}

impl Grammar<'_> {
    /// The grammar as Lark, with the control tokens by their ids.
    ///
    /// Names of tools are escaped, which mistral-common's are not: those that its rules for names allow are the same.
    ///
    /// What Lark cannot keep of [`LarkStyle::Exact`]: an object of arguments may have a key twice, and `%json` spells a
    /// number of a strict schema in any way (`1e2`, `-0`), where the layout prints the last member and `100.0`. A string
    /// of a strict schema holds no control character but those with an escape of one letter. llguidance's options in a
    /// schema (`x-guidance`) count, except for those about white space, separators and escapes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoControlId`](crate::ErrorKind::NoControlId): the tokenizer has no id for a control token of the grammar (`[ARGS]` of a v7
    /// tokenizer).
    ///
    /// ```
    /// use mistral_chat_template::grammar::LarkStyle;
    /// use mistral_chat_template::{Chat, Control, Layout, Tokenizer};
    /// use mistral_chat_template::layout::WordStart;
    ///
    /// struct Tekken;
    /// impl Tokenizer for Tekken {
    ///     fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}
    ///     fn control(&self, control: Control) -> Option<u32> {
    ///         match control {
    ///             Control::ToolCalls => Some(9),
    ///             Control::Args => Some(32),
    ///             _ => None,
    ///         }
    ///     }
    /// }
    ///
    /// let json = r#"{"messages": [], "tool_choice": "required", "tools": [{"function": {"name": "now"}}]}"#;
    /// let chat = Chat::from_json(json)?;
    /// let grammar = Layout::V13.grammar(&chat)?.ok_or("a call is required")?;
    /// let lark = grammar.to_lark(&Tekken, LarkStyle::Exact)?;
    /// assert!(lark.contains(r#"fcalls: (<[9]> "now" <[32]> object)+"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_lark(&self, tokenizer: &impl Tokenizer, style: LarkStyle) -> Result<String, Error> {
        let mut printer = Printer { tokenizer, style, out: String::new(), space: false, object: false };
        for rule in &self.rules {
            printer.out.push_str(match rule.part {
                Part::Text | Part::Thinking => "\n",
                Part::Answer | Part::Json | Part::Body | Part::Calls | Part::TextBeforeCalls => "",
            });
            printer.out.push_str(rule.part.lark_name());
            printer.out.push_str(": ");
            printer.rule(rule.part, &rule.shape)?;
            printer.out.push('\n');
        }
        if printer.object {
            printer.out.push_str(PRINTED_OBJECT);
        }
        if style == LarkStyle::MistralCommon || printer.space {
            printer.out.extend(["\nSAFE_WS: /", TextKind::Space.pattern(), "/"]);
        }
        printer.out.truncate(printer.out.trim_end().len());
        Ok(printer.out)
    }
}

/// Is it a call that stands by itself, or a choice of those?
fn is_call(shape: &Shape<'_>) -> bool {
    match shape {
        Shape::Sequence(shapes) => shapes.first() == Some(&Shape::Control(Control::ToolCalls)),
        Shape::Choice(shapes) => shapes.iter().all(is_call),
        _ => false,
    }
}

/// The options of a schema that has some, with Python's form in the place of any other.
fn options_of(schema: &str) -> Option<String> {
    if !schema.contains(OPTIONS) {
        return None;
    }
    let own = match serde_json::from_str(schema) {
        Ok(Value::Object(mut schema)) => schema.remove(OPTIONS),
        _ => None,
    };
    let own = match own {
        None => return Some(PYTHON_FORM.to_owned()),
        Some(Value::Object(own)) => own,
        // llguidance refuses them.
        Some(_) => return None,
    };
    let mut options = PYTHON_FORM.strip_suffix('}').unwrap_or(PYTHON_FORM).to_owned();
    for (name, value) in own.iter().filter(|(name, _)| !FORM_OPTIONS.contains(&name.as_str())) {
        options.push_str(", ");
        json::write_string(name, &mut options);
        // Writing into a string does not fail.
        let _ = write!(options, ": {value}");
    }
    options.push('}');
    Some(options)
}

/// What a shape stands in, which decides whether it needs parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Nothing,
    Sequence,
    Choice,
    Repeat,
}

struct Printer<'t, T> {
    tokenizer: &'t T,
    style: LarkStyle,
    out: String,
    /// Is white space named?
    space: bool,
    /// Is an object of any kind named, as Python prints it?
    object: bool,
}

impl<T: Tokenizer> Printer<'_, T> {
    fn rule(&mut self, part: Part, shape: &Shape<'_>) -> Result<(), Error> {
        match (self.style, part, shape) {
            // mistral-common sets no parentheses around the choice after the text.
            (LarkStyle::MistralCommon, Part::Calls, Shape::Sequence(shapes)) => match &**shapes {
                [.., Shape::Choice(_)] => self.sequence(shapes, Within::Nothing),
                shapes => self.sequence(shapes, Within::Sequence),
            },
            // Where there are no calls, it still has the space before them.
            (LarkStyle::MistralCommon, Part::Calls, Shape::Repeat(_, Times::Optional)) => {
                self.shape(shape, Within::Nothing)?;
                self.out.push(' ');
                Ok(())
            }
            // As mistral-common writes it.
            (LarkStyle::MistralCommon, Part::Text, _) => {
                self.out.push_str("(/(.|\\n)+/)+");
                Ok(())
            }
            (LarkStyle::MistralCommon | LarkStyle::Exact, _, shape) => self.shape(shape, Within::Nothing),
        }
    }

    fn shape(&mut self, shape: &Shape<'_>, within: Within) -> Result<(), Error> {
        match shape {
            Shape::Part(part) => self.out.push_str(part.lark_name()),
            Shape::Control(control) => self.control(*control)?,
            Shape::Literal(text) => json::write_string(text, &mut self.out),
            Shape::Text(kind) => self.text(*kind),
            Shape::Name { names, pinned } => {
                self.out.push_str(match self.style {
                    LarkStyle::MistralCommon => "SAFE_WS? ",
                    LarkStyle::Exact => "",
                });
                let names: Vec<_> = names.iter().map(|name| Shape::Literal(name.clone())).collect();
                match (self.style, pinned, &*names) {
                    (LarkStyle::MistralCommon, false, _) => self.text(TextKind::Line),
                    (_, _, [name]) => self.shape(name, within)?,
                    (_, _, names) => self.choice(names, within)?,
                }
            }
            Shape::Json(schema) => {
                self.space = true;
                self.out.extend(["SAFE_WS? %json ", schema]);
            }
            Shape::PrintedJson(schema) => self.printed_json(schema),
            Shape::Sequence(shapes) => match within {
                Within::Nothing | Within::Sequence => self.sequence(shapes, Within::Sequence)?,
                Within::Choice | Within::Repeat => {
                    self.out.push('(');
                    self.sequence(shapes, Within::Sequence)?;
                    self.out.push(')');
                }
            },
            Shape::Choice(shapes) => self.choice(shapes, within)?,
            Shape::Repeat(shape, times) => {
                self.shape(shape, Within::Repeat)?;
                self.out.push_str(times.as_str());
            }
        }
        Ok(())
    }

    /// Shapes after one another, the last of them as if within something else.
    fn sequence(&mut self, shapes: &[Shape<'_>], last: Within) -> Result<(), Error> {
        let mut printed = false;
        let mut shapes = shapes.iter().peekable();
        while let Some(shape) = shapes.next() {
            if self.leaves_out(shape) {
                if *shape == Shape::Control(Control::CallId) {
                    shapes.next();
                }
                continue;
            }
            self.out.push_str(if printed { " " } else { "" });
            printed = true;
            let next = shapes.peek().copied();
            // Calls of which only the first may be without an id.
            if let (LarkStyle::MistralCommon, Some(Shape::Repeat(more, Times::ZeroOrMore))) = (self.style, next)
                && is_call(more)
            {
                shapes.next();
                self.shape(more, Within::Repeat)?;
                self.out.push_str(Times::OneOrMore.as_str());
                continue;
            }
            self.shape(shape, if next.is_none() { last } else { Within::Sequence })?;
        }
        Ok(())
    }

    /// Is it the id of a call, or the token before it? mistral-common's grammars know nothing of those.
    fn leaves_out(&self, shape: &Shape<'_>) -> bool {
        match (self.style, shape) {
            (LarkStyle::Exact, _) => false,
            (LarkStyle::MistralCommon, Shape::Repeat(shape, Times::Optional)) => match &**shape {
                Shape::Sequence(shapes) => shapes.first() == Some(&Shape::Control(Control::CallId)),
                _ => false,
            },
            (LarkStyle::MistralCommon, shape) => *shape == Shape::Control(Control::CallId),
        }
    }

    fn choice(&mut self, shapes: &[Shape<'_>], within: Within) -> Result<(), Error> {
        let (open, close) = match within {
            Within::Nothing => ("", ""),
            Within::Sequence | Within::Choice | Within::Repeat => ("(", ")"),
        };
        self.out.push_str(open);
        for (index, shape) in shapes.iter().enumerate() {
            self.out.push_str(if index == 0 { "" } else { " | " });
            self.shape(shape, Within::Choice)?;
        }
        self.out.push_str(close);
        Ok(())
    }

    fn control(&mut self, control: Control) -> Result<(), Error> {
        let id = control_id(self.tokenizer, control)?;
        // Writing into a string does not fail.
        let _ = write!(self.out, "<[{id}]>");
        Ok(())
    }

    fn printed_json(&mut self, schema: &str) {
        match (self.style, schema.strip_prefix('{')) {
            (LarkStyle::MistralCommon, _) => self.out.extend(["SAFE_WS? %json ", schema, " SAFE_WS?"]),
            (LarkStyle::Exact, _) if schema == ANY_OBJECT => {
                self.object = true;
                self.out.push_str("object");
            }
            (LarkStyle::Exact, Some("}")) => self.out.extend(["%json {", PYTHON_FORM, "}"]),
            (LarkStyle::Exact, Some(members)) => {
                self.out.extend(["%json {", PYTHON_FORM, ", "]);
                match (options_of(schema), members.strip_suffix('}')) {
                    // Of two members with one name, the last counts.
                    (Some(options), Some(members)) => self.out.extend([members, ", ", &options, "}"]),
                    _ => self.out.push_str(members),
                }
            }
            (LarkStyle::Exact, None) => self.out.extend(["%json ", schema]),
        }
    }

    fn text(&mut self, kind: TextKind) {
        match (self.style, kind) {
            (_, TextKind::Space) => {
                self.space = true;
                self.out.push_str("SAFE_WS");
            }
            (LarkStyle::MistralCommon, TextKind::Any | TextKind::Trimmed) => self.out.push_str(Part::Text.lark_name()),
            (LarkStyle::MistralCommon, TextKind::NotJson) => {
                self.out.push_str(r"(/[ \t\r\n]+/ | /[^{\[\s](.|\n)*/)+");
            }
            _ => self.out.extend(["/", kind.pattern(), "/"]),
        }
    }
}
