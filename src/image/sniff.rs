//! The first bytes of an image file come in, its width and height come out.

/// Reads as many bytes as it needs, and stores none.
pub(super) fn dimensions(bytes: &mut impl Iterator<Item = u8>) -> Option<(u32, u32)> {
    match take(bytes)? {
        [0x89, b'P'] => png(bytes),
        [0xff, 0xd8] => jpeg(bytes),
        [b'G', b'I'] => gif(bytes),
        [b'R', b'I'] => webp(bytes),
        [b'B', b'M'] => bmp(bytes),
        _ => None,
    }
}

fn png(bytes: &mut impl Iterator<Item = u8>) -> Option<(u32, u32)> {
    expect(bytes, b"NG\r\n\x1a\n")?;
    skip(bytes, 4)?;
    expect(bytes, b"IHDR")?;
    Some((u32::from_be_bytes(take(bytes)?), u32::from_be_bytes(take(bytes)?)))
}

/// Walks the segments up to the first start of a frame, past what stands between them, as Pillow does.
fn jpeg(bytes: &mut impl Iterator<Item = u8>) -> Option<(u32, u32)> {
    expect(bytes, b"\xff")?;
    loop {
        let marker = bytes.find(|&byte| byte != 0xff)?;
        match marker {
            // These stand alone, without a length.
            0x00 | 0x01 | 0xd0..=0xd9 => {}
            // Pixels before any frame.
            0xda => return None,
            // All starts of frames; the codes between them are tables.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                skip(bytes, 3)?;
                let height = u16::from_be_bytes(take(bytes)?);
                let width = u16::from_be_bytes(take(bytes)?);
                return Some((width.into(), height.into()));
            }
            _ => {
                let length = usize::from(u16::from_be_bytes(take(bytes)?));
                skip(bytes, length.checked_sub(2)?)?;
            }
        }
        bytes.find(|&byte| byte == 0xff)?;
    }
}

fn gif(bytes: &mut impl Iterator<Item = u8>) -> Option<(u32, u32)> {
    expect(bytes, b"F8")?;
    match take(bytes)? {
        [b'7' | b'9', b'a'] => Some((u16_le(bytes)?, u16_le(bytes)?)),
        _ => None,
    }
}

fn webp(bytes: &mut impl Iterator<Item = u8>) -> Option<(u32, u32)> {
    const FOURTEEN_BITS: u32 = 0x3fff;
    expect(bytes, b"FF")?;
    skip(bytes, 4)?;
    expect(bytes, b"WEBPVP8")?;
    let kind = bytes.next()?;
    skip(bytes, 4)?;
    match kind {
        b' ' => {
            skip(bytes, 3)?;
            expect(bytes, b"\x9d\x01\x2a")?;
            // The upper two bits ask for scaling.
            Some((u16_le(bytes)? & FOURTEEN_BITS, u16_le(bytes)? & FOURTEEN_BITS))
        }
        b'L' => {
            expect(bytes, b"\x2f")?;
            let packed = u32::from_le_bytes(take(bytes)?);
            Some(((packed & FOURTEEN_BITS) + 1, ((packed >> 14) & FOURTEEN_BITS) + 1))
        }
        b'X' => {
            skip(bytes, 4)?;
            Some((u24_le(bytes)? + 1, u24_le(bytes)? + 1))
        }
        _ => None,
    }
}

fn bmp(bytes: &mut impl Iterator<Item = u8>) -> Option<(u32, u32)> {
    const CORE_HEADER: u32 = 12;
    skip(bytes, 12)?;
    if u32::from_le_bytes(take(bytes)?) == CORE_HEADER {
        return Some((u16_le(bytes)?, u16_le(bytes)?));
    }
    let width = i32::from_le_bytes(take(bytes)?);
    let height = i32::from_le_bytes(take(bytes)?);
    // A negative height lists the rows from the top.
    Some((u32::try_from(width).ok()?, height.unsigned_abs()))
}

fn take<const N: usize>(bytes: &mut impl Iterator<Item = u8>) -> Option<[u8; N]> {
    let mut taken = [0; N];
    for place in &mut taken {
        *place = bytes.next()?;
    }
    Some(taken)
}

fn skip(bytes: &mut impl Iterator<Item = u8>, count: usize) -> Option<()> {
    match count.checked_sub(1) {
        None => Some(()),
        Some(last) => bytes.nth(last).map(drop),
    }
}

fn expect(bytes: &mut impl Iterator<Item = u8>, literal: &[u8]) -> Option<()> {
    literal.iter().all(|&byte| bytes.next() == Some(byte)).then_some(())
}

fn u16_le(bytes: &mut impl Iterator<Item = u8>) -> Option<u32> {
    take(bytes).map(|two| u16::from_le_bytes(two).into())
}

fn u24_le(bytes: &mut impl Iterator<Item = u8>) -> Option<u32> {
    let [a, b, c] = take(bytes)?;
    Some(u32::from_le_bytes([a, b, c, 0]))
}
