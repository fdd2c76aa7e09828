//! Damaged bytes never panic, hang or eat the memory.
//!
//! cargo-fuzz wants a nightly compiler; this is its poor relative, an ordinary
//! test: all fixtures are the corpus, a small random generator (seeded, so that a
//! failure can be repeated) damages them, and everything that reads bytes from
//! outside is fed. `PADIS_FUZZ_SECONDS` (default 3) says how long,
//! `PADIS_FUZZ_SEED` where to begin; a failure prints the seed of its round.
//! What parses must also be written and read again, to the same value.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use padis_protocol::app::{App, AppList, AppSingle};
use padis_protocol::deployment::{Deployment, DeploymentResult, DeploymentSteps};
use padis_protocol::error::{ErrorBody, Message};
use padis_protocol::event::{Event, Frame, FrameReader};
use padis_protocol::group::{Group, GroupUpdate};
use padis_protocol::info::{Info, Leader, LoggerChange, PluginList};
use padis_protocol::instance::Instance;
use padis_protocol::mesos::{self, operator, scheduler, v1};
use padis_protocol::pod::{Pod, PodStatus};
use padis_protocol::queue::Queue;
use padis_protocol::recordio::RecordReader;
use padis_protocol::task::{DeleteTasks, TaskList, TaskSingle};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// The longest input, in bytes.
const MAX_INPUT: usize = 64 * 1024;
/// No single input may take longer (unoptimized, on a busy machine).
const MAX_TIME: Duration = Duration::from_secs(10);
/// What a reader may hold back.
const LIMIT: usize = 4096;

/// SplitMix64: every state gives another sequence.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { usize::try_from(self.roll() % n as u64).unwrap() }
    }
    fn span(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(bytes.len() + 1);
        let length = 1 << self.below(10);
        start..(start + self.below(length + 1)).min(bytes.len())
    }
}

const WORDS: [&str; 24] = [
    "null",
    "true",
    "-1",
    "0",
    "1e308",
    "-1e308",
    "1e999",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "3.5",
    "\"\"",
    "\"x\"",
    "[]",
    "{}",
    "[[]]",
    "\"disabled\"",
    "\"\\ud800\"",
    "\u{feff}",
    "\u{0}",
    "\n",
    "\r\n\r\n",
    "data: ",
    "99999999999999999999\n",
];

fn damage(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[dice.below(corpus.len())].clone();
    for _ in 0..=dice.below(6) {
        match dice.below(9) {
            0 => {
                let at = dice.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
            1 => drop(bytes.drain(dice.span(&bytes))),
            2 => bytes.truncate(dice.below(bytes.len() + 1)),
            3 => {
                let copy = bytes[dice.span(&bytes)].to_vec();
                let at = dice.below(bytes.len() + 1);
                bytes.splice(at..at, copy);
            }
            4 => {
                let other = &corpus[dice.below(corpus.len())];
                let part = other[dice.span(other)].to_vec();
                bytes.splice(dice.span(&bytes), part);
            }
            5 => drop(bytes.splice(dice.span(&bytes), WORDS[dice.below(WORDS.len())].bytes())),
            // A whole value by another one: this is what still parses.
            6 | 7 => {
                let colons: Vec<usize> =
                    bytes.iter().enumerate().filter(|(_, b)| **b == b':').map(|(at, _)| at + 1).collect();
                if let Some(&start) = colons.get(dice.below(colons.len())) {
                    let rest = &bytes[start..];
                    let end = rest.iter().position(|b| b",}]\n".contains(b)).unwrap_or(rest.len());
                    bytes.splice(start..start + end, WORDS[dice.below(18)].bytes());
                }
            }
            _ => {
                let depth = 1 << dice.below(13);
                let (open, close) =
                    [("[", "]"), ("{\"a\":", "}"), ("{\"groups\":[", "]}"), ("{\"parent\":", "}")][dice.below(4)];
                let close = if dice.below(2) == 0 { close } else { "" };
                let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                bytes.splice(dice.span(&bytes), deep.bytes());
            }
        }
        bytes.truncate(MAX_INPUT);
    }
    bytes
}

/// Reads it; what was read is written and read again.
fn read<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> bool {
    let name = std::any::type_name::<T>();
    let Ok(typed) = serde_json::from_slice::<T>(bytes) else { return false };
    let written = serde_json::to_vec(&typed).unwrap();
    assert!(serde_json::from_slice::<T>(&written).is_ok(), "what {name} wrote it can't read");
    // A name that comes twice can be two things (an event's type!); as a value it comes once.
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) else { return true };
    let Ok(typed) = serde_json::from_value::<T>(value) else { return true };
    let once = serde_json::to_value(&typed).unwrap();
    let again: T = serde_json::from_value(once.clone()).unwrap_or_else(|e| panic!("{name}: {e}\n{once}"));
    assert_eq!(serde_json::to_value(&again).unwrap(), once, "{name}");
    true
}

macro_rules! readers { ($($type:ty),* $(,)?) => { [$(read::<$type> as Reader),*] } }

type Reader = fn(&[u8]) -> bool;

