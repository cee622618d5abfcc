//! The checks behind [`super::check`].

use faer::{Mat, Side};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal, Uniform};

use super::blocks::{At, fused_block, tensor_block, tensor_diagonal, tensor_gradient};
use super::{ConformanceError, Options, Report};
use crate::error::KernelError;
use crate::gram::Functional;
use crate::jet::{Jet, JetSpace};
use crate::kernel::Kernel;
use crate::operator::{MultiIndex, Operator};
use crate::parameters::{parameters, with_parameters};
use crate::points::Points;

/// Shared points of both sides: the pairs that coincide.
const COINCIDENT: usize = 3;
/// Nodes `h, 2h, …` of the extrapolated difference quotient.
const NODES: usize = 6;

/// A kernel under test with the points it is tested at.
pub(super) struct Checker<'a, K: Kernel> {
    options: &'a Options,
    dim: usize,
    order: usize,
    /// Without gradient tracking.
    plain: K,
    /// With it.
    tracked: K,
    x: Points,
    y: Points,
    rng: ChaCha8Rng,
}

type Outcome<T = f64> = Result<T, ConformanceError>;
/// Which derivatives a random functional takes.
type Keep = Box<dyn Fn(&MultiIndex) -> bool>;

impl<'a, K: Kernel> Checker<'a, K> {
    pub fn new(kernel: &K, dim: usize, options: &'a Options) -> Outcome<Self> {
        let (plain, tracked) = (kernel.valid(), kernel.clone().train());
        let fail = |source| ConformanceError::Kernel { kernel: kernel.name(), source };
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        let uniform = Uniform::new_inclusive(options.range.0, options.range.1).map_err(|_| {
            let value = format!("{:?}", options.range);
            fail(KernelError::Setting { name: "range", value, expected: "a finite interval, lower end first" })
        })?;
        kernel.check_dim(dim).map_err(fail)?;
        let count = options.points + COINCIDENT;
        let mut draw = || -> Vec<f64> { (0..count * dim).map(|_| uniform.sample(&mut rng)).collect() };
        let (first, mut second) = (draw(), draw());
        second[..COINCIDENT * dim].copy_from_slice(&first[..COINCIDENT * dim]);
        let (x, y) = (Points::new(dim, first).map_err(fail)?, Points::new(dim, second).map_err(fail)?);
        let order = kernel.smoothness().map_or(options.order, |s| s.min(options.order));
        Ok(Self { options, dim, order, plain, tracked, x, y, rng })
    }

    pub fn run(mut self) -> Outcome<Report> {
        self.features()?;
        let symmetry = self.symmetry()?;
        let definiteness = self.definiteness()?;
        let derivatives = self.derivatives()?;
        let gradients = self.gradients()?;
        let fused = self.fused()?;
        self.round_trip()?;
        Ok(Report {
            symmetry,
            definiteness,
            derivatives,
            gradients,
            fused: fused.map(|f| f.0),
            fused_gradients: fused.map(|f| f.1),
        })
    }

    fn violated<T>(&self, property: &'static str, detail: String) -> Outcome<T> {
        Err(ConformanceError::Violated { kernel: self.plain.name(), property, detail })
    }

    fn ok<T>(&self, result: Result<T, KernelError>) -> Outcome<T> {
        result.map_err(|source| ConformanceError::Kernel { kernel: self.plain.name(), source })
    }

    fn within(&self, property: &'static str, deviation: f64, tolerance: f64, place: impl Fn() -> String) -> Outcome {
        // The comparison is written so that NaN fails.
        if deviation <= tolerance {
            return Ok(deviation);
        }
        self.violated(property, format!("deviation {deviation:.2e}, tolerance {tolerance:.0e}, {}", place()))
    }

    fn indices(&self) -> Vec<MultiIndex> {
        let mut all = vec![vec![0u8; self.dim]];
        for start in 0.. {
            let Some(base) = all.get(start).cloned() else { break };
            if base.iter().map(|&k| k as usize).sum::<usize>() == self.order {
                continue;
            }
            for i in 0..self.dim {
                let mut next = base.clone();
                next[i] += 1;
                if !all.contains(&next) {
                    all.push(next);
                }
            }
        }
        all
    }

