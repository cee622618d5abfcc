//! The fused pair stage: blocks of Gram matrices and their adjoints in registers, no intermediate per derivative.
//!
//! It computes `K_{yx} = ℓ_y ℓ_x k` for kernels that have a [`PairForm`] and functionals of the form
//! `c + Σ_i (b_i ∂_i + a_i ∂_ii)`, from the same point features as the tensor path ([`crate::gram`]), which remains the
//! oracle and takes every other kernel and operator. All work is in float64 on the host, in the widest vectors the machine has,
//! on all cores; results do not depend on the number of threads.

mod channel;
mod cotangent;
#[cfg(feature = "gpu")]
pub mod device;
mod entry;
mod gibbs;
mod lanes;
pub(crate) mod network;
pub(crate) mod network_op;
mod number;
mod pair;
mod prepared;
mod profile;
mod sweep;

use burn::tensor::Tensor;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::error::KernelError;
use crate::form::{Component, GibbsChannels, PairForm, Profile};
use crate::jet::JetSpace;
use crate::kernel::PointJets;
use crate::points::Points;
use cotangent::Cotangent;
pub use cotangent::Tile;
use lanes::Lanes;
use pair::{FULL, Level};
pub use prepared::{Coefficients, FeatureData};
use prepared::{Layout, Prepared};
use sweep::{Adjoint, Forward, Region};

/// Columns of a block that one piece of work takes.
const COLUMNS: usize = 8;
/// Pieces an adjoint is cut into, each with its own accumulators. Fixed, so that sums do not depend on the number of threads.
const TASKS: usize = 8;

/// Whether the fused stage can take a kernel form in `dim` dimensions with these derivatives.
pub fn supports(form: PairForm, dim: usize, space: &JetSpace) -> bool {
    let plain = |alpha: &Vec<u8>| alpha.iter().filter(|&&k| k > 0).count() <= 1 && alpha.iter().all(|&k| k <= 2);
    takes(form, dim) && space.indices().iter().all(plain)
}

/// Whether there is code for a form in `dim` dimensions.
fn takes(form: PairForm, dim: usize) -> bool {
    let component = |c: &Component| {
        let exponential = c.profile == Profile::Exponential;
        c.channels <= 64 && (exponential || (c.gibbs == GibbsChannels::None && c.channels > 0))
    };
    (1..=3).contains(&dim) && form.components().iter().all(component)
}

/// Which feature derivatives are present, to move them between tensors and [`FeatureData`].
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureSlots {
    n: usize,
    channels: usize,
    present: Vec<bool>,
}

impl FeatureSlots {
    /// Number of floats.
    pub fn len(&self) -> usize {
        self.n * self.channels * self.present.iter().filter(|&&p| p).count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Unpacks the flat features, slot after slot.
    pub fn read(&self, flat: &[f64]) -> FeatureData {
        let size = self.n * self.channels;
        let mut chunks = flat.chunks_exact(size.max(1));
        let slots = self.present.iter().map(|&p| if p { chunks.next().map(<[f64]>::to_vec) } else { None }).collect();
        FeatureData { n: self.n, channels: self.channels, slots }
    }
}

impl FeatureData {
    /// Appends the slots to a flat vector, in the order of [`FeatureSlots::read`].
    pub fn write(&self, flat: &mut Vec<f64>) {
        for slot in self.slots.iter().flatten() {
            flat.extend_from_slice(slot);
        }
    }

    /// Zeros of the same shape, to accumulate gradients in.
    pub fn zeros(&self) -> Self {
        self.zeros_like()
    }
}

impl PointJets {
    /// The feature derivatives as one differentiable vector, with the key to it.
    pub fn feature_vector(&self) -> (FeatureSlots, Tensor<1>) {
        let [n, channels] = self.features.value().dims();
        let d = self.x.space().vars();
        let mut present = Vec::new();
        let mut parts = Vec::new();
        for alpha in slot_indices(d) {
            let derivative = self.features.derivative(&alpha);
            present.push(derivative.is_some());
            parts.extend(derivative.map(|t| t.reshape([n * channels])));
        }
        (FeatureSlots { n, channels, present }, Tensor::cat(parts, 0))
    }
}

/// Value, `∂_i` for each `i`, `∂_ii` for each `i`.
fn slot_indices(d: usize) -> impl Iterator<Item = Vec<u8>> {
    let single = move |i: usize, k: u8| {
        let mut alpha = vec![0; d];
        alpha[i] = k;
        alpha
    };
    std::iter::once(vec![0; d]).chain((0..d).map(move |i| single(i, 1))).chain((0..d).map(move |i| single(i, 2)))
}

/// Functionals of one field at one set of points with their features, ready for pair loops.
#[derive(Debug)]
pub struct FunctionalSet<'a> {
    /// One for each component of the form.
    prepared: Vec<Prepared>,
    functional: &'a Coefficients,
    features: &'a FeatureData,
}

