//! The event hub: one sequence of events, any number of listeners.
//!
//! Marathon drops a listener that has fallen about 1,000 events behind, and so
//! does the engine: the alternative would be to grow without bound or to slow
//! down everybody. A dropped listener sees its connection end and reads the state
//! anew, which is what a consumer of a stream without replay must do anyway.

use bytes::Bytes;
use padis_protocol::event::Event;
use padis_protocol::timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Events that a listener may be behind (Marathon: `--event_stream_max_outstanding_messages`, 50 by
/// default in the source, about 1,000 as shipped).
const BEHIND: usize = 1_000;

struct Listener {
    kinds: BTreeSet<String>,
    out: Sender<Bytes>,
}

#[derive(Default)]
pub(crate) struct Hub {
    listeners: Mutex<Vec<Listener>>,
}

impl Hub {
    /// A new listener; no kinds means all kinds.
    pub fn listen(&self, kinds: BTreeSet<String>) -> Receiver<Bytes> {
        let (out, inbox) = channel(BEHIND);
        self.lock().push(Listener { kinds, out });
        inbox
    }

    /// Sends an event to everybody who wants it. Called under the state's lock,
    /// so that the order of events is the order of changes; never waits.
    pub fn publish(&self, event: &Event) {
        let mut frame: Option<Bytes> = None;
        self.lock().retain(|listener| {
            if listener.out.is_closed() {
                return false;
            }
            if !listener.kinds.is_empty() && !listener.kinds.contains(event.kind()) {
                return true;
            }
            let bytes = frame.get_or_insert_with(|| render(event)).clone();
            match listener.out.try_send(bytes) {
                Ok(()) => true,
                Err(TrySendError::Closed(_)) => false,
                Err(TrySendError::Full(_)) => {
                    tracing::warn!(behind = BEHIND, "engine: an event listener is too slow and is disconnected");
                    false
                }
            }
        });
    }

    /// Ends all streams.
    pub fn close(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Listener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The frame of an event, its timestamp filled in if it has none.
fn render(event: &Event) -> Bytes {
    let mut value = serde_json::to_value(event).unwrap_or(Value::Null);
    if let Some(map) = value.as_object_mut()
        && map.get("timestamp").and_then(Value::as_str).unwrap_or_default().is_empty()
    {
        map.insert(String::from("timestamp"), Value::String(timestamp::now()));
    }
    Bytes::from(format!("event: {}\r\ndata: {value}\r\n\r\n", event.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use padis_protocol::event::AppTerminated;

    fn ended(id: &str) -> Event {
        AppTerminated { app_id: id.to_owned(), ..AppTerminated::default() }.into()
    }

    #[tokio::test]
    async fn the_slow_are_dropped_and_the_others_go_on() {
        let hub = Hub::default();
        let mut slow = hub.listen(BTreeSet::new());
        let mut other = hub.listen(BTreeSet::from([String::from("deployment_success")]));
        for n in 0..=BEHIND {
            hub.publish(&ended(&format!("/a{n}")));
        }
        assert_eq!(hub.lock().len(), 1, "the slow listener is gone");
        let mut got = 0;
        while slow.recv().await.is_some() {
            got += 1;
        }
        assert_eq!(got, BEHIND, "what was queued is still delivered, then the stream ends");
        assert!(other.try_recv().is_err(), "a filter keeps other kinds away");
        hub.close();
        assert!(other.recv().await.is_none());
    }

    #[tokio::test]
    async fn frames_have_a_type_a_time_and_an_empty_line() {
        let hub = Hub::default();
        let mut all = hub.listen(BTreeSet::new());
        hub.publish(&ended("/a"));
        let frame = String::from_utf8(all.recv().await.unwrap().to_vec()).unwrap();
        assert!(frame.starts_with("event: app_terminated_event\r\ndata: {"), "{frame}");
        assert!(frame.ends_with("}\r\n\r\n"), "{frame}");
        assert!(frame.contains("\"timestamp\":\"20"), "{frame}");
    }
}
