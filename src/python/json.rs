//! JSON as Python's `json` module reads and writes it: JSON text in, the text that
//! `json.dumps(json.loads(text), ensure_ascii=False)` makes of it out.
//!
//! Models were trained on prompts whose tools, arguments and results went through those two
//! functions, so a prompt is exact only if its numbers, escapes and spaces are Python's.
//!
//! ```
//! use mistral_chat_template::python_json::reformat;
//!
//! let mut out = String::new();
//! reformat(r#"{"temperature":1e5,"city":"Orl\u00e9ans","days":[1,2],"days":3.10}"#, &mut out)?;
//! assert_eq!(out, r#"{"temperature": 100000.0, "city": "Orléans", "days": 3.1}"#);
//! # Ok::<(), mistral_chat_template::python_json::JsonError>(())
//! ```
//!
//! # Input safety
//!
//! Any text may come in. Nothing recurses, so nesting has no limit (Python gives up with a
//! `RecursionError` at about 1000 levels). Time is linear in the input, except that the keys of
//! an object with more than 32 are sorted to find duplicates. A document whose keys are unique
//! needs no heap beyond the growth of the output, unless it is more than 64 levels deep or has
//! more than 32 keys and objects open at once; even then the heap is proportional to the input.

mod members;
mod number;
mod output;
mod reader;
mod small_stack;
mod string;

use std::fmt;

use members::Members;
pub(crate) use number::{MAX_INTEGER_DIGITS, Number};
use output::{Output, Separator};
pub(crate) use reader::{Reader, Token};
pub(crate) use small_stack::SmallStack;
pub(crate) use string::RawString;
pub use string::write_string;
use string::{Surrogates, surrogates};

/// Appends the JSON document `source` as Python would write it after reading it.
///
/// This is `json.dumps(json.loads(source), ensure_ascii=False)` of CPython 3.11: `", "` and
/// `": "` between the parts, strings with as few escapes as [`write_string`] makes, integers of
/// any size, floats in their shortest form (`1e5` is `100000.0`, `1E400` is `Infinity`), `NaN` and
/// `Infinity` as they are. Of members with the same key, the last value stands at the first place.
///
/// # Errors
///
/// What Python refuses is refused; `out` is then as it was. [`JsonError::is_syntax`] is true for
/// text that is not JSON, such as `""`, `"{'a': 1}"`, `"[1,]"`, `"01"`, `"1."`, `"[1] 2"`, a byte
/// order mark or a string with a raw line break.
///
/// Two more errors are about what JSON allows: an integer of more than 4300 digits, which Python
/// refuses with a plain `ValueError`; and the escape of a lone surrogate such as `"\ud800"`, which
/// Python accepts, but which no UTF-8 text can hold.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::python_json::{JsonErrorKind, reformat};
///
/// let mut out = String::from("arguments: ");
/// reformat("[-0, 1e16,\t1e-5]", &mut out)?;
/// assert_eq!(out, "arguments: [0, 1e+16, 1e-05]");
///
/// let error = reformat("city=Paris", &mut out).unwrap_err();
/// assert!(error.is_syntax());
/// assert_eq!(error.to_string(), "expected a value at byte 0");
///
/// let error = reformat(r#"["\ud800"]"#, &mut out).unwrap_err();
/// assert_eq!(error.kind(), JsonErrorKind::LoneSurrogate);
/// assert_eq!(out, "arguments: [0, 1e+16, 1e-05]");
/// # Ok::<(), mistral_chat_template::python_json::JsonError>(())
/// ```
pub fn reformat(source: &str, out: &mut String) -> Result<(), JsonError> {
    let base = out.len();
    let result = write_document(source, out);
    if result.is_err() {
        out.truncate(base);
    }
    result
}

fn write_document(source: &str, out: &mut String) -> Result<(), JsonError> {
    let base = out.len();
    out.reserve(source.len());
    let mut reader = Reader::new(source);
    let mut members = Members::new(base);
    let mut output = Output::new(source, out);
    let mut separator = Separator::Nothing;
    let mut lone_surrogate = None;
    loop {
        let token = reader.next_token()?;
        let before = match token {
            Token::ObjectEnd => {
                members.close(|| output.written());
                Separator::Nothing
            }
            Token::ArrayEnd => Separator::Nothing,
            Token::End => break,
            _ => separator,
        };
        let place = if reader.is_canonical(token) {
            output.copy(before, reader.span())
        } else {
            output.replace(before, reader.span(), |out| {
                if rewrite(&reader, token, out) == Surrogates::Lone {
                    lone_surrogate.get_or_insert(reader.span().start);
                }
            })
        };
        separator = match token {
            Token::ObjectStart => {
                members.open();
                Separator::Nothing
            }
            Token::ArrayStart => Separator::Nothing,
            Token::Key => {
                members.key(place);
                Separator::Colon
            }
            _ => Separator::Comma,
        };
    }
    output.written();
    if !members.are_unique() {
        members.settle(out);
    }
    match lone_surrogate {
        // One in a value that a later duplicate replaced does no harm.
        Some(offset) if surrogates(out.get(base..).unwrap_or_default()) == Surrogates::Lone => {
            Err(JsonError::new(JsonErrorKind::LoneSurrogate, offset))
        }
        _ => Ok(()),
    }
}

