//! What a template says, read once: statements and expressions, whatever the interpreter does not know being left blank.

/// A template, read.
#[derive(Debug)]
pub(in crate::template) struct Program {
    pub(super) body: Block,
    pub(super) macros: Vec<Macro>,
    /// Every name, and where the template gives it a value.
    pub(super) names: Vec<(Box<str>, Assigned)>,
}

/// In how many places something is given a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assigned {
    Nowhere,
    Once,
    Often,
}

/// A name, by its place among those of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name(pub(super) usize);

/// Statements in order.
pub(super) type Block = Vec<Statement>;

#[derive(Debug)]
pub(super) enum Statement {
    /// Text of the template's own.
    Text(Box<str>),
    Print(Expression),
    /// The conditions with what each leads to, and what follows where none holds.
    If(Vec<(Expression, Block)>, Block),
    For(Box<For>),
    Set(Name, Expression),
    /// `{% set namespace.attribute = value %}`
    SetAttribute(Name, Box<str>, Expression),
    /// `{% set namespace.attribute = namespace.attribute + added %}`
    AddToAttribute(Name, Box<str>, Expression),
    /// `{% set name %}…{% endset %}`
    SetBlock(Name, Block),
    /// The definition of a macro, by its place among those of the program.
    Macro(Name, usize),
    Generation(Block),
    Break,
    Continue,
    Unknown,
}

/// `{% for targets in iterated if condition %}`
#[derive(Debug)]
pub(super) struct For {
    pub(super) targets: Vec<Name>,
    pub(super) iterated: Expression,
    pub(super) condition: Option<Expression>,
    pub(super) body: Block,
    /// What stands for the body where it never ran.
    pub(super) otherwise: Block,
}

#[derive(Debug)]
pub(super) struct Macro {
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Block,
}

#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: Name,
    pub(super) default: Option<Literal>,
}

#[derive(Debug)]
pub(super) enum Literal {
    None,
    Bool(bool),
    Integer(i64),
    Text(Box<str>),
}

#[derive(Debug)]
pub(super) enum Expression {
    Literal(Literal),
    Name(Name),
    Loop(LoopField),
    List(Vec<Expression>),
    Dict(Vec<(Box<str>, Expression)>),
    Namespace(Vec<(Box<str>, Expression)>),
    /// `a.b` and `a['b']`
    Member(Box<Expression>, Box<str>),
    Index(Box<Expression>, Box<Expression>),
    /// `a[1:-1]`
    Slice(Box<Expression>, Box<[Option<Expression>; 2]>),
    /// `range(n)`
    Range(Box<Expression>),
    Not(Box<Expression>),
    Binary(Operator, Box<[Expression; 2]>),
    /// The condition, what it is where that holds, and what it is otherwise.
    If(Box<[Expression; 3]>),
    Is(Test, Box<Expression>),
    Filter(Filter, Box<Expression>),
    /// A macro, with arguments by place or by name.
    Call(Name, Vec<(Option<Name>, Expression)>),
    /// `a.get(key, default)`
    Get(Box<[Expression; 2]>, Box<str>),
    /// `a.startswith(b)`
    StartsWith(Box<[Expression; 2]>),
    /// `a.endswith(b)`
    EndsWith(Box<[Expression; 2]>),
    Undefined,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    And,
    Or,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Add,
    Subtract,
    Remainder,
    Concatenate,
}

/// What a template knows of the loop it is in.
#[derive(Clone, Copy, Debug)]
pub(super) enum LoopField {
    Index,
    Index0,
    First,
    Last,
    Length,
    Previous,
    Next,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Test {
    Defined,
    Undefined,
    None,
    Text,
    Mapping,
    Sequence,
    Iterable,
    True,
    False,
}

#[derive(Debug)]
pub(super) enum Filter {
    Length,
    Join(Box<str>),
    /// Without white space, or these characters, at some of its ends.
    Trim(Ends, Option<Box<str>>),
    /// What is given back as it is.
    Safe,
    Text,
    Integer,
    Float,
    List,
    Reversed,
    First,
    Last,
    Upper,
    Lower,
    Capitalized,
    Title,
    ToJson,
    Default(Literal),
    /// `selectattr('key', 'equalto', value)`
    SelectEqual(Box<str>, Literal),
    /// `.items()`
    Items,
    /// `.split(separator)`
    Split(Box<str>),
    /// `replace(old, new)`
    Replace(Box<str>, Box<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    Both,
    Start,
    End,
}
