//! What callers of the API may change: apps, tasks, deployments.
//!
//! Everything here happens under the state's lock, in one piece: a request is
//! either refused and changes nothing, or it is recorded with its deployment. The
//! scheduler does the rest. One could get it wrong by letting two deployments
//! share an app: an app under deployment is locked (409) unless `force` is given,
//! and then the older deployment fails, loudly.

mod groups;
mod plan;

pub(crate) use groups::GroupChange;

use crate::ids;
use crate::normalize;
use crate::record::{AppRecord, DeploymentRecord, TaskRecord};
use crate::validate::{self, Can, Invalid};
use crate::world::World;
use padis_protocol::app::{App, VersionInfo};
use padis_protocol::deployment::DeploymentResult;
use padis_protocol::error::ErrorDetail;
use padis_protocol::event::DeploymentFailed;
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
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
    UnknownGroup(String),
    /// 404 with a message.
    Unknown(String),
    Exists(String),
    /// 409 with a message.
    Conflict(String),
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
    pub fn change_apps(&mut self, changes: Vec<Change>, force: bool, can: Can) -> Result<DeploymentResult, Refused> {
        let next = self.resolve_all(&changes, can)?;
        self.commit(next, Vec::new(), force)
    }

    /// The complete definitions that changes ask for.
    fn resolve_all(&self, changes: &[Change], can: Can) -> Result<Vec<App>, Refused> {
        let old: Vec<&App> = changes.iter().filter_map(|c| self.app(&c.id)).map(|a| &a.app).collect();
        let mut taken: BTreeSet<u64> = self.service_ports(&old).into_keys().map(u64::from).collect();
        let mut next = Vec::new();
        for change in changes {
            let app = self.resolve(change, can, &taken)?;
            taken.extend(normalize::ports_of(&app).into_iter().map(u64::from));
            next.push(app);
        }
        Ok(next)
    }

    /// Puts definitions in force and takes apps away, in one deployment.
    fn commit(&mut self, next: Vec<App>, gone: Vec<String>, force: bool) -> Result<DeploymentResult, Refused> {
        let by_id: HashMap<&str, &App> = next.iter().map(|a| (a.id.as_str(), a)).collect();
        let target = |id: &str| by_id.get(id).copied().or_else(|| self.app(id).map(|a| &a.app));
        let levels = plan::levels(next.iter().map(|a| a.id.as_str()), |id| self.needs(id, target(id), &next)).map_err(
            |plan::Cycle| {
                let errors = vec![String::from("Dependency graph has cyclic dependencies.")];
                Refused::Invalid(Invalid::Object(vec![ErrorDetail { path: String::from("/"), errors }]))
            },
        )?;
        let ids: Vec<String> = next.iter().map(|a| a.id.clone()).chain(gone.iter().cloned()).collect();
        self.free(&ids, force)?;
        let version = self.next_version();
        let mut before = Vec::new();
        let mut moves = plan::Moves::default();
        for id in gone {
            let Some(mut app) = self.app(&id).cloned() else { continue };
            before.push((id.clone(), Some(app.app.clone())));
            self.bury(&app, &version);
            app.deleting = true;
            self.waiting.remove(&id);
            self.put_app(app);
            moves.stop.push(id);
        }
        for mut app in next {
            let old = self.app(&app.id).cloned();
            let action = install(&mut app, old.as_ref(), &version);
            before.push((app.id.clone(), old.as_ref().map(|o| o.app.clone())));
            let record = record_of(app, old.as_ref(), action != plan::SCALE);
            if action != plan::SCALE {
                self.backoff.remove(record.id());
            }
            match action {
                plan::START => moves.start.push(record.id().to_owned()),
                _ => moves.change.push((action, record.id().to_owned())),
            }
            let checks = old.and_then(|o| o.app.health_checks).unwrap_or_default();
            self.tell_checks(&record.app.id.clone(), &checks, &record);
            self.put_app(record);
        }
        Ok(self.deploy(version, moves.steps(&levels), before))
    }

    /// The apps that an app depends on: its own dependencies and those of the groups
    /// that it is in, groups among them taken as all that is below.
    fn needs(&self, id: &str, app: Option<&App>, next: &[App]) -> Vec<String> {
        let own = app.and_then(|a| a.dependencies.clone()).unwrap_or_default();
        let groups = ids::ancestors(id).filter_map(|g| self.groups.get(g)).flat_map(|g| g.dependencies.iter().cloned());
        let mut out = Vec::new();
        for wanted in own.into_iter().chain(groups) {
            out.extend(self.ids_below(&wanted).filter(|i| self.app(i).is_some()).map(str::to_owned));
            out.extend(next.iter().filter(|a| ids::is_below(&a.id, &wanted)).map(|a| a.id.clone()));
        }
        out
    }

    /// The complete definition that a change asks for.
    fn resolve(&self, change: &Change, can: Can, taken: &BTreeSet<u64>) -> Result<App, Refused> {
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
            let detail = ErrorDetail { path: String::from("/"), errors: vec![e.to_string()] };
            Refused::Invalid(Invalid::Json(vec![detail]))
        })?;
        validate::definition(&app, can).map_err(Refused::Invalid)?;
        Ok(app)
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
        Ok(self.deploy(version, vec![vec![(plan::RESTART.to_owned(), id.to_owned())]], before))
    }

    /// Deletes apps: nobody sees them any more, their tasks are stopped.
    pub fn delete_apps(&mut self, ids: &[String], force: bool) -> Result<DeploymentResult, Refused> {
        for id in ids {
            self.app(id).ok_or_else(|| Refused::UnknownApp(id.clone()))?;
        }
        self.commit(Vec::new(), ids.to_vec(), force)
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
                step.push((plan::SCALE.to_owned(), id.clone()));
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
    pub fn cancel_deployment(&mut self, id: &str, force: bool, can: Can) -> Result<Option<DeploymentResult>, Refused> {
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
        let back = self.resolve_all(&back, can)?;
        if back.is_empty() && gone.is_empty() { Ok(None) } else { self.commit(back, gone, true).map(Some) }
    }

    /// Makes sure that no deployment holds these apps.
    fn free(&mut self, apps: &[String], force: bool) -> Result<(), Refused> {
        let holders: BTreeSet<String> =
            apps.iter().filter_map(|a| self.progress.holder(a)).map(str::to_owned).collect();
        if holders.is_empty() {
            return if self.deployments.len() >= MAX_DEPLOYMENTS { Err(Refused::TooMany) } else { Ok(()) };
        }
        if !force {
            return Err(Refused::Locked(holders.into_iter().collect()));
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
            plan: Some(self.plan(&deployment)),
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
            let told = self.step_info(&deployment, step);
            self.events.push(told);
        }
        let id = deployment.id.clone();
        let result = DeploymentResult { deployment_id: deployment.id.clone(), version };
        let empty = deployment.steps.is_empty();
        self.put_deployment(deployment);
        if empty {
            // Nothing to wait for: it is over, and its listeners are told so.
            self.advance(&id);
        }
        result
    }

    /// The tasks that a caller means: all of an app, on one host perhaps.
    pub fn select(&self, app_id: &str, host: Option<&str>) -> Vec<TaskRecord> {
        self.tasks_of(app_id).filter(|t| host.is_none_or(|h| h == t.agent)).cloned().collect()
    }

    /// All visible apps at or below a path.
    pub fn apps_below(&self, group: &str) -> Vec<String> {
        self.ids_below(group).filter(|id| self.app(id).is_some()).map(str::to_owned).collect()
    }
}

/// Gives a definition its version; the answer is the deployment's action.
fn install(app: &mut App, old: Option<&AppRecord>, version: &str) -> &'static str {
    let Some(old) = old else {
        app.version_info =
            Some(VersionInfo { last_scaling_at: version.to_owned(), last_config_change_at: version.to_owned() });
        app.version = Some(version.to_owned());
        return plan::START;
    };
    let scaled_only = is_scaling_only(app, &old.app);
    let info = old.app.version_info.clone().unwrap_or_default();
    let last_config_change_at = if scaled_only { info.last_config_change_at } else { version.to_owned() };
    app.version_info = Some(VersionInfo { last_scaling_at: version.to_owned(), last_config_change_at });
    app.version = Some(version.to_owned());
    if scaled_only { plan::SCALE } else { plan::RESTART }
}

/// Whether two definitions differ in nothing but the number of instances.
fn is_scaling_only(app: &App, old: &App) -> bool {
    let bare = |a: &App| App { version: None, version_info: None, instances: None, ..a.clone() };
    bare(app) == bare(old)
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
