//! The factorisation and the solves as operations of burn alone: any backend, differentiated by burn's own autodiff.
//!
//! `A = L D Lᵀ` with a unit lower triangular `L` and a diagonal `D`, the Cholesky factorisation without its roots, halved until blocks are small:
//!
//! ```text
//! A11 = L11 D1 L11ᵀ,    L11 Y = A21ᵀ,    L21ᵀ = D1⁻¹ Y,    A22 − Yᵀ D1⁻¹ Y = L22 D2 L22ᵀ
//! ```
//!
//! (Golub and Van Loan, *Matrix Computations*, 4th edition, sections 4.1 and 4.2.9). Nearly all of it is matrix products. `L` is never put together:
//! it stays the tree of its blocks, and a triangular solve goes through the tree. A block of [`BLOCK`] columns is eliminated column by column, the unit
//! matrix beside it, which gives `L11ᵀ` and `L11⁻¹`. The diagonal blocks of kernel matrices are ill conditioned themselves, so a product with such an
//! inverse is followed by a step of refinement, `x ← x + L11⁻¹ (b − L11 x)`, after which it is as accurate as substitution.
//!
//! No operation has a derivative of our own: gradients are an oracle for those of [`crate::spd_solve_with`], at several times the memory and time.

use burn::tensor::{DType, Tensor, TensorData};

use crate::escalate::{Attempt, condition_estimate, escalate};
use crate::ops::SpdNeeds;
use crate::solve::check_operands;
use crate::{JitterPolicy, SolveError, SolveStatistics, SpdSolution};

/// Columns that are eliminated one by one. More take more small operations, fewer more products.
const BLOCK: usize = 32;

/// `X = A⁻¹ B`, and what else `needs` asks for, in the number type and on the device of the operands, by differentiable operations of burn.
///
/// # Arguments
/// * `a`, `b` - as for [`crate::spd_solve`]; the symmetric part of `a` is factored.
/// * `policy` - jitter to try if `a` is not positive definite. Float32 has one of its own in place of any but [`JitterPolicy::none`]: from 1e-7
///   by factors of ten up to 1e-3.
/// * `needs` - what else is wanted. The diagonal of the inverse solves with `n` right-hand sides.
///
/// # Numerical behaviour
/// Float32 is computed in float32. Attempts after the first are made off the tape until one succeeds; that one is repeated on it.
///
/// # Errors
/// As [`crate::spd_solve`].
pub fn spd_solve_in_tensors(
    a: Tensor<2>,
    b: Tensor<2>,
    policy: &JitterPolicy,
    needs: SpdNeeds,
) -> Result<SpdSolution, SolveError> {
    check_operands(&a, &b)?;
    let [n, _] = a.dims();
    let eye = identity(n, &a);
    check_finite(&b, "right-hand side")?;
    check_finite(&a, "matrix")?;
    let a = (a.clone() + a.transpose()) * 0.5;
    let (factor, statistics) = factor(a, &eye, policy)?;

    let pivots = factor.pivots();
    let inverse = pivots.clone().recip();
    let x = factor.upper_solve(factor.lower_solve(b) * inverse.clone());
    check_solution(&x)?;
    let inverse_diagonal = needs.inverse_diagonal.then(|| {
        let half = factor.lower_solve(eye);
        (half.clone() * half * inverse).sum_dim(0).reshape([n])
    });
    Ok(SpdSolution { x, log_det: needs.log_det.then(|| pivots.log().sum()), inverse_diagonal, statistics })
}

