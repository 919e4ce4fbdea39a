//! Digits as they are written into records and headers: into a text on the stack, since a record has a dozen of such texts and is
//! written twice for each job.

/// A text of `N` ASCII characters.
pub(crate) struct Ascii<const N: usize>([u8; N]);

impl<const N: usize> Ascii<N> {
    /// Takes over characters, all of which are ASCII.
    pub(crate) fn new(characters: [u8; N]) -> Self {
        debug_assert!(characters.is_ascii());
        Self(characters)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("ASCII is UTF-8")
    }
}

/// Writes bytes as lower-case hexadecimal digits, of which there are two for each byte.
pub(crate) fn hexadecimal<const BYTES: usize, const DIGITS: usize>(bytes: &[u8; BYTES]) -> Ascii<DIGITS> {
    const { assert!(DIGITS == 2 * BYTES) };
    let mut text = [0; DIGITS];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = digit(byte >> 4);
        pair[1] = digit(byte & 0xf);
    }
    Ascii::new(text)
}

fn digit(value: u8) -> u8 {
    b"0123456789abcdef"[usize::from(value)]
}

/// Writes a number in decimal digits over all of `place`, with zeros before it. Digits that do not fit are cut off.
pub(crate) fn put_decimal(place: &mut [u8], number: u32) {
    let mut left = number;
    for character in place.iter_mut().rev() {
        *character = b'0' + (left % 10) as u8;
        left /= 10;
    }
}
