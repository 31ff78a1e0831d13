//! What a template is compiled to: one list of instructions for a machine with a stack of values.
//!
//! Jumps say how far they go, counted from the instruction after them, so that a stretch of code may be moved.

use super::checks::Check;
use super::compiler::NO_ARGUMENTS;
use super::filters::Filter;

/// A template, compiled.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) code: Vec<Instruction>,
    /// The line of each instruction.
    pub(crate) lines: Vec<u32>,
    pub(crate) texts: Vec<ProgramText>,
    pub(crate) names: Vec<Box<str>>,
    pub(crate) calls: Vec<CallShape>,
    pub(crate) macros: Vec<MacroCode>,
    pub(crate) loops: Vec<LoopCode>,
    /// Has it a `{% generation %}` block?
    pub(crate) generation: bool,
}

#[derive(Debug)]
pub(crate) struct ProgramText {
    pub(crate) text: Box<str>,
    /// Do dicts have an attribute of this name?
    pub(crate) is_of_dict: bool,
}

impl Program {
    pub(crate) fn name(&self, name: Name) -> &str {
        self.names.get(name.0 as usize).map_or("", |name| name)
    }
}

/// A name, by its place among those of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name(pub(crate) u32);

/// A text of the program, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextId(pub(crate) u32);

/// What a call gives: this many positional values, then those by name, then `*` and `**`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CallShape {
    pub(crate) positional: usize,
    pub(crate) named: Vec<Name>,
    pub(crate) star: bool,
    pub(crate) double_star: bool,
}

#[derive(Debug)]
pub(crate) struct MacroCode {
    /// What the template calls it; the body of a call block has no name.
    pub(crate) name: Option<Box<str>>,
    pub(crate) parameters: Vec<Parameter>,
    /// Where its code begins.
    pub(crate) start: usize,
    pub(crate) uses_varargs: Option<Name>,
    pub(crate) uses_kwargs: Option<Name>,
    pub(crate) uses_caller: Option<Name>,
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Name,
    pub(crate) has_default: bool,
}

