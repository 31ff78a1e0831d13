//! Jinja's filters, with the `tojson` of transformers.

use super::arguments::Arguments;
use super::checks::absolute;
use super::error::{Done, type_error, value_error};
use super::machine::Machine;
use super::print::{JsonStyle, length};
use super::text::Text;
use super::value::{Number, Value};
use crate::python::{characters, format};

mod lists;
mod texts;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    Abs,
    Attr,
    Batch,
    Capitalize,
    Center,
    Default,
    DictSort,
    Escape,
    FileSizeFormat,
    First,
    Float,
    ForceEscape,
    Format,
    GroupBy,
    Indent,
    Int,
    Items,
    Join,
    Last,
    Length,
    List,
    Lower,
    Map,
    Max,
    Min,
    PrettyPrint,
    Random,
    Reject,
    RejectAttr,
    Replace,
    Reverse,
    Round,
    Safe,
    Select,
    SelectAttr,
    Slice,
    Sort,
    String,
    StripTags,
    Sum,
    Title,
    ToJson,
    Trim,
    Truncate,
    Unique,
    Upper,
    UrlEncode,
    Urlize,
    WordCount,
    WordWrap,
    XmlAttr,
}

impl Filter {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "abs" => Filter::Abs,
            "attr" => Filter::Attr,
            "batch" => Filter::Batch,
            "capitalize" => Filter::Capitalize,
            "center" => Filter::Center,
            "d" | "default" => Filter::Default,
            "dictsort" => Filter::DictSort,
            "e" | "escape" => Filter::Escape,
            "filesizeformat" => Filter::FileSizeFormat,
            "first" => Filter::First,
            "float" => Filter::Float,
            "forceescape" => Filter::ForceEscape,
            "format" => Filter::Format,
            "groupby" => Filter::GroupBy,
            "indent" => Filter::Indent,
            "int" => Filter::Int,
            "items" => Filter::Items,
            "join" => Filter::Join,
            "last" => Filter::Last,
            "count" | "length" => Filter::Length,
            "list" => Filter::List,
            "lower" => Filter::Lower,
            "map" => Filter::Map,
            "max" => Filter::Max,
            "min" => Filter::Min,
            "pprint" => Filter::PrettyPrint,
            "random" => Filter::Random,
            "reject" => Filter::Reject,
            "rejectattr" => Filter::RejectAttr,
            "replace" => Filter::Replace,
            "reverse" => Filter::Reverse,
            "round" => Filter::Round,
            "safe" => Filter::Safe,
            "select" => Filter::Select,
            "selectattr" => Filter::SelectAttr,
            "slice" => Filter::Slice,
            "sort" => Filter::Sort,
            "string" => Filter::String,
            "striptags" => Filter::StripTags,
            "sum" => Filter::Sum,
            "title" => Filter::Title,
            "tojson" => Filter::ToJson,
            "trim" => Filter::Trim,
            "truncate" => Filter::Truncate,
            "unique" => Filter::Unique,
            "upper" => Filter::Upper,
            "urlencode" => Filter::UrlEncode,
            "urlize" => Filter::Urlize,
            "wordcount" => Filter::WordCount,
            "wordwrap" => Filter::WordWrap,
            "xmlattr" => Filter::XmlAttr,
            _ => return None,
        })
    }
}

impl<'r> Machine<'r> {
    pub(super) fn filter(&mut self, filter: Filter, value: Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        match filter {
            Filter::Default => {
                let [default, boolean] = arguments.bind("default", ["default_value", "boolean"], 0)?;
                let replaced = value.is_undefined() || boolean.is_some_and(|is| is.is_true()) && !value.is_true();
                Ok(if replaced { default.unwrap_or(Value::template("")) } else { value })
            }
            Filter::Length => {
                arguments.bind("len", [], 0)?;
                length(&value).map(Value::length)
            }
            Filter::ToJson => self.dumped(&value, arguments),
            Filter::Abs => {
                arguments.bind("abs", [], 0)?;
                value.defined()?;
                absolute(&value)
            }
            Filter::Int => self.integer_of(&value, arguments),
            Filter::Float => {
                let [default] = arguments.bind("float", ["default"], 0)?;
                value.defined()?;
                let number = match &value {
                    Value::Text(text) => format::read_float(&text.content()),
                    other => other.number().map(|number| number.float()),
                };
                Ok(number.map(Value::Float).or(default).unwrap_or(Value::Float(0.0)))
            }
            Filter::Round => self.round(&value, arguments),
            Filter::Random => Err(super::error::Stop::new("TemplateRuntimeError", "random is not supported")),
            Filter::PrettyPrint | Filter::Urlize => {
                Err(super::error::Stop::new("TemplateRuntimeError", "pprint and urlize are not supported"))
            }
            Filter::Attr
            | Filter::Batch
            | Filter::DictSort
            | Filter::First
            | Filter::GroupBy
            | Filter::Items
            | Filter::Last
            | Filter::List
            | Filter::Map
            | Filter::Max
            | Filter::Min
            | Filter::Reject
            | Filter::RejectAttr
            | Filter::Reverse
            | Filter::Select
            | Filter::SelectAttr
            | Filter::Slice
            | Filter::Sort
            | Filter::Sum
            | Filter::Unique => self.list_filter(filter, value, arguments),
            _ => self.text_filter(filter, value, arguments),
        }
    }

