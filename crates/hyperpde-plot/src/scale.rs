//! From data to the unit interval, and the ticks in between.

use super::error::FigureError;

/// Decades below its maximum that a logarithmic scale shows at most; beyond lies rounding error.
const MAX_DECADES: f64 = 18.0;

/// A linear or logarithmic map of `[min, max]` onto [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// Ends of the scale, as log10 when `log`.
    lo: f64,
    hi: f64,
    log: bool,
}

/// A tick: where on the scale in [0, 1], and its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub at: f64,
    pub label: String,
}

impl Scale {
    /// A scale from exactly `min` to `max`.
    pub fn exact(what: &str, min: f64, max: f64, log: bool) -> Result<Self, FigureError> {
        let bad = || FigureError::Range { what: what.to_owned(), min, max };
        let [lo, hi] = if log { [min.log10(), max.log10()] } else { [min, max] };
        if lo.is_finite() && hi.is_finite() && lo < hi && (hi - lo).is_finite() {
            Ok(Self { lo, hi, log })
        } else {
            Err(bad())
        }
    }

    /// The scale that shows all of `values` (finite; not negative if `log`).
    ///
    /// Values that are all equal get a band around them; zeros on a logarithmic scale go to its lower end.
    pub fn covering(what: &str, values: impl Iterator<Item = f64> + Clone, log: bool) -> Result<Self, FigureError> {
        let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
        if log {
            let smallest = values.filter(|v| *v > 0.0).fold(f64::INFINITY, f64::min);
            if smallest > largest {
                // Nothing but zeros: any band will do.
                return Self::exact(what, 1e-16, 1.0, true);
            }
            let hi = largest.log10();
            let lo = smallest.log10().max(hi - MAX_DECADES);
            return Ok(if hi - lo < 1e-9 { Self { lo: lo - 0.5, hi: hi + 0.5, log } } else { Self { lo, hi, log } });
        }
        let smallest = values.fold(f64::INFINITY, f64::min);
        let size = smallest.abs().max(largest.abs());
        // Differences at rounding level are no structure to show.
        if largest - smallest <= 1e-12 * size {
            let band = if size > 0.0 { 0.5 * size } else { 1.0 };
            return Self::exact(what, smallest - band, largest + band, false);
        }
        Self::exact(what, smallest, largest, false)
    }

    /// The same scale with `fraction` of its length added at each end.
    pub fn widened(self, fraction: f64) -> Self {
        let extra = fraction * (self.hi - self.lo);
        Self { lo: self.lo - extra, hi: self.hi + extra, log: self.log }
    }

    /// The same scale, longer where `values` (finite; not negative if logarithmic) lie outside, at each end by at most
    /// `limit` of its length.
    pub fn including(self, values: impl Iterator<Item = f64>, limit: f64) -> Self {
        let (low, high) =
            values.map(|v| self.unclamped(v)).fold((0.0, 1.0), |(a, b): (f64, f64), v| (a.min(v), b.max(v)));
        let length = self.hi - self.lo;
        let (below, above) = ((-low).min(limit), (high - 1.0).min(limit));
        Self { lo: self.lo - below * length, hi: self.hi + above * length, log: self.log }
    }

    /// Where `value` lies, clamped to [0, 1]. A logarithmic scale puts zero at 0.
    pub fn unit(&self, value: f64) -> f64 {
        self.unclamped(value).clamp(0.0, 1.0)
    }

    /// Where `value` lies, below 0 or above 1 outside the scale; minus infinity for zero on a logarithmic scale.
    pub fn unclamped(&self, value: f64) -> f64 {
        let value = if self.log { value.log10() } else { value };
        (value - self.lo) / (self.hi - self.lo)
    }

    /// At most `count` ticks at round values.
    pub fn ticks(&self, count: usize) -> Vec<Tick> {
        let values = if self.log { self.log_ticks(count) } else { None };
        let ticks = values.unwrap_or_else(|| {
            let [lo, hi] = if self.log { [10f64.powf(self.lo), 10f64.powf(self.hi)] } else { [self.lo, self.hi] };
            linear_ticks(lo, hi, count)
        });
        ticks.into_iter().map(|(value, label)| Tick { at: self.unit(value), label }).collect()
    }

