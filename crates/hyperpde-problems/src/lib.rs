//! The catalogue: PDEs with their domains, data, settings and reference solutions.
//!
//! Each problem is one file: the [`Residual`](hyperpde_pde::Residual), the domain and its conditions, the reference
//! solution and the settings it is solved with. [`catalogue()`] has the table of them; a name finds one,
//!
//! ```
//! let problem = hyperpde_problems::by_name("burgers")?;
//! assert_eq!(problem.equations().unknowns().len(), 4);
//! # Ok::<(), hyperpde_pde::PdeError>(())
//! ```
//!
//! and a type builds one with parameters of one's own, as [`Burgers::new`] does for another viscosity.
//!
//! Where no closed form is known the reference is computed: [`mod@reference`] has those solvers, plain numerics that
//! know nothing of Gaussian processes, each with a measured accuracy. They run when a reference is first asked for.
//!
//! To read on: [`Poisson`] is the shortest problem, [`Burgers`] the published one with a closed form, [`Darcy`] an
//! inverse problem with data; what a problem consists of is the subject of [`hyperpde_pde`].

mod entry;
pub mod reference;
mod shared;

pub use entry::Entry;
use hyperpde_pde::{PdeError, Problem};

/// From one line per problem, `file::{types}, "equation | unknown to the solver | reference"`: the modules, the
/// types, the table and the list. The first type of a line is the problem.
macro_rules! problems {
    ($($file:ident::{$problem:ident $(, $more:ident)*}, $row:literal;)*) => {
        $(mod $file; pub use $file::{$problem $(, $more)*};)*

        /// All problems with their default parameters.
        ///
        /// | problem | equation | unknown to the solver | reference |
        /// |---|---|---|---|
        $(#[doc = concat!("| [`", stringify!($problem), "`] | ", $row, " |")])*
        ///
        /// The first six are those of arXiv 2510.05568, with its settings. The others have settings chosen in their
        /// likeness.
        pub fn catalogue() -> &'static [Entry] {
            static ENTRIES: std::sync::LazyLock<Vec<Entry>> =
                std::sync::LazyLock::new(|| [$($file::ENTRIES),*].concat());
            &ENTRIES
        }
    };
}

problems! {
    elliptic::{Elliptic}, "`−Δu + α u^m = f`, unit square | `u` | exact";
    burgers::{Burgers, ColeHopf}, "`u_t + u u_x = ν u_xx` | `u` | Cole-Hopf";
    eikonal::{Eikonal}, r"`\|∇u\|² = 1 + ε Δu`, unit square | `u` | Hopf-Cole, exit times";
    gray_scott::{GrayScott, GrayScottCase}, "two reactants, reflecting ends | `u`, `v` | cosine spectral";
    schrodinger::{Schrodinger}, r"`i h_t + ½ h_xx + \|h\|² h = 0`, periodic | `h = u + i v` | Fourier split step";
    darcy::{Darcy}, "`−∇·(e^a ∇u) = 1`, unit square | `u` and `a`, from observations of `u` | finite volumes";
    poisson::{Poisson}, "`−Δu = f`, unit square | `u` | exact";
    heat::{Heat}, "`u_t = κ u_xx` | `u` | exact";
    allen_cahn::{AllenCahn}, "`u_t = ε u_xx + u − u³` | `u` | exact travelling front";
    elliptic3d::{Elliptic3d}, "`−Δu + α u^m = f`, unit cube | `u` | exact";
}

/// The problem of that name in the [`catalogue()`].
///
/// # Errors
/// [`PdeError::Setting`] with the names that exist.
pub fn by_name(name: &str) -> Result<Problem, PdeError> {
    match catalogue().iter().find(|e| e.name == name) {
        Some(entry) => (entry.build)(),
        None => Err(PdeError::Setting {
            name: "problem".into(),
            value: name.into(),
            expected: format!(
                "it must be one of {}",
                catalogue().iter().map(|e| e.name).collect::<Vec<_>>().join(", ")
            ),
        }),
    }
}
