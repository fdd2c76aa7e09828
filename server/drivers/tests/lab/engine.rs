//! The built-in engine in this process, on the lab's Docker Engine. To be
//! included beside `mod lab`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use super::lab;
use padis_drivers::marathon::{MarathonClient, MarathonConfig};
use padis_engine::{AgentConfig, EngineConfig};
use std::collections::BTreeMap;

/// A running engine with a data folder of its own.
pub struct Engine {
    /// A client of it.
    pub marathon: MarathonClient,
    /// The engine.
    pub handle: padis_engine::EngineHandle,
    _folder: tempfile::TempDir,
}

impl Engine {
    /// Starts one with two agents of two cores and 1 GiB each, on free ports.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let agent = |name: &str| AgentConfig {
            name: name.to_owned(),
            attributes: BTreeMap::from([("pool".to_owned(), name.to_owned())]),
            cpus: 2.0,
            mem_mib: 1024,
            disk_mib: None,
            docker: None,
        };
        let config = EngineConfig {
            marathon_listen: "127.0.0.1:0".parse().expect("an address"),
            mesos_listen: "127.0.0.1:0".parse().expect("an address"),
            data: folder.path().to_owned(),
            docker: lab::endpoint(),
            agents: vec![agent("one"), agent("two")],
            ..EngineConfig::default()
        };
        let handle = padis_engine::Engine::start(config).await.expect("the engine starts");
        let marathon = MarathonConfig::at(&format!("http://{}", handle.marathon()));
        let marathon = MarathonClient::new(&marathon).expect("an address");
        Self { marathon, handle, _folder: folder }
    }
}
