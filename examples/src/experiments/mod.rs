//! One experiment per file: problem, kernel, sampler and options. An example binary and `reproduce` run the same one.

pub mod allen_cahn;
pub mod burgers;
pub mod darcy;
pub mod eikonal;
pub mod elliptic;
pub mod elliptic_3d;
pub mod elliptic_additive;
pub mod gray_scott;
pub mod heat;
pub mod poisson;
pub mod schrodinger;
