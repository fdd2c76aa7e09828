use super::make::*;
use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};
use tar::EntryType;

fn site() -> Vec<u8> {
    zip(&[("index.html", b"<h1>hello hello hello hello</h1>"), ("a/b.txt", b"some text, some text")])
}
fn is_corrupt(r: &Result<PackageFacts, PackageFault>) -> bool {
    matches!(r, Err(PackageFault::Corrupt { .. }))
}

#[test]
fn nothing_climbs_out() {
    for name in ["../x", "a/../../x", "/etc/x", "C:/x", "..\\x", "a\\b"] {
        let r = look(&zip(&[("index.html", b"x"), (name, b"x")]));
        assert!(matches!(r, Err(PackageFault::ClimbsOut { .. })), "zip {name}: {r:?}");
        let r = look(&site_tar(&[("index.html", b"x"), (name, b"x")]));
        assert!(matches!(r, Err(PackageFault::ClimbsOut { .. })), "tar {name}: {r:?}");
    }
    let mut nul = zip(&[("index.html", b"x"), ("a#b", b"x")]);
    for i in 0..nul.len() - 3 {
        if &nul[i..i + 3] == b"a#b" {
            nul[i + 1] = 0;
        }
    }
    assert!(is_corrupt(&look(&nul)));
}

#[test]
fn links_and_devices_are_refused() {
    assert!(matches!(look(&link_zip("l", "../../etc/passwd")), Err(PackageFault::ClimbsOut { .. })));
    assert!(matches!(look(&link_zip("l", "/etc/passwd")), Err(PackageFault::ClimbsOut { .. })));
    assert!(matches!(look(&link_zip("l", "index.html")), Err(PackageFault::Special { .. })));
    for (kind, target, climbs) in [
        (EntryType::Symlink, "../x", true),
        (EntryType::Symlink, "x", false),
        (EntryType::Link, "../x", true),
        (EntryType::Link, "x", false),
        (EntryType::Char, "", false),
        (EntryType::Fifo, "", false),
        (EntryType::GNUSparse, "", false),
    ] {
        let r = look(&gz(&tar(&[("l", kind, target, b"")])));
        let fine = match r {
            Err(PackageFault::ClimbsOut { .. }) => climbs,
            Err(PackageFault::Special { .. }) => !climbs,
            _ => false,
        };
        assert!(fine, "{kind:?} → {target:?}: {r:?}");
    }
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let zeros = vec![0; 80 << 20];
    let (z, t) = (zip(&[("index.html", &zeros)]), site_tar(&[("index.html", &zeros)]));
    drop(zeros);
    for bytes in [&z, &t] {
        assert!(bytes.len() < 200_000);
        let began = Instant::now();
        let r = look(bytes);
        assert!(matches!(r, Err(PackageFault::Bomb { limit_bytes, .. }) if limit_bytes == 64 << 20), "{r:?}");
        assert!(began.elapsed() < Duration::from_secs(20));
    }
    let small = Limits { unpacked_bytes: 10, entries: 10 };
    assert!(matches!(look_within(&site(), &small), Err(PackageFault::Bomb { .. })));
}

