//! A problem, its kernels and all settings of a run from a TOML file.
//!
//! Reading goes in four steps, each of which points at the place of a fault: TOML to a [`Document`], gaps filled with defaults, the statement
//! (domain, equations, conditions, data) to a [`Problem`](hyperpde_pde::Problem), and the numbers against their ranges. `docs/configuration.md` describes every key.
//!
//! ```
//! use hyperpde_config::Config;
//!
//! let text = r#"
//!     fields = ["u"]
//!     [domain]
//!     space = [["x", 0, 1]]
//!     [equations]
//!     text = "-u_xx + u^3 = sin(pi*x)"
//!     [[conditions]]
//!     on = "boundary"
//!     text = "u = 0"
//!     [sampling]
//!     interior = 30
//!     boundary = 2
//! "#;
//! let config = Config::parse("example.toml", text, ".")?;
//! assert_eq!(config.problem().conditions().len(), 2);
//! // What it writes has every default filled in, and reads back the same.
//! let resolved = config.to_toml()?;
//! assert_eq!(Config::parse("resolved.toml", &resolved, ".")?, config);
//! # Ok::<(), hyperpde_config::ConfigError>(())
//! ```

mod catalogue;
mod change;
mod clouds;
mod conditions;
mod config;
mod data;
mod document;
mod error;
pub mod input;
mod kernels;
mod known;
mod names;
mod numbers;
mod reader;
mod resolve;
mod settings;
mod spec;
mod statement;
pub mod tables;
mod target;
mod trial;
mod values;

pub use catalogue::{commented, names as catalogue_names};
pub use clouds::Clouds;
pub use config::Config;
pub use document::{
    AssemblyChoice, BackendSection, CloudsSection, ConditionSection, Document, DomainSection, EquationsSection,
    Interval, ObservationSection, OuterSection, OutputSection, SamplingSection, SolverSection,
};
pub use error::{ConfigError, Source};
pub use names::POINTS;
pub use numbers::MAX_COUNT;
pub use reader::DataFiles;
pub use settings::RunSettings;
pub use spec::{CloudsSpec, Output, RunSpec, Statement};
pub use target::{Opened, Target};
pub use values::{Grid, Number, Texts};
