//! What callers of the API may change: apps, tasks, deployments.
//!
//! Everything here happens under the state's lock, in one piece: a request is
//! either refused and changes nothing, or it is recorded with its deployment. The
//! scheduler does the rest. One could get it wrong by letting two deployments
//! share an app: an app under deployment is locked (409) unless `force` is given,
//! and then the older deployment fails, loudly.

use crate::ids;
use crate::normalize;
use crate::record::{AppRecord, DeploymentRecord, TaskRecord};
use crate::schedule::{plan, step_info};
use crate::validate::{self, Invalid};
use crate::world::World;
use padis_protocol::app::{App, VersionInfo};
use padis_protocol::deployment::DeploymentResult;
use padis_protocol::event::DeploymentFailed;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Deployments at once, as in Marathon (`--max_running_deployments`).
const MAX_DEPLOYMENTS: usize = 100;
/// Versions kept for each app (`--zk_max_versions` is 50; half is plenty on one machine).
const MAX_VERSIONS: usize = 25;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refused {
    UnknownApp(String),
    UnknownVersion(String),
    UnknownDeployment(String),
    UnknownTask(String),
    Exists(String),
    Locked(Vec<String>),
    TooMany,
    Invalid(Invalid),
    /// 400 with a message.
    Bad(String),
}

/// What a patch does to the apps.
pub(crate) struct Change {
    pub id: String,
    pub patch: Map<String, Value>,
    /// The patch is laid over the present definition, else it replaces it.
    pub partial: bool,
    /// An unknown app is made.
    pub create: bool,
}

impl World {
    /// Creates and changes apps, in one deployment.
    pub fn change_apps(
        &mut self,
        changes: Vec<Change>,
        force: bool,
        default_image: bool,
    ) -> Result<DeploymentResult, Refused> {
        let ids: Vec<String> = changes.iter().map(|c| c.id.clone()).collect();
        let mut next = Vec::new();
        let mut taken: BTreeSet<u64> = self.service_ports(&ids);
        for change in changes {
            let app = self.resolve(&change, default_image, &taken)?;
            taken.extend(normalize::ports_of(&app).into_iter().map(u64::from));
            next.push(app);
        }
        self.check_dependencies(&next)?;
        self.free(&ids, force)?;
        let version = self.next_version();
        let mut first = Vec::new();
        let mut second = Vec::new();
        let mut before = Vec::new();
        for mut app in next {
            let old = self.app(&app.id).cloned();
            let action = install(&mut app, old.as_ref(), &version);
            match action {
                "StartApplication" => {
                    first.push((String::from(action), app.id.clone()));
                    second.push((String::from("ScaleApplication"), app.id.clone()));
                }
                _ => second.push((String::from(action), app.id.clone())),
            }
            before.push((app.id.clone(), old.as_ref().map(|o| o.app.clone())));
            let record = record_of(app, old.as_ref(), action != "ScaleApplication");
            if action != "ScaleApplication" {
                self.backoff.remove(record.id());
            }
            let checks = old.and_then(|o| o.app.health_checks).unwrap_or_default();
            self.tell_checks(&record.app.id.clone(), &checks, &record);
            self.put_app(record);
        }
        let steps = [first, second].into_iter().filter(|s| !s.is_empty()).collect();
        Ok(self.deploy(version, steps, before))
    }

    /// The complete definition that a change asks for.
    fn resolve(&self, change: &Change, default_image: bool, taken: &BTreeSet<u64>) -> Result<App, Refused> {
        validate::types(&change.patch).map_err(Refused::Invalid)?;
        let old = self.app(&change.id);
        if old.is_none() && !change.create {
            return Err(Refused::UnknownApp(change.id.clone()));
        }
        if let (Some(old), Some(version)) = (old, change.patch.get("version").and_then(Value::as_str)) {
            let alone = change.patch.iter().all(|(k, v)| k == "version" || k == "id" || v.is_null());
            if alone {
                return old.at(version).cloned().ok_or_else(|| Refused::UnknownVersion(version.to_owned()));
            }
        }
        let empty = App::default();
        let base = old.filter(|_| change.partial).map_or(&empty, |o| &o.app);
        let mut map = normalize::merge(base, &change.patch);
        map.remove("version");
        normalize::complete(&change.id, &mut map, taken);
        let app: App = serde_json::from_value(Value::Object(map)).map_err(|e| {
            let detail = padis_protocol::error::ErrorDetail { path: String::from("/"), errors: vec![e.to_string()] };
            Refused::Invalid(Invalid::Json(vec![detail]))
        })?;
        validate::definition(&app, default_image).map_err(Refused::Invalid)?;
        Ok(app)
    }

