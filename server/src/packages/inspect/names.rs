//! Which entry names are acceptable.
//!
//! Names are bytes: archives made on Chinese Windows hold GBK without saying so,
//! and a web server hands out what it was given. Judged are the separators and
//! parts, once, for zip and tar alike. One could get it wrong by cleaning a bad
//! name instead of refusing the archive: whoever unpacks it later may clean
//! differently.

use padis_domain::package::PackageFault;

/// The longest name in bytes: Linux's `PATH_MAX` less what stands before it.
const MAX_NAME: usize = 2048;
/// The longest part in bytes: Linux's `NAME_MAX`.
const MAX_PART: usize = 255;

/// A name for people.
pub fn shown(name: &[u8]) -> String {
    let s: String =
        String::from_utf8_lossy(name).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if s.chars().count() > 120 { s.chars().take(119).chain(['…']).collect() } else { s }
}

/// The name relative to the archive's root, without `./` in front and `/` at the end.
pub fn check(name: &[u8]) -> Result<&[u8], PackageFault> {
    let climbs = || PackageFault::ClimbsOut { entry: shown(name) };
    let corrupt = || PackageFault::Corrupt { entry: shown(name) };
    let mut rest = name;
    while let Some(r) = rest.strip_prefix(b"./") {
        rest = r;
    }
    let rest = rest.strip_suffix(b"/").unwrap_or(rest);
    if rest.is_empty() || rest == b"." {
        // The root itself, as tar writes it.
        return if name.is_empty() { Err(corrupt()) } else { Ok(b"") };
    }
    let drive = rest.len() >= 2 && rest[0].is_ascii_alphabetic() && rest[1] == b':';
    if rest[0] == b'/' || drive || rest.contains(&b'\\') {
        return Err(climbs());
    }
    if rest.contains(&0) || rest.len() > MAX_NAME {
        return Err(corrupt());
    }
    for part in rest.split(|b| *b == b'/') {
        match part {
            b".." => return Err(climbs()),
            b"" | b"." => return Err(corrupt()),
            p if p.len() > MAX_PART => return Err(corrupt()),
            _ => {}
        }
    }
    Ok(rest)
}

/// Whether a link's target, seen from the entry's folder, leaves the archive.
pub fn link_climbs(entry: &[u8], target: &[u8]) -> bool {
    if target.starts_with(b"/") || target.contains(&b'\\') {
        return true;
    }
    let mut depth = entry.split(|b| *b == b'/').count() as i64 - 1;
    for part in target.split(|b| *b == b'/') {
        match part {
            b".." => depth -= 1,
            b"" | b"." => {}
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_every_way_out() {
        for bad in ["../a", "a/../../b", "/etc/passwd", "C:\\x", "c:/x", "a\\..\\b", "..", "a/.."] {
            assert!(matches!(check(bad.as_bytes()), Err(PackageFault::ClimbsOut { .. })), "{bad}");
        }
        for bad in ["a//b", "a/./b", "a\0b", "", &"x".repeat(256)] {
            assert!(matches!(check(bad.as_bytes()), Err(PackageFault::Corrupt { .. })), "{bad}");
        }
        assert_eq!(check(b"./a/b/"), Ok(&b"a/b"[..]));
        assert_eq!(check(b"./"), Ok(&b""[..]));
        assert_eq!(check(b"a..b/...c"), Ok(&b"a..b/...c"[..]));
    }

    #[test]
    fn links_are_followed_on_paper() {
        assert!(link_climbs(b"a/l", b"../../x") && link_climbs(b"l", b"/etc") && link_climbs(b"l", b".."));
        assert!(!link_climbs(b"a/l", b"../x") && !link_climbs(b"l", b"x/../y"));
    }
}
