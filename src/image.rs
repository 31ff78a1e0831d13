//! An image's width and height in, the grid of `[IMG]` tokens that stands for it out.
//!
//! ```
//! use mistral_chat_template::image::ImageConfig;
//!
//! let config = ImageConfig::new(14, 1540, 2)?;
//! let grid = config.grid(640, 480)?;
//! assert_eq!((grid.columns(), grid.rows()), (23, 18));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The prompt does not hold an image's pixels, but it holds one token for each patch of them. [`ImageConfig::grid`]
//! counts these as Mistral's own library does; [`dimensions`] and [`data_url_image`] find the width and the height
//! in the first bytes of a PNG, JPEG, GIF, WebP or BMP file, without decoding it.

mod base64;
mod sniff;

use serde::Deserialize;
use std::num::NonZeroU32;
use thiserror::Error;

/// How a model cuts images into patches.
///
/// It reads Mistral's own JSON, as it stands in a `tekken.json`.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::image::ImageConfig;
///
/// let config: ImageConfig = serde_json::from_str(
///     r#"{"image_patch_size": 14, "max_image_size": 1540, "spatial_merge_size": 2}"#,
/// )?;
/// assert_eq!(config, ImageConfig::new(14, 1540, 2)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "Fields")]
pub struct ImageConfig {
    /// The side of a patch, in pixels.
    pub patch_size: NonZeroU32,
    /// The longer side of an image is scaled down to this, in pixels.
    pub max_size: NonZeroU32,
    /// One token stands for this many patches in each direction.
    pub merge: NonZeroU32,
}

/// [`ImageConfig`] as Mistral's JSON spells it.
#[derive(Deserialize)]
struct Fields {
    image_patch_size: u32,
    max_image_size: u32,
    #[serde(default = "one")]
    spatial_merge_size: u32,
}

fn one() -> u32 {
    1
}

impl TryFrom<Fields> for ImageConfig {
    type Error = ImageError;

    fn try_from(fields: Fields) -> Result<Self, ImageError> {
        Self::new(fields.image_patch_size, fields.max_image_size, fields.spatial_merge_size)
    }
}

impl ImageConfig {
    /// What Pixtral has, and every file named `.m1`: patches of 16 pixels, images of at most 1024.
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::image::ImageConfig;
    ///
    /// assert_eq!(ImageConfig::PIXTRAL, ImageConfig::new(16, 1024, 1)?);
    /// # Ok::<(), mistral_chat_template::image::ImageError>(())
    /// ```
    pub const PIXTRAL: Self =
        Self { patch_size: at_least_one(16), max_size: at_least_one(1024), merge: at_least_one(1) };

    /// A configuration of these sizes, none of which may be 0; `merge` is 1 where patches are not merged.
    ///
    /// # Errors
    ///
    /// [`ImageError::ZeroSetting`] for `ImageConfig::new(0, 1024, 1)`, `new(16, 0, 1)` and `new(16, 1024, 0)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::image::ImageConfig;
    ///
    /// assert_eq!(ImageConfig::new(14, 1540, 2)?.merge.get(), 2);
    /// assert_eq!(
    ///     ImageConfig::new(0, 1024, 1).unwrap_err().to_string(),
    ///     "the patch size of an image grid must not be 0",
    /// );
    /// # Ok::<(), mistral_chat_template::image::ImageError>(())
    /// ```
    pub fn new(patch_size: u32, max_size: u32, merge: u32) -> Result<Self, ImageError> {
        let checked = |value, setting| NonZeroU32::new(value).ok_or(ImageError::ZeroSetting { setting });
        Ok(Self {
            patch_size: checked(patch_size, "patch size")?,
            max_size: checked(max_size, "largest size")?,
            merge: checked(merge, "merge size")?,
        })
    }

