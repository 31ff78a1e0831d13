//! The text of a `tekken.json` comes in, the version and the features that it states come out.
//!
//! The file is read as a stream: of its many megabytes of vocabulary nothing is kept, and what was read before a
//! cut-off end still counts.

use super::error::clip;
use super::{Backend, Certainty, DetectError, Detection, Feature, Features, Version};
use crate::control::Control;
use crate::image::ImageConfig;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use std::borrow::Cow;
use std::fmt;

/// The first version whose file must list its special tokens.
const FIRST_WITH_SPECIAL_TOKENS: Version = Version::V11;
/// The first version whose file may have model settings.
const FIRST_WITH_SETTINGS: Version = Version::V15;
/// The last version whose file may call its image grid `multimodal`.
const LAST_WITH_MULTIMODAL: Version = Version::V11;

pub(super) fn detect(json: &str) -> Result<Detection, DetectError> {
    let mut header = Header::default();
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let end = match (&mut header).deserialize(&mut deserializer).and_then(|()| deserializer.end()) {
        Ok(()) => End::Whole,
        Err(error) if error.is_eof() && header.version.is_some() => End::Cut,
        Err(error) => return Err(DetectError::tekken(format!("it cannot be read: {error}"))),
    };
    header.detect(end)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    Cut,
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Header {
    version: Option<String>,
    special_tokens: Option<Thinking>,
    image: Option<ImageConfig>,
    multimodal: Option<ImageConfig>,
    audio: bool,
    settings: bool,
}

/// Which of the two control tokens of thinking a list has.
#[derive(Debug, Default, Clone, Copy)]
struct Thinking {
    opens: bool,
    closes: bool,
}

impl Header {
    fn detect(self, end: End) -> Result<Detection, DetectError> {
        let Some(stated) = self.version else {
            return Err(DetectError::tekken("its config states none"));
        };
        let version = stated
            .strip_prefix('v')
            .and_then(|number| number.parse().ok())
            .and_then(|number| Version::from_number(Backend::Tekken, number))
            .filter(|version| format!("v{}", version.number()) == stated)
            .ok_or_else(|| {
                let stated = clip(&stated);
                DetectError::tekken(format!("its config states {stated:?}, which Tekken does not have"))
            })?;
        if end == End::Whole && self.special_tokens.is_none() && version >= FIRST_WITH_SPECIAL_TOKENS {
            return Err(DetectError::tekken(format!("it states {version} and lists no special tokens")));
        }
        if self.settings && version < FIRST_WITH_SETTINGS {
            return Err(DetectError::tekken(format!(
                "it states {version} and has model settings, which come with {FIRST_WITH_SETTINGS}"
            )));
        }
        if self.multimodal.is_some() && version > LAST_WITH_MULTIMODAL {
            return Err(DetectError::tekken(format!(
                "it states {version} and calls its image grid \"multimodal\", which ended with {LAST_WITH_MULTIMODAL}"
            )));
        }
        let image = self.multimodal.or(self.image);
        let thinks = self.special_tokens.is_some_and(|thinking| thinking.opens && thinking.closes);
        let features = [(Feature::Image, image.is_some()), (Feature::Audio, self.audio), (Feature::Think, thinks)];
        let mut evidence = format!("the config of the tekken.json states {stated:?}");
        if end == End::Cut {
            evidence += "; the file is cut off, and more features may stand after the cut";
        }
        Ok(Detection {
            version,
            features: features.into_iter().filter_map(|(f, has)| has.then_some(f)).collect::<Features>(),
            image,
            certainty: Certainty::Stated,
            evidence,
        })
    }
}

impl<'de> DeserializeSeed<'de> for &mut Header {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Header {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a config")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            match key.as_ref() {
                "config" => self.version = map.next_value::<Config>()?.version.map(|Text(v)| v.into_owned()),
                "special_tokens" => self.special_tokens = map.next_value()?,
                "image" => self.image = map.next_value::<Grid>()?.0,
                "multimodal" => self.multimodal = map.next_value::<Grid>()?.0,
                "audio" => self.audio = map.next_value::<Presence>()? == Presence::Filled,
                "model_settings_builder" => self.settings = map.next_value::<Presence>()? != Presence::Null,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Config<'a> {
    #[serde(borrow)]
    version: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct SpecialToken<'a> {
    #[serde(borrow)]
    token_str: Text<'a>,
}

impl<'de> Deserialize<'de> for Thinking {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self::default())
    }
}

impl<'de> Visitor<'de> for Thinking {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of special tokens")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut tokens: A) -> Result<Self, A::Error> {
        while let Some(SpecialToken { token_str: Text(token) }) = tokens.next_element()? {
            self.opens |= token == Control::Think.as_str();
            self.closes |= token == Control::EndThink.as_str();
        }
        Ok(self)
    }
}

/// An image grid; `null` and `{}` are none.
struct Grid(Option<ImageConfig>);

