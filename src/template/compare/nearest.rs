//! A template's answers to the probes into the layout that it is, if it is one of Mistral's at all.

use std::fmt;

use serde::Serialize;
use serde::ser::SerializeMap;

use super::{Answers, Comparison, Said};
use crate::control::Control;
use crate::layout::Layout;
use crate::template::ChatTemplate;
use crate::version::signs::{self, Sign};
use crate::version::{Feature, Version};

/// The layout that a template is nearest to, or that it is not one of them.
///
/// ```
/// use mistral_chat_template::{ChatTemplate, Layout};
///
/// let found = ChatTemplate::new(&Layout::MAGNUM.chat_template())?.nearest_layout();
/// assert_eq!(found.label(), "magnum");
/// let differences: Vec<_> = found.comparison.differences.iter().map(|difference| &*difference.probe).collect();
/// assert_eq!(differences, ["a call whose arguments are written close"], "Jinja cannot read JSON");
///
/// let chatml = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";
/// let found = ChatTemplate::new(chatml)?.nearest_layout();
/// assert_eq!(found.layout, None);
/// assert_eq!(found.evidence, "the template is built on <|im_start|>, which no layout has");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NearestLayout {
    /// The layout; `None` where the template is not one of Mistral's.
    pub layout: Option<Layout>,
    /// What the answer rests on, as a clause without a full stop.
    pub evidence: String,
    /// Where the template differs from the layout, or from the one that it is least unlike.
    pub comparison: Comparison,
}

impl NearestLayout {
    /// The layout's label, with its features, or `none`: `v13+image`.
    ///
    /// ```
    /// # use mistral_chat_template::{ChatTemplate, Layout};
    /// # use mistral_chat_template::version::Feature;
    /// let layout = Layout::V13.with(Feature::Image);
    /// let found = ChatTemplate::new(&layout.chat_template())?.nearest_layout();
    /// assert_eq!(found.label(), "v13+image");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn label(&self) -> &str {
        if self.layout.is_some() { &self.comparison.other } else { "none" }
    }
}

impl fmt::Display for NearestLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.label(), self.evidence)?;
        match self.layout {
            Some(_) => write!(f, "\n{}", self.comparison),
            None => Ok(()),
        }
    }
}

impl Serialize for NearestLayout {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let NearestLayout { layout, evidence, comparison } = self;
        let features: Vec<String> =
            layout.iter().flat_map(|layout| layout.features.iter()).map(|feature| feature.to_string()).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("label", self.label())?;
        map.serialize_entry("layout", &layout.map(|layout| layout.name))?;
        map.serialize_entry("features", &features)?;
        map.serialize_entry("evidence", evidence)?;
        map.serialize_entry("comparison", comparison)?;
        map.end()
    }
}

/// The features that models have, fewest first.
const FEATURES: [&[Feature]; 5] =
    [&[], &[Feature::Think], &[Feature::Image], &[Feature::Audio], &[Feature::Image, Feature::Think]];

/// The versions, those first that win where a template could be several: the ones that more models have.
const VERSIONS: [Version; 12] = [
    Version::V3Tekken,
    Version::V3,
    Version::V1,
    Version::V7Tekken,
    Version::V7,
    Version::V13,
    Version::V11,
    Version::V15,
    Version::V2,
    Version::V2Tekken,
    Version::V1Tekken,
    Version::Magnum,
];

/// The probes that a template of the family renders like its layout, or refuses.
const BASIC: [&str; 4] =
    ["a question", "a question after an answer", "a system message", "a system message and two questions"];

/// How alike a template and a layout are; a greater one is more so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    /// How many prompts are the same, and how many are but for white space beside control tokens, of which the same are two.
    sum: usize,
    /// How many stretches differ in white space; fewer are more alike.
    spaces: std::cmp::Reverse<usize>,
    exact: usize,
}

impl Answers {
    pub(super) fn nearest(&self, template: &ChatTemplate) -> NearestLayout {
        let own = template.literals();
        let (sign, foreign) = match signs::of(&own) {
            Ok(sign) => (sign, None),
            Err(token) => (None, Some(token)),
        };
        let mut best: Option<(Likeness, Layout)> = None;
        for version in VERSIONS.into_iter().filter(|version| shows(sign, *version)) {
            for features in FEATURES {
                let layout = features.iter().fold(version.layout(), |layout, feature| layout.with(*feature));
                let likeness = self.likeness(&layout);
                if is_rare(version) && !self.is_thorough(&layout, likeness) {
                    continue;
                }
                if best.is_none_or(|(known, _)| likeness > known) {
                    best = Some((likeness, layout));
                }
            }
        }
        let (likeness, layout) = best.unwrap_or_else(|| {
            let layout = Layout::V3_TEKKEN;
            (self.likeness(&layout), layout)
        });
        let comparison = self.compare(&layout);
        if let Some(why) = self.stranger(foreign, &layout) {
            return NearestLayout { layout: None, evidence: why, comparison };
        }
        let Likeness { sum, exact, .. } = likeness;
        let tokens = sign.map_or_else(
            || "it has no control token of later versions".to_owned(),
            |Sign { token, .. }| format!("its newest control token is {token}"),
        );
        let evidence = format!(
            "{tokens}; of the {} chats that it renders, {exact} are the layout's, and {} more but for white space",
            self.rendered(),
            sum - exact * 2,
        );
        NearestLayout { layout: Some(layout), evidence, comparison }
    }

