//! Random numbers, one stream per purpose.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A generator for one purpose: streams of one seed are independent of each other, so that asking for more
/// points of one kind leaves the others as they were.
pub fn seeded(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}