impl<'de> Deserialize<'de> for Grid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            image_patch_size: Option<u32>,
            max_image_size: Option<u32>,
            spatial_merge_size: Option<u32>,
        }
        match Option::<Raw>::deserialize(deserializer)? {
            None => Ok(Self(None)),
            Some(Raw { image_patch_size: None, max_image_size: None, spatial_merge_size: None }) => Ok(Self(None)),
            Some(raw) => {
                let given = |value: Option<u32>, name| value.ok_or_else(|| D::Error::missing_field(name));
                let patch_size = given(raw.image_patch_size, "image_patch_size")?;
                let max_size = given(raw.max_image_size, "max_image_size")?;
                ImageConfig::new(patch_size, max_size, raw.spatial_merge_size.unwrap_or(1))
                    .map(|config| Self(Some(config)))
                    .map_err(D::Error::custom)
            }
        }
    }
}

/// What stands at a key of which nothing else matters.
#[derive(Debug, PartialEq, Eq)]
enum Presence {
    Null,
    Empty,
    Filled,
}

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Presence;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or null")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Presence, E> {
                Ok(Presence::Null)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Presence, A::Error> {
                let mut presence = Presence::Empty;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    presence = Presence::Filled;
                }
                Ok(presence)
            }
        }
        deserializer.deserialize_any(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: &str = r#"{"image_patch_size": 14, "max_image_size": 1540, "spatial_merge_size": 2}"#;

    #[track_caller]
    fn label(json: &str, expected: &str) {
        let detection = detect(json).unwrap();
        assert_eq!(format!("{}{}", detection.version, detection.features), expected);
        assert_eq!(detection.certainty, Certainty::Stated);
    }

    #[track_caller]
    fn refused(json: &str, expected: &str) {
        let message = detect(json).unwrap_err().to_string();
        assert_eq!(message, format!("no version in this tekken.json: {expected}"));
    }

    #[test]
    fn each_version_that_tekken_has() {
        for (stated, name) in [("v1", "v1-tekken"), ("v2", "v2-tekken"), ("v3", "v3-tekken"), ("v7", "v7-tekken")] {
            label(&format!(r#"{{"vocab": [{{"rank": 0}}], "config": {{"version": "{stated}"}}}}"#), name);
        }
        for name in ["v11", "v13", "v15"] {
            label(&format!(r#"{{"config": {{"version": "{name}"}}, "special_tokens": []}}"#), name);
        }
    }

    #[test]
    fn features_come_from_the_file() {
        let json =
            format!(r#"{{"config": {{"version": "v7"}}, "multimodal": {GRID}, "audio": {{"sampling_rate": 1}}}}"#);
        label(&json, "v7-tekken+image+audio");
        assert_eq!(detect(&json).unwrap().image, ImageConfig::new(14, 1540, 2).ok());
        label(
            r#"{"config": {"version": "v13"}, "special_tokens": [{"rank": 34, "token_str": "[THINK]"},
                {"rank": 35, "token_str": "\u005b/THINK]", "is_control": true}], "image": null, "audio": null}"#,
            "v13+think",
        );
        label(
            r#"{"config": {"version": "v15"}, "special_tokens": [{"token_str": "[THINK]"}],
                "model_settings_builder": {"reasoning_effort": null}, "image": {}, "audio": {}}"#,
            "v15",
        );
    }

    #[test]
    fn a_cut_file_says_so() {
        let json = format!(r#"{{"config": {{"version": "v13"}}, "image": {GRID}, "vocab": [{{"rank": 0, "tok"#);
        let detection = detect(&json).unwrap();
        assert_eq!(detection.version, Version::V13);
        assert!(detection.features.contains(Feature::Image));
        assert_eq!(
            detection.evidence,
            "the config of the tekken.json states \"v13\"; the file is cut off, and more features may stand after the \
             cut"
        );
    }

    #[test]
    fn what_no_tokenizer_can_be_built_from_is_refused() {
        refused("", "it cannot be read: EOF while parsing a value at line 1 column 0");
        refused(r#"{"vocab": ["#, "it cannot be read: EOF while parsing a list at line 1 column 11");
        refused(
            "[1]",
            "it cannot be read: invalid type: sequence, expected an object with a config at line 1 column 0",
        );
        refused("{}", "its config states none");
        refused(r#"{"config": {}}"#, "its config states none");
        refused(r#"{"config": {"version": "v4"}}"#, "its config states \"v4\", which Tekken does not have");
        refused(r#"{"config": {"version": "v03"}}"#, "its config states \"v03\", which Tekken does not have");
        refused(r#"{"config": {"version": "v11"}}"#, "it states v11 and lists no special tokens");
        refused(
            r#"{"config": {"version": "v7"}, "model_settings_builder": {}}"#,
            "it states v7-tekken and has model settings, which come with v15",
        );
        refused(
            &format!(r#"{{"config": {{"version": "v13"}}, "special_tokens": [], "multimodal": {GRID}}}"#),
            "it states v13 and calls its image grid \"multimodal\", which ended with v11",
        );
        refused(
            r#"{"config": {"version": "v3"}, "image": {"image_patch_size": 0, "max_image_size": 1024}}"#,
            "it cannot be read: the patch size of an image grid must not be 0 at line 1 column 87",
        );
        refused(
            r#"{"config": {"version": "v3"}, "image": {"image_patch_size": 16}}"#,
            "it cannot be read: missing field `max_image_size` at line 1 column 64",
        );
        refused(r#"{"config": {"version": "v3"}} x"#, "it cannot be read: trailing characters at line 1 column 31");
    }
}
