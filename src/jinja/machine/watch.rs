//! What a program meets while it runs: each construct with the kinds of values that it is given, for those who ask what
//! another engine does with them.

use super::super::checks::Check;
use super::super::filters::Filter;
use super::super::methods;
use super::super::syntax::{Comparator, Instruction, Program, TextId};
use super::super::text::{Piece, Text};
use super::super::value::{Function, Value, View};
use super::{Context, Machine, Printed};

/// A construct that was met, the kinds of what it was given, and the line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Met {
    pub(crate) line: u32,
    /// `filter length`, `method split`, `operator +`, `loop`, `print`.
    pub(crate) construct: String,
    /// `text`, `list, 'equalto', text`.
    pub(crate) given: String,
}

/// What another engine makes of a construct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    Same,
    /// Another value.
    Changed,
    /// An error.
    Failed,
}

/// What stands for a text that is another one elsewhere.
const CHANGED: &str = "\u{f8ff}";

impl Program {
    /// What a render prints, if each construct that it meets is what `elsewhere` makes of it; `None` where it fails.
    ///
    /// The other value of a construct is not known: a condition is its opposite, a text has something more in it. That is
    /// enough to see whether the difference gets into the prompt.
    pub(crate) fn imitate<'r>(
        &'r self,
        context: &'r dyn Context<'r>,
        steps: u64,
        mut elsewhere: impl FnMut(Met) -> Elsewhere,
    ) -> Option<String> {
        let mut machine = self.machine(context, steps);
        while let Some(instruction) = self.code.get(machine.at) {
            let at = machine.at;
            let line = self.lines.get(at).copied().unwrap_or_default();
            let seen = machine.sight(instruction);
            machine.at += 1;
            machine.charge(1).ok()?;
            let is_printed =
                matches!(instruction, Instruction::Print | Instruction::PrintEach(_) | Instruction::Concatenate(_));
            if !is_printed {
                machine.step(instruction).ok()?;
            }
            let is_missing = !is_printed && matches!(machine.stack.last(), Some(Value::Undefined(_)));
            let mut is_changed = false;
            for Sight { construct, mut given, place } in seen {
                if is_missing && (construct.starts_with("attribute") || construct == "item") {
                    given.push_str(", missing");
                }
                match elsewhere(Met { line, construct, given }) {
                    Elsewhere::Same => {}
                    Elsewhere::Changed if is_printed => machine.change_below(place),
                    Elsewhere::Changed => is_changed = true,
                    Elsewhere::Failed => return None,
                }
            }
            if is_printed {
                machine.step(instruction).ok()?;
            } else if is_changed {
                machine.change(instruction, at + 1);
            }
        }
        Some(machine.printed.iter().map(Printed::as_str).collect())
    }
}

/// A construct that is about to be met.
struct Sight {
    construct: String,
    given: String,
    /// Where on the stack the value is that it is given, 0 on top.
    place: usize,
}

impl<'r> Machine<'r> {
    /// Makes what an instruction has just done what it is not; `next` is the instruction after it.
    fn change(&mut self, instruction: &Instruction, next: usize) {
        match *instruction {
            Instruction::JumpIfFalse(far)
            | Instruction::JumpUnless(_, far)
            | Instruction::JumpUnlessText(_, _, far) => {
                let far = next.saturating_add_signed(far as isize);
                self.at = if self.at == next { far } else { next };
            }
            Instruction::StartLoop(_)
            | Instruction::Unpack(_)
            | Instruction::StoreSum(..)
            | Instruction::SetAttributeSum(..)
            | Instruction::JumpIfFalseOrTake(_)
            | Instruction::JumpIfTrueOrTake(_)
            | Instruction::CompareOr(..) => self.print_change(),
            _ => self.change_below(0),
        }
    }

