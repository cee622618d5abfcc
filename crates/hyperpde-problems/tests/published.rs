//! The published experiments: settings, linearised rows, scores, and the observations of the inverse problem.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// Indices name equation, unknown and point in arrays of different shapes; iterators would hide which is which.
#![allow(clippy::needless_range_loop)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyperpde_gp::RowBlock;
use hyperpde_kernels::{Operator, Points};
use hyperpde_pde::{
    ClosedForm, Collocation, Computed, Defaults, Equations, Linearised, NumericalSolution, Observations, PdeError,
    Problem, Reference, SampleSizes, Sampler, Score, Unknown,
};
use hyperpde_problems::reference::ReferenceError;
use hyperpde_problems::{Burgers, Darcy, Eikonal, Elliptic, GrayScott, GrayScottCase, Schrodinger, by_name};

fn points() -> Points {
    Points::new(2, vec![0.1, 0.9, 0.5, 0.3, 0.8, 0.7]).unwrap()
}

/// Some iterate, `[m][3]`.
fn iterate(unknowns: usize) -> Vec<Vec<f64>> {
    (0..unknowns).map(|j| (0..3).map(|i| ((3 * j + i) as f64 * 1.7 + 0.4).sin() * 1.5).collect()).collect()
}

/// Holds one equation at one point against its published row: coefficients in the order of the unknowns, and right-hand side.
fn assert_row(lin: &Linearised, equation: usize, point: usize, coefficients: &[f64], rhs: f64) {
    let got: Vec<f64> = lin.coefficients[equation].iter().map(|c| c[point]).collect();
    assert_eq!(got.len(), coefficients.len());
    for (j, (a, b)) in got.iter().zip(coefficients).enumerate() {
        assert!((a - b).abs() < 1e-13 * (1.0 + b.abs()), "equation {equation}, unknown {j}: {a} against {b}");
    }
    let b = lin.rhs[equation][point];
    assert!((b - rhs).abs() < 1e-12 * (1.0 + rhs.abs()), "equation {equation}: rhs {b} against {rhs}");
}

#[test]
fn elliptic_rows() {
    use std::f64::consts::PI;
    let (x, u) = (points(), iterate(2));
    let equation = Elliptic::default();
    assert_eq!(Equations::unknowns(&equation), [Unknown::laplacian(0, 2), Unknown::value(0, 2)]);
    let lin = equation.linearise(&x, &u).unwrap();
    for (i, p) in x.rows().enumerate() {
        let mode = |k: f64| (k * PI * p[0]).sin() * (k * PI * p[1]).sin();
        let exact = mode(1.0) + 4.0 * mode(4.0);
        let f = 2.0 * PI * PI * mode(1.0) + 128.0 * PI * PI * mode(4.0) + exact.powi(3);
        let uk = u[1][i];
        assert_row(&lin, 0, i, &[-1.0, 3.0 * uk * uk], 2.0 * uk.powi(3) + f);
    }
}

#[test]
fn burgers_rows_are_the_published_linearisation() {
    let x = points();
    let u = iterate(4);
    let burgers = Burgers::new(0.03).unwrap();
    let lin = burgers.linearise(&x, &u).unwrap();
    for i in 0..3 {
        let expected = [1.0, u[3][i], -0.03, u[1][i]];
        for (j, c) in expected.iter().enumerate() {
            assert!((lin.coefficients[0][j][i] - c).abs() < 1e-15);
        }
        assert!((lin.rhs[0][i] - u[3][i] * u[1][i]).abs() < 1e-14);
    }
}

#[test]
fn eikonal_rows_are_the_published_linearisation() {
    let x = points();
    let u = iterate(3);
    let lin = Eikonal::default().linearise(&x, &u).unwrap();
    for i in 0..3 {
        let expected = [2.0 * u[0][i], 2.0 * u[1][i], -0.01];
        for (j, c) in expected.iter().enumerate() {
            assert!((lin.coefficients[0][j][i] - c).abs() < 1e-15);
        }
        assert!((lin.rhs[0][i] - 1.0 - u[0][i].powi(2) - u[1][i].powi(2)).abs() < 1e-14);
    }
}

