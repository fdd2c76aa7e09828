//! How the reader wants it: language, theme, technical names. In cookies, because
//! a stranger at the door has preferences, too.

use super::{Web, cookies, local};
use axum::Form;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use http::header::{ACCEPT_LANGUAGE, SET_COOKIE};
use padis_app::context::{Lang, Prefs, Theme};
use serde::Deserialize;

/// From the cookies; the language from the browser if there is none.
pub fn read(headers: &HeaderMap) -> Prefs {
    let lang = match cookies::get(headers, "padis_lang") {
        Some("zh") => Lang::Zh,
        Some("en") => Lang::En,
        _ => headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).map_or(Lang::En, best),
    };
    let theme = match cookies::get(headers, "padis_theme") {
        Some("light") => Theme::Light,
        Some("dark") => Theme::Dark,
        _ => Theme::Auto,
    };
    Prefs { lang, theme, tech: cookies::get(headers, "padis_tech") == Some("on") }
}

/// The better of the two languages according to `Accept-Language` (RFC 9110 section 12.5.4).
fn best(accept: &str) -> Lang {
    let mut found = (0.0, Lang::En);
    for part in accept.split(',') {
        let mut pieces = part.split(';').map(str::trim);
        let tag = pieces.next().unwrap_or_default().to_ascii_lowercase();
        let q = pieces.find_map(|p| p.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
        let lang = match tag.split('-').next() {
            Some("zh") => Lang::Zh,
            Some("en") => Lang::En,
            _ => continue,
        };
        if q > found.0 {
            found = (q, lang);
        }
    }
    found.1
}

/// The form.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    lang: Option<String>,
    theme: Option<String>,
    tech: Option<String>,
    back: Option<String>,
}

/// `POST /prefs`.
pub async fn set(State(web): State<Web>, Form(form): Form<Wanted>) -> Response {
    let back = form.back.as_deref().and_then(local::path).unwrap_or("/");
    let mut response = local::see(back);
    let fields = [
        ("padis_lang", form.lang, ["zh", "en", ""]),
        ("padis_theme", form.theme, ["auto", "light", "dark"]),
        ("padis_tech", form.tech, ["on", "off", ""]),
    ];
    for (name, word, allowed) in fields {
        if let Some(word) = word.filter(|w| !w.is_empty() && allowed.contains(&w.as_str())) {
            response.headers_mut().append(SET_COOKIE, cookies::preference(name, &word, web.secure));
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_language_is_taken() {
        assert_eq!(best("zh-CN,zh;q=0.9,en;q=0.8"), Lang::Zh);
        assert_eq!(best("de-DE,en;q=0.5,zh;q=0.3"), Lang::En);
        assert_eq!(best("fr"), Lang::En);
        assert_eq!(best("en;q=0, zh;q=0.1"), Lang::Zh);
    }
}