    fn uniform(&self, alpha: &MultiIndex, n: usize) -> Functional {
        Functional::uniform(&Operator::derivative(alpha.clone()), n)
    }

    /// `Σ_α c_α ∂^α` over those `indices` that `keep`, normal coefficients, at `n` points.
    fn random_functional(&mut self, n: usize, keep: impl Fn(&MultiIndex) -> bool) -> Functional {
        let mut out = Functional::default();
        for alpha in self.indices().iter().filter(|a| keep(a)) {
            let c: Vec<f64> = self.normal(n);
            out.add(&Operator::derivative(alpha.clone()), &c);
        }
        out
    }

    fn normal(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| StandardNormal.sample(&mut self.rng)).collect()
    }

    fn block(&self, x: &Points, alpha: &MultiIndex, y: &Points, beta: &MultiIndex) -> Outcome<Vec<f64>> {
        let (fx, fy) = (self.uniform(alpha, x.len()), self.uniform(beta, y.len()));
        self.ok(tensor_block(&self.plain, At::new(x, &fx), At::new(y, &fy)))
    }

    fn features(&self) -> Outcome<()> {
        let space = JetSpace::covering(self.dim, self.indices().iter());
        let device = self.plain.devices().into_iter().next().unwrap_or_default();
        let features = self.plain.features(&Jet::coordinates(&space, &self.x, &device));
        let [n, channels] = features.value().dims();
        let expected = self.plain.channels(self.dim);
        if (n, channels) != (self.x.len(), expected) {
            return self
                .violated("feature shape", format!("[{n}, {channels}], announced [{}, {expected}]", self.x.len()));
        }
        for alpha in space.indices() {
            if let Some(t) = features.derivative(alpha)
                && let Some(bad) = self.ok(crate::tensor_to_vec(t))?.into_iter().find(|v| !v.is_finite())
            {
                return self.violated("finite features", format!("derivative {alpha:?} holds {bad}"));
            }
        }
        Ok(())
    }

    fn symmetry(&self) -> Outcome {
        let mut worst = 0.0f64;
        for alpha in &self.indices() {
            for beta in &self.indices() {
                let forth = self.block(&self.x, alpha, &self.y, beta)?;
                let back = transposed(&self.block(&self.y, beta, &self.x, alpha)?, self.x.len());
                let place = || format!("block {alpha:?}, {beta:?}");
                let limit = self.options.tolerance.symmetry;
                worst = worst.max(self.within("symmetry", deviation(&forth, &back), limit, place)?);
                let functional = self.uniform(alpha, self.x.len());
                let other = self.uniform(beta, self.x.len());
                let diagonal = self.ok(tensor_diagonal(&self.plain, At::new(&self.x, &functional), &other))?;
                let full = self.block(&self.x, alpha, &self.x, beta)?;
                let of_full: Vec<f64> = full.iter().copied().step_by(self.x.len() + 1).collect();
                let difference = largest(of_full.iter().zip(&diagonal).map(|(a, b)| a - b)) / scale(&full);
                worst = worst.max(self.within("diagonal", difference, limit, place)?);
            }
        }
        Ok(worst)
    }

    fn definiteness(&mut self) -> Outcome {
        let n = self.x.len();
        let functional = self.random_functional(n, |_| true);
        let at = At::new(&self.x, &functional);
        let gram = self.ok(tensor_block(&self.plain, at, at))?;
        let matrix = Mat::from_fn(n, n, |i, j| 0.5 * (gram[i * n + j] + gram[j * n + i]));
        let Ok(eigenvalues) = matrix.self_adjoint_eigenvalues(Side::Lower) else {
            return self
                .violated("positive definiteness", "the Gram matrix has no eigenvalues (it is not finite)".into());
        };
        let (smallest, top) = (eigenvalues.first(), eigenvalues.last());
        let ratio = match (smallest, top) {
            (Some(s), Some(t)) if *t > 0.0 => s / t,
            _ => f64::NAN,
        };
        let limit = self.options.tolerance.definiteness;
        self.within("positive definiteness", -ratio, limit, || "smallest over largest eigenvalue, negated".into())?;
        Ok(ratio)
    }

    fn derivatives(&self) -> Outcome {
        let (h, n) = (self.options.step, self.x.len());
        let mut worst = 0.0f64;
        for alpha in self.indices() {
            let Some(i) = alpha.iter().position(|&k| k > 0) else { continue };
            let mut lower = alpha.clone();
            lower[i] -= 1;
            // All shifted copies of the points in one set.
            let mut shifted = Vec::new();
            for (shift, _) in quotient(h) {
                for row in self.x.rows() {
                    shifted.extend(row.iter().enumerate().map(|(j, v)| if i == j { v + shift } else { *v }));
                }
            }
            let shifted = self.ok(Points::new(self.dim, shifted))?;
            for beta in &self.indices() {
                let exact = self.block(&self.x, &alpha, &self.y, beta)?;
                let below = self.block(&shifted, &lower, &self.y, beta)?;
                let mut sum = vec![0.0; exact.len()];
                for ((_, c), part) in quotient(h).zip(below.chunks_exact(n * self.y.len())) {
                    sum.iter_mut().zip(part).for_each(|(s, v)| *s += c * v);
                }
                let place = || format!("derivative {alpha:?}, {beta:?} against differences of {lower:?}, {beta:?}");
                let limit = self.options.tolerance.derivatives;
                worst = worst.max(self.within("derivative", deviation(&exact, &sum), limit, place)?);
            }
        }
        Ok(worst)
    }

    fn gradients(&mut self) -> Outcome {
        let start = self.ok(parameters(&self.plain))?;
        if start.is_empty() {
            return Ok(0.0);
        }
        let (n, m) = (self.x.len(), self.y.len());
        let (fx, fy) = (self.random_functional(n, |_| true), self.random_functional(m, |_| true));
        let (left, right) = (self.normal(n), self.normal(m));
        let directions: Vec<Vec<f64>> = (0..self.options.single_parameters)
            .map(|k| {
                if k < start.len() && start.len() <= self.options.single_parameters {
                    return (0..start.len()).map(|p| if p == k { 1.0 } else { 0.0 }).collect();
                }
                let d = self.normal(start.len());
                let norm = d.iter().map(|v| v * v).sum::<f64>().sqrt();
                d.iter().map(|v| v / norm).collect()
            })
            .collect();
        let (x, y) = (At::new(&self.x, &fx), At::new(&self.y, &fy));
        let gradient = self.ok(tensor_gradient(&self.tracked, x, y, &left, &right))?;
        let loss = |p: &[f64]| -> Outcome<(f64, f64)> {
            let moved = self.ok(with_parameters(self.plain.clone(), p))?;
            let block = self.ok(tensor_block(&moved, x, y))?;
            let terms = block.iter().enumerate().map(|(at, k)| left[at / m] * right[at % m] * k);
            Ok((terms.clone().sum(), terms.map(f64::abs).sum()))
        };
        let mut worst = 0.0f64;
        for direction in &directions {
            let (mut difference, mut size) = (0.0, 0.0f64);
            for (shift, c) in quotient(self.options.parameter_step) {
                let p: Vec<f64> = start.iter().zip(direction).map(|(p, d)| p + shift * d).collect();
                let (value, absolute) = loss(&p)?;
                difference += c * value;
                size = size.max(absolute);
            }
            let slope: f64 = gradient.iter().zip(direction).map(|(g, d)| g * d).sum();
            // Rounding is proportional to the terms of the sum, not to the sum.
            let relative = (slope - difference).abs() / size.max(slope.abs());
            let limit = self.options.tolerance.gradients;
            let place = || format!("slope {slope:.6e}, differences {difference:.6e} along {direction:.2?}");
            worst = worst.max(self.within("parameter gradient", relative, limit, place)?);
        }
        Ok(worst)
    }

    fn fused(&mut self) -> Outcome<Option<(f64, f64)>> {
        let plain_terms =
            |alpha: &MultiIndex| alpha.iter().filter(|&&k| k > 0).count() <= 1 && alpha.iter().all(|&k| k <= 2);
        let total = |alpha: &MultiIndex| alpha.iter().sum::<u8>();
        // Values only; first derivatives; second derivatives but for the first coordinate (time); everything.
        let keep: [Keep; 4] = [
            Box::new(move |a| total(a) == 0),
            Box::new(move |a| total(a) <= 1),
            Box::new(move |a| plain_terms(a) && a[0] < 2),
            Box::new(plain_terms),
        ];
        let (n, m) = (self.x.len(), self.y.len());
        let (mut values, mut gradients) = (0.0f64, 0.0f64);
        for (a, keep_x) in keep.iter().enumerate() {
            for (b, keep_y) in keep.iter().enumerate() {
                let (fx, fy) = (self.random_functional(n, keep_x), self.random_functional(m, keep_y));
                let (left, right) = (self.normal(n), self.normal(m));
                let (x, y) = (At::new(&self.x, &fx), At::new(&self.y, &fy));
                let Some(fused) = self.ok(fused_block(&self.tracked, x, y, &left, &right))? else { return Ok(None) };
                let expected = self.ok(tensor_block(&self.plain, x, y))?;
                let limit = self.options.tolerance;
                let place = || {
                    format!(
                        "functionals {a} and {b} (0: values, 1: first, 2: no second in the first coordinate, 3: all)"
                    )
                };
                let off = deviation(&expected, &fused.values);
                values = values.max(self.within("fused value", off, limit.fused, place)?);
                if fused.gradient.is_empty() {
                    continue;
                }
                let slopes = self.ok(tensor_gradient(&self.tracked, x, y, &left, &right))?;
                let off = deviation(&slopes, &fused.gradient);
                gradients = gradients.max(self.within("fused gradient", off, limit.fused_gradients, place)?);
            }
        }
        Ok(Some((values, gradients)))
    }

    fn round_trip(&self) -> Outcome<()> {
        let property = "parameter round trip";
        let zero = vec![0; self.dim];
        let start = self.ok(parameters(&self.plain))?;
        let before = self.block(&self.x, &zero, &self.y, &zero)?;
        let moved: Vec<f64> = start.iter().enumerate().map(|(k, p)| p + 0.01 * (k as f64 + 1.0).sin()).collect();
        let other = self.ok(with_parameters(self.plain.clone(), &moved))?;
        if self.ok(parameters(&other))? != moved {
            return self.violated(property, "parameters read back differ from those written".into());
        }
        let back = self.ok(with_parameters(other.clone(), &start))?;
        let loaded = match other.try_load_record(self.plain.clone().into_record()) {
            Ok(loaded) => loaded,
            Err(e) => return self.violated(property, format!("the record of a kernel does not load: {e:?}")),
        };
        for (how, kernel) in [("written back", back), ("loaded from a record", loaded)] {
            let ones = self.uniform(&zero, self.x.len());
            let after = self.ok(tensor_block(&kernel, At::new(&self.x, &ones), At::new(&self.y, &ones)))?;
            if after != before {
                return self.violated(property, format!("values change after parameters were {how}"));
            }
        }
        Ok(())
    }
}

