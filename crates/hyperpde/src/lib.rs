//! Solve nonlinear PDEs and PDE inverse problems with Gaussian processes, learning the kernel while solving