/// Everything that is parsed as a whole.
fn types() -> Vec<Reader> {
    readers![
        App,
        Vec<App>,
        AppList,
        AppSingle,
        Group,
        GroupUpdate,
        Pod,
        Vec<PodStatus>,
        PodStatus,
        Instance,
        Queue,
        Vec<Deployment>,
        DeploymentResult,
        DeploymentSteps,
        TaskList,
        TaskSingle,
        DeleteTasks,
        Info,
        Leader,
        PluginList,
        LoggerChange,
        padis_protocol::metrics::Metrics,
        ErrorBody,
        Message,
        Event,
        mesos::MasterState,
        mesos::StateSummary,
        mesos::Slaves,
        mesos::Frameworks,
        mesos::Tasks,
        mesos::Roles,
        mesos::AgentState,
        Vec<mesos::ContainerInfo>,
        Vec<mesos::FileInfo>,
        mesos::FileRead,
        mesos::Metrics,
        mesos::Flags,
        mesos::Version,
        mesos::SystemStats,
        v1::QuotaStatus,
        Vec<v1::WeightInfo>,
        v1::Schedule,
        v1::ClusterStatus,
        v1::Resources,
        operator::Call,
        operator::Response,
        operator::Event,
        operator::agent::Call,
        operator::agent::Response,
        scheduler::Call,
        scheduler::Event,
    ]
    .to_vec()
}

fn streams(dice: &mut Dice, bytes: &[u8]) -> usize {
    let (mut frames, mut records) = (FrameReader::with_limit(LIMIT), RecordReader::with_limit(LIMIT));
    let (mut seen, mut out, mut rest) = (0, Vec::new(), bytes);
    while !rest.is_empty() {
        let (now, later) = rest.split_at((1 + dice.below(700)).min(rest.len()));
        seen += frames.push(now).iter().filter(|f| matches!(f, Frame::Event(..))).count();
        let _ = records.push(now, &mut out);
        assert!(frames.buffered() <= 3 * LIMIT, "frames hold {} bytes back", frames.buffered());
        assert!(records.buffered() <= LIMIT + 32, "records hold {} bytes back", records.buffered());
        rest = later;
    }
    let _ = records.finish();
    assert!(out.iter().all(|r| r.len() <= LIMIT));
    assert!(out.iter().map(Vec::len).sum::<usize>() <= bytes.len());
    seen + out.len()
}

fn texts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for part in text.split('"') {
        let _ = (mesos::parse_ranges(part), mesos::parse_set(part), mesos::parse_resources(part));
        let _ = padis_protocol::timestamp::parse(part);
    }
}

/// Every example of every fixture, and every file as a whole.
fn corpus() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut out = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        if let Ok(serde_json::Value::Object(map)) = serde_json::from_slice(&bytes) {
            out.extend(map.values().map(|v| v.to_string().into_bytes()));
        } else if file.extension().is_some_and(|e| e == "jsonl") {
            out.extend(bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec));
        } else {
            out.push(bytes);
        }
    }
    out.retain(|b| !b.is_empty() && b.len() < MAX_INPUT);
    assert!(out.len() > 100);
    out
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|v| v.parse().unwrap_or_else(|_| panic!("{name} is no number: {v}")))
}

#[test]
fn damaged_bytes_are_survived() {
    let (corpus, types) = (corpus(), types());
    let first = setting("PADIS_FUZZ_SEED").unwrap_or(0x9AD15);
    let end = Instant::now() + Duration::from_secs(setting("PADIS_FUZZ_SECONDS").unwrap_or(3));
    let (mut rounds, mut parsed, mut cut) = (0_u64, 0_usize, 0_usize);
    while Instant::now() < end {
        let seed = first.wrapping_add(rounds);
        let mut dice = Dice(seed);
        let bytes = damage(&mut dice, &corpus);
        let start = Instant::now();
        let round = catch_unwind(AssertUnwindSafe(|| {
            cut += streams(&mut dice, &bytes);
            texts(&bytes);
            types.iter().filter(|read| read(&bytes)).count()
        }));
        let took = start.elapsed();
        match round {
            Ok(count) => parsed += count,
            Err(_) => panic!("seed {seed} (PADIS_FUZZ_SEED={seed}): panicked on {:?}", String::from_utf8_lossy(&bytes)),
        }
        assert!(took < MAX_TIME, "PADIS_FUZZ_SEED={seed}: took {took:?} for {} bytes", bytes.len());
        rounds += 1;
    }
    println!("{rounds} rounds, {parsed} parsed, {cut} frames and records");
    assert!(rounds > 0 && parsed > 0, "damage that nothing survives tests nothing");
}

#[test]
fn the_corpus_itself_is_read() {
    let types = types();
    let unread = corpus().into_iter().filter(|bytes| !types.iter().any(|read| read(bytes))).count();
    // The two streams, this folder's README and the one ZooKeeper node that is no answer (which
    // `operator::Event` and others take as something unknown) aside, all is.
    assert!(unread <= 3, "{unread} examples are read by nothing");
}