/// Appends the reader's last token, a string or number that Python writes in its own way.
fn rewrite(reader: &Reader<'_>, token: Token, out: &mut String) -> Surrogates {
    match token {
        Token::Key | Token::String => reader.string().write(out),
        _ => {
            reader.number(token).write(out);
            Surrogates::Paired
        }
    }
}

/// Why a text could not be read as Python reads JSON, and where.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::python_json::{JsonErrorKind, reformat};
///
/// let error = reformat(r#"{"city": "Paris" "days": 3}"#, &mut String::new()).unwrap_err();
/// assert_eq!(error.kind(), JsonErrorKind::ExpectedCommaOrBrace);
/// assert_eq!(error.offset(), 17);
/// assert_eq!(error.to_string(), "expected `,` or `}` at byte 17");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct JsonError {
    kind: JsonErrorKind,
    offset: usize,
}

impl JsonError {
    pub(crate) fn new(kind: JsonErrorKind, offset: usize) -> Self {
        JsonError { kind, offset }
    }

    /// What is wrong.
    ///
    /// ```
    /// # use mistral_chat_template::python_json::{JsonErrorKind, reformat};
    /// let error = reformat("[1, 2", &mut String::new()).unwrap_err();
    /// assert_eq!(error.kind(), JsonErrorKind::UnexpectedEnd);
    /// ```
    pub fn kind(&self) -> JsonErrorKind {
        self.kind
    }

    /// The byte offset in the source at which the error was noticed.
    ///
    /// ```
    /// # use mistral_chat_template::python_json::reformat;
    /// let error = reformat("[1, two]", &mut String::new()).unwrap_err();
    /// assert_eq!(error.offset(), 4);
    /// ```
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Whether the text is not JSON at all, which Python reports as a `JSONDecodeError`.
    ///
    /// The others are JSON, but have a value that cannot be kept.
    ///
    /// ```
    /// # use mistral_chat_template::python_json::reformat;
    /// let mut out = String::new();
    /// assert!(reformat("Paris", &mut out).is_err_and(|error| error.is_syntax()));
    /// assert!(reformat(r#""\udfff""#, &mut out).is_err_and(|error| !error.is_syntax()));
    /// ```
    pub fn is_syntax(&self) -> bool {
        !matches!(self.kind, JsonErrorKind::IntegerTooLong | JsonErrorKind::LoneSurrogate)
    }
}

/// What can be wrong with a JSON document; [`JsonError`] adds the place.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::python_json::JsonErrorKind;
///
/// assert_eq!(JsonErrorKind::ExpectedColon.to_string(), "expected `:` after a key");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// The text ends inside the document, or is empty.
    UnexpectedEnd,
    /// There is no value where one must be: `[1,]`, `nul`, `.5`.
    ExpectedValue,
    /// An object has something other than a string as a key: `{a: 1}`, `{"a": 1,}`.
    ExpectedKey,
    /// A key is not followed by a colon: `{"a" 1}`.
    ExpectedColon,
    /// An element of an array is followed by something else: `[1 2]`.
    ExpectedCommaOrBracket,
    /// A member of an object is followed by something else: `{"a": 01}`.
    ExpectedCommaOrBrace,
    /// The document is over, but the text is not: `1.`, `{} {}`.
    TrailingText,
    /// A string contains a raw control character, such as a line break.
    ControlCharacter,
    /// A backslash is followed by something that it does not escape: `"\x41"`, `"\u12"`.
    InvalidEscape,
    /// An integer has more than 4300 digits, Python's limit.
    IntegerTooLong,
    /// A `\uD800` to `\uDFFF` escape is not one half of a pair, so UTF-8 cannot hold it.
    LoneSurrogate,
}

