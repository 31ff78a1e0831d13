//! Runs the macros of a text: each replaced by its value, nested ones first, branches not taken not at all.

use std::ops::Range;

use super::super::tracked_text::{TrackedText, Trust, is_space, trimmed};
use super::names::{self, ChatFact, Field, Limit, Macro, Sequence};
use super::parse::{Call, Head, Operator, Scope};
use super::{Macros, clock, json_variables};

/// How deeply scopes can stand in scopes; what is deeper stays text.
const MAX_DEPTH: usize = 64;

/// A macro's arguments and how it was called.
struct Invocation<'c> {
    source: &'c TrackedText,
    call: &'c Call,
    /// The range between the macro and its end, and the macros in it.
    scope: Option<(Range<usize>, &'c [Call])>,
    depth: usize,
}

impl Macros<'_> {
    /// A range of `source` with the macros in it, which are `calls`, replaced.
    pub(super) fn run(
        &mut self,
        source: &TrackedText,
        range: Range<usize>,
        calls: &[Call],
        depth: usize,
    ) -> TrackedText {
        let scopes = scopes(source.as_str(), calls);
        let mut out = TrackedText::default();
        let mut at = range.start;
        let mut index = 0;
        while let Some(call) = calls.get(index) {
            out.append_part(source, at..call.range.start);
            at = call.range.end;
            index += 1;
            let scoped = scopes.get(index - 1).copied().unwrap_or_default();
            if scoped == Scoped::Text || depth >= MAX_DEPTH {
                out.append_part(source, call.range.clone());
                continue;
            }
            let mut scope = None;
            if let Scoped::Until(end) = scoped
                && let Some(closing) = calls.get(end)
            {
                scope = Some((at..closing.range.start, calls.get(index..end).unwrap_or_default()));
                at = closing.range.end;
                index = end + 1;
            }
            out.append(&self.invoke(&Invocation { source, call, scope, depth }));
        }
        out.append_part(source, at..range.end);
        out
    }

    fn invoke(&mut self, invocation: &Invocation<'_>) -> TrackedText {
        let Invocation { source, call, .. } = invocation;
        let trusted = source.is_of_preset(call.range.start..call.range.start + 2)
            && source.is_of_preset(call.range.end - 2..call.range.end);
        let text = source.as_str();
        let mut keeps_trust = trusted;
        let value = match &call.head {
            Head::Variable { scope, name, operator } => {
                let name = text.get(name.clone()).unwrap_or_default().to_owned();
                Some(self.variable(invocation, *scope, name, *operator, trusted))
            }
            Head::Name(name) => {
                let name = text.get(name.clone()).unwrap_or_default();
                let count = call.args.len() + usize::from(invocation.scope.is_some());
                match self.scene.value_of(name) {
                    Some(value) if count == 0 => Some(TrackedText::of_nobody(value)),
                    _ => names::find(name).filter(|known| known.arguments.contains(&count)).and_then(|known| {
                        // A branch is text that stands there once, whatever macro asked for it.
                        keeps_trust |= known.known == Macro::If;
                        self.value(invocation, known.known, trusted)
                    }),
                }
            }
        };
        match value {
            Some(value) => {
                self.spend(value.len() + 1);
                if keeps_trust { value } else { value.distrusted() }
            }
            None => self.verbatim(invocation),
        }
    }

    /// What SillyTavern does not know stays as it is, with the macros in it replaced. Of its end, the braces stay.
    fn verbatim(&mut self, invocation: &Invocation<'_>) -> TrackedText {
        let Invocation { source, call, depth, scope } = invocation;
        let mut kept = self.run(source, call.range.clone(), &call.inner, depth + 1);
        if scope.is_some() {
            kept.append(&self.argument(invocation, call.args.len()));
            kept.append_part(source, call.range.end - 2..call.range.end);
        }
        kept
    }

    /// An argument with its macros replaced; what stands in the macro's scope is its last.
    fn argument(&mut self, invocation: &Invocation<'_>, index: usize) -> TrackedText {
        let Invocation { source, call, depth, .. } = invocation;
        match (call.args.get(index), &invocation.scope) {
            (Some(range), _) => self.run(source, range.clone(), within(&call.inner, range), depth + 1),
            (None, Some((range, calls))) => {
                let value = self.run(source, range.clone(), calls, depth + 1);
                if call.keeps_space { value } else { dedented(&value) }
            }
            (None, None) => TrackedText::default(),
        }
    }

    fn value(&mut self, invocation: &Invocation<'_>, known: Macro, trusted: bool) -> Option<TrackedText> {
        let nobody = |text: &str| Some(TrackedText::of_nobody(text));
        match known {
            Macro::User => nobody(&self.scene.user),
            Macro::Char => nobody(&self.scene.char),
            Macro::Group if self.scene.group.is_empty() => nobody(&self.scene.char),
            Macro::Group => nobody(&self.scene.group.join(", ")),
            Macro::NotChar => nobody(&self.not_char()),
            // There is one greeting, which is the first.
            Macro::Field(Field::Greeting) => {
                let is_first = match invocation.call.args.first() {
                    Some(_) => self.argument(invocation, 0).as_str().trim_matches(is_space).parse::<i64>().ok()? == 0,
                    None => true,
                };
                Some(if is_first { self.field(Field::Greeting) } else { TrackedText::default() })
            }
            Macro::Field(field) => Some(self.field(field)),
            Macro::Instruct(sequence) => Some(TrackedText::of_preset(self.sequence(sequence))),
            Macro::SystemPrompt => nobody(self.effective_system_prompt()),
            Macro::DefaultSystemPrompt => nobody(self.system_prompt),
            Macro::ExampleSeparator => Some(TrackedText::of_preset(&self.context.example_separator)),
            Macro::ChatStart => Some(TrackedText::of_preset(&self.context.chat_start)),
            // The first time it is the original, and then it is empty.
            Macro::Original => self.original.as_mut().map(std::mem::take),
            Macro::IsMobile => nobody("false"),
            Macro::Chat(fact) => nobody(&self.chat_fact(fact)),
            Macro::Model => nobody(&self.scene.model),
            Macro::Limit(limit) => nobody(&self.limit(limit).to_string()),
            Macro::GenerationType => nobody(self.scene.settings.generation.as_str()),
            // Which extensions there are is nothing that a scene knows.
            Macro::HasExtension => {
                self.argument(invocation, 0);
                nobody("false")
            }
            Macro::Time(format) => {
                let now = self.scene.now?;
                let offset = self.argument(invocation, 0);
                let offset = offset.as_str().strip_prefix("UTC").filter(|offset| offset.starts_with(['+', '-']));
                let offset = offset.and_then(|offset| offset.parse::<i64>().ok());
                nobody(&offset.map_or(now, |offset| now.at_offset(offset)).format(format))
            }
            Macro::TimeFormat => {
                let now = self.scene.now?;
                let format = self.argument(invocation, 0);
                nobody(&now.format(format.as_str()))
            }
            Macro::TimeDifference => {
                let (left, right) = (self.argument(invocation, 0), self.argument(invocation, 1));
                nobody(&clock::difference(left.as_str(), right.as_str()))
            }
            Macro::Repeat(text) => Some(self.repeated(invocation, text)),
            Macro::Nothing => {
                // What a comment holds is run all the same.
                self.argument(invocation, 0);
                Some(TrackedText::default())
            }
            Macro::Trim if invocation.scope.is_some() => Some(self.argument(invocation, 0)),
            Macro::Trim => Some(TrackedText::of_preset("{{trim}}")),
            Macro::If => Some(self.branch(invocation)),
            Macro::Else => Some(TrackedText::default()),
            Macro::Reverse => {
                let value = self.argument(invocation, 0);
                let reversed: String = value.as_str().chars().rev().collect();
                Some(TrackedText::new(&reversed, value.trust()))
            }
            Macro::Random => Some(self.choice(invocation)),
            Macro::Roll => {
                self.is_volatile = true;
                let formula = self.argument(invocation, 0);
                nobody(&self.roll(formula.as_str()).map(|total| total.to_string()).unwrap_or_default())
            }
            Macro::Get(scope) => {
                let name = self.argument(invocation, 0);
                let value = self.get(scope, name.as_str()).map(as_number_prints).unwrap_or_default();
                Some(if name.trust() == Trust::Preset { value } else { value.distrusted() })
            }
            Macro::Set(scope) => {
                let (name, value) = (self.argument(invocation, 0), self.argument(invocation, 1));
                self.set(scope, name.into_string(), if trusted { value } else { value.distrusted() });
                Some(TrackedText::default())
            }
            Macro::Add(scope) => {
                let (name, value) = (self.argument(invocation, 0), self.argument(invocation, 1));
                self.add(scope, name.into_string(), if trusted { value } else { value.distrusted() });
                Some(TrackedText::default())
            }
            Macro::Step(scope, by) => {
                let name = self.argument(invocation, 0).into_string();
                Some(self.step(scope, name, f64::from(by)))
            }
            Macro::Has(scope) => {
                let name = self.argument(invocation, 0);
                nobody(if self.get(scope, name.as_str()).is_some() { "true" } else { "false" })
            }
            Macro::Delete(scope) => {
                let name = self.argument(invocation, 0).into_string();
                self.is_volatile = true;
                self.variables.remove(&(scope, name));
                Some(TrackedText::default())
            }
            Macro::GetEntry(scope) => {
                let (name, key) = (self.argument(invocation, 0), self.argument(invocation, 1));
                let value =
                    self.get(scope, name.as_str()).map(|value| json_variables::get(value.as_str(), key.as_str()));
                Some(as_number_prints(&TrackedText::of_nobody(&value.unwrap_or_default())))
            }
            Macro::SetEntry(scope) => {
                let [name, key, value] = [0, 1, 2].map(|index| self.argument(invocation, index).into_string());
                let whole = json_variables::set(self.get(scope, &name).map(TrackedText::as_str), &key, value);
                if let Some(whole) = whole {
                    self.set(scope, name, TrackedText::of_nobody(&whole));
                }
                Some(TrackedText::default())
            }
        }
    }

    /// What is asked about the chat. Until it is known, nothing; the preset is then made ready again with it.
    fn chat_fact(&mut self, fact: ChatFact) -> String {
        let Some(chat) = self.chat else {
            self.asks_for_chat |= fact != ChatFact::Unknown;
            return String::new();
        };
        match fact {
            ChatFact::LastMessage => chat.last.clone(),
            ChatFact::LastUserMessage => chat.last_user.clone(),
            ChatFact::LastCharMessage => chat.last_char.clone(),
            ChatFact::LastMessageId => chat.count.checked_sub(1).map(|id| id.to_string()).unwrap_or_default(),
            ChatFact::Range => chat.count.checked_sub(1).map(|id| format!("0-{id}")).unwrap_or_default(),
            ChatFact::IdleDuration => match (self.scene.now, chat.idle_since) {
                (Some(now), Some(since)) => clock::humanized(now.unix_seconds.saturating_sub(since)),
                _ => "just now".to_owned(),
            },
            ChatFact::Unknown => String::new(),
        }
    }

    fn limit(&self, limit: Limit) -> i64 {
        let settings = &self.scene.settings;
        let (context, response) = (i64::from(settings.max_context), i64::from(settings.max_response));
        match limit {
            Limit::Prompt => context - response,
            Limit::Context => context,
            Limit::Response => response,
        }
    }

    fn not_char(&self) -> String {
        let others = self.scene.group.iter().filter(|name| **name != self.scene.char);
        others.chain([&self.scene.user]).map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    fn field(&self, field: Field) -> TrackedText {
        let Some(card) = &self.card else { return TrackedText::default() };
        TrackedText::of_nobody(match field {
            Field::Description => &card.description,
            Field::Personality => &card.personality,
            Field::Scenario => &card.scenario,
            Field::Persona => &card.persona,
            Field::ExamplesRaw => &card.examples_raw,
            Field::Examples => return card.examples.clone(),
            Field::SystemPrompt => &card.system_prompt,
            Field::PostHistory => &card.post_history,
            Field::Greeting => &card.greeting,
            Field::Unknown => "",
        })
    }

    fn effective_system_prompt(&self) -> &str {
        let of_card = self.card.as_ref().map(|card| card.system_prompt.as_str()).unwrap_or_default();
        let preferred = self.scene.settings.prefer_card_prompt && !of_card.is_empty();
        if preferred { of_card } else { self.system_prompt }
    }

    fn sequence(&self, sequence: Sequence) -> &str {
        fn or<'t>(text: &'t str, other: &'t str) -> &'t str {
            if text.is_empty() { other } else { text }
        }
        let instruct = self.instruct;
        match sequence {
            _ if !instruct.enabled => "",
            Sequence::StoryPrefix => &instruct.story_string_prefix,
            Sequence::StorySuffix => &instruct.story_string_suffix,
            Sequence::Input => &instruct.input_sequence,
            Sequence::InputSuffix => &instruct.input_suffix,
            Sequence::Output => &instruct.output_sequence,
            Sequence::OutputSuffix => &instruct.output_suffix,
            Sequence::System => &instruct.system_sequence,
            Sequence::SystemSuffix => &instruct.system_suffix,
            Sequence::FirstOutput => or(&instruct.first_output_sequence, &instruct.output_sequence),
            Sequence::LastOutput => or(&instruct.last_output_sequence, &instruct.output_sequence),
            Sequence::Stop => &instruct.stop_sequence,
            Sequence::Alignment => &instruct.user_alignment_message,
            Sequence::LastSystem => &instruct.last_system_sequence,
            Sequence::FirstInput => or(&instruct.first_input_sequence, &instruct.input_sequence),
            Sequence::LastInput => or(&instruct.last_input_sequence, &instruct.input_sequence),
        }
    }

    fn repeated(&mut self, invocation: &Invocation<'_>, text: &str) -> TrackedText {
        let Invocation { source, call, .. } = invocation;
        let count = match call.args.first() {
            None => Ok(1),
            Some(range) => {
                let argument = self.argument(invocation, 0);
                argument.as_str().parse::<usize>().map_err(|_| (range.clone(), argument))
            }
        };
        match count {
            Ok(count) => {
                let allowed = self.spend(count.saturating_mul(text.len()));
                TrackedText::of_nobody(&text.repeat(if allowed { count } else { 0 }))
            }
            // As any macro with wrong arguments it stays, and is not run a second time.
            Err((range, argument)) => {
                let mut kept = source.part(call.range.start..range.start);
                kept.append(&argument);
                kept.append_part(source, range.end..call.range.end);
                kept
            }
        }
    }

    /// `{{if}}`: its first argument is asked, its second or what stands in its scope is split at `{{else}}`.
    fn branch(&mut self, invocation: &Invocation<'_>) -> TrackedText {
        let Invocation { source, call, depth, .. } = invocation;
        let text = source.as_str();
        let Some(first) = call.args.first() else { return TrackedText::default() };
        let condition = text.get(first.clone()).unwrap_or_default();
        let (inverted, asked) = match condition.strip_prefix('!') {
            Some(rest) => (true, trimmed(text, first.end - rest.len()..first.end)),
            None => (false, first.clone()),
        };
        let asked = self.run(source, asked.clone(), within(&call.inner, &asked), depth + 1);
        let holds = self.is_true(asked.as_str()) != inverted;
        let (range, calls) = match (call.args.get(1), &invocation.scope) {
            (Some(range), _) => (range.clone(), within(&call.inner, range)),
            (None, Some((range, calls))) => (range.clone(), *calls),
            (None, None) => return TrackedText::default(),
        };
        let (range, calls) = match (holds, top_level_else(text, calls)) {
            (true, None) => (range, calls),
            (true, Some(at)) => (range.start..start_of(calls, at), calls.get(..at).unwrap_or_default()),
            (false, None) => return TrackedText::default(),
            (false, Some(at)) => (end_of(calls, at)..range.end, calls.get(at + 1..).unwrap_or_default()),
        };
        let value = self.run(source, range, calls, depth + 1);
        if call.keeps_space { value } else { dedented(&value) }
    }

    /// What a condition says: the value of a macro or a variable that it names, or else its own text.
    fn is_true(&mut self, condition: &str) -> bool {
        let is_variable = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic())
                && !name.ends_with('-')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        };
        let scoped = [(".", Scope::Chat), ("$", Scope::Global)]
            .iter()
            .find_map(|(prefix, scope)| Some((condition.strip_prefix(prefix)?, *scope)))
            .filter(|(name, _)| is_variable(name));
        if let Some((name, scope)) = scoped {
            return !is_false(self.get(scope, name).map(TrackedText::as_str).unwrap_or_default());
        }
        let is_macro = self.scene.value_of(condition).is_some()
            || names::find(condition).is_some_and(|known| *known.arguments.start() == 0);
        if !is_macro {
            return !is_false(condition);
        }
        let source = TrackedText::of_nobody(&format!("{{{{{condition}}}}}"));
        let calls = super::parse::parse(source.as_str());
        let value = self.run(&source, 0..source.len(), &calls, MAX_DEPTH - 1);
        !is_false(value.as_str())
    }

    fn choice(&mut self, invocation: &Invocation<'_>) -> TrackedText {
        let count = invocation.call.args.len();
        let mut items: Vec<TrackedText> = (0..count).map(|index| self.argument(invocation, index)).collect();
        if let [only] = items.as_slice() {
            items = listed(only);
        }
        self.is_volatile = true;
        let chosen = self.draw(items.len());
        items.into_iter().nth(chosen).unwrap_or_default()
    }

    /// A number below `bound`, from the scene's seed.
    fn draw(&mut self, bound: usize) -> usize {
        self.draws += 1;
        let mut state = self.scene.seed.wrapping_add(self.draws.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from((state ^ (state >> 31)) % bound).unwrap_or_default()
    }

    /// Dice: `6`, `d6`, `2d6`, `2d6+1`.
    fn roll(&mut self, formula: &str) -> Option<i64> {
        let formula = formula.trim();
        let (dice, modifier) = match formula.find(['+', '-']) {
            Some(at) => (formula.get(..at)?, formula.get(at..)?.parse::<i32>().ok()?),
            None => (formula, 0),
        };
        let (count, sides) = match dice.split_once(['d', 'D']) {
            Some(("", sides)) => (1, sides.parse::<u16>().ok()?),
            Some((count, sides)) => (count.parse::<u16>().ok()?, sides.parse::<u16>().ok()?),
            None => (1, dice.parse::<u16>().ok()?),
        };
        if sides == 0 || !self.spend(count.into()) {
            return None;
        }
        let thrown: i64 = (0..count).filter_map(|_| i64::try_from(self.draw(sides.into()) + 1).ok()).sum();
        Some(thrown + i64::from(modifier))
    }

    fn get(&mut self, scope: Scope, name: &str) -> Option<&TrackedText> {
        self.is_volatile = true;
        self.variables.get(&(scope, name.to_owned()))
    }

    fn set(&mut self, scope: Scope, name: String, value: TrackedText) {
        self.is_volatile = true;
        if self.spend(value.len()) {
            self.variables.insert((scope, name), value);
        }
    }

    /// Adds numbers, and joins anything else.
    fn add(&mut self, scope: Scope, name: String, value: TrackedText) {
        let current = self.get(scope, &name).cloned().unwrap_or_default();
        if let Some(longer) = json_variables::pushed(current.as_str(), value.as_str()) {
            return self.set(scope, name, TrackedText::of_nobody(&longer));
        }
        let sum = match (number(current.as_str()), number(value.as_str())) {
            (Some(current), Some(value)) => TrackedText::of_nobody(&(current + value).to_string()),
            _ => {
                let mut joined = current;
                joined.append(&value);
                joined
            }
        };
        self.set(scope, name, sum);
    }

    fn step(&mut self, scope: Scope, name: String, by: f64) -> TrackedText {
        self.add(scope, name.clone(), TrackedText::of_nobody(&by.to_string()));
        self.get(scope, &name).map(as_number_prints).unwrap_or_default()
    }

    fn variable(
        &mut self,
        invocation: &Invocation<'_>,
        scope: Scope,
        name: String,
        operator: Operator,
        trusted: bool,
    ) -> TrackedText {
        let truth = |holds: bool| TrackedText::of_nobody(if holds { "true" } else { "false" });
        let current = self.get(scope, &name).cloned();
        let is_absent = match operator {
            Operator::Or | Operator::OrSet => is_false(current.as_ref().map(TrackedText::as_str).unwrap_or_default()),
            _ => current.is_none(),
        };
        let current = current.unwrap_or_default();
        match operator {
            Operator::Get => return as_number_prints(&current),
            Operator::Increment => return self.step(scope, name, 1.0),
            Operator::Decrement => return self.step(scope, name, -1.0),
            Operator::Or | Operator::OrSet | Operator::IfAbsent | Operator::SetIfAbsent if !is_absent => {
                return current;
            }
            _ => {}
        }
        let value = self.argument(invocation, 0);
        let value = if trusted { value } else { value.distrusted() };
        let compared = number(current.as_str()).zip(number(value.as_str()));
        match operator {
            Operator::Set => self.set(scope, name, value),
            Operator::Add => self.add(scope, name, value),
            Operator::Subtract => {
                if let Some(amount) = number(value.as_str()) {
                    self.add(scope, name, TrackedText::of_nobody(&(-amount).to_string()));
                }
            }
            Operator::Or | Operator::IfAbsent => return value,
            Operator::OrSet | Operator::SetIfAbsent => {
                self.set(scope, name, value.clone());
                return value;
            }
            Operator::Equal => return truth(current.as_str() == value.as_str()),
            Operator::NotEqual => return truth(current.as_str() != value.as_str()),
            Operator::Greater => return truth(compared.is_some_and(|(a, b)| a > b)),
            Operator::GreaterOrEqual => return truth(compared.is_some_and(|(a, b)| a >= b)),
            Operator::Less => return truth(compared.is_some_and(|(a, b)| a < b)),
            Operator::LessOrEqual => return truth(compared.is_some_and(|(a, b)| a <= b)),
            Operator::Get | Operator::Increment | Operator::Decrement => {}
        }
        TrackedText::default()
    }
}

