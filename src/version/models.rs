//! A model's name comes in, its row of the table comes out, with the words that the row does not explain.

use super::error::clip;
use super::name::{Words, is_date, is_decoration, parts};
use super::table::{Model, ROWS, Row, Source, ThinkingForm, Verdict};
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

/// The longest name that is looked at, in bytes; no path is longer.
const LONGEST: usize = 4096;

/// Finds the model by the last part of the name that names one.
pub(super) fn identify(name: &str) -> Result<Identity, DetectError> {
    if name.len() > LONGEST {
        return Err(DetectError::unknown(name));
    }
    parts(name.trim())
        .find_map(|part| identify_part(part).transpose())
        .unwrap_or_else(|| Err(DetectError::unknown(name)))
}

/// Does the model of this name think in `<think>` tags?
pub(crate) fn thinks_in_tags(name: &str) -> bool {
    identify(name).is_ok_and(|identity| identity.model.thinking == ThinkingForm::Tags)
}

/// The model that one part names; `None` if the part names no family of the table.
fn identify_part(part: &str) -> Result<Option<Identity>, DetectError> {
    let words = Words::of(part);
    let mut best: Option<(&Row, &'static Model)> = None;
    for row in best_fits(&words) {
        match (&row.verdict, best) {
            (Verdict::IsNot(reason), _) => return Err(DetectError::foreign(part, *reason)),
            (Verdict::Is(other), Some((_, model))) if model.version != other.version => {
                return Err(DetectError::conflict(
                    format!("{:?} names {}", clip(part), about(model)),
                    format!("it names {}, too", about(other)),
                ));
            }
            (Verdict::Is(model), None) => best = Some((row, model)),
            (Verdict::Is(_), Some(_)) => {}
        }
    }
    let Some((row, model)) = best else {
        return match nearest(&words) {
            None => Ok(None),
            Some(nearest) => Err(DetectError::undecided(part, nearest)),
        };
    };
    let strange: Vec<_> = words.iter().filter(|word| !explains(row, model, word) && !is_decoration(word)).collect();
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
        other.len() > name.len() && name.split(' ').all(|word| other.split(' ').any(|w| w == word))
    };
    let mut rows: Vec<&Row> = fits
        .iter()
        .filter(|(_, name)| !fits.iter().any(|(_, other)| is_closer(name, other)))
        .map(|&(row, _)| row)
        .collect();
    rows.dedup_by(|a, b| std::ptr::eq(*a, *b));
    rows
}

/// Does the row know the word, in one of the model's names or beside them?
fn explains(row: &Row, model: &Model, word: &str) -> bool {
    let known = |words: &str| words.split(' ').any(|w| w == word);
    known(model.also) || row.names.iter().any(|name| known(name))
}

/// The models of the family that share most words with the name, if it names a family at all.
fn nearest(words: &Words) -> Option<String> {
    const SHOWN: usize = 6;
    let shared = |name: &str| name.split(' ').filter(|word| words.contains(word)).count();
    let of_family = |name: &str| name.split(' ').next().is_some_and(|word| words.contains(word));
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
                1 => " and one more word".to_owned(),
                n => format!(" and {n} more words"),
            };
            let first = clip(first);
            evidence += &format!(
                "; beyond that name it has {first:?}{more}, so it is a derived model and may have another layout"
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
    pub(super) fn confirmed_by(self, vocabulary: Backend, seen: &str) -> Result<Detection, DetectError> {
        let rival = match self.model.source {
            Source::Disputed { rival, .. } => Some(rival),
            _ => None,
        };
        let versions = [Some(self.model.version), rival];
        let Some(version) = versions.into_iter().flatten().find(|version| version.backend() == vocabulary) else {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_of_the_table_finds_its_row() {
        for row in ROWS {
            for name in row.names {
                match (&row.verdict, identify(name)) {
                    (Verdict::Is(model), Ok(found)) => {
                        assert!(std::ptr::eq(found.model, model), "{name}")
                    }
                    (Verdict::IsNot(reason), Err(error)) => {
                        assert_eq!(error, DetectError::foreign(name, *reason))
                    }
                    (_, found) => panic!("{name}: {found:?}"),
                }
            }
        }
    }

    #[test]
    fn each_title_finds_its_model() {
        for row in ROWS {
            if let Verdict::Is(model) = &row.verdict {
                let found = identify(model.title).unwrap();
                assert!(std::ptr::eq(found.model, model), "{}", model.title);
                assert!(found.strange.is_empty(), "{}: {:?}", model.title, found.strange);
            }
        }
    }

    #[test]
    fn the_words_beside_a_name_leave_it_what_it_is() {
        for row in ROWS {
            if let Verdict::Is(model) = &row.verdict {
                for word in model.also.split_whitespace() {
                    let found = identify(&format!("{} {word}", model.title)).unwrap();
                    assert!(std::ptr::eq(found.model, model), "{} {word}", model.title);
                    assert!(found.strange.is_empty(), "{} {word}", model.title);
                }
            }
        }
    }

    #[test]
    fn a_name_longer_than_any_path_is_unknown() {
        let name = format!("{}/mistral-nemo", "x".repeat(LONGEST));
        let expected = format!("\"{}…\" is neither a version", "x".repeat(80));
        assert!(identify(&name).unwrap_err().to_string().starts_with(&expected));
    }
}
