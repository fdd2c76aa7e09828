//! The `popover` attribute, for elements that are refreshed while they are open.
//!
//! With erased components Leptos refreshes an element by removing all its
//! attributes and setting them anew (`Vec<AnyAttribute>` in tachys 0.2), and an
//! element that loses `popover`, be it for a moment, is closed by the browser:
//! whoever was about to press a dialog's button would see it vanish because an
//! instance came up elsewhere. This attribute names no key, so it is never
//! removed, and setting it to what it is has no effect. One could get it wrong by
//! writing `popover="auto"` into a view: it works until the page refreshes itself.

use leptos::attr::{Attribute, NextAttribute};
use leptos::tachys::html::attribute::any_attribute::{AnyAttribute, IntoAnyAttribute};
use leptos::tachys::renderer::Rndr;
use leptos::tachys::renderer::types::Element;

/// Spread it into an element: `<div {..Popover} id="x">`.
#[derive(Debug, Clone, Copy)]
pub struct Popover;

impl Attribute for Popover {
    const MIN_LENGTH: usize = 15;
    type State = ();
    type AsyncOutput = Self;
    type Cloneable = Self;
    type CloneableOwned = Self;

    fn html_len(&self) -> usize {
        Self::MIN_LENGTH
    }
    fn to_html(self, buf: &mut String, _class: &mut String, _style: &mut String, _inner: &mut String) {
        buf.push_str(r#" popover="auto""#);
    }
    fn hydrate<const FROM_SERVER: bool>(self, el: &Element) {
        if !FROM_SERVER {
            self.build(el);
        }
    }
    fn build(self, el: &Element) {
        Rndr::set_attribute(el, "popover", "auto");
    }
    fn rebuild(self, _state: &mut ()) {}
    fn into_cloneable(self) -> Self {
        self
    }
    fn into_cloneable_owned(self) -> Self {
        self
    }
    fn dry_resolve(&mut self) {}
    async fn resolve(self) -> Self {
        self
    }
}

impl NextAttribute for Popover {
    type Output<NewAttr: Attribute> = Vec<AnyAttribute>;

    fn add_any_attr<NewAttr: Attribute>(self, new: NewAttr) -> Self::Output<NewAttr> {
        vec![self.into_any_attr(), new.into_any_attr()]
    }
}
