//! The colours of fields: viridis.

use std::sync::OnceLock;

use colorgrad::Gradient;
use colorgrad::preset::viridis;

/// 256 colours from low to high.
pub(crate) struct Palette([[u8; 3]; 256]);

/// The one palette.
pub(crate) fn palette() -> &'static Palette {
    static PALETTE: OnceLock<Palette> = OnceLock::new();
    PALETTE.get_or_init(|| {
        let gradient = viridis();
        Palette(std::array::from_fn(|i| {
            let [r, g, b, _] = gradient.at(i as f32 / 255.0).to_rgba8();
            [r, g, b]
        }))
    })
}

impl Palette {
    /// Index of the colour at `unit` in [0, 1].
    pub fn index(unit: f64) -> u8 {
        // Casts to u8 saturate.
        (unit * 255.0).round() as u8
    }

    /// The colour at `unit` in [0, 1].
    pub fn at(&self, unit: f64) -> [u8; 3] {
        self.0[usize::from(Self::index(unit))]
    }

    /// All colours in order, as a PNG palette chunk holds them.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.concat()
    }
}
