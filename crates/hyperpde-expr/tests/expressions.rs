//! Expressions against an oracle: random trees that the test writes as text and differentiates by dual numbers itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde_expr::{Names, System, constant};
use hyperpde_kernels::Points;
use hyperpde_pde::{Dual64, DualNum, Equations, Unknown};
use random::Random;

#[path = "../../../tests/common/random.rs"]
mod random;

fn names() -> Names {
    Names {
        coordinates: vec!["t".into(), "x".into()],
        time: true,
        fields: vec!["u".into(), "v".into()],
        parameters: vec![("nu".into(), -0.7)],
    }
}

/// The unknowns of the random equations, as text.
const UNKNOWNS: [&str; 4] = ["u", "u_x", "v_xt", "lap(v)"];

fn unknowns() -> Vec<Unknown> {
    vec![Unknown::value(0, 2), Unknown::partial(0, 2, 1), Unknown::derivative(1, vec![1, 1]), Unknown::second(1, 2, 1)]
}

/// A random expression as text, and its value from dual numbers `[t, x, unknowns]`.
fn random(rng: &mut Random, depth: usize, q: &[Dual64]) -> (String, Dual64) {
    if depth == 0 {
        return match rng.below(9) {
            0 => ("t".into(), q[0]),
            1 => ("x".into(), q[1]),
            2 => ("nu".into(), Dual64::from(-0.7)),
            3 => ("pi".into(), Dual64::from(std::f64::consts::PI)),
            4 => ("2.5e-1".into(), Dual64::from(0.25)),
            k => (UNKNOWNS[k as usize - 5].into(), q[k as usize - 3]),
        };
    }
    let (a, x) = random(rng, depth - 1, q);
    match rng.below(14) {
        // The sign comes after the power.
        0 => (format!("-({a})^2"), -(x * x)),
        1 => (format!("sin({a})"), x.sin()),
        2 => (format!("cos({a})"), x.cos()),
        3 => (format!("tanh({a})"), x.tanh()),
        4 => (format!("exp(-({a})^2)"), (-(x * x)).exp()),
        5 => (format!("ln(1 + ({a})^2)"), (x * x + 1.0).ln()),
        6 => (format!("sqrt(2 + sin({a}))"), (x.sin() + 2.0).sqrt()),
        7 => (format!("atan({a})"), x.atan()),
        8 => (format!("({a})^3"), x.powi(3)),
        9 => (format!("abs({a})"), if x.re < 0.0 { -x } else { x }),
        k => {
            let (b, y) = random(rng, depth - 1, q);
            match k {
                10 => (format!("({a}) + ({b})"), x + y),
                11 => (format!("({a})-({b})"), x - y),
                12 => (format!("({a})*({b})"), x * y),
                _ => (format!("({a})/(3 + ({b})^2)"), x / (y * y + 3.0)),
            }
        }
    }
}