    /// Makes a value of the stack another one.
    fn change_below(&mut self, place: usize) {
        let place = self.stack.len().checked_sub(place + 1);
        let Some(value) = place.and_then(|place| self.stack.get_mut(place)) else { return };
        let more = Piece::Template(CHANGED);
        *value = match value {
            Value::Bool(holds) => Value::Bool(!*holds),
            Value::Integer(number) => Value::Integer(number.wrapping_add(1)),
            Value::Text(text) => Value::Text(Text::joined(text.pieces().iter().cloned().chain([more]))),
            Value::Undefined(_) | Value::None | Value::Float(_) | Value::Long(_) => Value::Text(Text::one(more)),
            _ => return self.print_change(),
        };
    }

    /// Says in the prompt that it is another one.
    fn print_change(&mut self) {
        self.printed.push(Printed::Piece(Piece::Template(CHANGED)));
    }
}

impl<'r> Machine<'r> {
    /// The value at this place of the stack, 0 on top.
    fn below(&self, place: usize) -> &Value<'r> {
        self.stack.len().checked_sub(place + 1).and_then(|place| self.stack.get(place)).unwrap_or(&Value::None)
    }

    fn kind_below(&self, place: usize) -> String {
        kind(self.below(place))
    }

    /// A construct with each kind of the value at this place of the stack, and what else it is given.
    fn with_below(&self, construct: &str, place: usize, more: &str) -> Vec<Sight> {
        sights(construct, self.below(place), more, place)
    }

    /// What an instruction is, and what it is about to be given.
    fn sight(&self, instruction: &Instruction) -> Vec<Sight> {
        let one = |construct: &str| self.with_below(construct, 0, "");
        let two = |construct: &str| self.with_below(construct, 1, &self.kind_below(0));
        match *instruction {
            Instruction::Print => one("print"),
            Instruction::PrintEach(count) | Instruction::Concatenate(count) => {
                (0..count as usize).flat_map(|place| self.with_below("operator ~", place, "")).collect()
            }
            Instruction::Attribute(name) => vec![self.attribute_sight(self.below(0), name)],
            Instruction::AttributeOf(of, name) => match self.scopes.get(of) {
                Some(of) => vec![self.attribute_sight(of, name)],
                None => {
                    let of = self.context.variable(self.program.name(of)).ok().flatten();
                    vec![self.attribute_sight(&of.unwrap_or(Value::Undefined("")), name)]
                }
            },
            Instruction::Item => two("item"),
            Instruction::ItemNamed(_) => vec![plain_sight("item", format!("{}, text", self.kind_below(0)))],
            Instruction::ItemNamedOf(of, _) => {
                let of = match self.scopes.get(of) {
                    Some(of) => kind(of),
                    None => {
                        let of = self.context.variable(self.program.name(of)).ok().flatten();
                        kind(&of.unwrap_or(Value::Undefined("")))
                    }
                };
                vec![plain_sight("item", format!("{of}, text"))]
            }
            Instruction::Slice => {
                let part = |place| match self.below(place) {
                    Value::None => "",
                    Value::Integer(number) if *number < 0 => "-n",
                    _ => "n",
                };
                let step = part(0);
                let step = if step.is_empty() { String::new() } else { format!(":{step}") };
                self.with_below(&format!("slice [{}:{}{step}]", part(2), part(1)), 3, "")
            }
            Instruction::Call(shape) => self.call_sight(shape),
            Instruction::Method(name, shape) => {
                let (given, of) = self.given_kinds(shape, |_, _| false);
                let text = self.text(name);
                match methods::has(of, text) {
                    true if self.strips_white_space(text, shape, of) => {
                        vec![plain_sight(&format!("method {text}"), format!("text, {given}"))]
                    }
                    true => sights(&format!("method {text}"), of, &given, 0),
                    false => vec![self.attribute_sight(of, name)],
                }
            }
            Instruction::Filter(filter, shape) => {
                let names = |place: usize, text: &str| match filter {
                    Filter::Map => place == 0 && Filter::named(text).is_some(),
                    Filter::Select | Filter::Reject => place == 0 && Check::named(text).is_some(),
                    Filter::SelectAttr | Filter::RejectAttr => place == 1 && Check::named(text).is_some(),
                    _ => false,
                };
                let (given, of) = self.given_kinds(shape, names);
                sights(&format!("filter {}", filter.name()), of, &given, 0)
            }
            Instruction::Check(check, shape) => {
                let (given, of) = self.given_kinds(shape, |_, _| false);
                sights(&format!("test {}", check.name()), of, &given, 0)
            }
            Instruction::Test(check) | Instruction::JumpUnless(check, _) => one(&format!("test {}", check.name())),
            Instruction::HasItems => one("filter length > 0"),
            Instruction::Not => one("operator not"),
            Instruction::Negative => one("operator -x"),
            Instruction::JumpIfFalse(_) => one("if"),
            Instruction::JumpIfFalseOrTake(_) => one("operator and"),
            Instruction::JumpIfTrueOrTake(_) => one("operator or"),
            Instruction::Undefined => vec![plain_sight("if without else", String::new())],
            Instruction::Compare(comparator) => two(&format!("operator {}", comparator.sign())),
            Instruction::CompareOr(comparator, _) => {
                let mut seen = two(&format!("operator {}", comparator.sign()));
                seen.push(plain_sight("operator a < b < c", String::new()));
                seen
            }
            Instruction::IsText(text, is) | Instruction::JumpUnlessText(text, is, _) => {
                let sign = if is { "==" } else { "!=" };
                let text = text_kind(self.text(text));
                self.with_below(&format!("operator {sign}"), 0, text)
            }
            Instruction::IsPositive => self.with_below("operator >", 0, "zero"),
            Instruction::Arithmetic(operator) => {
                two(&format!("operator {}", operator.sign().split(' ').next().unwrap_or_default()))
            }
            Instruction::AddItem | Instruction::StoreSum(_, true) => self.with_below("operator +", 1, "list"),
            Instruction::StoreSum(_, false) => two("operator +"),
            Instruction::SetAttributeSum(_, is_item) => {
                let right = if is_item { "list".to_owned() } else { self.kind_below(1) };
                self.with_below("operator +", 2, &right)
            }
            Instruction::Unpack(count) => self.with_below(&format!("unpack {count}"), 0, ""),
            Instruction::StartLoop(_) => one("loop"),
            _ => Vec::new(),
        }
    }

    /// Does a `strip` of certain characters what one of all white space does?
    fn strips_white_space(&self, method: &str, shape: u32, of: &Value<'r>) -> bool {
        let has_one = self.program.calls.get(shape as usize).is_some_and(|shape| shape.positional == 1);
        let (true, Value::Text(text), Value::Text(characters)) = (has_one, of, self.below(0)) else { return false };
        let (text, characters) = (text.content(), characters.content());
        let is_one = |character: char| characters.contains(character);
        match method {
            "strip" => text.trim() == text.trim_matches(is_one),
            "lstrip" => text.trim_start() == text.trim_start_matches(is_one),
            "rstrip" => text.trim_end() == text.trim_end_matches(is_one),
            _ => false,
        }
    }

    /// An attribute, with its name where an engine may know the name as one of its own.
    fn attribute_sight(&self, of: &Value<'r>, name: TextId) -> Sight {
        let name = self.text(name);
        let known = methods::has(of, name)
            || methods::is_of_dict(name)
            || Filter::named(name).is_some()
            || matches!(of, Value::Loop(_));
        let construct = if known { format!("attribute {name}") } else { "attribute".to_owned() };
        plain_sight(&construct, kind(of))
    }

    fn call_sight(&self, shape: u32) -> Vec<Sight> {
        let (given, callee) = self.given_kinds(shape, |_, _| false);
        let name = match callee {
            Value::Function(Function::Range) => "function range",
            Value::Function(Function::Dict) => "function dict",
            Value::Function(Function::Namespace) => {
                let by_place = given.is_empty() || given.contains('=');
                return vec![plain_sight("function namespace", if by_place { String::new() } else { given })];
            }
            Value::Function(Function::Cycler) => "function cycler",
            Value::Function(Function::Joiner) => "function joiner",
            Value::Function(Function::StrftimeNow) => "function strftime_now",
            Value::Loop(_) => return vec![plain_sight("call of loop", String::new())],
            Value::Macro(_) => {
                let by_name = if given.contains('=') { "by name" } else { "" };
                return vec![plain_sight("call of a macro", by_name.to_owned())];
            }
            _ => return Vec::new(),
        };
        vec![plain_sight(name, given)]
    }

    /// The kinds of what a call gives, those by name with their names, and what is called or what it is called on.
    fn given_kinds(&self, shape: u32, is_name: impl Fn(usize, &str) -> bool) -> (String, &Value<'r>) {
        let Some(shape) = self.program.calls.get(shape as usize) else { return (String::new(), self.below(0)) };
        if shape.star || shape.double_star {
            let count = shape.positional + shape.named.len() + usize::from(shape.star) + usize::from(shape.double_star);
            return ("*".to_owned(), self.below(count));
        }
        let count = shape.positional + shape.named.len();
        let by_place = (0..shape.positional).map(|place| {
            let value = self.below(count - 1 - place);
            match value {
                Value::Text(text) if is_name(place, &text.content()) => format!("'{}'", text.content()),
                value => kind(value),
            }
        });
        let by_name = shape.named.iter().enumerate().map(|(place, name)| {
            let value = self.below(shape.named.len() - 1 - place);
            format!("{}={}", self.program.name(*name), kind(value))
        });
        (by_place.chain(by_name).collect::<Vec<_>>().join(", "), self.below(count))
    }
}

