//! The equations of each built-in problem from code and from its configuration, linearised about the same iterate: one lineariser, so the rows agree
//! to rounding.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde_config::{Config, catalogue_names, commented};
use hyperpde_problems as problems;
use random::Random;

#[path = "../../../tests/common/random.rs"]
mod random;

/// Rounding of sums of a dozen numbers.
const BOUND: f64 = 1e-14;

/// Within `BOUND` of the largest number of the column.
fn each_close(a: &[f64], b: &[f64], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    let size = b.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    a.iter().zip(b).for_each(|(a, b)| assert!((a - b).abs() <= BOUND * size, "{what}: {a} and {b}, of {size}"));
}

#[test]
fn rows_from_text_are_those_from_code() {
    let mut rng = Random(21);
    for name in catalogue_names() {
        let config = Config::parse(name, commented(name).unwrap(), ".").unwrap_or_else(|e| panic!("{e:?}"));
        let built_in = problems::by_name(name).unwrap();
        let (text, code) = (config.problem().equations(), built_in.equations());
        let unknowns = code.unknowns();
        assert_eq!(text.unknowns(), unknowns, "{name}");
        let x = config.sample().unwrap().interior;
        let n = x.len();
        let mut column = || (0..n).map(|_| 3.0 * rng.number()).collect::<Vec<f64>>();
        let u: Vec<Vec<f64>> = unknowns.iter().map(|_| column()).collect();
        let (ours, theirs) = (text.linearise(&x, &u).unwrap(), code.linearise(&x, &u).unwrap());
        for (e, rows) in theirs.coefficients.iter().enumerate() {
            for (j, c) in rows.iter().enumerate() {
                each_close(&ours.coefficients[e][j], c, &format!("{name}: equation {e}, {}", unknowns[j]));
            }
            each_close(&ours.rhs[e], &theirs.rhs[e], &format!("{name}: equation {e}, right-hand side"));
        }
        // And so do their reverse products.
        let c: Vec<Vec<Vec<f64>>> = ours.rhs.iter().map(|_| unknowns.iter().map(|_| column()).collect()).collect();
        let b: Vec<Vec<f64>> = ours.rhs.iter().map(|_| column()).collect();
        let (ours, theirs) = (text.vjp(&x, &u, &c, &b).unwrap(), code.vjp(&x, &u, &c, &b).unwrap());
        for (k, theirs) in theirs.iter().enumerate() {
            each_close(&ours[k], theirs, &format!("{name}: reverse product, {}", unknowns[k]));
        }
    }
}