#[derive(Debug)]
pub(crate) struct LoopCode {
    /// The name `loop`, where the body asks for it.
    pub(crate) loop_name: Option<Name>,
    pub(crate) recursive: bool,
    /// Are its items chosen before the first turn?
    pub(crate) selects: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Instruction {
    /// Prints text of the template's own.
    Text(TextId),
    Print,
    /// Prints this many values one after another.
    PrintEach(u32),
    None,
    Bool(bool),
    Integer(i64),
    /// An integer of more digits.
    Long(TextId),
    Float(f64),
    Literal(TextId),
    Name(Name),
    List(u32),
    Tuple(u32),
    /// So many keys and values.
    Dict(u32),
    Attribute(TextId),
    /// `Name` and `Attribute` in one.
    AttributeOf(Name, TextId),
    Item,
    /// `a['b']`
    ItemNamed(TextId),
    /// `Name` and `ItemNamed` in one.
    ItemNamedOf(Name, TextId),
    /// `a[start:stop:step]`, all of which are on the stack.
    Slice,
    Call(u32),
    Method(TextId, u32),
    Filter(Filter, u32),
    Check(Check, u32),
    /// A check that is given nothing beside the value.
    Test(Check),
    /// `value | length > 0`
    HasItems,
    Not,
    Negative,
    Positive,
    Jump(i32),
    /// Takes the value.
    JumpIfFalse(i32),
    /// `IsText` and `JumpIfFalse` in one.
    JumpUnlessText(TextId, bool, i32),
    /// `Test` and `JumpIfFalse` in one.
    JumpUnless(Check, i32),
    /// Jumps with the value, or takes it.
    JumpIfFalseOrTake(i32),
    JumpIfTrueOrTake(i32),
    /// Jumps with the value if it is defined, as a default parameter does; or takes it.
    JumpIfGiven(Name, i32),
    Undefined,
    Compare(Comparator),
    /// `value > 0`
    IsPositive,
    /// Is the value this text, or is it not?
    IsText(TextId, bool),
    /// One of a chain of comparisons: leaves the right operand, or jumps with `False`.
    CompareOr(Comparator, i32),
    Arithmetic(Operator),
    /// `a + [b]` of the two.
    AddItem,
    Concatenate(u32),
    Store(Name),
    /// Stores the sum of two, or of the first and a list of the second.
    StoreSum(Name, bool),
    SetAttribute(TextId),
    /// As `StoreSum`; the namespace is on top.
    SetAttributeSum(TextId, bool),
    /// Unpacks a value into this many, the first on top.
    Unpack(u32),
    PushFrame,
    PopFrame,
    BeginCapture,
    EndCapture,
    DropCapture,
    StartLoop(u32),
    /// Pushes the next item, or jumps if there is no other.
    NextItem(i32),
    /// `NextItem` and `Store` in one.
    NextItemInto(Name, i32),
    /// Notes that a turn ran to its end.
    TurnDone,
    /// `TurnDone` and `Jump` in one.
    NextTurn(i32),
    /// Ends the innermost loop; jumps if a turn ran to its end.
    EndLoop(i32),
    /// Returns from a loop that was called.
    LeaveLoop,
    /// Begins to choose a loop's items, where it has to know them before its first turn; jumps where it has not.
    Select(i32),
    /// Takes whether an item passes, and pushes the next one and jumps where there is one.
    Selected(i32),
    /// Jumps where the loop has chosen its items already.
    JumpIfSelected(i32),
    Macro(u32),
    Return,
    GenerationStart,
    GenerationEnd,
    /// Raises a `TypeError`, or what else the text says.
    Fail(TextId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

impl Instruction {
    /// What does the same as this one and the next.
    pub(super) fn then(self, next: Instruction) -> Option<Instruction> {
        Some(match (self, next) {
            (Instruction::Name(of), Instruction::Attribute(name)) => Instruction::AttributeOf(of, name),
            (Instruction::Name(of), Instruction::ItemNamed(name)) => Instruction::ItemNamedOf(of, name),
            (Instruction::Literal(text), Instruction::Compare(Comparator::Equal)) => Instruction::IsText(text, true),
            (Instruction::Literal(text), Instruction::Compare(Comparator::NotEqual)) => {
                Instruction::IsText(text, false)
            }
            (Instruction::IsText(text, is), Instruction::JumpIfFalse(far)) => {
                Instruction::JumpUnlessText(text, is, far)
            }
            (Instruction::Test(check), Instruction::JumpIfFalse(far)) => Instruction::JumpUnless(check, far),
            (Instruction::Integer(0), Instruction::Compare(Comparator::Greater)) => Instruction::IsPositive,
            (Instruction::Filter(Filter::Length, NO_ARGUMENTS), Instruction::IsPositive) => Instruction::HasItems,
            (Instruction::Literal(text), Instruction::Print) => Instruction::Text(text),
            (Instruction::Concatenate(count), Instruction::Print) => Instruction::PrintEach(count),
            (Instruction::List(1), Instruction::Arithmetic(Operator::Add)) => Instruction::AddItem,
            (Instruction::Arithmetic(Operator::Add), Instruction::Store(name)) => Instruction::StoreSum(name, false),
            (Instruction::AddItem, Instruction::Store(name)) => Instruction::StoreSum(name, true),
            (Instruction::TurnDone, Instruction::Jump(far)) => Instruction::NextTurn(far),
            (Instruction::NextItem(far), Instruction::Store(name)) => Instruction::NextItemInto(name, far),
            _ => return None,
        })
    }

    /// Sets how far it jumps, where it is a jump.
    pub(super) fn set_distance(&mut self, distance: i32) {
        match self {
            Instruction::Jump(far)
            | Instruction::JumpIfFalse(far)
            | Instruction::JumpUnlessText(_, _, far)
            | Instruction::JumpUnless(_, far)
            | Instruction::JumpIfFalseOrTake(far)
            | Instruction::JumpIfTrueOrTake(far)
            | Instruction::JumpIfGiven(_, far)
            | Instruction::CompareOr(_, far)
            | Instruction::NextTurn(far)
            | Instruction::NextItem(far)
            | Instruction::NextItemInto(_, far)
            | Instruction::EndLoop(far)
            | Instruction::Select(far)
            | Instruction::Selected(far)
            | Instruction::JumpIfSelected(far) => *far = distance,
            _ => {}
        }
    }
}
