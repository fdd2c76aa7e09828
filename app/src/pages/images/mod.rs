//! Images: repositories of all registries, one of them, one version whole, copies, promotions.
//!
//! One page whose address says what it shows: `/images`, `/images/copies`, `/images/archives`,
//! `/images/promotions`, `/images/storage`, `/images/workbenches`, the same with `/ID`,
//! `/images/recipes`, the same with `/ID` and `/ID/BUILD`, `/images/REGISTRY/REPOSITORY` and the same with `:TAG`; a repository's name has
//! slashes and no colon, a tag has no slash. All of it is written by the server, forms
//! included, which are plain HTML.

#[cfg(feature = "ssr")]
mod archives;
#[cfg(feature = "ssr")]
mod bench;
#[cfg(feature = "ssr")]
mod benches;
#[cfg(feature = "ssr")]
mod build;
#[cfg(feature = "ssr")]
mod copies;
#[cfg(feature = "ssr")]
mod delete;
#[cfg(feature = "ssr")]
mod inside;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod promote;
#[cfg(feature = "ssr")]
mod promotions;
#[cfg(feature = "ssr")]
mod recipe;
#[cfg(feature = "ssr")]
mod recipes;
#[cfg(feature = "ssr")]
mod repository;
#[cfg(feature = "ssr")]
mod storage;
#[cfg(feature = "ssr")]
mod tidy;
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
        {written(t.shell.images, Part::Images, &["images", "archives", "copies", "benches"])}
    }
    .erase()
}

#[cfg(feature = "ssr")]
pub use server::write;
#[cfg(feature = "ssr")]
mod server {
    use super::{
        archives, bench, benches, build, copies, delete, inside, list, promotions, recipe, recipes, repository,
        storage, tidy, version, vulnerabilities,
    };
    use crate::api::form::{BringForm, CommitForm, CopyForm, PromoteForm};
    use crate::api::{
        ApplyRetention, EndRule, JudgePromotion, KeepRule, Promote, RollBackPromotion, WithdrawPromotion,
    };
    use crate::api::{BROUGHT, CancelArchive, CommitBench, EndBench, StartBench};
    use crate::api::{CancelBuild, EndRecipe, RECIPE_SAVED, StartRecipe};
    use crate::api::{CancelCollection, CollectRegistry, DeleteVersion};
    use crate::api::{CancelCopy, CopyImage, Fault, LookAtRegistries, LookInside, Said, call, query};
    use crate::pages::write::Here;
    use crate::shell::who;
    use crate::text::images::Images;
    use crate::text::{Texts, units};
    use crate::ui::{Erase, Tab, tabs};
    use leptos::prelude::*;
    use leptos::server_fn::ServerFn;
    use padis_domain::Problem;
    use padis_domain::caller::Caller;
    use padis_domain::portal::Portal;
    use padis_domain::view::{ImageView, ListQuery, PromotionState};

    /// What the address below `/images` names.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Place {
        List,
        Copies,
        Archives,
        Promotions,
        Vulnerabilities,
        Workbenches,
        Storage,
        Workbench(String),
        Recipes,
        Recipe(String),
        Build(String, u32),
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
                [one] if one == "archives" => Self::Archives,
                [one] if one == "promotions" => Self::Promotions,
                [one] if one == "vulnerabilities" => Self::Vulnerabilities,
                [one] if one == "workbenches" => Self::Workbenches,
                [one] if one == "storage" => Self::Storage,
                [one, id] if one == "workbenches" => Self::Workbench(id.clone()),
                [one] if one == "recipes" => Self::Recipes,
                [one, id] if one == "recipes" => Self::Recipe(id.clone()),
                [one, id, number] if one == "recipes" => Self::Build(id.clone(), number.parse().ok()?),
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

