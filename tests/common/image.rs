//! The pixels of a PNG file.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::Path;

pub type Pixel = [u8; 3];

/// The first and last colour of viridis (matplotlib's table), which no text, frame or mark has.
pub const LOWEST: Pixel = [68, 1, 84];
pub const HIGHEST: Pixel = [253, 231, 37];

/// A decoded 8-bit RGB image.
pub struct Image {
    pub size: (u32, u32),
    pixels: Vec<u8>,
}

impl Image {
    pub fn read(path: &Path) -> Self {
        let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
        Self { size: (info.width, info.height), pixels }
    }

    pub fn at(&self, (x, y): (u32, u32)) -> Pixel {
        let start = 3 * (y * self.size.0 + x) as usize;
        [self.pixels[start], self.pixels[start + 1], self.pixels[start + 2]]
    }

    pub fn count(&self, color: Pixel) -> usize {
        self.pixels.chunks_exact(3).filter(|p| **p == color).count()
    }

    /// Ends `(first, last)` of the stretches of row `y` that are coloured (not grey), short ones left out.
    pub fn coloured(&self, y: u32) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for x in (0..self.size.0).filter(|x| is_coloured(self.at((*x, y)))) {
            match runs.last_mut() {
                Some((_, last)) if x <= *last + 12 => *last = x,
                _ => runs.push((x, x)),
            }
        }
        runs.retain(|(first, last)| last - first >= 20);
        runs
    }
}

pub fn is_coloured(pixel: Pixel) -> bool {
    pixel.iter().max().unwrap() - pixel.iter().min().unwrap() > 30
}

/// Whether two colours look the same.
pub fn alike(a: Pixel, b: Pixel) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 8)
}
