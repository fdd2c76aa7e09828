//! What running instances have written into their own containers.
//!
//! Docker counts it by walking through everything that was written, so it is asked seldom and
//! may take its time. What one could get wrong: to believe that a container without a figure
//! has written nothing; the engine leaves it out while it does not know. And to know nothing of
//! any host because one of them is down.

use super::{DockerWorkbench, Place};
use crate::docker_net::TASK_LABEL;
use bollard::query_parameters::ListContainersOptionsBuilder;
use futures::future::join_all;
use padis_domain::ports::PortResult;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Walking through the files of all containers of a host.
const WALK: Duration = Duration::from_secs(300);

impl Place {
    /// Bytes by task.
    async fn written(&self) -> PortResult<Vec<(String, u64)>> {
        let filters = HashMap::from([("label", vec![TASK_LABEL])]);
        let options = ListContainersOptionsBuilder::new().size(true).filters(&filters).build();
        let found = self.engine.patient(WALK).await?.list_containers(Some(options)).await;
        let found = found.map_err(|e| self.engine.failed("ask for what containers have written", false, e))?;
        let one = |c: bollard::models::ContainerSummary| {
            let task = c.labels?.remove(TASK_LABEL)?;
            Some((task, u64::try_from(c.size_rw?).ok()?))
        };
        Ok(found.into_iter().filter_map(one).collect())
    }
}

impl DockerWorkbench {
    /// Bytes by task on all engines that say it.
    pub(super) async fn written_on_all(&self) -> PortResult<BTreeMap<String, u64>> {
        let (mut written, mut answered, mut first) = (BTreeMap::new(), false, None);
        for (place, said) in self.places.iter().zip(join_all(self.places.iter().map(|p| p.written())).await) {
            match said {
                Ok(rows) => {
                    answered = true;
                    written.extend(rows);
                }
                Err(error) => {
                    let (at, hosts) = (place.engine.endpoint(), place.hosts.join(", "));
                    tracing::warn!(docker.at = at, hosts, cause = %error.chain(), "it does not say what its containers have written");
                    first = first.or(Some(error));
                }
            }
        }
        match first {
            Some(error) if !answered => Err(error),
            _ => Ok(written),
        }
    }
}
