//! The posterior against an independent dense computation: closed-form covariances of a Gaussian kernel, a hand-built nugget, elimination.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::needless_range_loop)]

mod common;

use std::sync::{Arc, Mutex};

use common::{Lcg, device, relative};
use hyperpde_gp::{Assembly, GpError, InnerProblem, RowBlock, SolveSettings, Term};
use hyperpde_kernels::{GaussianConfig, GibbsConfig, LengthScales, Operator, Points};
use hyperpde_linalg::{DenseCholesky, Factor, InnerSolver, RowSystem, SolveError};

const L: f64 = 0.35;

/// `∂_x^a ∂_y^b exp(−(x − y)²/(2 l²))` for `a, b ≤ 2`: Hermite polynomials of `t = (x − y)/l`.
fn k(a: usize, b: usize, x: f64, y: f64) -> f64 {
    let t = (x - y) / L;
    let hermite = [1.0, t, t * t - 1.0, t.powi(3) - 3.0 * t, t.powi(4) - 6.0 * t * t + 3.0];
    // Each ∂_x brings −1/l, each ∂_y +1/l.
    let sign = if a.is_multiple_of(2) { 1.0 } else { -1.0 };
    sign / L.powi((a + b) as i32) * hermite[a + b] * (-0.5 * t * t).exp()
}

/// A row of terms `(coefficient, order, point)` of one field in one dimension.
type Row = Vec<(f64, usize, f64)>;

fn covariance(r: &Row, s: &Row) -> f64 {
    let of = |&(c, a, x): &(f64, usize, f64)| s.iter().map(|&(d, b, y)| c * d * k(a, b, x, y)).sum::<f64>();
    r.iter().map(of).sum()
}

/// `A⁻¹ b` by Gaussian elimination with pivoting.
fn solve(a: &[Vec<f64>], b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let mut m: Vec<Vec<f64>> = a.iter().zip(b).map(|(row, b)| row.iter().copied().chain([*b]).collect()).collect();
    for p in 0..n {
        let best = (p..n).max_by(|&i, &j| m[i][p].abs().total_cmp(&m[j][p].abs())).unwrap();
        m.swap(p, best);
        for i in p + 1..n {
            let f = m[i][p] / m[p][p];
            for j in p..=n {
                m[i][j] -= f * m[p][j];
            }
        }
    }
    let mut x = vec![0.0; n];
    for i in (0..n).rev() {
        x[i] = (m[i][n] - (i + 1..n).map(|j| m[i][j] * x[j]).sum::<f64>()) / m[i][i];
    }
    x
}

/// An equation `c0 u + c2 u'' = f` at six points, two of which carry noisy values as well, and two boundary values.
struct Case {
    blocks: Vec<RowBlock>,
    rows: Vec<Row>,
    rhs: Vec<f64>,
    noise: Vec<f64>,
}

fn case() -> Case {
    let mut rng = Lcg(3);
    let points: Vec<f64> = (0..6).map(|i| 0.1 + 0.15 * i as f64 + 0.02 * rng.next()).collect();
    let (c0, c2, f) = (rng.vec(6), rng.vec(6), rng.vec(6));
    let inside = Points::new(1, points.clone()).unwrap();
    let term =
        |operator, coefficients: &[f64]| Term { field: 0, operator, site: 0, coefficients: coefficients.to_vec() };
    let terms = vec![term(Operator::identity(1), &c0), term(Operator::second(1, 0), &c2)];
    let equation = RowBlock::new("equation", vec![inside.clone()], terms, f.clone(), 0.0).unwrap();
    let edge = Points::new(1, vec![0.0, 1.0]).unwrap();
    let boundary = RowBlock::simple("boundary", 0, Operator::identity(1), edge, vec![0.3, -0.2], 0.0).unwrap();
    let seen = inside.select(&[1, 4]).unwrap();
    let data = RowBlock::simple("data", 0, Operator::identity(1), seen, vec![0.5, 0.1], 1e-2).unwrap();
    let mut rows: Vec<Row> = (0..6).map(|i| vec![(c0[i], 0, points[i]), (c2[i], 2, points[i])]).collect();
    rows.extend([0.0, 1.0, points[1], points[4]].map(|x| vec![(1.0, 0, x)]));
    let rhs = f.into_iter().chain([0.3, -0.2, 0.5, 0.1]).collect();
    Case { blocks: vec![equation, boundary, data], rows, rhs, noise: [vec![0.0; 8], vec![1e-2; 2]].concat() }
}

/// `r` of values and of second derivatives in [`case`]: values are carried by eight distinct points, second derivatives by six.
fn ratio(order: usize) -> f64 {
    if order == 0 { 1.0 } else { 6.0 * 3.0 / L.powi(4) / 8.0 }
}