/// A construct with each kind of a value, and what else it is given.
fn sights(construct: &str, of: &Value<'_>, more: &str, place: usize) -> Vec<Sight> {
    let with = |kind: String| if more.is_empty() { kind } else { format!("{kind}, {more}") };
    let sight = |kind| Sight { construct: construct.to_owned(), given: with(kind), place };
    kinds(of).into_iter().map(sight).collect()
}

fn plain_sight(construct: &str, given: String) -> Sight {
    Sight { construct: construct.to_owned(), given, place: 0 }
}

/// What kind of value it is, as far as engines differ by it: the first of its kinds.
fn kind(value: &Value<'_>) -> String {
    kinds(value).into_iter().next().unwrap_or_default()
}

/// All kinds that a value is of.
fn kinds(value: &Value<'_>) -> Vec<String> {
    let plain = match value {
        Value::Undefined(_) => "undefined",
        Value::None => "none",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Integer(0) => "zero",
        Value::Integer(..0) => "negative integer",
        Value::Integer(_) => "integer",
        Value::Long(_) => "long integer",
        Value::Float(number) if number.fract() == 0.0 => "whole float",
        Value::Float(_) => "float",
        Value::Text(text) => {
            let text = text.content();
            return match text_kinds(&text) {
                kinds if kinds.is_empty() => vec!["text".to_owned()],
                kinds => kinds.into_iter().map(str::to_owned).collect(),
            };
        }
        Value::List(list) if list.items.is_empty() => "empty list",
        Value::List(list) => {
            let name = match list.items.first() {
                Some(Value::Dict(_)) => "list of dicts",
                Some(Value::Integer(_) | Value::Float(_)) => "list of numbers",
                _ => "list",
            };
            return holding(name, value);
        }
        Value::Tuple(list) if list.items.is_empty() => "empty tuple",
        Value::Tuple(_) => return holding("tuple", value),
        Value::Dict(dict) if dict.members().is_empty() => "empty dict",
        Value::Dict(_) => return holding("dict", value),
        Value::Range(_) => "range",
        Value::View(View::Keys, _) => "dict keys",
        Value::View(View::Values, _) => "dict values",
        Value::View(View::Items, _) => "dict items",
        Value::Generator(_) => "generator",
        Value::Namespace(_) => "namespace",
        Value::Macro(_) => "macro",
        Value::Loop(_) => "loop",
        Value::Function(Function::StrftimeNow) => "function strftime_now",
        Value::Function(_) | Value::Method(_) => "function",
        Value::Cycler(_) | Value::Joiner(_) => "object",
    };
    vec![plain.to_owned()]
}

