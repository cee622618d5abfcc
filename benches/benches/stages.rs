//! Each stage of an outer step by itself, by number of rows: `cargo bench --bench stages`.
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use hyperpde::bilevel::Event;
use hyperpde::burn::module::Module;
use hyperpde::gp::{Assembly, StageTimes};
use hyperpde::kernels::fused::{Coefficients, FunctionalSet, Pair, Target};
use hyperpde::kernels::{JetSpace, Kernel, PointJets, tensor_to_vec};
use hyperpde::linalg::{Cholesky, JitterPolicy};
use hyperpde::prelude::*;
use hyperpde_benches::case::Case;

const SIZES: [usize; 5] = [300, 600, 1200, 2400, 4800];
type Failure = Box<dyn std::error::Error>;

/// Points, operators and coefficients of rows like those of Burgers: `u_t + c u + u_x − ν u_xx`.
fn rows(n: usize) -> Result<(Points, Vec<Operator>, Coefficients), Failure> {
    let points = Points::new(2, (0..2 * n).map(|k| (k as f64 * 0.618_033_988_75).fract()).collect())?;
    let operators = vec![Operator::partial(2, 0), Operator::partial(2, 1), Operator::second(2, 1)];
    let ones = vec![1.0; n];
    let b = vec![ones.clone(), ones.clone()];
    let a = vec![Vec::new(), vec![-0.02; n]];
    Ok((points, operators, Coefficients { c: ones, b, a }))
}

fn point_jets(criterion: &mut Criterion) -> Result<(), Failure> {
    let mut group = criterion.benchmark_group("point_jets");
    let kernel = Case::Burgers.kernel(&hyperpde_config::Target::default().open()?)?.valid();
    let device = Backend::default().device()?;
    for n in SIZES {
        let (points, operators, _) = rows(n)?;
        let space = JetSpace::of_operators(2, &operators);
        group.bench_function(BenchmarkId::from_parameter(n), |b| {
            b.iter(|| PointJets::new(&kernel, &points, &space, &device).map(|j| j.feature_vector().1));
        });
    }
    Ok(())
}

fn assembly(criterion: &mut Criterion) -> Result<(), Failure> {
    let kernel = Case::Burgers.kernel(&hyperpde_config::Target::default().open()?)?.valid();
    let device = Backend::default().device()?;
    let form = kernel.form(2).ok_or("the kernel has no fused form")?;
    for n in SIZES {
        let (points, operators, coefficients) = rows(n)?;
        let jets = PointJets::new(&kernel, &points, &JetSpace::of_operators(2, &operators), &device)?;
        let (slots, flat) = jets.feature_vector();
        let features = slots.read(&tensor_to_vec(flat)?);
        let set = FunctionalSet::new(form, &points, &coefficients, &features)?;
        let pair = Pair { x: &set, y: &set, lower: true };
        let mut data = vec![0.0; n * n];
        criterion.benchmark_group("assembly").bench_function(BenchmarkId::from_parameter(n), |b| {
            b.iter(|| pair.forward(Target { data: &mut data, ld: n, row: 0, column: 0, add: false }));
        });
        let (left, right) = (vec![1.0; n], vec![0.5; n]);
        criterion.benchmark_group("adjoint_assembly").bench_function(BenchmarkId::from_parameter(n), |b| {
            b.iter(|| black_box(pair.adjoint(&[(&left, &right), (&right, &left)])));
        });
    }
    Ok(())
}

fn factorisation(criterion: &mut Criterion) -> Result<(), Failure> {
    for n in SIZES {
        let entry =
            |k: usize| (-((k / n).abs_diff(k % n) as f64) / 50.0).exp() + f64::from(u8::from(k.is_multiple_of(n + 1)));
        let matrix: Vec<f64> = (0..n * n).map(entry).collect();
        let factor = |buffer: Vec<f64>| Cholesky::factor(buffer, n, &JitterPolicy::none(), &mut |_| {});
        criterion.benchmark_group("factorisation").bench_function(BenchmarkId::from_parameter(n), |b| {
            b.iter_batched(|| matrix.clone(), factor, BatchSize::LargeInput);
        });
        let cholesky = factor(matrix)?;
        let mut x = vec![1.0; n];
        criterion.benchmark_group("solve").bench_function(BenchmarkId::from_parameter(n), |b| {
            b.iter(|| {
                x.fill(1.0);
                cholesky.solve_in_place(&mut x, 1)
            });
        });
    }
    Ok(())
}

fn whole_step(criterion: &mut Criterion) -> Result<(), Failure> {
    for case in Case::ALL {
        for n in SIZES {
            let mut run = case.run(
                n,
                1_000_000,
                Assembly::Auto,
                &StageTimes::default(),
                &hyperpde_config::Target::default().open()?,
            )?;
            let name = format!("step_{}", case.name());
            criterion.benchmark_group(name).bench_function(BenchmarkId::from_parameter(n), |b| {
                b.iter(|| matches!(run.step(), Ok(Event::Outer(_))));
            });
        }
    }
    Ok(())
}

/// Runs all stages; a set-up that fails ends the program with its reason.
fn all(criterion: &mut Criterion) {
    for stage in [point_jets, assembly, factorisation, whole_step] {
        if let Err(e) = stage(criterion) {
            eprintln!("error: {e}");
            std::process::exit(1);
        }
    }
}

fn quick() -> Criterion {
    let time = Duration::from_millis(500);
    Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(time)
}

criterion_group!(name = stages; config = quick(); targets = all);
criterion_main!(stages);