    /// Which list under this area is shown.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Lists {
        Repositories,
        Copies,
        Archives,
        Promotions,
        Vulnerabilities,
        Workbenches,
        Recipes,
        Storage,
    }

    /// The lists under this area; `waiting` promotions wait for somebody's yes.
    pub fn lists(t: &'static Texts, i: &'static Images, shown: Lists, waiting: u64) -> AnyView {
        let tab = |href: &str, label: &str, count, which| Tab {
            href: href.to_owned(),
            label: label.to_owned(),
            count,
            current: shown == which,
        };
        let waiting = (waiting > 0).then(|| units::count(waiting));
        let mut all = vec![
            tab("/images", i.repositories, None, Lists::Repositories),
            tab("/images/promotions", t.promotions().title, waiting, Lists::Promotions),
            tab("/images/copies", i.copies, None, Lists::Copies),
            tab(archives::PATH, t.archives().title, None, Lists::Archives),
            tab(benches::PATH, t.benches().title, None, Lists::Workbenches),
            tab(recipes::PATH, t.recipes().title, None, Lists::Recipes),
            tab(vulnerabilities::PATH, t.inside().vulnerabilities, None, Lists::Vulnerabilities),
        ];
        // Of the platform's inside, for those who see that.
        if who().0.is_some_and(|c| c.publisher().is_ok() || c.inspector().is_ok()) {
            all.push(tab(storage::PATH, t.storage().title, None, Lists::Storage));
        }
        tabs(t.shell.images, all)
    }

    /// How many promotions wait for somebody's yes, of those that the caller may see.
    async fn waiting(c: &Caller, portal: &dyn Portal) -> Said<u64> {
        let q = ListQuery { state: PromotionState::Asked.as_str().to_owned(), per_page: 1, ..ListQuery::default() };
        Ok(call::tell(portal.promotions(c, &q).await)?.total)
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

    /// The form that takes a file, where the caller may bring one in; `into` a repository, or a
    /// new one.
    async fn bring(
        t: &'static Texts,
        c: &Caller,
        portal: &dyn Portal,
        into: Option<(&str, &str)>,
        here: &Here,
    ) -> Said<AnyView> {
        let offer = call::tell(portal.archive_offer(c, into).await)?;
        if offer.registries.is_empty() {
            return Ok(().into_any());
        }
        let once = call::tell(portal.once(c).await)?;
        let mut form = here.kept::<BringForm>(BROUGHT).await?.unwrap_or_default();
        match into {
            Some((registry, repository)) => {
                (form.registry, form.repository) = (registry.to_owned(), repository.to_owned());
            }
            None if form.repository.is_empty() => {
                form.repository = offer.below.first().cloned().unwrap_or_default();
            }
            None => {}
        }
        Ok(archives::bring(t, &offer, BringForm { once, ..form }, into.is_some(), here))
    }

    /// The whole body.
    pub async fn write(t: &'static Texts, c: &Caller, portal: &dyn Portal, q: &ListQuery, at: &str) -> Said<AnyView> {
        let (i, here) = (t.images(), Here::of(at));
        let place = Place::of(&here.parts).ok_or(Fault::Portal(Problem::NotFound))?;
        let body = match &place {
            Place::List => {
                let bring = bring(t, c, portal, None, &here).await?;
                list::write(t, call::tell(portal.images(c, q).await)?, q, waiting(c, portal).await?, bring)
            }
            Place::Archives => {
                archives::write(t, call::tell(portal.archives(c, q).await)?, q, waiting(c, portal).await?)
            }
            Place::Copies => copies::write(t, call::tell(portal.copies(c, q).await)?, q, waiting(c, portal).await?),
            Place::Promotions => {
                promotions::write(t, call::tell(portal.promotions(c, q).await)?, q, waiting(c, portal).await?)
            }
            Place::Vulnerabilities => {
                vulnerabilities::write(t, call::tell(portal.vulnerabilities(c, q).await)?, q, waiting(c, portal).await?)
            }
            Place::Workbenches => {
                benches::write(t, call::tell(portal.benches(c, q).await)?, q, waiting(c, portal).await?)
            }
            Place::Storage => {
                let view = call::tell(portal.collections(c).await)?;
                let once = if view.may { call::tell(portal.once(c).await)? } else { String::new() };
                storage::write(t, view, &once, waiting(c, portal).await?)
            }
            Place::Workbench(id) => {
                let view = call::tell(portal.bench(c, id).await)?;
                let kept = here.kept::<CommitForm>(CommitBench::PATH).await?;
                let once = if view.may { call::tell(portal.once(c).await)? } else { String::new() };
                let form = CommitForm { once, ..kept.unwrap_or_else(|| bench::proposed(&view)) };
                bench::write(t, view, form, &here)
            }
            Place::Recipes => recipes::write(t, call::tell(portal.recipes(c, q).await)?, q, waiting(c, portal).await?),
            Place::Recipe(id) => {
                let view = call::tell(portal.recipe(c, id).await)?;
                let once = if view.may { call::tell(portal.once(c).await)? } else { String::new() };
                recipe::write(t, view, once, &here)
            }
            Place::Build(id, number) => build::write(t, call::tell(portal.build(c, id, *number).await)?),
            Place::Repository(registry, name) => {
                let view = call::tell(portal.repository(c, registry, name).await)?;
                let rule = tidy::rule(&here);
                let kept = call::tell(portal.retention(c, registry, name, rule).await)?;
                let once = if kept.may && rule.is_some() { call::tell(portal.once(c).await)? } else { String::new() };
                let tidy = tidy::write(t, (registry, name), kept, rule, &once);
                let bring = bring(t, c, portal, Some((registry, name)), &here).await?;
                repository::write(t, view, bring, tidy)
            }
            Place::Version(registry, name, tag) => {
                let view = call::tell(portal.image(c, registry, name, tag).await)?;
                let form =
                    if c.publisher().is_ok() { copy_form(c, portal, &view, &here).await? } else { CopyForm::default() };
                let offers = call::tell(portal.promotion_offers(c, registry, name, tag).await)?;
                let promote = here.kept::<PromoteForm>(Promote::PATH).await?.unwrap_or_default();
                let offered = offers.iter().any(|o| o.may);
                let once = if offered { call::tell(portal.once(c).await)? } else { String::new() };
                let promote = super::promote::write(t, &view, offers, &promote, &once, &here);
                let inside = call::tell(portal.inside(c, registry, name, tag, &inside::asked(&here)).await)?;
                let inside = inside::write(t, inside, &view.row, tag, &here);
                let offer = call::tell(portal.bench_offer(c, registry, name, tag).await)?;
                let offered = !offer.pools.is_empty();
                let once = if offered { call::tell(portal.once(c).await)? } else { String::new() };
                let recipe = if offered { call::tell(portal.once(c).await)? } else { String::new() };
                let recipe = recipes::start(t, &view, offer.built.as_ref(), offered, recipe);
                let start = benches::start(t, &view, offer, &once, &here);
                let start = view! { {start}{recipe} }.erase();
                let fate = call::tell(portal.version_fate(c, registry, name, tag).await)?;
                let goes = fate.may && fate.takes && fate.stays.is_empty();
                let once = if goes { call::tell(portal.once(c).await)? } else { String::new() };
                let delete = delete::write(t, &view, fate, &once, &here);
                version::write(t, view, (inside, promote, start, delete), form, &here)
            }
        };
        let p = t.promotions();
        let done = [
            (CopyImage::PATH, i.asked_done),
            (CancelCopy::PATH, i.stop_done),
            (LookAtRegistries::PATH, i.look_done),
            (Promote::PATH, p.asked_done),
            (ApplyRetention::PATH, t.keeping().done),
            (JudgePromotion::PATH, p.judged_done),
            (WithdrawPromotion::PATH, p.withdrawn_done),
            (RollBackPromotion::PATH, p.back_done),
            (LookInside::PATH, t.inside().look_done),
            (StartBench::PATH, t.benches().start_done),
            (EndBench::PATH, t.benches().end_done),
            (CommitBench::PATH, t.benches().commit_done),
            (StartRecipe::PATH, t.recipes().start_done),
            (EndRecipe::PATH, t.recipes().end_done),
            (CancelBuild::PATH, t.recipes().stop_done),
            (RECIPE_SAVED, t.recipes().kept),
            (BROUGHT, t.archives().done),
            (CancelArchive::PATH, t.archives().stop_done),
            (DeleteVersion::PATH, t.deleting().done),
            (KeepRule::PATH, t.keeping().keep_done),
            (EndRule::PATH, t.keeping().end_done),
            (CollectRegistry::PATH, t.storage().asked_done),
            (CancelCollection::PATH, t.storage().stop_done),
        ];
        let of_recipe = [&recipe::FIELDS[..], &bench::FIELDS[..]].concat();
        let fields = match place {
            Place::Workbench(_) => &bench::FIELDS[..],
            Place::Recipe(_) => &of_recipe[..],
            Place::List | Place::Repository(..) => &archives::FIELDS[..],
            _ => &version::FIELDS[..],
        };
        let said = here.notice(&done, fields);
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
            assert_eq!(place("/images/archives?done=bring_archive"), Some(Place::Archives));
            assert_eq!(place("/images/promotions"), Some(Place::Promotions));
            let (registry, name) = ("padis".to_owned(), "stacks/nginx".to_owned());
            assert_eq!(place("/images/padis/stacks/nginx?"), Some(Place::Repository(registry.clone(), name.clone())));
            let version = Place::Version(registry, name, "1.22-9 x".to_owned());
            assert_eq!(place(&path("padis", "stacks/nginx", Some("1.22-9 x"))), Some(version));
            assert_eq!(place("/images/vulnerabilities?q=x"), Some(Place::Vulnerabilities));
            assert_eq!(place("/images/workbenches"), Some(Place::Workbenches));
            assert_eq!(place("/images/storage?done=x"), Some(Place::Storage));
            assert_eq!(place("/images/workbenches/1?done=x"), Some(Place::Workbench("1".to_owned())));
            assert_eq!(place("/images/recipes/1"), Some(Place::Recipe("1".to_owned())));
            assert_eq!(place("/images/recipes/1/2"), Some(Place::Build("1".to_owned(), 2)));
            assert_eq!(place("/images/recipes/1/x"), None);
            assert_eq!(place("/images/padis"), None);
            assert_eq!(place("/names"), None);
            assert_eq!(place("//"), None);
        }
    }
}
