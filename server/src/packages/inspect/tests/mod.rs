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

/// The verdict; unpacking on the way gives the same one.
fn look_within(bytes: &[u8], limits: &Limits) -> Result<PackageFacts, PackageFault> {
    let verdict = |r: Result<PackageFacts, Refusal>| match r {
        Ok(f) => Ok(f),
        Err(Refusal::Fault(f)) => Err(f),
        Err(Refusal::Io(e)) => panic!("the disk is not at fault: {e}"),
    };
    let alone = verdict(inspect(&file(bytes), limits));
    let to = tempfile::tempdir().expect("folder");
    // Read through as it came in, in pieces that fall anywhere.
    let mut ahead = Ahead::new(*limits);
    bytes.chunks(1000).for_each(|piece| ahead.feed(piece));
    let notes = ahead.notes();
    assert_eq!(alone, verdict(inspect_rest(&file(bytes), limits, &notes)));
    let both = verdict(inspect_into(&file(bytes), limits, &notes, to.path(), &|| Ok(())).map(|(facts, _)| facts));
    assert_eq!(alone, both);
    alone
}
