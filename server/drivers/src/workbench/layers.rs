//! What running instances have written into their own containers.
//!
//! Docker counts it by walking through everything that was written, so it is asked seldom and
//! may take its time. What one could get wrong: to believe that a container without a figure
//! has written nothing; the engine leaves it out while it does not know.

use super::Place;
use crate::docker_net::TASK_LABEL;
use bollard::query_parameters::ListContainersOptionsBuilder;
use padis_domain::ports::PortResult;
use std::collections::HashMap;
use std::time::Duration;

/// Walking through the files of all containers of a host.
const WALK: Duration = Duration::from_secs(300);

impl Place {
    /// Bytes by task.
    pub(super) async fn written(&self) -> PortResult<Vec<(String, u64)>> {
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
