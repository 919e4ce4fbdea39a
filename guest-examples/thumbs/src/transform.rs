//! The steps of `transform`: each takes an image and gives a new one, or says why it cannot.

use image::DynamicImage;

use crate::{Quarter, Rect, Step};

/// The strongest blur; a stronger one would only cost time.
const MAX_BLUR: f32 = 20.0;

/// Does one step.
pub fn apply(image: DynamicImage, step: Step) -> Result<DynamicImage, String> {
    match step {
        Step::Grayscale => Ok(image.grayscale()),
        Step::Blur(sigma) if sigma > 0.0 && sigma <= MAX_BLUR => Ok(image.blur(sigma)),
        Step::Blur(sigma) => Err(format!("blur: {sigma} is not above 0 and at most {MAX_BLUR}")),
        Step::Rotate(Quarter::Once) => Ok(image.rotate90()),
        Step::Rotate(Quarter::Twice) => Ok(image.rotate180()),
        Step::Rotate(Quarter::Thrice) => Ok(image.rotate270()),
        Step::Crop(rect) => crop(&image, rect).ok_or_else(|| outside(&image, rect)),
    }
}

/// The part of the image in `rect`; none where it is empty or not wholly inside.
pub fn crop(image: &DynamicImage, rect: Rect) -> Option<DynamicImage> {
    let Rect { x, y, width, height } = rect;
    let inside = x.checked_add(width)? <= image.width() && y.checked_add(height)? <= image.height();
    (inside && width > 0 && height > 0).then(|| image.crop_imm(x, y, width, height))
}

fn outside(image: &DynamicImage, rect: Rect) -> String {
    let Rect { x, y, width, height } = rect;
    let (image_width, image_height) = (image.width(), image.height());
    format!("crop: {width}x{height} at {x},{y} is not inside an image of {image_width}x{image_height}")
}