#[test]
fn eikonal_is_set_up_as_published() {
    let problem = Eikonal::default().problem().unwrap();
    assert_eq!(problem.boundary_allotment(300).unwrap(), [75; 4]);
    let sides: Vec<&str> = problem.patches().iter().map(|p| p.name()).collect();
    assert_eq!(sides, ["y = 0", "x = 1", "y = 1", "x = 0"]);
    let grid = problem.test_grid();
    assert_eq!(grid.shape(), [100, 100]);
    assert!((grid.axes()[0][0] - 1.0 / 1001.0).abs() < 1e-16 && (grid.axes()[1][99] - 991.0 / 1001.0).abs() < 1e-15);
    assert_eq!((problem.defaults().nugget, problem.defaults().gauss_newton_steps), (1e-8, 30));
    let unknowns = problem.equations().unknowns();
    assert!(unknowns.iter().all(|q| !q.operator.is_identity()), "the value of u is not a functional of the equation");
    for epsilon in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(Eikonal::new(epsilon), Err(PdeError::Setting { .. })));
    }
}

#[test]
fn gray_scott_rows() {
    let (x, q) = (points(), iterate(6));
    let lin = GrayScott::default().linearise(&x, &q).unwrap();
    for i in 0..3 {
        let (u, v) = (q[2][i], q[5][i]);
        // u v² → v_k² u + 2 u_k v_k v − 2 u_k v_k².
        let (cu, cv, rest) = (v * v, 2.0 * u * v, 2.0 * u * v * v);
        assert_row(&lin, 0, i, &[1.0, -1e-3, cu + 0.04, 0.0, 0.0, cv], rest + 0.04);
        assert_row(&lin, 1, i, &[0.0, 0.0, -cu, 1.0, -2e-3, 0.1 - cv], -rest);
    }
}

#[test]
fn schrodinger_rows() {
    let (x, q) = (points(), iterate(6));
    let lin = Schrodinger.linearise(&x, &q).unwrap();
    for i in 0..3 {
        let (u, v) = (q[2][i], q[5][i]);
        // v_xx = 2(−u_t − [u_k² v + 2u_k v_k u − 2u_k² v_k + 3v_k² v − 2v_k³]).
        assert_row(&lin, 0, i, &[1.0, 0.0, 2.0 * u * v, 0.0, 0.5, u * u + 3.0 * v * v], 2.0 * (u * u * v + v.powi(3)));
        // u_xx = 2(v_t − [3u_k² u − 2u_k³ + v_k² u + 2u_k v_k v − 2v_k² u_k]).
        assert_row(
            &lin,
            1,
            i,
            &[0.0, -0.5, -(3.0 * u * u + v * v), 1.0, 0.0, -2.0 * u * v],
            -2.0 * (u.powi(3) + u * v * v),
        );
    }
}

#[test]
fn darcy_rows() {
    let (x, q) = (points(), iterate(7));
    let equation = Darcy::default();
    let expected = [
        Unknown::partial(1, 2, 0),
        Unknown::partial(1, 2, 1),
        Unknown::value(1, 2),
        Unknown::partial(0, 2, 0),
        Unknown::partial(0, 2, 1),
        Unknown::laplacian(0, 2),
        Unknown::value(0, 2),
    ];
    assert_eq!(Equations::unknowns(&equation), expected);
    let lin = equation.linearise(&x, &q).unwrap();
    for i in 0..3 {
        let [a_x, a_y, a, u_x, u_y] = [0, 1, 2, 3, 4].map(|j| q[j][i]);
        let decay = (-a).exp();
        let rhs = a_x * u_x + a_y * u_y - decay * (1.0 + a);
        assert_row(&lin, 0, i, &[u_x, u_y, -decay, a_x, a_y, 1.0, 0.0], rhs);
    }
}

fn shares(problem: &Problem) -> Vec<usize> {
    problem.boundary_allotment(problem.defaults().boundary).unwrap()
}

