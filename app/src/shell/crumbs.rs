//! Where the reader is, read from the path: the same on the server and in the
//! browser, before any page has loaded what it is about.

use crate::text::Texts;

/// A step on the way: where it leads (`None`: here) and its word.
pub type Crumb = (Option<String>, String);

/// The way to a path.
pub fn crumbs(t: &Texts, path: &str) -> Vec<Crumb> {
    let s = &t.shell;
    let parts: Vec<String> = path.split('/').filter(|p| !p.is_empty()).map(unescape).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let to = |p: &str, w: &str| (Some(p.to_owned()), w.to_owned());
    let mut out: Vec<Crumb> = match parts.as_slice() {
        [] => vec![to("/", s.overview)],
        ["applications"] => vec![to("/applications", s.applications)],
        ["applications", "new"] => vec![to("/applications", s.applications), to("", t.new_app.title)],
        ["applications", team, rest @ ..] => {
            let mut v = vec![to("/applications", s.applications), to(&format!("/applications?team={team}"), team)];
            if let [app, tail @ ..] = rest {
                v.push(to(&format!("/applications/{team}/{app}"), app));
                if let [tab, ..] = tail {
                    let word = match *tab {
                        "instances" => t.app.instances,
                        "releases" => t.app.releases,
                        "logs" => t.app.logs,
                        "events" => t.app.events,
                        "settings" => t.app.settings,
                        "release" => t.app.new_release,
                        other => other,
                    };
                    v.push(to("", word));
                }
            }
            v
        }
        ["middleware", ..] => vec![to("/middleware", s.middleware)],
        ["images", ..] => vec![to("/images", s.images)],
        ["packages", ..] => vec![to("/packages", s.packages)],
        ["pools", rest @ ..] => {
            let mut v = vec![to("/pools", s.pools)];
            match rest {
                ["new"] => v.push(to("", t.pick("新建", "New"))),
                [pool, tail @ ..] => {
                    v.push(to(&format!("/pools/{pool}"), pool));
                    if !tail.is_empty() {
                        v.push(to("", s.edit));
                    }
                }
                [] => {}
            }
            v
        }
        ["cluster", ..] => vec![to("/pools", s.pools), to("", t.pools.cluster)],
        ["addresses", rest @ ..] => {
            let mut v = vec![to("/addresses", s.addresses)];
            v.extend(rest.first().map(|p| to("", p)));
            v
        }
        ["names", ..] => vec![to("/names", s.names)],
        ["balancers", ..] => vec![to("/balancers", s.balancers)],
        ["activity", rest @ ..] => {
            let mut v = vec![to("/activity", s.activity)];
            v.extend(rest.first().map(|p| to("", if *p == "centre" { t.activity.centre } else { t.activity.work })));
            v
        }
        ["admin", rest @ ..] => {
            let mut v = vec![to("/admin", s.administration)];
            v.extend(rest.first().map(|p| {
                to(
                    "",
                    match *p {
                        "teams" => t.pick("团队", "Teams"),
                        "people" => t.pick("人员", "People"),
                        "sessions" => t.account.sessions,
                        "systems" => t.pick("外部系统", "Systems"),
                        other => other,
                    },
                )
            }));
            v
        }
        ["account", ..] => vec![to("/account", s.account)],
        ["search", ..] => vec![to("/search", s.results)],
        ["kit", ..] => vec![to("/kit", s.kit)],
        _ => vec![to("", s.not_found)],
    };
    if let Some(last) = out.last_mut() {
        last.0 = None;
    }
    out
}

/// Percent-decodes a path segment; what is not UTF-8 is shown as it stands.
fn unescape(s: &str) -> String {
    let mut out = Vec::with_capacity(s.len());
    let mut bytes = s.bytes();
    while let Some(b) = bytes.next() {
        let hex = (b == b'%').then(|| bytes.as_slice_pair()).flatten();
        match hex {
            Some(v) => {
                out.push(v);
                bytes.nth(1);
            }
            None => out.push(b),
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| s.to_owned())
}

/// The value of the next two hexadecimal digits, without taking them.
trait Peek {
    fn as_slice_pair(&self) -> Option<u8>;
}
impl Peek for std::str::Bytes<'_> {
    fn as_slice_pair(&self) -> Option<u8> {
        let mut it = self.clone();
        let hi = char::from(it.next()?).to_digit(16)?;
        let lo = char::from(it.next()?).to_digit(16)?;
        u8::try_from(hi * 16 + lo).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::EN;

    #[test]
    fn the_last_step_leads_nowhere() {
        let c = crumbs(&EN, "/applications/motor/claims%2Dportal/logs");
        assert_eq!(c.len(), 4);
        assert_eq!(c[2].1, "claims-portal");
        assert_eq!(c[3], (None, "Log".to_owned()));
        assert_eq!(crumbs(&EN, "/").last(), Some(&(None, "Overview".to_owned())));
        assert_eq!(unescape("%E8%BD%A6%"), "车%");
    }
}
