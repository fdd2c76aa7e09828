//! Cuts the apps out of `{"apps":[…]}` as the bytes come.
//!
//! An answer about 100,000 tasks has some 50 MB; made into values as a whole it takes
//! ten times that. One could get it wrong by taking an answer that broke off for a
//! shorter list: [`Elements::whole`] says whether the end was seen.

/// The reader.
#[derive(Debug)]
pub(super) struct Elements {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The last string at the top of the object: the key, if a colon follows.
    key: Vec<u8>,
    in_list: bool,
    element: Vec<u8>,
    whole: bool,
    limit: usize,
}

/// An element exceeds the limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// The depth inside the list: the object is 1, the list 2.
const LIST: usize = 2;

impl Elements {
    /// One that takes elements of up to so many bytes.
    pub(super) fn with_limit(limit: usize) -> Self {
        Self {
            depth: 0,
            in_string: false,
            escaped: false,
            key: Vec::new(),
            in_list: false,
            element: Vec::new(),
            whole: false,
            limit,
        }
    }

    /// Whether the object's end was seen.
    pub(super) fn whole(&self) -> bool {
        self.whole
    }

    /// Takes the next piece; gives the elements that it completes.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<Vec<Vec<u8>>, TooLarge> {
        let mut out = Vec::new();
        // Where in this piece the present element goes on, if we are inside one.
        let mut from = (self.in_list && self.depth > LIST).then_some(0);
        for (at, &byte) in piece.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ if self.depth == 1 && self.key.len() < 64 => self.key.push(byte),
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => {
                    self.in_string = true;
                    if self.depth == 1 {
                        self.key.clear();
                    }
                }
                b'{' | b'[' => {
                    if byte == b'[' && self.depth == 1 && self.key == b"apps" {
                        self.in_list = true;
                    } else if self.in_list && self.depth == LIST {
                        from = Some(at);
                    }
                    self.depth += 1;
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.in_list && self.depth == LIST {
                        self.keep(piece.get(from.take().unwrap_or(0)..=at).unwrap_or_default())?;
                        out.push(std::mem::take(&mut self.element));
                    } else if self.depth == 1 {
                        self.in_list = false;
                    } else if self.depth == 0 {
                        self.whole = true;
                    }
                }
                _ => {}
            }
        }
        if let Some(from) = from {
            self.keep(piece.get(from..).unwrap_or_default())?;
        }
        Ok(out)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        if self.element.len() + bytes.len() > self.limit {
            return Err(TooLarge);
        }
        self.element.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, size: usize) -> (Vec<String>, bool) {
        let mut e = Elements::with_limit(1 << 20);
        let mut out = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            out.extend(e.push(piece).unwrap().into_iter().map(|b| String::from_utf8(b).unwrap()));
        }
        (out, e.whole())
    }

    #[test]
    fn elements_are_cut_whatever_the_pieces_and_whatever_the_strings_hold() {
        let one = r#"{"id":"/a","labels":{"x":"]}\"[{","y":"\\"},"tasks":[{"id":"t"},[]]}"#;
        let two = r#"{"id":"/ü"}"#;
        let text = format!(r#"{{"before":{{"apps":[{{"id":"/no"}}]}},"apps":[ {one} , {two}],"after":["apps",[]]}}"#);
        for size in 1..text.len() {
            assert_eq!(cut(&text, size), (vec![one.to_owned(), two.to_owned()], true), "pieces of {size}");
        }
        assert_eq!(cut(r#"{"apps":[]}"#, 3), (vec![], true));
    }

    #[test]
    fn what_breaks_off_is_not_whole_and_what_is_too_large_is_refused() {
        assert_eq!(cut(r#"{"apps":[{"id":"/a"},{"id":"#, 4), (vec![r#"{"id":"/a"}"#.to_owned()], false));
        let mut e = Elements::with_limit(100);
        assert_eq!(e.push(br#"{"apps":[{"id":""#), Ok(vec![]));
        assert_eq!(e.push(&[b'x'; 200]), Err(TooLarge));
    }
}
