//! Reading and writing PNG images, with errors for people.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, ImageReader, Limits};

/// The longest side, in pixels, of an image that is read.
const MAX_SIDE: u32 = 16_384;

/// Reads a PNG image; anything else is refused.
pub fn read(bytes: &[u8]) -> Result<DynamicImage, String> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png);
    reader.limits(limits);
    reader.decode().map_err(|error| format!("image: not a PNG image that can be read: {error}"))
}

/// Writes an image as PNG.
pub fn write(image: &DynamicImage) -> Result<Vec<u8>, String> {
    let mut bytes = Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|error| format!("the image could not be written: {error}"))?;
    Ok(bytes.into_inner())
}
