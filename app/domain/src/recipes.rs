//! The part of the portal that recipes are: an image described in a form, and built from that.
//!
//! A recipe is kept as it is typed, right or wrong, so that nothing of it is lost; what is
//! wrong is said when somebody builds. One could get it wrong by building what the form says
//! now: a build has its own copy of everything, and goes on with that after a restart.

use crate::caller::Caller;
use crate::portal::Answer;
use crate::ports::PortResult;
use crate::view::{BuildView, ListQuery, Page, RecipeRow, RecipeText, RecipeView};
use async_trait::async_trait;
use futures::stream::BoxStream;

/// Where a file goes and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewRecipeFile {
    /// An absolute path, or a folder (with a slash at its end) that keeps the file's own name.
    pub target: String,
    /// The file's own name.
    pub name: String,
    /// Whether it may be run.
    pub executable: bool,
}

/// What people do with recipes. All of it checks the caller; a recipe is a person's.
#[async_trait]
pub trait Recipes: Send + Sync {
    /// Begins one on a version of our own registry; its id.
    async fn start_recipe(&self, c: &Caller, repository: &str, tag: &str, once: &str) -> Answer<String>;
    /// The caller's own; those who oversee the platform see all.
    async fn recipes(&self, c: &Caller, q: &ListQuery) -> Answer<Page<RecipeRow>>;
    /// One, as it was typed.
    async fn recipe(&self, c: &Caller, id: &str) -> Answer<RecipeView>;
    /// Keeps what was typed.
    async fn save_recipe(&self, c: &Caller, id: &str, text: &RecipeText) -> Answer<()>;
    /// Keeps a file for it; one that goes to the same path takes the other's place.
    async fn add_recipe_file(
        &self,
        c: &Caller,
        id: &str,
        new: &NewRecipeFile,
        file: BoxStream<'_, PortResult<Vec<u8>>>,
    ) -> Answer<()>;
    /// Takes a file out of it.
    async fn drop_recipe_file(&self, c: &Caller, id: &str, path: &str) -> Answer<()>;
    /// Builds what was typed; the number of the build.
    async fn build_recipe(&self, c: &Caller, id: &str, once: &str) -> Answer<u32>;
    /// Takes a recipe away. What was built from it stays.
    async fn end_recipe(&self, c: &Caller, id: &str) -> Answer<()>;
    /// A build with the end of what it has said.
    async fn build(&self, c: &Caller, id: &str, number: u32) -> Answer<BuildView>;
    /// All that a build has said so far.
    async fn build_output(&self, c: &Caller, id: &str, number: u32) -> Answer<Vec<u8>>;
    /// Stops a build.
    async fn cancel_build(&self, c: &Caller, id: &str, number: u32) -> Answer<()>;
}
