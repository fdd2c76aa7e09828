//! What stands behind the portal: drivers, and the processes and servers that we
//! bring with us.
//!
//! The portal knows Marathon by its address alone, also when it is our own engine
//! in this very process. Everything of ours is started in the background and
//! tried again; nothing of it can keep the portal from starting.

use super::bootstrap::offers;
use super::late::Late;
use super::machine;
use super::resolve::Stranger;
use crate::archives::Spool;
use crate::config::{Config, OWN_REGISTRY, Secret, mask_url};
use crate::images::{Files, Place, Registries};
use crate::reconcile::{Ports, Settings};
use crate::seal::Sealer;
use padis_domain::ports::{Directory, PortError};
use padis_domain::problem::System;
use padis_drivers::dns::{DnsConfig, DnsServer};
use padis_drivers::docker_at::DockerAt;
use padis_drivers::docker_net::DockerNetwork;
use padis_drivers::haproxy::{HaproxyChild, HaproxyConfig};
use padis_drivers::http::Auth as HttpAuth;
use padis_drivers::ldap::{LdapConfigError, LdapDirectory};
use padis_drivers::marathon::{MarathonClient, MarathonConfig};
use padis_drivers::mesos::{MesosClient, MesosConfig};
use padis_drivers::registry::{
    Notify, RegistryChild, RegistryChildConfig, RegistryClient, RegistryConfig, StorageCollector, StorageConfig,
    Transfers,
};
use padis_drivers::workbench::{DockerWorkbench, WorkbenchConfig};
use padis_engine::{AgentConfig, Credentials, Engine, EngineConfig, EngineHandle};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a registry may take from looking for the layers of a manifest to writing it down:
/// a few milliseconds on an idle disk.
const SETTLE: Duration = Duration::from_secs(5);

/// Why a driver can't even be made: a setting.
#[derive(Debug, thiserror::Error)]
pub enum BehindError {
    /// An address that can't be one.
    #[error("a setting of what stands behind the portal can't be used")]
    Port(#[from] PortError),
    /// The directory's settings.
    #[error("the directory can't be used")]
    Ldap(#[from] LdapConfigError),
}

/// What stands behind the portal.
pub struct Behind {
    /// For the reconciler.
    pub ports: Ports,
    /// For sign-in.
    pub directory: Option<Arc<dyn Directory>>,
    engine: Arc<Late<EngineHandle>>,
    registry: Arc<Late<RegistryChild>>,
    dns: Arc<Late<DnsServer>>,
    balancer: Arc<Late<HaproxyChild>>,
}

fn basic(user: Option<&String>, password: Option<&Secret>) -> HttpAuth {
    match user {
        Some(u) => {
            HttpAuth::Basic { user: u.clone(), password: password.map(|p| p.reveal().to_owned()).unwrap_or_default() }
        }
        None => HttpAuth::None,
    }
}

fn marathon_auth(c: &Config) -> HttpAuth {
    match &c.marathon.token {
        Some(t) => HttpAuth::Header(format!("token={}", t.reveal())),
        None => basic(c.marathon.user.as_ref(), c.marathon.password.as_ref()),
    }
}

/// Marathon's and Mesos' addresses: our own engine's, or those given.
fn cluster(c: &Config) -> (Vec<String>, Vec<String>) {
    if c.engine.enabled {
        (vec![format!("http://{}", c.engine.marathon_listen)], vec![format!("http://{}", c.engine.mesos_listen)])
    } else {
        (c.marathon.urls.clone(), c.marathon.mesos.clone())
    }
}

/// The engine's settings: shares become cores and MiB.
pub fn engine_config(c: &Config) -> EngineConfig {
    let agent = |a: &crate::config::Agent| {
        let (cpus, mem_mib) = offers(a, c);
        AgentConfig {
            name: a.name.clone(),
            attributes: a.attributes.clone(),
            cpus: (cpus * 1000.0).round() / 1000.0,
            mem_mib,
            disk_mib: None,
            docker: a.docker.clone(),
        }
    };
    EngineConfig {
        marathon_listen: c.engine.marathon_listen,
        mesos_listen: c.engine.mesos_listen,
        data: c.below("engine"),
        docker: c.docker.clone(),
        agents: c.engine.agents.iter().map(agent).collect(),
        hostname: machine::hostname(),
        // The portal's client is told the same.
        credentials: c
            .marathon
            .user
            .clone()
            .zip(c.marathon.password.as_ref())
            .map(|(user, password)| Credentials { user, password: password.reveal().to_owned() }),
        ..EngineConfig::default()
    }
}

/// Where workbenches run: on the Docker Engine of each of the engine's agents, or with a
/// cluster elsewhere on this machine's; and on those of the hosts that are configured, which
/// go before.
fn bench_config(c: &Config) -> WorkbenchConfig {
    let mut hosts: BTreeMap<String, DockerAt> = if c.engine.enabled {
        let at = |a: &crate::config::Agent| DockerAt::new(a.docker.as_ref().unwrap_or(&c.docker));
        c.engine.agents.iter().map(|a| (a.name.clone(), at(a))).collect()
    } else {
        BTreeMap::from([(machine::hostname(), DockerAt::new(&c.docker))])
    };
    hosts.extend(c.docker_hosts.iter().map(|h| (h.name.clone(), h.at())));
    WorkbenchConfig {
        hosts,
        registry: without_scheme(&c.registry.base()),
        auth: basic(c.registry.user.as_ref(), c.registry.password.as_ref()),
    }
}

fn without_scheme(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, r)| r);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, h)| h);
    rest.trim_end_matches('/').to_owned()
}

