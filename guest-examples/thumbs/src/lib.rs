//! Typed tasks: each function of `wit/world.wit` is one, with arguments and results of its own types.

mod png;
mod transform;

wit_bindgen::generate!({ path: ["../../wit", "wit"], world: "example:thumbs/thumbs", generate_all });

use image::{ColorType, GenericImageView, imageops::FilterType};

/// The longest side, in pixels, that `resize` makes.
const MAX_SIDE: u32 = 4096;

struct Thumbs;

impl Guest for Thumbs {
    fn resize(image: Vec<u8>, width: u32, height: Option<u32>) -> Result<Vec<u8>, String> {
        let width = side("width", width)?;
        let height = height.map(|height| side("height", height)).transpose()?;
        let original = png::read(&image)?;
        let height = match height {
            Some(height) => height,
            None => side("height", height_in_proportion(original.dimensions(), width))?,
        };
        png::write(&original.resize_exact(width, height, FilterType::Triangle))
    }

    fn describe(image: Vec<u8>) -> Result<ImageFacts, String> {
        let picture = png::read(&image)?;
        let colour = match picture.color() {
            ColorType::L8 | ColorType::L16 => Colour::Grey,
            ColorType::La8 | ColorType::La16 => Colour::GreyAlpha,
            ColorType::Rgb8 | ColorType::Rgb16 | ColorType::Rgb32F => Colour::Rgb,
            _ => Colour::RgbAlpha,
        };
        let (width, height) = picture.dimensions();
        Ok(ImageFacts { width, height, colour, bytes: image.len() as u64 })
    }

    fn transform(image: Vec<u8>, steps: Vec<Step>, keep: Option<Rect>) -> Result<Vec<u8>, TransformError> {
        let mut picture = png::read(&image).map_err(TransformError::NotAnImage)?;
        for (index, step) in (0..).zip(steps) {
            picture = transform::apply(picture, step)
                .map_err(|message| TransformError::BadStep(BadStep { index, message }))?;
        }
        if let Some(rect) = keep {
            picture = transform::crop(&picture, rect).ok_or(TransformError::Outside(rect))?;
        }
        png::write(&picture).map_err(TransformError::NotAnImage)
    }
}

fn side(name: &str, pixels: u32) -> Result<u32, String> {
    match pixels {
        1..=MAX_SIDE => Ok(pixels),
        _ => Err(format!("{name}: {pixels} is not between 1 and {MAX_SIDE}")),
    }
}

/// Rounded to the nearest pixel, and never 0.
fn height_in_proportion((width, height): (u32, u32), new_width: u32) -> u32 {
    let (width, height, new_width) = (u64::from(width), u64::from(height), u64::from(new_width));
    let new_height = (height * new_width + width / 2) / width;
    u32::try_from(new_height.max(1)).unwrap_or(u32::MAX)
}

export!(Thumbs);