    /// `json.dumps` with the options that transformers allows, not with those of Jinja: nothing is escaped for HTML.
    fn dumped(&mut self, value: &Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let names = ["ensure_ascii", "indent", "separators", "sort_keys"];
        let [ascii, indent, separators, sorted] = arguments.bind("tojson", names, 0)?;
        let given = |value: Option<Value<'r>>| value.filter(|value| !matches!(value, Value::None));
        let indent = match given(indent) {
            None => None,
            Some(Value::Text(text)) => Some(text),
            Some(other) => {
                let width = usize::try_from(super::operators::to_index(&other)?).unwrap_or_default();
                self.charge_bytes(width)?;
                Some(Text::made(&" ".repeat(width), super::text::Origin::Given))
            }
        };
        let mut item_separator = Text::template(if indent.is_some() { "," } else { ", " });
        let mut key_separator = Text::template(": ");
        if let Some(separators) = given(separators) {
            let pair: [Value<'r>; 2] = self
                .iterate(&separators)?
                .try_into()
                .map_err(|_| value_error("separators are two: that of items and that of keys"))?;
            let [Value::Text(item), Value::Text(key)] = pair else {
                return Err(type_error("separators are texts"));
            };
            (item_separator, key_separator) = (item, key);
        }
        let is = |value: Option<Value<'r>>| value.is_some_and(|value| value.is_true());
        let style = JsonStyle { indent, ascii: is(ascii), sorted: is(sorted), item_separator, key_separator };
        self.json(value, &style).map(Value::Text)
    }

    fn integer_of(&mut self, value: &Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let [default, base] = arguments.bind("int", ["default", "base"], 0)?;
        value.defined()?;
        let base = base.map_or(Ok(10), |base| super::operators::to_index(&base))?;
        let default = || default.clone().unwrap_or(Value::Integer(0));
        let truncated = |number: f64| match number.is_finite() {
            true => Some(Value::integer(number as i128)),
            false => None,
        };
        Ok(match value {
            Value::Text(text) => {
                let content = text.content();
                match format::read_integer(&content, base) {
                    Some(digits) => digits.parse().map_or_else(|_| Value::Long(digits.into()), Value::Integer),
                    None => format::read_float(&content).and_then(truncated).unwrap_or_else(default),
                }
            }
            other => match other.number() {
                Some(Number::Float(number)) => match truncated(number) {
                    Some(value) => value,
                    None if number.is_nan() => default(),
                    None => return Err(super::error::overflow("cannot convert float infinity to integer")),
                },
                Some(Number::Integer(number)) => Value::integer(number),
                Some(Number::Long(digits)) => Value::Long(digits),
                None => default(),
            },
        })
    }

    fn round(&mut self, value: &Value<'r>, arguments: Arguments<'r>) -> Done<Value<'r>> {
        let [precision, method] = arguments.bind("round", ["precision", "method"], 0)?;
        let method = match method {
            None => "common".to_owned(),
            Some(Value::Text(text)) => text.content().into_owned(),
            Some(_) => String::new(),
        };
        let precision = precision.map_or(Ok(0), |precision| super::operators::to_index(&precision))?;
        let number = super::checks::number_of(value, "round()")?;
        match (&*method, number) {
            ("common", Number::Float(number)) => format::rounded(number, precision)
                .map(Value::Float)
                .ok_or_else(|| super::error::overflow("rounded value too large to represent")),
            ("common", Number::Integer(number)) if precision < 0 => {
                let unit = u32::try_from(-precision).ok().and_then(|places| 10_i128.checked_pow(places));
                let Some(unit) = unit else { return Ok(Value::Integer(0)) };
                let (below, rest) = (number.div_euclid(unit), number.rem_euclid(unit));
                let up = rest * 2 > unit || rest * 2 == unit && below % 2 != 0;
                Ok(Value::integer((below + i128::from(up)) * unit))
            }
            ("common", _) => super::operators::signed(value, "+"),
            ("ceil" | "floor", number) => {
                let unit = 10_f64.powi(i32::try_from(precision).unwrap_or(i32::MAX));
                let scaled = number.float() * unit;
                let whole = if method == "ceil" { scaled.ceil() } else { scaled.floor() };
                if !whole.is_finite() {
                    return Err(super::error::overflow("cannot convert float infinity to integer"));
                }
                Ok(Value::Float(whole / unit))
            }
            _ => Err(super::error::Stop::new("FilterArgumentError", "method must be common, ceil or floor")),
        }
    }

    /// What texts are compared by where their case does not count.
    pub(super) fn without_case(&mut self, value: Value<'r>, case_sensitive: bool) -> Done<Value<'r>> {
        match value {
            Value::Text(text) if !case_sensitive => {
                self.charge_bytes(text.bytes())?;
                Ok(Value::Text(text.map(characters::lower)))
            }
            other => Ok(other),
        }
    }
}
