//! Fills a story string in: helpers, paths and literals, as Handlebars takes them.

use std::rc::Rc;

use super::super::macros::Macros;
use super::super::tracked_text::TrackedText;
use super::{Block, Call, Expression, Path, Program, Statement, StoryError};

/// How many statements a story may run, and how many bytes it may write beyond eight times its values.
const FUEL: usize = 100_000;
const ALLOWANCE: usize = 1 << 20;

/// The values of a story, by name; `{{#each this}}` goes through them in this order.
#[derive(Clone, Debug, Default)]
pub(in crate::preset) struct Parameters(Vec<(&'static str, Rc<TrackedText>)>);

impl Parameters {
    pub(in crate::preset) fn new(values: impl IntoIterator<Item = (&'static str, TrackedText)>) -> Self {
        Parameters(values.into_iter().map(|(name, value)| (name, Rc::new(value))).collect())
    }

    fn get(&self, name: &str) -> Option<&Rc<TrackedText>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

#[derive(Clone, Debug)]
enum Value {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(Rc<TrackedText>),
    /// All the parameters.
    Parameters,
}

impl Value {
    /// What `{{#if}}` takes for false.
    fn is_empty(&self) -> bool {
        match self {
            Value::Undefined | Value::Null => true,
            Value::Bool(value) => !value,
            Value::Number(number) => number.is_nan(),
            Value::Text(text) => text.is_empty(),
            Value::Parameters => false,
        }
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Value::Undefined | Value::Null)
    }

    fn is_zero(&self) -> bool {
        matches!(self, Value::Number(number) if *number == 0.0)
    }

    /// The same thing, not just an equal one.
    fn is(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Parameters, Value::Parameters) => true,
            (Value::Text(one), Value::Text(other)) => Rc::ptr_eq(one, other),
            _ => false,
        }
    }

    fn of_preset(text: &str) -> Value {
        Value::Text(Rc::new(TrackedText::of_preset(text)))
    }

    fn printed(self) -> Rc<TrackedText> {
        match self {
            Value::Undefined | Value::Null => Rc::default(),
            Value::Bool(value) => Rc::new(TrackedText::of_preset(&value.to_string())),
            Value::Number(number) => Rc::new(TrackedText::of_preset(&number.to_string())),
            Value::Text(text) => text,
            Value::Parameters => Rc::new(TrackedText::of_preset("[object Object]")),
        }
    }
}

/// `@key` and its like.
#[derive(Clone, Default)]
struct Loop {
    key: &'static str,
    index: usize,
    last: bool,
}

struct Filling<'r, 'm> {
    parameters: &'r Parameters,
    macros: &'r mut Macros<'m>,
    /// What `this` is, and what it was further out.
    contexts: Vec<Value>,
    loops: Vec<Loop>,
    out: TrackedText,
    fuel: usize,
    room: usize,
}

pub(super) fn run(
    program: &Program,
    parameters: &Parameters,
    macros: &mut Macros<'_>,
) -> Result<TrackedText, StoryError> {
    let input: usize = parameters.0.iter().map(|(_, value)| value.len()).sum();
    let mut run = Filling {
        parameters,
        macros,
        contexts: vec![Value::Parameters],
        loops: Vec::new(),
        out: TrackedText::default(),
        fuel: FUEL,
        room: ALLOWANCE + 8 * input,
    };
    run.program(program)?;
    Ok(run.out)
}

impl Filling<'_, '_> {
    fn write(&mut self, text: &TrackedText) -> Result<(), StoryError> {
        self.room = self.room.checked_sub(text.len()).ok_or_else(|| StoryError::new("it writes too much"))?;
        self.out.append(text);
        Ok(())
    }

    fn program(&mut self, program: &Program) -> Result<(), StoryError> {
        for statement in &program.body {
            self.fuel = self.fuel.checked_sub(1).ok_or_else(|| StoryError::new("it runs for too long"))?;
            match statement {
                Statement::Content(content) => self.write(&TrackedText::of_preset(&content.value))?,
                Statement::Comment(_) => {}
                Statement::Mustache(call, _) => {
                    let value = self.mustache(call)?.printed();
                    self.write(&value)?;
                }
                Statement::Block(block) => self.block(block)?,
            }
        }
        Ok(())
    }

    /// One branch of a block, with `this` being something else where a context is given.
    fn branch(&mut self, program: Option<&Program>, context: Option<Value>) -> Result<(), StoryError> {
        let Some(program) = program else { return Ok(()) };
        let inner = context.filter(|context| !self.contexts.last().is_some_and(|outer| outer.is(context)));
        let depth = self.contexts.len();
        self.contexts.extend(inner);
        self.program(program)?;
        self.contexts.truncate(depth);
        Ok(())
    }

    fn mustache(&mut self, call: &Call) -> Result<Value, StoryError> {
        let path = literal_as_path(&call.target);
        let Some(path) = path else { return self.expression(&call.target) };
        let has_arguments = !call.arguments.is_empty() || !call.hash.is_empty();
        match path.simple() {
            Some("if" | "unless" | "each" | "with" | "blockHelperMissing" | "helperMissing") => {
                Err(StoryError::new(format!("`{}` is called without a block", path.original)))
            }
            Some("trim" | "lookup" | "log") => self.helper(&path, call),
            Some(_) if has_arguments => self.helper(&path, call),
            Some(name) => match self.property(self.contexts.last(), name) {
                value if value.is_nothing() => Ok(self.missing(name)),
                value => Ok(value),
            },
            None if has_arguments => self.helper(&path, call),
            None => Ok(self.lookup(&path)),
        }
    }

    fn block(&mut self, block: &Block) -> Result<(), StoryError> {
        let Block { call, program, inverse, .. } = block;
        let (program, inverse) = (program.as_ref(), inverse.as_ref());
        let path = literal_as_path(&call.target);
        match path.as_ref().and_then(Path::simple) {
            Some("if") => match self.condition(call, "if")? {
                true => self.branch(program, None),
                false => self.branch(inverse, None),
            },
            Some("unless") => match self.condition(call, "unless")? {
                true => self.branch(inverse, None),
                false => self.branch(program, None),
            },
            Some("with") => {
                let context = self.only_argument(call, "with")?;
                match context.is_empty() {
                    false => self.branch(program, Some(context)),
                    true => self.branch(inverse, None),
                }
            }
            Some("each") => self.each(call, program, inverse),
            // What these say is said once, whatever stands in the block.
            Some("trim" | "lookup" | "log") => {
                let value = self.mustache(call)?.printed();
                self.write(&value)
            }
            _ => match self.mustache(call)? {
                Value::Bool(true) => self.branch(program, None),
                Value::Bool(false) | Value::Undefined | Value::Null => self.branch(inverse, None),
                // A text is something, even an empty one.
                context => self.branch(program, Some(context)),
            },
        }
    }

    fn condition(&mut self, call: &Call, name: &str) -> Result<bool, StoryError> {
        let value = self.only_argument(call, name)?;
        let zero_counts = match call.hash.iter().find(|(key, _)| key == "includeZero") {
            Some((_, expression)) => {
                let asked = self.expression(expression)?;
                !asked.is_empty() && !asked.is_zero()
            }
            None => false,
        };
        Ok(!value.is_empty() && (zero_counts || !value.is_zero()))
    }

    fn only_argument(&mut self, call: &Call, name: &str) -> Result<Value, StoryError> {
        match call.arguments.as_slice() {
            [only] => self.expression(only),
            _ => Err(StoryError::new(format!("`{name}` takes one argument"))),
        }
    }

    fn each(&mut self, call: &Call, program: Option<&Program>, inverse: Option<&Program>) -> Result<(), StoryError> {
        let over = match call.arguments.first() {
            Some(argument) => self.expression(argument)?,
            None => return Err(StoryError::new("`each` takes an argument")),
        };
        if !matches!(over, Value::Parameters) {
            return self.branch(inverse, None);
        }
        let parameters = self.parameters;
        for (index, (key, value)) in parameters.0.iter().enumerate() {
            self.loops.push(Loop { key, index, last: index + 1 == parameters.0.len() });
            self.branch(program, Some(Value::Text(value.clone())))?;
            self.loops.pop();
        }
        Ok(())
    }

    fn expression(&mut self, expression: &Expression) -> Result<Value, StoryError> {
        Ok(match expression {
            Expression::Path(path) => self.lookup(path),
            Expression::Text(text) => Value::of_preset(text),
            Expression::Number(number) => Value::Number(*number),
            Expression::Bool(value) => Value::Bool(*value),
            Expression::Undefined => Value::Undefined,
            Expression::Null => Value::Null,
            Expression::Call(call) => match literal_as_path(&call.target) {
                Some(path) => self.helper(&path, call)?,
                None => return Err(StoryError::new("only a name can be called")),
            },
        })
    }

    /// A call of a helper. Any other name has the value of the macro of that name.
    fn helper(&mut self, path: &Path, call: &Call) -> Result<Value, StoryError> {
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(self.expression(argument)?);
        }
        match path.simple() {
            Some("trim") => return Ok(Value::of_preset("{{trim}}")),
            Some("log") => return Ok(Value::Undefined),
            Some("lookup") => {
                let mut arguments = arguments.into_iter();
                let (of, name) = (arguments.next().unwrap_or(Value::Undefined), arguments.next());
                let name = name.unwrap_or(Value::Undefined).printed();
                return Ok(if of.is_empty() { of } else { self.property(Some(&of), name.as_str()) });
            }
            _ => {}
        }
        let value = self.lookup(path);
        if value.is_empty() || value.is_zero() {
            return Ok(self.missing(&path.original));
        }
        Err(StoryError::new(format!("`{}` is a value and takes no arguments", path.original)))
    }

    fn missing(&mut self, name: &str) -> Value {
        Value::Text(Rc::new(self.macros.expand_preset(&format!("{{{{{name}}}}}"))))
    }

    fn lookup(&self, path: &Path) -> Value {
        let mut parts = path.parts.iter();
        let mut value = match path.data {
            true => {
                let current = self.loops.last();
                match parts.next().map(String::as_str) {
                    Some("root") => Value::Parameters,
                    Some("key") => current.map_or(Value::Undefined, |at| Value::of_preset(at.key)),
                    Some("index") => current.map_or(Value::Undefined, |at| {
                        Value::Number(u32::try_from(at.index).unwrap_or(u32::MAX).into())
                    }),
                    Some("first") => current.map_or(Value::Undefined, |at| Value::Bool(at.index == 0)),
                    Some("last") => current.map_or(Value::Undefined, |at| Value::Bool(at.last)),
                    _ => Value::Undefined,
                }
            }
            false => {
                let up = self.contexts.len().checked_sub(path.depth + 1);
                up.and_then(|index| self.contexts.get(index)).cloned().unwrap_or(Value::Undefined)
            }
        };
        for part in parts {
            value = self.property(Some(&value), part);
        }
        value
    }

    fn property(&self, of: Option<&Value>, name: &str) -> Value {
        match of {
            Some(Value::Parameters) => self.parameters.get(name).cloned().map_or(Value::Undefined, Value::Text),
            _ => Value::Undefined,
        }
    }
}

/// A literal in the place of a name is the name.
fn literal_as_path(target: &Expression) -> Option<Path> {
    let name = match target {
        Expression::Path(path) => return Some(path.clone()),
        Expression::Text(text) => text.clone(),
        Expression::Number(number) => number.to_string(),
        Expression::Bool(value) => value.to_string(),
        Expression::Undefined => "undefined".to_owned(),
        Expression::Null => "null".to_owned(),
        Expression::Call(_) => return None,
    };
    Some(Path { data: false, depth: 0, parts: vec![name.clone()], original: name, scoped: false })
}