impl Behind {
    /// Makes the drivers; nothing is contacted or started yet.
    pub fn new(c: &Config) -> Result<Self, BehindError> {
        let (marathon, mesos) = cluster(c);
        let auth = marathon_auth(c);
        let mut config = MarathonConfig::at("");
        (config.endpoints, config.auth, config.silence) = (marathon, auth.clone(), c.reconcile.silence);
        config.ca = c.marathon.ca.as_ref().map(Into::into);
        let scheduler = MarathonClient::new(&config)?;
        let mut config = MesosConfig::at("");
        let known = basic(c.marathon.principal.as_ref(), c.marathon.secret.as_ref());
        (config.masters, config.auth) = (mesos, if c.marathon.principal.is_some() { known } else { auth });
        config.ca = c.marathon.mesos_ca.as_ref().map(Into::into);
        config.plain_agents = c.marathon.mesos_plain_agents;
        let cluster = MesosClient::new(&config)?;
        let base = c.registry.base();
        let mut config = RegistryConfig::at(&without_scheme(&base));
        (config.url, config.auth) = (base, basic(c.registry.user.as_ref(), c.registry.password.as_ref()));
        config.ca = c.registry.ca.as_ref().map(Into::into);
        let registry = Arc::new(RegistryClient::new(&config)?);
        let registries = registries(c, registry.clone())?;
        let sockets: BTreeSet<String> = if c.engine.enabled {
            c.engine.agents.iter().map(|a| a.docker.clone().unwrap_or_else(|| c.docker.clone())).collect()
        } else {
            [c.docker.clone()].into()
        };
        let workbench = Arc::new(DockerWorkbench::new(&bench_config(c), registry.clone())?);
        let network = DockerNetwork::new(&sockets.into_iter().collect::<Vec<_>>())?;
        let directory = match &c.ldap {
            Some(l) => Some(Arc::new(LdapDirectory::new(l.driver.clone())?) as Arc<dyn Directory>),
            None => None,
        };
        let dns = Late::new(System::Dns, "the name server");
        let balancer = Late::new(System::Balancer, "HAProxy");
        let ports = Ports {
            scheduler: Arc::new(scheduler),
            cluster: Arc::new(cluster),
            network: Arc::new(network),
            dns: dns.clone(),
            balancer: balancer.clone(),
            registry,
            registries,
            workbench,
        };
        let engine = Late::new(System::Scheduler, "the engine");
        let registry = Late::new(System::Registry, "the registry");
        Ok(Self { ports, directory, engine, registry, dns, balancer })
    }

