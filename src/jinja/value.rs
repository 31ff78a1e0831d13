//! The values of a render, which behave as Python's.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::error::{Done, Stop, type_error};
use super::text::Text;

/// How deep lists and dicts may hold one another.
const MAX_DEPTH: u32 = 256;

#[derive(Clone, Debug)]
pub(crate) enum Value<'r> {
    /// What has no value, by its name where it has one.
    Undefined(&'r str),
    None,
    Bool(bool),
    Integer(i64),
    /// An integer that does not fit, in its digits.
    Long(Rc<str>),
    Float(f64),
    Text(Text<'r>),
    List(Rc<List<'r>>),
    Tuple(Rc<List<'r>>),
    Dict(Rc<Dict<'r>>),
    Range(Rc<Range>),
    /// The keys, values or members of a dict.
    View(View, Rc<Dict<'r>>),
    /// What can be gone through once.
    Generator(Rc<Generator<'r>>),
    Namespace(Rc<Namespace<'r>>),
    Macro(Macro),
    Loop(Rc<LoopState<'r>>),
    Function(Function),
    /// A method of a value, not yet called.
    Method(Rc<(Value<'r>, &'r str)>),
    Cycler(Rc<(List<'r>, Cell<usize>)>),
    Joiner(Rc<(Value<'r>, Cell<bool>)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Keys,
    Values,
    Items,
}

/// A macro, with the frame that it was defined in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Macro {
    pub(crate) code: u32,
    pub(crate) frame: u32,
    pub(crate) serial: u64,
}

/// What a template can call without defining it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Range,
    Dict,
    DictFromKeys,
    Namespace,
    Cycler,
    Joiner,
    Lipsum,
    RaiseException,
    StrftimeNow,
}

/// `range(start, stop, step)`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) start: i64,
    pub(crate) stop: i64,
    pub(crate) step: i64,
}

impl Range {
    /// How many numbers it has.
    pub(crate) fn length(&self) -> usize {
        range_length(self.start, self.stop, self.step)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct List<'r> {
    pub(crate) items: Vec<Value<'r>>,
    /// How deep the items are nested.
    pub(crate) depth: u32,
    /// Is it what `groupby` gives, whose two items have names?
    pub(crate) is_group: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Dict<'r> {
    members: Vec<(Value<'r>, Value<'r>)>,
    depth: u32,
    /// The places of the keys that are texts, made when they are first looked for in a large dict.
    #[allow(clippy::box_collection, reason = "few dicts have one, and all would be larger")]
    index: OnceCell<Box<HashMap<Box<str>, usize>>>,
}

#[derive(Debug)]
pub(crate) struct Namespace<'r> {
    pub(crate) attributes: RefCell<Dict<'r>>,
}

#[derive(Debug)]
pub(crate) struct Generator<'r> {
    pub(crate) items: RefCell<std::vec::IntoIter<Value<'r>>>,
    /// What is raised when the items are used up.
    pub(crate) failure: RefCell<Option<Stop>>,
    depth: u32,
    /// What Python calls it.
    pub(crate) name: &'static str,
}

/// A loop that runs.
#[derive(Debug)]
pub(crate) struct LoopState<'r> {
    pub(crate) list: Rc<List<'r>>,
    /// The place of the item whose turn it is.
    pub(crate) index: Cell<usize>,
    pub(crate) depth0: usize,
    pub(crate) code: u32,
    /// Where the loop's code begins, and the frame that it stands in.
    pub(crate) start: usize,
    pub(crate) frame: u32,
    pub(crate) serial: u64,
    pub(crate) changed: RefCell<Option<Vec<Value<'r>>>>,
}

impl<'r> LoopState<'r> {
    pub(crate) fn items(&self) -> &[Value<'r>] {
        &self.list.items
    }
}

impl<'r> List<'r> {
    pub(crate) fn of(items: Vec<Value<'r>>) -> Done<Self> {
        let mut depth = 0;
        for item in &items {
            depth = depth.max(item.depth());
        }
        within_depth(depth)?;
        Ok(List { items, depth, is_group: false })
    }
}

pub(crate) fn within_depth(depth: u32) -> Done<()> {
    if depth > MAX_DEPTH {
        return Err(Stop::new("RecursionError", "lists and dicts hold one another too deep"));
    }
    Ok(())
}

/// Dicts with fewer members are looked through.
const INDEXED: usize = 12;

impl<'r> Dict<'r> {
    /// A dict of members whose keys are known to be different texts.
    pub(crate) fn of_texts(members: Vec<(Value<'r>, Value<'r>)>) -> Done<Self> {
        let depth = members.iter().map(|(_, value)| value.depth()).max().unwrap_or_default();
        within_depth(depth)?;
        Ok(Dict { members, depth, index: OnceCell::new() })
    }

    /// A dict of members in order; of those with one key the last counts, in the place of the first.
    pub(crate) fn of(members: impl IntoIterator<Item = (Value<'r>, Value<'r>)>) -> Done<Self> {
        let members = members.into_iter();
        let mut dict = Dict { members: Vec::with_capacity(members.size_hint().0), ..Dict::default() };
        let mut places: HashMap<Box<str>, usize> = HashMap::new();
        for (key, value) in members {
            let depth = key.depth().max(value.depth());
            within_depth(depth)?;
            dict.depth = dict.depth.max(depth);
            key.check_hashable()?;
            let known = match &key {
                Value::Text(text) if dict.members.len() < INDEXED => dict.place(&text.content()),
                Value::Text(text) => {
                    if places.is_empty() {
                        places = dict.text_places();
                    }
                    let next = dict.members.len();
                    let place = *places.entry(text.content().into()).or_insert(next);
                    (place < next).then_some(place)
                }
                key => dict.members.iter().position(|(known, _)| same_key(known, key)),
            };
            match known.and_then(|place| dict.members.get_mut(place)) {
                Some((_, known)) => *known = value,
                None => dict.members.push((key, value)),
            }
        }
        Ok(dict)
    }

    pub(crate) fn members(&self) -> &[(Value<'r>, Value<'r>)] {
        &self.members
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    fn place(&self, key: &str) -> Option<usize> {
        if self.members.len() < INDEXED {
            return self.members.iter().position(|(known, _)| match known {
                Value::Text(known) => known.as_one().map_or_else(|| known.content() == key, |known| known == key),
                _ => false,
            });
        }
        let index = self.index.get_or_init(|| Box::new(self.text_places()));
        index.get(key).copied()
    }

    fn text_places(&self) -> HashMap<Box<str>, usize> {
        let texts = self.members.iter().enumerate().filter_map(|(place, (key, _))| match key {
            Value::Text(text) => Some((text.content().into(), place)),
            _ => None,
        });
        texts.collect()
    }

    /// The value of a key that is a text.
    pub(crate) fn get(&self, key: &str) -> Option<&Value<'r>> {
        self.members.get(self.place(key)?).map(|(_, value)| value)
    }

    /// The value of a key that is a text, which is looked for first where such a key was found last.
    #[inline]
    pub(crate) fn get_near(&self, key: &str, hint: Option<&Cell<u32>>) -> Option<&Value<'r>> {
        self.members.get(self.place_near(key, hint)?).map(|(_, value)| value)
    }

    #[inline]
    fn place_near(&self, key: &str, hint: Option<&Cell<u32>>) -> Option<usize> {
        let near = hint.map_or(0, Cell::get) as usize;
        if let Some((Value::Text(known), _)) = self.members.get(near)
            && known.as_one() == Some(key)
        {
            return Some(near);
        }
        let place = self.place(key)?;
        if let Some(hint) = hint {
            hint.set(u32::try_from(place).unwrap_or_default());
        }
        Some(place)
    }

    pub(crate) fn find(&self, key: &Value<'r>) -> Done<Option<&Value<'r>>> {
        key.check_hashable()?;
        Ok(match key {
            Value::Text(text) => self.get(&text.content()),
            key => self.members.iter().find(|(known, _)| same_key(known, key)).map(|(_, value)| value),
        })
    }

    /// Lets go of the value of a key where it is this very list, until it is set again.
    pub(crate) fn release(&mut self, key: &str, list: &Value<'r>) {
        if let Some((_, known)) = self.place(key).and_then(|place| self.members.get_mut(place))
            && known.is_same_list(list)
        {
            *known = Value::None;
        }
    }

    /// Sets the value of a key, which is looked for first where such a key was found last.
    pub(crate) fn set(&mut self, key: &'r str, value: Value<'r>, hint: Option<&Cell<u32>>) {
        self.depth = self.depth.max(value.depth());
        match self.place_near(key, hint).and_then(|place| self.members.get_mut(place)) {
            Some((_, known)) => *known = value,
            None => {
                self.index.take();
                self.members.push((Value::Text(Text::template(key)), value));
            }
        }
    }
}

/// Are two keys the same to a dict? Both can be hashed.
fn same_key<'r>(one: &Value<'r>, other: &Value<'r>) -> bool {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => one == other,
        (Value::Tuple(one), Value::Tuple(other)) => {
            one.items.len() == other.items.len()
                && one.items.iter().zip(&other.items).all(|(one, other)| same_key(one, other))
        }
        (Value::None, Value::None) => true,
        (Value::Undefined(_), Value::Undefined(_)) => true,
        (one, other) => match (one.number(), other.number()) {
            (Some(one), Some(other)) => one.same(&other),
            _ => one.is_same_object(other),
        },
    }
}

/// A number of Python's.
#[derive(Clone, Debug)]
pub(crate) enum Number {
    Integer(i128),
    /// An integer that does not fit, in its digits.
    Long(Rc<str>),
    Float(f64),
}

impl Number {
    pub(crate) fn float(&self) -> f64 {
        match self {
            Number::Integer(number) => *number as f64,
            Number::Long(digits) => digits.parse().unwrap_or(f64::NAN),
            Number::Float(number) => *number,
        }
    }

    pub(crate) fn same(&self, other: &Number) -> bool {
        match (self, other) {
            (Number::Integer(one), Number::Integer(other)) => one == other,
            (Number::Long(one), Number::Long(other)) => one == other,
            (Number::Integer(_), Number::Long(_)) | (Number::Long(_), Number::Integer(_)) => false,
            (Number::Float(float), Number::Integer(integer)) | (Number::Integer(integer), Number::Float(float)) => {
                float.is_finite() && float.fract() == 0.0 && *float as i128 == *integer
            }
            (one, other) => one.float() == other.float(),
        }
    }
}

impl<'r> Value<'r> {
    pub(crate) fn is_same_list(&self, other: &Value<'r>) -> bool {
        match (self, other) {
            (Value::List(one), Value::List(other)) => Rc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// How deep this is nested where something holds it.
    pub(crate) fn depth(&self) -> u32 {
        1 + match self {
            Value::List(list) | Value::Tuple(list) => list.depth,
            Value::Dict(dict) | Value::View(_, dict) => dict.depth,
            Value::Generator(generator) => generator.depth,
            Value::Method(method) => method.0.depth(),
            Value::Cycler(cycler) => cycler.0.depth,
            Value::Joiner(joiner) => joiner.0.depth(),
            Value::Loop(state) => state.list.depth,
            _ => 0,
        }
    }

    pub(crate) fn list(items: Vec<Value<'r>>) -> Done<Self> {
        Ok(Value::List(Rc::new(List::of(items)?)))
    }

    pub(crate) fn tuple(items: Vec<Value<'r>>) -> Done<Self> {
        Ok(Value::Tuple(Rc::new(List::of(items)?)))
    }

    pub(crate) fn dict(members: impl IntoIterator<Item = (Value<'r>, Value<'r>)>) -> Done<Self> {
        Ok(Value::Dict(Rc::new(Dict::of(members)?)))
    }

    /// A dict of members whose keys are known to be different texts.
    pub(crate) fn dict_of_texts(members: Vec<(Value<'r>, Value<'r>)>) -> Done<Self> {
        Ok(Value::Dict(Rc::new(Dict::of_texts(members)?)))
    }

    pub(crate) fn generator(name: &'static str, items: Vec<Value<'r>>, failure: Option<Stop>) -> Done<Self> {
        let List { items, depth, .. } = List::of(items)?;
        let items = RefCell::new(items.into_iter());
        Ok(Value::Generator(Rc::new(Generator { items, failure: RefCell::new(failure), depth, name })))
    }

    pub(crate) fn template(text: &'r str) -> Self {
        Value::Text(Text::template(text))
    }

    pub(crate) fn given(text: &'r str) -> Self {
        Value::Text(Text::given(text))
    }

    pub(crate) fn integer(number: i128) -> Self {
        i64::try_from(number).map_or_else(|_| Value::Long(number.to_string().into()), Value::Integer)
    }

    pub(crate) fn length(number: usize) -> Self {
        Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// The number that this is; `True` and `False` are two.
    pub(crate) fn number(&self) -> Option<Number> {
        Some(match self {
            Value::Bool(value) => Number::Integer(i128::from(*value)),
            Value::Integer(number) => Number::Integer(i128::from(*number)),
            Value::Long(digits) => digits.parse().map_or_else(|_| Number::Long(Rc::clone(digits)), Number::Integer),
            Value::Float(number) => Number::Float(*number),
            _ => return None,
        })
    }

    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined(_))
    }

    pub(crate) fn is_true(&self) -> bool {
        match self {
            Value::Undefined(_) | Value::None => false,
            Value::Bool(value) => *value,
            Value::Integer(number) => *number != 0,
            Value::Float(number) => *number != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::List(list) | Value::Tuple(list) => !list.items.is_empty(),
            Value::Dict(dict) | Value::View(_, dict) => dict.len() > 0,
            Value::Range(range) => range.length() > 0,
            Value::Loop(state) => !state.items().is_empty(),
            Value::Long(_)
            | Value::Generator(_)
            | Value::Namespace(_)
            | Value::Macro(_)
            | Value::Function(_)
            | Value::Method(_)
            | Value::Cycler(_)
            | Value::Joiner(_) => true,
        }
    }

    /// What Python calls the type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::Undefined(_) => "Undefined",
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Integer(_) | Value::Long(_) => "int",
            Value::Float(_) => "float",
            Value::Text(text) if text.is_markup() => "Markup",
            Value::Text(_) => "str",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::Range(..) => "range",
            Value::View(View::Keys, _) => "dict_keys",
            Value::View(View::Values, _) => "dict_values",
            Value::View(View::Items, _) => "dict_items",
            Value::Generator(generator) => generator.name,
            Value::Namespace(_) => "TemplateNamespace",
            Value::Macro(_) => "Macro",
            Value::Loop(_) => "LoopContext",
            Value::Function(Function::Dict) => "TemplateDict",
            Value::Function(Function::Namespace | Function::Cycler | Function::Joiner) => "type",
            Value::Function(Function::DictFromKeys) => "method",
            Value::Function(_) => "function",
            Value::Method(method) => match &**method {
                // The sandbox has its own of these.
                (Value::Text(_), "format" | "format_map") => "function",
                (Value::Text(text), _) if text.is_markup() => "method",
                (Value::Loop(_) | Value::Cycler(_), _) => "method",
                _ => "builtin_function_or_method",
            },
            Value::Cycler(_) => "Cycler",
            Value::Joiner(_) => "Joiner",
        }
    }

    /// The error that Python raises for anything but a few uses of what is undefined.
    pub(crate) fn undefined_error(&self) -> Stop {
        let said = match self {
            Value::Undefined("") => "a value that is used is undefined".to_owned(),
            Value::Undefined(name) => format!("'{name}' is undefined"),
            other => format!("'{}' is undefined", other.type_name()),
        };
        Stop::new("UndefinedError", said)
    }

    /// Raises where the value is undefined.
    pub(crate) fn defined(&self) -> Done<()> {
        if self.is_undefined() { Err(self.undefined_error()) } else { Ok(()) }
    }

    pub(crate) fn check_hashable(&self) -> Done<()> {
        match self {
            Value::List(_) | Value::Dict(_) => Err(type_error(format!("unhashable type: '{}'", self.type_name()))),
            Value::View(View::Keys | View::Items, _) => {
                Err(type_error(format!("unhashable type: '{}'", self.type_name())))
            }
            Value::Tuple(list) => list.items.iter().try_for_each(Value::check_hashable),
            _ => Ok(()),
        }
    }

    /// Is it the very same object, as far as that can be told?
    pub(crate) fn is_same_object(&self, other: &Value<'r>) -> bool {
        match (self, other) {
            (Value::None, Value::None) => true,
            (Value::Bool(one), Value::Bool(other)) => one == other,
            (Value::Integer(one), Value::Integer(other)) => one == other && (-5..=256).contains(one),
            (Value::Text(one), Value::Text(other)) => one == other && one.bytes() <= 1,
            (Value::List(one), Value::List(other)) | (Value::Tuple(one), Value::Tuple(other)) => Rc::ptr_eq(one, other),
            (Value::Dict(one), Value::Dict(other)) => Rc::ptr_eq(one, other),
            (Value::Generator(one), Value::Generator(other)) => Rc::ptr_eq(one, other),
            (Value::Namespace(one), Value::Namespace(other)) => Rc::ptr_eq(one, other),
            (Value::Loop(one), Value::Loop(other)) => Rc::ptr_eq(one, other),
            (Value::Cycler(one), Value::Cycler(other)) => Rc::ptr_eq(one, other),
            (Value::Joiner(one), Value::Joiner(other)) => Rc::ptr_eq(one, other),
            (Value::Macro(one), Value::Macro(other)) => one == other,
            (Value::Function(one), Value::Function(other)) => one == other,
            _ => false,
        }
    }
}

/// How many numbers a range has.
pub(crate) fn range_length(start: i64, stop: i64, step: i64) -> usize {
    let (start, stop, step) = (i128::from(start), i128::from(stop), i128::from(step));
    let length = match step {
        0 => 0,
        1.. => (stop - start + step - 1).div_euclid(step),
        _ => (start - stop - step - 1).div_euclid(-step),
    };
    usize::try_from(length).unwrap_or_default()
}