#[test]
fn values_and_derivatives_are_those_of_dual_numbers() {
    let (mut checked, n) = (0, 3);
    for seed in 0..300 {
        let data: Vec<Vec<f64>> = {
            let mut rng = Random(seed + 1000);
            (0..6).map(|_| (0..n).map(|_| rng.number()).collect()).collect()
        };
        // The same stream of choices for each point and seed of a dual number.
        let at = |i: usize, seeded_unknown: Option<usize>| {
            let q: Vec<Dual64> = (0..6)
                .map(|k| Dual64::new(data[k][i], f64::from(u8::from(seeded_unknown.is_some_and(|j| j + 2 == k)))))
                .collect();
            random(&mut Random(seed), 1 + (seed % 4) as usize, &q)
        };
        // u keeps the equation from being without fields.
        let text = format!("{} + 0*u = 0", at(0, None).0);
        let system = System::parse(&[&text], &names(), unknowns()).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        let points = Points::new(2, (0..n).flat_map(|i| [data[0][i], data[1][i]]).collect()).unwrap();
        let u = data[2..].to_vec();
        let rows = system.linearise(&points, &u).unwrap_or_else(|e| panic!("{text}: {e}"));
        let residual = system.residual(&points, &u).unwrap();
        for (i, ours) in residual[0].iter().enumerate() {
            let value = at(i, None).1.re;
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-11 * a.abs().max(b.abs()).max(1.0);
            assert!(close(*ours, value), "{text}: {ours} and {value}");
            for (j, name) in UNKNOWNS.iter().enumerate() {
                let derivative = at(i, Some(j)).1.eps;
                let ours = rows.coefficients[0][j][i];
                assert!(close(ours, derivative), "{text} by {name}: {ours} and {derivative}");
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 3600);
}

#[test]
fn precedence_is_that_of_mathematics() {
    let cases = [
        ("-2^2", -4.0),
        ("2^-1", 0.5),
        ("2^3^2", 512.0),
        ("(-2)^3", -8.0),
        ("8/2*3", 12.0),
        ("8-3+2", 7.0),
        ("2+3*4^2", 50.0),
        ("-nu", 0.7),
        ("nu^2", 0.49),
        ("1e-3*2E3", 2.0),
        ("abs(-3.5) + log(exp(2)) + log10(1000)", 8.5),
        ("2*pi/pi - - 1", 3.0),
    ];
    for (text, value) in cases {
        let ours = constant(text, &names(), "a number").unwrap_or_else(|e| panic!("{text}: {e}"));
        assert!((ours - value).abs() < 1e-14 * value.abs().max(1.0), "{text} = {ours}, not {value}");
    }
}

#[test]
fn long_sums_are_read_in_time() {
    let text = (1..400).map(|k| format!("sin({k}*x)/{k}")).collect::<Vec<_>>().join(" + ");
    let started = std::time::Instant::now();
    let text = format!("u_t + u*({}) = {text}", "u + ".repeat(60) + "1");
    let system = System::parse(&[&text], &names(), Vec::new()).unwrap();
    assert_eq!(system.unknowns().len(), 2);
    assert!(started.elapsed().as_secs_f64() < 5.0, "{:?}", started.elapsed());
}

/// On a stack of 256 kB: what is deep or long needs no more than what is short.
#[test]
fn long_and_deep_expressions_take_little_stack_and_time() {
    let linearised = |text: String| {
        let started = std::time::Instant::now();
        let system = System::parse(&[&text], &names(), Vec::new()).map_err(|(_, fault)| fault)?;
        let u = vec![vec![0.5, 0.9]; system.unknowns().len()];
        let rows = system.linearise(&Points::new(2, vec![0.1, 0.2, 0.3, 0.4]).unwrap(), &u).unwrap();
        assert!(started.elapsed().as_secs_f64() < 2.0, "{:?} for {text}", started.elapsed());
        Ok::<_, hyperpde_expr::ExpressionError>(rows.coefficients[0][0][1])
    };
    let checks = move || {
        let product = linearised(format!("{} = 0", ["u"; 4_000].join("*"))).unwrap();
        assert!((product / (4_000.0 * 0.9_f64.powi(3_999)) - 1.0).abs() < 1e-11, "{product}");
        assert_eq!(linearised(format!("{} = 0", ["u"; 4_000].join("+"))).unwrap(), 4_000.0);
        let nested = linearised(format!("{}u{} = 0", "-(".repeat(30), ")".repeat(30))).unwrap();
        assert_eq!(nested, 1.0);
        // u^u^...^u, 20 high, against finite differences.
        let tower = |u: f64| (0..19).fold(u, |top, _| u.powf(top));
        let slope = linearised(format!("{} = 0", ["u"; 20].join("^"))).unwrap();
        assert!((slope - (tower(0.9 + 1e-6) - tower(0.9 - 1e-6)) / 2e-6).abs() < 1e-8, "{slope}");
        for deep in ["(".repeat(9_000), "-".repeat(9_000), "sin(".repeat(2_000), "u^".repeat(4_000)] {
            assert!(linearised(format!("{deep}u = 0")).unwrap_err().message.contains("nested more than 64 deep"));
        }
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(checks).unwrap().join().unwrap();
}

#[test]
fn a_value_that_is_not_finite_is_an_error_that_names_the_part() {
    let points = Points::new(2, vec![0.5, 1.0, 0.5, 0.0]).unwrap();
    for (text, part) in [
        ("u_t + u/x = 0", "'u/x'"),
        ("u_t + ln(u) = 0", "'ln(u)'"),
        ("u_t = sqrt(u - 5)", "'sqrt(u - 5)'"),
        ("u_t + exp(1000*u) = 0", "'exp(1000*u)'"),
        ("u_t + (x - 0.5)^0.5*u = 0", "'(x - 0.5)^0.5'"),
    ] {
        let system = System::parse(&[text], &names(), Vec::new()).unwrap();
        let unknowns = system.unknowns();
        let u = unknowns.iter().map(|q| if q.operator.is_identity() { vec![1.0, -1.0] } else { vec![0.0; 2] });
        let error = system.linearise(&points, &u.collect::<Vec<_>>()).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("equation 0 at x = [0.5,"), "{text}: {error}");
    }
    let system = System::parse(&["sqrt(u) = 1"], &names(), Vec::new()).unwrap();
    let error = system.linearise(&points, &[vec![0.0; 2]]).unwrap_err().to_string();
    assert!(error.contains("the derivative of 'sqrt(u)'"), "{error}");
    assert!(system.linearise(&points, &[vec![0.0]]).is_err());
    assert!(system.linearise(&points, &[]).is_err());
}

#[test]
fn random_texts_are_read_or_refused() {
    const PIECES: [&str; 24] = [
        "u", "u_x", "v_xt", "lap(", "sin(", "ln(", "(", ")", "+", "-", "*", "/", "^", "=", ",", "0", "1", "2.5e-3",
        "t", "x", "nu", "pi", " ", "é",
    ];
    let mut rng = Random(11);
    let points = Points::new(2, vec![0.3, -0.4]).unwrap();
    let mut read = 0;
    for _ in 0..20_000 {
        let length = 1 + rng.below(9);
        let text: String = (0..length).map(|_| PIECES[rng.below(PIECES.len() as u64) as usize]).collect();
        // An equation with a right side, so that more of them have a meaning.
        if let Ok(system) = System::parse(&[&format!("u_t + {text} = 0")], &names(), Vec::new()) {
            let u = vec![vec![0.5]; system.unknowns().len()];
            if let Ok(rows) = system.linearise(&points, &u) {
                assert!(rows.rhs[0][0].is_finite(), "{text}");
            }
            read += 1;
        }
    }
    assert!(read > 200, "{read}");
}
