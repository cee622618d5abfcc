//! Buffers and launches: what the host does for a factorisation on a device.

use cubecl::CubeElement;
use cubecl::client::Client;
use cubecl::prelude::{BufferArg, CubeCount, CubeDim, InputScalar};
use cubecl::server::Handle;
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{MatMut, MatRef, Par};

use super::kernels::{self, BLOCK, SCAN_UNITS, UNITS};
use super::{DiagonalBlocks, Element};
use crate::{SpdError, blocked};

/// Most cubes along a dimension that every device has; also keeps places in the matrix within 32 bits.
const MOST: usize = 65_535;
/// Shared memory of the hungriest kernel, in entries.
const SHARED: usize = BLOCK * (BLOCK + 1) / 2 + BLOCK;

/// A matrix on a device and what belongs to it there.
pub(super) struct Stage {
    client: Client,
    element: Element,
    n: usize,
    matrix: Handle,
    /// The inverted diagonal blocks, one after the other, column-major.
    inverses: Handle,
}

impl Stage {
    pub(super) fn new(client: &Client, matrix: Handle, n: usize, element: Element) -> Result<Self, SpdError> {
        check_device(client, element)?;
        check_count("matrix", "n", n)?;
        check_buffer("matrix", &matrix, n * n, element)?;
        let inverses = client.empty(n.div_ceil(BLOCK) * BLOCK * BLOCK * element.size());
        Ok(Self { client: client.clone(), element, n, matrix, inverses })
    }

    pub(super) fn n(&self) -> usize {
        self.n
    }

    pub(super) fn element(&self) -> Element {
        self.element
    }

    pub(super) fn into_matrix(self) -> Handle {
        self.matrix
    }

    pub(super) fn replace_matrix(&mut self, matrix: Handle) -> Result<(), SpdError> {
        check_buffer("matrix", &matrix, self.n * self.n, self.element)?;
        self.matrix = matrix;
        Ok(())
    }

    /// Refuses a NaN or an infinity in the lower triangle; the diagonal otherwise.
    pub(super) fn check_finite(&self) -> Result<Vec<f64>, SpdError> {
        let n = self.n;
        let diagonal = self.empty(n);
        let first_bad = self.client.empty(n * size_of::<u32>());
        kernels::scan_columns::launch(
            &self.client,
            CubeCount::Static(n as u32, 1, 1),
            CubeDim::new_1d(SCAN_UNITS as u32),
            self.arg(&self.matrix),
            self.arg(&diagonal),
            words(&first_bad),
            n as u32,
            self.element.elem_type(),
        );
        let bytes = self.client.read(vec![first_bad, diagonal]).map_err(tensor_error)?;
        let [first_bad, diagonal] = bytes.as_slice() else {
            return Err(SpdError::Tensor("two buffers were asked for, the device returned others".into()));
        };
        if let Some((col, &row)) = u32::from_bytes(first_bad).iter().enumerate().find(|&(_, &row)| row < n as u32) {
            let row = row as usize;
            return Err(SpdError::NonFinite { what: "matrix", row, col, value: self.entry(row, col)? });
        }
        Ok(self.element.from_bytes(diagonal))
    }

    pub(super) fn add_to_diagonal(&self, value: f64) {
        kernels::add_to_diagonal::launch(
            &self.client,
            CubeCount::Static(self.n.div_ceil(UNITS) as u32, 1, 1),
            cube(),
            self.arg(&self.matrix),
            InputScalar::new(value, self.element.elem_type()),
            self.n as u32,
            self.element.elem_type(),
        );
    }