/// Shifts and weights of the extrapolated central difference quotient of step `h`.
fn quotient(h: f64) -> impl Iterator<Item = (f64, f64)> {
    // Extrapolation to zero from the nodes 1..=N weighs node k by (−1)^{k+1} C(N, k).
    let mut binomial = 1.0;
    (1..=NODES).flat_map(move |k| {
        binomial *= (NODES + 1 - k) as f64 / k as f64;
        let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
        let (shift, c) = (k as f64 * h, sign * binomial / (2.0 * k as f64 * h));
        [(shift, c), (-shift, -c)]
    })
}

fn transposed(block: &[f64], columns: usize) -> Vec<f64> {
    let rows = block.len() / columns;
    (0..columns).flat_map(|j| (0..rows).map(move |i| block[i * columns + j])).collect()
}

/// Largest absolute value; NaN if there is one.
fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |m: f64, v| if v.is_nan() || v.abs() > m { v.abs() } else { m })
}

fn scale(values: &[f64]) -> f64 {
    largest(values.iter().copied()).max(f64::MIN_POSITIVE)
}

/// `max |a − b| / max |a|`.
fn deviation(a: &[f64], b: &[f64]) -> f64 {
    largest(a.iter().zip(b).map(|(a, b)| a - b)) / scale(a)
}
