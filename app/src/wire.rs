//! How values travel from the server to the browser half.
//!
//! In postcard's form: fields in order, without names. Programs get JSON, but
//! reading JSON costs the browser's binary a matcher of names for every type, a
//! quarter of its weight. One could get it wrong by letting a page and a server
//! of different versions talk: without names they would misread each other. So
//! everything carries [`SHAPE`], which the sources of both decide, and what
//! carries another one is not read: the reader is told to load the page anew.

use crate::api::{Fault, Said};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The mark of this version's types.
pub const SHAPE: &str = env!("PADIS_SHAPE");
/// The content type of answers in this form, and what asks for it.
pub const TYPE: &str = concat!("application/vnd.padis.", env!("PADIS_SHAPE"));
/// The header that carries a [`Fault`] (as [`text`]) beside a body for programs.
pub const FAULT: &str = "padis-fault";

const GOOD: u8 = b'+';
const BAD: u8 = b'-';

/// An answer as bytes.
pub fn pack<T: Serialize>(said: &Said<T>) -> Vec<u8> {
    let packed = match said {
        Ok(v) => postcard::to_extend(v, vec![GOOD]),
        Err(f) => postcard::to_extend(f, vec![BAD]),
    };
    // Empty is read as a fault of its own kind.
    packed.unwrap_or_default()
}

/// An answer from bytes.
///
/// # Errors
/// The fault that was packed, or [`Fault::OutOfDate`] for what can't be read.
pub fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Said<T> {
    T::deserialize(&mut postcard::Deserializer::from_bytes(good(bytes)?)).map_err(|_| Fault::OutOfDate)
}

fn good(bytes: &[u8]) -> Said<&[u8]> {
    match bytes.split_first() {
        Some((&GOOD, rest)) => Ok(rest),
        Some((&BAD, rest)) => Err(postcard::from_bytes(rest).unwrap_or(Fault::OutOfDate)),
        _ => Err(Fault::OutOfDate),
    }
}

/// A value as text for a page, a header or a query: the mark, then base64url.
pub fn text<T: Serialize>(value: &T) -> String {
    mark(&postcard::to_extend(value, Vec::new()).unwrap_or_default())
}

/// A value from [`text`]; `None` if it is of another version or broken.
pub fn value<T: DeserializeOwned>(text: &str) -> Option<T> {
    postcard::from_bytes(&unmark(text)?).ok()
}

/// Bytes as text that carries the mark.
pub fn mark(bytes: &[u8]) -> String {
    let mut out = SHAPE.to_owned();
    for c in bytes.chunks(3) {
        let n = c.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - c.len()));
        out.extend((0..=c.len()).map(|i| char::from(DIGITS[(n >> (18 - 6 * i)) as usize & 63])));
    }
    out
}

/// The bytes of [`mark`]; `None` if the mark is another one or the text is broken.
pub fn unmark(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix(SHAPE)?.as_bytes();
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for c in text.chunks(4) {
        let mut n = 0_u32;
        for i in 0..4 {
            n = n << 6 | c.get(i).map_or(Some(0), |d| digit(*d))?;
        }
        out.extend(&n.to_be_bytes()[1..c.len()]);
    }
    Some(out)
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn digit(d: u8) -> Option<u32> {
    Some(u32::from(match d {
        b'A'..=b'Z' => d - b'A',
        b'a'..=b'z' => d - b'a' + 26,
        b'0'..=b'9' => d - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use padis_domain::Problem;
    use padis_domain::problem::ValueFault;

    #[test]
    fn answers_come_back_as_they_were() {
        let range = ValueFault::OutOfRange { min: -1, max: 1 << 40 };
        let fault = Fault::Portal(Problem::Fields { problems: vec![Problem::field("cpu", range), Problem::NotFound] });
        for said in [Ok(vec!["ü".to_owned()]), Ok(Vec::new()), Err(fault), Err(Fault::ConnectionLost)] {
            let packed = pack(&said);
            assert_eq!(unpack::<Vec<String>>(&packed), said);
            assert_eq!(unmark(&mark(&packed)), Some(packed));
        }
    }

    #[test]
    fn another_version_and_noise_are_not_read() {
        for noise in [&b""[..], b"<html>", b"+", b"-\xff\xff", b"-"] {
            assert_eq!(unpack::<Vec<String>>(noise), Err(Fault::OutOfDate), "{noise:?}");
        }
        let good = text(&Fault::OutOfDate);
        assert_eq!(value(&good), Some(Fault::OutOfDate));
        assert_eq!(value::<Fault>(&good[1..]), None);
        assert_eq!(value::<Fault>(&good.replacen(&SHAPE[..4], "zzzz", 1)), None);
        assert_eq!(value::<Fault>(&format!("{good}!")), None);
    }

    #[test]
    fn the_text_is_base64url() {
        for (plain, coded) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("\u{3ff}\u{3ff}", "z7_Pvw")] {
            assert_eq!(mark(plain.as_bytes()), format!("{SHAPE}{coded}"));
            assert_eq!(unmark(&mark(plain.as_bytes())).as_deref(), Some(plain.as_bytes()));
        }
    }

    #[test]
    fn a_forged_address_cannot_nest_without_end() {
        // `Fields` within `Fields`, a hundred thousand deep: variant and length, two bytes each.
        let one = text(&Fault::Portal(Problem::Fields { problems: vec![Problem::Fields { problems: vec![] }] }));
        assert_eq!(value::<Fault>(&one), None);
        let bytes = unmark(&one).unwrap_or_default();
        let deep: Vec<u8> = [&bytes[..1], &bytes[1..3].repeat(100_000), &bytes[1..]].concat();
        assert_eq!(value::<Fault>(&mark(&deep)), None);
    }
}
