//! HyperPDE benches.
