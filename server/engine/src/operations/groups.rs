//! Groups: trees of apps that are changed as one.
//!
//! A group is what lies below its path; a record of its own holds only what that
//! does not say: dependencies, and that it exists while it is empty. An update
//! that names apps or groups names all of them: what it leaves out goes. One could
//! get it wrong by restarting what a large tree says again unchanged: only apps
//! whose definition differs take part in the deployment.

use super::{Change, Refused};
use crate::ids;
use crate::record::GroupRecord;
use crate::validate::{Can, Invalid};
use crate::world::World;
use padis_protocol::app::App;
use padis_protocol::deployment::DeploymentResult;
use padis_protocol::error::ErrorDetail;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Versions kept for each group.
const MAX_VERSIONS: usize = 25;

/// What is asked of a group.
pub(crate) struct GroupChange {
    pub id: String,
    pub update: Map<String, Value>,
    /// An existing group is refused (POST), else it is changed (PUT).
    pub create: bool,
    pub force: bool,
    /// Only tell the steps.
    pub dry_run: bool,
}

/// What an update comes to.
#[derive(Default)]
struct Tree {
    apps: Vec<Change>,
    gone: BTreeSet<String>,
    /// Groups with their dependencies.
    groups: BTreeMap<String, Vec<String>>,
    gone_groups: BTreeSet<String>,
}

fn invalid(path: &str, error: &str) -> Refused {
    Refused::Invalid(Invalid::Object(vec![ErrorDetail { path: path.to_owned(), errors: vec![error.to_owned()] }]))
}

fn of_type(path: &str, error: &str) -> Refused {
    Refused::Invalid(Invalid::Json(vec![ErrorDetail { path: path.to_owned(), errors: vec![error.to_owned()] }]))
}

impl World {
    /// Whether there is such a group.
    pub fn is_group(&self, id: &str) -> bool {
        id == "/" || self.groups.contains_key(id) || {
            let inside = format!("{id}/");
            self.ids_below(id).any(|app| app.starts_with(&inside) && self.app(app).is_some())
                || self.groups.keys().any(|g| g.starts_with(&inside))
        }
    }

    /// Creates or changes a group. Gives the deployment, or the steps of a dry run.
    pub fn change_group(&mut self, c: GroupChange, can: Can) -> Result<Result<DeploymentResult, Value>, Refused> {
        if !(c.id == "/" || ids::is_valid(&c.id)) {
            return Err(invalid("/id", &format!("must fully match regular expression '{}'", ids::PATTERN)));
        }
        if self.app(&c.id).is_some() {
            return Err(Refused::Conflict(format!("An app with id [{}] already exists.", c.id)));
        }
        if c.create && self.is_group(&c.id) {
            let text = format!("Group {} is already created. Use PUT to change this group.", c.id);
            return Err(Refused::Conflict(text));
        }
        let mut tree = Tree::default();
        if let Some(version) = c.update.get("version").and_then(Value::as_str).filter(|_| !c.create) {
            self.as_of(&c.id, version, &mut tree)?;
        } else if let Some(factor) = c.update.get("scaleBy").filter(|v| !v.is_null()) {
            self.scaled(&c.id, factor, &mut tree)?;
        } else {
            self.gather(&c.id, &c.update, "", &mut tree)?;
        }
        tree.gone.retain(|id| !tree.apps.iter().any(|a| a.id == *id));
        let bare = |a: &App| App { version: None, version_info: None, ..a.clone() };
        let next: Vec<App> = self.resolve_all(&tree.apps, can)?;
        let next: Vec<App> =
            next.into_iter().filter(|a| self.app(&a.id).is_none_or(|o| bare(&o.app) != bare(a))).collect();
        let gone: Vec<String> = tree.gone.into_iter().filter(|id| self.app(id).is_some()).collect();
        if c.dry_run {
            return Ok(Err(self.steps_of(&next, &gone)));
        }
        // Dependencies of groups count for the order of this very deployment.
        let before = self.groups.clone();
        for id in &tree.gone_groups {
            self.groups.remove(id);
        }
        for (id, dependencies) in &tree.groups {
            let old = self.groups.get(id).cloned();
            let record = GroupRecord {
                id: id.clone(),
                dependencies: dependencies.clone(),
                version: String::new(),
                versions: old.map(|o| o.versions).unwrap_or_default(),
            };
            self.groups.insert(id.clone(), record);
        }
        match self.commit(next, gone, c.force) {
            Err(refused) => {
                self.groups = before;
                Err(refused)
            }
            Ok(result) => {
                for id in tree.gone_groups {
                    self.records.push(crate::record::Record::GroupGone(id));
                }
                for id in tree.groups.into_keys() {
                    if let Some(group) = self.groups.get(&id).cloned() {
                        self.put_group(group);
                    }
                }
                self.note_group(&c.id, &result.version);
                Ok(Ok(result))
            }
        }
    }

