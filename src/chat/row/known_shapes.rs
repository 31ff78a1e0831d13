//! Shapes that only some data sets have, by the names of their fields.

use std::borrow::Cow;

use super::json::{Form, Object, form, is_empty, items, text, within};
use super::message::{Said, think_first, thinking_of};
use super::shapes::put;
use super::{Reading, Row, RowField, transcript};
use crate::chat::{AssistantMessage, Chat, Content, Message};
use crate::error::{Error, ErrorKind};
use crate::terms::Dialect;

/// A question and its answer.
struct Exchange {
    asked: &'static str,
    thought: Option<&'static str>,
    answered: &'static str,
}

const fn exchange(asked: &'static str, thought: Option<&'static str>, answered: &'static str) -> Exchange {
    Exchange { asked, thought, answered }
}

/// Where a row has the fields of several, the first counts. A solution that is there to be compared with comes last.
const EXCHANGES: [Exchange; 14] = [
    // s1K 1.1 has the answers of two models, and was made for the second.
    exchange("question", Some("deepseek_thinking_trajectory"), "deepseek_attempt"),
    exchange("question", Some("thinking_trajectories"), "attempt"),
    // OpenThoughts.
    exchange("problem", Some("deepseek_reasoning"), "deepseek_solution"),
    // Medical o1.
    exchange("Question", Some("Complex_CoT"), "Response"),
    // OpenMathReasoning, OpenMathInstruct.
    exchange("problem", None, "generated_solution"),
    exchange("question", None, "generated_solution"),
    // Synthetic-1.
    exchange("prompt", None, "llm_response"),
    // MATH, Magicoder, NuminaMath.
    exchange("problem", None, "solution"),
    // LIMO, whose `answer` is the end of the solution.
    exchange("question", None, "solution"),
    // FLAN, P3, Aya, Natural Instructions.
    exchange("inputs", None, "targets"),
    // PaLM.
    exchange("input_text", None, "output_text"),
    // CoEdIT.
    exchange("src", None, "tgt"),
    // WildJailbreak: what is asked is the adversarial form, if there is one.
    exchange("adversarial", None, "completion"),
    exchange("vanilla", None, "completion"),
];

/// Where a row has a prompt and an answer by their usual names, those count.
const LESS_USUAL: [Exchange; 12] = [
    // axolotl's `oasst`, `metharme` and `load_camel_ai`.
    exchange("INSTRUCTION", None, "RESPONSE"),
    exchange("prompt", None, "generation"),
    exchange("message_1", None, "message_2"),
    // Columns by the names of the speakers.
    exchange("user", None, "assistant"),
    exchange("human", None, "assistant"),
    exchange("human", None, "bot"),
    // What ms-swift calls a query and a response too.
    exchange("problem", None, "answer"),
    exchange("problem", None, "response"),
    exchange("problem", None, "output"),
    exchange("question", None, "target"),
    exchange("prompt", None, "target"),
    exchange("input", None, "target"),
];

