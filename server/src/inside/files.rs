//! The list of an image's files as it is kept: one text, packed.
//!
//! One line for each file: path, bytes, layer. A search unpacks and goes through all of it,
//! which is faster than so many rows, and is of one image alone. One could get it wrong by
//! letting a name with a line's end in it become two files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::io::{BufRead, BufReader};

/// Path, bytes, layer.
pub type Line = (String, u64, u32);

/// Packs files.
pub fn pack(files: &[(Box<str>, u64, u32)]) -> std::io::Result<String> {
    let mut out = zstd::stream::write::Encoder::new(Vec::new(), 6)?;
    for (path, bytes, layer) in files {
        let path: String = path.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        std::io::Write::write_all(&mut out, format!("{path}\t{bytes}\t{layer}\n").as_bytes())?;
    }
    Ok(STANDARD_NO_PAD.encode(out.finish()?))
}

/// The files in whose path all these words are, whatever their case: the first `most`, and
/// how many there are.
pub fn find(packed: &str, words: &str, most: usize) -> std::io::Result<(Vec<Line>, u64)> {
    let bytes = STANDARD_NO_PAD.decode(packed).map_err(std::io::Error::other)?;
    let words: Vec<String> = words.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let mut lines = BufReader::with_capacity(64 << 10, zstd::stream::read::Decoder::new(&bytes[..])?);
    let (mut out, mut found, mut line) = (Vec::new(), 0, String::new());
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok((out, found));
        }
        let mut parts = line.trim_end_matches('\n').split('\t');
        let (Some(path), Some(bytes), Some(layer)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let small = path.to_lowercase();
        if words.iter().all(|w| small.contains(w.as_str())) {
            found += 1;
            if out.len() < most {
                out.push((path.to_owned(), bytes.parse().unwrap_or_default(), layer.parse().unwrap_or_default()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_words_in_any_order() {
        let file = |path: &str, bytes| (path.into(), bytes, 1);
        let packed = pack(&[file("etc/Nginx/nginx.conf", 7), file("usr/sbin/nginx", 9), file("odd\n\tname", 1)])
            .expect("packed");
        let found = find(&packed, "CONF nginx", 10).expect("found");
        assert_eq!(found, (vec![("etc/Nginx/nginx.conf".to_owned(), 7, 1)], 1));
        let (first, all) = find(&packed, "", 1).expect("found");
        assert_eq!((first.len(), all), (1, 3));
        assert_eq!(find(&packed, "odd", 5).expect("found").0[0].0, "odd\u{fffd}\u{fffd}name");
        assert!(find("!", "", 1).is_err());
    }

    #[test]
    fn a_search_in_the_most_files_is_fast() {
        let path = |n: usize| format!("usr/lib/python3/dist-packages/module_{}/part_{n}/__init__.py", n % 977);
        let files: Vec<_> = (0..super::super::tree::MAX_FILES).map(|n| (path(n).into(), n as u64, 1)).collect();
        let packed = pack(&files).expect("packed");
        let best = (0..5).map(|_| {
            let began = std::time::Instant::now();
            let found = find(&packed, "part_149999 init", 200).expect("found");
            assert_eq!(found.1, 1);
            began.elapsed()
        });
        let best = best.min().expect("five");
        println!("{best:?} in {} files, {} KiB", files.len(), packed.len() >> 10);
        // 100 ms optimised; these tests are not.
        assert!(best.as_millis() < 1_000, "{best:?}");
    }
}