impl<'a> FunctionalSet<'a> {
    /// Prepares the set, O(n).
    ///
    /// # Errors
    /// [`KernelError::Shape`] if the features do not belong to the kernel form and points, [`KernelError::Setting`] for a form that
    /// [`supports`] declines.
    pub fn new(
        form: PairForm,
        points: &Points,
        functional: &'a Coefficients,
        features: &'a FeatureData,
    ) -> Result<Self, KernelError> {
        if !takes(form, points.dim()) {
            let value = format!("{:?} in {} dimensions", form.components(), points.dim());
            return Err(KernelError::Setting { name: "kernel form", value, expected: "one that `fused::supports`" });
        }
        let channels = form.channels(points.dim());
        if features.n != points.len() || features.channels != channels || points.is_empty() {
            return Err(KernelError::Shape {
                what: "point features",
                expected: format!("[{}, {channels}] (at least one point)", points.len()),
                got: format!("[{}, {}]", features.n, features.channels),
            });
        }
        let starts = form.amplitudes(points.dim());
        let layouts = form.components().iter().zip(starts).map(|(c, first)| Layout::new(c, points.dim(), first));
        let prepared = layouts.map(|layout| Prepared::new(layout, points, functional, features)).collect();
        Ok(Self { prepared, functional, features })
    }

    /// Number of functionals.
    pub fn len(&self) -> usize {
        self.features.n
    }

    /// Whether there are none (never true).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length of the gradient rows that [`Pair::adjoint`] returns for this set.
    pub fn gradient_len(&self) -> usize {
        self.prepared.iter().map(Prepared::gradient_len).sum()
    }

    /// Adds the gradient by the features that follows from a gradient computed by [`Pair::adjoint`].
    pub fn chain(&self, gradient: &[f64], out: &mut FeatureData) {
        let mut rest = gradient;
        for prepared in &self.prepared {
            let (own, tail) = rest.split_at(prepared.gradient_len());
            prepared.chain(own, self.functional, self.features, out);
            rest = tail;
        }
    }

    /// `Σ_i weight_i · ℓ_i ℓ_i k(x_i, x_i)` and its gradient rows (to [`FunctionalSet::chain`]).
    pub fn trace(&self, weights: &[f64]) -> (f64, Vec<f64>) {
        let (values, mut rows, other) = self.diagonal(self, weights);
        rows.iter_mut().zip(&other).for_each(|(a, b)| *a += b);
        (values.iter().sum(), rows)
    }

    /// `weight_i · ℓ_i ℓ'_i k(x_i, x'_i)` for this set and another one of as many functionals, `[n]`, and the gradient rows of the sum for both
    /// sets (to [`FunctionalSet::chain`]). O(n).
    pub fn diagonal(&self, other: &FunctionalSet<'_>, weights: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let (mut values, mut rows, mut other_rows) = (vec![0.0; self.len()], Vec::new(), Vec::new());
        let ones = vec![1.0; self.len()];
        let terms = [(other.padded(weights), &ones[..])];
        for (x, y) in self.prepared.iter().zip(&other.prepared) {
            let (gx, gy) = adjoint(x, y, Region::Diagonal, Cotangent::Terms(&terms));
            values.iter_mut().zip(x.values(&gx)).for_each(|(sum, v)| *sum += v);
            rows.extend(gx);
            other_rows.extend(gy);
        }
        (values, rows, other_rows)
    }

    /// A value per point, with zeros up to a whole number of vectors.
    fn padded(&self, values: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.len().next_multiple_of(prepared::PAD)];
        out.iter_mut().zip(values).take(self.len()).for_each(|(o, v)| *o = *v);
        out
    }
}

/// Where a block goes in a column-major matrix.
#[derive(Debug)]
pub struct Target<'a> {
    /// The matrix.
    pub data: &'a mut [f64],
    /// Distance between columns.
    pub ld: usize,
    /// First row of the block.
    pub row: usize,
    /// First column of the block.
    pub column: usize,
    /// Whether to add to what is there.
    pub add: bool,
}

/// A block of the Gram matrix: rows from `y`, columns from `x`.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// Functionals along the columns.
    pub x: &'a FunctionalSet<'a>,
    /// Functionals along the rows.
    pub y: &'a FunctionalSet<'a>,
    /// Only entries with row index ≥ column index: a diagonal block of a symmetric matrix.
    pub lower: bool,
}

