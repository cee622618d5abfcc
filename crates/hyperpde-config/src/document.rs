//! The keys of a configuration, as they are read and written.
//!
//! Everything optional is an [`Option`]; [`super::Config`] fills the gaps, so that the configuration it writes names every value it uses.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hyperpde_bilevel::{ObjectiveKind, OptimizerKind, OptimizerState, StepControl};
use hyperpde_kernels::KernelConfig;
use hyperpde_pde::Sampler;
use serde::{Deserialize, Serialize, Serializer};
use toml::Spanned;

use super::values::{Grid, Number, Texts};

/// A whole configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// A problem of the catalogue, in place of `domain`, `fields`, `equations` and `conditions`.
    pub problem: Option<Spanned<String>>,
    /// Name of the problem in reports.
    pub name: Option<String>,
    /// Names of the fields.
    pub fields: Option<Spanned<Vec<Spanned<String>>>>,
    /// The box.
    pub domain: Option<Spanned<DomainSection>>,
    /// Numbers with names, which may be formulas of those above them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", serialize_with = "in_file_order")]
    pub parameters: BTreeMap<Spanned<String>, Spanned<Number>>,
    /// The equations.
    pub equations: Option<Spanned<EquationsSection>>,
    /// Boundary and initial conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Spanned<ConditionSection>>,
    /// Data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observations: Vec<Spanned<ObservationSection>>,
    /// Formulas of the exact solution by field, or `reference = "problem"`.
    pub exact: Option<Spanned<BTreeMap<Spanned<String>, Spanned<String>>>>,
    /// Points.
    pub sampling: Option<Spanned<SamplingSection>>,
    /// Kernels by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kernel: BTreeMap<Spanned<String>, Spanned<KernelConfig>>,
    /// Gauss-Newton and the inner solve.
    pub solver: Option<SolverSection>,
    /// Learning of the kernel.
    pub outer: Option<OuterSection>,
    /// Points other than those learned on, on which the learned kernel is tried.
    pub clouds: Option<CloudsSection>,
    /// Where tensors live.
    pub backend: Option<BackendSection>,
    /// What is written.
    pub output: Option<OutputSection>,
}

/// Writes a map in the order in which its keys were read.
fn in_file_order<S: Serializer>(
    map: &BTreeMap<Spanned<String>, Spanned<Number>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    serializer.collect_map(entries)
}

/// A value that stands in no file.
pub(crate) fn plain<T>(value: T) -> Option<Spanned<T>> {
    Some(Spanned::new(0..0, value))
}

/// One coordinate: name, lower end, upper end.
pub type Interval = (Spanned<String>, Spanned<Number>, Spanned<Number>);

/// `[domain]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainSection {
    /// The coordinate of time, if there is time; it is the first coordinate.
    pub time: Option<Spanned<Interval>>,
    /// The coordinates of space.
    pub space: Spanned<Vec<Spanned<Interval>>>,
    /// Faces that carry no condition on purpose, such as `["x = 1"]`.
    pub free: Option<Spanned<Texts>>,
}

/// `[equations]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EquationsSection {
    /// The equations.
    pub text: Spanned<Texts>,
    /// Unknowns to list first, in this order; the others follow as they occur. The nugget acts on each of them.
    pub unknowns: Option<Spanned<Texts>>,
}

/// `[[conditions]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionSection {
    /// Faces such as `"t = 0"`, or `"boundary"` for all that need a condition.
    pub on: Option<Spanned<Texts>>,
    /// The coordinate across which the fields are periodic, in place of `on`.
    pub periodic: Option<Spanned<String>>,
    /// Linear conditions.
    pub text: Spanned<Texts>,
}

/// `[[observations]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservationSection {
    /// What is observed: a field or a derivative of one.
    pub of: Spanned<String>,
    /// CSV or NPY with the coordinates and the value in each row; relative to the configuration.
    pub file: Option<Spanned<PathBuf>>,
    /// Number of observations to simulate from the exact solution at the first interior points, in place of a file.
    pub simulate: Option<Spanned<usize>>,
    /// Standard deviation of the noise, in units of the value.
    pub noise: Spanned<f64>,
}

/// `[sampling]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamplingSection {
    /// Collocation points inside the domain.
    pub interior: Option<Spanned<usize>>,
    /// Points on all faces together.
    pub boundary: Option<Spanned<usize>>,
    /// Points of the validation pool.
    pub validation: Option<Spanned<usize>>,
    /// How they are spread.
    pub sampler: Option<Spanned<Sampler>>,
    /// Seed of points, batches and initial weights.
    pub seed: Option<Spanned<u64>>,
    /// Where errors are measured.
    pub test_grid: Option<Spanned<Grid>>,
}