/// What a macro is to the text around it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Scoped {
    #[default]
    Alone,
    /// Its scope ends with the macro of this index.
    Until(usize),
    /// It stays text: it ends nothing, or has an end though it takes no scope.
    Text,
}

/// The scopes of macros, found as brackets are, name by name.
fn scopes(text: &str, calls: &[Call]) -> Vec<Scoped> {
    /// The macros of one name that have no end yet.
    #[derive(Default)]
    struct Open {
        scoped: Vec<usize>,
        /// Those that take no scope: an end that is left over makes text of the first of them, and of itself.
        alone: std::collections::VecDeque<usize>,
    }
    let mut scopes = vec![Scoped::Alone; calls.len()];
    let mut open: std::collections::HashMap<String, Open> = std::collections::HashMap::new();
    for (index, call) in calls.iter().enumerate() {
        let Head::Name(name) = &call.head else { continue };
        let name = text.get(name.clone()).unwrap_or_default().to_ascii_lowercase();
        if !call.closes_scope(text) {
            let takes_scope = names::find(&name).is_none_or(|known| known.takes_scope(call.args.len()));
            let open = open.entry(name).or_default();
            if takes_scope {
                open.scoped.push(index)
            } else {
                open.alone.push_back(index)
            }
            continue;
        }
        let Open { scoped, alone } = open.entry(name).or_default();
        let (opened, state) = match scoped.pop() {
            Some(opened) => (Some(opened), Scoped::Until(index)),
            None => (alone.pop_front(), Scoped::Text),
        };
        if let Some(slot) = opened.and_then(|opened| scopes.get_mut(opened)) {
            *slot = state;
        }
        if let Some(slot) = scopes.get_mut(index) {
            *slot = Scoped::Text;
        }
    }
    scopes
}