    /// Deletes a group with all that is below it.
    pub fn delete_group(&mut self, id: &str, force: bool) -> Result<DeploymentResult, Refused> {
        if !self.is_group(id) {
            return Err(Refused::UnknownGroup(id.to_owned()));
        }
        let apps = self.apps_below(id);
        let result = self.commit(Vec::new(), apps, force)?;
        let inside = format!("{}/", id.trim_end_matches('/'));
        let groups: Vec<String> = self.groups.keys().filter(|g| *g == id || g.starts_with(&inside)).cloned().collect();
        for group in groups {
            self.drop_group(&group);
        }
        self.note_group("/", &result.version);
        Ok(result)
    }

    /// A group and the groups around it have a new version.
    fn note_group(&mut self, id: &str, version: &str) {
        let around: Vec<String> = std::iter::once(id).chain(ids::ancestors(id)).map(str::to_owned).collect();
        for id in around {
            let mut group = self.groups.get(&id).cloned().unwrap_or_else(|| GroupRecord {
                id: id.clone(),
                dependencies: Vec::new(),
                version: String::new(),
                versions: Vec::new(),
            });
            version.clone_into(&mut group.version);
            group.versions.push(version.to_owned());
            let excess = group.versions.len().saturating_sub(MAX_VERSIONS);
            group.versions.drain(..excess);
            self.put_group(group);
        }
        self.tend_graves();
        let event = padis_protocol::event::GroupChangeSuccess {
            group_id: id.to_owned(),
            version: version.to_owned(),
            ..Default::default()
        };
        self.events.push(event.into());
    }