/// Which implementation of the inner step computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssemblyChoice {
    /// Fused where kernel and operators allow it.
    #[default]
    Auto,
    /// Sums over pairs in tensor operations.
    Tensor,
    /// Operations of burn alone.
    PureTensor,
}

/// A value without the place that it has in another file.
trait Unplaced {
    fn unplaced(self) -> Self;
}

impl<T> Unplaced for Spanned<T> {
    fn unplaced(self) -> Self {
        Self::new(0..0, self.into_inner())
    }
}

/// Choices that are read without their places.
macro_rules! without_place {
    ($($choice:ty),*) => { $(impl Unplaced for $choice {
        fn unplaced(self) -> Self {
            self
        }
    })* };
}

without_place!(AssemblyChoice, ObjectiveKind, OptimizerKind, OptimizerState, StepControl);

/// A section whose keys may all be left out.
macro_rules! section {
    ($(#[$section_doc:meta])* $name:ident { $($(#[$doc:meta])* $key:ident: $type:ty,)* }) => {
        $(#[$section_doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$doc])* pub $key: Option<$type>,)*
        }

        impl $name {
            /// The same with the gaps filled from another section, whose values have no place in this file.
            pub(crate) fn or(self, base: Self) -> Self {
                Self { $($key: self.$key.or_else(|| base.$key.map(Unplaced::unplaced)),)* }
            }
        }
    };
}

section! {
    /// `[solver]`.
    SolverSection {
        /// Gauss-Newton steps.
        gauss_newton_steps: Spanned<usize>,
        /// Relative change of the iterate at which Gauss-Newton ends early; 0 never.
        increment_tolerance: Spanned<f64>,
        /// How far a Gauss-Newton step goes.
        step_control: StepControl,
        /// Nugget.
        nugget: Spanned<f64>,
        /// Inner step.
        assembly: AssemblyChoice,
    }
}

section! {
    /// `[outer]`.
    OuterSection {
        /// Updates of the kernel per Gauss-Newton step at most.
        steps: Spanned<usize>,
        /// First Gauss-Newton steps without updates.
        warm_up: Spanned<usize>,
        /// Validation points per Gauss-Newton step.
        batch: Spanned<usize>,
        /// Learning rate.
        learning_rate: Spanned<f64>,
        /// Validation loss at which the updates of a step end early.
        tolerance: Spanned<f64>,
        /// What the outer loss is.
        objective: ObjectiveKind,
        /// Optimizer.
        optimizer: OptimizerKind,
        /// Its state at a new Gauss-Newton step.
        optimizer_state: OptimizerState,
        /// Share of the loss that the updates of a Gauss-Newton step must gain for learning to go on; 0 none.
        gain_tolerance: Spanned<f64>,
        /// Gauss-Newton steps in a row without that gain after which learning ends.
        gain_steps: Spanned<usize>,
        /// Weight of the regulariser that holds hyperparameters near their initial values.
        regularisation: Spanned<f64>,
        /// Folds of a cross-validation over the observations, in place of `held_out`.
        folds: Spanned<usize>,
        /// Fraction of the observations that the inner solve does not see and the outer loss scores.
        held_out: Spanned<f64>,
    }
}

/// `[clouds]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudsSection {
    /// Solve on collocation points and validation pool together.
    pub larger: Option<Spanned<bool>>,
    /// Solve on so many new points, inside and on the faces.
    pub fresh: Option<Spanned<(usize, usize)>>,
    /// Solve these built-in problems, on new points.
    pub transfer: Option<Spanned<Vec<Spanned<String>>>>,
}

/// `[backend]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendSection {
    /// Name.
    pub name: Option<Spanned<String>>,
    /// Number of the device.
    pub device: Option<Spanned<usize>>,
    /// Floating-point precision.
    pub precision: Option<Spanned<String>>,
}

/// `[output]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputSection {
    /// Folder for figures, numbers and the report; relative to where the command runs.
    pub folder: Option<PathBuf>,
    /// File for the report as JSON.
    pub json: Option<PathBuf>,
    /// Gauss-Newton steps from one checkpoint to the next.
    pub checkpoint_every: Option<Spanned<usize>>,
}