impl fmt::Display for JsonErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JsonErrorKind::UnexpectedEnd => "the text ends too early",
            JsonErrorKind::ExpectedValue => "expected a value",
            JsonErrorKind::ExpectedKey => "expected a key in double quotes",
            JsonErrorKind::ExpectedColon => "expected `:` after a key",
            JsonErrorKind::ExpectedCommaOrBracket => "expected `,` or `]`",
            JsonErrorKind::ExpectedCommaOrBrace => "expected `,` or `}`",
            JsonErrorKind::TrailingText => "expected nothing more",
            JsonErrorKind::ControlCharacter => "a string has an unescaped control character",
            JsonErrorKind::InvalidEscape => "a string has an invalid escape",
            JsonErrorKind::IntegerTooLong => "an integer has more than 4300 digits",
            JsonErrorKind::LoneSurrogate => "a string has a lone surrogate",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_reformats(source: &str, expected: &str) {
        let mut out = String::from("x");
        reformat(source, &mut out).unwrap();
        assert_eq!(out.strip_prefix('x'), Some(expected));
    }

    #[track_caller]
    fn assert_refuses(source: &str, message: &str) {
        let mut out = String::from("kept");
        let error = reformat(source, &mut out).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(out, "kept");
    }

    #[test]
    fn spaces_are_pythons() {
        assert_reformats("{}", "{}");
        assert_reformats(" [ ]\r\n\t", "[]");
        assert_reformats("[1,2 ,\n3]", "[1, 2, 3]");
        assert_reformats("{\"a\" :[{}, []],\"b\":{\"c\":null}}", r#"{"a": [{}, []], "b": {"c": null}}"#);
        assert_reformats("[true,false,null,NaN,Infinity,-Infinity]", "[true, false, null, NaN, Infinity, -Infinity]");
    }

    #[test]
    fn the_last_value_of_a_key_stands_at_the_first_place() {
        assert_reformats(r#"{"a":1,"b":2,"a":3}"#, r#"{"a": 3, "b": 2}"#);
        assert_reformats(r#"{"a":1,"\u0061":2}"#, r#"{"a": 2}"#);
        assert_reformats(
            r#"{"a":{"x":1,"x":2},"b":[1],"b":[{"y":1,"z":0,"y":2}],"a":{"q":3,"q":[4]},"c":5}"#,
            r#"{"a": {"q": [4]}, "b": [{"y": 2, "z": 0}], "c": 5}"#,
        );
        assert_reformats(
            r#"{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,"8":8,"9":9,"3":0,"3":[]}"#,
            r#"{"1": 1, "2": 2, "3": [], "4": 4, "5": 5, "6": 6, "7": 7, "8": 8, "9": 9}"#,
        );
        assert_reformats(r#"[{"a":1},{"a":2}]"#, r#"[{"a": 1}, {"a": 2}]"#);
        assert_reformats(r#"{"a":{"a":{"a":1}}}"#, r#"{"a": {"a": {"a": 1}}}"#);
    }

    #[test]
    fn refusals_name_the_place() {
        assert_refuses("", "the text ends too early at byte 0");
        assert_refuses("  [1, ", "the text ends too early at byte 6");
        assert_refuses("\u{feff}{}", "expected a value at byte 0");
        assert_refuses("[1,]", "expected a value at byte 3");
        assert_refuses("\u{a0}1", "expected a value at byte 0");
        assert_refuses("{\"a\":1,}", "expected a key in double quotes at byte 7");
        assert_refuses("{'a': 1}", "expected a key in double quotes at byte 1");
        assert_refuses("{\"a\" 1}", "expected `:` after a key at byte 5");
        assert_refuses("[1 2]", "expected `,` or `]` at byte 3");
        assert_refuses("{\"a\":01}", "expected `,` or `}` at byte 6");
        assert_refuses("1.", "expected nothing more at byte 1");
        assert_refuses("\"a\nb\"", "a string has an unescaped control character at byte 2");
        assert_refuses(r#""a\x""#, "a string has an invalid escape at byte 2");
        assert_refuses(r#""\u12g4""#, "a string has an invalid escape at byte 1");
        assert_refuses(r#""abc"#, "the text ends too early at byte 4");
        assert_refuses(r#"["ok", "\ud800"]"#, "a string has a lone surrogate at byte 7");
        let long = format!("[{}]", "1".repeat(4301));
        assert_refuses(&long, "an integer has more than 4300 digits at byte 1");
    }

    #[test]
    fn a_lone_surrogate_matters_only_in_json_and_only_if_it_stays() {
        assert_refuses(r#"["\ud800", }"#, "expected a value at byte 11");
        assert_reformats(r#"{"a":"\ud800","a":"\\ud800"}"#, r#"{"a": "\\ud800"}"#);
        assert_refuses(r#"{"\udc00":1,"\uDC00":2}"#, "a string has a lone surrogate at byte 1");
    }

    #[test]
    fn nesting_has_no_limit() {
        for (open, close) in [("[", "]"), ("{\"k\": ", "}")] {
            let deep = open.repeat(100_000) + "0" + &close.repeat(100_000);
            assert_reformats(&deep, &deep);
        }
        let twice = "{\"k\": 0, \"k\": ".repeat(50_000) + "1" + &"}".repeat(50_000);
        let once = "{\"k\": ".repeat(50_000) + "1" + &"}".repeat(50_000);
        assert_reformats(&twice, &once);
    }
}
