//! What every page needs: who asks, counts, the overview, search, tokens.

use super::ask::Ask;
#[cfg(feature = "ssr")]
use super::call;
use super::fault::Said;
use crate::context::{Prefs, Who};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use padis_domain::view::*;
use padis_domain::words::Stage;
use serde::{Deserialize, Serialize};

/// Who asks, how he wants to read, and the counts beside the navigation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The caller, if signed in.
    pub who: Who,
    /// Preferences.
    pub prefs: Prefs,
    /// Counts; all zero when not signed in.
    pub nav: NavCounts,
}

/// Who asks; answered to strangers too, without counts.
#[server(name = GetMe, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "me")]
pub async fn me(stage: Option<Stage>) -> Said<Me> {
    let prefs = use_context::<Prefs>().unwrap_or_default();
    let Ok((c, portal)) = call::begin() else { return Ok(Me { prefs, ..Me::default() }) };
    let nav = call::tell(portal.nav(&c, stage).await)?;
    Ok(Me { who: Who(Some(c)), prefs, nav })
}

/// The overview.
#[server(name = GetOverview, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "overview")]
pub async fn overview(stage: Option<Stage>) -> Said<Overview> {
    let (c, portal) = call::begin()?;
    call::tell(portal.overview(&c, stage).await)
}

/// Finds anything by name.
#[server(name = GetSearch, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "search")]
pub async fn search(q: String) -> Said<Vec<Hit>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.search(&c, &q).await)
}

/// A fresh token for a form.
#[server(name = GetOnce, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "once")]
pub async fn once() -> Said<String> {
    let (c, portal) = call::begin()?;
    call::tell(portal.once(&c).await)
}

/// What was typed into the form of `endpoint` when it last came back, without
/// secrets; see `call`.
#[server(name = GetKept, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "kept")]
pub async fn kept(endpoint: String) -> Said<Option<String>> {
    let (c, _) = call::begin()?;
    Ok(call::kept(&endpoint, &c))
}