    /// Collects what an update of one group, and of those inside it, comes to.
    fn gather(&self, id: &str, update: &Map<String, Value>, path: &str, out: &mut Tree) -> Result<(), Refused> {
        let list = |name: &str| match update.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(_) => Err(of_type(&format!("{path}/{name}"), "error.expected.jsarray")),
        };
        if list("pods")?.is_some_and(|pods| !pods.is_empty()) {
            return Err(invalid(&format!("{path}/pods"), "pods are not run by the built-in engine"));
        }
        let old = self.groups.get(id).map(|g| g.dependencies.clone()).unwrap_or_default();
        let dependencies = match list("dependencies")? {
            None => old,
            Some(given) => given.iter().filter_map(Value::as_str).map(|d| ids::within(id, d)).collect(),
        };
        out.groups.insert(id.to_owned(), dependencies);
        let inside = format!("{}/", id.trim_end_matches('/'));
        if let Some(apps) = list("apps")? {
            let direct = self.ids_below(id).filter(|a| a.strip_prefix(&inside).is_some_and(|r| !r.contains('/')));
            out.gone.extend(direct.map(str::to_owned));
            for (index, app) in apps.iter().enumerate() {
                let at = format!("{path}/apps({index})");
                let Value::Object(app) = app else { return Err(of_type(&at, "error.expected.jsobject")) };
                let named = app.get("id").and_then(Value::as_str);
                let named = named.ok_or_else(|| of_type(&format!("{at}/id"), "error.path.missing"))?;
                let app_id = ids::within(id, named);
                if app_id.strip_prefix(&inside).is_none_or(|rest| rest.is_empty() || rest.contains('/')) {
                    return Err(invalid(&format!("{at}/id"), "identifier is not child of the group it is in"));
                }
                let mut patch = app.clone();
                if let Some(list) = patch.get_mut("dependencies").and_then(Value::as_array_mut) {
                    for item in list.iter_mut() {
                        *item = json!(ids::within(id, item.as_str().unwrap_or_default()));
                    }
                }
                out.apps.push(Change { id: app_id, patch, partial: false, create: true });
            }
        }
        if let Some(groups) = list("groups")? {
            let nested = self.ids_below(id).filter(|a| a.strip_prefix(&inside).is_some_and(|r| r.contains('/')));
            let mut left_out: BTreeSet<String> = nested.map(str::to_owned).collect();
            let mut groups_left_out: BTreeSet<String> =
                self.groups.keys().filter(|g| g.starts_with(&inside)).cloned().collect();
            for (index, group) in groups.iter().enumerate() {
                let at = format!("{path}/groups({index})");
                let Value::Object(group) = group else { return Err(of_type(&at, "error.expected.jsobject")) };
                let named = group.get("id").and_then(Value::as_str);
                let named = named.ok_or_else(|| of_type(&format!("{at}/id"), "error.path.missing"))?;
                let group_id = ids::within(id, named);
                if group_id.strip_prefix(&inside).is_none_or(|rest| rest.is_empty() || rest.contains('/')) {
                    return Err(invalid(&format!("{at}/id"), "identifier is not child of the group it is in"));
                }
                if !ids::is_valid(&group_id) {
                    let error = format!("must fully match regular expression '{}'", ids::PATTERN);
                    return Err(invalid(&format!("{at}/id"), &error));
                }
                left_out.retain(|a| !ids::is_below(a, &group_id));
                groups_left_out.retain(|g| !ids::is_below(g, &group_id));
                self.gather(&group_id, group, &at, out)?;
            }
            out.gone.extend(left_out);
            out.gone_groups.extend(groups_left_out);
        }
        Ok(())
    }

    /// All apps of a group with so many times the instances.
    fn scaled(&self, id: &str, factor: &Value, out: &mut Tree) -> Result<(), Refused> {
        let factor = factor.as_f64().ok_or_else(|| of_type("/scaleBy", "error.expected.jsnumber"))?;
        if !(0.0..=10_000.0).contains(&factor) {
            return Err(invalid("/scaleBy", "error.min"));
        }
        if !self.is_group(id) {
            return Err(Refused::UnknownGroup(id.to_owned()));
        }
        for app in self.apps_below(id) {
            let Some(old) = self.app(&app) else { continue };
            let instances = (f64::from(old.app.instances_or_default()) * factor).ceil();
            let patch = json!({"instances": instances as u64}).as_object().cloned().unwrap_or_default();
            out.apps.push(Change { id: app, patch, partial: true, create: false });
        }
        Ok(())
    }

    /// A group as it was at a version.
    fn as_of(&self, id: &str, version: &str, out: &mut Tree) -> Result<(), Refused> {
        if !self.groups.get(id).is_some_and(|g| g.versions.iter().any(|v| v == version)) {
            let text = format!("Group {id} is not available in version {version}");
            return Err(Refused::Unknown(text));
        }
        for app in self.apps_as_of(id, version) {
            let app_id = app.id.clone();
            let Ok(Value::Object(patch)) = serde_json::to_value(app) else { continue };
            out.apps.push(Change { id: app_id, patch, partial: false, create: true });
        }
        // What came later goes; the caller keeps what is named above.
        out.gone.extend(self.apps_below(id));
        Ok(())
    }

    /// The steps that a change would take, as Marathon tells them.
    fn steps_of(&self, next: &[App], gone: &[String]) -> Value {
        let action = |app: &App| match self.app(&app.id) {
            None => super::plan::START,
            Some(old) if super::is_scaling_only(app, &old.app) => super::plan::SCALE,
            Some(_) => super::plan::RESTART,
        };
        let mut moves = super::plan::Moves { stop: gone.to_vec(), ..super::plan::Moves::default() };
        for app in next {
            match action(app) {
                super::plan::START => moves.start.push(app.id.clone()),
                action => moves.change.push((action, app.id.clone())),
            }
        }
        let levels = super::plan::levels(next.iter().map(|a| a.id.as_str()), |id| {
            self.needs(id, next.iter().find(|a| a.id == id), next)
        });
        let steps = moves.steps(&levels.unwrap_or_default());
        json!({"steps": steps.iter().map(|s| crate::schedule::wire(s)).collect::<Vec<_>>()})
    }
}
