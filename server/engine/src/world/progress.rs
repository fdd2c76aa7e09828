//! How far the deployments are: which step each one is at, and which of that
//! step's apps are not there yet.
//!
//! A step is done when each of its apps has been there once; what dies afterwards
//! is the scheduler's to replace, not the deployment's to wait for again. One could
//! get it wrong by asking all apps of all deployments after every event: a
//! deployment may hold ten thousand. Only the app that something happened to is asked.

use crate::record::DeploymentRecord;
use std::collections::{BTreeSet, HashMap};

/// What the deployments wait for. Not recorded: it follows from the deployments.
#[derive(Default)]
pub(crate) struct Progress {
    /// App to the deployment that holds it.
    holder: HashMap<String, Held>,
    /// Apps of the present step that are not there yet, by deployment.
    open: HashMap<String, BTreeSet<String>>,
}

struct Held {
    deployment: String,
    /// The step that moves its instances.
    step: usize,
    /// The step that the deployment is at.
    at: usize,
}

impl Progress {
    /// A deployment is at its present step.
    pub fn begin(&mut self, deployment: &DeploymentRecord) {
        for (index, step) in deployment.steps.iter().enumerate() {
            for (_, app) in step {
                let held = Held { deployment: deployment.id.clone(), step: index, at: deployment.step };
                self.holder.insert(app.clone(), held);
            }
        }
        let step = deployment.steps.get(deployment.step);
        let apps = step.into_iter().flatten().map(|(_, app)| app.clone()).collect();
        self.open.insert(deployment.id.clone(), apps);
    }

    /// A deployment is over.
    pub fn end(&mut self, deployment: &DeploymentRecord) {
        self.open.remove(&deployment.id);
        self.holder.retain(|_, held| held.deployment != deployment.id);
    }

    /// The deployment that holds an app.
    pub fn holder(&self, app: &str) -> Option<&str> {
        self.holder.get(app).map(|held| held.deployment.as_str())
    }

    /// Whether an app's turn has not come yet.
    pub fn waits(&self, app: &str) -> bool {
        self.holder.get(app).is_some_and(|held| held.at < held.step)
    }

    /// Whether a deployment waits for this app at its present step.
    pub fn is_open(&self, app: &str) -> bool {
        self.holder.get(app).and_then(|h| self.open.get(&h.deployment)).is_some_and(|o| o.contains(app))
    }

    /// An app is where it shall be. Gives the deployment if that was the last of its step.
    pub fn arrived(&mut self, app: &str) -> Option<String> {
        let id = &self.holder.get(app)?.deployment;
        let open = self.open.get_mut(id)?;
        (open.remove(app) && open.is_empty()).then(|| id.clone())
    }
}
