//! What a page reads from a server function.
//!
//! [`Fetch`] is Leptos' resource with the type of the data taken out: one
//! resource type for all pages, its value decoded where it is shown. A resource
//! per type costs the browser's binary about 12 kB each, and there are forty.
//! One could get it wrong by decoding in the codec: then every type would have a
//! codec of its own again.

use crate::api::{Fault, Said};
use crate::wire;
use leptos::prelude::*;
use leptos::server::codee::string::FromToStringCodec;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

type Shared = Arc<dyn Any + Send + Sync>;
type Value = Pin<Box<dyn Future<Output = Raw> + Send>>;

/// A value whose type only [`Fetch`] knows: as it was computed, or as the page
/// carried it, packed and marked.
#[derive(Clone)]
enum Raw {
    Value(Shared, fn(&Shared) -> String),
    Text(Arc<str>),
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(v, write) => f.write_str(&write(v)),
            Self::Text(t) => f.write_str(t),
        }
    }
}
impl std::str::FromStr for Raw {
    type Err = std::convert::Infallible;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(Self::Text(s.into()))
    }
}

/// The page's copy of a value; only the server writes one.
#[cfg_attr(
    not(feature = "ssr"),
    expect(clippy::extra_unused_type_parameters, reason = "the browser names the type and writes nothing")
)]
fn write<T: Serialize + Send + Sync + 'static>(v: &Shared) -> String {
    #[cfg(feature = "ssr")]
    {
        v.downcast_ref::<Said<T>>().map_or_else(String::new, |said| wire::mark(&wire::pack(said)))
    }
    #[cfg(not(feature = "ssr"))]
    {
        let _ = v;
        String::new()
    }
}

fn read<T: Clone + DeserializeOwned + 'static>(raw: &Raw) -> Said<T> {
    match raw {
        Raw::Value(v, _) => v.downcast_ref::<Said<T>>().cloned().unwrap_or(Err(Fault::OutOfDate)),
        Raw::Text(t) => wire::unpack(&wire::unmark(t).unwrap_or_default()),
    }
}

/// What a fetch follows: compared with the one before, then begun.
trait Question: Send + Sync {
    fn same(&self, other: &dyn Any) -> bool;
    fn any(&self) -> &dyn Any;
    fn begin(&self) -> Value;
}

struct Asked<S, F> {
    what: S,
    fetcher: Arc<F>,
}

impl<S, F, Fut, T> Question for Asked<S, F>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    F: Fn(S) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Said<T>> + Send + 'static,
    T: Serialize + Send + Sync + 'static,
{
    fn same(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<S>().is_some_and(|o| *o == self.what)
    }
    fn any(&self) -> &dyn Any {
        &self.what
    }
    fn begin(&self) -> Value {
        let coming = (self.fetcher)(self.what.clone());
        Box::pin(async move { Raw::Value(Arc::new(coming.await), write::<T>) })
    }
}

#[derive(Clone)]
struct Source(Arc<dyn Question>);

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.0.same(other.0.any())
    }
}

/// A value that a server function gives, read anew whenever what it is asked for changes.
pub struct Fetch<T> {
    raw: Resource<Raw, FromToStringCodec>,
    kind: PhantomData<fn() -> T>,
}
impl<T> Clone for Fetch<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Fetch<T> {}

fn resource(source: Box<dyn Fn() -> Source + Send + Sync>) -> Resource<Raw, FromToStringCodec> {
    Resource::new_str(source, |s: Source| s.0.begin())
}

impl<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Fetch<T> {
    /// Asks `fetcher` for what `source` says. Create it in a page's setup.
    pub fn new<S, F, Fut>(source: impl Fn() -> S + Send + Sync + 'static, fetcher: F) -> Self
    where
        S: PartialEq + Clone + Send + Sync + 'static,
        F: Fn(S) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Said<T>> + Send + 'static,
    {
        let fetcher = Arc::new(fetcher);
        let source = move || Source(Arc::new(Asked { what: source(), fetcher: Arc::clone(&fetcher) }));
        Self { raw: resource(Box::new(source)), kind: PhantomData }
    }
    /// The value, if it is here.
    pub fn get(&self) -> Option<Said<T>> {
        self.raw.with(|r| r.as_ref().map(read))
    }
    /// The value, if it is here, without following it.
    pub fn get_untracked(&self) -> Option<Said<T>> {
        self.raw.with_untracked(|r| r.as_ref().map(read))
    }
    /// Asks again.
    pub fn refetch(&self) {
        self.raw.refetch();
    }
}

/// A view that stands there as soon as what it shows is known.
pub type Coming = Pin<Box<dyn Future<Output = AnyView> + Send>>;
type Show = Arc<dyn Fn(&Raw) -> AnyView + Send + Sync>;

impl<T: Clone + DeserializeOwned + 'static> Fetch<T> {
    /// The view of its value, each time anew.
    pub fn shown(
        &self,
        show: impl Fn(Said<T>) -> AnyView + Send + Sync + 'static,
    ) -> Box<dyn Fn() -> Coming + Send + Sync> {
        shown(self.raw, Arc::new(move |raw| show(read(raw))))
    }
}

fn shown(raw: Resource<Raw, FromToStringCodec>, show: Show) -> Box<dyn Fn() -> Coming + Send + Sync> {
    Box::new(move || {
        let show = Arc::clone(&show);
        Box::pin(async move { show(&raw.await) })
    })
}

impl<T: Clone + DeserializeOwned + Send + Sync + 'static> IntoFuture for Fetch<T> {
    type Output = Said<T>;
    type IntoFuture = Pin<Box<dyn Future<Output = Said<T>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let coming = self.raw.into_future();
        Box::pin(async move { read(&coming.await) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use padis_domain::Problem;

    #[test]
    fn what_the_page_carries_is_read_back() {
        for said in [Ok(vec![1_u32, 2]), Err(Fault::Portal(Problem::NotFound))] {
            let shared: Shared = Arc::new(said.clone());
            let text = write::<Vec<u32>>(&shared);
            assert_eq!(read::<Vec<u32>>(&Raw::Value(shared, write::<Vec<u32>>)), said);
            if cfg!(feature = "ssr") {
                assert_eq!(read::<Vec<u32>>(&Raw::Text(text.into())), said);
            }
        }
        assert_eq!(read::<u32>(&Raw::Text("".into())), Err(Fault::OutOfDate));
    }
}
