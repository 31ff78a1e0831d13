//! Bytes of images and their data URLs: the size or none; and a grid of tokens that has as many as it says.

use mistral_chat_template::image::{ImageConfig, data_url_image, dimensions};

pub fn run(data: &[u8]) {
    if let Ok(url) = std::str::from_utf8(data) {
        let _ = data_url_image(url);
    }
    let Some((width, height)) = dimensions(data) else { return };
    let url = format!("data:image/png;base64,{}", base64(data));
    assert_eq!(data_url_image(&url).ok(), Some((width, height)), "{url}");
    if let Ok(grid) = ImageConfig::PIXTRAL.grid(width, height) {
        assert_eq!(grid.tokens().count() as u64, grid.token_count());
        assert!(grid.rows() > 0 && grid.columns() > 0);
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let of = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
        let bits = of(0) << 16 | of(1) << 8 | of(2);
        for digit in 0..4 {
            let is_padding = digit > chunk.len();
            text.push(if is_padding { '=' } else { DIGITS[(bits >> (18 - 6 * digit)) as usize & 63].into() });
        }
    }
    text
}