#[test]
fn published_settings() {
    let common = Defaults {
        interior: 900,
        boundary: 300,
        validation: 900,
        batch: 200,
        gauss_newton_steps: 30,
        outer_steps: 50,
        learning_rate: 1e-2,
        loss_tolerance: 1e-5,
        nugget: 1e-10,
    };
    let elliptic = by_name("elliptic").unwrap();
    assert_eq!(*elliptic.defaults(), common);
    assert_eq!((elliptic.test_grid().shape(), shares(&elliptic)), (vec![60, 60], vec![75; 4]));

    for name in ["gray-scott", "gray-scott-a", "gray-scott-b", "gray-scott-c"] {
        let problem = by_name(name).unwrap();
        let sizes = Defaults { interior: 600, boundary: 400, validation: 600, gauss_newton_steps: 20, ..common };
        assert_eq!(*problem.defaults(), sizes);
        // t = 0, x = 1, x = 0: 267 points with Neumann conditions, as published.
        assert_eq!((problem.test_grid().shape(), shares(&problem)), (vec![101, 201], vec![133, 133, 134]));
        assert_eq!(problem.conditions().len(), 6);
    }

    let schrodinger = by_name("schrodinger").unwrap();
    assert_eq!(*schrodinger.defaults(), Defaults { interior: 1500, boundary: 200, validation: 1500, ..common });
    assert_eq!((schrodinger.test_grid().shape(), shares(&schrodinger)), (vec![101, 128], vec![200]));
    let x = &schrodinger.test_grid().axes()[1];
    assert_eq!((x[0], x[64]), (-5.0, 0.0));
    assert!((x[127] - (5.0 - 10.0 / 128.0)).abs() < 1e-15);

    let darcy = by_name("darcy").unwrap();
    let expected = Defaults {
        interior: 400,
        boundary: 100,
        validation: 400,
        batch: 60,
        outer_steps: 100,
        learning_rate: 1e-3,
        nugget: 1e-5,
        ..common
    };
    assert_eq!(*darcy.defaults(), expected);
    assert_eq!((darcy.fields(), shares(&darcy)), (&["u".to_owned(), "a".to_owned()][..], vec![25; 4]));
    let data = &darcy.observations()[0];
    assert_eq!((data.count(), data.noise_std(), data.field()), (60, 1e-3, 0));
}

#[test]
fn gray_scott_starts_from_the_published_data() {
    use std::f64::consts::PI;
    type Initial = fn(f64) -> [f64; 2];
    let published: [(GrayScottCase, Initial); 4] = [
        (GrayScottCase::Base, |x| [-(3.0 * PI * x + PI / 2.0).sin(), (2.0 * PI * x).cos()]),
        (GrayScottCase::A, |x| [(7.0 * PI * x + PI / 2.0).sin(), -(2.0 * PI * x).cos()]),
        (GrayScottCase::B, |x| [-(4.0 * PI * x).cos(), (5.0 * PI * x + PI / 2.0).sin()]),
        (GrayScottCase::C, |x| [(8.0 * PI * x).cos(), (5.0 * PI * x).cos()]),
    ];
    for (case, initial) in published {
        for x in [0.0, 0.13, 0.5, 0.77, 1.0] {
            for (a, b) in case.initial(x).into_iter().zip(initial(x)) {
                assert!((a - b).abs() < 1e-14, "{case:?} at {x}: {a} against {b}");
            }
        }
    }
}