    /// Starts what is ours, each on its own, again and again until it stands.
    /// `at` is where the portal itself is reached.
    pub fn start(&self, c: &Config, at: SocketAddr, tasks: &TaskTracker, stop: &CancellationToken) {
        if c.engine.enabled {
            let (late, config, stop) = (self.engine.clone(), engine_config(c), stop.clone());
            tasks.spawn(async move { late.keep_trying(&stop, || Engine::start(config.clone())).await });
        }
        if c.registry.child {
            let own = self.ports.registries.find(OWN_REGISTRY).and_then(|p| p.token.clone());
            let notify = own.map(|token| Notify { url: format!("http://{at}/hooks/registries/{OWN_REGISTRY}"), token });
            let config = RegistryChildConfig { folder: c.below("registry"), listen: c.registry.listen, notify };
            let (late, stop) = (self.registry.clone(), stop.clone());
            tasks.spawn(async move { late.keep_trying(&stop, || RegistryChild::start(&config)).await });
        }
        let config = dns_config(c);
        let (late, s) = (self.dns.clone(), stop.clone());
        tasks.spawn(async move { late.keep_trying(&s, || DnsServer::start(config.clone())).await });
        let mut config = HaproxyConfig::new(c.balancer.listen, c.below("balancer"));
        config.program = Path::new(&c.balancer.program).to_owned();
        let (late, stop) = (self.balancer.clone(), stop.clone());
        tasks.spawn(async move { late.keep_trying(&stop, || HaproxyChild::start(config.clone())).await });
    }

    /// Stops what was started, by its process id; containers run on. To be called
    /// when the tasks of [`Behind::start`] have ended.
    pub async fn stop(&self) {
        if let Some(b) = self.balancer.end() {
            b.stop().await;
        }
        if let Some(d) = self.dns.end() {
            d.stop().await;
        }
        if let Some(e) = self.engine.end() {
            match Arc::try_unwrap(e) {
                Ok(engine) => engine.stop().await,
                Err(_) => tracing::warn!("the engine is still in use; it is taken up at the next start"),
            }
        }
        if let Some(r) = self.registry.end() {
            r.stop().await;
        }
    }
}

/// Our own registry and the others, and what copies between them.
fn registries(c: &Config, own: Arc<RegistryClient>) -> Result<Arc<Registries>, BehindError> {
    let mut all = vec![Place {
        name: OWN_REGISTRY.to_owned(),
        place: without_scheme(&c.registry.base()),
        stage: c.registry.stage,
        takes: true,
        rules: c.registry.rules(),
        token: c.registry.child.then(|| uuid::Uuid::new_v4().simple().to_string()),
        client: own.clone(),
    }];
    let mut collectors = BTreeMap::new();
    let data = c.registry.child.then(|| c.below("registry").join("data"));
    if let Some(root) = data.or_else(|| c.registry.storage.as_ref().map(Into::into)) {
        collectors.insert(OWN_REGISTRY.to_owned(), files(c, &own, root));
    }
    let mut clients = BTreeMap::from([(OWN_REGISTRY.to_owned(), own)]);
    for other in &c.registry.others {
        let mut config = RegistryConfig::at(&without_scheme(&other.url));
        (config.url, config.auth) = (other.url.clone(), basic(other.user.as_ref(), other.password.as_ref()));
        config.ca = other.ca.as_ref().map(Into::into);
        let client = Arc::new(RegistryClient::new(&config)?);
        all.push(Place {
            name: other.name.clone(),
            place: without_scheme(&other.url),
            stage: other.stage,
            takes: other.writable,
            rules: other.rules(),
            token: other.token.as_ref().map(|t| t.reveal().to_owned()),
            client: client.clone(),
        });
        if let Some(root) = &other.storage {
            collectors.insert(other.name.clone(), files(c, &client, root.into()));
        }
        clients.insert(other.name.clone(), client);
    }
    let all = Registries::new(all, Arc::new(Transfers::new(clients)), c.registry.look);
    Ok(Arc::new(all.collecting(collectors)))
}

/// The files of a registry that Padis reaches.
fn files(c: &Config, client: &Arc<RegistryClient>, root: PathBuf) -> Files {
    let young = c.registry.collect_young;
    let collector = StorageCollector::new(client.clone(), StorageConfig { root, young, settle: SETTLE });
    Files { collector: Arc::new(collector), young }
}