    /// One factorisation in place.
    ///
    /// # Returns
    /// The first pivot that was not positive and finite, if one was not. `diagonal` becomes that of `L`, as far as it goes.
    pub(super) fn factor(&self, blocks: DiagonalBlocks, diagonal: &mut Vec<f64>) -> Result<Option<usize>, SpdError> {
        let status = self.client.create_from_slice(u32::as_bytes(&[0]));
        diagonal.clear();
        match blocks {
            DiagonalBlocks::Device => {
                let roots = self.empty(self.n);
                for start in (0..self.n).step_by(BLOCK) {
                    self.factor_block(&roots, &status, start);
                    self.panel(&status, start);
                    self.update(&status, start);
                }
                let bytes = self.client.read(vec![status, roots]).map_err(tensor_error)?;
                let [status, roots] = bytes.as_slice() else {
                    return Err(SpdError::Tensor("two buffers were asked for, the device returned others".into()));
                };
                *diagonal = self.element.from_bytes(roots);
                Ok(u32::from_bytes(status).first().and_then(|&s| s.checked_sub(1)).map(|p| p as usize))
            }
            DiagonalBlocks::Host => {
                for start in (0..self.n).step_by(BLOCK) {
                    if let Some(pivot) = self.round_trip(start, diagonal)? {
                        return Ok(Some(pivot));
                    }
                    self.panel(&status, start);
                    self.update(&status, start);
                }
                Ok(None)
            }
        }
    }

    fn factor_block(&self, roots: &Handle, status: &Handle, start: usize) {
        kernels::factor_block::launch(
            &self.client,
            CubeCount::Static(1, 1, 1),
            cube(),
            self.arg(&self.matrix),
            self.arg(&self.inverses),
            self.arg(roots),
            words(status),
            self.n as u32,
            start as u32,
            self.element.elem_type(),
        );
    }

    /// Factors and inverts the diagonal block at `start` on the host.
    fn round_trip(&self, start: usize, diagonal: &mut Vec<f64>) -> Result<Option<usize>, SpdError> {
        let block = self.empty(BLOCK * BLOCK);
        kernels::extract_block::launch(
            &self.client,
            CubeCount::Static(1, 1, 1),
            cube(),
            self.arg(&self.matrix),
            self.arg(&block),
            self.n as u32,
            start as u32,
            self.element.elem_type(),
        );
        let mut values = self.element.from_bytes(&self.client.read_one(block).map_err(tensor_error)?);
        let failed = blocked::factor(MatMut::from_column_major_slice_mut(&mut values, BLOCK, BLOCK)).err();
        let done = failed.unwrap_or(self.n - start).min(BLOCK);
        diagonal.extend(values.iter().step_by(BLOCK + 1).take(done));
        if let Some(pivot) = failed {
            return Ok(Some(start + pivot));
        }
        values.resize(2 * BLOCK * BLOCK, 0.0);
        let (factor, inverse) = values.split_at_mut(BLOCK * BLOCK);
        for i in 0..BLOCK {
            inverse[i + i * BLOCK] = 1.0;
        }
        solve_lower_triangular_in_place(
            MatRef::from_column_major_slice(factor, BLOCK, BLOCK),
            MatMut::from_column_major_slice_mut(inverse, BLOCK, BLOCK),
            Par::Seq,
        );
        kernels::store_block::launch(
            &self.client,
            CubeCount::Static(1, 1, 1),
            cube(),
            self.arg(&self.upload(&values)),
            self.arg(&self.matrix),
            self.arg(&self.inverses),
            self.n as u32,
            start as u32,
            self.element.elem_type(),
        );
        Ok(None)
    }

    fn panel(&self, status: &Handle, start: usize) {
        let tiles = self.tiles_below(start);
        if tiles > 0 {
            kernels::panel::launch(
                &self.client,
                CubeCount::Static(tiles, 1, 1),
                cube(),
                self.arg(&self.matrix),
                self.arg(&self.inverses),
                words(status),
                self.n as u32,
                start as u32,
                self.element.elem_type(),
            );
        }
    }

    fn update(&self, status: &Handle, start: usize) {
        let tiles = self.tiles_below(start);
        if tiles > 0 {
            kernels::update::launch(
                &self.client,
                CubeCount::Static(tiles, tiles, 1),
                cube(),
                self.arg(&self.matrix),
                words(status),
                self.n as u32,
                start as u32,
                self.element.elem_type(),
            );
        }
    }

