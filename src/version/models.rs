//! A model's name comes in, its row of the table comes out, with the words that the row does not explain.

use super::error::clip;
use super::name::{Words, is_date, is_decoration, parts};
use super::table::{Model, ROWS, Row, Source, Verdict};
use super::{Backend, Certainty, DetectError, Detection};

/// A name that was found in the table.
#[derive(Debug)]
pub(super) struct Identity {
    /// The part of the name that was looked up, shortened if it was long.
    saw: String,
    model: &'static Model,
    /// Words that belong to a derived model.
    strange: Vec<String>,
    moves: bool,
}

/// Finds the model by the last part of the name that names one.
pub(super) fn identify(name: &str) -> Result<Identity, DetectError> {
    parts(name.trim())
        .find_map(|part| identify_part(part).transpose())
        .unwrap_or_else(|| Err(DetectError::unknown(name)))
}

fn identify_part(part: &str) -> Result<Option<Identity>, DetectError> {
    let words = Words::of(part);
    let mut model: Option<&'static Model> = None;
    for row in best_fits(&words) {
        match (&row.verdict, model) {
            (Verdict::IsNot(reason), _) => return Err(DetectError::foreign(part, *reason)),
            (Verdict::Is(other), Some(model)) if model.version != other.version => {
                return Err(DetectError::conflict(
                    format!("{:?} names {}", clip(part), about(model)),
                    format!("it names {}, too", about(other)),
                ));
            }
            (Verdict::Is(first), None) => model = Some(first),
            (Verdict::Is(_), Some(_)) => {}
        }
    }
    let Some(model) = model else {
        return match nearest(&words) {
            None => Ok(None),
            Some(nearest) => Err(DetectError::undecided(part, nearest)),
        };
    };
    let strange: Vec<_> = words
        .iter()
        .filter(|word| !explains(model, word) && !is_decoration(word))
        .collect();
    if let Some(date) = strange.iter().find(|word| is_date(word)) {
        let why = format!("the date {date} is not that of {}", model.title);
        return Err(DetectError::undecided(part, why));
    }
    Ok(Some(Identity {
        saw: clip(part),
        model,
        strange: strange.into_iter().map(str::to_owned).collect(),
        moves: words.contains("latest"),
    }))
}

/// The rows that the words fit, without those of which another is a closer description.
fn best_fits(words: &Words) -> Vec<&'static Row> {
    let fits: Vec<(&Row, &str)> = ROWS
        .iter()
        .flat_map(|row| row.names.iter().map(move |&name| (row, name)))
        .filter(|(_, name)| name.split(' ').all(|word| words.contains(word)))
        .collect();
    let is_closer = |name: &str, other: &str| {
        other.len() > name.len()
            && name
                .split(' ')
                .all(|word| other.split(' ').any(|w| w == word))
    };
    let mut rows: Vec<&Row> = fits
        .iter()
        .filter(|(_, name)| !fits.iter().any(|(_, other)| is_closer(name, other)))
        .map(|&(row, _)| row)
        .collect();
    rows.dedup_by(|a, b| std::ptr::eq(*a, *b));
    rows
}

fn explains(model: &Model, word: &str) -> bool {
    let named = |names: &str| names.split(' ').any(|w| w == word);
    let by_row = |row: &Row| match &row.verdict {
        Verdict::Is(other) => {
            std::ptr::eq(other, model) && row.names.iter().any(|name| named(name))
        }
        Verdict::IsNot(_) => false,
    };
    named(model.also) || ROWS.iter().any(by_row)
}

/// The models of the family that share most words with the name, if it names a family at all.
fn nearest(words: &Words) -> Option<String> {
    const SHOWN: usize = 6;
    let shared = |name: &str| name.split(' ').filter(|word| words.contains(word)).count();
    let of_family = |name: &str| {
        name.split(' ')
            .next()
            .is_some_and(|word| words.contains(word))
    };
    let near: Vec<(usize, &Model)> = ROWS
        .iter()
        .filter_map(|row| match &row.verdict {
            Verdict::Is(model) => {
                let names = row.names.iter().filter(|name| of_family(name));
                names.map(|name| shared(name)).max().map(|n| (n, model))
            }
            Verdict::IsNot(_) => None,
        })
        .collect();
    let most = near.iter().map(|&(shared, _)| shared).max()?;
    let mut models: Vec<String> = near
        .iter()
        .filter(|&&(shared, _)| shared == most)
        .map(|(_, model)| format!("{} is {}", model.title, model.version))
        .collect();
    let hidden = models.len().saturating_sub(SHOWN);
    models.truncate(SHOWN);
    let list = models.join(", ");
    Some(match hidden {
        0 => list,
        _ => format!("{list}, and {hidden} more"),
    })
}

impl Identity {
    pub(super) fn certainty(&self) -> Certainty {
        let by_source = match self.model.source {
            Source::Mistral | Source::Card => Certainty::Listed,
            Source::Files => Certainty::Inferred,
            Source::Disputed { .. } => Certainty::Disputed,
        };
        if !self.strange.is_empty() {
            Certainty::Indirect
        } else if self.moves {
            by_source.min(Certainty::Inferred)
        } else {
            by_source
        }
    }

    pub(super) fn evidence(&self) -> String {
        let mut evidence = format!("{:?} names {}", self.saw, about(self.model));
        if let [first, rest @ ..] = self.strange.as_slice() {
            let more = match rest.len() {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            let first = clip(first);
            evidence += &format!(
                "; the word {first:?}{more} makes it a derived model, which may have another layout"
            );
        }
        if self.moves {
            evidence += "; \"latest\" may come to name another model";
        }
        evidence
    }

    pub(super) fn into_detection(self) -> Detection {
        Detection {
            version: self.model.version,
            features: self.model.features,
            image: None,
            certainty: self.certainty(),
            evidence: self.evidence(),
        }
    }

    /// The same, once the kind of vocabulary is known: it settles a dispute, and may exclude the model.
    ///
    /// `seen` says how the vocabulary is known.
    pub(super) fn confirmed_by(
        self,
        vocabulary: Backend,
        seen: &str,
    ) -> Result<Detection, DetectError> {
        let rival = match self.model.source {
            Source::Disputed { rival, .. } => Some(rival),
            _ => None,
        };
        let versions = [Some(self.model.version), rival];
        let Some(version) = versions
            .into_iter()
            .flatten()
            .find(|version| version.backend() == vocabulary)
        else {
            let vocabulary = format!("{seen} is {vocabulary}");
            return Err(DetectError::conflict(self.evidence(), vocabulary));
        };
        let settled = rival.is_some() && self.certainty() == Certainty::Disputed;
        let evidence = self.evidence();
        let mut detection = self.into_detection();
        detection.version = version;
        if settled {
            detection.certainty = Certainty::Listed;
            detection.evidence = format!("{evidence}; {seen} is {vocabulary} and settles it");
        } else {
            detection.evidence = format!("{evidence}; {seen} is {vocabulary}, as it should be");
        }
        Ok(detection)
    }
}

/// A model and who says what it is.
fn about(model: &Model) -> String {
    let Model { title, version, .. } = model;
    match model.source {
        Source::Mistral => format!("{title}, which Mistral lists as {version}"),
        Source::Card => format!("{title}, whose card gives the {version} layout"),
        Source::Files => format!("{title}, whose public files are {version}"),
        Source::Disputed { note, .. } => format!("{title}: {note}"),
    }
}
