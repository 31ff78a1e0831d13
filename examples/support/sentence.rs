//! [`Sentence`]: an error that `main` prints as a sentence.

use std::fmt;

/// Any error, as its sentence and those of its causes.
pub(crate) struct Sentence(String);

impl<E: Into<Box<dyn std::error::Error>>> From<E> for Sentence {
    fn from(error: E) -> Self {
        let error = error.into();
        let mut sentence = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_sentence = cause.to_string();
            if !sentence.contains(&cause_sentence) {
                sentence.push_str(": ");
                sentence.push_str(&cause_sentence);
            }
            source = cause.source();
        }
        Sentence(sentence)
    }
}

/// What `main` prints of an error.
impl fmt::Debug for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