    /// `b ← L⁻ᵀ L⁻¹ b` for `k` columns.
    pub(super) fn solve(&self, b: &Handle, k: usize) -> Result<(), SpdError> {
        check_count("right-hand side", "k", k)?;
        check_buffer("right-hand side", b, self.n * k, self.element)?;
        let y = self.empty(self.n * k);
        for start in (0..self.n).step_by(BLOCK) {
            let below = self.n.saturating_sub(start + BLOCK);
            kernels::forward_block::launch(
                &self.client,
                CubeCount::Static(below.div_ceil(UNITS).max(1) as u32, k as u32, 1),
                cube(),
                self.arg(&self.matrix),
                self.arg(&self.inverses),
                self.arg(b),
                self.arg(&y),
                self.n as u32,
                start as u32,
                self.element.elem_type(),
            );
        }
        for start in (0..self.n).step_by(BLOCK).rev() {
            kernels::backward_block::launch(
                &self.client,
                CubeCount::Static((start / BLOCK).max(1) as u32, k as u32, 1),
                cube(),
                self.arg(&self.matrix),
                self.arg(&self.inverses),
                self.arg(&y),
                self.arg(b),
                self.n as u32,
                start as u32,
                self.element.elem_type(),
            );
        }
        Ok(())
    }

    pub(super) fn upload(&self, values: &[f64]) -> Handle {
        self.client.create_from_slice(&self.element.to_bytes(values))
    }

    pub(super) fn download_into(&self, handle: Handle, values: &mut [f64]) -> Result<(), SpdError> {
        let bytes = self.client.read_one(handle).map_err(tensor_error)?;
        for (value, read) in values.iter_mut().zip(self.element.from_bytes(&bytes)) {
            *value = read;
        }
        Ok(())
    }

    fn entry(&self, row: usize, col: usize) -> Result<f64, SpdError> {
        let size = self.element.size() as u64;
        let place = (row + col * self.n) as u64;
        let behind = self.matrix.size_in_used() - (place + 1) * size;
        let entry = self.matrix.clone().offset_start(place * size).offset_end(behind);
        let bytes = self.client.read_one(entry).map_err(tensor_error)?;
        Ok(self.element.from_bytes(&bytes).first().copied().unwrap_or(f64::NAN))
    }

    fn tiles_below(&self, start: usize) -> u32 {
        self.n.saturating_sub(start + BLOCK).div_ceil(BLOCK) as u32
    }

    fn empty(&self, entries: usize) -> Handle {
        self.client.empty(entries * self.element.size())
    }

    fn arg(&self, handle: &Handle) -> BufferArg {
        whole(handle, self.element.size())
    }
}

fn words(handle: &Handle) -> BufferArg {
    whole(handle, size_of::<u32>())
}

/// All of a buffer as an argument, `size` bytes to an entry.
#[allow(unsafe_code)]
fn whole(handle: &Handle, size: usize) -> BufferArg {
    let length = handle.size_in_used() as usize / size;
    // SAFETY: the length is that of the buffer.
    unsafe { BufferArg::from_raw_parts(handle.clone(), length) }
}

fn cube() -> CubeDim {
    CubeDim::new_1d(UNITS as u32)
}

fn check_device(client: &Client, element: Element) -> Result<(), SpdError> {
    let properties = client.properties();
    let missing = if !properties.supports_type(element.elem_type()) {
        format!("{} numbers", element.name())
    } else if (properties.hardware.max_units_per_cube as usize) < UNITS {
        format!("workgroups of {UNITS}")
    } else if properties.hardware.max_shared_memory_size < SHARED * element.size() {
        format!("{} bytes of shared memory", SHARED * element.size())
    } else {
        return Ok(());
    };
    Err(SpdError::Tensor(format!("the device ({}) does not have {missing}", client.name())))
}

fn check_count(what: &'static str, name: &str, count: usize) -> Result<(), SpdError> {
    if (1..=MOST).contains(&count) {
        return Ok(());
    }
    Err(SpdError::Shape { what, expected: format!("{name} from 1 to {MOST} on a device"), got: format!("{count}") })
}

fn check_buffer(what: &'static str, handle: &Handle, entries: usize, element: Element) -> Result<(), SpdError> {
    let expected = entries * element.size();
    if handle.size_in_used() >= expected as u64 {
        return Ok(());
    }
    Err(SpdError::Shape {
        what,
        expected: format!("a buffer of {entries} {} entries, {expected} bytes", element.name()),
        got: format!("{} bytes", handle.size_in_used()),
    })
}

fn tensor_error(error: cubecl::server::ServerError) -> SpdError {
    SpdError::Tensor(error.to_string())
}
