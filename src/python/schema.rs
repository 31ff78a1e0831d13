//! JSON Schema, Draft 7: a schema's text in, whether it is well formed out.
//!
//! A schema is well formed if it obeys the Draft 7 meta-schema, as Python's
//! `jsonschema.Draft7Validator.check_schema` decides it: every known keyword has a value of the
//! right kind, at any depth, even next to a `$ref`; unknown keywords are free. Of the formats that
//! the meta-schema names, `regex` is checked and means Python's syntax (see [`PatternError`]);
//! `uri` and `uri-reference` are not, because Python's package does not check them either.
//!
//! Nothing recurses, so nesting has no limit, and nothing is copied unless a key or pattern has
//! escapes or something is wrong.

mod pattern;

use std::fmt::Write;

use crate::python::json::{JsonError, Number, RawString, Reader, SmallStack, Token, reformat};
pub use pattern::PatternError;

/// Checks that `schema` is a JSON Schema of Draft 7.
///
/// # Errors
///
/// [`SchemaError::Json`] if the text is not a JSON document; [`SchemaError::Schema`] for the first
/// value that the meta-schema does not allow, such as `{"type": "int"}`, `{"required": "city"}`,
/// `{"minLength": -1}`, `{"properties": []}` or `{"pattern": "("}`.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::json_schema::check_draft7;
///
/// let schema = r#"{"type": "object", "properties": {"city": {"type": "strin"}}}"#;
/// assert_eq!(
///     check_draft7(schema).unwrap_err().to_string(),
///     "properties.city.type: must be array, boolean, integer, null, number, object or string",
/// );
/// ```
pub fn check_draft7(schema: &str) -> Result<(), SchemaError> {
    if Check::new(schema).run().is_ok() {
        return Ok(());
    }
    // In Python a value that a later duplicate of its key replaces is never seen.
    let mut canonical = String::new();
    reformat(schema, &mut canonical)?;
    Check::new(&canonical).run()
}

/// Why a text is not a JSON Schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The text is not JSON, or has a value that cannot be kept.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A value is not what the meta-schema allows.
    #[error("{}: {problem}", if path.is_empty() { "the schema" } else { path })]
    Schema {
        /// Where it is, such as `properties.city.type` or `allOf[0]`; empty for the schema itself.
        path: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What the meta-schema does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The value is of another kind.
    #[error("must be {0}")]
    MustBe(&'static str),
    /// The array has no element.
    #[error("must have an element")]
    Empty,
    /// The array has an element twice.
    #[error("must not have an element twice")]
    Repeated,
    /// The string is not a pattern.
    #[error("must be a Python regular expression, but {0}")]
    Pattern(#[from] PatternError),
}

/// What a value must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Anything,
    Schema,
    /// `items`
    SchemaOrSchemas,
    /// `allOf` and its like
    Schemas,
    /// `properties`, `definitions`
    SchemaMap,
    /// `patternProperties`
    PatternMap,
    /// `dependencies`
    DependencyMap,
    SchemaOrStrings,
    /// `required`
    Strings,
    /// One element of `required`
    Element,
    /// `type`
    Types,
    /// One element of `type`
    TypeName,
    String,
    /// `pattern`
    Pattern,
    Array,
    Bool,
    Number,
    /// `multipleOf`
    PositiveNumber,
    /// `minLength` and its like
    Count,
}

impl Rule {
    /// The rule for the value of a keyword.
    fn of_keyword(keyword: &str) -> Rule {
        match keyword {
            "properties" | "definitions" => Rule::SchemaMap,
            "patternProperties" => Rule::PatternMap,
            "dependencies" => Rule::DependencyMap,
            "items" => Rule::SchemaOrSchemas,
            "allOf" | "anyOf" | "oneOf" => Rule::Schemas,
            "additionalItems"
            | "additionalProperties"
            | "contains"
            | "else"
            | "if"
            | "not"
            | "propertyNames"
            | "then" => Rule::Schema,
            "type" => Rule::Types,
            "required" => Rule::Strings,
            "enum" | "examples" => Rule::Array,
            "pattern" => Rule::Pattern,
            "$comment" | "$id" | "$ref" | "$schema" | "contentEncoding" | "contentMediaType" | "description"
            | "format" | "title" => Rule::String,
            "readOnly" | "uniqueItems" => Rule::Bool,
            "exclusiveMaximum" | "exclusiveMinimum" | "maximum" | "minimum" => Rule::Number,
            "multipleOf" => Rule::PositiveNumber,
            "maxItems" | "maxLength" | "maxProperties" | "minItems" | "minLength" | "minProperties" => Rule::Count,
            _ => Rule::Anything,
        }
    }

    /// What the rule asks for, to follow "must be".
    fn demand(self) -> &'static str {
        match self {
            Rule::Anything => "a value",
            Rule::Schema => "a schema (an object or a boolean)",
            Rule::SchemaOrSchemas => "a schema or an array of schemas",
            Rule::Schemas => "an array of schemas",
            Rule::SchemaMap | Rule::PatternMap => "an object of schemas",
            Rule::DependencyMap => "an object of schemas or arrays of strings",
            Rule::SchemaOrStrings => "a schema or an array of strings",
            Rule::Strings => "an array of strings",
            Rule::Types | Rule::TypeName => "array, boolean, integer, null, number, object or string",
            Rule::Element | Rule::String | Rule::Pattern => "a string",
            Rule::Array => "an array",
            Rule::Bool => "true or false",
            Rule::Number => "a number",
            Rule::PositiveNumber => "a number above 0",
            Rule::Count => "an integer that is not negative",
        }
    }
}