/// The `{{else}}` of an `{{if}}`, past those of the `{{if}}`s in it.
fn top_level_else(text: &str, calls: &[Call]) -> Option<usize> {
    let mut depth = 0;
    calls.iter().position(|call| {
        let Head::Name(name) = &call.head else { return false };
        match text.get(name.clone()) {
            Some("if") if call.closes => depth -= 1,
            Some("if") if call.args.len() == 1 => depth += 1,
            Some("else") => return depth == 0,
            _ => {}
        }
        false
    })
}

fn start_of(calls: &[Call], index: usize) -> usize {
    calls.get(index).map_or(0, |call| call.range.start)
}

fn end_of(calls: &[Call], index: usize) -> usize {
    calls.get(index).map_or(0, |call| call.range.end)
}

/// The macros that stand in a range.
fn within<'c>(calls: &'c [Call], range: &Range<usize>) -> &'c [Call] {
    let from = calls.partition_point(|call| call.range.start < range.start);
    let to = calls.partition_point(|call| call.range.end <= range.end);
    calls.get(from..to).unwrap_or_default()
}

/// The items of a list in one argument: between double colons, or else between commas.
fn listed(only: &TrackedText) -> Vec<TrackedText> {
    let text = only.as_str();
    let (separator, escapes) = if text.contains("::") { ("::", false) } else { (",", true) };
    let mut items = Vec::new();
    let mut start = 0;
    let escaped = |at: usize| escapes && text.get(..at).is_some_and(|before| before.ends_with('\\'));
    for (at, found) in text.match_indices(separator).filter(|(at, _)| !escaped(*at)) {
        items.push(only.part(trimmed(text, start..at)));
        start = at + found.len();
    }
    items.push(only.part(trimmed(text, start..text.len())));
    if escapes && text.contains("\\,") {
        items = items.iter().map(|item| TrackedText::new(&item.as_str().replace("\\,", ","), item.trust())).collect();
    }
    items
}

