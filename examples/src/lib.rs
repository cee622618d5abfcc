//! HyperPDE examples.