/// `N` by hand: rows that hold the same latent (order and point) share `η r c c'`.
fn nugget(rows: &[Row], noise: &[f64], eta: f64) -> Vec<Vec<f64>> {
    let n = rows.len();
    let mut out = vec![vec![0.0; n]; n];
    for (r, row) in rows.iter().enumerate() {
        for (s, other) in rows.iter().enumerate() {
            for (c, a, x) in row {
                for (d, b, y) in other {
                    if a == b && x == y {
                        out[r][s] += eta * ratio(*a) * c * d;
                    }
                }
            }
        }
        out[r][r] += noise[r];
    }
    out
}

fn settings(assembly: Assembly) -> SolveSettings {
    SolveSettings { assembly, ..SolveSettings::default() }
}

/// The rows' blocks with other right-hand sides and noise.
fn with(case: &Case, factor: f64, noise: bool) -> Vec<RowBlock> {
    let other = |block: &RowBlock| {
        let rhs = block.rhs().iter().map(|b| factor * b).collect();
        let variance = if noise { block.noise_variance() } else { 0.0 };
        RowBlock::new(block.name(), block.sites().to_vec(), block.terms().to_vec(), rhs, variance).unwrap()
    };
    case.blocks.iter().map(other).collect()
}

#[test]
fn the_amplitude_is_that_of_rows_left_out_one_by_one() {
    let eta = 1e-3;
    let case = case();
    let n = case.rows.len();
    let kernel = [GaussianConfig::isotropic(L).init(&device()).unwrap()];
    for (factor, noisy) in [(1.0, false), (1e-3, false), (100.0, true), (1e-3, true)] {
        let zero = vec![0.0; n];
        let mut a = nugget(&case.rows, if noisy { &case.noise } else { &zero }, eta);
        for r in 0..n {
            for s in 0..n {
                a[r][s] += covariance(&case.rows[r], &case.rows[s]);
            }
        }
        let squares = |left_out: usize| {
            let kept: Vec<usize> = (0..n).filter(|r| *r != left_out).collect();
            let reduced: Vec<Vec<f64>> = kept.iter().map(|&r| kept.iter().map(|&s| a[r][s]).collect()).collect();
            let cross: Vec<f64> = kept.iter().map(|&r| a[r][left_out]).collect();
            let weights = solve(&reduced, &cross);
            let dot = |with: &dyn Fn(usize) -> f64| weights.iter().zip(&kept).map(|(w, &r)| w * with(r)).sum::<f64>();
            let missed = factor * (case.rhs[left_out] - dot(&|r| case.rhs[r]));
            missed * missed / (a[left_out][left_out] - dot(&|r| a[r][left_out]))
        };
        let expected = (0..n).map(squares).sum::<f64>() / n as f64;
        // The noise has a size of its own: data that agree too well are not better than it.
        let expected = if noisy { expected.max(1.0) } else { expected };
        for assembly in Assembly::ALL {
            let problem = InnerProblem::new(1, with(&case, factor, noisy), &[], eta, settings(assembly)).unwrap();
            let found = problem.solve(&kernel).unwrap().amplitudes().unwrap();
            assert!((found[0] / expected - 1.0).abs() < 1e-8, "{assembly:?} {factor} {noisy}: {found:?} {expected}");
            if noisy && factor < 1.0 {
                assert_eq!(found, [1.0]);
            }
        }
    }
    // Zeros tell nothing.
    let problem = InnerProblem::new(1, with(&case, 0.0, false), &[], eta, SolveSettings::default()).unwrap();
    assert_eq!(problem.solve(&kernel).unwrap().amplitudes().unwrap(), [1.0]);
}

#[test]
fn a_field_s_amplitude_is_that_of_its_own_rows() {
    let kernel = || GaussianConfig::isotropic(L).init(&device()).unwrap();
    let x = Points::new(1, vec![0.0, 0.3, 0.7, 1.0]).unwrap();
    let values = |field, size: f64| {
        let rhs = x.rows().map(|x| size * (3.0 * x[0]).sin()).collect();
        RowBlock::simple("values", field, Operator::identity(1), x.clone(), rhs, 0.0).unwrap()
    };
    let blocks = vec![values(0, 1.0), values(1, 1e3)];
    let problem = InnerProblem::new(2, blocks, &[], 1e-10, SolveSettings::default()).unwrap();
    let found = problem.solve(&[kernel(), kernel()]).unwrap().amplitudes().unwrap();
    assert!((found[1] / found[0] / 1e6 - 1.0).abs() < 1e-9, "{found:?}");
}

