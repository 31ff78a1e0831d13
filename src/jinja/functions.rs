//! What a template can call without defining it.

use std::cell::Cell;
use std::rc::Rc;

use super::arguments::Arguments;
use super::error::{Done, Stop, overflow, type_error, value_error};
use super::machine::Machine;
use super::operators::{MAX_RANGE, to_index};
use super::text::{Origin, Text};
use super::value::{Dict, Function, List, Range, Value, range_length, within_depth};
use crate::python::strftime::strftime;

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "range" => Function::Range,
            "dict" => Function::Dict,
            "namespace" => Function::Namespace,
            "cycler" => Function::Cycler,
            "joiner" => Function::Joiner,
            "lipsum" => Function::Lipsum,
            "raise_exception" => Function::RaiseException,
            "strftime_now" => Function::StrftimeNow,
            _ => return None,
        })
    }
}

/// Refuses the names that transformers keeps from namespaces.
pub(super) fn check_attribute(name: &str) -> Done<()> {
    if name.starts_with('_') {
        let said =
            format!("Chat templates cannot store underscore-prefixed attributes on a namespace, but got '{name}'");
        return Err(Stop::new("SecurityError", said));
    }
    Ok(())
}

impl<'r> Machine<'r> {
    pub(super) fn function(&mut self, function: Function, arguments: Arguments<'r>) -> Done<Value<'r>> {
        match function {
            Function::Range => {
                let [first, second, step] = arguments.positional("range", 1)?;
                let number = |value: Option<Value<'r>>| value.map(|value| to_index(&value)).transpose();
                let (first, second, step) = (number(first)?.unwrap_or(0), number(second)?, number(step)?.unwrap_or(1));
                let (start, stop) = second.map_or((0, first), |second| (first, second));
                if step == 0 {
                    return Err(value_error("range() arg 3 must not be zero"));
                }
                if range_length(start, stop, step) > MAX_RANGE {
                    let said = format!("Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MAX_RANGE}).");
                    return Err(overflow(said));
                }
                Ok(Value::Range(Rc::new(Range { start, stop, step })))
            }
            Function::Dict => self.dict(arguments).map(|dict| Value::Dict(Rc::new(dict))),
            Function::DictFromKeys => {
                let [keys, value] = arguments.positional("fromkeys", 1)?;
                let keys = self.iterate(&keys.unwrap_or(Value::None))?;
                let value = value.unwrap_or(Value::None);
                Value::dict(keys.into_iter().map(|key| (key, value.clone())))
            }
            Function::Namespace => {
                let attributes = self.dict(arguments)?;
                for (name, _) in attributes.members() {
                    if let Value::Text(name) = name {
                        check_attribute(&name.content())?;
                    }
                }
                Ok(self.namespace(attributes))
            }
            Function::Cycler => {
                if let Some((name, _)) = arguments.named.first() {
                    return Err(type_error(format!("Cycler() got an unexpected keyword argument '{name}'")));
                }
                if arguments.positional.is_empty() {
                    return Err(Stop::new("RuntimeError", "at least one item has to be provided"));
                }
                Ok(Value::Cycler(Rc::new((List::of(arguments.positional)?, Cell::new(0)))))
            }
            Function::Joiner => {
                let [separator] = arguments.bind("Joiner", ["sep"], 0)?;
                let separator = separator.unwrap_or(Value::template(", "));
                within_depth(separator.depth())?;
                Ok(Value::Joiner(Rc::new((separator, Cell::new(false)))))
            }
            Function::Lipsum => {
                Err(Stop::new("TemplateRuntimeError", "lipsum makes random text, which is not supported"))
            }
            Function::RaiseException => {
                let [message] = arguments.bind("raise_exception", ["message"], 1)?;
                let message = self.str(&message.unwrap_or(Value::None))?;
                Err(Stop::raised(message.content().into_owned()))
            }
            Function::StrftimeNow => {
                let [format] = arguments.bind("strftime_now", ["format"], 1)?;
                let Some(Value::Text(format)) = format else {
                    return Err(type_error("strftime() argument 1 must be str"));
                };
                let Some(now) = self.context.now() else {
                    return Err(Stop::new("UndefinedError", "'strftime_now' is undefined"));
                };
                let written = strftime(now, &format.content(), self.room()).map_err(value_error)?;
                self.made(&written, format.origin())
            }
        }
    }

    /// `dict(mapping_or_pairs, name=value)`
    fn dict(&mut self, arguments: Arguments<'r>) -> Done<Dict<'r>> {
        let Arguments { positional, named } = arguments;
        if positional.len() > 1 {
            return Err(type_error(format!("dict expected at most 1 argument, got {}", positional.len())));
        }
        let mut members = Vec::new();
        match positional.into_iter().next() {
            None => {}
            Some(Value::Dict(dict)) => members.extend(dict.members().iter().cloned()),
            Some(pairs) => {
                for (place, pair) in self.iterate(&pairs)?.iter().enumerate() {
                    let pair = self.iterate(pair)?;
                    let length = pair.len();
                    let Ok([key, value]) = <[Value<'r>; 2]>::try_from(pair) else {
                        let said =
                            format!("dictionary update sequence element #{place} has length {length}; 2 is required");
                        return Err(value_error(said));
                    };
                    members.push((key, value));
                }
            }
        }
        self.charge(members.len() + named.len())?;
        members.extend(named.into_iter().map(|(name, value)| {
            let name = match name {
                std::borrow::Cow::Borrowed(name) => Text::template(name),
                std::borrow::Cow::Owned(name) => Text::made(&name, Origin::Given),
            };
            (Value::Text(name), value)
        }));
        Dict::of(members)
    }
}