#[test]
fn a_bomb_inside_an_archive_is_a_file_that_nobody_opens() {
    let inner = zip(&[("index.html", &vec![0; 32 << 20])]);
    let mut outer = vec![("index.html".to_owned(), b"x".to_vec())];
    outer.extend((0..16).map(|i| (format!("{i}.zip"), inner.clone())));
    let all: Vec<(&str, &[u8])> = outer.iter().map(|(n, d)| (n.as_str(), d.as_slice())).collect();
    let bytes = zip(&all);
    let began = Instant::now();
    let f = look(&bytes).expect("accepted");
    assert_eq!(f.unpacked_bytes, 1 + 16 * inner.len() as u64, "counted as files");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_zip_that_lies_about_its_sizes_is_corrupt() {
    let good = zip(&[("index.html", &[b'a'; 5000])]);
    for (signature, field) in [(CENTRAL, 24), (LOCAL, 22), (CENTRAL, 20), (LOCAL, 18), (CENTRAL, 16), (LOCAL, 14)] {
        let mut z = good.clone();
        let i = at(&z, signature)[0];
        z[i + field] ^= 1;
        assert!(is_corrupt(&look(&z)), "field {field}");
    }
    // Both halves lie in the same way: the data tells.
    let mut z = good;
    for (signature, field) in [(CENTRAL, 24), (LOCAL, 22)] {
        let i = at(&z, signature)[0];
        z[i + field] ^= 1;
    }
    assert!(is_corrupt(&look(&z)));
}

#[test]
fn halves_that_differ_are_corrupt() {
    let mut z = site();
    let i = at(&z, LOCAL)[0];
    z[i + 30] = b'j';
    assert!(is_corrupt(&look(&z)), "another name in the local header");
    let mut z = site();
    let c = at(&z, CENTRAL);
    let first: [u8; 4] = z[c[0] + 42..c[0] + 46].try_into().expect("offset");
    z[c[1] + 42..c[1] + 46].copy_from_slice(&first);
    assert!(is_corrupt(&look(&z)), "two entries on one place");
    let mut z = site();
    let e = at(&z, END)[0];
    z[e + 8] = 1;
    z[e + 10] = 1;
    assert!(is_corrupt(&look(&z)), "fewer entries announced than there are");
}

#[test]
fn nothing_before_behind_or_between() {
    let z = site();
    let r = look(&[&z[..], b"trailing"].concat());
    assert!(is_corrupt(&r), "{r:?}");
    let r = look(&[b"#!/bin/sh\n", &z[..]].concat());
    assert_eq!(r, Err(PackageFault::NotAnArchive { looks_like: "script".into() }));
    assert!(look(&[&z[..], &z[..]].concat()).is_err(), "two zips in one");
    let t = site_tar(&[("index.html", b"x")]);
    assert!(is_corrupt(&look(&[&t[..], b"trailing"].concat())));
    assert!(is_corrupt(&look(&[&t[..], &t[..]].concat())), "a second member");
    let mut raw = tar(&[("index.html", EntryType::Regular, "", b"x")]);
    raw.extend(b"hidden behind tar's end");
    assert!(look(&gz(&raw)).is_err());
}

#[test]
fn one_place_for_one_file() {
    let double = |a: &str, b: &str| {
        let mut z = zip(&[("index.html", b"x"), (a, b"1"), (b, b"2")]);
        for i in 0..z.len() - b.len() {
            if &z[i..i + b.len()] == b.as_bytes() {
                z[i..i + b.len()].copy_from_slice(a.as_bytes());
            }
        }
        z
    };
    assert!(is_corrupt(&look(&double("f1.txt", "f2.txt"))));
    assert!(is_corrupt(&look(&zip(&[("index.html", b"x"), ("a", b"file"), ("a-b", b""), ("a/b", b"below a file")]))));
    assert!(is_corrupt(&look(&site_tar(&[("index.html", b"x"), ("f", b"1"), ("./f", b"2")]))));
}

#[test]
fn encrypted_ones_are_told() {
    let mut z = site();
    for (signature, flags) in [(LOCAL, 6), (CENTRAL, 8)] {
        for i in at(&z, signature) {
            z[i + flags] |= 1;
        }
    }
    assert_eq!(look(&z), Err(PackageFault::Encrypted));
}

#[test]
fn too_many_entries_are_refused_early() {
    let names: Vec<String> = (0..500).map(|i| format!("f{i}")).collect();
    let all: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &b""[..])).collect();
    let few = Limits { unpacked_bytes: 1 << 30, entries: 100 };
    assert_eq!(look_within(&zip(&all), &few), Err(PackageFault::TooManyEntries { limit: 100 }));
    assert_eq!(look_within(&site_tar(&all), &few), Err(PackageFault::TooManyEntries { limit: 100 }));
    // Announces none and has some.
    let mut z = zip(&all);
    let e = at(&z, END)[0];
    z[e + 8..e + 12].fill(0);
    assert!(is_corrupt(&look_within(&z, &few)));
}

#[test]
fn a_long_name_that_claims_gigabytes_takes_no_memory() {
    let mut h = tar::Header::new_gnu();
    h.set_entry_type(EntryType::GNULongName);
    h.set_size(8 << 30);
    h.set_cksum();
    let began = Instant::now();
    assert!(look(&gz(h.as_bytes())).is_err());
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn cut_off_anywhere_it_is_cut_off() {
    for whole in [site(), streamed_zip(&[("index.html", b"hello hello hello")])] {
        for n in 0..whole.len() {
            let r = look(&whole[..n]);
            let fine = match &r {
                Err(PackageFault::Empty) => n == 0,
                Err(PackageFault::NotAnArchive { .. }) => n < 4,
                Err(PackageFault::Truncated) => true,
                _ => false,
            };
            assert!(fine, "zip at {n}: {r:?}");
        }
    }
    let whole = site_tar(&[("index.html", b"hello"), ("b", &[7; 3000])]);
    for n in 4..whole.len() {
        let r = look(&whole[..n]);
        assert!(matches!(r, Err(PackageFault::Truncated)), "tar at {n}: {r:?}");
    }
}

#[test]
fn a_flipped_bit_is_found_or_does_not_matter() {
    for whole in
        [site(), streamed_zip(&[("index.html", b"hello hello")]), site_tar(&[("index.html", b"hello"), ("b", b"bb")])]
    {
        let facts = look(&whole).expect("good");
        for i in 0..whole.len() {
            for bit in 0..8 {
                let mut z = whole.clone();
                z[i] ^= 1 << bit;
                if let Ok(f) = look(&z) {
                    assert_eq!(f, facts, "byte {i} bit {bit}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn noise_is_refused_without_harm(head in 0usize..3, noise in proptest::collection::vec(any::<u8>(), 0..600)) {
        let head: &[u8] = [&b"PK\x03\x04"[..], b"\x1f\x8b\x08\0", b""][head];
        prop_assert!(look(&[head, &noise].concat()).is_err());
    }

    #[test]
    fn pieces_of_archives_put_together_are_refused_without_harm(a in 0usize..400, b in 0usize..400, c in 0usize..400) {
        let z = site();
        let cut = |n: usize| n.min(z.len());
        let mixed = [&z[..cut(a)], &z[cut(b)..], &z[..cut(c)]].concat();
        if let Ok(f) = look(&mixed) {
            prop_assert_eq!(f, look(&z).expect("good"));
        }
    }
}