#[test]
fn scores_are_functions_of_the_fields() {
    let problem = by_name("schrodinger").unwrap();
    let names: Vec<&str> = problem.scores().iter().map(Score::name).collect();
    assert_eq!(names, ["u", "v", "|h|"]);
    // A wrong phase shows in u and v, not in |h|.
    let (p, r) = (vec![vec![3.0, 0.0], vec![4.0, -1.0]], vec![vec![-3.0, 1.0], vec![4.0, 0.0]]);
    let errors = problem.errors(&p, &r).unwrap();
    assert_eq!(errors.iter().map(|(_, e)| e.linf).collect::<Vec<_>>(), [6.0, 1.0, 0.0]);

    let darcy = by_name("darcy").unwrap();
    let permeability = darcy.scores()[2].evaluate(&[vec![0.0], vec![7.52_f64.ln()]]).unwrap();
    assert!((permeability[0] - 7.52).abs() < 1e-14);
    assert_eq!(by_name("gray-scott").unwrap().scores().iter().map(Score::name).collect::<Vec<_>>(), ["u", "v"]);

    let one = vec![vec![1.0]];
    assert!(matches!(problem.errors(&one, &r), Err(PdeError::Shape { .. })));
    assert!(matches!(problem.errors(&[vec![1.0], vec![]], &r), Err(PdeError::Shape { .. })));
    assert!(matches!(problem.errors(&[vec![f64::NAN; 2], vec![0.0; 2]], &r), Err(PdeError::Metrics(_))));
}

fn draw(problem: &Problem, interior: usize, seed: u64) -> Result<Collocation, PdeError> {
    problem.sample(&SampleSizes { interior, boundary: 20, validation: 10 }, Sampler::Uniform, seed)
}

#[test]
fn darcy_is_observed_at_the_first_interior_points() {
    let problem = Darcy::default().problem().unwrap();
    let c = draw(&problem, 400, 3).unwrap();
    let [data] = &c.observations[..] else { panic!("one set") };
    assert_eq!((data.len(), data.noise_variance()), (60, 1e-6));
    assert_eq!(data.sites()[0].as_slice(), &c.interior.as_slice()[..120]);
    assert!(data.terms()[0].operator.is_identity() && data.terms()[0].field == 0);

    let truth = &problem.reference().unwrap().evaluate(&data.sites()[0]).unwrap()[0];
    let noise: Vec<f64> = data.rhs().iter().zip(truth).map(|(y, u)| (y - u) / 1e-3).collect();
    let mean = noise.iter().sum::<f64>() / 60.0;
    let variance = noise.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / 59.0;
    // Five standard deviations of the estimates.
    assert!(
        mean.abs() < 5.0 / 60_f64.sqrt() && (variance - 1.0).abs() < 5.0 * (2.0_f64 / 59.0).sqrt(),
        "{mean}, {variance}"
    );

    assert_eq!(draw(&problem, 400, 3).unwrap().observations[0].rhs(), data.rhs(), "one seed, one noise");
    let more = draw(&problem, 500, 3).unwrap();
    assert_eq!(more.observations[0].rhs(), data.rhs(), "more points leave the data");
    let other: Vec<f64> = {
        let c = draw(&problem, 400, 4).unwrap();
        let truth = &problem.reference().unwrap().evaluate(&c.observations[0].sites()[0]).unwrap()[0];
        c.observations[0].rhs().iter().zip(truth).map(|(y, u)| (y - u) / 1e-3).collect()
    };
    assert!((other[0] - noise[0]).abs() > 1e-6, "another seed, another noise");
    assert!(matches!(draw(&problem, 59, 3), Err(PdeError::Sampling(_))));
}

#[test]
fn simulated_observations_are_checked() {
    let flat: Arc<dyn Reference> = Arc::new(ClosedForm::new("flat", 2, 0.0).field(|_| 2.0));
    let make = |field, count, std| Observations::on_interior("gauge", field, 2, count, flat.clone(), std);
    for result in [make(0, 0, 0.1), make(0, 3, -0.1), make(0, 3, f64::NAN)] {
        assert!(matches!(result, Err(PdeError::Observations { .. })));
    }
    assert!(matches!(Darcy::new(0, 1e-3).problem(), Err(PdeError::Observations { .. })));
    let observed = |field| {
        let domain = hyperpde_pde::Domain::space([("x", 0.0, 1.0), ("y", 0.0, 1.0)]).unwrap();
        let grid = hyperpde_pde::TestGrid::uniform(&domain, &[2, 2]).unwrap();
        Problem::builder("p", domain)
            .fields(["u", "a"])
            .equations(Darcy::default())
            .test_grid(grid)
            .observations(make(field, 3, 0.0).unwrap())
            .build()
            .unwrap()
    };
    let sizes = SampleSizes { interior: 5, boundary: 0, validation: 0 };
    let c = observed(0).sample(&sizes, Sampler::Uniform, 0).unwrap();
    assert_eq!(c.observations[0].rhs(), [2.0; 3], "no noise, no error");
    let wrong = observed(1).sample(&sizes, Sampler::Uniform, 0);
    assert!(matches!(wrong, Err(PdeError::Observations { .. })), "the reference has one field");
}