impl Pair<'_> {
    fn region(&self) -> Region {
        if self.lower { Region::Lower } else { Region::Full }
    }

    /// Writes the block. With `lower`, a few entries above the diagonal are written (or added to) as well.
    pub fn forward(&self, target: Target<'_>) {
        let Target { data, ld, row, column, add } = target;
        for (c, (x, y)) in self.x.prepared.iter().zip(&self.y.prepared).enumerate() {
            let columns = &mut data[column * ld..(column + x.n) * ld];
            columns.par_chunks_mut(ld * COLUMNS).enumerate().for_each(|(b, out)| {
                let work = Sweep { x, y, columns: (b * COLUMNS, out.len() / ld), region: self.region() };
                work.forward(out, ld, row, add || c > 0);
            });
        }
    }

    /// Gradient rows `(x, y)` of `Σ ḡ_{yx} K_{yx}` for the cotangent `ḡ_{yx} = Σ_k left_k[y] · right_k[x]` of any number of terms
    /// `(left, right)`, `[y.len()]` and `[x.len()]`: one sweep over the pairs, whatever their number.
    ///
    /// With `lower` the block is a diagonal one of a symmetric matrix and `ḡ` must be symmetric; an entry below the diagonal stands for both of
    /// its pair: the gradient is that of
    ///
    /// ```text
    /// Σ_{i>j} ḡ_ij K_ij + ½ Σ_i ḡ_ii K_ii = ½ Σ_ij ḡ_ij K_ij
    /// ```
    ///
    /// so that the terms `(u, v)` and `(v, u)` give `uᵀ K v`.
    pub fn adjoint(&self, terms: &[(&[f64], &[f64])]) -> (Vec<f64>, Vec<f64>) {
        let terms: Vec<_> = terms.iter().map(|&(left, right)| (self.y.padded(left), right)).collect();
        self.contract(Cotangent::Terms(&terms))
    }

    /// The same for a cotangent given entry by entry.
    ///
    /// With `lower` entries above the block's diagonal are not looked at, and `ḡ` counts as there: where `dL = Σ_ij C_ij dK_ij` over the whole
    /// symmetric matrix, pass `C + Cᵀ`.
    pub fn adjoint_dense(&self, cotangent: Tile<'_>) -> (Vec<f64>, Vec<f64>) {
        self.contract(Cotangent::Dense(cotangent))
    }

    fn contract(&self, cotangent: Cotangent<'_>) -> (Vec<f64>, Vec<f64>) {
        let (mut rows_x, mut rows_y) = (Vec::new(), Vec::new());
        for (x, y) in self.x.prepared.iter().zip(&self.y.prepared) {
            let (gx, gy) = adjoint(x, y, self.region(), cotangent);
            rows_x.extend(gx);
            rows_y.extend(gy);
        }
        (rows_x, rows_y)
    }
}

fn adjoint(x: &Prepared, y: &Prepared, region: Region, cotangent: Cotangent<'_>) -> (Vec<f64>, Vec<f64>) {
    let rows = x.layout.gradient_rows();
    let blocks = x.n.div_ceil(COLUMNS);
    // A diagonal is O(n): more accumulators would cost more than the work.
    let tasks = if region == Region::Diagonal { 1 } else { TASKS.min(blocks) };
    let parts: Vec<(Vec<f64>, Vec<f64>)> = (0..tasks)
        .into_par_iter()
        .map(|task| {
            let (mut gx, mut gy) = (vec![0.0; rows * x.stride], vec![0.0; rows * y.stride]);
            for b in (task..blocks).step_by(tasks) {
                let start = b * COLUMNS;
                let work = Sweep { x, y, columns: (start, COLUMNS.min(x.n - start)), region };
                work.adjoint(cotangent, &mut gx, &mut gy);
            }
            (gx, gy)
        })
        .collect();
    let add = |mut a: Vec<f64>, b: &Vec<f64>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    let mut sums = (vec![0.0; rows * x.stride], vec![0.0; rows * y.stride]);
    for (gx, gy) in &parts {
        sums = (add(sums.0, gx), add(sums.1, gy));
    }
    sums
}

/// Some columns of a block, dispatched to code for the dimension, the kernel form and the derivatives of both sides.
struct Sweep<'a> {
    x: &'a Prepared,
    y: &'a Prepared,
    columns: (usize, usize),
    region: Region,
}

