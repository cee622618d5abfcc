//! The pair stage on a GPU: the same closed forms as on the host, recorded as the bodies of CubeCL kernels.
//!
//! The point stage stays on the host, O(n); prepared rows go up, blocks stay on the device (or come back), and gradient rows come back, O(n). One
//! source serves Vulkan, Metal, WebGPU and CUDA; the arithmetic is float64 where the device has it, float32, or two float32 per number.

mod check;
mod double;
mod kernels;
mod traced;
mod two;

use cubecl::client::Client;
use cubecl::ir::{ElemType, FloatKind};
use cubecl::prelude::*;
use cubecl::server::Handle;

use super::prepared::{Layout, Prepared, position};
use super::{FunctionalSet, Target};
use crate::error::KernelError;
use crate::form::{PairForm, Profile};
use kernels::{Shape, THREADS};

/// Plain channels a kernel may have on the device: each is written out in the code.
const MAX_CHANNELS: usize = 8;
/// Points of `x` that one thread of the gradient kernel takes, at least.
const LENGTH: usize = 64;
/// Pieces the points of `x` are cut into, at most: what comes back grows with them.
const PIECES: usize = 32;

/// Cubes along a dimension that every device has.
const MOST_CUBES: u32 = 65_535;

/// How a device computes pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// float64.
    F64,
    /// float32.
    F32,
    /// Two float32 per number, about 46 bits.
    TwoF32,
}

impl Arithmetic {
    /// Arrays of the device per array of numbers.
    pub fn planes(self) -> usize {
        if self == Self::TwoF32 { 2 } else { 1 }
    }

    /// Bytes of one number in one array.
    pub fn size(self) -> usize {
        if self == Self::F64 { 8 } else { 4 }
    }
}

/// The pair stage of one device.
#[derive(Clone)]
pub struct DevicePairs {
    client: Client,
    arithmetic: Arithmetic,
}

/// A [`FunctionalSet`] on the device.
#[derive(Clone, Debug)]
pub struct DeviceSet {
    parts: Vec<Part>,
    n: usize,
}

impl DeviceSet {
    /// Zero gradient rows.
    fn gradient_zeros(&self) -> Vec<f64> {
        vec![0.0; self.parts.iter().map(|p| p.layout.gradient_rows() * p.stride).sum()]
    }
}

#[derive(Clone, Debug)]
struct Part {
    data: Handle,
    layout: Layout,
    zero: Vec<bool>,
    stride: usize,
}

/// A column-major matrix on the device; with two float32 per number, high parts and then low parts.
#[derive(Clone, Debug)]
pub struct DeviceMatrix {
    /// The buffer.
    pub data: Handle,
    /// Number of rows: the distance between columns.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
}

/// Whether the device takes a kernel form in `dim` dimensions; the host's fused stage takes more.
pub fn takes(form: PairForm, dim: usize) -> bool {
    super::takes(form, dim)
        && form.components().iter().all(|c| c.profile == Profile::Exponential && c.channels <= MAX_CHANNELS)
}

impl std::fmt::Debug for DevicePairs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevicePairs").field("arithmetic", &self.arithmetic).finish_non_exhaustive()
    }
}

impl DevicePairs {
    /// The pair stage of the device behind `client`.
    ///
    /// # Errors
    /// [`KernelError::Tensor`] if the device has no float64 and that is asked for.
    pub fn new(client: Client, arithmetic: Arithmetic) -> Result<Self, KernelError> {
        if arithmetic == Arithmetic::F64 && !client.properties().supports_type(ElemType::Float(FloatKind::F64)) {
            let why =
                "the device has no float64 numbers; use mixed precision, which computes pairs in two float32 each";
            return Err(KernelError::Tensor(why.into()));
        }
        Ok(Self { client, arithmetic })
    }

    /// The arithmetic.
    pub fn arithmetic(&self) -> Arithmetic {
        self.arithmetic
    }

