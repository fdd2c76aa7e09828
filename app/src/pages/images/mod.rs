//! Images: repositories of all registries, one of them, one version whole, copies.
//!
//! One page whose address says what it shows: `/images`, `/images/copies`,
//! `/images/REGISTRY/REPOSITORY` and the same with `:TAG`; a repository's name has
//! slashes and no colon, a tag has no slash. All of it is written by the server, forms
//! included, which are plain HTML.

#[cfg(feature = "ssr")]
mod copies;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod repository;
#[cfg(feature = "ssr")]
mod version;

use crate::pages::written::{Part, written};
use crate::shell::PageTitle;
use crate::text::texts;
use crate::ui::Erase;
use leptos::prelude::*;

/// The page.
#[component]
pub fn Images() -> AnyView {
    let t = texts();
    view! {
        <PageTitle text=t.shell.images/>
        {written(t.shell.images, Part::Images, &["images", "copies"])}
    }
    .erase()
}

#[cfg(feature = "ssr")]
pub use server::write;
#[cfg(feature = "ssr")]
mod server {
    use super::{copies, list, repository, version};
    use crate::api::form::CopyForm;
    use crate::api::{CancelCopy, CopyImage, Fault, LookAtRegistries, Said, call, query, read_kept};
    use crate::pages::write::{parts_of, said};
    use crate::text::Texts;
    use crate::text::images::Images;
    use crate::ui::{Erase, Tab, tabs};
    use leptos::prelude::*;
    use leptos::server_fn::ServerFn;
    use padis_domain::Problem;
    use padis_domain::caller::Caller;
    use padis_domain::portal::Portal;
    use padis_domain::view::{ImageView, ListQuery};

    /// What the address below `/images` names.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Place {
        List,
        Copies,
        Repository(String, String),
        Version(String, String, String),
    }

    /// Where we are, and what the last form said.
    pub struct Here {
        pub place: Place,
        /// Pairs of the query, as they are after decoding.
        pub query: Vec<(String, String)>,
    }

    impl Here {
        /// From a path with its query.
        pub fn of(at: &str) -> Option<Self> {
            let (parts, query) = parts_of(at);
            let (first, parts) = parts.split_first()?;
            if first != "images" {
                return None;
            }
            let place = match parts {
                [] => Place::List,
                [one] if one == "copies" => Place::Copies,
                [registry, rest @ .., last] => {
                    let (name, tag) = last.split_once(':').map_or((last.as_str(), None), |(n, t)| (n, Some(t)));
                    let repository = rest.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("/");
                    match tag {
                        None => Place::Repository(registry.clone(), repository),
                        Some(tag) => Place::Version(registry.clone(), repository, tag.to_owned()),
                    }
                }
                [_] => return None,
            };
            Some(Self { place, query })
        }

        /// A value of the query.
        pub fn get(&self, key: &str) -> &str {
            self.query.iter().find(|(k, _)| k == key).map_or("", |(_, v)| v.as_str())
        }

        /// What a form that brought us here said.
        pub fn said(&self, i: &'static Images) -> Option<AnyView> {
            let done = [
                (CopyImage::PATH, i.asked_done),
                (CancelCopy::PATH, i.stop_done),
                (LookAtRegistries::PATH, i.look_done),
            ];
            said(&self.query, &done)
        }
    }

    /// The address of a repository, or of a version of it.
    pub fn path(registry: &str, repository: &str, tag: Option<&str>) -> String {
        let mut out = format!("/images/{}", query::escape(registry));
        for part in repository.split('/') {
            out.push('/');
            out.push_str(&query::escape(part));
        }
        if let Some(tag) = tag {
            out.push(':');
            out.push_str(&query::escape(tag));
        }
        out
    }

    /// The lists under this area.
    pub fn lists(t: &'static Texts, i: &'static Images, copies: bool) -> AnyView {
        let tab = |href: &str, label: &str, current| Tab {
            href: href.to_owned(),
            label: label.to_owned(),
            count: None,
            current,
        };
        tabs(t.shell.images, vec![tab("/images", i.repositories, !copies), tab("/images/copies", i.copies, copies)])
    }

    /// The form for a copy as it was sent and came back, else as it is proposed.
    async fn copy_form(c: &Caller, portal: &dyn Portal, v: &ImageView, here: &Here) -> Said<CopyForm> {
        let endpoint = CopyImage::PATH.rsplit('/').next().unwrap_or_default();
        let kept = if here.get("failed") == endpoint { read_kept::<CopyForm>(endpoint).await? } else { None };
        let once = call::tell(portal.once(c).await)?;
        let other = v.targets.iter().find(|r| r.name != v.row.registry);
        Ok(kept.map_or_else(
            || CopyForm {
                to_registry: other.map_or_else(|| v.row.registry.clone(), |r| r.name.clone()),
                to_repository: v.row.name.clone(),
                to_tag: v.version.tag.clone(),
                once: once.clone(),
                ..CopyForm::default()
            },
            |kept| CopyForm { once: once.clone(), ..kept },
        ))
    }

    /// The whole body.
    pub async fn write(t: &'static Texts, c: &Caller, portal: &dyn Portal, q: &ListQuery, at: &str) -> Said<AnyView> {
        let (i, here) = (t.images(), Here::of(at).ok_or(Fault::Portal(Problem::NotFound))?);
        let body = match &here.place {
            Place::List => list::write(t, call::tell(portal.images(c, q).await)?, q),
            Place::Copies => copies::write(t, call::tell(portal.copies(c, q).await)?, q),
            Place::Repository(registry, name) => {
                repository::write(t, call::tell(portal.repository(c, registry, name).await)?)
            }
            Place::Version(registry, name, tag) => {
                let view = call::tell(portal.image(c, registry, name, tag).await)?;
                let form =
                    if c.operator().is_ok() { copy_form(c, portal, &view, &here).await? } else { CopyForm::default() };
                version::write(t, view, form)
            }
        };
        let said = here.said(i);
        Ok(view! { <div class="said" aria-live="polite">{said}</div> {body} }.erase())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_address_says_what_it_shows() {
            let place = |at: &str| Here::of(at).map(|h| h.place);
            assert_eq!(place("/images"), Some(Place::List));
            assert_eq!(place("/images/copies?state=done"), Some(Place::Copies));
            let (registry, name) = ("padis".to_owned(), "stacks/nginx".to_owned());
            assert_eq!(place("/images/padis/stacks/nginx?"), Some(Place::Repository(registry.clone(), name.clone())));
            let version = Place::Version(registry, name, "1.22-9 x".to_owned());
            assert_eq!(place(&path("padis", "stacks/nginx", Some("1.22-9 x"))), Some(version));
            assert_eq!(place("/images/padis"), None);
            assert_eq!(place("/names"), None);
        }

        #[test]
        fn the_query_is_read_as_it_was_written() {
            let here = Here::of("/images?q=a%20b+c&x=%zz").unwrap_or_else(|| panic!("not read"));
            assert_eq!((here.get("q"), here.get("x"), here.get("y")), ("a b c", "%zz", ""));
        }
    }
}
