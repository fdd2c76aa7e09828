//! Statements that are put together from pieces, and typed access to their rows.
//!
//! Why: team isolation stands in the `WHERE` of every list, never in a filter
//! behind it, so the statement depends on the caller. One could get it wrong by
//! writing a value into the text: values only ever become numbered placeholders,
//! and what is written as text is a literal of this source.

use crate::store::{Kind, StoreError, What};
use padis_domain::caller::Scope;
use padis_domain::view::{ListQuery, Page};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyPool, Row};

/// A value for a placeholder.
#[derive(Debug, Clone)]
pub enum Value {
    /// A number.
    I(i64),
    /// A text.
    S(String),
}
impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::I(v)
    }
}
impl From<u32> for Value {
    fn from(v: u32) -> Self {
        Self::I(i64::from(v))
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::S(v.to_owned())
    }
}
impl From<&String> for Value {
    fn from(v: &String) -> Self {
        Self::S(v.clone())
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::S(v)
    }
}

/// A statement under construction.
#[derive(Debug, Clone, Default)]
pub struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// Begins with this literal.
    pub fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }
    /// Appends a literal.
    pub fn text(mut self, text: &'static str) -> Self {
        self.text.push_str(text);
        self
    }
    /// Appends a placeholder with its value.
    pub fn bind(mut self, v: impl Into<Value>) -> Self {
        self.values.push(v.into());
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }
    /// Appends `(…, …)`; for no values `(NULL)`, which nothing is in.
    pub fn list<V: Into<Value>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.text.push('(');
        let before = self.values.len();
        for v in values {
            if self.values.len() > before {
                self.text.push_str(", ");
            }
            self = self.bind(v);
        }
        if self.values.len() == before {
            self.text.push_str("NULL");
        }
        self.text.push(')');
        self
    }
    /// Appends a condition that `column` is a team of the scope.
    pub fn scope(self, column: &'static str, scope: &Scope) -> Self {
        match scope {
            Scope::Everything => self.text("1 = 1"),
            Scope::Teams(teams) => self.text(column).text(" IN ").list(teams),
        }
    }
    /// Appends ` AND (a LIKE … OR b LIKE …)` for a text to find, nothing for an empty one.
    pub fn find(mut self, kind: Kind, columns: &[&'static str], q: &str) -> Self {
        let q = q.trim();
        if q.is_empty() {
            return self;
        }
        let like = format!("%{}%", escape(&lower(kind, q)));
        self.values.push(Value::S(like));
        let n = self.values.len();
        self.text.push_str(" AND (");
        for (i, c) in columns.iter().enumerate() {
            let or = if i == 0 { "" } else { " OR " };
            self.text.push_str(&format!("{or}lower({c}) LIKE ${n} ESCAPE '!'"));
        }
        self.text.push(')');
        self
    }
    /// Appends `LIMIT` and `OFFSET` of a page.
    pub fn page(self, p: Paging) -> Self {
        self.text(" LIMIT ").bind(i64::from(p.per_page)).text(" OFFSET ").bind(p.offset())
    }
    /// Appends another statement's text; its values must not overlap, so it may hold none.
    pub fn order(mut self, column: &'static str, desc: bool, then: &'static str) -> Self {
        self.text.push_str(" ORDER BY ");
        self.text.push_str(column);
        if desc {
            self.text.push_str(" DESC");
        }
        self.text.push_str(then);
        self
    }
    /// The query, to run in a transaction.
    pub fn query(&self) -> Query<'_, Any, AnyArguments<'_>> {
        let mut q = sqlx::query(&self.text);
        for v in &self.values {
            q = match v {
                Value::I(i) => q.bind(*i),
                Value::S(s) => q.bind(s.as_str()),
            };
        }
        q
    }
    /// All rows.
    pub async fn all(&self, pool: &AnyPool, what: &'static str) -> Result<Vec<AnyRow>, StoreError> {
        self.query().fetch_all(pool).await.what(what)
    }
    /// One row or none.
    pub async fn one(&self, pool: &AnyPool, what: &'static str) -> Result<Option<AnyRow>, StoreError> {
        self.query().fetch_optional(pool).await.what(what)
    }
    /// The number in the first column of the only row.
    pub async fn number(&self, pool: &AnyPool, what: &'static str) -> Result<i64, StoreError> {
        let row = self.query().fetch_one(pool).await.what(what)?;
        row.try_get::<i64, _>(0).what(what)
    }
}