fn rows_of(block: &RowBlock) -> Vec<(Vec<f64>, f64)> {
    block.sites()[0].rows().map(<[f64]>::to_vec).zip(block.rhs().iter().copied()).collect()
}

#[test]
fn held_out_observations_are_the_rest() {
    let c = draw(&Darcy::new(11, 1e-3).problem().unwrap(), 50, 1).unwrap();
    let all = rows_of(&c.observations[0]);
    let (inner, held_out) = c.split_observations(0.25, 5).unwrap();
    let (a, b) = (rows_of(&inner[0]), rows_of(&held_out[0]));
    assert_eq!((a.len(), b.len()), (8, 3));
    assert!((inner[0].noise_variance() - 1e-6).abs() < 1e-20 && held_out[0].name() == c.observations[0].name());
    // Together they are all, and each keeps the order.
    let position = |r: &(Vec<f64>, f64)| all.iter().position(|o| o == r).unwrap();
    let (pa, pb): (Vec<_>, Vec<_>) = (a.iter().map(position).collect(), b.iter().map(position).collect());
    assert!(pa.is_sorted() && pb.is_sorted());
    let mut union = [pa.clone(), pb.clone()].concat();
    union.sort_unstable();
    assert_eq!(union, (0..11).collect::<Vec<_>>());

    let again = c.split_observations(0.25, 5).unwrap();
    assert_eq!(rows_of(&again.1[0]), b);
    assert!((6..20).any(|seed| rows_of(&c.split_observations(0.25, seed).unwrap().1[0]) != b));

    let (all_inner, none) = c.split_observations(0.0, 5).unwrap();
    assert_eq!((rows_of(&all_inner[0]), none.len()), (all, 0));
    let (one, rest) = c.split_observations(0.99, 5).unwrap();
    assert_eq!((one[0].len(), rest[0].len()), (1, 10), "never all");
    for bad in [-0.1, 1.0, f64::NAN] {
        assert!(matches!(c.split_observations(bad, 0), Err(PdeError::Setting { .. })));
    }
}

#[test]
fn given_observations_can_be_held_out_too() {
    let points = Points::new(2, vec![0.1, 0.2, 0.3, 0.4]).unwrap();
    let set =
        |name: &str| Observations::new(name, 1, Operator::partial(2, 0), points.clone(), vec![1.0, 2.0], 0.5).unwrap();
    let c = {
        let domain = hyperpde_pde::Domain::space([("x", 0.0, 1.0), ("y", 0.0, 1.0)]).unwrap();
        let grid = hyperpde_pde::TestGrid::uniform(&domain, &[2, 2]).unwrap();
        let builder = Problem::builder("p", domain).fields(["u", "a"]).equations(Darcy::default()).test_grid(grid);
        let problem = builder.observations(set("first")).observations(set("second")).build().unwrap();
        assert_eq!(problem.observations()[0].points().unwrap().len(), 2);
        assert_eq!(problem.observations()[1].values().unwrap(), [1.0, 2.0]);
        problem.sample(&SampleSizes { interior: 5, boundary: 0, validation: 0 }, Sampler::Uniform, 0).unwrap()
    };
    let (inner, held_out) = c.split_observations(0.5, 0).unwrap();
    assert_eq!((inner.len(), held_out.len()), (2, 2));
    assert_eq!(inner[1].name(), "second");
    assert_eq!(held_out[0].terms()[0].operator, Operator::partial(2, 0));
    assert_eq!(held_out[0].terms()[0].field, 1);
}

