//! A text that must not be seen. One could get it wrong by deriving `Debug` on
//! something that holds a password; therefore a password is held in this.

/// A secret text: `Debug` shows nothing of it, there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(s: impl Into<String>) -> Self {
        Self(s.into())
    }
    /// The text itself, for the one place that sends or hashes it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Written, it is masked: what is written is shown to people.
impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str("***")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(Self)
    }
}

/// A URL for people and logs: a password in it becomes `***`.
pub fn mask_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let tail = mask_query(tail);
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}:***@{host}{tail}")
        }
        None => format!("{scheme}://{authority}{tail}"),
    }
}

/// The driver of PostgreSQL takes a password in the query, too.
fn mask_query(tail: &str) -> String {
    let Some((path, query)) = tail.split_once('?') else { return tail.to_owned() };
    let part = |p: &str| if p.starts_with("password=") { "password=***".to_owned() } else { p.to_owned() };
    format!("{path}?{}", query.split('&').map(part).collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_secret_is_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
        assert_eq!(mask_url("postgres://padis:geheim@db:5432/x"), "postgres://padis:***@db:5432/x");
        assert_eq!(mask_url("postgres://db/x?user=p&password=a&b=c"), "postgres://db/x?user=p&password=***&b=c");
        assert_eq!(mask_url("postgres://p:a@b@db/x"), "postgres://p:***@db/x");
        assert_eq!(mask_url("sqlite:///var/lib/padis/padis.db"), "sqlite:///var/lib/padis/padis.db");
    }
}
