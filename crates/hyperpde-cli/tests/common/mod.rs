//! What several tests need: flags from words, a folder that goes away, and the pixels of a PNG file.
#![allow(dead_code)]

pub mod process;
pub mod solved;
pub mod xml;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;
use hyperpde_cli::CommonFlags;

/// A program with the common flags and no others.
#[derive(Parser, Debug)]
pub struct Program {
    #[command(flatten)]
    pub common: CommonFlags,
}

/// The flags in `words`, as after the program's name.
pub fn parse(words: &[&str]) -> Result<CommonFlags, clap::Error> {
    Program::try_parse_from([&["program"], words].concat()).map(|p| p.common)
}

/// An empty folder of this test, removed at its end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static SERIAL: AtomicUsize = AtomicUsize::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hyperpde-cli-{}-{serial}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Names of all files and folders in it, hidden ones too, in order.
    pub fn names(&self) -> Vec<String> {
        let entry = |e: std::io::Result<std::fs::DirEntry>| e.unwrap().file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> = std::fs::read_dir(&self.0).unwrap().map(entry).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

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
