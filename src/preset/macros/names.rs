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
    /// Something about the chat.
    Chat(ChatFact),
    Model,
    Limit(Limit),
    GenerationType,
    HasExtension,
    /// The caller's clock, in a format of moment.js.
    Time(&'static str),
    TimeFormat,
    TimeDifference,
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
    GetEntry(Scope),
    SetEntry(Scope),
}

/// What a macro says about the chat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ChatFact {
    LastMessage,
    LastMessageId,
    LastUserMessage,
    LastCharMessage,
    Range,
    IdleDuration,
    /// What only a page on a screen knows.
    Unknown,
}

/// How many tokens something may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Limit {
    Prompt,
    Context,
    Response,
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

impl Known {
    /// Can what stands between the macro and its end be its last argument, where it has `count` others? Lists take no
    /// such argument.
    pub(super) fn takes_scope(&self, count: usize) -> bool {
        self.known != Macro::Random && self.arguments.contains(&(count + 1))
    }
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
        "charfirstmessage" | "greeting" => (Macro::Field(Field::Greeting), 0..=1),
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
        "lastmessage" => (Macro::Chat(ChatFact::LastMessage), 0..=0),
        "lastmessageid" => (Macro::Chat(ChatFact::LastMessageId), 0..=0),
        "lastusermessage" => (Macro::Chat(ChatFact::LastUserMessage), 0..=0),
        "lastcharmessage" => (Macro::Chat(ChatFact::LastCharMessage), 0..=0),
        "allchatrange" => (Macro::Chat(ChatFact::Range), 0..=0),
        "idleduration" | "idle_duration" => (Macro::Chat(ChatFact::IdleDuration), 0..=0),
        "firstincludedmessageid" | "firstdisplayedmessageid" | "lastswipeid" | "currentswipeid" => {
            (Macro::Chat(ChatFact::Unknown), 0..=0)
        }
        "model" => (Macro::Model, 0..=0),
        "maxprompt" | "maxprompttokens" => (Macro::Limit(Limit::Prompt), 0..=0),
        "maxcontext" | "maxcontexttokens" => (Macro::Limit(Limit::Context), 0..=0),
        "maxresponse" | "maxresponsetokens" => (Macro::Limit(Limit::Response), 0..=0),
        "lastgenerationtype" => (Macro::GenerationType, 0..=0),
        "hasextension" => (Macro::HasExtension, 1..=1),
        "time" => (Macro::Time("LT"), 0..=1),
        "date" => (Macro::Time("LL"), 0..=0),
        "weekday" => (Macro::Time("dddd"), 0..=0),
        "isotime" => (Macro::Time("HH:mm"), 0..=0),
        "isodate" => (Macro::Time("YYYY-MM-DD"), 0..=0),
        "datetimeformat" => (Macro::TimeFormat, 1..=1),
        "timediff" => (Macro::TimeDifference, 2..=2),
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
    let (known, arguments) = match lower {
        "varexists" => (Macro::Has(Scope::Chat), 1..=1),
        "globalvarexists" => (Macro::Has(Scope::Global), 1..=1),
        "setvarkey" | "setvarindex" => (Macro::SetEntry(Scope::Chat), 3..=3),
        "getvarkey" | "getvarindex" => (Macro::GetEntry(Scope::Chat), 2..=2),
        "setglobalvarkey" | "setglobalvarindex" => (Macro::SetEntry(Scope::Global), 3..=3),
        "getglobalvarkey" | "getglobalvarindex" => (Macro::GetEntry(Scope::Global), 2..=2),
        _ => {
            let (verb, scope) = match lower.strip_suffix("globalvar") {
                Some(verb) => (verb, Scope::Global),
                None => (lower.strip_suffix("var")?, Scope::Chat),
            };
            match verb {
                "get" => (Macro::Get(scope), 1..=1),
                "set" => (Macro::Set(scope), 2..=2),
                "add" => (Macro::Add(scope), 2..=2),
                "inc" => (Macro::Step(scope, 1), 1..=1),
                "dec" => (Macro::Step(scope, -1), 1..=1),
                "has" => (Macro::Has(scope), 1..=1),
                "delete" | "flush" => (Macro::Delete(scope), 1..=1),
                _ => return None,
            }
        }
    };
    Some(Known { known, arguments })
}