    /// Powers of ten, or 1-2-5 multiples of them over a short range; `None` when fewer than two of those fall inside.
    fn log_ticks(&self, count: usize) -> Option<Vec<(f64, String)>> {
        let inside = |value: &f64| (-1e-9..=1.0 + 1e-9).contains(&self.unclamped(*value));
        let (first, last) = (self.lo.floor() as i32, self.hi.ceil() as i32);
        let pick = |factors: &[f64], every: i32| -> Vec<f64> {
            let decades = (first..=last).filter(|e| e.rem_euclid(every) == 0);
            decades.flat_map(|e| factors.iter().map(move |f| f * 10f64.powi(e))).filter(inside).collect()
        };
        let whole = pick(&[1.0], 1).len();
        let values = if whole > 2 || self.hi - self.lo > 2.0 {
            pick(&[1.0], whole.div_ceil(count.max(1)).max(1) as i32)
        } else {
            let fine = pick(&[1.0, 2.0, 5.0], 1);
            if fine.len() <= count { fine } else { pick(&[1.0], 1) }
        };
        (values.len() >= 2).then(|| values.into_iter().map(|v| (v, format!("{v:.0e}"))).collect())
    }
}

/// Multiples of 1, 2, 2.5 or 5 times a power of ten in `[lo, hi]`, at most `count`, all written with the same digits.
fn linear_ticks(lo: f64, hi: f64, count: usize) -> Vec<(f64, String)> {
    let (step, mut decimals) = round_step((hi - lo) / count.max(2) as f64);
    let size = lo.abs().max(hi.abs());
    let exponent = size.log10().floor() as i32;
    let plain = (-3..5).contains(&exponent);
    if !plain {
        decimals += exponent;
    }
    let decimals = decimals.clamp(0, 15) as usize;
    // Half a step of slack in the bounds, then an exact test: `lo / step` may round to the wrong side.
    let first = (lo / step - 0.5).floor();
    (0..=count + 2)
        .map(|i| (first + i as f64) * step)
        .filter(|v| *v >= lo - 1e-9 * step && *v <= hi + 1e-9 * step)
        .map(|v| {
            let zero = v.abs() < 1e-9 * step;
            let label = match (zero, plain) {
                (true, _) => "0".to_owned(),
                (false, true) => format!("{v:.decimals$}"),
                (false, false) => scientific(v, step, exponent, decimals),
            };
            (if zero { 0.0 } else { v }, label)
        })
        .collect()
}

/// Scientific notation that keeps the last digit of every tick at the same place: a tick smaller than the largest by a
/// power of ten has one digit less.
fn scientific(value: f64, step: f64, exponent: i32, decimals: usize) -> String {
    let rounded = (value / step).round() * step;
    let own = rounded.abs().log10().floor() as i32;
    let digits = (decimals as i32 - (exponent - own)).max(0) as usize;
    format!("{rounded:.digits$e}")
}