/// `LIKE`'s own signs, made plain with `!`.
pub fn escape(s: &str) -> String {
    s.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

/// The pattern of a text that is found anywhere in what is lower case already.
pub fn like(q: &str) -> String {
    format!("%{}%", escape(&q.to_lowercase()))
}

/// Lower case as the database's `lower()` has it: SQLite's knows ASCII only.
pub fn lower(kind: Kind, s: &str) -> String {
    match kind {
        Kind::Sqlite => s.to_ascii_lowercase(),
        Kind::Postgres => s.to_lowercase(),
    }
}

/// ` FOR UPDATE` where two writers can meet: SQLite has only one at a time.
pub fn for_update(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => "",
        Kind::Postgres => " FOR UPDATE",
    }
}

/// ` FOR SHARE` where two writers can meet: others may read on, nobody may change it.
pub fn for_share(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => "",
        Kind::Postgres => " FOR SHARE",
    }
}

/// Which page of a list.
#[derive(Debug, Clone, Copy)]
pub struct Paging {
    /// From 1.
    pub page: u32,
    /// 1 to 200.
    pub per_page: u32,
}

impl Paging {
    /// What the query asks for, within the limits that [`ListQuery`] names.
    pub fn of(q: &ListQuery) -> Self {
        let per_page = if q.per_page == 0 { 50 } else { q.per_page.min(200) };
        Self { page: q.page.max(1), per_page }
    }
    fn offset(self) -> i64 {
        (i64::from(self.page) - 1) * i64::from(self.per_page)
    }
    /// The answer.
    pub fn wrap<T>(self, rows: Vec<T>, total: i64) -> Page<T> {
        Page { rows, total: u64::try_from(total).unwrap_or_default(), page: self.page, per_page: self.per_page }
    }
}

/// Typed access to a row by column name.
pub trait Cols {
    /// A text.
    fn s(&self, c: &'static str) -> Result<String, StoreError>;
    /// A text or NULL.
    fn os(&self, c: &'static str) -> Result<Option<String>, StoreError>;
    /// A number.
    fn i(&self, c: &'static str) -> Result<i64, StoreError>;
    /// A number or NULL.
    fn oi(&self, c: &'static str) -> Result<Option<i64>, StoreError>;
    /// A count; what is not one is 0.
    fn u(&self, c: &'static str) -> Result<u32, StoreError> {
        Ok(u32::try_from(self.i(c)?).unwrap_or_default())
    }
    /// A count or NULL.
    fn ou(&self, c: &'static str) -> Result<Option<u32>, StoreError> {
        Ok(self.oi(c)?.and_then(|v| u32::try_from(v).ok()))
    }
    /// A large count.
    fn n(&self, c: &'static str) -> Result<u64, StoreError> {
        Ok(u64::try_from(self.i(c)?).unwrap_or_default())
    }
    /// JSON.
    fn json<T: serde::de::DeserializeOwned>(&self, c: &'static str) -> Result<T, StoreError> {
        crate::store::from_json(c, &self.s(c)?)
    }
    /// A word of a closed vocabulary.
    fn word<T>(&self, c: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let s = self.s(c)?;
        parse(&s).ok_or(StoreError::Row { what: c, detail: s })
    }
}

impl Cols for AnyRow {
    fn s(&self, c: &'static str) -> Result<String, StoreError> {
        self.try_get(c).what(c)
    }
    fn os(&self, c: &'static str) -> Result<Option<String>, StoreError> {
        self.try_get(c).what(c)
    }
    fn i(&self, c: &'static str) -> Result<i64, StoreError> {
        self.try_get(c).what(c)
    }
    fn oi(&self, c: &'static str) -> Result<Option<i64>, StoreError> {
        self.try_get(c).what(c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_never_become_text() {
        let sql = Sql::new("SELECT * FROM t WHERE ")
            .scope("team", &Scope::Teams(vec!["a'; DROP TABLE t; --".into(), "b".into()]))
            .find(Kind::Sqlite, &["x", "y"], "50%_!");
        assert_eq!(
            sql.text,
            "SELECT * FROM t WHERE team IN ($1, $2) AND (lower(x) LIKE $3 ESCAPE '!' OR lower(y) LIKE $3 ESCAPE '!')"
        );
        assert!(matches!(&sql.values[2], Value::S(s) if s == "%50!%!_!!%"));
    }

    #[test]
    fn whoever_is_in_no_team_sees_nothing() {
        assert_eq!(Sql::new("").scope("team", &Scope::Teams(Vec::new())).text, "team IN (NULL)");
    }

    #[test]
    fn a_page_keeps_its_limits() {
        let p = Paging::of(&ListQuery { page: 0, per_page: 9999, ..ListQuery::default() });
        assert_eq!((p.page, p.per_page, p.offset()), (1, 200, 0));
        let p = Paging::of(&ListQuery { page: 3, ..ListQuery::default() });
        assert_eq!((p.per_page, p.offset()), (50, 100));
    }
}