    /// Apps that wait for one another would wait for ever.
    fn check_dependencies(&self, next: &[App]) -> Result<(), Refused> {
        let of = |id: &str| {
            let app = next.iter().find(|a| a.id == id).or_else(|| self.app(id).map(|a| &a.app));
            app.and_then(|a| a.dependencies.clone()).unwrap_or_default()
        };
        for app in next {
            let mut seen = BTreeSet::new();
            let mut open = of(&app.id);
            while let Some(id) = open.pop() {
                if ids::is_below(&app.id, &id) {
                    let errors = vec![String::from("Dependency graph has cyclic dependencies.")];
                    let detail = padis_protocol::error::ErrorDetail { path: String::from("/"), errors };
                    return Err(Refused::Invalid(Invalid::Object(vec![detail])));
                }
                if seen.insert(id.clone()) {
                    let inside = self.apps_below(&id).into_iter().chain(std::iter::once(id));
                    open.extend(inside.flat_map(|i| of(&i)).collect::<Vec<_>>());
                }
            }
        }
        Ok(())
    }

    /// Replaces all tasks of an app.
    pub fn restart_app(&mut self, id: &str, force: bool) -> Result<DeploymentResult, Refused> {
        let mut app = self.app(id).cloned().ok_or_else(|| Refused::UnknownApp(id.to_owned()))?;
        self.free(&[id.to_owned()], force)?;
        let version = self.next_version();
        let before = vec![(id.to_owned(), Some(app.app.clone()))];
        let old = app.app.clone();
        remember(&mut app.versions, old);
        app.generation.clone_from(&version);
        if let Some(info) = app.app.version_info.as_mut() {
            info.last_scaling_at.clone_from(&version);
        }
        app.app.version = Some(version.clone());
        self.backoff.remove(id);
        self.put_app(app);
        Ok(self.deploy(version, vec![vec![(String::from("RestartApplication"), id.to_owned())]], before))
    }

    /// Deletes apps: nobody sees them any more, their tasks are stopped.
    pub fn delete_apps(&mut self, ids: &[String], force: bool) -> Result<DeploymentResult, Refused> {
        for id in ids {
            self.app(id).ok_or_else(|| Refused::UnknownApp(id.clone()))?;
        }
        self.free(ids, force)?;
        let version = self.next_version();
        let mut before = Vec::new();
        let mut step = Vec::new();
        for id in ids {
            let Some(mut app) = self.app(id).cloned() else { continue };
            before.push((id.clone(), Some(app.app.clone())));
            step.push((String::from("StopApplication"), id.clone()));
            app.deleting = true;
            self.waiting.remove(id);
            self.put_app(app);
        }
        Ok(self.deploy(version, vec![step], before))
    }

    /// Kills tasks. With `scale` the apps shrink by as many, in a deployment.
    pub fn kill_tasks(
        &mut self,
        ids: &[String],
        scale: bool,
        force: bool,
    ) -> Result<Option<DeploymentResult>, Refused> {
        let mut counts: std::collections::BTreeMap<String, u32> = std::collections::BTreeMap::new();
        for id in ids {
            let task = self.tasks.get(id).ok_or_else(|| Refused::UnknownTask(id.clone()))?;
            *counts.entry(task.app_id.clone()).or_default() += 1;
        }
        let mut result = None;
        if scale {
            let apps: Vec<String> = counts.keys().cloned().collect();
            self.free(&apps, force)?;
            let version = self.next_version();
            let mut before = Vec::new();
            let mut step = Vec::new();
            for (id, count) in counts {
                let Some(mut app) = self.app(&id).cloned() else { continue };
                before.push((id.clone(), Some(app.app.clone())));
                step.push((String::from("ScaleApplication"), id.clone()));
                let old = app.app.clone();
                remember(&mut app.versions, old);
                app.app.instances = Some(app.app.instances_or_default().saturating_sub(count));
                app.app.version = Some(version.clone());
                if let Some(info) = app.app.version_info.as_mut() {
                    info.last_scaling_at.clone_from(&version);
                }
                self.put_app(app);
            }
            result = Some(self.deploy(version, vec![step], before));
        }
        for id in ids {
            self.killing(id, "killed by request");
        }
        Ok(result)
    }

