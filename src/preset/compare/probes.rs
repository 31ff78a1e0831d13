//! Probes: chats of words that occur nowhere else, and the places between the words.

use super::super::fields::NamesBehavior;
use super::super::{Preset, Scene, SceneSettings};
use super::{Difference, DifferenceKind, Reach};
use crate::chat::{Chat, Message};
use crate::control::{Control, Vocabulary};
use crate::error::Error;
use crate::format::Format;
use crate::layout::Layout;
use crate::prompt::Prompt;

const SYSTEM: &str = "SYSTEM MESSAGE";
const USER: &str = "USER MESSAGE";
const REPLY: &str = "ASSISTANT MESSAGE";
const LAST: &str = "LAST MESSAGE";
const BEFORE: &str = "EARLIER MESSAGE";
const ANSWER: &str = "EARLIER ANSWER";
const BOS: &str = Control::Bos.as_str();
/// What stands for what a preset does not send at all.
pub(super) const ABSENT: &str = "(nothing of the sort)";

/// A chat, as both sides see it.
#[derive(Clone, Copy, PartialEq)]
enum Probe {
    /// A question, an answer, a question.
    Turns,
    /// The same without a system prompt.
    TurnsAlone,
    /// One question.
    Only,
    /// A greeting, a question.
    Greeting,
    /// Two blocks of example dialogue and a question.
    Examples,
}

impl Probe {
    const ALL: [Probe; 5] = [Probe::Turns, Probe::TurnsAlone, Probe::Only, Probe::Greeting, Probe::Examples];
}

/// A place in a probe's prompt.
struct Place {
    kind: DifferenceKind,
    probe: Probe,
    between: Between,
    /// What the layout says there.
    expects: Option<String>,
    /// On which side of what the layout says the author's text can stand.
    own_text: OwnText,
}

#[derive(Clone, Copy)]
enum OwnText {
    Nowhere,
    After,
    Before,
    Within,
}

enum Between {
    Words(Option<&'static str>, Option<&'static str>),
    /// Up to a mark of the layout, after a word.
    UpTo {
        word: &'static str,
        mark: &'static str,
        next: Option<&'static str>,
    },
    /// From a mark of the layout to a word, or to the end.
    From {
        word: &'static str,
        mark: &'static str,
        next: Option<&'static str>,
    },
    Stop(&'static str),
}

impl Between {
    /// What stands at the place; `None` where one of its words is missing.
    fn read(&self, prompt: &Prompt, text: &str) -> Option<String> {
        let after = |word: &str| text.split_once(word).map(|(_, rest)| rest);
        let up_to = |rest: &str, word: Option<&str>| match word {
            Some(word) => rest.split_once(word).map(|(before, _)| before.to_owned()),
            None => Some(rest.to_owned()),
        };
        match self {
            Between::Words(before, next) => up_to(before.map_or(Some(text), after)?, *next),
            Between::UpTo { word, mark, next } => {
                let gap = up_to(after(word)?, *next)?;
                gap.split_once(mark).map(|(before, _)| before.to_owned()).or(Some(gap))
            }
            Between::From { word, mark, next } => {
                let gap = up_to(after(word)?, *next)?;
                gap.split_once(mark).map(|(_, rest)| rest.to_owned())
            }
            Between::Stop(stop) => prompt.stop_strings().iter().any(|known| known == stop).then(|| (*stop).to_owned()),
        }
    }
}

/// The probes of a layout.
pub(super) struct Probes {
    places: Vec<Place>,
    example: String,
    vocabulary: Vocabulary,
}

/// What a preset sends for the probes.
pub(super) struct Sent {
    /// The example as it is sent, names and all.
    example: String,
    names: Option<String>,
    writes_bos: Option<String>,
    /// What stands at each place, without names and without `<s>`.
    gaps: Vec<Option<String>>,
}

impl Sent {
    pub(super) fn example(&self) -> &str {
        &self.example
    }
}

impl Probes {
    pub(super) fn new(layout: &Layout, reach: Reach) -> Result<Self, Error> {
        let (open, close) = (layout.user.open.as_str().trim(), layout.user.close.as_str().trim());
        let (turns, words) = (Probe::Turns, Between::Words);
        let up_to = |word, mark, next| Between::UpTo { word, mark, next };
        let from = |word, mark, next| Between::From { word, mark, next };
        let (nowhere, system, user) = (OwnText::Nowhere, Some(SYSTEM), Some(USER));
        let list = [
            (DifferenceKind::BeforeSystem, turns, words(None, system), OwnText::After),
            (DifferenceKind::AfterSystem, turns, words(system, user), OwnText::Before),
            (DifferenceKind::NoSystem, Probe::TurnsAlone, words(None, user), OwnText::Within),
            (DifferenceKind::OnlyMessage, Probe::Only, words(system, user), OwnText::Before),
            (DifferenceKind::UserEnd, turns, up_to(USER, close, Some(REPLY)), nowhere),
            (DifferenceKind::ReplyStart, turns, from(USER, close, Some(REPLY)), nowhere),
            (DifferenceKind::ReplyEnd, turns, up_to(REPLY, open, Some(LAST)), nowhere),
            (DifferenceKind::UserStart, turns, from(REPLY, open, Some(LAST)), nowhere),
            (DifferenceKind::PromptEnd, turns, from(LAST, close, None), nowhere),
            (DifferenceKind::Greeting, Probe::Greeting, words(system, Some(REPLY)), OwnText::Before),
            (DifferenceKind::Examples, Probe::Examples, words(Some(ANSWER), user), nowhere),
            (DifferenceKind::StopString, turns, Between::Stop(layout.reply.close.as_str()), nowhere),
        ];
        let mut places = Vec::with_capacity(list.len());
        for (kind, probe, between, own_text) in list {
            // koboldcpp has no examples, and no stop strings of its own; and where it cannot send a system prompt, what
            // is left are chats without one.
            let has_system = matches!(between, Between::Words(Some(SYSTEM), _) | Between::Words(_, Some(SYSTEM)));
            let is_out_of_reach = reach == Reach::KoboldCpp
                && (matches!(kind, DifferenceKind::Examples | DifferenceKind::StopString)
                    || (has_system && layout.system.in_user().is_some()));
            if is_out_of_reach {
                continue;
            }
            let prompt = layout.render(&probe.chat(Side::Layout))?;
            let expects = between.read(&prompt, prompt.after_bos());
            places.push(Place { kind, probe, between, expects, own_text });
        }
        let example = layout.render(&Probe::Turns.chat(Side::Layout))?.after_bos().to_owned();
        Ok(Probes { places, example, vocabulary: SceneSettings::default().vocabulary })
    }

