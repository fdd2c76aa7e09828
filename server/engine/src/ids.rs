//! Ids: paths of apps, names of tasks.
//!
//! An app id comes from a URL, from a body or from both, with or without the
//! leading slash, relative (`../x`) or not. One could get it wrong by comparing
//! unnormalised ids: `/v2/apps//a` and `/v2/apps/a` are the same app.

use uuid::Uuid;

/// The absolute form of an id; a relative one starts at the root.
pub(crate) fn absolute(id: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in id.split('/').filter(|p| !p.is_empty() && *p != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    format!("/{}", parts.join("/"))
}

/// The absolute form of an id that may be relative to a group.
pub(crate) fn within(group: &str, id: &str) -> String {
    if id.starts_with('/') { absolute(id) } else { absolute(&format!("{group}/{id}")) }
}

/// The groups that an id is in, the nearest first, the root last.
pub(crate) fn ancestors(id: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(id);
    std::iter::from_fn(move || {
        let id = rest.filter(|id| *id != "/")?;
        let parent = id.rfind('/').map(|at| if at == 0 { "/" } else { id.get(..at).unwrap_or("/") });
        rest = parent;
        parent
    })
}

/// Whether every part is what Marathon allows: digits, lower-case letters,
/// dashes and dots, no dash or dot at an end.
pub(crate) fn is_valid(id: &str) -> bool {
    let part_ok = |part: &str| {
        part == "."
            || part == ".."
            || part.split('.').all(|word| {
                !word.is_empty()
                    && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                    && !word.starts_with('-')
                    && !word.ends_with('-')
            })
    };
    let mut parts = id.split('/').filter(|p| !p.is_empty()).peekable();
    parts.peek().is_some() && parts.all(part_ok)
}

/// The regular expression that Marathon cites when an id is not acceptable.
pub(crate) const PATTERN: &str =
    r"^(([a-z0-9]|[a-z0-9][a-z0-9\-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9\-]*[a-z0-9])|(\.|\.\.)$";

/// Names of a new task: task, instance and container.
pub(crate) fn task_names(app_id: &str) -> (String, String, String) {
    let uuid = Uuid::new_v4();
    let safe = app_id.trim_start_matches('/').replace('/', "_");
    let instance = format!("{safe}.instance-{uuid}");
    (format!("{instance}._app.1"), instance, format!("mesos-{uuid}"))
}

/// Whether `id` is `group` or lies below it.
pub(crate) fn is_below(id: &str, group: &str) -> bool {
    let group = group.trim_end_matches('/');
    id == group || id.strip_prefix(group).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_app_has_one_id() {
        for id in ["a/b", "/a/b", "//a//b/", "/a/x/../b", "/a/./b"] {
            assert_eq!(absolute(id), "/a/b", "{id}");
        }
        assert_eq!(absolute("/.."), "/");
    }

    #[test]
    fn ids_in_groups() {
        assert_eq!(within("/product", "db"), "/product/db");
        assert_eq!(within("/product", "/other/db"), "/other/db");
        assert_eq!(within("/product/web", "../db"), "/product/db");
        assert_eq!(ancestors("/a/b/c").collect::<Vec<_>>(), ["/a/b", "/a", "/"]);
        assert_eq!(ancestors("/").count(), 0);
    }

    #[test]
    fn validity_follows_marathon() {
        for good in ["/a", "a/b-c", "/team/app/r12", "/a.b", "/0"] {
            assert!(is_valid(good), "{good}");
        }
        for bad in ["", "/", "/A", "/a_b", "/-a", "/a-", "/a b", "/ä", "/a./b"] {
            assert!(!is_valid(bad), "{bad}");
        }
    }

    #[test]
    fn groups_are_not_prefixes_of_text() {
        assert!(is_below("/a/b", "/a"));
        assert!(is_below("/a/b", "/"));
        assert!(!is_below("/ab", "/a"));
    }
}