/// The smallest round step that is at least `raw`, and the decimals needed to write its multiples.
fn round_step(raw: f64) -> (f64, i32) {
    let exponent = raw.log10().floor() as i32;
    let power = 10f64.powi(exponent);
    let (factor, extra) = match raw / power {
        f if f <= 1.0 + 1e-9 => (1.0, 0),
        f if f <= 2.0 + 1e-9 => (2.0, 0),
        f if f <= 2.5 + 1e-9 => (2.5, 1),
        f if f <= 5.0 + 1e-9 => (5.0, 0),
        _ => (10.0, -1),
    };
    (factor * power, extra - exponent)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn labels(scale: &Scale, count: usize) -> Vec<String> {
        scale.ticks(count).into_iter().map(|t| t.label).collect()
    }

    fn linear(lo: f64, hi: f64) -> Scale {
        Scale::exact("x", lo, hi, false).unwrap()
    }

    #[test]
    fn linear_ticks_are_round_and_inside() {
        assert_eq!(labels(&linear(0.0, 1.0), 5), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&linear(-1.0, 1.0), 4), ["-1.0", "-0.5", "0", "0.5", "1.0"]);
        assert_eq!(labels(&linear(0.0, 4.26e-5), 5), ["0", "1e-5", "2e-5", "3e-5", "4e-5"]);
        assert_eq!(labels(&linear(0.0, 1.1e-5), 5), ["0", "2.5e-6", "5.0e-6", "7.5e-6", "1.00e-5"]);
        assert_eq!(labels(&linear(0.0, 2e6), 4), ["0", "5e5", "1.0e6", "1.5e6", "2.0e6"]);
        for (lo, hi) in [(0.013, 0.37), (-7.1, 12.9), (1e-300, 3e-300), (-1e300, 1e299), (1.0, 1.0 + 1e-9)] {
            let ticks = linear(lo, hi).ticks(6);
            assert!((2..=8).contains(&ticks.len()), "{lo} {hi}: {ticks:?}");
            assert!(ticks.windows(2).all(|w| w[0].at < w[1].at && w[0].label != w[1].label), "{ticks:?}");
        }
    }

    #[test]
    fn log_ticks_are_powers_of_ten_where_the_range_has_them() {
        let log = |lo, hi| Scale::exact("x", lo, hi, true).unwrap();
        assert_eq!(labels(&log(1e-5, 1e-1), 6), ["1e-5", "1e-4", "1e-3", "1e-2", "1e-1"]);
        assert_eq!(labels(&log(3e-12, 2.0), 4), ["1e-9", "1e-6", "1e-3", "1e0"]);
        assert_eq!(labels(&log(1.5, 30.0), 8), ["2e0", "5e0", "1e1", "2e1"]);
        assert_eq!(labels(&log(3.0, 3.5), 6).first().unwrap(), "3.0");
    }

    #[test]
    fn covering_handles_constants_zeros_and_wide_ranges() {
        let cover = |v: &[f64], log| Scale::covering("f", v.iter().copied(), log);
        assert!((cover(&[3.0; 4], false).unwrap().unit(3.0) - 0.5).abs() < 1e-12);
        assert!((cover(&[0.0; 4], false).unwrap().unit(0.0) - 0.5).abs() < 1e-12);
        assert!((cover(&[2e-7; 4], true).unwrap().unit(2e-7) - 0.5).abs() < 1e-12);
        assert_eq!(cover(&[0.0; 4], true).unwrap().unit(0.0), 0.0);
        let mixed = cover(&[0.0, 1e-3, 1.0], true).unwrap();
        assert_eq!((mixed.unit(0.0), mixed.unit(1e-3), mixed.unit(1.0)), (0.0, 0.0, 1.0));
        assert!(matches!(cover(&[-1.7e308, 1.7e308], false), Err(FigureError::Range { .. })));
        assert!(cover(&[1e-300, 1e300], true).unwrap().unit(1e200) < 0.0 + 1e-9);
    }

    #[test]
    fn a_scale_grows_to_include_values_up_to_a_limit() {
        let grown = linear(0.0, 2.0).including([-1.0, 1.0, 9.0].into_iter(), 1.0);
        assert_eq!((grown.unit(-1.0), grown.unit(4.0)), (0.0, 1.0));
        assert_eq!(linear(0.0, 2.0).including([1.0].into_iter(), 1.0), linear(0.0, 2.0));
        let log = Scale::exact("x", 1.0, 100.0, true).unwrap().including([0.0, 10.0].into_iter(), 0.5);
        assert!((log.unclamped(0.1)).abs() < 1e-12 && (log.unclamped(100.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn reversed_or_empty_ranges_are_refused() {
        for (lo, hi, log) in
            [(1.0, 0.0, false), (1.0, 1.0, false), (f64::NAN, 1.0, false), (0.0, 1.0, true), (-1.0, 1.0, true)]
        {
            assert!(matches!(Scale::exact("x", lo, hi, log), Err(FigureError::Range { .. })));
        }
    }
}
