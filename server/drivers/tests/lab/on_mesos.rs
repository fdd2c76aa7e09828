//! The engine in this process as a framework of a Mesos, asked by the Marathon API.
//! To be included beside `mod mesos`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::mesos::{DEADLINE, until};
use padis_engine::{Engine, EngineConfig, EngineHandle, MesosConfig, RuntimeConfig};
use serde_json::{Value, json};

/// A running engine with a data folder of its own.
pub struct Framework {
    engine: Option<EngineHandle>,
    /// Its Marathon API.
    pub base: String,
    /// Its Mesos operator API.
    pub mesos: String,
    pub client: reqwest::Client,
    _data: tempfile::TempDir,
}

/// The configuration that [`Framework::start`] starts with.
pub fn config(mesos: MesosConfig, data: &std::path::Path) -> EngineConfig {
    EngineConfig {
        marathon_listen: "127.0.0.1:0".parse().unwrap(),
        mesos_listen: "127.0.0.1:0".parse().unwrap(),
        data: data.join("engine"),
        runtime: RuntimeConfig::Mesos(mesos),
        ..EngineConfig::default()
    }
}

impl Framework {
    pub async fn start(mesos: MesosConfig) -> Self {
        let data = tempfile::tempdir().unwrap();
        let engine = Engine::start(config(mesos, data.path())).await.unwrap();
        let (base, mesos) = (format!("http://{}", engine.marathon()), format!("http://{}", engine.mesos()));
        let client = padis_drivers::http::builder().timeout(DEADLINE).build().unwrap();
        Self { engine: Some(engine), base, mesos, client, _data: data }
    }

    pub async fn put(&self, app: Value) {
        let url = format!("{}/v2/apps{}", self.base, app["id"].as_str().unwrap());
        let answer = self.client.put(url).json(&app).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    pub async fn delete(&self, path: &str) {
        let answer = self.client.delete(format!("{}{path}", self.base)).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    pub async fn get(&self, path: &str) -> Value {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap().json().await.unwrap()
    }

    pub async fn tasks(&self, app: &str) -> Vec<Value> {
        self.get(&format!("/v2/apps{app}/tasks")).await["tasks"].as_array().cloned().unwrap_or_default()
    }

    pub async fn running(&self, app: &str, count: usize) -> Vec<Value> {
        let mut found = Vec::new();
        until(&format!("{count} running tasks of {app}"), async || {
            found = self.tasks(app).await;
            found.len() == count && found.iter().all(|t| t["state"] == "TASK_RUNNING")
        })
        .await;
        found
    }

    /// Waits until as many of an app's tasks are healthy.
    pub async fn healthy(&self, app: &str, count: usize) {
        until(&format!("{count} healthy tasks of {app}"), async || {
            self.get(&format!("/v2/apps{app}")).await["app"]["tasksHealthy"] == count
        })
        .await;
    }

    pub async fn stop(mut self) {
        if let Some(engine) = self.engine.take() {
            engine.stop().await;
        }
    }
}

/// A command that does nothing, for as long as it may.
pub fn sleeper(id: &str, cpus: f64, more: Value) -> Value {
    let mut app = json!({"id": id, "cmd": "exec sleep 1000", "cpus": cpus, "mem": 16, "backoffSeconds": 0.1,
        "portDefinitions": []});
    app.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app
}