    /// Gives a deployment up. Without `force` a new one leads back.
    pub fn cancel_deployment(
        &mut self,
        id: &str,
        force: bool,
        default_image: bool,
    ) -> Result<Option<DeploymentResult>, Refused> {
        let deployment = self.deployments.get(id).cloned().ok_or_else(|| Refused::UnknownDeployment(id.to_owned()))?;
        self.fail(id, "cancelled by request");
        if force {
            return Ok(None);
        }
        let mut back = Vec::new();
        let mut gone = Vec::new();
        for (app_id, app) in deployment.before {
            match app {
                Some(app) => {
                    if let Some(record) = self.apps.get_mut(&app_id) {
                        record.deleting = false;
                    }
                    let Ok(Value::Object(patch)) = serde_json::to_value(&app) else { continue };
                    back.push(Change { id: app_id, patch, partial: false, create: true });
                }
                None if self.app(&app_id).is_some() => gone.push(app_id),
                None => {}
            }
        }
        let deleted = if gone.is_empty() { None } else { Some(self.delete_apps(&gone, true)?) };
        let restored = if back.is_empty() { None } else { Some(self.change_apps(back, true, default_image)?) };
        Ok(restored.or(deleted))
    }

    /// Makes sure that no deployment holds these apps.
    fn free(&mut self, apps: &[String], force: bool) -> Result<(), Refused> {
        let holders: Vec<String> =
            self.deployments.values().filter(|d| apps.iter().any(|a| d.touches(a))).map(|d| d.id.clone()).collect();
        if holders.is_empty() {
            return if self.deployments.len() >= MAX_DEPLOYMENTS { Err(Refused::TooMany) } else { Ok(()) };
        }
        if !force {
            return Err(Refused::Locked(holders));
        }
        for id in holders {
            self.fail(&id, "replaced by another deployment");
        }
        Ok(())
    }

    fn fail(&mut self, id: &str, why: &str) {
        let Some(deployment) = self.drop_deployment(id) else { return };
        let event = DeploymentFailed {
            id: id.to_owned(),
            plan: Some(plan(&deployment)),
            reason: Some(why.to_owned()),
            ..DeploymentFailed::default()
        };
        self.events.push(event.into());
    }

    fn deploy(
        &mut self,
        version: String,
        steps: Vec<Vec<(String, String)>>,
        before: Vec<(String, Option<App>)>,
    ) -> DeploymentResult {
        let deployment =
            DeploymentRecord { id: Uuid::new_v4().to_string(), version: version.clone(), steps, step: 0, before };
        if let Some(step) = deployment.steps.first() {
            self.events.push(step_info(&deployment, step));
        }
        let result = DeploymentResult { deployment_id: deployment.id.clone(), version };
        self.put_deployment(deployment);
        result
    }

    fn service_ports(&self, except: &[String]) -> BTreeSet<u64> {
        let others = self.apps.values().filter(|a| !except.iter().any(|e| e == a.id()));
        others.flat_map(|a| normalize::ports_of(&a.app)).map(u64::from).collect()
    }

    /// The tasks that a caller means: all of an app, on one host perhaps.
    pub fn select(&self, app_id: &str, host: Option<&str>) -> Vec<TaskRecord> {
        self.tasks_of(app_id).filter(|t| host.is_none_or(|h| h == t.agent)).cloned().collect()
    }

    /// All visible apps at or below a path.
    pub fn apps_below(&self, group: &str) -> Vec<String> {
        self.apps.values().filter(|a| !a.deleting && ids::is_below(a.id(), group)).map(|a| a.id().to_owned()).collect()
    }
}

/// Gives a definition its version; the answer is the deployment's action.
fn install(app: &mut App, old: Option<&AppRecord>, version: &str) -> &'static str {
    let Some(old) = old else {
        app.version_info =
            Some(VersionInfo { last_scaling_at: version.to_owned(), last_config_change_at: version.to_owned() });
        app.version = Some(version.to_owned());
        return "StartApplication";
    };
    let bare = |a: &App| App { version: None, version_info: None, instances: None, ..a.clone() };
    let scaled_only = bare(app) == bare(&old.app);
    let info = old.app.version_info.clone().unwrap_or_default();
    let last_config_change_at = if scaled_only { info.last_config_change_at } else { version.to_owned() };
    app.version_info = Some(VersionInfo { last_scaling_at: version.to_owned(), last_config_change_at });
    app.version = Some(version.to_owned());
    if scaled_only { "ScaleApplication" } else { "RestartApplication" }
}

fn record_of(app: App, old: Option<&AppRecord>, restarts: bool) -> AppRecord {
    let mut versions = old.map(|o| o.versions.clone()).unwrap_or_default();
    if let Some(old) = old {
        remember(&mut versions, old.app.clone());
    }
    let version = app.version.clone().unwrap_or_default();
    AppRecord {
        generation: old.filter(|_| !restarts).map_or(version, |o| o.generation.clone()),
        versions,
        last_failure: old.and_then(|o| o.last_failure.clone()),
        deleting: false,
        app,
    }
}

fn remember(versions: &mut Vec<App>, app: App) {
    versions.push(app);
    let excess = versions.len().saturating_sub(MAX_VERSIONS);
    versions.drain(..excess);
}