    /// The grid of an image of this width and height, in pixels.
    ///
    /// An image with a side longer than `max_size` is scaled down first; the sides round to the nearest pixel, halves
    /// to the even one.
    ///
    /// # Errors
    ///
    /// [`ImageError::NoPixels`] when the width or the height is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::image::ImageConfig;
    ///
    /// let grid = ImageConfig::PIXTRAL.grid(40, 20)?;
    /// assert_eq!((grid.rows(), grid.columns()), (2, 3));
    /// assert_eq!(grid.token_count(), 8);
    ///
    /// let grid = ImageConfig::PIXTRAL.grid(4000, 3000)?;
    /// assert_eq!((grid.rows(), grid.columns()), (48, 64));
    /// # Ok::<(), mistral_chat_template::image::ImageError>(())
    /// ```
    pub fn grid(self, width: u32, height: u32) -> Result<Grid, ImageError> {
        let none = ImageError::NoPixels { width, height };
        let (Some(w), Some(h)) = (NonZeroU32::new(width), NonZeroU32::new(height)) else {
            return Err(none);
        };
        let max_size = f64::from(self.max_size.get());
        let ratio = f64::max(f64::from(height) / max_size, f64::from(width) / max_size);
        let tokens = |side: NonZeroU32| {
            let side = if ratio > 1.0 { scaled(side, ratio) } else { side.get() };
            let token = u64::from(self.patch_size.get()) * u64::from(self.merge.get());
            u64::from(side).div_ceil(token)
        };
        let count = |side| u32::try_from(tokens(side)).ok().and_then(NonZeroU32::new);
        match (count(h), count(w)) {
            (Some(rows), Some(columns)) => Ok(Grid { rows, columns }),
            _ => Err(none),
        }
    }
}

const fn at_least_one(n: u32) -> NonZeroU32 {
    match NonZeroU32::new(n) {
        Some(n) => n,
        None => NonZeroU32::MIN,
    }
}

/// The side divided by the ratio, which is above 1: at least one pixel, and never more than there were.
fn scaled(side: NonZeroU32, ratio: f64) -> u32 {
    let scaled = (f64::from(side.get()) / ratio).round_ties_even() as u32;
    scaled.max(1)
}

/// The tokens of one image: rows of `[IMG]`, a `[IMG_BREAK]` after each row but the last, `[IMG_END]` after that.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::image::ImageToken::{Break, End, Patch};
/// use mistral_chat_template::image::ImageConfig;
///
/// let grid = ImageConfig::PIXTRAL.grid(40, 20)?;
/// assert!(grid.tokens().eq([Patch, Patch, Patch, Break, Patch, Patch, Patch, End]));
/// # Ok::<(), mistral_chat_template::image::ImageError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Grid {
    rows: NonZeroU32,
    columns: NonZeroU32,
}

impl Grid {
    /// How many rows there are; at least 1.
    ///
    /// # Examples
    ///
    /// ```
    /// # use mistral_chat_template::image::ImageConfig;
    /// assert_eq!(ImageConfig::PIXTRAL.grid(1, 17)?.rows(), 2);
    /// # Ok::<(), mistral_chat_template::image::ImageError>(())
    /// ```
    pub const fn rows(self) -> u32 {
        self.rows.get()
    }

    /// How many `[IMG]` there are in a row; at least 1.
    ///
    /// # Examples
    ///
    /// ```
    /// # use mistral_chat_template::image::ImageConfig;
    /// assert_eq!(ImageConfig::PIXTRAL.grid(17, 1)?.columns(), 2);
    /// # Ok::<(), mistral_chat_template::image::ImageError>(())
    /// ```
    pub const fn columns(self) -> u32 {
        self.columns.get()
    }

    /// How many tokens there are, the ends of rows among them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use mistral_chat_template::image::ImageConfig;
    /// assert_eq!(ImageConfig::PIXTRAL.grid(1024, 1024)?.token_count(), 64 * 65);
    /// # Ok::<(), mistral_chat_template::image::ImageError>(())
    /// ```
    pub const fn token_count(self) -> u64 {
        // Below 2^32 · 2^32.
        self.rows.get() as u64 * (self.columns.get() as u64 + 1)
    }

    /// The tokens, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// use mistral_chat_template::image::{ImageConfig, ImageToken};
    ///
    /// let grid = ImageConfig::PIXTRAL.grid(1, 1)?;
    /// assert!(grid.tokens().eq([ImageToken::Patch, ImageToken::End]));
    /// # Ok::<(), mistral_chat_template::image::ImageError>(())
    /// ```
    pub fn tokens(self) -> impl Iterator<Item = ImageToken> {
        (1..=self.rows()).flat_map(move |row| {
            let end = if row < self.rows() { ImageToken::Break } else { ImageToken::End };
            (0..self.columns()).map(|_| ImageToken::Patch).chain([end])
        })
    }
}

/// One token of an image.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::image::{ImageConfig, ImageToken};
///
/// let tokens = ImageConfig::PIXTRAL.grid(16, 16)?.tokens();
/// assert_eq!(tokens.last(), Some(ImageToken::End));
/// # Ok::<(), mistral_chat_template::image::ImageError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageToken {
    /// `[IMG]`: a patch, or the patches that are merged into one token.
    Patch,
    /// `[IMG_BREAK]`: the end of a row.
    Break,
    /// `[IMG_END]`: the end of the last row.
    End,
}