fn text_kind(text: &str) -> &'static str {
    text_kinds(text).first().copied().unwrap_or("text")
}

/// What is hard about a text.
fn text_kinds(text: &str) -> Vec<&'static str> {
    if text.is_empty() {
        return vec!["empty text"];
    }
    if text.trim().is_empty() {
        return vec!["white space"];
    }
    let hard = [
        ("text beyond ASCII", !text.is_ascii()),
        ("text with <", text.contains(['<', '>', '&', '\''])),
        ("spaced text", text.trim() != text || text.contains('\n')),
    ];
    hard.into_iter().filter_map(|(kind, is)| is.then_some(kind)).collect()
}

/// A list or dict, by what in it is hard to write.
fn holding(name: &str, value: &Value<'_>) -> Vec<String> {
    let mut found = [false; 4];
    look_into(value, &mut found, 0);
    let hard = [" beyond ASCII", " with <", " with whole floats", " with unsorted keys"];
    let found: Vec<_> = hard.iter().zip(found).filter(|(_, is)| *is).map(|(hard, _)| format!("{name}{hard}")).collect();
    if found.is_empty() { vec![name.to_owned()] } else { found }
}

fn look_into(value: &Value<'_>, found: &mut [bool; 4], depth: u32) {
    let [beyond_ascii, with_signs, whole_floats, _] = found;
    match value {
        _ if depth > 20 => {}
        Value::Text(text) => {
            let text = text.content();
            *beyond_ascii |= !text.is_ascii();
            *with_signs |= text.contains(['<', '>', '&', '\'']);
        }
        Value::Float(number) => *whole_floats |= number.fract() == 0.0,
        Value::List(list) | Value::Tuple(list) => list.items.iter().for_each(|item| look_into(item, found, depth + 1)),
        Value::Dict(dict) => {
            let mut last: Option<String> = None;
            for (key, value) in dict.members() {
                look_into(key, found, depth + 1);
                look_into(value, found, depth + 1);
                if let Value::Text(key) = key {
                    let key = key.content().into_owned();
                    let [.., unsorted] = found;
                    *unsorted |= last.as_ref().is_some_and(|last| *last > key);
                    last = Some(key);
                }
            }
        }
        _ => {}
    }
}