/// An object or array whose parts are being checked.
#[derive(Clone, Copy, Default)]
struct Frame<'s> {
    container: Container,
    /// The key that was read last, in an object.
    key: RawString<'s>,
    /// How many elements were begun, in an array.
    count: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Container {
    #[default]
    Schema,
    SchemaMap,
    PatternMap,
    DependencyMap,
    Schemas,
    Strings,
    Types,
}

impl Container {
    fn is_array(self) -> bool {
        matches!(self, Container::Schemas | Container::Strings | Container::Types)
    }

    /// The rule for a part of the container.
    fn rule(self, key: RawString<'_>) -> Rule {
        match self {
            Container::Schema => Rule::of_keyword(&key.decode()),
            Container::SchemaMap | Container::PatternMap | Container::Schemas => Rule::Schema,
            Container::DependencyMap => Rule::SchemaOrStrings,
            Container::Strings => Rule::Element,
            Container::Types => Rule::TypeName,
        }
    }
}

/// One pass over a schema.
struct Check<'s> {
    reader: Reader<'s>,
    frames: SmallStack<Frame<'s>, 12>,
    /// The elements of the array of strings or types that is open; those do not nest.
    strings: SmallStack<RawString<'s>, 12>,
}

/// The schema is wrong at the reader's last token, or cannot be read.
enum Failure {
    Json(JsonError),
    Schema(Problem),
}

impl From<JsonError> for Failure {
    fn from(error: JsonError) -> Self {
        Failure::Json(error)
    }
}

impl<P: Into<Problem>> From<P> for Failure {
    fn from(problem: P) -> Self {
        Failure::Schema(problem.into())
    }
}

impl<'s> Check<'s> {
    fn new(schema: &'s str) -> Self {
        Check { reader: Reader::new(schema), frames: SmallStack::new(), strings: SmallStack::new() }
    }

    fn run(&mut self) -> Result<(), SchemaError> {
        loop {
            match self.step() {
                Ok(Token::End) => return Ok(()),
                Ok(_) => {}
                Err(Failure::Json(error)) => return Err(SchemaError::Json(error)),
                Err(Failure::Schema(problem)) => {
                    let path = path(self.frames.as_slice());
                    return Err(SchemaError::Schema { path, problem });
                }
            }
        }
    }

    fn step(&mut self) -> Result<Token, Failure> {
        let token = self.reader.next_token()?;
        match token {
            Token::End => {}
            Token::Key => self.key()?,
            Token::ObjectEnd | Token::ArrayEnd => self.close()?,
            _ => {
                let rule = match self.frames.last_mut() {
                    None => Rule::Schema,
                    Some(frame) => {
                        frame.count += 1;
                        frame.container.rule(frame.key)
                    }
                };
                self.value(rule, token)?;
            }
        }
        Ok(token)
    }