/// The text of a scope without the white space around it and without the indentation of its first line.
fn dedented(text: &TrackedText) -> TrackedText {
    let source = text.as_str();
    let indentation = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let first = source.split('\n').find(|line| !line.trim_matches(is_space).is_empty());
    let indent = first.map_or(0, indentation);
    if indent == 0 {
        return text.trimmed();
    }
    let mut at = 0;
    let mut cuts = Vec::new();
    for line in source.split('\n') {
        cuts.push(at..at + indentation(line).min(indent));
        at += line.len() + 1;
    }
    text.without(cuts).trimmed()
}

/// A variable that spells a number is read as that number.
fn as_number_prints(value: &TrackedText) -> TrackedText {
    let text = value.as_str();
    match number(text).filter(|number| number.abs() < 1e15 && !text.trim_matches(is_space).is_empty()) {
        Some(number) => TrackedText::of_nobody(&number.to_string()),
        None => value.clone(),
    }
}

fn is_false(value: &str) -> bool {
    value.is_empty() || ["off", "false", "0"].iter().any(|word| value.trim_matches(is_space).eq_ignore_ascii_case(word))
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim_matches(is_space);
    if text.is_empty() { Some(0.0) } else { text.parse().ok().filter(|number: &f64| number.is_finite()) }
}