impl Comparator {
    fn sign(self) -> &'static str {
        match self {
            Comparator::Equal => "==",
            Comparator::NotEqual => "!=",
            Comparator::Less => "<",
            Comparator::LessOrEqual => "<=",
            Comparator::Greater => ">",
            Comparator::GreaterOrEqual => ">=",
            Comparator::In => "in",
            Comparator::NotIn => "not in",
        }
    }
}

/// The filters, by the names that the table of constructs has for them.
const FILTERS: [&str; 51] = [
    "abs",
    "attr",
    "batch",
    "capitalize",
    "center",
    "default",
    "dictsort",
    "escape",
    "filesizeformat",
    "first",
    "float",
    "forceescape",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "random",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "urlize",
    "wordcount",
    "wordwrap",
    "xmlattr",
];

/// The tests.
const TESTS: [&str; 30] = [
    "odd",
    "even",
    "divisibleby",
    "defined",
    "undefined",
    "filter",
    "test",
    "none",
    "boolean",
    "false",
    "true",
    "integer",
    "float",
    "lower",
    "upper",
    "string",
    "mapping",
    "number",
    "sequence",
    "iterable",
    "callable",
    "sameas",
    "escaped",
    "in",
    "equalto",
    "!=",
    "gt",
    ">=",
    "lt",
    "<=",
];

impl Filter {
    fn name(self) -> &'static str {
        FILTERS.into_iter().find(|name| Filter::named(name) == Some(self)).unwrap_or_default()
    }
}

impl Check {
    fn name(self) -> &'static str {
        TESTS.into_iter().find(|name| Check::named(name) == Some(self)).unwrap_or_default()
    }
}
