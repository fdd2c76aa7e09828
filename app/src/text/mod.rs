//! Everything that is said to people, in Chinese and in English.
//!
//! [`Texts`] holds one struct per area, and both languages are written side by
//! side with `area!`, so that a missing translation does not compile. Sentences
//! that need facts are functions. One could get it wrong by building a sentence
//! from pieces in a page: word order differs between the two languages, so a
//! sentence is always written here as a whole.

use crate::context::{Lang, Prefs};
use leptos::prelude::use_context;

/// Defines an area: `name: "中文", "English";` or `name(a: u32): "…{a}…", "…{a}…";`.
macro_rules! area {
    ($(#[$m:meta])* $name:ident { $($field:ident $(($($a:ident : $t:ty),+))? : $zh:literal, $en:literal;)* }) => {
        $(#[$m])*
        #[derive(Debug)]
        pub struct $name { $(#[doc = $en] pub $field: $crate::text::text_type!($(($($t),+))?)),* }
        impl $name {
            /// 中文.
            pub const ZH: Self = Self { $($field: $crate::text::text_value!($zh $(($($a: $t),+))?)),* };
            /// English.
            pub const EN: Self = Self { $($field: $crate::text::text_value!($en $(($($a: $t),+))?)),* };
        }
    };
}
macro_rules! text_type {
    () => { &'static str };
    (($($t:ty),+)) => { fn($($t),+) -> String };
}
macro_rules! text_value {
    ($v:literal) => { $v };
    ($v:literal ($($a:ident : $t:ty),+)) => { |$($a: $t),+| format!($v) };
}
pub(crate) use {text_type, text_value};

pub mod account;
pub mod activity;
pub mod admin;
pub mod application;
pub mod apps;
#[cfg(feature = "ssr")]
pub mod archives;
#[cfg(feature = "ssr")]
pub mod benches;
pub mod catalog;
#[cfg(feature = "ssr")]
pub mod centre;
pub mod changes;
pub mod clock;
#[cfg(feature = "ssr")]
pub mod cluster;
pub mod counts;
pub mod event;
#[cfg(feature = "ssr")]
pub mod images;
#[cfg(feature = "ssr")]
pub mod inside;
pub mod journal;
pub mod net;
pub mod new_app;
pub mod note;
pub mod overview;
pub mod pools;
pub mod problem;
#[cfg(feature = "ssr")]
pub mod promotions;
pub mod recipes;
#[cfg(feature = "ssr")]
pub mod retention;
pub mod shell;
#[cfg(feature = "ssr")]
pub mod standards;
#[cfg(feature = "ssr")]
pub mod storage;
pub mod units;
pub mod words;

/// All texts of one language.
#[derive(Debug)]
pub struct Texts {
    lang: Lang,
    /// Frame: navigation, top bar, what several pages share.
    pub shell: shell::Shell,
    /// Sign-in and account.
    pub account: account::Account,
    /// Overview.
    pub overview: overview::Overview,
    /// List of applications.
    pub apps: apps::Apps,
    /// An application's page.
    pub app: application::Application,
    /// New application and new release.
    pub new_app: new_app::NewApp,
    /// Pools and quotas.
    pub pools: pools::Pools,
    /// Addresses, names, balancer.
    pub net: net::Net,
    /// Journal and work queue.
    pub activity: activity::Activity,
    /// Teams, people, sessions, systems.
    pub admin: admin::Admin,
    /// Middleware, packages, search.
    pub catalog: catalog::Catalog,
}

/// 中文.
pub static ZH: Texts = Texts {
    lang: Lang::Zh,
    shell: shell::Shell::ZH,
    account: account::Account::ZH,
    overview: overview::Overview::ZH,
    apps: apps::Apps::ZH,
    app: application::Application::ZH,
    new_app: new_app::NewApp::ZH,
    pools: pools::Pools::ZH,
    net: net::Net::ZH,
    activity: activity::Activity::ZH,
    admin: admin::Admin::ZH,
    catalog: catalog::Catalog::ZH,
};
/// English.
pub static EN: Texts = Texts {
    lang: Lang::En,
    shell: shell::Shell::EN,
    account: account::Account::EN,
    overview: overview::Overview::EN,
    apps: apps::Apps::EN,
    app: application::Application::EN,
    new_app: new_app::NewApp::EN,
    pools: pools::Pools::EN,
    net: net::Net::EN,
    activity: activity::Activity::EN,
    admin: admin::Admin::EN,
    catalog: catalog::Catalog::EN,
};

/// Lower case, by the browser's own tables where there is one: they would weigh
/// 10 kB more in its binary. Both follow Unicode.
pub fn lowercase(s: &str) -> String {
    #[cfg(feature = "ssr")]
    {
        s.to_lowercase()
    }
    #[cfg(not(feature = "ssr"))]
    {
        js_sys::JsString::from(s).to_lower_case().into()
    }
}

/// The only language that this build can speak, if it is not made for both. The
/// browser half is built once for each: a reader needs the texts of one, and those
/// of the other are a tenth of what he would have to load.
const ONLY: Option<Lang> = match (cfg!(feature = "zh"), cfg!(feature = "en")) {
    (true, false) => Some(Lang::Zh),
    (false, true) => Some(Lang::En),
    _ => None,
};

/// The texts of a language.
pub fn of(lang: Lang) -> &'static Texts {
    match ONLY.unwrap_or(lang) {
        Lang::Zh => &ZH,
        Lang::En => &EN,
    }
}

/// The texts of the reader's language. The language never changes while a
/// document is shown: `POST /prefs` loads it anew.
pub fn texts() -> &'static Texts {
    of(use_context::<Prefs>().unwrap_or_default().lang)
}

impl Texts {
    /// Which language this is. A constant where the build has only one, so that what
    /// is written for the other is left out of it.
    pub fn language(&self) -> Lang {
        ONLY.unwrap_or(self.lang)
    }
    /// One of two, by language: for words that stand in a `match`.
    pub fn pick<T: ?Sized>(&self, zh: &'static T, en: &'static T) -> &'static T {
        match self.language() {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
    /// One of two built sentences, by language.
    pub fn pick_with(&self, zh: impl FnOnce() -> String, en: impl FnOnce() -> String) -> String {
        match self.language() {
            Lang::Zh => zh(),
            Lang::En => en(),
        }
    }
    /// Joins names as the language does it.
    pub fn list<S: AsRef<str>>(&self, names: &[S]) -> String {
        let sep = self.pick("、", ", ");
        names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(sep)
    }
}
