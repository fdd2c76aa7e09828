//! RecordIO.

use padis_protocol::mesos::scheduler::{Event, EventBody};
use padis_protocol::recordio::{RecordError, RecordReader, record};
use proptest::prelude::*;

fn read(reader: &mut RecordReader, bytes: &[u8]) -> (Vec<Vec<u8>>, Result<(), RecordError>) {
    let mut out = Vec::new();
    let result = reader.push(bytes, &mut out);
    (out, result)
}

#[test]
fn a_recorded_stream() {
    let bytes = include_bytes!("../fixtures/scheduler.recordio");
    let mut reader = RecordReader::default();
    let (records, result) = read(&mut reader, bytes);
    assert_eq!((result, reader.finish()), (Ok(()), Ok(())));
    let events: Vec<Event> = records.iter().map(|r| serde_json::from_slice(r).unwrap()).collect();
    assert!(events.iter().any(|e| e.body == EventBody::Heartbeat));
    assert_eq!(records.iter().flat_map(|r| record(r)).collect::<Vec<u8>>(), bytes);
}

#[test]
fn lengths_that_are_none() {
    for bad in
        ["\n", "x\n", "-1\n", "+1\n", " 1\n", "1 \n", "0x10\n", "1.0\n", "1\r\n", "{}", "000000000000000000001\n"]
    {
        let mut reader = RecordReader::default();
        let (records, result) = read(&mut reader, bad.as_bytes());
        assert_eq!((records.len(), result), (0, Err(RecordError::Length)), "{bad:?}");
        assert_eq!(read(&mut reader, b"2\n{}").1, Err(RecordError::Length), "it stays broken");
        assert_eq!(reader.finish(), Err(RecordError::Length));
    }
    for large in ["101\n", "99999999999999999999\n", "18446744073709551615\n"] {
        let (_, result) = read(&mut RecordReader::with_limit(100), large.as_bytes());
        assert_eq!(result, Err(RecordError::TooLarge { limit: 100 }), "{large}");
    }
}

#[test]
fn records_before_an_error_and_the_end() {
    let (records, result) = read(&mut RecordReader::default(), b"2\n{}0\n3\n[1]oops");
    assert_eq!(records, [b"{}".to_vec(), Vec::new(), b"[1]".to_vec()]);
    assert_eq!(result, Err(RecordError::Length));
    let mut reader = RecordReader::default();
    assert_eq!(read(&mut reader, b"12").1, Ok(()));
    assert_eq!(reader.finish(), Err(RecordError::Truncated));
    assert_eq!(read(&mut reader, b"\n12345").1, Ok(()));
    assert_eq!((reader.finish(), reader.buffered()), (Err(RecordError::Truncated), 5));
    assert_eq!(read(&mut reader, b"6789012").0.len(), 1);
    assert_eq!((reader.finish(), reader.buffered()), (Ok(()), 0));
}

proptest! {
    /// What was written is read, whatever the pieces.
    #[test]
    fn records_in_any_pieces(
        records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..10),
        cuts in prop::collection::vec(1_usize..20, 1..20),
    ) {
        let bytes: Vec<u8> = records.iter().flat_map(|r| record(r)).collect();
        let (mut reader, mut out, mut rest) = (RecordReader::default(), Vec::new(), &bytes[..]);
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            prop_assert_eq!(reader.push(now, &mut out), Ok(()));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(reader.finish(), Ok(()));
        prop_assert_eq!(out, records);
    }

    /// Any bytes give the same records and the same error, whatever the pieces.
    #[test]
    fn garbage_in_any_pieces(bytes in "[0-9]{0,3}\n?[a-z0-9\n]{0,60}", cut in 1_usize..9) {
        let mut whole = RecordReader::with_limit(64);
        let (records, result) = read(&mut whole, bytes.as_bytes());
        let (mut reader, mut out, mut last) = (RecordReader::with_limit(64), Vec::new(), Ok(()));
        for piece in bytes.as_bytes().chunks(cut) {
            last = last.and(reader.push(piece, &mut out));
        }
        prop_assert_eq!((out, last, reader.finish()), (records, result, whole.finish()));
    }
}
