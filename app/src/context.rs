//! What the server hands to every render, by Leptos context.
//!
//! The server provides [`Who`], [`Prefs`], [`Assets`] and an
//! `Arc<dyn padis_domain::portal::Portal>`; in the browser the first two come
//! from the server function `me`. One could get it wrong by reading a cookie in a
//! component: the first render in the browser would then differ from the server's.

use padis_domain::caller::Caller;
use serde::{Deserialize, Serialize};

/// The caller of this request, if signed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who(pub Option<Caller>);

/// The reader's language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// 中文.
    Zh,
    /// English.
    #[default]
    En,
}

/// Light, dark, or as the system says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// The reader's preferences, kept in the cookies `padis_lang`, `padis_theme`,
/// `padis_tech` (set by `POST /prefs`). Without a language cookie the server
/// takes the best of `Accept-Language`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefs {
    /// Language.
    pub lang: Lang,
    /// Theme.
    pub theme: Theme,
    /// Show technical names.
    pub tech: bool,
}

/// Which changes the page knows: the stream of changes begins with another mark if
/// anything changed since. Empty where there is no such stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark(pub String);

/// Paths of the browser half, with hashed names; empty strings when the server
/// runs without it (the pages then work as plain HTML).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assets {
    /// Style sheet.
    pub css: String,
    /// For readers of Chinese.
    pub zh: Half,
    /// For readers of English.
    pub en: Half,
    /// Terminals of workbenches.
    pub terminal: TerminalHalf,
}

/// What the page of a terminal loads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TerminalHalf {
    /// The script.
    pub js: String,
    /// The style sheet beside that of all pages.
    pub css: String,
}

/// The browser half for the readers of one language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Half {
    /// The script that starts it.
    pub js: String,
    /// The wasm file.
    pub wasm: String,
}

impl Assets {
    /// The browser half that speaks `lang`.
    pub fn half(&self, lang: Lang) -> &Half {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}
