//! A recipe's form, with its files: `POST /recipes/{id}`; and all that a build has said:
//! `GET /recipes/{id}/builds/{number}/output`.
//!
//! Whatever was typed is kept, also where a file was refused or a build can't begin: the page
//! shows it from there. One could get it wrong by answering while the browser still sends: it
//! shows nothing of an answer before it has sent everything.

use super::multipart::{drain, text};
use super::{Web, errors, local};
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use futures::StreamExt;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use padis_app::api::{Fault, RECIPE_SAVED, build_path, form::CONTRACT, recipe_path};
use padis_app::context::Who;
use padis_app::wire;
use padis_domain::Problem;
use padis_domain::ports::PortError;
use padis_domain::problem::{System, ValueFault};
use padis_domain::recipes::NewRecipeFile;
use padis_domain::view::RecipeText;

/// The most bytes of a text field; the portal refuses less.
const TEXT: usize = 128 << 10;

/// The routes.
pub fn routes() -> Router<Web> {
    Router::new()
        .route("/recipes/{id}", post(save).layer(DefaultBodyLimit::disable()))
        .route("/recipes/{id}/builds/{number}/output", get(output))
}

/// What was sent.
#[derive(Default)]
struct Sent {
    text: RecipeText,
    once: String,
    file: NewRecipeFile,
    drops: Vec<String>,
    build: bool,
}

impl Sent {
    fn set(&mut self, name: &str, value: String) {
        let (text, file) = (&mut self.text, &mut self.file);
        // Browsers send lines as in mail.
        let value = value.replace("\r\n", "\n");
        let line = || value.trim().to_owned();
        match name {
            "once" => self.once = value,
            "target" => file.target = line(),
            "executable" => file.executable = value == "yes",
            "drop" => self.drops.push(value),
            "do" => self.build |= value == "build",
            "base_repository" => text.base_repository = line(),
            "base_tag" => text.base_tag = line(),
            "pool" => text.pool = line(),
            "packages" => text.packages = value,
            "env" => text.env = value,
            "start" => text.start = line(),
            "repository" => text.repository = line(),
            "tag" => text.tag = line(),
            "description" => text.description = line(),
            other => {
                let label = CONTRACT.iter().find(|l| other == format!("contract_{}", l.replace(['.', '-'], "_")));
                if let Some(label) = label {
                    text.contract.insert((*label).to_owned(), line());
                }
            }
        }
    }
}

/// The fields `target` and `executable` come before `file`.
async fn save(
    State(web): State<Web>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    mut parts: Multipart,
) -> Response {
    let Some(caller) = who.0 else { return local::see("/sign-in") };
    let (mut sent, mut problem, mut whole, mut files) = (Sent::default(), None, false, 0);
    loop {
        let mut field = match parts.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => {
                whole = true;
                break;
            }
            Err(e) => {
                tracing::info!(cause = %e, "a recipe's form could not be read");
                break;
            }
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name != "file" {
            sent.set(&name, text(field, TEXT).await);
            continue;
        }
        let named = field.file_name().unwrap_or_default().to_owned();
        files += usize::from(!named.is_empty());
        // One of several would take the other's place.
        if files > 1 && !sent.file.target.ends_with('/') {
            problem.get_or_insert_with(|| Problem::field("target", ValueFault::Malformed));
        }
        if !named.is_empty() && problem.is_none() {
            let new = NewRecipeFile { name: named, ..sent.file.clone() };
            let pieces = (&mut field).map(|piece| {
                let broken = |e| PortError::transient(System::Disk, "receive a file", e);
                piece.map(Vec::from).map_err(broken)
            });
            problem = web.portal.add_recipe_file(&caller, &id, &new, pieces.boxed()).await.err();
        }
        drain(field).await;
    }
    let page = recipe_path(&id);
    let endpoint = RECIPE_SAVED.rsplit('/').next().unwrap_or_default();
    let done = async {
        // Half a form would take the place of a whole one.
        if !whole {
            return Err(problem.take().unwrap_or(Problem::field("file", ValueFault::Unknown)));
        }
        web.portal.save_recipe(&caller, &id, &sent.text).await?;
        for path in &sent.drops {
            web.portal.drop_recipe_file(&caller, &id, path).await?;
        }
        if let Some(problem) = problem.take() {
            return Err(problem);
        }
        if sent.build {
            return web.portal.build_recipe(&caller, &id, &sent.once).await.map(Some);
        }
        Ok(None)
    };
    match done.await {
        Ok(Some(number)) => local::see(&build_path(&id, number)),
        Ok(None) => local::see(&local::with(&page, &[("done", endpoint)])),
        Err(problem) => {
            let said = wire::text(&Fault::Portal(problem));
            let mut pairs = vec![("failed", endpoint), ("problem", said.as_str())];
            if sent.file.target.len() <= 400 {
                pairs.push(("target", &sent.file.target));
            }
            local::see(&local::with(&page, &pairs))
        }
    }
}

async fn output(
    State(web): State<Web>,
    Extension(who): Extension<Who>,
    Path((id, number)): Path<(String, u32)>,
) -> Response {
    let Some(caller) = who.0 else { return errors::json(&Problem::NotSignedIn) };
    match web.portal.build_output(&caller, &id, number).await {
        Ok(said) => {
            let mut response = said.into_response();
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            if let Ok(v) = HeaderValue::from_str(&format!("attachment; filename=\"build-{number}.txt\"")) {
                headers.insert(CONTENT_DISPOSITION, v);
            }
            response
        }
        Err(problem) => errors::json(&problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_form_is_read() {
        let mut sent = Sent::default();
        for (name, value) in [
            ("base_repository", " stacks/nginx "),
            ("packages", "a\r\nb"),
            ("env", "A=1\r\n"),
            ("contract_title_en", "Web"),
            ("contract_min_mem_mib", "32"),
            ("executable", "yes"),
            ("drop", "/a"),
            ("do", "build"),
            ("else", "x"),
        ] {
            sent.set(name, value.to_owned());
        }
        assert_eq!((sent.text.base_repository.as_str(), sent.text.packages.as_str()), ("stacks/nginx", "a\nb"));
        assert_eq!(sent.text.contract.keys().map(String::as_str).collect::<Vec<_>>(), ["min-mem-mib", "title.en"]);
        assert!(sent.file.executable && sent.build && sent.drops == ["/a"]);
    }
}
