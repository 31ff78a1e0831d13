//! What a program meets while it runs: each construct with the kinds of values that it is given, for those who ask what
//! another engine does with them.

use std::collections::BTreeSet;

use super::super::checks::Check;
use super::super::filters::Filter;
use super::super::methods;
use super::super::syntax::{Comparator, Instruction, Program, TextId};
use super::super::text::Text;
use super::super::value::{Function, Value, View};
use super::{Context, Machine};

/// A construct that was met, the kinds of what it was given, and the line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Met {
    pub(crate) line: u32,
    /// `filter length`, `method split`, `operator +`, `loop`, `print`.
    pub(crate) construct: String,
    /// `text`, `list, 'equalto', text`.
    pub(crate) given: String,
}

impl Program {
    /// What a render meets, unless it is refused.
    pub(crate) fn watch<'r>(&'r self, context: &'r dyn Context<'r>, steps: u64) -> Option<BTreeSet<Met>> {
        let mut machine = self.machine(context, steps);
        let mut met = BTreeSet::new();
        while let Some(instruction) = self.code.get(machine.at) {
            let line = self.lines.get(machine.at).copied().unwrap_or_default();
            let seen = machine.sight(instruction);
            machine.at += 1;
            machine.charge(1).and_then(|()| machine.step(instruction)).ok()?;
            for (construct, mut given) in seen {
                let finds = construct.starts_with("attribute") || construct == "item";
                if finds && matches!(machine.stack.last(), Some(Value::Undefined(_))) {
                    given.push_str(", missing");
                }
                met.insert(Met { line, construct, given });
            }
        }
        Some(met)
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

    /// What an instruction is, and what it is about to be given.
    fn sight(&self, instruction: &Instruction) -> Vec<(String, String)> {
        let one = |construct: &str| vec![(construct.to_owned(), self.kind_below(0))];
        let two =
            |construct: &str| vec![(construct.to_owned(), format!("{}, {}", self.kind_below(1), self.kind_below(0)))];
        match *instruction {
            Instruction::Print => one("print"),
            Instruction::PrintEach(count) | Instruction::Concatenate(count) => {
                (0..count as usize).map(|place| ("operator ~".to_owned(), self.kind_below(place))).collect()
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
            Instruction::ItemNamed(_) => vec![("item".to_owned(), format!("{}, text", self.kind_below(0)))],
            Instruction::ItemNamedOf(of, _) => {
                let of = match self.scopes.get(of) {
                    Some(of) => kind(of),
                    None => {
                        let of = self.context.variable(self.program.name(of)).ok().flatten();
                        kind(&of.unwrap_or(Value::Undefined("")))
                    }
                };
                vec![("item".to_owned(), format!("{of}, text"))]
            }
            Instruction::Slice => {
                let part = |place| match self.below(place) {
                    Value::None => "",
                    Value::Integer(number) if *number < 0 => "-n",
                    _ => "n",
                };
                let step = part(0);
                let step = if step.is_empty() { String::new() } else { format!(":{step}") };
                vec![(format!("slice [{}:{}{step}]", part(2), part(1)), self.kind_below(3))]
            }
            Instruction::Call(shape) => self.call_sight(shape),
            Instruction::Method(name, shape) => {
                let (given, of) = self.given_kinds(shape, |_, _| false);
                let text = self.text(name);
                match methods::has(of, text) {
                    true => vec![(format!("method {text}"), with(kind(of), given))],
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
                vec![(format!("filter {}", filter.name()), with(kind(of), given))]
            }
            Instruction::Check(check, shape) => {
                let (given, of) = self.given_kinds(shape, |_, _| false);
                vec![(format!("test {}", check.name()), with(kind(of), given))]
            }
            Instruction::Test(check) | Instruction::JumpUnless(check, _) => one(&format!("test {}", check.name())),
            Instruction::HasItems => one("filter length > 0"),
            Instruction::Not => one("operator not"),
            Instruction::Negative => one("operator -x"),
            Instruction::JumpIfFalse(_) => one("if"),
            Instruction::JumpIfFalseOrTake(_) => one("operator and"),
            Instruction::JumpIfTrueOrTake(_) => one("operator or"),
            Instruction::Undefined => vec![("if without else".to_owned(), String::new())],
            Instruction::Compare(comparator) => two(&format!("operator {}", comparator.sign())),
            Instruction::CompareOr(comparator, _) => {
                let mut seen = two(&format!("operator {}", comparator.sign()));
                seen.push(("operator a < b < c".to_owned(), String::new()));
                seen
            }
            Instruction::IsText(text, is) | Instruction::JumpUnlessText(text, is, _) => {
                let sign = if is { "==" } else { "!=" };
                let text = text_kind(self.text(text));
                vec![(format!("operator {sign}"), format!("{}, {text}", self.kind_below(0)))]
            }
            Instruction::IsPositive => vec![("operator >".to_owned(), format!("{}, zero", self.kind_below(0)))],
            Instruction::Arithmetic(operator) => {
                two(&format!("operator {}", operator.sign().split(' ').next().unwrap_or_default()))
            }
            Instruction::AddItem | Instruction::StoreSum(_, true) => {
                vec![("operator +".to_owned(), format!("{}, list", self.kind_below(1)))]
            }
            Instruction::StoreSum(_, false) => two("operator +"),
            Instruction::SetAttributeSum(_, is_item) => {
                let right = if is_item { "list".to_owned() } else { self.kind_below(1) };
                vec![("operator +".to_owned(), format!("{}, {right}", self.kind_below(2)))]
            }
            Instruction::Unpack(count) => vec![(format!("unpack {count}"), self.kind_below(0))],
            Instruction::StartLoop(_) => one("loop"),
            _ => Vec::new(),
        }
    }

    /// An attribute, with its name where an engine may know the name as one of its own.
    fn attribute_sight(&self, of: &Value<'r>, name: TextId) -> (String, String) {
        let name = self.text(name);
        let known = methods::has(of, name)
            || methods::is_of_dict(name)
            || Filter::named(name).is_some()
            || matches!(of, Value::Loop(_));
        let construct = if known { format!("attribute {name}") } else { "attribute".to_owned() };
        (construct, kind(of))
    }

    fn call_sight(&self, shape: u32) -> Vec<(String, String)> {
        let (given, callee) = self.given_kinds(shape, |_, _| false);
        let name = match callee {
            Value::Function(Function::Range) => "function range",
            Value::Function(Function::Dict) => "function dict",
            Value::Function(Function::Namespace) => {
                let by_place = given.is_empty() || given.contains('=');
                return vec![("function namespace".to_owned(), if by_place { String::new() } else { given })];
            }
            Value::Function(Function::Cycler) => "function cycler",
            Value::Function(Function::Joiner) => "function joiner",
            Value::Function(Function::StrftimeNow) => "function strftime_now",
            Value::Loop(_) => return vec![("call of loop".to_owned(), String::new())],
            Value::Macro(_) => {
                let by_name = if given.contains('=') { "by name" } else { "" };
                return vec![("call of a macro".to_owned(), by_name.to_owned())];
            }
            _ => return Vec::new(),
        };
        vec![(name.to_owned(), given)]
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

fn with(of: String, given: String) -> String {
    if given.is_empty() { of } else { format!("{of}, {given}") }
}

/// What kind of value it is, as far as engines differ by it.
fn kind(value: &Value<'_>) -> String {
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
        Value::Text(text) => return text_kind_of(text).to_owned(),
        Value::List(list) | Value::Tuple(list) => {
            let name = if matches!(value, Value::List(_)) { "list" } else { "tuple" };
            return holding(name, list.items.iter());
        }
        Value::Dict(dict) => return holding("dict", dict.members().iter().flat_map(|(key, value)| [key, value])),
        Value::Range(_) => "range",
        Value::View(View::Keys, _) => "dict keys",
        Value::View(View::Values, _) => "dict values",
        Value::View(View::Items, _) => "dict items",
        Value::Generator(_) => "generator",
        Value::Namespace(_) => "namespace",
        Value::Macro(_) => "macro",
        Value::Loop(_) => "loop",
        Value::Function(_) | Value::Method(_) => "function",
        Value::Cycler(_) | Value::Joiner(_) => "object",
    };
    plain.to_owned()
}

fn text_kind_of(text: &Text<'_>) -> &'static str {
    text_kind(&text.content())
}

fn text_kind(text: &str) -> &'static str {
    if text.is_empty() {
        "empty text"
    } else if text.trim().is_empty() {
        "white space"
    } else if !text.is_ascii() {
        "text beyond ASCII"
    } else if text.contains(['<', '>', '&', '\'']) {
        "text with <"
    } else if text.trim() != text || text.contains('\n') {
        "spaced text"
    } else {
        "text"
    }
}

/// A list or dict, by the one thing in it that is hardest to write.
fn holding<'v, 'r: 'v>(name: &str, items: impl Iterator<Item = &'v Value<'r>>) -> String {
    let mut hardest = None;
    for item in items {
        hardest = hardest.max(Some(hardness(item, 0)));
    }
    match hardest {
        None => format!("empty {name}"),
        Some(0) => name.to_owned(),
        Some(1) => format!("{name} with <"),
        Some(2) => format!("{name} beyond ASCII"),
        Some(_) => format!("{name} with whole floats"),
    }
}

fn hardness(value: &Value<'_>, depth: u32) -> u8 {
    let most = |items: &mut dyn Iterator<Item = u8>| items.max().unwrap_or(0);
    match value {
        _ if depth > 20 => 0,
        Value::Text(text) => match text_kind_of(text) {
            "text with <" => 1,
            "text beyond ASCII" => 2,
            _ => 0,
        },
        Value::Float(number) if number.fract() == 0.0 => 3,
        Value::List(list) | Value::Tuple(list) => most(&mut list.items.iter().map(|item| hardness(item, depth + 1))),
        Value::Dict(dict) => most(
            &mut dict.members().iter().map(|(key, value)| hardness(key, depth + 1).max(hardness(value, depth + 1))),
        ),
        _ => 0,
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