#[test]
fn mean_and_variance_are_those_of_the_dense_formula() {
    let eta = 1e-3;
    let case = case();
    let n = case.rows.len();
    let mut a = nugget(&case.rows, &case.noise, eta);
    for r in 0..n {
        for s in 0..n {
            a[r][s] += covariance(&case.rows[r], &case.rows[s]);
        }
    }
    let w = solve(&a, &case.rhs);
    let kernel = [GaussianConfig::isotropic(L).init(&device()).unwrap()];
    let at: Vec<f64> = vec![0.05, 0.22, 0.5, 0.61, 0.97, 1.4];
    let points = Points::new(1, at.clone()).unwrap();
    for assembly in Assembly::ALL {
        let problem = InnerProblem::new(1, case.blocks.clone(), &[], eta, settings(assembly)).unwrap();
        let posterior = problem.solve(&kernel).unwrap();
        assert!(relative(posterior.weights(), &w) < 1e-9, "{assembly:?}");
        let operators = [Operator::identity(1), Operator::partial(1, 0), Operator::second(1, 0)];
        let values = posterior.evaluate(0, &operators, &points).unwrap();
        for (order, operator) in operators.iter().enumerate() {
            let probe =
                |x: f64| -> Vec<f64> { case.rows.iter().map(|r| covariance(&vec![(1.0, order, x)], r)).collect() };
            let mean: Vec<f64> = at.iter().map(|&x| probe(x).iter().zip(&w).map(|(v, w)| v * w).sum()).collect();
            let variance = |&x: &f64| {
                let v = probe(x);
                k(order, order, x, x) - v.iter().zip(solve(&a, &v)).map(|(v, s)| v * s).sum::<f64>()
            };
            let variance: Vec<f64> = at.iter().map(variance).collect();
            let found = posterior.variance(0, operator, &points).unwrap();
            println!("{assembly:?} {order}: {variance:?} {found:?}");
            assert!(relative(&values[order], &mean) < 1e-8, "{assembly:?} {order}");
            assert!(relative(&found, &variance) < 1e-8, "{assembly:?} {order}");
            // The same after the factor was dropped.
            let again = problem.solve(&kernel).unwrap().without_factor();
            assert_eq!(again.variance(0, operator, &points).unwrap(), found);
        }
        // Latents include the nugget, `(K Cᵀ w)_i + η r Σ c w`, term by term; rows hold exactly for them.
        let latent = |order: usize, x: f64| {
            let held = |row: &Row| row.iter().filter(|t| t.1 == order && t.2 == x).map(|t| t.0).sum::<f64>();
            let share: f64 = case.rows.iter().zip(&w).map(|(row, w)| held(row) * w).sum();
            let plain: f64 = case.rows.iter().zip(&w).map(|(row, w)| covariance(&vec![(1.0, order, x)], row) * w).sum();
            plain + eta * ratio(order) * share
        };
        for (block, orders) in [(0, vec![0, 2]), (1, vec![0]), (2, vec![0])] {
            let latents = posterior.latents(block).unwrap();
            assert_eq!(latents.len(), orders.len());
            for (values, order) in latents.iter().zip(orders) {
                let expected: Vec<f64> = case.blocks[block].sites()[0].rows().map(|x| latent(order, x[0])).collect();
                assert!(relative(values, &expected) < 1e-8, "{assembly:?} {block} {order}");
            }
        }
        let edge = posterior.latents(1).unwrap().concat();
        assert!(relative(&edge, &[0.3, -0.2]) < 1e-9, "exact rows hold for the latents: {edge:?}");
    }
}

/// Keeps the matrix that it is given to factor.
#[derive(Debug, Default)]
struct Keep(Mutex<Vec<f64>>);

impl InnerSolver for Keep {
    fn name(&self) -> &'static str {
        "keep"
    }

    fn factor(&self, system: &Arc<dyn RowSystem>) -> Result<Box<dyn Factor>, SolveError> {
        let n = system.len();
        let mut lower = vec![0.0; n * n];
        system.lower(&mut lower)?;
        for j in 0..n {
            lower[j * n..j * n + j].fill(0.0);
        }
        *self.0.lock().unwrap() = lower;
        DenseCholesky::new().factor(system)
    }
}

/// The lower triangle of `N`: the system with the nugget less the system without.
fn nugget_of(blocks: &[RowBlock], eta: f64, kernel: &[impl hyperpde_kernels::Kernel], assembly: Assembly) -> Vec<f64> {
    let matrix = |eta: f64| {
        let keep = Arc::new(Keep::default());
        let settings = SolveSettings { assembly, solver: keep.clone(), ..SolveSettings::default() };
        // Only the matrix is wanted: without a nugget it may be singular.
        let _ = InnerProblem::new(1, blocks.to_vec(), &[], eta, settings).unwrap().solve(kernel);
        keep.0.lock().unwrap().clone()
    };
    matrix(eta).iter().zip(matrix(0.0)).map(|(a, k)| a - k).collect()
}

