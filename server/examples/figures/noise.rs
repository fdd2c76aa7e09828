//! Bytes that can't be compressed, the same for the same seed.

use std::io::Write;

/// Writes so many MiB of noise.
pub fn write(to: &mut impl Write, seed: u64, mib: usize) -> std::io::Result<()> {
    let (mut x, mut block) = (0x9e37_79b9_7f4a_7c15_u64 + seed, vec![0_u8; 1 << 20]);
    for _ in 0..mib {
        for c in block.chunks_exact_mut(8) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            c.copy_from_slice(&x.to_le_bytes());
        }
        to.write_all(&block)?;
    }
    Ok(())
}
