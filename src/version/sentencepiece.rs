//! The file name of a SentencePiece model comes in, the version that it ends in comes out.

use super::error::clip;
use super::{Backend, Certainty, DetectError, Detection, Feature, Features, Version};
use crate::image::ImageConfig;

/// The kinds of images that a file name can state.
const IMAGES: &[(&str, ImageConfig)] = &[("m1", ImageConfig::PIXTRAL)];

pub(super) fn detect(path: &str) -> Result<Detection, DetectError> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let (stem, suffix) = name.rsplit_once('.').unwrap_or((name, ""));
    if suffix == "model" {
        let why = "it ends in no version, and models of v1 to v7 were published under such a name";
        return Err(DetectError::undecided(name, why));
    }
    let stated = suffix.strip_prefix('v').filter(|_| stem.ends_with(".model"));
    let Some(stated) = stated else {
        return Err(DetectError::unknown(name));
    };
    let (number, image) = match stated.find('m').and_then(|at| stated.split_at_checked(at)) {
        Some((number, image)) => (number, Some(image)),
        None => (stated, None),
    };
    let version = number
        .parse()
        .ok()
        .and_then(|number| Version::from_number(Backend::SentencePiece, number))
        .filter(|version| version.name().strip_prefix('v') == Some(number))
        .ok_or_else(|| DetectError::foreign(name, no_such("version", &format!("v{number}"))))?;
    let image = match image {
        None => None,
        Some(kind) => match IMAGES.iter().find(|(name, _)| *name == kind) {
            Some(&(_, config)) => Some(config),
            None => return Err(DetectError::foreign(name, no_such("kind of image", kind))),
        },
    };
    Ok(Detection {
        version,
        features: image.iter().map(|_| Feature::Image).collect::<Features>(),
        image,
        certainty: Certainty::Stated,
        evidence: format!("the file name {:?} ends in its version", clip(name)),
    })
}

fn no_such(what: &str, which: &str) -> String {
    format!("there is no SentencePiece model of the {what} {:?}", clip(which))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_names() {
        for (name, version, image) in [
            ("tokenizer.model.v1", Version::V1, None),
            ("mistral_instruct_tokenizer_240216.model.v2", Version::V2, None),
            ("mistral_instruct_tokenizer_240323.model.v3", Version::V3, None),
            ("mistral_instruct_tokenizer_241114.model.v7", Version::V7, None),
            ("/data/mistral_instruct_tokenizer_241114.model.v7m1", Version::V7, Some(ImageConfig::PIXTRAL)),
            (r"C:\m\tokenizer.model.v3m1", Version::V3, Some(ImageConfig::PIXTRAL)),
        ] {
            let detection = detect(name).unwrap();
            assert_eq!(detection.version, version, "{name}");
            assert_eq!(detection.image, image, "{name}");
            assert_eq!(detection.features.contains(Feature::Image), image.is_some(), "{name}");
            assert_eq!(detection.certainty, Certainty::Stated, "{name}");
        }
        assert_eq!(
            detect("a/tokenizer.model.v1").unwrap().evidence,
            r#"the file name "tokenizer.model.v1" ends in its version"#
        );
    }

    #[test]
    fn other_names_are_refused() {
        let versions = "v1, v1-tekken, v2, v2-tekken, v3, v3-tekken, v7, v7-tekken, v11, v13, v15, magnum";
        for (name, expected) in [
            (
                "tokenizer.model",
                format!(
                    "\"tokenizer.model\" does not settle the version: it ends in no version, and models of v1 to v7 \
                     were published under such a name; name one of {versions}"
                ),
            ),
            (
                "tokenizer.model.v11",
                "\"tokenizer.model.v11\" has none of these layouts: there is no SentencePiece model of the version \
                 \"v11\""
                    .to_owned(),
            ),
            (
                "tokenizer.model.v03",
                "\"tokenizer.model.v03\" has none of these layouts: there is no SentencePiece model of the version \
                 \"v03\""
                    .to_owned(),
            ),
            (
                "tokenizer.model.v7m2",
                "\"tokenizer.model.v7m2\" has none of these layouts: there is no SentencePiece model of the kind of \
                 image \"m2\""
                    .to_owned(),
            ),
            (
                "tekken.json",
                format!("\"tekken.json\" is neither a version nor a known Mistral model; the versions are {versions}"),
            ),
        ] {
            assert_eq!(detect(name).unwrap_err().to_string(), expected);
        }
        for name in ["", ".", "tokenizer.v3", "v3", ".model.v", "x.model.vm1", "x.model.v999"] {
            assert!(detect(name).is_err(), "{name}");
        }
    }
}
