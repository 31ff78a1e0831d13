//! Image grids and image sizes equal those of Mistral's own library and of Pillow.
//!
//! The goldens are made by `tests/oracle/image_grid.py`; `IMAGE_GRIDS` names another file of grids to compare with.

use mistral_chat_template::image::{ImageConfig, ImageError, ImageToken, data_url_image, dimensions};
use proptest::prelude::*;
use std::fs;

#[test]
fn grids_are_those_of_the_reference() {
    let path = std::env::var("IMAGE_GRIDS");
    let path = path.as_deref().unwrap_or("tests/goldens/image/grids.tsv");
    let goldens = fs::read_to_string(path).unwrap();
    let mut count = 0;
    for line in goldens.lines() {
        let numbers: Vec<u32> = line.split('\t').map(|n| n.parse().unwrap()).collect();
        let [patch, max, merge, width, height, columns, rows] = *numbers else {
            panic!("{line:?} has not seven columns");
        };
        let grid = ImageConfig::new(patch, max, merge).unwrap().grid(width, height).unwrap();
        assert_eq!((grid.columns(), grid.rows()), (columns, rows), "{line:?}");
        count += 1;
    }
    println!("{count} grids compared");
    assert!(count >= 200);
}

#[test]
fn sizes_are_those_of_pillow() {
    let goldens = fs::read_to_string("tests/goldens/image/files.tsv").unwrap();
    let mut count = 0;
    for line in goldens.lines() {
        let [kind, width, height, url] = *line.split('\t').collect::<Vec<_>>() else {
            panic!("{line:?} has not four columns");
        };
        let size = (width.parse().unwrap(), height.parse().unwrap());
        assert_eq!(data_url_image(url), Ok(size), "{kind}");
        count += 1;
    }
    assert_eq!(count, 48);
}

#[track_caller]
fn refused(url: &str, expected: &str) {
    let message = data_url_image(url).map_err(|error| error.to_string());
    assert_eq!(message, Err(expected.to_owned()));
}

#[test]
fn what_is_no_image_is_refused() {
    let no_size = "the data URL holds no size of a PNG, JPEG, GIF, WebP or BMP image";
    refused("data:text/plain;base64,aGVsbG8=", no_size);
    refused("data:image/png;base64,iVBORw0KGgo=", no_size);
    refused("data:image/jpeg;base64,/9j/2gACAP/AABEIABQAKAMBIgACEQEDEQE=", no_size); // pixels before any frame
    refused("data:image/jpeg;base64,/9gA/8AAEQgAFAAoAwEiAAIRAQMRAQ==", no_size); // no marker behind the first
    refused("data:image/png;base64,iV_O", "the image's data URL is not base64: '_' at byte 24");
    refused("data:image/png;base64,iVB\u{e9}", "the image's data URL is not base64: 'é' at byte 25");
    for url in ["https://example.org/a.png", "data:image/png,abc", "data:image/png;base64,", "data:", ""] {
        refused(url, &format!("{url:?} is not the start of a URL of the form data:TYPE;base64,PAYLOAD"));
    }
}

#[test]
fn a_file_s_first_bytes_have_its_size() {
    for (bytes, size) in [
        (&b"GIF89a\x80\x02\xe0\x01"[..], Some((640, 480))),
        (b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0\x03\0\0\0\xfc\xff\xff\xff", Some((3, 4))),
        (b"GIF89a\x80\x02\xe0", None),
        (b"<svg/>", None),
    ] {
        assert_eq!(dimensions(bytes), size, "{bytes:?}");
    }
}

#[test]
fn sizes_without_pixels_are_refused() {
    for (width, height) in [(0, 0), (0, 1), (1, 0), (0, u32::MAX)] {
        let error = ImageConfig::PIXTRAL.grid(width, height).unwrap_err();
        assert_eq!(error, ImageError::NoPixels { width, height });
        assert_eq!(error.to_string(), format!("an image of {width} by {height} pixels has no grid"));
    }
    for (patch, max, merge, name) in [(0, 1, 1, "patch size"), (1, 0, 1, "largest size"), (1, 1, 0, "merge size")] {
        let error = ImageConfig::new(patch, max, merge).unwrap_err();
        assert_eq!(error.to_string(), format!("the {name} of an image grid must not be 0"));
    }
}

#[test]
fn the_greatest_sizes_have_a_grid() {
    let finest = ImageConfig::new(1, u32::MAX, 1).unwrap().grid(u32::MAX, u32::MAX).unwrap();
    assert_eq!((finest.columns(), finest.rows()), (u32::MAX, u32::MAX));
    assert_eq!(finest.token_count(), u64::from(u32::MAX) << 32);
    let coarsest = ImageConfig::new(u32::MAX, 1, u32::MAX).unwrap().grid(u32::MAX, 1).unwrap();
    assert_eq!(coarsest.token_count(), 2);
}

#[test]
fn a_config_reads_the_json_of_a_tokenizer_file() {
    let read = serde_json::from_str::<ImageConfig>;
    assert_eq!(read(r#"{"max_image_size": 1024, "image_patch_size": 16}"#).unwrap(), ImageConfig::PIXTRAL);
    let error = read(r#"{"max_image_size": 0, "image_patch_size": 16}"#).unwrap_err();
    assert_eq!(error.to_string(), "the largest size of an image grid must not be 0");
    assert!(read(r#"{"max_image_size": -1, "image_patch_size": 16}"#).is_err());
}

proptest! {
    #[test]
    fn tokens_are_rows_of_patches(width in 1..3000_u32, height in 1..3000_u32, patch in 8..40_u32) {
        let grid = ImageConfig::new(patch, 1024, 1).unwrap().grid(width, height).unwrap();
        let tokens: Vec<_> = grid.tokens().collect();
        prop_assert_eq!(tokens.len() as u64, grid.token_count());
        let rows: Vec<_> = tokens.split_inclusive(|&token| token != ImageToken::Patch).collect();
        prop_assert_eq!(rows.len(), grid.rows() as usize);
        for (i, row) in rows.iter().enumerate() {
            prop_assert_eq!(row.len(), grid.columns() as usize + 1);
            let last = if i + 1 == rows.len() { ImageToken::End } else { ImageToken::Break };
            prop_assert_eq!(row.last(), Some(&last));
        }
    }

    #[test]
    fn nothing_panics_on_any_bytes(kind in 0..6_usize, rest in prop::collection::vec(any::<u8>(), 0..200)) {
        let start: &[u8] = [
            &b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"[..], b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8", b"BM", b"",
        ][kind];
        let bytes = [start, &rest].concat();
        if let Some((width, height)) = dimensions(&bytes) {
            let grid = ImageConfig::PIXTRAL.grid(width, height);
            prop_assert_eq!(grid.is_ok(), width > 0 && height > 0);
        }
    }

    #[test]
    fn nothing_panics_on_any_url(payload in "\\PC{0,60}") {
        let url = format!("data:image/png;base64,{payload}");
        prop_assert!(data_url_image(&url).is_err());
        prop_assert!(data_url_image(&payload).is_err());
    }
}
