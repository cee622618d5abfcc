//! A domain that the library does not know: the unit disc, written here, with Poisson's equation solved on it under
//! Dirichlet and under Neumann conditions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::f64::consts::{PI, TAU};
use std::sync::Arc;

use hyperpde::bilevel::{Bilevel, BilevelSettings};
use hyperpde::geometry::{Axis, GeometryError, Rng};
use hyperpde::pde::PdeError;
use hyperpde::prelude::*;

/// The part of the unit circle between two angles.
#[derive(Debug)]
struct Bow {
    name: &'static str,
    from: f64,
    to: f64,
}

impl Patch for Bow {
    fn name(&self) -> &str {
        self.name
    }

    fn dim(&self) -> usize {
        2
    }

    fn measure(&self) -> f64 {
        self.to - self.from
    }

    fn contains(&self, x: &[f64]) -> bool {
        let angle = x[1].atan2(x[0]).rem_euclid(TAU);
        (x[0].hypot(x[1]) - 1.0).abs() < 1e-9 && (self.from - 1e-9..=self.to + 1e-9).contains(&angle)
    }

    fn normal(&self, x: &[f64]) -> Vec<f64> {
        x.to_vec()
    }

    fn sample(&self, n: usize, sampler: Sampler, rng: &mut dyn Rng) -> Result<Points, GeometryError> {
        sampler.place(n, 1, rng, |s| {
            let angle = self.from + (self.to - self.from) * s[0];
            vec![angle.cos(), angle.sin()]
        })
    }
}

#[derive(Debug)]
struct Disc {
    axes: [Axis; 2],
}

impl Disc {
    fn new() -> Self {
        Self { axes: ["x", "y"].map(|name| Axis::new(name, -1.0, 1.0)) }
    }
}

impl Geometry for Disc {
    fn axes(&self) -> &[Axis] {
        &self.axes
    }

    fn contains(&self, x: &[f64]) -> bool {
        x.len() == 2 && x[0].hypot(x[1]) <= 1.0 + 1e-9
    }

    fn boundary(&self) -> Vec<Arc<dyn Patch>> {
        vec![
            Arc::new(Bow { name: "quarter", from: 0.0, to: 0.5 * PI }),
            Arc::new(Bow { name: "rest", from: 0.5 * PI, to: TAU }),
        ]
    }
}

/// `u = e^x sin 2y`.
fn exact(x: &[f64]) -> f64 {
    x[0].exp() * (2.0 * x[1]).sin()
}

/// `∇u`.
fn gradient(x: &[f64]) -> [f64; 2] {
    [exact(x), 2.0 * x[0].exp() * (2.0 * x[1]).cos()]
}

/// `−Δu = 3 e^x sin 2y`.
struct Poisson;

impl Residual for Poisson {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::laplacian(0, 2)]
    }

    fn eval<D: Number>(&self, x: &[f64], u: &[D]) -> Vec<D> {
        vec![-u[0] - 3.0 * exact(x)]
    }
}

fn problem(on_rest: fn(&Arc<dyn Patch>) -> Condition) -> Problem {
    let disc = Disc::new();
    let grid = TestGrid::uniform(&disc, &[21, 21]).unwrap();
    Problem::builder("disc", Disc::new())
        .equations(Poisson)
        .condition(Condition::value_on(&disc.patch("quarter").unwrap(), 0, exact))
        .condition(on_rest(&disc.patch("rest").unwrap()))
        .test_grid(grid)
        .build()
        .unwrap()
}

fn dirichlet(patch: &Arc<dyn Patch>) -> Condition {
    Condition::value_on(patch, 0, exact)
}

/// `∂u/∂n = x u_x + y u_y` on the unit circle.
fn neumann(patch: &Arc<dyn Patch>) -> Condition {
    Condition::normal(patch, 0, |x| x[0] * gradient(x)[0] + x[1] * gradient(x)[1])
}

/// `2 u + 3 ∂u/∂n`.
fn robin(patch: &Arc<dyn Patch>) -> Condition {
    Condition::robin_normal(patch, 0, (2.0, 3.0), |x| {
        2.0 * exact(x) + 3.0 * (x[0] * gradient(x)[0] + x[1] * gradient(x)[1])
    })
}

const SIZES: SampleSizes = SampleSizes { interior: 150, boundary: 60, validation: 20 };