/// Why an image has no grid.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::image::{ImageConfig, ImageError};
///
/// let error = ImageConfig::PIXTRAL.grid(640, 0).unwrap_err();
/// assert_eq!(error, ImageError::NoPixels { width: 640, height: 0 });
/// assert_eq!(error.to_string(), "an image of 640 by 0 pixels has no grid");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A size of the configuration is 0.
    #[error("the {setting} of an image grid must not be 0")]
    ZeroSetting {
        /// Which one.
        setting: &'static str,
    },
    /// The image has no width or no height.
    #[error("an image of {width} by {height} pixels has no grid")]
    NoPixels {
        /// The width that was given.
        width: u32,
        /// The height that was given.
        height: u32,
    },
    /// The URL does not have the form `data:TYPE;base64,PAYLOAD`.
    #[error("{start:?} is not the start of a URL of the form data:TYPE;base64,PAYLOAD")]
    NotDataUrl {
        /// The start of what was given.
        start: String,
    },
    /// The payload of a data URL is not base64.
    #[error("the image's data URL is not base64: {found:?} at byte {at}")]
    NotBase64 {
        /// The byte of the URL at which it goes wrong.
        at: usize,
        /// The character there.
        found: char,
    },
    /// The data is that of no known kind of image, or breaks off before the image's size.
    #[error("the data URL holds no size of a PNG, JPEG, GIF, WebP or BMP image")]
    NotAnImage,
}

/// The width and the height that the header of a PNG, JPEG, GIF, WebP or BMP file states, in pixels.
///
/// The file need not be whole. `None` says that it is of another kind, or breaks off before its size. A rotation
/// that a JPEG's metadata asks for is not applied, as Mistral's library does not apply it.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::image::dimensions;
///
/// assert_eq!(dimensions(b"GIF89a\x80\x02\xe0\x01\0\0\0"), Some((640, 480)));
/// assert_eq!(dimensions(b"<svg/>"), None);
/// ```
pub fn dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    sniff::dimensions(&mut bytes.iter().copied())
}

/// The width and the height of the image in a `data:` URL.
///
/// Of the base64 no more is decoded than is needed to reach the image's size, and nothing is stored.
///
/// # Errors
///
/// - [`ImageError::NotDataUrl`]: `https://example.org/a.png`, `data:image/png,abc`, `data:image/png;base64,`.
/// - [`ImageError::NotBase64`]: `data:image/png;base64,iV_O`. White space in the payload is skipped.
/// - [`ImageError::NotAnImage`]: `data:text/plain;base64,aGVsbG8=`, or a file that breaks off too early.
///
/// # Examples
///
/// ```
/// use mistral_chat_template::image::data_url_image;
///
/// let url = "data:image/gif;base64,R0lGODlhgALgAQAAACwAAAAA";
/// assert_eq!(data_url_image(url)?, (640, 480));
/// # Ok::<(), mistral_chat_template::image::ImageError>(())
/// ```
pub fn data_url_image(url: &str) -> Result<(u32, u32), ImageError> {
    let not_data_url = || ImageError::NotDataUrl { start: url.chars().take(40).collect() };
    let rest = url.strip_prefix("data:").ok_or_else(not_data_url)?;
    let (head, payload) = rest.split_once(',').ok_or_else(not_data_url)?;
    if !head.ends_with(";base64") || payload.is_empty() {
        return Err(not_data_url());
    }
    let mut bytes = base64::Decoder::new(payload);
    let found = sniff::dimensions(&mut bytes);
    match (found, bytes.bad_character()) {
        (Some(size), _) => Ok(size),
        (None, Some((at, found))) => Err(ImageError::NotBase64 { at: url.len() - payload.len() + at, found }),
        (None, None) => Err(ImageError::NotAnImage),
    }
}

/// The width and the height of an image in base64, or in a `data:` URL, which mistral-common's image chunk takes too.
pub(crate) fn base64_image(data: &str) -> Result<(u32, u32), ImageError> {
    if data.starts_with("data:") {
        return data_url_image(data);
    }
    let mut bytes = base64::Decoder::new(data);
    let found = sniff::dimensions(&mut bytes);
    match (found, bytes.bad_character()) {
        (Some(size), _) => Ok(size),
        (None, Some((at, found))) => Err(ImageError::NotBase64 { at, found }),
        (None, None) => Err(ImageError::NotAnImage),
    }
}