    /// The client that launches the kernels.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Copies prepared functionals to the device.
    pub fn upload(&self, set: &FunctionalSet<'_>) -> DeviceSet {
        let part = |p: &Prepared| {
            let rows = p.layout.rows();
            let flat: Vec<f64> =
                (0..rows).flat_map(|row| (0..p.n).map(move |k| p.data[position(rows, row, k)])).collect();
            let zero = flat.chunks_exact(p.n).map(|row| row.iter().all(|&v| v == 0.0)).collect();
            Part { data: self.put(&flat), layout: p.layout, zero, stride: p.stride }
        };
        DeviceSet { parts: set.prepared.iter().map(part).collect(), n: set.len() }
    }

    /// A matrix with unspecified contents.
    pub fn matrix(&self, rows: usize, columns: usize) -> DeviceMatrix {
        let data = self.client.empty(rows * columns * self.arithmetic.planes() * self.arithmetic.size());
        DeviceMatrix { data, rows, columns }
    }

    /// A matrix of zeros.
    pub fn zeros(&self, rows: usize, columns: usize) -> DeviceMatrix {
        let matrix = self.matrix(rows, columns);
        let words = rows * columns * self.arithmetic.planes() * self.arithmetic.size() / 4;
        let threads = (THREADS * MOST_CUBES) as usize;
        let count = CubeCount::Static((words as u32).div_ceil(THREADS).min(MOST_CUBES), 1, 1);
        // SAFETY: the buffer has this many words, and the kernel checks its index.
        #[allow(unsafe_code)]
        unsafe {
            let out = BufferArg::from_raw_parts(matrix.data.clone(), words);
            kernels::clear::launch_unchecked(&self.client, count, CubeDim::new_1d(THREADS), out, words, threads);
        }
        matrix
    }

    /// Adds `(row, column, value)` to a matrix in float64 or float32; no place may come twice.
    pub fn add_entries(&self, matrix: &DeviceMatrix, entries: &[(usize, usize, f64)]) {
        let places: Vec<u32> = entries.iter().map(|&(row, column, _)| (row + column * matrix.rows) as u32).collect();
        let values: Vec<f64> = entries.iter().map(|e| e.2).collect();
        let (values, places) = (self.put(&values), self.client.create_from_slice(u32::as_bytes(&places)));
        let (n, len) = (entries.len(), matrix.rows * matrix.columns);
        let count = CubeCount::Static((n as u32).div_ceil(THREADS), 1, 1);
        macro_rules! launch {
            ($f:ty) => {
                // SAFETY: buffers are as long as declared here, places lie in the matrix, and the kernel checks its index.
                #[allow(unsafe_code)]
                unsafe {
                    kernels::add_at::launch_unchecked::<$f>(
                        &self.client,
                        count,
                        CubeDim::new_1d(THREADS),
                        self.argument(&matrix.data, len),
                        self.argument(&values, n),
                        BufferArg::from_raw_parts(places, n),
                        n,
                    )
                }
            };
        }
        if self.arithmetic == Arithmetic::F64 { launch!(f64) } else { launch!(f32) }
    }

    /// A matrix from host data, column-major.
    pub fn matrix_from(&self, data: &[f64], rows: usize, columns: usize) -> DeviceMatrix {
        DeviceMatrix { data: self.put(data), rows, columns }
    }