    /// The example as the layout has it.
    pub(super) fn example(&self) -> &str {
        &self.example
    }

    pub(super) fn send(&self, preset: &Preset) -> Result<Sent, Error> {
        let example = Probe::Turns.render(preset)?.into_string();
        let nameless = nameless(preset);
        let mut prompts = Vec::with_capacity(Probe::ALL.len());
        for probe in Probe::ALL {
            let prompt = probe.render(&nameless)?;
            let text = prompt.as_str().replace(BOS, "");
            prompts.push((probe, prompt, text));
        }
        let plain = prompts.first().map_or("", |(_, prompt, _)| prompt.as_str());
        let names = (plain != example).then(|| name_in_front(&example));
        let gap = |place: &Place| {
            let found = prompts.iter().find(|(probe, ..)| *probe == place.probe);
            found.and_then(|(_, prompt, text)| place.between.read(prompt, text))
        };
        let gaps = self.places.iter().map(gap).collect();
        Ok(Sent { writes_bos: bos_of(&example), example, names, gaps })
    }

    /// Is there no difference? It looks no further than to the first.
    pub(super) fn accept(&self, preset: &Preset) -> Result<bool, Error> {
        let nameless = nameless(preset);
        for probe in Probe::ALL {
            let prompt = probe.render(&nameless)?;
            if prompt.as_str().contains(BOS) {
                return Ok(false);
            }
            let mut places = self.places.iter().filter(|place| place.probe == probe);
            if !places.all(|place| self.accepts(place, place.between.read(&prompt, prompt.as_str()).as_deref())) {
                return Ok(false);
            }
            if probe == Probe::Turns && Probe::Turns.render(preset)?.as_str() != prompt.as_str() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Is there no difference of a kind?
    pub(super) fn lack(&self, kind: DifferenceKind, preset: &Preset) -> Result<bool, Error> {
        let Some(place) = self.places.iter().find(|place| place.kind == kind) else {
            let sent = Probe::Turns.render(preset)?;
            return Ok(match kind {
                DifferenceKind::DoubledBos => !sent.as_str().contains(BOS),
                _ => Probe::Turns.render(&nameless(preset))?.as_str() == sent.as_str(),
            });
        };
        let prompt = place.probe.render(&nameless(preset))?;
        let text = prompt.as_str().replace(BOS, "");
        Ok(self.accepts(place, place.between.read(&prompt, &text).as_deref()))
    }

    /// The differences, without their mends.
    pub(super) fn differences(&self, sent: &Sent) -> Vec<Difference> {
        let told = |kind, sends: &str, expects: &str| Difference {
            kind,
            sends: sends.to_owned(),
            expects: expects.to_owned(),
            mends: Vec::new(),
        };
        let mut differences = Vec::new();
        differences.extend(sent.writes_bos.as_deref().map(|sends| told(DifferenceKind::DoubledBos, sends, "")));
        differences.extend(sent.names.as_deref().map(|sends| told(DifferenceKind::Names, sends, "")));
        for (place, gap) in self.places.iter().zip(&sent.gaps) {
            // A chat of one message differs as any other does, but where no other differs.
            let is_told = place.kind == DifferenceKind::OnlyMessage
                && differences.iter().any(|known| known.kind == DifferenceKind::AfterSystem);
            if !is_told && !self.accepts(place, gap.as_deref()) {
                let text = |text: &Option<String>| text.clone().unwrap_or_else(|| ABSENT.to_owned());
                differences.push(told(place.kind, &text(gap), &text(&place.expects)));
            }
        }
        differences
    }

    /// Is a place as the layout has it, or does the author's text stand in the system prompt beside it?
    fn accepts(&self, place: &Place, gap: Option<&str>) -> bool {
        let (Some(gap), Some(expects)) = (gap, place.expects.as_deref()) else {
            return gap == place.expects.as_deref();
        };
        if gap == expects {
            return true;
        }
        let text = match place.own_text {
            OwnText::Nowhere => None,
            OwnText::After => gap.strip_prefix(expects),
            OwnText::Before => gap.strip_suffix(expects),
            OwnText::Within => {
                let [before, after] = [DifferenceKind::BeforeSystem, DifferenceKind::AfterSystem].map(|kind| {
                    let place = self.places.iter().find(|place| place.kind == kind);
                    place.and_then(|place| place.expects.as_deref()).unwrap_or_default()
                });
                gap.strip_prefix(before).and_then(|rest| rest.strip_suffix(after))
            }
        };
        text.is_some_and(|text| !text.trim().is_empty() && !holds_control(text, self.vocabulary))
    }
}

/// Does a control token of any version stand in a text?
pub(super) fn holds_control(text: &str, vocabulary: Vocabulary) -> bool {
    vocabulary.find_in(text).next().is_some()
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Preset,
    Layout,
}

impl Probe {
    fn has_system(self) -> bool {
        self != Probe::TurnsAlone
    }

    /// The chat; a preset has its system prompt and its examples elsewhere.
    fn chat(self, side: Side) -> Chat<'static> {
        let mut messages = Vec::new();
        if side == Side::Layout && self.has_system() {
            messages.push(Message::system(SYSTEM));
        }
        if let (Side::Layout, Probe::Examples) = (side, self) {
            messages.extend([Message::user(BEFORE), Message::assistant(ANSWER)]);
            messages.extend([Message::user(USER), Message::assistant(REPLY)]);
        }
        match self {
            Probe::Turns | Probe::TurnsAlone => {
                messages.extend([Message::user(USER), Message::assistant(REPLY), Message::user(LAST)]);
            }
            Probe::Only => messages.push(Message::user(USER)),
            Probe::Greeting => messages.extend([Message::assistant(REPLY), Message::user(LAST)]),
            Probe::Examples => messages.push(Message::user(LAST)),
        }
        Chat::new(messages)
    }

    fn render(self, preset: &Preset) -> Result<Prompt, Error> {
        let content = if self.has_system() { SYSTEM } else { "" };
        let mut preset = preset.clone().with_system_prompt(content);
        preset.instruct.enabled = true;
        let mut scene = Scene::default();
        if let Probe::Examples = self {
            let block = |question, answer| format!("<START>\n{}: {question}\n{}: {answer}\n", scene.user, scene.char);
            scene.examples = block(BEFORE, ANSWER) + &block(USER, REPLY);
        }
        preset.ready_without_system_of_chat(&scene)?.render(&self.chat(Side::Preset))
    }
}

fn nameless(preset: &Preset) -> Preset {
    let mut nameless = preset.clone();
    nameless.instruct.names_behavior = NamesBehavior::None;
    nameless
}

/// What the preset writes up to its last `<s>`, or that alone.
fn bos_of(example: &str) -> Option<String> {
    let end = example.rfind(BOS)? + BOS.len();
    Some(example.get(..end).filter(|start| start.len() < 40).unwrap_or(BOS).to_owned())
}

/// The name before a message of the example, where one stands.
fn name_in_front(example: &str) -> String {
    let name = format!("{}: ", Scene::default().user);
    if example.contains(&format!("{name}{USER}")) { name } else { format!("{}:", Scene::default().char) }
}