/// Derivative levels that code exists for: values only, first coordinate without second derivatives (space and time), all.
fn covering(level: Level, dim: usize) -> Level {
    let all = FULL | ((1 << dim) - 1);
    match level {
        0 => 0,
        _ if dim > 1 && level & 1 == 0 => all & !1,
        _ => all,
    }
}

macro_rules! dispatch {
    ($sweep:expr, $call:ident) => {{
        let sweep = $sweep;
        let layout = sweep.x.layout;
        let (mut lx, mut ly) = (covering(sweep.x.level, layout.dim), covering(sweep.y.level, layout.dim));
        if lx != 0 && ly != 0 {
            // A side treated as taking more derivatives has zero coefficients there.
            (lx, ly) = (lx | ly, lx | ly);
        }
        match (layout.dim, layout.gibbs, layout.profile) {
            (1, 0, Profile::Exponential) => dispatch!(@levels $call, lx, ly, 1, 0, true, 0x81, 0x81),
            (1, _, Profile::Exponential) => dispatch!(@levels $call, lx, ly, 1, 1, true, 0x81, 0x81),
            (1, _, _) => dispatch!(@levels $call, lx, ly, 1, 0, false, 0x81, 0x81),
            (2, 0, Profile::Exponential) => dispatch!(@levels $call, lx, ly, 2, 0, true, 0x82, 0x83),
            (2, 1, Profile::Exponential) => dispatch!(@levels $call, lx, ly, 2, 1, true, 0x82, 0x83),
            (2, _, Profile::Exponential) => dispatch!(@levels $call, lx, ly, 2, 2, true, 0x82, 0x83),
            (2, _, _) => dispatch!(@levels $call, lx, ly, 2, 0, false, 0x82, 0x83),
            (_, 0, Profile::Exponential) => dispatch!(@levels $call, lx, ly, 3, 0, true, 0x86, 0x87),
            (_, 1, Profile::Exponential) => dispatch!(@levels $call, lx, ly, 3, 1, true, 0x86, 0x87),
            (_, _, Profile::Exponential) => dispatch!(@levels $call, lx, ly, 3, 3, true, 0x86, 0x87),
            (_, _, _) => dispatch!(@levels $call, lx, ly, 3, 0, false, 0x86, 0x87),
        }
    }};
    (@levels $call:ident, $lx:expr, $ly:expr, $d:literal, $g:literal, $e:literal, $part:literal, $all:literal) => {
        match ($lx, $ly) {
            (0, 0) => $call!($d, $g, $e, 0, 0),
            (0, $part) => $call!($d, $g, $e, 0, $part),
            ($part, 0) => $call!($d, $g, $e, $part, 0),
            ($part, $part) => $call!($d, $g, $e, $part, $part),
            (0, _) => $call!($d, $g, $e, 0, $all),
            (_, 0) => $call!($d, $g, $e, $all, 0),
            (_, _) => $call!($d, $g, $e, $all, $all),
        }
    };
}

impl Sweep<'_> {
    fn forward(self, out: &mut [f64], ld: usize, offset: usize, add: bool) {
        macro_rules! call {
            ($d:literal, $g:literal, $e:literal, $x:literal, $y:literal) => {
                run(Forward::<$d, $g, $e, $x, $y> {
                    x: self.x,
                    y: self.y,
                    columns: self.columns,
                    region: self.region,
                    out,
                    ld,
                    offset,
                    add,
                })
            };
        }
        dispatch!(&self, call)
    }

    fn adjoint(self, cotangent: Cotangent<'_>, gx: &mut [f64], gy: &mut [f64]) {
        macro_rules! call {
            ($d:literal, $g:literal, $e:literal, $x:literal, $y:literal) => {
                run(Adjoint::<$d, $g, $e, $x, $y> {
                    x: self.x,
                    y: self.y,
                    columns: self.columns,
                    region: self.region,
                    cotangent,
                    gx,
                    gy,
                })
            };
        }
        dispatch!(&self, call)
    }
}

/// Overwrites every `x` with `e^x`, vectorised, on all cores: the elementary operation of the pair loops, for measurements.
pub fn exp_in_place(values: &mut [f64]) {
    struct Exp<'a>(&'a mut [f64]);
    impl WithSimd for Exp<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            for chunk in self.0.chunks_mut(S::F64_LANES) {
                let e = Lanes::new(simd, simd.partial_load_f64s(chunk)).exp();
                simd.partial_store_f64s(chunk, e.vector());
            }
        }
    }
    values.par_chunks_mut(4096).for_each(|chunk| run(Exp(chunk)));
}

fn run(work: impl WithSimd<Output = ()>) {
    Arch::new().dispatch(work);
}