#[test]
fn points_and_rows_are_those_of_the_disc() {
    let problem = problem(robin);
    let c = problem.sample(&SIZES, Sampler::Halton, 1).unwrap();
    assert_eq!((c.interior.len(), c.pool.len()), (150, 20));
    assert!(c.interior.rows().chain(c.pool.rows()).all(|x| x[0].hypot(x[1]) <= 1.0));
    // A quarter of the circle has a quarter of the points.
    assert_eq!(c.boundary.iter().map(RowBlock::len).collect::<Vec<_>>(), [15, 45]);
    // The rows, applied to the solution: coefficients n_1 and n_2 of the two slopes.
    let [value, d_x, d_y] = c.boundary[1].terms() else { panic!("three terms") };
    for (i, x) in c.boundary[1].sites()[0].rows().enumerate() {
        let g = gradient(x);
        let row = value.coefficients[i] * exact(x) + d_x.coefficients[i] * g[0] + d_y.coefficients[i] * g[1];
        assert!((row - c.boundary[1].rhs()[i]).abs() < 1e-14 * row.abs().max(1.0));
        assert_eq!(d_x.coefficients[i], 3.0 * x[0]);
    }
    assert_eq!((&d_x.operator, &d_y.operator), (&Operator::partial(2, 0), &Operator::partial(2, 1)));
    let grid = problem.test_grid();
    assert!(grid.points().len() == grid.nodes().len() && grid.points().len() < 441);
    for (x, &node) in grid.points().rows().zip(grid.nodes()) {
        assert_eq!((x[0], x[1]), (grid.axes()[0][node / 21], grid.axes()[1][node % 21]));
        assert!(x[0].hypot(x[1]) < 1.0 + 1e-9);
    }
    // The box around the disc is what callers see that need one.
    assert!(problem.geometry().as_box().is_none());
    assert_eq!(problem.domain().names(), ["x", "y"]);
}

#[test]
fn poisson_is_solved_on_the_disc() {
    for condition in [dirichlet, neumann, robin] {
        let problem = problem(condition);
        let collocation = problem.sample(&SIZES, Sampler::Halton, 1).unwrap();
        let kernel = GaussianConfig::isotropic(0.7).init(&Backend::default().device().unwrap()).unwrap();
        let settings =
            BilevelSettings { nugget: 1e-12, ..BilevelSettings::published(problem.defaults(), 0).frozen(1, 1e-12) };
        let outcome = Bilevel::init(&problem, collocation, vec![kernel], settings).unwrap().run(&mut ()).unwrap();
        let points = problem.test_grid().points();
        let values = outcome.last.values(0, points).unwrap();
        let worst = points.rows().zip(values).fold(0.0_f64, |w, (x, u)| w.max((u - exact(x)).abs()));
        println!("largest error {worst:.1e}");
        assert!(worst < 1e-4, "{worst:.1e}");
    }
}

#[test]
fn what_only_boxes_have_is_refused() {
    let builder = || {
        let grid = TestGrid::uniform(&Disc::new(), &[5, 5]).unwrap();
        Problem::builder("disc", Disc::new()).equations(Poisson).test_grid(grid)
    };
    let square = Domain::space([("x", -1.0, 1.0), ("y", -1.0, 1.0)]).unwrap();
    let on_face = Condition::dirichlet(&square, Face::lower(0), 0, exact).unwrap();
    let elsewhere = Condition::value_on(&square.face(Face::lower(0)).unwrap(), 0, exact);
    for (condition, why) in [
        (on_face, "no box"),
        (Condition::periodic(&square, 0, 0, Operator::identity(2)).unwrap(), "no box"),
        (elsewhere, "no part 'x = -1'; there are quarter, rest"),
    ] {
        let error = builder().condition(condition).build().unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    let corners = TestGrid::uniform(&square, &[3, 3]).unwrap();
    assert!(matches!(builder().test_grid(corners).build(), Err(PdeError::Problem { .. })));
    // Points given by hand are held against the disc and its parts.
    let inside = Points::new(2, vec![0.1, 0.1]).unwrap();
    let circle = |angle: f64| Points::new(2, vec![angle.cos(), angle.sin()]).unwrap();
    let problem = problem(dirichlet);
    let given = |interior: &Points, first: f64| {
        problem.collocation_from(interior.clone(), &[circle(first), circle(4.0)], Points::new(2, vec![]).unwrap())
    };
    assert!(given(&inside, 1.0).is_ok());
    assert!(matches!(given(&inside, 2.0), Err(PdeError::Domain(_))), "not in the first quarter");
    let corner = Points::new(2, vec![0.9, 0.9]).unwrap();
    assert!(matches!(given(&corner, 1.0), Err(PdeError::Domain(_))), "in the box, not in the disc");
}
