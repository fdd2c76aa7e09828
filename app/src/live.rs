//! Changes told by the server: one `EventSource`, topics, and the resources that
//! a page shows are fetched anew.
//!
//! A message carries no data ("topic X changed"), so a lost one costs nothing
//! but time. The stream begins with a mark of what was told until then: where it is
//! not the page's own, something changed while the page was on its way, or the stream
//! was broken, and everything shown is fetched anew. One could get it wrong by
//! fetching for every message: a delivery sends dozens, so what arrives within a
//! short while is answered by one fetch.

use leptos::prelude::*;

type Wake = Callback<()>;

/// What pages have asked to be told.
#[derive(Clone, Copy)]
struct Live {
    /// Number, topic, what to do.
    ears: StoredValue<Vec<(u64, String, Wake)>>,
    next: StoredValue<u64>,
    lost: RwSignal<Option<i64>>,
}

/// Provides the ears; called once, by the application.
pub fn provide() {
    provide_context(Live { ears: StoredValue::new(Vec::new()), next: StoredValue::new(0), lost: RwSignal::new(None) });
}

/// Calls `wake` whenever `topic` changed, as long as the present owner lives.
pub fn on(topic: impl Into<String>, wake: impl Fn() + Send + Sync + 'static) {
    let Some(live) = use_context::<Live>() else { return };
    if cfg!(feature = "ssr") {
        return;
    }
    let n = live.next.get_value();
    live.next.set_value(n + 1);
    let topic = topic.into();
    let wake = Callback::new(move |()| wake());
    live.ears.update_value(|e| e.push((n, topic, wake)));
    on_cleanup(move || {
        live.ears.try_update_value(|e| e.retain(|(m, _, _)| *m != n));
    });
}

/// Since when the stream has been broken, by the reader's clock; `None`: it stands.
pub fn lost_since() -> Signal<Option<i64>> {
    use_context::<Live>().map_or_else(|| Signal::stored(None), |l| l.lost.into())
}

/// Opens the stream, in the browser only.
pub fn start() {
    #[cfg(not(feature = "ssr"))]
    if let Some(live) = use_context::<Live>() {
        crate::ui::effect(move || browser::open(live));
    }
}

#[cfg(not(feature = "ssr"))]
mod browser {
    use super::{Live, Wake};
    use crate::context::Mark;
    use leptos::prelude::*;
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::prelude::Closure;
    use web_sys::{Event, EventSource, MessageEvent};

    /// The topic of a message, `{"topic": …}`.
    fn topic(message: &MessageEvent) -> Option<String> {
        let change = js_sys::JSON::parse(&message.data().as_string()?).ok()?;
        js_sys::Reflect::get(&change, &"topic".into()).ok()?.as_string()
    }

    /// Milliseconds in which messages are gathered before one fetch.
    const GATHER: Duration = Duration::from_millis(80);

    fn wake_all(live: Live, of: impl Fn(&str) -> bool) {
        let wakes: Vec<Wake> =
            live.ears.with_value(|e| e.iter().filter(|(_, t, _)| of(t)).map(|(_, _, w)| *w).collect());
        for w in wakes {
            w.run(());
        }
    }

    pub(super) fn open(live: Live) {
        let Ok(source) = EventSource::new("/events/stream") else { return };
        let dirty: Rc<RefCell<Vec<String>>> = Rc::default();
        let change = {
            let dirty = Rc::clone(&dirty);
            Closure::<dyn FnMut(MessageEvent)>::new(move |e: MessageEvent| {
                let Some(topic) = topic(&e) else { return };
                let mut d = dirty.borrow_mut();
                let first = d.is_empty();
                if !d.contains(&topic) {
                    d.push(topic);
                }
                if first {
                    let dirty = Rc::clone(&dirty);
                    set_timeout(
                        move || {
                            let topics = std::mem::take(&mut *dirty.borrow_mut());
                            wake_all(live, |t| topics.iter().any(|x| x == t));
                        },
                        GATHER,
                    );
                }
            })
        };
        let mut known = use_context::<Mark>().unwrap_or_default().0;
        let at = Closure::<dyn FnMut(MessageEvent)>::new(move |e: MessageEvent| {
            live.lost.try_set(None);
            let mark = e.data().as_string().unwrap_or_default();
            if known != mark {
                known = mark;
                wake_all(live, |_| true);
            }
        });
        let broken = Closure::<dyn FnMut(Event)>::new(move |_| {
            live.lost.try_update(|l| {
                l.get_or_insert_with(|| js_sys::Date::now() as i64);
            });
        });
        let _ = source.add_event_listener_with_callback("change", change.as_ref().unchecked_ref());
        let _ = source.add_event_listener_with_callback("at", at.as_ref().unchecked_ref());
        source.set_onerror(Some(broken.as_ref().unchecked_ref()));
        // They live as long as the document: there is one stream for all pages.
        change.forget();
        at.forget();
        broken.forget();
        let _ = window().add_event_listener_with_callback("pagehide", &{
            let close = Closure::<dyn FnMut()>::new(move || source.close());
            close.into_js_value().unchecked_into()
        });
    }
}