    /// Does the template render all that is basic, and most that it renders, just as the layout?
    fn is_thorough(&self, layout: &Layout, likeness: Likeness) -> bool {
        let is_exact = |said: &Said, other: &Said| matches!((said, other), (Said::Prompt(one), Said::Prompt(other)) if one == other);
        let mut basic = self.beside(layout).filter(|(about, _, _)| BASIC.contains(about));
        likeness.exact * 2 >= self.rendered() && basic.all(|(_, said, other)| is_exact(said, &other))
    }

    fn rendered(&self) -> usize {
        self.answers.iter().filter(|(_, _, said)| matches!(said, Said::Prompt(_))).count()
    }

    fn likeness(&self, layout: &Layout) -> Likeness {
        let (mut loose, mut spaces, mut exact) = (0, 0, 0);
        for (_, said, other) in self.beside(layout) {
            let (Said::Prompt(said), Said::Prompt(other)) = (said, &other) else { continue };
            if said == other {
                (loose, exact) = (loose + 1, exact + 1);
            } else if let Some(differing) = differing_spaces(said, other) {
                (loose, spaces) = (loose + 1, spaces + differing);
            }
        }
        Likeness { sum: loose + exact, spaces: std::cmp::Reverse(spaces), exact }
    }

    /// Why the template is not one of the family's, if it is not.
    fn stranger(&self, foreign: Option<&str>, layout: &Layout) -> Option<String> {
        if let Some(token) = foreign {
            return Some(format!("the template is built on {token}, which no layout has"));
        }
        let basic: Vec<_> = self.beside(layout).filter(|(about, _, _)| BASIC.contains(about)).collect();
        let (mut alike, mut unlike) = (false, None);
        for (about, said, other) in &basic {
            let (Said::Prompt(said), Said::Prompt(other)) = (said, other) else { continue };
            match differing_spaces(said, other) {
                Some(_) => alike = true,
                None => unlike = unlike.or(Some((about, said))),
            }
        }
        match unlike {
            _ if !alike => Some("no question and no answer are rendered as in any layout".to_owned()),
            Some((about, said)) if !is_made_of_ours(said, self) => {
                Some(format!("of {about} it prints text of its own that no layout has: {said:?}"))
            }
            _ => None,
        }
    }
}

/// Is it a version that hardly any model has, whose prompts a loosely written template may hit by chance?
fn is_rare(version: Version) -> bool {
    matches!(version, Version::V1Tekken | Version::V2Tekken | Version::Magnum)
}

/// Can a template with this sign be of the version?
fn shows(sign: Option<Sign>, version: Version) -> bool {
    match sign {
        None => matches!(
            version,
            Version::V1
                | Version::V1Tekken
                | Version::V2
                | Version::V2Tekken
                | Version::V3
                | Version::V3Tekken
                | Version::Magnum
        ),
        Some(Sign { sentencepiece, tekken, .. }) => {
            let is_older = matches!(
                (tekken, version),
                (Version::V3Tekken, Version::V2 | Version::V2Tekken | Version::Magnum)
                    | (Version::V7Tekken, Version::Magnum)
            );
            version == tekken || Some(version) == sentencepiece || is_older
        }
    }
}

/// The stretches of a prompt that stand between control tokens, and those tokens.
fn stretches(prompt: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = prompt;
    let mut searched = 0;
    while let Some(at) = rest.get(searched..).and_then(|tail| tail.find(['[', '<'])) {
        let at = searched + at;
        let tail = rest.get(at..).unwrap_or_default();
        let Some(control) = Control::all().find(|control| tail.starts_with(control.as_str())) else {
            searched = at + 1;
            continue;
        };
        found.push(rest.get(..at).unwrap_or_default());
        found.push(tail.get(..control.as_str().len()).unwrap_or_default());
        rest = tail.get(control.as_str().len()..).unwrap_or_default();
        searched = 0;
    }
    found.push(rest);
    found
}

/// In how many stretches between control tokens two prompts differ, where that is all white space at the ends of those.
/// The token that a prompt begins with may be missing, as a tokenizer adds it.
fn differing_spaces(one: &str, other: &str) -> Option<usize> {
    let begin = Control::Bos.as_str();
    let (one, other) = (one.strip_prefix(begin).unwrap_or(one), other.strip_prefix(begin).unwrap_or(other));
    let (one, other) = (stretches(one), stretches(other));
    if one.len() != other.len() {
        return None;
    }
    let mut differing = 0;
    for (one, other) in one.iter().zip(&other) {
        if one.trim() != other.trim() {
            return None;
        }
        differing += usize::from(one != other);
    }
    Some(differing)
}

/// Is the prompt made of control tokens, the probes' texts, the template's default system prompt and white space?
fn is_made_of_ours(prompt: &str, answers: &Answers) -> bool {
    let system = answers.default_system.as_deref();
    stretches(prompt).into_iter().filter(|part| Control::all().all(|control| control.as_str() != *part)).all(|part| {
        let mut part = part.to_owned();
        for text in system.into_iter().chain(["How are you?", "Be kind.", "Hello", "Hi!", "Bye"]) {
            part = part.replace(text, "");
        }
        part.trim().is_empty()
    })
}

impl ChatTemplate {
    /// The layout that this template is: decided by its own control tokens and by some fifty chats that it renders.
    ///
    /// ```
    /// use mistral_chat_template::{ChatTemplate, Layout};
    ///
    /// let template = ChatTemplate::new(&Layout::V3.chat_template())?;
    /// let found = template.nearest_layout();
    /// assert_eq!(found.label(), "v3");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn nearest_layout(&self) -> NearestLayout {
        Answers::of(self).nearest(self)
    }
}