    fn key(&mut self) -> Result<(), Failure> {
        let key = self.reader.string();
        if let Some(frame) = self.frames.last_mut() {
            frame.key = key;
            if frame.container == Container::PatternMap {
                pattern::check(&key.decode())?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Failure> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        match frame.container {
            Container::Schemas | Container::Types if frame.count == 0 => Err(Problem::Empty)?,
            Container::Strings | Container::Types if has_equal(self.strings.as_mut_slice()) => Err(Problem::Repeated)?,
            _ => Ok(()),
        }
    }

    fn value(&mut self, rule: Rule, token: Token) -> Result<(), Failure> {
        let is_right = match (rule, token) {
            (Rule::Anything, Token::ObjectStart | Token::ArrayStart) | (Rule::Array, Token::ArrayStart) => {
                self.reader.skip_container()?;
                true
            }
            (Rule::Anything, _) => true,
            (Rule::Schema | Rule::SchemaOrSchemas | Rule::SchemaOrStrings | Rule::Bool, Token::Bool) => true,
            (_, Token::ObjectStart | Token::ArrayStart) => self.open(rule, token),
            (Rule::String, Token::String) => true,
            (Rule::Element, Token::String) => {
                self.strings.push(self.reader.string());
                true
            }
            (Rule::Types, Token::String) => is_type_name(&self.reader.string().decode()),
            (Rule::TypeName, Token::String) => {
                self.strings.push(self.reader.string());
                is_type_name(&self.reader.string().decode())
            }
            (Rule::Pattern, Token::String) => {
                pattern::check(&self.reader.string().decode())?;
                true
            }
            (Rule::Number, Token::Integer | Token::Float | Token::NotFinite) => true,
            (Rule::PositiveNumber, Token::Integer | Token::Float | Token::NotFinite) => {
                let value = self.reader.number(token).value();
                // Python lets `NaN` pass, which is not at most 0.
                value > 0.0 || value.is_nan()
            }
            (Rule::Count, Token::Integer | Token::Float) => is_count(self.reader.number(token)),
            _ => false,
        };
        if is_right { Ok(()) } else { Err(Problem::MustBe(rule.demand()))? }
    }

    /// Goes into an object or array, if the rule has a place for it.
    fn open(&mut self, rule: Rule, token: Token) -> bool {
        let container = match (rule, token) {
            (Rule::Schema | Rule::SchemaOrSchemas | Rule::SchemaOrStrings, Token::ObjectStart) => Container::Schema,
            (Rule::SchemaMap, Token::ObjectStart) => Container::SchemaMap,
            (Rule::PatternMap, Token::ObjectStart) => Container::PatternMap,
            (Rule::DependencyMap, Token::ObjectStart) => Container::DependencyMap,
            (Rule::Schemas | Rule::SchemaOrSchemas, Token::ArrayStart) => Container::Schemas,
            (Rule::Strings | Rule::SchemaOrStrings, Token::ArrayStart) => Container::Strings,
            (Rule::Types, Token::ArrayStart) => Container::Types,
            _ => return false,
        };
        self.strings.truncate(0);
        self.frames.push(Frame { container, ..Frame::default() });
        true
    }
}

fn is_type_name(name: &str) -> bool {
    matches!(name, "array" | "boolean" | "integer" | "null" | "number" | "object" | "string")
}

/// Whether a number is whole and not negative; `1.0` and `-0` are both.
fn is_count(number: Number<'_>) -> bool {
    let value = number.value();
    match number {
        Number::Integer(_) => value >= 0.0,
        _ => value >= 0.0 && value.fract() == 0.0,
    }
}

/// Whether two of the strings say the same; may change their order.
fn has_equal(strings: &mut [RawString<'_>]) -> bool {
    strings.sort_unstable_by(|a, b| a.code_points().cmp(b.code_points()));
    strings.windows(2).any(|pair| matches!(pair, [a, b] if a.code_points().eq(b.code_points())))
}

/// Where the innermost frame stands in the schema, and the part of it that was read last.
fn path(frames: &[Frame<'_>]) -> String {
    let mut path = String::new();
    for frame in frames {
        // Writing to a `String` cannot fail.
        if frame.container.is_array() {
            let _ = write!(path, "[{}]", frame.count.saturating_sub(1));
            continue;
        }
        let key = frame.key.decode();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-$".contains(&byte);
        if key.is_empty() || !key.bytes().all(is_plain) {
            let _ = write!(path, "[{key:?}]");
        } else if path.is_empty() {
            path.push_str(&key);
        } else {
            let _ = write!(path, ".{key}");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_valid(schema: &str) {
        assert_eq!(check_draft7(schema), Ok(()), "{schema}");
    }

    #[track_caller]
    fn assert_invalid(schema: &str, message: &str) {
        let error = check_draft7(schema).unwrap_err();
        assert_eq!(error.to_string(), message, "{schema}");
    }

    #[test]
    fn takes_well_formed_schemas() {
        assert_valid("true");
        assert_valid("{}");
        assert_valid(
            r#"{"type": "object", "properties": {"city": {"type": ["string", "null"], "minLength": 1.0}},
                "required": ["city"], "additionalProperties": false, "x-unknown": [{"type": 3}]}"#,
        );
        assert_valid(r#"{"items": [{}, true], "dependencies": {"a": ["b"], "c": {}, "d": []}}"#);
        assert_valid(r#"{"enum": [], "const": {"type": 1}, "default": {"items": []}, "examples": [{"not": 0}]}"#);
        assert_valid(r#"{"$ref": "not a uri", "multipleOf": NaN, "maximum": -Infinity, "minItems": -0}"#);
        assert_valid(r#"{"patternProperties": {"^x-\\d+$": {}}, "pattern": "[\u0061-z]"}"#);
    }

    #[test]
    fn names_the_place_and_the_problem() {
        assert_invalid("[]", "the schema: must be a schema (an object or a boolean)");
        assert_invalid(
            r#"{"properties": {"a b": {"items": [{}, {"type": "int"}]}}}"#,
            r#"properties["a b"].items[1].type: must be array, boolean, integer, null, number, object or string"#,
        );
        assert_invalid(
            r#"{"type": ["string", "any"]}"#,
            "type[1]: must be array, boolean, integer, null, number, object or string",
        );
        assert_invalid(r#"{"type": []}"#, "type: must have an element");
        assert_invalid(r#"{"type": ["null", "n\u0075ll"]}"#, "type: must not have an element twice");
        assert_invalid(r#"{"allOf": []}"#, "allOf: must have an element");
        assert_invalid(r#"{"items": []}"#, "items: must have an element");
        assert_invalid(r#"{"oneOf": {}}"#, "oneOf: must be an array of schemas");
        assert_invalid(r#"{"anyOf": [{}, 3]}"#, "anyOf[1]: must be a schema (an object or a boolean)");
        assert_invalid(r#"{"required": true}"#, "required: must be an array of strings");
        assert_invalid(r#"{"required": ["a", 1]}"#, "required[1]: must be a string");
        assert_invalid(r#"{"required": ["a", "b", "a"]}"#, "required: must not have an element twice");
        assert_invalid(r#"{"properties": []}"#, "properties: must be an object of schemas");
        assert_invalid(r#"{"enum": "a"}"#, "enum: must be an array");
        assert_invalid(r#"{"title": null}"#, "title: must be a string");
        assert_invalid(r#"{"uniqueItems": 1}"#, "uniqueItems: must be true or false");
        assert_invalid(r#"{"minimum": "1"}"#, "minimum: must be a number");
        assert_invalid(r#"{"multipleOf": 1e-400}"#, "multipleOf: must be a number above 0");
        assert_invalid(r#"{"minLength": 1.5}"#, "minLength: must be an integer that is not negative");
        assert_invalid(r#"{"maxItems": Infinity}"#, "maxItems: must be an integer that is not negative");
        assert_invalid(r#"{"$ref": "a", "not": 1}"#, "not: must be a schema (an object or a boolean)");
        assert_invalid(r#"{"dependencies": {"a": 1}}"#, "dependencies.a: must be a schema or an array of strings");
        assert_invalid(
            r#"{"pattern": "\\p{L}"}"#,
            "pattern: must be a Python regular expression, but an escape is not one that Python knows",
        );
        assert_invalid(
            r#"{"patternProperties": {"(": {}}}"#,
            r#"patternProperties["("]: must be a Python regular expression, but a group is not closed"#,
        );
        assert_invalid(r#"{"type": 1"#, "the text ends too early at byte 10");
    }

    #[test]
    fn agrees_with_python() {
        #[derive(serde::Deserialize)]
        struct Golden {
            schema: String,
            verdict: String,
        }
        let goldens = include_str!("../../tests/goldens/json_schema.jsonl");
        for line in goldens.lines() {
            let golden: Golden = serde_json::from_str(line).unwrap();
            let verdict = if check_draft7(&golden.schema).is_ok() { "ok" } else { "refused" };
            assert_eq!(verdict, golden.verdict, "{}", golden.schema);
        }
    }

    #[test]
    fn a_replaced_duplicate_is_not_seen() {
        assert_valid(r#"{"type": "int", "type": "integer"}"#);
        assert_invalid(r#"{"title": "", "title": 1}"#, "title: must be a string");
    }

    #[test]
    fn nesting_has_no_limit() {
        let deep = "{\"not\": ".repeat(100_000) + "true" + &"}".repeat(100_000);
        assert_valid(&deep);
    }
}
