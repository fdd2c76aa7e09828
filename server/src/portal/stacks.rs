//! Standard middleware as the last look at the registry found it.

use super::PadisPortal;
use super::sql::{Cols, Sql};
use crate::store::StoreError;
use padis_domain::app::AppRef;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::stack::Contract;
use padis_domain::view::StackView;
use std::collections::HashMap;

/// Middleware versions that are there, by key, with the caller's applications on each.
pub async fn list(p: &PadisPortal, c: &Caller) -> Answer<Vec<StackView>> {
    const WHAT: &str = "list middleware";
    let used = Sql::new("SELECT a.team, a.name, r.stack_key FROM app a JOIN release r ON r.app_id = a.id AND r.number = a.release WHERE ")
        .scope("a.team", &c.scope())
        .text(" ORDER BY a.team, a.name")
        .all(p.store.read(), WHAT)
        .await?;
    let mut users: HashMap<String, Vec<AppRef>> = HashMap::new();
    for r in &used {
        users.entry(r.s("stack_key")?).or_default().push(AppRef { team: r.s("team")?, app: r.s("name")? });
    }
    let marks = super::standards::all(p).await?;
    let rows = Sql::new("SELECT * FROM stack WHERE gone_at IS NULL ORDER BY key").all(p.store.read(), WHAT).await?;
    let one = |r: &sqlx::any::AnyRow| -> Result<StackView, StoreError> {
        let key = r.s("key")?;
        Ok(StackView {
            contract: r.json::<Contract>("contract")?,
            image: r.s("image")?,
            bytes: r.n("bytes")?,
            created: r.s("created")?,
            used_by: users.get(&key).cloned().unwrap_or_default(),
            mark: marks.get(&key).cloned().unwrap_or_default(),
            key,
        })
    };
    Ok(rows.iter().map(one).collect::<Result<_, _>>()?)
}
