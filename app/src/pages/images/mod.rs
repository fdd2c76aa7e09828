//! Images: repositories of all registries, one of them, one version whole, copies.
//!
//! One page whose address says what it shows: `/images`, `/images/copies`,
//! `/images/REGISTRY/REPOSITORY` and the same with `:TAG`; a repository's name has
//! slashes and no colon, a tag has no slash. All of it is written by the server, forms
//! included, which are plain HTML.

#[cfg(feature = "ssr")]
mod copies;
#[cfg(feature = "ssr")]
mod inside;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod repository;
#[cfg(feature = "ssr")]
mod version;
#[cfg(feature = "ssr")]
mod vulnerabilities;

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
    use super::{copies, inside, list, repository, version, vulnerabilities};
    use crate::api::form::CopyForm;
    use crate::api::{CancelCopy, CopyImage, Fault, LookAtRegistries, LookInside, Said, call, query};
    use crate::pages::write::Here;
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
        Vulnerabilities,
        Repository(String, String),
        Version(String, String, String),
    }

    impl Place {
        /// From the parts of a path.
        pub fn of(parts: &[String]) -> Option<Self> {
            let (first, parts) = parts.split_first()?;
            if first != "images" {
                return None;
            }
            Some(match parts {
                [] => Self::List,
                [one] if one == "copies" => Self::Copies,
                [one] if one == "vulnerabilities" => Self::Vulnerabilities,
                [registry, rest @ .., last] => {
                    let (name, tag) = last.split_once(':').map_or((last.as_str(), None), |(n, t)| (n, Some(t)));
                    let repository = rest.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("/");
                    match tag {
                        None => Self::Repository(registry.clone(), repository),
                        Some(tag) => Self::Version(registry.clone(), repository, tag.to_owned()),
                    }
                }
                [_] => return None,
            })
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
        lists_at(t, i, if copies { "/images/copies" } else { "/images" })
    }

    /// The same, of which the one with this address is shown.
    pub fn lists_at(t: &'static Texts, i: &'static Images, here: &str) -> AnyView {
        let tab = |href: &str, label: &str| Tab {
            href: href.to_owned(),
            label: label.to_owned(),
            count: None,
            current: href == here,
        };
        let all = vec![
            tab("/images", i.repositories),
            tab("/images/copies", i.copies),
            tab(vulnerabilities::PATH, t.inside().vulnerabilities),
        ];
        tabs(t.shell.images, all)
    }

    /// The form for a copy as it was sent and came back, else as it is proposed.
    async fn copy_form(c: &Caller, portal: &dyn Portal, v: &ImageView, here: &Here) -> Said<CopyForm> {
        let once = call::tell(portal.once(c).await)?;
        let other = v.targets.iter().find(|r| r.name != v.row.registry);
        let proposed = || CopyForm {
            to_registry: other.map_or_else(|| v.row.registry.clone(), |r| r.name.clone()),
            to_repository: v.row.name.clone(),
            to_tag: v.version.tag.clone(),
            ..CopyForm::default()
        };
        let kept = here.kept::<CopyForm>(CopyImage::PATH).await?;
        Ok(CopyForm { once, ..kept.unwrap_or_else(proposed) })
    }

    /// The whole body.
    pub async fn write(t: &'static Texts, c: &Caller, portal: &dyn Portal, q: &ListQuery, at: &str) -> Said<AnyView> {
        let (i, here) = (t.images(), Here::of(at));
        let place = Place::of(&here.parts).ok_or(Fault::Portal(Problem::NotFound))?;
        let body = match &place {
            Place::List => list::write(t, call::tell(portal.images(c, q).await)?, q),
            Place::Copies => copies::write(t, call::tell(portal.copies(c, q).await)?, q),
            Place::Vulnerabilities => vulnerabilities::write(t, call::tell(portal.vulnerabilities(c, q).await)?, q),
            Place::Repository(registry, name) => {
                repository::write(t, call::tell(portal.repository(c, registry, name).await)?)
            }
            Place::Version(registry, name, tag) => {
                let view = call::tell(portal.image(c, registry, name, tag).await)?;
                let form =
                    if c.operator().is_ok() { copy_form(c, portal, &view, &here).await? } else { CopyForm::default() };
                let asked = inside::asked(&here);
                let inside = call::tell(portal.inside(c, registry, name, tag, &asked).await)?;
                let inside = inside::write(t, inside, &view.row, tag, &here);
                version::write(t, view, form, inside, &here)
            }
        };
        let done = [
            (CopyImage::PATH, i.asked_done),
            (CancelCopy::PATH, i.stop_done),
            (LookAtRegistries::PATH, i.look_done),
            (LookInside::PATH, t.inside().look_done),
        ];
        let said = here.notice(&done, &version::FIELDS);
        Ok(view! { {said} {body} }.erase())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_address_says_what_it_shows() {
            let place = |at: &str| Place::of(&Here::of(at).parts);
            assert_eq!(place("/images"), Some(Place::List));
            assert_eq!(place("/images/copies?state=done"), Some(Place::Copies));
            let (registry, name) = ("padis".to_owned(), "stacks/nginx".to_owned());
            assert_eq!(place("/images/padis/stacks/nginx?"), Some(Place::Repository(registry.clone(), name.clone())));
            let version = Place::Version(registry, name, "1.22-9 x".to_owned());
            assert_eq!(place(&path("padis", "stacks/nginx", Some("1.22-9 x"))), Some(version));
            assert_eq!(place("/images/vulnerabilities?q=x"), Some(Place::Vulnerabilities));
            assert_eq!(place("/images/padis"), None);
            assert_eq!(place("/names"), None);
            assert_eq!(place("//"), None);
        }
    }
}
