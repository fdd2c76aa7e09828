mod good;
mod hostile;
mod make;

use super::*;
use std::io::Write;

const LIMITS: Limits = Limits { unpacked_bytes: 1 << 30, entries: 200_000 };

fn file(bytes: &[u8]) -> File {
    let mut f = tempfile::tempfile().expect("file");
    f.write_all(bytes).expect("write");
    f
}

fn look(bytes: &[u8]) -> Result<PackageFacts, PackageFault> {
    look_within(bytes, &LIMITS)
}

fn look_within(bytes: &[u8], limits: &Limits) -> Result<PackageFacts, PackageFault> {
    match inspect(&file(bytes), limits) {
        Ok(f) => Ok(f),
        Err(Refusal::Fault(f)) => Err(f),
        Err(Refusal::Io(e)) => panic!("the disk is not at fault: {e}"),
    }
}