/// Which of two answers is the better one.
#[derive(Clone, Copy)]
enum Judged {
    /// Always the first.
    First,
    /// A field has its number, 0 or 1.
    Index(&'static str),
    /// A field is 1 where the first is, and 0 where the second is.
    Flag(&'static str),
    /// A field is negative where the first is, and positive where the second is.
    Sign(&'static str),
    /// A field names `model_a` or `model_b`.
    Winner(&'static str),
}

const PAIRS: [(&str, &str, Judged); 9] = [
    // PKU-SafeRLHF.
    ("response_0", "response_1", Judged::Index("better_response_id")),
    // HelpSteer 2 and 3.
    ("response_1", "response_2", Judged::Sign("preference_strength")),
    ("response1", "response2", Judged::Sign("overall_preference")),
    // SHP.
    ("human_ref_A", "human_ref_B", Judged::Flag("labels")),
    // Stack Exchange, paired.
    ("response_j", "response_k", Judged::First),
    // OpenAI's preferences.
    ("preferred_output", "non_preferred_output", Judged::First),
    // The arena's battles.
    ("conversation_a", "conversation_b", Judged::Winner("winner")),
    ("messages_a", "messages_b", Judged::Winner("winner")),
    ("response_a", "response_b", Judged::Winner("winner")),
];

/// A list of answers beside a list of their scores: OpenRLHF, distilabel.
const SCORED: [(&str, &str); 3] = [("responses", "scores"), ("generations", "ratings"), ("responses", "ratings")];

/// A list of answers, each an object with a text and a number.
struct Rated {
    list: &'static str,
    answer: &'static str,
    rating: &'static str,
    lowest_is_best: bool,
}

const RATED: [Rated; 3] = [
    // UltraFeedback.
    Rated { list: "completions", answer: "response", rating: "overall_score", lowest_is_best: false },
    // Nectar.
    Rated { list: "answers", answer: "answer", rating: "rank", lowest_is_best: true },
    // Stack Exchange.
    Rated { list: "answers", answer: "text", rating: "pm_score", lowest_is_best: false },
];

fn expected(expected: &'static str, at: &str) -> Error {
    Error::new(ErrorKind::RowType { expected }, at)
}

/// A number, or the text of one.
fn number(raw: &str) -> Option<f64> {
    raw.trim_matches('"').trim().parse().ok()
}

impl Reading<'_> {
    /// A question and its answer under names that no other data set gives them.
    pub(super) fn known_exchange<'a>(&self, object: &mut Object<'a>) -> Result<Option<Row<'a>>, Error> {
        self.exchange(object, &EXCHANGES)
    }

    fn exchange<'a>(&self, object: &mut Object<'a>, exchanges: &[Exchange]) -> Result<Option<Row<'a>>, Error> {
        let has_own = |field| self.reader.fields.iter().any(|(own, _)| *own == field);
        if has_own(RowField::Prompt) || has_own(RowField::Completion) {
            return Ok(None);
        }
        let holds_text = |name: &str| {
            object.peek(name).is_some_and(|raw| matches!(form(raw), Form::Text | Form::List) && !is_empty(raw))
        };
        let known = exchanges.iter().find(|known| {
            holds_text(known.asked) && holds_text(known.answered) && known.thought.is_none_or(holds_text)
        });
        let Some(Exchange { asked, thought, answered }) = known else { return Ok(None) };
        let mut read = |name: &str| {
            let value = object.take(name).map(|raw| text(raw).map_err(|error| within(error, || name.to_owned())));
            value.transpose().map(Option::unwrap_or_default)
        };
        let mut question = read(asked)?;
        let answer = self.untagged(Content::Text(read(answered)?));
        if *asked == "inputs" {
            let definition = read("definition")?;
            if !definition.is_empty() {
                question = Cow::Owned(format!("{definition}\n{question}"));
            }
        }
        let content = match thought.and_then(|name| Some((name, object.take(name)?))) {
            Some((name, raw)) => {
                let thinking = thinking_of(raw).map_err(|error| within(error, || name.to_owned()))?;
                think_first(thinking, answer)?
            }
            None => answer,
        };
        let reply = AssistantMessage { content, ..AssistantMessage::default() };
        let messages = [Message::User(Content::Text(question)), Message::Assistant(reply)];
        let mut row = Row { prompt_len: 1, ..Row::default() };
        put(&mut row, messages.map(|message| Said { message, mark: None }));
        Ok(Some(row))
    }

    /// Two answers or more with what says which is the better one.
    pub(super) fn known_pair<'a>(&self, object: &mut Object<'a>) -> Result<Option<Row<'a>>, Error> {
        for (first, second, judged) in PAIRS {
            let (Some(one), Some(other)) = (object.peek(first), object.peek(second)) else { continue };
            let field = match judged {
                Judged::First => None,
                Judged::Index(field) | Judged::Flag(field) | Judged::Sign(field) | Judged::Winner(field) => Some(field),
            };
            let Some(raw) = field.map_or(Some(""), |field| object.peek(field)) else { continue };
            let is_first = match judged {
                Judged::First => Some(true),
                Judged::Index(_) => number(raw).filter(|at| *at == 0.0 || *at == 1.0).map(|at| at == 0.0),
                Judged::Flag(_) => number(raw).filter(|flag| *flag == 0.0 || *flag == 1.0).map(|flag| flag == 1.0),
                Judged::Sign(field) => match number(raw) {
                    Some(0.0) => return Err(Error::new(ErrorKind::Tie, field)),
                    sign => sign.map(|sign| sign < 0.0),
                },
                Judged::Winner(field) => match raw.trim_matches('"') {
                    "model_a" => Some(true),
                    "model_b" => Some(false),
                    tie if tie.starts_with("tie") || tie.starts_with("both") => {
                        return Err(Error::new(ErrorKind::Tie, field));
                    }
                    _ => None,
                },
            };
            let is_first =
                is_first.ok_or_else(|| expected("which of the two answers is better", field.unwrap_or_default()))?;
            let names = if is_first { [(first, one), (second, other)] } else { [(second, other), (first, one)] };
            for name in [first, second].into_iter().chain(field) {
                object.take(name);
            }
            return self.judged(object, names).map(Some);
        }
        if let Some(row) = self.battle(object)? {
            return Ok(Some(row));
        }
        let Some([best, worst]) = self.rated(object)? else { return Ok(None) };
        self.judged(object, [best, worst]).map(Some)
    }

    /// A battle of the arena as columns: a flag for each outcome, questions and answers as JSON lists in texts.
    fn battle<'a>(&self, object: &mut Object<'a>) -> Result<Option<Row<'a>>, Error> {
        const SIDES: [&str; 2] = ["response_a", "response_b"];
        const OUTCOMES: [&str; 3] = ["winner_model_a", "winner_model_b", "winner_tie"];
        let texts = [object.peek("prompt"), object.peek(SIDES[0]), object.peek(SIDES[1])];
        let flags = OUTCOMES.map(|name| object.peek(name).and_then(number));
        let ([Some(prompt), Some(one), Some(other)], [Some(_), Some(_), _]) = (texts, flags) else { return Ok(None) };
        let is_first = match flags.map(|flag| flag == Some(1.0)) {
            [true, false, false] => true,
            [false, true, false] => false,
            [false, false, true] => return Err(Error::new(ErrorKind::Tie, OUTCOMES[2])),
            _ => return Err(expected("which of the two answers is better", OUTCOMES[0])),
        };
        let questions = listed(prompt).map_err(|error| within(error, || "prompt".to_owned()))?;
        let said = |raw, name: &str| {
            let answers = listed(raw).map_err(|error| within(error, || name.to_owned()))?;
            if answers.len() != questions.len() {
                return Err(expected("an answer for each question", name));
            }
            let exchanges = questions.iter().cloned().zip(answers);
            let messages = exchanges.flat_map(|(asked, answered)| {
                [Message::user(asked), Message::assistant(self.untagged(Content::Text(Cow::Owned(answered))))]
            });
            Ok::<Vec<_>, Error>(messages.map(|message| Said { message, mark: None }).collect())
        };
        let (one, other) = (said(one, SIDES[0])?, said(other, SIDES[1])?);
        for name in SIDES.into_iter().chain(OUTCOMES) {
            object.take(name);
        }
        // The questions are in both conversations, and are no text to compare with them.
        object.remove("prompt");
        let (chosen, rejected) = if is_first { (one, other) } else { (other, one) };
        self.pair_of(object, chosen, rejected, Vec::new()).map(Some)
    }

    /// The best and the worst of a list of answers that have numbers.
    fn rated<'a>(&self, object: &mut Object<'a>) -> Result<Option<[(&'static str, &'a str); 2]>, Error> {
        let lists = |name| object.peek(name).filter(|raw| form(raw) == Form::List).and_then(|raw| items(raw).ok());
        let mut found: Option<(&'static str, Vec<(f64, &'a str)>)> = None;
        let mut taken = None;
        // Beside a conversation or an answer, ratings are of what was tried before.
        let is_answered = self.holds(object, RowField::Messages) || self.holds(object, RowField::Completion);
        for (answers, scores) in SCORED.into_iter().filter(|(_, scores)| !is_answered || *scores != "ratings") {
            let (Some(listed), Some(numbers)) = (lists(answers), lists(scores)) else { continue };
            if listed.len() != numbers.len() {
                return Err(expected("a score for each answer", scores));
            }
            let unscored = numbers.iter().filter(|score| number(score).is_none()).count();
            self.notes.borrow_mut().answers_left_out += unscored;
            let rated = numbers.into_iter().zip(listed).filter_map(|(score, answer)| Some((number(score)?, answer)));
            found = Some((answers, rated.collect()));
            taken = Some(scores);
            break;
        }
        for Rated { list, answer, rating, lowest_is_best } in &RATED {
            let rate = |raw: &'a str| {
                let mut item = Object::read(raw).ok()?;
                let rating = number(item.take(rating)?)?;
                Some((if *lowest_is_best { -rating } else { rating }, item.take(answer)?))
            };
            let rated = lists(list).and_then(|items| items.into_iter().map(rate).collect::<Option<Vec<_>>>());
            found = found.or(rated.filter(|rated| !rated.is_empty()).map(|rated| (*list, rated)));
        }
        let Some((name, rated)) = found else { return Ok(None) };
        for name in [Some(name), taken].into_iter().flatten() {
            object.take(name);
        }
        let by_rating = |one: &&(f64, &str), other: &&(f64, &str)| one.0.total_cmp(&other.0);
        // Of equal ones the first is the best.
        let (best, worst) = (rated.iter().rev().max_by(by_rating), rated.iter().min_by(by_rating));
        match (best, worst) {
            (Some(best), Some(worst)) if best.0 > worst.0 => {
                self.notes.borrow_mut().answers_left_out += rated.len().saturating_sub(2);
                Ok(Some([(name, best.1), (name, worst.1)]))
            }
            _ if rated.len() > 1 => Err(Error::new(ErrorKind::Tie, name)),
            _ => Err(expected("two answers of which one is better", name)),
        }
    }

    fn judged<'a>(&self, object: &mut Object<'a>, names: [(&str, &'a str); 2]) -> Result<Row<'a>, Error> {
        let mut read = names.map(|(name, raw)| self.answer(raw).map_err(|error| within(error, || name.to_owned())));
        let [chosen, rejected] = &mut read;
        let (chosen, rejected) =
            (std::mem::replace(chosen, Ok(Vec::new()))?, std::mem::replace(rejected, Ok(Vec::new()))?);
        let mut prompt = Vec::new();
        if let Some(raw) = object.peek("input").filter(|raw| form(raw) == Form::Object) {
            // OpenAI's preferences.
            let mut input = Object::read(raw)?;
            if let Some(raw) = input.take("messages") {
                prompt = self.messages(raw).map_err(|error| within(error, || "input.messages".to_owned()))?;
                object.take("input");
            }
        } else if let Some(raw) = object.peek("history").filter(|raw| form(raw) == Form::Text) {
            object.take("history");
            prompt.push(Said { message: Message::User(Content::Text(text(raw)?)), mark: None });
        }
        self.pair_of(object, chosen, rejected, prompt)
    }

    /// Conversations under names, or in forms, that no other data set gives them.
    pub(super) fn known_conversation<'a>(&self, object: &mut Object<'a>) -> Result<Option<Row<'a>>, Error> {
        if let Some(row) = self.exchange(object, &LESS_USUAL)? {
            return Ok(Some(row));
        }
        if let Some(row) = self.glaive(object)? {
            return Ok(Some(row));
        }
        let mut row = Row::default();
        if let Some(texts) = object.peek("data").and_then(alternating) {
            // UltraChat.
            object.take("data");
            put(&mut row, texts);
            return Ok(Some(row));
        }
        if let Some(raw) = object.peek("contents").filter(|raw| form(raw) == Form::List) {
            row.chat = gemini(object, raw)?;
            row.marks = vec![None; row.chat.messages.len()];
            return Ok(Some(row));
        }
        if let Some(said) = object.peek("input").and_then(|raw| transcript::of_bars(&text(raw).ok()?)) {
            object.take("input");
            put(&mut row, said);
            return Ok(Some(row));
        }
        Ok(None)
    }
}