/// The factor of `a + j mean(diag a) I` for the first `j` of the policy that makes it positive definite.
fn factor(a: Tensor<2>, eye: &Tensor<2>, policy: &JitterPolicy) -> Result<(Block, SolveStatistics), SolveError> {
    let [n, _] = a.dims();
    let single = a.dtype() == DType::F32;
    let (policy, name) = match single && policy.after(0.0).is_some() {
        true => (JitterPolicy::float32(), "float32"),
        false => (*policy, if single { "float32" } else { "float64" }),
    };
    let plain = a.clone().without_autodiff();
    let mean = read((plain.clone() * eye.clone()).sum())?.first().map_or(f64::NAN, |trace| trace / n as f64);
    let jittered = |a: &Tensor<2>, added: f64| a.clone() + eye.clone() * added;
    let mut first = None;
    let statistics = escalate(n, mean, name, &policy, &mut |added| {
        let factor = if added > 0.0 { Block::of(jittered(&plain, added)) } else { Block::of(a.clone()) };
        let pivots = read(factor.pivots())?;
        // A NaN has had a pivot before it that was not positive, or a product that overflowed.
        let failed = pivots.iter().position(|d| !(*d > 0.0 && d.is_finite()));
        let done = pivots[..failed.unwrap_or(n)].iter().map(|d| d.sqrt());
        first = Some(factor).filter(|_| added == 0.0);
        Ok(Attempt { failed, condition: condition_estimate(done) })
    })?;
    let factor = match first {
        Some(factor) => factor,
        None => Block::of(jittered(&a, statistics.jitter * mean)),
    };
    Ok((factor, statistics))
}

/// The factor of a diagonal block, as a tree.
enum Block {
    /// Few columns.
    Leaf(Box<Leaf>),
    /// Two diagonal blocks and what is between them.
    Split(Box<Split>),
}

/// The factor of two diagonal blocks.
struct Split {
    first: Block,
    /// `L21ᵀ`, `[k1, k2]`.
    between: Tensor<2>,
    second: Block,
}

/// The factor of few columns.
struct Leaf {
    /// `Lᵀ`, `[k, k]`.
    upper: Tensor<2>,
    /// `L⁻¹`, `[k, k]`.
    inverse: Tensor<2>,
    /// `diag D`, `[k, 1]`.
    pivots: Tensor<2>,
}

impl Block {
    /// Factors a symmetric matrix. Without positive pivots the numbers mean nothing.
    fn of(a: Tensor<2>) -> Self {
        let [n, _] = a.dims();
        if n <= BLOCK {
            return Self::Leaf(Box::new(Leaf::of(a)));
        }
        let half = (n / 2).next_multiple_of(BLOCK);
        let first = Self::of(part(&a, 0..half, 0..half));
        // The upper block is the transpose of the lower one: `a` is symmetric.
        let y = first.lower_solve(part(&a, 0..half, half..n));
        let between = y.clone() * first.pivots().recip();
        let second = Self::of(part(&a, half..n, half..n) - y.transpose().matmul(between.clone()));
        Self::Split(Box::new(Split { first, between, second }))
    }

    fn len(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.pivots.dims()[0],
            Self::Split(split) => split.first.len() + split.second.len(),
        }
    }

    /// `diag D`, `[n, 1]`.
    fn pivots(&self) -> Tensor<2> {
        match self {
            Self::Leaf(leaf) => leaf.pivots.clone(),
            Self::Split(split) => Tensor::cat(vec![split.first.pivots(), split.second.pivots()], 0),
        }
    }

    /// `L⁻¹ B`, `[n, k]`.
    fn lower_solve(&self, b: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Leaf(leaf) => refined(leaf.inverse.clone(), leaf.upper.clone().transpose(), b),
            Self::Split(split) => {
                let Split { first, between, second } = split.as_ref();
                let (head, tail) = halves(&b, first.len());
                let head = first.lower_solve(head);
                let tail = second.lower_solve(tail - between.clone().transpose().matmul(head.clone()));
                Tensor::cat(vec![head, tail], 0)
            }
        }
    }

    /// `L⁻ᵀ B`, `[n, k]`.
    fn upper_solve(&self, b: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Leaf(leaf) => refined(leaf.inverse.clone().transpose(), leaf.upper.clone(), b),
            Self::Split(split) => {
                let Split { first, between, second } = split.as_ref();
                let (head, tail) = halves(&b, first.len());
                let tail = second.upper_solve(tail);
                let head = first.upper_solve(head - between.clone().matmul(tail.clone()));
                Tensor::cat(vec![head, tail], 0)
            }
        }
    }
}

