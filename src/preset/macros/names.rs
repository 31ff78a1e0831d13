//! The names of macros: each with what it is and how many arguments it takes.

use super::parse::Scope;

/// What a macro does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Macro {
    User,
    Char,
    Group,
    NotChar,
    Field(Field),
    Instruct(Sequence),
    SystemPrompt,
    DefaultSystemPrompt,
    ExampleSeparator,
    ChatStart,
    Original,
    IsMobile,
    Repeat(&'static str),
    Nothing,
    Trim,
    If,
    Else,
    Reverse,
    Random,
    Roll,
    Get(Scope),
    Set(Scope),
    Add(Scope),
    Step(Scope, i8),
    Has(Scope),
    Delete(Scope),
}

/// A field of the card.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field {
    Description,
    Personality,
    Scenario,
    Persona,
    ExamplesRaw,
    Examples,
    SystemPrompt,
    PostHistory,
    Greeting,
    /// A field that scenes do not have.
    Unknown,
}

/// A field of the instruct preset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sequence {
    StoryPrefix,
    StorySuffix,
    Input,
    InputSuffix,
    Output,
    OutputSuffix,
    System,
    SystemSuffix,
    FirstOutput,
    LastOutput,
    Stop,
    Alignment,
    LastSystem,
    FirstInput,
    LastInput,
}

/// A macro and the least and the most arguments that it takes.
pub(super) struct Known {
    pub(super) known: Macro,
    pub(super) arguments: std::ops::RangeInclusive<usize>,
}

/// The macro of a name, in any case.
pub(super) fn find(name: &str) -> Option<Known> {
    let lower = name.to_ascii_lowercase();
    let (known, arguments) = match lower.as_str() {
        "user" => (Macro::User, 0..=0),
        "char" => (Macro::Char, 0..=0),
        "group" | "charifnotgroup" | "groupnotmuted" => (Macro::Group, 0..=0),
        "notchar" => (Macro::NotChar, 0..=0),
        "description" | "chardescription" => (Macro::Field(Field::Description), 0..=0),
        "personality" | "charpersonality" => (Macro::Field(Field::Personality), 0..=0),
        "scenario" | "charscenario" => (Macro::Field(Field::Scenario), 0..=0),
        "persona" => (Macro::Field(Field::Persona), 0..=0),
        "mesexamplesraw" => (Macro::Field(Field::ExamplesRaw), 0..=0),
        "mesexamples" => (Macro::Field(Field::Examples), 0..=0),
        "charprompt" => (Macro::Field(Field::SystemPrompt), 0..=0),
        "charinstruction" | "charjailbreak" => (Macro::Field(Field::PostHistory), 0..=0),
        "charfirstmessage" | "greeting" => (Macro::Field(Field::Greeting), 0..=0),
        "chardepthprompt" | "charcreatornotes" | "creatornotes" | "charversion" | "version" | "char_version" => {
            (Macro::Field(Field::Unknown), 0..=0)
        }
        "systemprompt" => (Macro::SystemPrompt, 0..=0),
        "defaultsystemprompt" | "globalsystemprompt" | "instructsystem" | "instructsystemprompt" => {
            (Macro::DefaultSystemPrompt, 0..=0)
        }
        "exampleseparator" | "chatseparator" => (Macro::ExampleSeparator, 0..=0),
        "chatstart" => (Macro::ChatStart, 0..=0),
        "original" => (Macro::Original, 0..=0),
        "ismobile" => (Macro::IsMobile, 0..=0),
        "space" => (Macro::Repeat(" "), 0..=1),
        "newline" => (Macro::Repeat("\n"), 0..=1),
        "noop" | "input" => (Macro::Nothing, 0..=0),
        "//" | "comment" | "banned" | "outlet" => (Macro::Nothing, 1..=1),
        "trim" => (Macro::Trim, 0..=1),
        "if" => (Macro::If, 2..=2),
        "else" => (Macro::Else, 0..=0),
        "reverse" => (Macro::Reverse, 1..=1),
        "random" | "pick" => (Macro::Random, 0..=usize::MAX),
        "roll" => (Macro::Roll, 1..=1),
        other => return sequence(other).or_else(|| variable(other)),
    };
    Some(Known { known, arguments })
}

fn sequence(lower: &str) -> Option<Known> {
    let sequence = match lower.strip_prefix("instruct")? {
        "storystringprefix" => Sequence::StoryPrefix,
        "storystringsuffix" => Sequence::StorySuffix,
        "userprefix" | "input" => Sequence::Input,
        "usersuffix" => Sequence::InputSuffix,
        "assistantprefix" | "output" => Sequence::Output,
        "assistantsuffix" | "separator" => Sequence::OutputSuffix,
        "systemprefix" => Sequence::System,
        "systemsuffix" => Sequence::SystemSuffix,
        "firstassistantprefix" | "firstoutputprefix" => Sequence::FirstOutput,
        "lastassistantprefix" | "lastoutputprefix" => Sequence::LastOutput,
        "stop" => Sequence::Stop,
        "userfiller" => Sequence::Alignment,
        "systeminstructionprefix" => Sequence::LastSystem,
        "firstuserprefix" | "firstinput" => Sequence::FirstInput,
        "lastuserprefix" | "lastinput" => Sequence::LastInput,
        _ => return None,
    };
    Some(Known { known: Macro::Instruct(sequence), arguments: 0..=0 })
}

fn variable(lower: &str) -> Option<Known> {
    let (verb, scope) = match lower.strip_suffix("globalvar") {
        Some(verb) => (verb, Scope::Global),
        None => (lower.strip_suffix("var")?, Scope::Chat),
    };
    let (known, arguments) = match verb {
        "get" => (Macro::Get(scope), 1..=1),
        "set" => (Macro::Set(scope), 2..=2),
        "add" => (Macro::Add(scope), 2..=2),
        "inc" => (Macro::Step(scope, 1), 1..=1),
        "dec" => (Macro::Step(scope, -1), 1..=1),
        "has" => (Macro::Has(scope), 1..=1),
        "delete" => (Macro::Delete(scope), 1..=1),
        _ => return None,
    };
    Some(Known { known, arguments })
}
