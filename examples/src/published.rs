//! What was published, and which experiment of ours it is compared with.
//!
//! Source: arXiv 2510.05568 and its public code (`yangx0e/BilevelHyperparameterLearning`). "Log" is a number that a published log or
//! notebook prints, "file" one recomputed from a published prediction, "replica" one of an independent re-implementation with the
//! published hyperparameters, where the publication prints none or against a reference that is wrong by more.

use hyperpde_run::{RunError, Runnable};

use crate::reproduce::{Entry, Measure, Published, Study};

use crate::experiments::{burgers, darcy, eikonal, elliptic, elliptic_additive, gray_scott, schrodinger};

/// All published experiments with their numbers.
#[must_use]
pub fn study() -> Study {
    Study { entries: entries(), published: published() }
}

type Built = Result<Box<dyn Runnable>, RunError>;

/// Published times are those of learning, from the logs; the notebook of Darcy prints none.
fn entries() -> Vec<Entry> {
    let entry = |name, build: fn() -> Built, published_seconds, expected_seconds| Entry {
        name,
        build,
        baselines: true,
        published_seconds,
        expected_seconds,
    };
    // 245 to 310 s over the initial length scales: the shortest. The baselines do not depend on the initial length scale.
    let elliptic = |name, build| Entry { baselines: name == "elliptic-1", ..entry(name, build, Some(245.0), 25.0) };
    vec![
        elliptic("elliptic-0.01", || elliptic::experiment(0.01)),
        elliptic("elliptic-0.05", || elliptic::experiment(0.05)),
        elliptic("elliptic-0.1", || elliptic::experiment(0.1)),
        elliptic("elliptic-0.5", || elliptic::experiment(0.5)),
        elliptic("elliptic-1", || elliptic::experiment(1.0)),
        elliptic("elliptic-2", || elliptic::experiment(2.0)),
        elliptic("elliptic-3", || elliptic::experiment(3.0)),
        entry("elliptic-additive", elliptic_additive::experiment, Some(310.0), 60.0),
        entry("burgers", || burgers::experiment(burgers::VISCOSITY), Some(7847.0), 200.0),
        entry("eikonal", eikonal::experiment, Some(15461.0), 250.0),
        entry("gray-scott", gray_scott::experiment, Some(151.0), 100.0),
        entry("schrodinger", schrodinger::experiment, Some(7883.0), 700.0),
        entry("darcy", || darcy::experiment(false), None, 100.0),
    ]
}

fn published() -> Vec<Published> {
    let mut rows = Vec::new();
    let row = |experiment, label, (cloud, problem), (measure, score), error| Published {
        experiment,
        label,
        cloud,
        problem,
        score,
        measure,
        error,
        bar: error,
        initial: None,
    };

    // Logs, initial length scales in order; with 0.01 the published method fails. Replica at a fixed length scale of 0.01, 0.05 and 1;
    // 0.1 is better than what is learned.
    let elliptic = [
        ("elliptic-0.01", "elliptic from l = 0.01", 4.846, Some(4.86)),
        ("elliptic-0.05", "elliptic from l = 0.05", 4.218e-5, Some(0.635)),
        ("elliptic-0.1", "elliptic from l = 0.1", 4.218e-5, Some(4.06e-5)),
        ("elliptic-0.5", "elliptic from l = 0.5", 4.252e-5, Some(4.9)),
        ("elliptic-1", "elliptic from l = 1", 4.256e-5, Some(6.0)),
        ("elliptic-2", "elliptic from l = 2", 4.241e-5, None),
        ("elliptic-3", "elliptic from l = 3", 4.227e-5, None),
    ];
    rows.extend(elliptic.map(|(experiment, label, error, initial)| Published {
        // From every length scale as good as from the ones that work.
        bar: 4.3e-5,
        initial,
        ..row(experiment, label, ("training", "elliptic"), (Measure::Linf, "u"), error)
    }));
    // Log of the second run of case 2 (the first has 1.027e-5); replica with all four at 1.
    rows.push(Published {
        bar: 1.4e-5,
        initial: Some(6.1),
        ..row(
            "elliptic-additive",
            "elliptic, additive kernel",
            ("training", "elliptic"),
            (Measure::Linf, "u"),
            1.387e-5,
        )
    });

    // Log. The other cloud: replica with the published network; file for the initial one.
    for (measure, error) in [(Measure::Linf, 3.133e-4), (Measure::RelL2, 6.043e-5)] {
        rows.push(row("burgers", "Burgers, 900+300 points", ("training", "burgers"), (measure, "u"), error));
    }
    for (measure, error, initial) in [(Measure::Linf, 8.083e-5, 0.9542), (Measure::Rmse, 9.501e-6, 0.1508)] {
        let larger = row("burgers", "Burgers, 1800+300 points", ("larger", "burgers"), (measure, "u"), error);
        rows.push(Published { initial: Some(initial), ..larger });
    }

    // File. The published log of the training cloud compares with a coarse reference.
    for (measure, error, initial) in [(Measure::Linf, 1.124e-2, 4.733e-2), (Measure::Rmse, 1.829e-3, 1.58e-2)] {
        let larger = row("eikonal", "eikonal, 1800+300 points", ("larger", "eikonal"), (measure, "u"), error);
        rows.push(Published { initial: Some(initial), ..larger });
    }

    // Logs, fresh clouds. The published tables that they compare with are wrong by 1e-4 and more, ours are accurate to 1e-11; against
    // an accurate reference the base case has 1.4e-5 (u) and 1.6e-5 (v) (replica).
    let gray_scott = [
        ("gray-scott", "Gray-Scott, fresh 600+400 points", 2e-5, [("u", 1.312e-4, 5.28e-2), ("v", 1.018e-4, 9.851e-2)]),
        ("gray-scott-a", "Gray-Scott, case a", 1e-4, [("u", 5.097e-4, 0.4647), ("v", 3.171e-4, 9.815e-2)]),
        ("gray-scott-b", "Gray-Scott, case b", 1e-4, [("u", 4.429e-4, 5.339e-2), ("v", 3.444e-4, 0.1881)]),
        ("gray-scott-c", "Gray-Scott, case c", 1e-4, [("u", 7.832e-4, 0.4618), ("v", 7.91e-4, 0.1708)]),
    ];
    for (problem, label, bar, fields) in gray_scott {
        rows.extend(fields.map(|(field, error, initial)| Published {
            bar,
            initial: Some(initial),
            ..row("gray-scott", label, ("fresh", problem), (Measure::Rmse, field), error)
        }));
    }

    // File, with the hyperparameters learned from 1; replica for the initial ones, which is on the training cloud.
    for (measure, error, initial) in [(Measure::Linf, 9.951e-3, 1.69), (Measure::Rmse, 8.39e-4, 0.242)] {
        let label = "Schrödinger, fresh 2000+500 points";
        let fresh = row("schrodinger", label, ("fresh", "schrodinger"), (measure, "|h|"), error);
        rows.push(Published { initial: Some(initial), ..fresh });
    }

    // Replicas over three or four clouds: 0.04 to 0.049 and 0.22 to 0.29; initially 0.073 to 0.081 and 0.40 to 0.41.
    for (score, error, initial) in [("u", 0.04, 0.075), ("A", 0.22, 0.41)] {
        let darcy = row("darcy", "Darcy, 60 observations", ("training", "darcy"), (Measure::RelL2, score), error);
        rows.push(Published { initial: Some(initial), ..darcy });
    }
    rows
}
