//! The problems that are timed, at a given number of rows.

use hyperpde::bilevel::{Bilevel, BilevelSettings};
use hyperpde::gp::{Assembly, SolveSettings, StageTimes};
use hyperpde::kernels::{AnyKernel, KernelError};
use hyperpde::prelude::*;
use hyperpde_config::Opened;
use hyperpde_run::RunError;

/// Validation points per batch.
pub const BATCH: usize = 200;

/// A problem with its kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// The elliptic problem with a Gaussian kernel of one length scale: one parameter.
    Elliptic,
    /// Burgers with a Gibbs kernel, a network of 2-50-50-2: 2802 parameters, as published.
    Burgers,
}

impl Case {
    /// All cases.
    pub const ALL: [Self; 2] = [Self::Elliptic, Self::Burgers];

    /// Name in records, and of the problem in the catalogue.
    pub fn name(self) -> &'static str {
        match self {
            Self::Elliptic => "elliptic",
            Self::Burgers => "burgers",
        }
    }

    /// The case of that name.
    ///
    /// # Errors
    /// [`RunError::Input`] if there is none.
    pub fn by_name(name: &str) -> Result<Self, RunError> {
        let found = Self::ALL.into_iter().find(|c| c.name() == name);
        found.ok_or_else(|| RunError::Input(format!("no case is called {name}; there are elliptic and burgers")))
    }

    /// Widths of the kernel's network, empty without one.
    pub fn network(self) -> &'static [usize] {
        match self {
            Self::Elliptic => &[],
            Self::Burgers => &[2, 50, 50, 2],
        }
    }

    /// The kernel as the run starts with it.
    ///
    /// # Errors
    /// [`RunError`] if the kernel can't be built.
    pub fn kernel(self, opened: &Opened) -> Result<AnyKernel, RunError> {
        let device = opened.device.clone().autodiff();
        let kernel: Result<AnyKernel, KernelError> = match self {
            Self::Burgers => GibbsConfig::new(2, LengthScales::PerDimension, 4.0).init(1, &device).map(Into::into),
            Self::Elliptic => GaussianConfig::isotropic(0.2).init(&device).map(Into::into),
        };
        kernel.map_err(|e| RunError::numerical("building the kernel", e))
    }

    /// Interior and boundary points for `rows` rows, three quarters in the interior.
    pub fn sizes(self, rows: usize) -> SampleSizes {
        let interior = 3 * rows / 4;
        SampleSizes { interior, boundary: rows - interior, validation: BATCH }
    }

    /// A run of two Gauss-Newton steps with `outer_steps` outer steps each, whose stages `times` records as far as the assembly has them.
    ///
    /// # Errors
    /// [`RunError`] if it can't be set up.
    pub fn run(
        self,
        rows: usize,
        outer_steps: usize,
        assembly: Assembly,
        times: &StageTimes,
        opened: &Opened,
    ) -> Result<Bilevel<AnyKernel>, RunError> {
        let problem = problems::by_name(self.name())?;
        let collocation = problem.sample(&self.sizes(rows), Sampler::Halton, 1)?;
        let settings = BilevelSettings {
            gauss_newton_steps: 2,
            outer_steps,
            batch: BATCH,
            loss_tolerance: 0.0,
            monitor: 0,
            solve: SolveSettings { assembly, times: Some(times.clone()), ..SolveSettings::default() },
            ..BilevelSettings::published(problem.defaults(), 1)
        };
        let settings = opened.settings(&settings);
        Bilevel::init(&problem, collocation, vec![self.kernel(opened)?], settings)
            .map_err(|e| RunError::numerical(format!("setting up {} with {rows} rows", self.name()), e))
    }
}