#[test]
fn computed_references_are_solved_once_and_only_when_asked() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let reference = Computed::new("counter", 2, || {
        RUNS.fetch_add(1, Ordering::Relaxed);
        Ok(NumericalSolution::new(0.5, |x| Ok(vec![x.chunks(2).map(|p| p[0]).collect()])))
    });
    assert_eq!(RUNS.load(Ordering::Relaxed), 0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(reference.evaluate(&points()).unwrap(), [[0.1, 0.5, 0.8]]));
        }
    });
    assert_eq!((reference.accuracy(), RUNS.load(Ordering::Relaxed)), (0.5, 1));
    let line = Points::new(1, vec![0.1, 0.2]).unwrap();
    assert!(matches!(reference.evaluate(&line), Err(PdeError::Shape { .. })));

    let failing = Computed::new("failing", 2, || Err(ReferenceError::NotFinite { solver: "none", time: 0.5 }.into()));
    match failing.evaluate(&points()) {
        Err(e @ PdeError::Reference { .. }) => {
            assert!(e.to_string().contains("'failing'") && e.to_string().contains("t = 0.5"))
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(failing.accuracy(), f64::INFINITY);

    let singular = ClosedForm::new("logarithm", 2, 0.0).field(|x| (x[0] - 0.5).ln());
    assert!(matches!(singular.evaluate(&points()), Err(PdeError::Reference { .. })));
    assert!(matches!(singular.evaluate(&line), Err(PdeError::Shape { .. })));
}

#[test]
fn folds_hold_out_every_observation_once_and_fit_the_others() {
    let points = Points::new(1, (1..8).map(|i| f64::from(i) / 8.0).collect()).unwrap();
    let set = |name: &str, n: usize| {
        let points = points.select(&(0..n).collect::<Vec<_>>()).unwrap();
        // The right-hand side tells which observation it is.
        let rhs = (0..n).map(|i| i as f64).collect();
        RowBlock::simple(name, 0, Operator::identity(1), points, rhs, 0.25).unwrap()
    };
    let collocation = Collocation {
        interior: points.clone(),
        boundary: Vec::new(),
        pool: Points::new(1, Vec::new()).unwrap(),
        observations: vec![set("seven", 7), set("five", 5)],
        boundary_pool: Vec::new(),
    };
    for count in 2..=5 {
        let folds = collocation.observation_folds(count, 11).unwrap();
        assert_eq!(folds.len(), count);
        for (s, all) in collocation.observations.iter().enumerate() {
            let mut held_out = Vec::new();
            for fold in &folds {
                let (fitted, out) = (&fold.fitted[s], &fold.held_out[s]);
                assert_eq!((out.name(), out.noise_variance()), (all.name(), 0.25));
                // Sizes differ by one at most, so that no fold is judged on next to nothing.
                assert!((all.len() / count..=all.len().div_ceil(count)).contains(&out.len()));
                let mut both = [fitted.rhs(), out.rhs()].concat();
                both.sort_by(f64::total_cmp);
                assert_eq!(both, all.rhs(), "a fold is a division of the set");
                for (rhs, x) in out.rhs().iter().zip(out.sites()[0].rows()) {
                    assert_eq!(x, points.row(*rhs as usize), "points go with their data");
                }
                held_out.extend_from_slice(out.rhs());
            }
            held_out.sort_by(f64::total_cmp);
            assert_eq!(held_out, all.rhs(), "each is held out once");
        }
    }
    let again = |seed| collocation.observation_folds(3, seed).unwrap()[0].held_out[0].rhs().to_vec();
    assert_eq!(again(1), again(1));
    assert!((2..20).any(|seed| again(seed) != again(1)));
    for bad in [0, 1, 6] {
        assert!(matches!(collocation.observation_folds(bad, 1), Err(PdeError::Setting { .. })));
    }
}
