//! Buffers and launches: what the host does for a factorisation on a device.

use cubecl::CubeElement;
use cubecl::client::Client;
use cubecl::prelude::{BufferArg, CubeCount, CubeDim, InputScalar};
use cubecl::server::Handle;
use faer::MatMut;

use super::kernels::scan::SCAN_UNITS;
use super::kernels::tile::{PANEL_ROWS, PANEL_UNITS, TILE_UNITS};
use super::kernels::{BLOCK, UNITS, block, scan, tile, triangle};
use super::limits::{check_buffer, check_count, check_device};
use super::{DiagonalBlocks, Element};
use crate::{SolveError, blocked};

/// A matrix on a device and what belongs to it there.
pub(super) struct Stage {
    client: Client,
    element: Element,
    n: usize,
    matrix: Handle,
}

impl Stage {
    pub(super) fn new(client: &Client, matrix: Handle, n: usize, element: Element) -> Result<Self, SolveError> {
        check_device(client, element)?;
        check_count("matrix", "n", n)?;
        check_buffer("matrix", &matrix, n * n, element)?;
        Ok(Self { client: client.clone(), element, n, matrix })
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

    pub(super) fn replace_matrix(&mut self, matrix: Handle) -> Result<(), SolveError> {
        check_buffer("matrix", &matrix, self.n * self.n, self.element)?;
        self.matrix = matrix;
        Ok(())
    }

    /// Refuses a NaN or an infinity in the lower triangle; the diagonal otherwise.
    pub(super) fn check_finite(&self) -> Result<Vec<f64>, SolveError> {
        let n = self.n;
        let diagonal = self.empty(n);
        let first_bad = self.client.empty(n * size_of::<u32>());
        scan::scan_columns::launch(
            &self.client,
            CubeCount::Static(n as u32, 1, 1),
            CubeDim::new_1d(SCAN_UNITS as u32),
            self.arg(&self.matrix),
            self.arg(&diagonal),
            words(&first_bad),
            n as u32,
            self.element.elem_type(),
        );
        let bytes = self.client.read(vec![first_bad, diagonal]).map_err(device_error)?;
        let [first_bad, diagonal] = bytes.as_slice() else {
            return Err(SolveError::Device("two buffers were asked for, the device returned others".into()));
        };
        if let Some((col, &row)) = u32::from_bytes(first_bad).iter().enumerate().find(|&(_, &row)| row < n as u32) {
            let row = row as usize;
            return Err(SolveError::NonFinite { what: "matrix", row, col, value: self.entry(row, col)? });
        }
        Ok(self.element.decode(diagonal))
    }

    pub(super) fn add_to_diagonal(&self, value: f64) {
        scan::add_to_diagonal::launch(
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
    /// The first pivot that was not positive and finite, if one was not. `diagonal` becomes that of `L`, as
    /// far as it goes.
    pub(super) fn factor(&self, blocks: DiagonalBlocks, diagonal: &mut Vec<f64>) -> Result<Option<usize>, SolveError> {
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
                let bytes = self.client.read(vec![status, roots]).map_err(device_error)?;
                let [status, roots] = bytes.as_slice() else {
                    return Err(SolveError::Device("two buffers were asked for, the device returned others".into()));
                };
                *diagonal = self.element.decode(roots);
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
        block::factor_block::launch(
            &self.client,
            CubeCount::Static(1, 1, 1),
            cube(),
            self.arg(&self.matrix),
            self.arg(roots),
            words(status),
            self.n as u32,
            start as u32,
            self.element.elem_type(),
        );
    }

    /// Factors the diagonal block at `start` on the host.
    fn round_trip(&self, start: usize, diagonal: &mut Vec<f64>) -> Result<Option<usize>, SolveError> {
        let copy = self.empty(BLOCK * BLOCK);
        block::extract_block::launch(
            &self.client,
            CubeCount::Static(1, 1, 1),
            cube(),
            self.arg(&self.matrix),
            self.arg(&copy),
            self.n as u32,
            start as u32,
            self.element.elem_type(),
        );
        let mut values = self.element.decode(&self.client.read_one(copy).map_err(device_error)?);
        let failed = blocked::factor(MatMut::from_column_major_slice_mut(&mut values, BLOCK, BLOCK)).err();
        let done = failed.unwrap_or(self.n - start).min(BLOCK);
        diagonal.extend(values.iter().step_by(BLOCK + 1).take(done));
        if let Some(pivot) = failed {
            return Ok(Some(start + pivot));
        }
        block::store_block::launch(
            &self.client,
            CubeCount::Static(1, 1, 1),
            cube(),
            self.arg(&self.upload(&values)),
            self.arg(&self.matrix),
            self.n as u32,
            start as u32,
            self.element.elem_type(),
        );
        Ok(None)
    }

    fn panel(&self, status: &Handle, start: usize) {
        let rows = self.rows_below(start);
        if rows > 0 {
            tile::panel::launch(
                &self.client,
                CubeCount::Static(rows.div_ceil(PANEL_ROWS) as u32, 1, 1),
                CubeDim::new_1d(PANEL_UNITS as u32),
                self.arg(&self.matrix),
                words(status),
                self.n as u32,
                start as u32,
                self.element.elem_type(),
            );
        }
    }

    fn update(&self, status: &Handle, start: usize) {
        let tiles = self.rows_below(start).div_ceil(BLOCK) as u32;
        if tiles > 0 {
            tile::update::launch(
                &self.client,
                CubeCount::Static(tiles, tiles, 1),
                CubeDim::new_1d(TILE_UNITS as u32),
                self.arg(&self.matrix),
                words(status),
                self.n as u32,
                start as u32,
                self.element.elem_type(),
            );
        }
    }

    /// `b ← L⁻ᵀ L⁻¹ b` for `k` columns.
    pub(super) fn solve(&self, b: &Handle, k: usize) -> Result<(), SolveError> {
        check_count("right-hand side", "k", k)?;
        check_buffer("right-hand side", b, self.n * k, self.element)?;
        let y = self.empty(self.n * k);
        for start in (0..self.n).step_by(BLOCK) {
            let below = self.rows_below(start);
            triangle::forward_block::launch(
                &self.client,
                CubeCount::Static(below.div_ceil(UNITS).max(1) as u32, k as u32, 1),
                cube(),
                self.arg(&self.matrix),
                self.arg(b),
                self.arg(&y),
                self.n as u32,
                start as u32,
                self.element.elem_type(),
            );
        }
        for start in (0..self.n).step_by(BLOCK).rev() {
            triangle::backward_block::launch(
                &self.client,
                CubeCount::Static((start / BLOCK).max(1) as u32, k as u32, 1),
                cube(),
                self.arg(&self.matrix),
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
        self.client.create_from_slice(&self.element.encode(values))
    }

    pub(super) fn download_into(&self, handle: Handle, values: &mut [f64]) -> Result<(), SolveError> {
        let bytes = self.client.read_one(handle).map_err(device_error)?;
        for (value, read) in values.iter_mut().zip(self.element.decode(&bytes)) {
            *value = read;
        }
        Ok(())
    }

    fn entry(&self, row: usize, col: usize) -> Result<f64, SolveError> {
        let size = self.element.size() as u64;
        let place = (row + col * self.n) as u64;
        let behind = self.matrix.size_in_used() - (place + 1) * size;
        let entry = self.matrix.clone().offset_start(place * size).offset_end(behind);
        let bytes = self.client.read_one(entry).map_err(device_error)?;
        Ok(self.element.decode(&bytes).first().copied().unwrap_or(f64::NAN))
    }

    fn rows_below(&self, start: usize) -> usize {
        self.n.saturating_sub(start + BLOCK)
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

fn device_error(error: cubecl::server::ServerError) -> SolveError {
    SolveError::Device(error.to_string())
}
