use super::*;
use std::os::unix::fs::symlink;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let f = Self(tempfile::tempdir().expect("a folder"));
        std::fs::create_dir(f.0.path().join("t1")).expect("the task's folder");
        f
    }
    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.path().join("t1").join(name), bytes).expect("a log");
    }
    fn open(&self, name: &str) -> Result<OwnedFd, Errno> {
        regular(&task_folder(self.0.path(), "t1")?, name)
    }
    fn read(&self, name: &str, offset: Option<u64>, length: u32, find: &str, alive: bool) -> Piece {
        read(&self.open(name).expect("the log"), Want { offset, length, find, alive }).expect("a piece")
    }
}

fn texts(p: &Piece) -> Vec<&str> {
    p.lines.iter().map(|(_, l)| l.as_str()).collect()
}

#[test]
fn nothing_outside_the_folder_is_read() {
    let f = Folder::new();
    let t1 = f.0.path().join("t1");
    std::fs::write(f.0.path().join("outside"), b"secret\n").expect("a file outside");
    symlink("../outside", t1.join("link")).expect("a link");
    symlink("/etc", f.0.path().join("t2")).expect("a linked folder");
    std::fs::create_dir(t1.join("folder")).expect("a folder");
    assert!(std::process::Command::new("mkfifo").arg(t1.join("pipe")).status().expect("mkfifo").success());
    f.write("good", b"x\n");
    for bad in ["link", "folder", "pipe", "absent"] {
        assert!(f.open(bad).is_err(), "{bad}");
    }
    assert!(task_folder(f.0.path(), "t2").is_err());
    let folder = task_folder(f.0.path(), "t1").expect("the task's folder");
    let names: Vec<_> = list(&folder).expect("a list").into_iter().map(|l| (l.name, l.bytes)).collect();
    assert_eq!(names, [("good".to_owned(), 2)]);
    for bad in ["", ".", "..", "a/b", "../x", "a\0"] {
        assert!(!is_component(bad), "{bad:?}");
    }
    assert!(is_component("catalina.2026-11-22.log"));
}

#[test]
fn the_end_begins_with_a_whole_line_and_goes_on_where_it_ended() {
    let f = Folder::new();
    f.write("log", b"first line\nsecond\r\nthird\nunfinis");
    let p = f.read("log", None, 20, "", true);
    assert_eq!(texts(&p), ["third"]);
    assert_eq!((p.lines[0].0, p.next, p.length), (19, 25, 32));
    let p = f.read("log", Some(0), 0, "", true);
    assert_eq!(texts(&p), ["first line", "second", "third"]);
    // The unfinished line comes when it is finished, or when nobody writes any more.
    assert_eq!(texts(&f.read("log", Some(p.next), 0, "", true)), Vec::<&str>::new());
    assert_eq!(texts(&f.read("log", Some(p.next), 0, "", false)), ["unfinis"]);
    f.write("log", b"first line\nsecond\r\nthird\nunfinished\n");
    let p = f.read("log", Some(p.next), 0, "", true);
    assert_eq!((texts(&p), p.next), (vec!["unfinished"], 36));
    // Cut and begun anew.
    f.write("log", b"new\n");
    assert_eq!(texts(&f.read("log", Some(36), 0, "", true)), ["new"]);
}

#[test]
fn a_line_longer_than_a_piece_does_not_stop_the_reader() {
    let f = Folder::new();
    let mut long = vec![b'x'; 1000];
    long.extend_from_slice(b"\nend\n");
    f.write("log", &long);
    let (mut at, mut seen, mut rounds) = (0, Vec::new(), 0);
    while at < 1005 {
        let p = f.read("log", Some(at), 64, "", true);
        assert!(p.next > at, "stuck at {at}");
        seen.extend(p.lines.into_iter().map(|l| l.1));
        at = p.next;
        rounds += 1;
        assert!(rounds < 100);
    }
    assert_eq!(seen.concat(), format!("{}end", "x".repeat(1000)));
}

#[test]
fn a_search_finds_every_line_once_across_pieces() {
    let f = Folder::new();
    let mut text = String::new();
    for i in 0..100_000 {
        text.push_str(if i % 1000 == 7 { "an ERROR here\n" } else { "nothing to see\n" });
    }
    f.write("log", text.as_bytes());
    let (mut at, mut found) = (0, Vec::new());
    for _ in 0..1000 {
        let p = f.read("log", Some(at), 200, "error", false);
        found.extend(p.lines.iter().map(|l| l.0));
        if p.next == at || p.next == p.length {
            at = p.next;
            break;
        }
        at = p.next;
    }
    assert_eq!(at, text.len() as u64);
    assert_eq!(found.len(), 100);
    let mut once = found.clone();
    once.dedup();
    assert_eq!(once, found);
    // Without an offset the end is searched.
    assert_eq!(f.read("log", None, MAX_PIECE, "Error", false).lines.len(), 100);
}