fn dns_config(c: &Config) -> DnsConfig {
    let zone = c.dns.zones.first().cloned().unwrap_or_else(|| "padis.localhost".to_owned());
    DnsConfig {
        listen: c.dns.listen,
        zones: c.dns.zones.clone(),
        ns_name: format!("ns.{zone}"),
        mail: format!("hostmaster@{zone}"),
        ..DnsConfig::default()
    }
}

/// The part of a lease's name that a later start on the same data folder shares.
/// The folder's lock lets one process at a time use it.
pub fn lease_prefix(c: &Config) -> String {
    format!("{}:{}:", machine::hostname(), c.data.display())
}

/// Where files lie that are brought in.
pub fn spool(c: &Config) -> Spool {
    Spool {
        folder: c.below("archives"),
        most_bytes: c.upload.max_archive_bytes,
        keep_free: c.upload.keep_free_bytes,
        holder: lease_prefix(c),
    }
}

/// The reconciler's settings.
pub fn reconcile_settings(c: &Config, sealer: Arc<Sealer>) -> Settings {
    let (marathon, mesos) = cluster(c);
    let shown = |urls: &[String]| urls.iter().map(|u| mask_url(u)).collect::<Vec<_>>().join(", ");
    let places = HashMap::from([
        ("scheduler", shown(&marathon)),
        ("cluster", shown(&mesos)),
        ("balancer", c.balancer.listen.to_string()),
        ("dns", c.dns.listen.to_string()),
        ("registry", mask_url(&c.registry.base())),
        ("docker", c.docker.clone()),
    ]);
    let started = crate::store::now_ms();
    Settings {
        workers: c.reconcile.workers as usize,
        lease_ms: 60_000,
        sweep: c.reconcile.sweep,
        // Ten thousand applications are all looked at within 17 minutes, 50 sweeps of 20 s.
        round: 200,
        collect: c.reconcile.observe,
        written: std::time::Duration::from_secs(300),
        drain_ms: i64::try_from(c.reconcile.drain.as_millis()).unwrap_or(30_000),
        kill_grace_s: c.reconcile.kill_grace_s,
        archives: spool(c),
        recipes: c.below("recipes"),
        scratch: c.below("scratch"),
        packages: c.below("packages"),
        logs: c.below("logs"),
        sealer,
        names_to: c.balancer.address.to_string(),
        balancer_port: c.balancer.listen.port(),
        lease: format!("{}{}:{started}", lease_prefix(c), std::process::id()),
        resolve: Arc::new(Stranger { server: c.dns.listen }),
        places,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(file: &str) -> Config {
        crate::config::from(Some(("padis.toml", file)), std::iter::empty(), None).expect("settings")
    }

    #[test]
    fn hosts_that_are_configured_are_added_and_go_before() {
        let hosts = "[[docker.hosts]]\nname = \"padis-dev\"\nurl = \"unix:///run/other.sock\"\n\
                     [[docker.hosts]]\nname = \"node-1\"\nurl = \"https://node-1:2376\"\n";
        let of = |file: &str| bench_config(&settings(file)).hosts;
        let (other, node) = (DockerAt::new("unix:///run/other.sock"), DockerAt::new("https://node-1:2376"));
        let own = DockerAt::new("unix:///var/run/docker.sock");
        let expected = [("node-1", node.clone()), ("padis-dev", other.clone()), ("padis-prod", own.clone())];
        assert_eq!(of(hosts), expected.map(|(n, at)| (n.to_owned(), at)).into());
        let elsewhere =
            "[engine]\nenabled = false\n[marathon]\nurls = [\"http://m\"]\n[mesos]\nurls = [\"http://m\"]\n";
        let expected = [("node-1".to_owned(), node), ("padis-dev".to_owned(), other), (machine::hostname(), own)];
        assert_eq!(of(&format!("{elsewhere}{hosts}")), expected.into());
    }

    #[test]
    fn a_file_that_can_not_be_read_is_told_at_the_start_by_its_name() {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let file = "[[docker.hosts]]\nname = \"a\"\nurl = \"tcp://a:2376\"\nca = \"/never/there/ca.pem\"\n";
        let Err(error) = Behind::new(&settings(file)) else { panic!("it starts") };
        let said = padis_drivers::http::chain(&error);
        assert!(said.contains("/never/there/ca.pem can't be read: No such file"), "{said}");
    }
}
