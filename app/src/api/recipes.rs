//! Recipes. What is read of them is written by the server (`pages::written`); the form with
//! its files goes to [`recipe_form`], which is no server function: files are larger than those
//! take.

use super::ask::Ask;
use super::fault::Said;
use super::form::{BuildStopForm, RecipeEndForm, RecipeForm};
use super::query;
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use padis_domain::Problem;
use {super::call, leptos::server_fn::ServerFn};

/// By this the page hears what became of the form.
pub const RECIPE_SAVED: &str = "/api/save_recipe";

/// The page of a recipe.
pub fn recipe_path(id: &str) -> String {
    format!("/images/recipes/{}", query::escape(id))
}

/// The page of a build.
pub fn build_path(id: &str, number: u32) -> String {
    format!("{}/{number}", recipe_path(id))
}

/// Where a recipe's form goes.
pub fn recipe_form(id: &str) -> String {
    format!("/recipes/{}", query::escape(id))
}

/// All that a build has said.
pub fn output_path(id: &str, number: u32) -> String {
    format!("{}/builds/{number}/output", recipe_form(id))
}

/// Begins a recipe.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "start_recipe")]
pub async fn start_recipe(#[server(flatten)] form: RecipeForm) -> Said<String> {
    let (c, portal) = call::begin()?;
    let said = async { portal.start_recipe(&c, &form.repository, &form.tag, &form.once).await }.await;
    let to = said.as_ref().ok().map(|id| recipe_path(id));
    call::settle(StartRecipe::PATH, &c, &form, said, to)
}

/// Takes one away.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "end_recipe")]
pub async fn end_recipe(#[server(flatten)] form: RecipeEndForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.end_recipe(&c, &form.id).await }.await;
    let to = said.is_ok().then(|| "/images/recipes".to_owned());
    call::settle(EndRecipe::PATH, &c, &form, said, to)
}

/// Stops a build.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "cancel_build")]
pub async fn cancel_build(#[server(flatten)] form: BuildStopForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async {
        let number = form.number.parse().map_err(|_| Problem::NotFound)?;
        portal.cancel_build(&c, &form.id, number).await
    };
    let said = said.await;
    call::settle(CancelBuild::PATH, &c, &form, said, None)
}