#[test]
fn nugget_is_the_one_built_by_hand() {
    let case = case();
    let n = case.rows.len();
    let kernel = [GaussianConfig::isotropic(L).init(&device()).unwrap()];
    let expected = nugget(&case.rows, &vec![0.0; n], 0.5);
    for assembly in [Assembly::Auto, Assembly::Tensor] {
        let found = nugget_of(&case.blocks, 0.5, &kernel, assembly);
        for i in 0..n {
            for j in 0..=i {
                assert!((found[i + j * n] - expected[i][j]).abs() < 1e-10, "{assembly:?} ({i}, {j})");
            }
        }
    }
}

/// A row that holds one latent twice has it with the sum of its coefficients.
#[test]
fn a_latent_held_twice_counts_with_the_sum() {
    let kernel = [GaussianConfig::isotropic(L).init(&device()).unwrap()];
    let points = Points::new(1, vec![0.2, 0.7]).unwrap();
    let term = |c: f64| Term { field: 0, operator: Operator::identity(1), site: 0, coefficients: vec![c; 2] };
    let twice = RowBlock::new("twice", vec![points], vec![term(0.7), term(0.9)], vec![1.0; 2], 0.0).unwrap();
    for assembly in [Assembly::Auto, Assembly::Tensor] {
        let found = nugget_of(std::slice::from_ref(&twice), 0.5, &kernel, assembly);
        let expected = [0.5 * 1.6 * 1.6, 0.0, 0.0, 0.5 * 1.6 * 1.6];
        assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-12), "{assembly:?} {found:?}");
    }
}

/// Where no row takes the value of a field, the denominator runs over its distinct points too: repeating rows at points that are there
/// already does not change `r`.
#[test]
fn repeated_points_count_once_in_a_denominator_without_values() {
    let kernel = [GaussianConfig::isotropic(L).init(&device()).unwrap()];
    let at = [0.2, 0.5, 0.7];
    // Separate sets with equal coordinates: identity of sets must not matter.
    let slopes = |name: &str, n: usize| {
        let points = Points::new(1, at[..n].to_vec()).unwrap();
        RowBlock::simple(name, 0, Operator::partial(1, 0), points, vec![1.0; n], 0.0).unwrap()
    };
    let curvatures = |n: usize| {
        let points = Points::new(1, at[..n].to_vec()).unwrap();
        RowBlock::simple("curvatures", 0, Operator::second(1, 0), points, vec![1.0; n], 0.0).unwrap()
    };
    for assembly in [Assembly::Auto, Assembly::Tensor] {
        // Slopes at three distinct points, curvatures at two of them: t_0 = 3, r_1 = 3 (1/l²)/3, r_2 = 2 (3/l⁴)/3.
        let found = nugget_of(&[slopes("slopes", 3), slopes("again", 2), curvatures(2)], 0.5, &kernel, assembly);
        let (r1, r2) = (L.powi(-2), 2.0 / 3.0 * 3.0 * L.powi(-4));
        for i in 0..7 {
            let expected = 0.5 * if i < 5 { r1 } else { r2 };
            assert!((found[i * 8] / expected - 1.0).abs() < 1e-10, "{assembly:?} {i}: {} {expected}", found[i * 8]);
        }
        // The repeated slopes share latents with the first ones.
        assert!((found[3] - 0.5 * r1).abs() < 1e-10, "{assembly:?} {}", found[3]);
    }
}

#[test]
fn points_and_operators_of_another_dimension_are_refused() {
    let dev = device();
    let mut rng = Lcg(1);
    let points = rng.points(6, 2);
    let block = RowBlock::simple("data", 0, Operator::identity(2), points.clone(), rng.vec(6), 1e-3).unwrap();
    for assembly in [Assembly::Auto, Assembly::Tensor] {
        let problem = InnerProblem::new(1, vec![block.clone()], &[], 1e-6, settings(assembly)).unwrap();
        let isotropic = problem.solve(&[GaussianConfig::isotropic(0.4).init(&dev).unwrap()]).unwrap();
        let gibbs = GibbsConfig::new(2, LengthScales::Isotropic, 1.5).with_hidden([3]).init(1, &dev).unwrap();
        let gibbs = problem.solve(&[gibbs]).unwrap();
        for d in [1, 3] {
            let wrong = rng.points(4, d);
            let errors = [
                isotropic.values(0, &wrong).map(|_| ()),
                isotropic.variance(0, &Operator::identity(d), &wrong).map(|_| ()),
                isotropic.evaluate(0, &[Operator::identity(d)], &points).map(|_| ()),
                gibbs.values(0, &wrong).map(|_| ()),
                isotropic.values(1, &points).map(|_| ()),
            ];
            for (case, error) in errors.into_iter().enumerate() {
                let error = error.unwrap_err();
                assert!(matches!(error, GpError::System(_)), "{assembly:?} {d} {case}: {error:?}");
                assert!(case == 4 || error.to_string().contains('2'), "{error}");
            }
        }
    }
}
