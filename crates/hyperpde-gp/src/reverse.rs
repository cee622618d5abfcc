//! The reverse product of a solve by its rows: what coefficients and right-hand sides contribute to a scalar of the predictions.
//!
//! For `L(p)` of rows `p = V w`, `A w = b`, with `A = C Θ Cᵀ + noise`, `V = S Θ Cᵀ` at the level of the regularised latents (values of `D u_f` at points, covariance
//! `Θ`, nugget included) and the cotangent `p̄`:
//!
//! ```text
//! λ = A⁻¹ Vᵀ p̄,    φ = Θ Sᵀ p̄,    z_w = Θ Cᵀ w,    z_λ = Θ Cᵀ λ        (at the latents)
//! b̄ = λ,    c̄_rt = w_r (φ − z_λ)_rt − λ_r z_w,rt,    s̄_vt = p̄_v z_w,vt
//! ```
//!
//! for the coefficient `c_rt` of term `t` in training row `r` and `s_vt` in a row of the predictions. No covariance of latents is formed: `φ`, `z_w` and `z_λ` are
//! functions with weights, evaluated where they are wanted. The gradient by the hyperparameters comes from [`crate::InnerProblem::evaluate`].

use std::sync::Arc;

use hyperpde_kernels::{Kernel, Operator};

use crate::error::GpError;
use crate::posterior::{Posterior, Shares};
use crate::rows::RowBlock;
use crate::setup::Setup;

/// Cotangents of the rows of one block.
#[derive(Clone, Debug, PartialEq)]
pub struct RowCotangent {
    /// Of the coefficients, `[terms][n]`.
    pub coefficients: Vec<Vec<f64>>,
    /// Of the right-hand sides, `[n]`.
    pub rhs: Vec<f64>,
}

/// What [`Posterior::pull_back`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct PulledBack {
    /// One per training block that was asked for.
    pub training: Vec<RowCotangent>,
    /// Of the coefficients of the scored rows, `[blocks][terms][n]`.
    pub scored: Vec<Vec<Vec<f64>>>,
}

impl<K: Kernel> Posterior<K> {
    /// The reverse product (see the formula in `reverse.rs`) for the values of `scored` rows with cotangents `[n]` each; rows that are
    /// [`RowBlock::regularised`] are of the regularised latents, as in predictions. Cotangents of the first `blocks` training blocks come back.
    ///
    /// # Errors
    /// [`GpError::System`] for cotangents of another number than rows, or more blocks than there are; those of the solve and of evaluations.
    pub fn pull_back(&self, blocks: usize, scored: &[(RowBlock, Vec<f64>)]) -> Result<PulledBack, GpError> {
        let all = self.blocks();
        if blocks > all.len() || scored.iter().any(|(rows, by)| rows.len() != by.len()) {
            let why = "as many training blocks as there are at most, and one cotangent per scored row".to_owned();
            return Err(GpError::System(format!("the reverse product takes {why}")));
        }
        let phi = self.expanded(scored)?;
        let mut shares = Shares::new();
        for (rows, by) in scored.iter().filter(|(rows, _)| rows.is_regularised()) {
            self.collect_shares(rows, by, &mut shares);
        }
        let at_rows = |rows: &RowBlock| {
            let mut values = phi.term_values(rows, phi.weights())?;
            self.add_shares(rows, &shares, &mut values);
            Ok::<_, GpError>(values)
        };
        let (mut lambda, mut phis) = (Vec::with_capacity(self.rhs().len()), Vec::new());
        for (b, rows) in all.iter().enumerate() {
            let values = at_rows(rows)?;
            let applied =
                |i: usize| rows.terms().iter().zip(&values).map(|(t, v)| t.coefficients[i] * v[i]).sum::<f64>();
            lambda.extend((0..rows.len()).map(applied));
            if b < blocks {
                phis.push(values);
            }
        }
        self.factor()?.solve(&mut lambda, 1).map_err(|e| self.unsolved(e))?;
        let (of_w, of_lambda) = (self.nugget_shares(self.weights()), self.nugget_shares(&lambda));
        let mut start = 0;
        let mut training = Vec::new();
        for (rows, phi) in all.iter().zip(&phis) {
            let range = start..start + rows.len();
            start = range.end;
            let (w, l) = (&self.weights()[range.clone()], &lambda[range]);
            let mut z_w = self.term_values(rows, self.weights())?;
            self.add_shares(rows, &of_w, &mut z_w);
            let mut z_lambda = self.term_values(rows, &lambda)?;
            self.add_shares(rows, &of_lambda, &mut z_lambda);
            let term = |t: usize| {
                let entry = |i: usize| w[i] * (phi[t][i] - z_lambda[t][i]) - l[i] * z_w[t][i];
                (0..rows.len()).map(entry).collect()
            };
            let coefficients = (0..rows.terms().len()).map(term).collect();
            training.push(RowCotangent { coefficients, rhs: l.to_vec() });
        }
        let mut of_scored = Vec::new();
        for (rows, by) in scored {
            let mut values = self.term_values(rows, self.weights())?;
            if rows.is_regularised() {
                self.add_shares(rows, &of_w, &mut values);
            }
            values.iter_mut().for_each(|values| values.iter_mut().zip(by).for_each(|(v, g)| *v *= g));
            of_scored.push(values);
        }
        Ok(PulledBack { training, scored: of_scored })
    }

    /// `φ` without the nugget: the scored rows with their cotangents as weights, and a row without weight for fields that none of them mentions.
    fn expanded(&self, scored: &[(RowBlock, Vec<f64>)]) -> Result<Self, GpError> {
        let setup = self.setup();
        let mut rows: Vec<RowBlock> = scored.iter().map(|(rows, _)| rows.clone()).collect();
        let mut weights: Vec<f64> = scored.iter().flat_map(|(_, by)| by.iter().copied()).collect();
        let fields = self.kernels().len();
        for field in 0..fields {
            if !rows.iter().any(|block| block.terms().iter().any(|t| t.field == field)) {
                let point = setup.fields[field].all.select(&[0])?;
                rows.push(RowBlock::simple("nothing", field, Operator::identity(setup.dim()), point, vec![0.0], 0.0)?);
                weights.push(0.0);
            }
        }
        let expanded = Arc::new(Setup::new(fields, rows, &[], 0.0, setup.settings.clone())?);
        Self::expansion(&expanded, self.kernels().to_vec(), weights)
    }
}