    /// Writes the block of columns `x` and rows `y` from `(row, column)` of the matrix on; adds to it with `add`. With `lower` only entries on and
    /// below the block's diagonal.
    pub fn gram(
        &self,
        x: &DeviceSet,
        y: &DeviceSet,
        lower: bool,
        out: &DeviceMatrix,
        (row, column): (usize, usize),
        add: bool,
    ) {
        let len = out.rows * out.columns;
        for (c, (px, py)) in x.parts.iter().zip(&y.parts).enumerate() {
            let shape = self.shape(px, py, add || c > 0);
            let count = CubeCount::Static((y.n as u32).div_ceil(THREADS), x.n as u32, 1);
            macro_rules! launch {
                ($f:ty) => {
                    // SAFETY: buffers are as long as declared here, and the kernel checks its indices against n and m.
                    #[allow(unsafe_code)]
                    unsafe {
                        kernels::gram::launch_unchecked::<$f>(
                            &self.client,
                            count,
                            CubeDim::new_1d(THREADS),
                            self.argument(&px.data, px.zero.len() * x.n),
                            self.argument(&py.data, py.zero.len() * y.n),
                            self.argument(&out.data, len),
                            x.n,
                            y.n,
                            row,
                            column,
                            out.rows,
                            len,
                            0,
                            u32::from(lower),
                            shape,
                        )
                    }
                };
            }
            if self.arithmetic == Arithmetic::F64 { launch!(f64) } else { launch!(f32) }
        }
    }

    /// Writes a block into host memory, as [`super::Pair::forward`].
    ///
    /// # Errors
    /// [`KernelError::Tensor`] if the device fails.
    pub fn gram_to_host(
        &self,
        x: &DeviceSet,
        y: &DeviceSet,
        lower: bool,
        target: Target<'_>,
    ) -> Result<(), KernelError> {
        let matrix = self.matrix(y.n, x.n);
        self.gram(x, y, lower, &matrix, (0, 0), false);
        let values = self.read(&matrix)?;
        let Target { data, ld, row, column, add } = target;
        for (j, block) in values.chunks_exact(y.n).enumerate() {
            let first = if lower { j } else { 0 };
            let out = &mut data[(column + j) * ld + row + first..(column + j) * ld + row + y.n];
            for (out, v) in out.iter_mut().zip(&block[first..]) {
                *out = if add { *out + v } else { *v };
            }
        }
        Ok(())
    }

    /// Gradient rows `(x, y)`, as [`super::Pair::adjoint`]: a launch for each two terms; with `lower` their sum must be a symmetric matrix.
    ///
    /// # Errors
    /// [`KernelError::Tensor`] if the device fails.
    pub fn adjoint(
        &self,
        x: &DeviceSet,
        y: &DeviceSet,
        lower: bool,
        terms: &[(&[f64], &[f64])],
    ) -> Result<(Vec<f64>, Vec<f64>), KernelError> {
        let (mut rows_x, mut rows_y) = (x.gradient_zeros(), y.gradient_zeros());
        for two in terms.chunks(2) {
            let (mut left, mut right) = (vec![0.0; 2 * y.n], vec![0.0; 2 * x.n]);
            for (k, (l, r)) in two.iter().enumerate() {
                left[k * y.n..][..y.n].copy_from_slice(l);
                right[k * x.n..][..x.n].copy_from_slice(r);
            }
            let (left, right) = (self.put(&left), self.put(&right));
            let (mut at_x, mut at_y) = (0, 0);
            for (px, py) in x.parts.iter().zip(&y.parts) {
                let by_y = self.gradient((px, x.n), (py, y.n), &left, &right)?;
                rows_y[at_y..].iter_mut().zip(&by_y).for_each(|(sum, v)| *sum += v);
                at_y += by_y.len();
                // Over the whole of a symmetric block both sides have the same gradient: once is enough, and zero for the other.
                if !lower {
                    let by_x = self.gradient((py, y.n), (px, x.n), &right, &left)?;
                    rows_x[at_x..].iter_mut().zip(&by_x).for_each(|(sum, v)| *sum += v);
                    at_x += by_x.len();
                }
            }
        }
        Ok((rows_x, rows_y))
    }

