//! What a file is when it is not an archive that we take: said to the person in
//! place of "unknown format". Only the beginning is looked at.

/// What the beginning looks like; `None` for a zip or a gzip.
pub fn looks_like(head: &[u8]) -> Option<&'static str> {
    const SIGNS: [(&[u8], &str); 14] = [
        (b"\x7fELF", "elf"),
        (b"%PDF", "pdf"),
        (b"Rar!", "rar"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\xca\xfe\xba\xbe", "class"),
        (b"\x89PNG", "png"),
        (b"\xff\xd8\xff", "jpeg"),
        (b"GIF8", "gif"),
        (b"MZ", "exe"),
        (b"#!", "script"),
        (b"\xd0\xcf\x11\xe0", "msi"),
    ];
    if is_zip(head) || is_gzip(head) {
        return None;
    }
    if let Some((_, word)) = SIGNS.iter().find(|(sign, _)| head.starts_with(sign)) {
        return Some(word);
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some("tar");
    }
    let start: String = String::from_utf8_lossy(&head[..head.len().min(200)])
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        return Some("html");
    }
    if start.starts_with("<?xml") {
        return Some("xml");
    }
    // The end may be in the middle of a character.
    let text = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(e) => e.error_len().is_none(),
    };
    let control = head.iter().any(|b| *b < 0x20 && !matches!(b, b'\n' | b'\r' | b'\t' | 0x0c));
    Some(if text && !control { "text" } else { "unknown" })
}

/// Begins like a zip, an empty one included.
pub fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// Begins like gzip with deflate.
pub fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(b"\x1f\x8b\x08")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_it_is() {
        assert_eq!(looks_like(b"PK\x03\x04...."), None);
        assert_eq!(looks_like(b"\x7fELF\x02"), Some("elf"));
        assert_eq!(looks_like(b"\n <!DOCTYPE html>"), Some("html"));
        assert_eq!(looks_like("保险".as_bytes()), Some("text"));
        assert_eq!(looks_like(&"保险".as_bytes()[..4]), Some("text"));
        assert_eq!(looks_like(&[0, 1, 2]), Some("unknown"));
    }
}
