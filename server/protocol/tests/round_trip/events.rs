//! Marathon's events and the frames they come in.

use crate::all;
use padis_protocol::event::{Event, Frame, FrameReader, frame};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn events_of_every_type() {
    let events: Vec<(String, Event)> = all(include_str!("../fixtures/events.json"));
    for (name, event) in &events {
        assert!(!matches!(event, Event::Other(_)), "{name} has a type");
    }
    for (name, event) in &events {
        assert_eq!(event.kind(), name);
    }
    let broken: Event = serde_json::from_value(json!({"eventType": "status_update_event", "novelty": 1})).unwrap();
    assert!(matches!(&broken, Event::Other(_)), "a known type that does not look as it should breaks nothing");
    assert_eq!(broken.kind(), "status_update_event");
}

#[test]
fn the_stream_in_any_pieces() {
    let text = include_str!("../fixtures/events.txt");
    for size in [1, 2, 7, 64, 10_000] {
        let mut reader = FrameReader::default();
        let frames: Vec<Frame> = text.as_bytes().chunks(size).flat_map(|piece| reader.push(piece)).collect();
        let kinds: Vec<&str> = frames
            .iter()
            .filter_map(|f| if let Frame::Event(kind, _) = f { Some(kind.as_str()) } else { None })
            .collect();
        assert_eq!(
            kinds,
            ["event_stream_attached", "status_update_event", "status_update_event"],
            "in pieces of {size}"
        );
    }
    let mut reader = FrameReader::default();
    assert_eq!(reader.push(b"\r\n: ping\n"), [Frame::Heartbeat, Frame::Heartbeat]);
    assert_eq!(reader.push(b"event: x\ndata: {no\n\n"), [Frame::Garbled(String::from("{no"))]);
}

#[test]
fn what_never_ends_is_bounded() {
    let mut reader = FrameReader::with_limit(100);
    for _ in 0..1000 {
        assert!(reader.push(b"data: 0123456789").is_empty());
        assert!(reader.buffered() <= 300);
    }
    assert!(matches!(&reader.push(b"\n\n")[..], [Frame::Garbled(_)]));
    for _ in 0..1000 {
        assert!(reader.push(b"data: 0123456789\n").is_empty());
        assert!(reader.buffered() <= 300);
    }
    assert!(matches!(&reader.push(b"\n")[..], [Frame::Garbled(_)]));
    let fine = reader.push(b"data: {\"eventType\":\"x\"}\n\n");
    assert!(matches!(&fine[..], [Frame::Event(kind, _)] if kind == "x"), "the next one is read again");
}

#[test]
fn a_type_brings_no_lines_of_its_own() {
    let event: Event = serde_json::from_value(json!({"eventType": "x\n\ndata: {}\n\n"})).unwrap();
    let frames = FrameReader::default().push(frame(&event).unwrap().as_bytes());
    assert_eq!(frames.len(), 1, "{frames:?}");
}

proptest! {
    /// Whatever a message says, it arrives: a frame is one line of data.
    #[test]
    fn frames_carry_any_text(message in ".*", task in "[a-z]{1,8}", cut in 1_usize..40) {
        let event: Event = serde_json::from_value(json!({
            "eventType": "status_update_event", "taskId": task, "taskStatus": "TASK_FAILED", "appId": "/a",
            "message": message, "timestamp": "2026-11-22T00:00:00.000Z",
        })).unwrap();
        let text = frame(&event).unwrap();
        let mut reader = FrameReader::default();
        let frames: Vec<Frame> = text.as_bytes().chunks(cut).flat_map(|p| reader.push(p)).collect();
        prop_assert_eq!(frames, vec![Frame::Event(String::from("status_update_event"), Box::new(event))]);
    }

    /// However the bytes are cut, the frames are the same.
    #[test]
    fn frames_do_not_depend_on_the_pieces(
        bytes in prop::collection::vec(prop_oneof![
            Just(b"event: x\n".to_vec()), Just(b"data: {\"eventType\":\"x\"}\r\n".to_vec()), Just(b"\n".to_vec()),
            Just(b": ping\n".to_vec()), prop::collection::vec(any::<u8>(), 0..12),
        ], 0..20),
        cuts in prop::collection::vec(1_usize..30, 1..20),
    ) {
        let bytes = bytes.concat();
        let whole = FrameReader::default().push(&bytes);
        let mut reader = FrameReader::default();
        let (mut frames, mut rest) = (Vec::new(), &bytes[..]);
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            frames.extend(reader.push(now));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(frames, whole);
    }
}