/// The texts of a JSON list in a text, or the text itself.
fn listed(raw: &str) -> Result<Vec<String>, Error> {
    let spelt = text(raw)?;
    match items(spelt.trim()) {
        Ok(items) => items.into_iter().map(|item| text(item).map(Cow::into_owned)).collect(),
        Err(_) => Ok(vec![spelt.into_owned()]),
    }
}

/// A list of texts, which the user and the model say in turn; `None` for any other list.
pub(super) fn alternating(raw: &str) -> Option<Vec<Said<'_>>> {
    let texts = items(raw).ok()?.into_iter().map(|raw| (form(raw) == Form::Text).then(|| text(raw).ok()).flatten());
    let texts = texts.collect::<Option<Vec<_>>>().filter(|texts| !texts.is_empty())?;
    let message = |(index, text)| match index % 2 {
        0 => Message::User(Content::Text(text)),
        _ => Message::assistant(text),
    };
    Some(texts.into_iter().enumerate().map(|said| Said { message: message(said), mark: None }).collect())
}

/// A request of Gemini's API.
fn gemini(object: &mut Object<'_>, contents: &str) -> Result<Chat<'static>, Error> {
    let mut request = format!("{{\"contents\":{contents}");
    object.take("contents");
    for name in ["systemInstruction", "system_instruction", "tools"] {
        if let Some(raw) = object.remove(name) {
            request.push_str(&format!(",\"{name}\":{raw}"));
        }
    }
    request.push('}');
    Chat::read(&request, Dialect::Gemini).map(Chat::into_owned)
}