impl Leaf {
    /// Elimination of `[A, I]` column by column: row `j` becomes `[D Lᵀ, L⁻¹]_j`.
    fn of(a: Tensor<2>) -> Self {
        let [n, _] = a.dims();
        let mut rest = Tensor::cat(vec![a.clone(), identity(n, &a)], 1);
        let (mut upper, mut inverse, mut pivots) = (Vec::new(), Vec::new(), Vec::new());
        for j in 0..n {
            let [left, width] = rest.dims();
            let top = part(&rest, 0..1, 0..width);
            let pivot = part(&top, 0..1, 0..1);
            let row = part(&top, 0..1, 0..left) * pivot.clone().recip();
            if left > 1 {
                let column = part(&row, 0..1, 1..left).transpose();
                rest = part(&rest, 1..left, 1..width) - column * part(&top, 0..1, 1..width);
            }
            upper.push(if j == 0 { row } else { Tensor::cat(vec![zeros(j, &row), row], 1) });
            inverse.push(part(&top, 0..1, left..width));
            pivots.push(pivot);
        }
        Self { upper: Tensor::cat(upper, 0), inverse: Tensor::cat(inverse, 0), pivots: Tensor::cat(pivots, 0) }
    }
}

/// The rows before `at`, and the others.
fn halves(b: &Tensor<2>, at: usize) -> (Tensor<2>, Tensor<2>) {
    let [n, k] = b.dims();
    (part(b, 0..at, 0..k), part(b, at..n, 0..k))
}

/// `T⁻¹ B` from an approximate inverse of `T`, with one step of refinement.
fn refined(inverse: Tensor<2>, triangle: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    let x = inverse.clone().matmul(b.clone());
    x.clone() + inverse.matmul(b - triangle.matmul(x))
}

fn part(a: &Tensor<2>, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) -> Tensor<2> {
    a.clone().slice([rows, columns])
}

/// The unit matrix `[n, n]`, off the tape, in the number type and on the device of `like`.
fn identity(n: usize, like: &Tensor<2>) -> Tensor<2> {
    let mut data = vec![0.0; n * n];
    data.iter_mut().step_by(n + 1).for_each(|d| *d = 1.0);
    Tensor::from_data(TensorData::new(data, [n, n]), (&like.device(), like.dtype())).without_autodiff()
}

/// Zeros `[1, n]`, off the tape.
fn zeros(n: usize, like: &Tensor<2>) -> Tensor<2> {
    Tensor::zeros([1, n], (&like.device(), like.dtype())).without_autodiff()
}

fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>, SolveError> {
    let failed = |e: String| SolveError::Tensor(e);
    let data = tensor.without_autodiff().try_into_data().map_err(|e| failed(format!("{e:?}")))?;
    data.try_into_vec_as::<f64>().map_err(|e| failed(format!("{e:?}")))
}

/// The first entry that is not finite, by row and column. One number is read where there is none.
fn not_finite(a: &Tensor<2>) -> Result<Option<(usize, usize, f64)>, SolveError> {
    let [_, columns] = a.dims();
    // A sum may overflow where no entry does: then the entries tell.
    if read(a.clone().without_autodiff().sum())?.iter().all(|sum| sum.is_finite()) {
        return Ok(None);
    }
    let entries = read(a.clone())?;
    Ok(entries.iter().position(|v| !v.is_finite()).map(|p| (p / columns, p % columns, entries[p])))
}

fn check_finite(a: &Tensor<2>, what: &'static str) -> Result<(), SolveError> {
    match not_finite(a)? {
        None => Ok(()),
        Some((row, col, value)) => Err(SolveError::NonFinite { what, row, col, value }),
    }
}

fn check_solution(x: &Tensor<2>) -> Result<(), SolveError> {
    let dtype = if x.dtype() == DType::F32 { "float32" } else { "float64" };
    match not_finite(x)? {
        None => Ok(()),
        Some((row, col, value)) => Err(SolveError::Overflow { what: "solution", row, col, value, dtype }),
    }
}
