//! What the portal is made of: settings, and what it reads outside itself.
//!
//! One could get it wrong by handing over the whole configuration: what stands there of
//! passwords is none of the portal's business.

use crate::archives::Spool;
use crate::images::Registries;
use crate::osv::Known;
use crate::reconcile::stream::Stream;
use crate::seal::Sealer;
use padis_domain::ports::{Cluster, Pages, Workbench};
use std::path::PathBuf;
use std::sync::Arc;

/// What the portal needs to know of the configuration.
#[derive(Debug, Clone)]
pub struct PortalSettings {
    /// The balancer's TCP port, for the URLs of applications.
    pub balancer_port: u16,
    /// What the names of applications resolve to.
    pub balancer_address: String,
    /// Where the balancer listens, as shown.
    pub balancer_listen: String,
    /// The largest upload in bytes.
    pub max_package_bytes: u64,
    /// The log folder: `<team>/<app>/r<n>/<task>/<file>` below it.
    pub logs: PathBuf,
    /// Bytes that an instance may write into its own container, before its team is warned.
    pub writable_bytes: u64,
    /// The packages' folder.
    pub packages: PathBuf,
    /// Seals secrets before they go into the database.
    pub sealer: Arc<Sealer>,
    /// The folder of what terminals in workbenches showed.
    pub benches: PathBuf,
    /// The folder of recipes.
    pub recipes: PathBuf,
    /// Where files lie that are brought in.
    pub archives: Spool,
    /// The portal's own URL, without a final slash.
    pub public_url: String,
}

/// What the portal reads outside itself while somebody waits for it.
pub struct Outside {
    /// A page of an instance.
    pub pages: Arc<dyn Pages>,
    /// What the hosts keep of a task.
    pub cluster: Arc<dyn Cluster>,
    /// What the reconciler knows of the event stream.
    pub stream: Arc<Stream>,
    /// The registries.
    pub registries: Arc<Registries>,
    /// Known vulnerabilities.
    pub known: Arc<Known>,
    /// Workbenches.
    pub workbench: Arc<dyn Workbench>,
}