    /// Gradient rows of `y`, in the order of [`Prepared`].
    fn gradient(
        &self,
        (px, n): (&Part, usize),
        (py, m): (&Part, usize),
        left: &Handle,
        right: &Handle,
    ) -> Result<Vec<f64>, KernelError> {
        let rows = py.layout.gradient_rows();
        let length = LENGTH.max(n.div_ceil(PIECES));
        let pieces = n.div_ceil(length);
        let planes = self.arithmetic.planes();
        let len = pieces * rows * planes * m;
        let out = self.client.empty(len * self.arithmetic.size());
        let shape = self.shape(px, py, false);
        let count = CubeCount::Static((m as u32).div_ceil(THREADS), pieces as u32, 1);
        macro_rules! launch {
            ($f:ty) => {
                // SAFETY: as above.
                #[allow(unsafe_code)]
                unsafe {
                    kernels::gradient::launch_unchecked::<$f>(
                        &self.client,
                        count,
                        CubeDim::new_1d(THREADS),
                        self.argument(&px.data, px.zero.len() * n),
                        self.argument(&py.data, py.zero.len() * m),
                        self.argument(left, 2 * m),
                        self.argument(right, 2 * n),
                        BufferArg::from_raw_parts(out.clone(), len),
                        n,
                        m,
                        length,
                        0,
                        shape,
                    )
                }
            };
        }
        if self.arithmetic == Arithmetic::F64 {
            launch!(f64)
        } else {
            launch!(f32)
        }
        let parts = self.download(&out)?;
        // Sums over pieces in float64.
        let mut sums = vec![0.0; rows * py.stride];
        for piece in parts.chunks_exact(rows * planes * m) {
            for (k, row) in piece.chunks_exact(m).enumerate() {
                for (i, v) in row.iter().enumerate() {
                    sums[position(rows, k % rows, i)] += v;
                }
            }
        }
        Ok(sums)
    }

    fn shape(&self, x: &Part, y: &Part, add: bool) -> Shape {
        let (zero_x, zero_y) = (x.zero.clone(), y.zero.clone());
        Shape { layout: y.layout, arithmetic: self.arithmetic, zero_x, zero_y, add }
    }

    /// An array of `len` numbers as an argument.
    #[allow(unsafe_code)]
    fn argument(&self, data: &Handle, len: usize) -> BufferArg {
        // SAFETY: every buffer is made with this many numbers.
        unsafe { BufferArg::from_raw_parts(data.clone(), len * self.arithmetic.planes()) }
    }

    fn put(&self, data: &[f64]) -> Handle {
        match self.arithmetic {
            Arithmetic::F64 => self.client.create_from_slice(f64::as_bytes(data)),
            Arithmetic::F32 => {
                let data: Vec<f32> = data.iter().map(|&v| v as f32).collect();
                self.client.create_from_slice(f32::as_bytes(&data))
            }
            Arithmetic::TwoF32 => {
                let high = data.iter().map(|&v| v as f32);
                let low = data.iter().map(|&v| (v - f64::from(v as f32)) as f32);
                self.client.create_from_slice(f32::as_bytes(&high.chain(low).collect::<Vec<_>>()))
            }
        }
    }

    /// A matrix in float64, column-major.
    ///
    /// # Errors
    /// [`KernelError::Tensor`] if the device fails.
    pub fn read(&self, matrix: &DeviceMatrix) -> Result<Vec<f64>, KernelError> {
        let mut flat = self.download(&matrix.data)?;
        if self.arithmetic == Arithmetic::TwoF32 {
            let (high, low) = flat.split_at_mut(matrix.rows * matrix.columns);
            high.iter_mut().zip(low).for_each(|(h, l)| *h += *l);
            flat.truncate(matrix.rows * matrix.columns);
        }
        Ok(flat)
    }

    fn download(&self, data: &Handle) -> Result<Vec<f64>, KernelError> {
        let bytes = self
            .client
            .read_one(data.clone())
            .map_err(|e| KernelError::Tensor(format!("reading from the device: {e}")))?;
        Ok(match self.arithmetic {
            Arithmetic::F64 => f64::from_bytes(&bytes).to_vec(),
            _ => f32::from_bytes(&bytes).iter().map(|&v| f64::from(v)).collect(),
        })
    }
}
