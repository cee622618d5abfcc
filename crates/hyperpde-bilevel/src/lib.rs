//! Bilevel hyperparameter learning: Gauss-Newton inner solves, outer objectives, optimizers, training loop
