//! "Copy the environment": an application as the form for a new one, filled in, so that
//! it goes to another stage's pool with only the differences asked for. Nothing is changed
//! by this; what is not copied is what nobody may read, the values of secret variables.

use super::ask::Ask;
use super::fault::Said;
use super::form::EnvironmentForm;
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
#[cfg(feature = "ssr")]
use {super::call, super::form::NewAppForm, super::query, padis_domain::app::AppRef};

/// Leads to the form for a new application like this one.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "copy_environment")]
pub async fn copy_environment(#[server(flatten)] form: EnvironmentForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let app = AppRef { team: form.team.trim().to_owned(), app: form.app.trim().to_owned() };
    let read = async {
        let v = portal.app(&c, &app).await?;
        c.runs(&app.team)?;
        // Exactly the image that it runs, where that is still offered; else to be chosen.
        let offered = portal.stacks(&c).await?;
        Ok((NewAppForm::like(&v, offered.iter().find(|s| s.image == v.spec.image).map(|s| s.key.as_str())), v))
    };
    let (like, v) = call::tell(read.await)?;
    let to = format!(
        "/applications/new?kept=create_app&for={}&package={}",
        query::escape(&v.app.team),
        query::escape(&v.package.sha256)
    );
    call::hand_over("create_app", &c, &like, &to)
}
