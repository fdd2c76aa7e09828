//! The container of a task, as Mesos is told. Pure.
//!
//! After Marathon's `ContainerSerializer` and `DVDIProvider`. DOCKER leaves it to the
//! Docker containerizer, MESOS to Mesos' own, and each reads other members: ports of
//! the one stand in `docker`, of the other in the network. One could get it wrong by
//! passing on `udp,tcp`, which is two mappings there; and by options of a volume
//! driver, which only Mesos' own containerizer hands on.

use crate::record::TaskRecord;
use padis_protocol::app::App;
use padis_protocol::container::{Container, Docker, NetworkMode, Volume as AppVolume};
use padis_protocol::mesos::v1::{
    ContainerInfo, ContainerType, DockerImage, DockerInfo, DockerNetwork, DockerVolume, Image, MesosInfo, NetworkInfo,
    Parameter, Parameters, PortMapping, Volume, VolumeMode, VolumeSource,
};

/// Marathon's prefix of options that a volume driver is told, and the one that names it.
const DVDI: &str = "dvdi/";
pub(crate) const DRIVER: &str = "dvdi/driver";

pub(super) fn container(task: &TaskRecord, app: &App) -> Result<Option<ContainerInfo>, String> {
    let networks = app.network_list();
    let names: Vec<&str> = networks.iter().filter_map(|n| n.name.as_deref()).collect();
    let infos: Vec<NetworkInfo> =
        names.iter().map(|n| NetworkInfo { name: Some((*n).to_owned()), ..NetworkInfo::default() }).collect();
    let Some(container) = &app.container else {
        let bare = ContainerInfo { kind: ContainerType::Mesos, network_infos: infos, ..ContainerInfo::default() };
        return Ok((!names.is_empty()).then_some(bare));
    };
    let volumes = container.volumes.iter().flatten().map(volume).collect();
    let mode = networks.first().and_then(|n| n.mode).unwrap_or_default();
    let docker = container.docker.as_ref().filter(|d| !d.image.is_empty());
    match docker {
        Some(docker) if !by_mesos(container) => {
            let network = match mode {
                NetworkMode::Host => DockerNetwork::Host,
                NetworkMode::Bridge => DockerNetwork::Bridge,
                NetworkMode::Container if names.first() == Some(&"none") => DockerNetwork::None,
                NetworkMode::Container => DockerNetwork::User,
            };
            let mapped = matches!(network, DockerNetwork::Bridge | DockerNetwork::User);
            Ok(Some(ContainerInfo {
                kind: ContainerType::Docker,
                volumes,
                network_infos: if network == DockerNetwork::User { infos } else { Vec::new() },
                docker: Some(docker_info(docker, network, if mapped { mappings(task, app, mode) } else { Vec::new() })),
                ..ContainerInfo::default()
            }))
        }
        docker => {
            let mut infos = infos;
            if let Some(first) = infos.first_mut() {
                first.port_mappings = mappings(task, app, mode);
            }
            Ok(Some(ContainerInfo {
                kind: ContainerType::Mesos,
                volumes,
                mesos: Some(MesosInfo { image: docker.map(image), ..MesosInfo::default() }),
                network_infos: infos,
                ..ContainerInfo::default()
            }))
        }
    }
}

/// Whether Mesos' own containerizer makes it.
pub(crate) fn by_mesos(container: &Container) -> bool {
    container.kind.as_deref() == Some("MESOS") || container.docker.as_ref().is_none_or(|d| d.image.is_empty())
}

fn image(docker: &Docker) -> Image {
    Image {
        kind: String::from("DOCKER"),
        docker: Some(DockerImage { name: docker.image.clone(), ..DockerImage::default() }),
        cached: docker.force_pull_image.map(|force| !force),
        ..Image::default()
    }
}

fn docker_info(docker: &Docker, network: DockerNetwork, port_mappings: Vec<PortMapping>) -> DockerInfo {
    let parameters = docker.parameters.iter().flatten().map(|p| parameter(&p.key, &p.value));
    DockerInfo {
        image: docker.image.clone(),
        port_mappings,
        network: Some(network),
        privileged: docker.privileged,
        parameters: parameters.collect(),
        force_pull_image: docker.force_pull_image,
        ..DockerInfo::default()
    }
}

fn parameter(key: &str, value: &str) -> Parameter {
    Parameter { key: key.to_owned(), value: value.to_owned(), ..Parameter::default() }
}

fn mappings(task: &TaskRecord, app: &App, mode: NetworkMode) -> Vec<PortMapping> {
    let mut ports = task.ports.iter();
    let mut out = Vec::new();
    for mapping in app.mappings() {
        let on_host =
            if mapping.host_port.is_none() && mode == NetworkMode::Container { None } else { ports.next().copied() };
        let Some(on_host) = on_host else { continue };
        let inside = mapping.container_port.filter(|p| *p != 0).unwrap_or(on_host);
        let protocols = mapping.protocol.as_deref().map_or(vec![None], |all| all.split(',').map(Some).collect());
        out.extend(protocols.into_iter().map(|protocol| PortMapping {
            host_port: u32::from(on_host),
            container_port: u32::from(inside),
            protocol: protocol.map(str::to_owned),
            ..PortMapping::default()
        }));
    }
    out
}

fn volume(volume: &AppVolume) -> Volume {
    Volume {
        mode: if volume.mode.as_deref() == Some("RO") { VolumeMode::Ro } else { VolumeMode::Rw },
        container_path: volume.container_path.clone(),
        host_path: volume.host_path.clone(),
        source: volume.external.as_ref().map(|external| {
            let mut options: Vec<Parameter> = Vec::new();
            let mut driver = None;
            for (key, value) in external.options.iter().flatten() {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                match key.as_str() {
                    DRIVER => driver = Some(value),
                    key => options.push(parameter(key.strip_prefix(DVDI).unwrap_or(key), &value)),
                }
            }
            options.extend(external.size.map(|gib| parameter("size", &gib.to_string())));
            let options = (!options.is_empty()).then(|| Parameters { parameter: options, ..Parameters::default() });
            let named = DockerVolume {
                driver,
                name: external.name.clone().unwrap_or_default(),
                driver_options: options,
                ..DockerVolume::default()
            };
            VolumeSource { kind: String::from("DOCKER_VOLUME"), docker_volume: Some(named), ..VolumeSource::default() }
        }),
        ..Volume::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn told(app: Value, ports: &[u16]) -> Value {
        let app: App = serde_json::from_value(app).unwrap();
        let mut task: TaskRecord = serde_json::from_value(json!({"id": "a.1", "instance": "a.i", "app_id": "/a", "version": "",
            "agent": "one", "container": "mesos-1", "ports": [], "state": "TASK_STAGING", "staged_ms": 0, "started_ms": null,
            "ended_ms": null, "message": "", "grace_s": 3, "cpus": 1.0, "mem": 1.0, "history": [], "removed": false}))
        .unwrap();
        task.ports = ports.to_vec();
        serde_json::to_value(container(&task, &app).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn a_mapping_of_two_protocols_is_two_and_a_host_network_has_none() {
        let mapping =
            json!([{"containerPort": 53, "hostPort": 0, "protocol": "udp,tcp"}, {"containerPort": 80, "hostPort": 0}]);
        let app = |mode| {
            json!({"networks": [{"mode": mode}], "container": {"type": "DOCKER", "docker": {"image": "i"},
                "portMappings": mapping.clone()}})
        };
        let bridged = told(app("container/bridge"), &[31_000, 31_001]);
        let one = |host: u16, inside: u16, protocol: &str| json!({"host_port": host, "container_port": inside, "protocol": protocol});
        assert_eq!(bridged["docker"]["network"], "BRIDGE");
        let wanted =
            json!([one(31_000, 53, "udp"), one(31_000, 53, "tcp"), {"host_port": 31_001, "container_port": 80}]);
        assert_eq!(bridged["docker"]["port_mappings"], wanted);
        assert_eq!(told(app("host"), &[31_000, 31_001])["docker"].get("port_mappings"), None);
    }

    #[test]
    fn an_external_volume_is_a_volume_of_its_driver() {
        let app = |kind| {
            json!({"container": {"type": kind, "docker": {"image": "i"}, "volumes": [
                {"containerPath": "/data", "mode": "RO", "external": {"name": "v", "provider": "dvdi", "size": 100,
                    "options": {"dvdi/driver": "rexray", "dvdi/iops": "200"}}}]}})
        };
        let options = json!({"parameter": [{"key": "iops", "value": "200"}, {"key": "size", "value": "100"}]});
        let volume = json!({"mode": "RO", "container_path": "/data", "source": {"type": "DOCKER_VOLUME",
            "docker_volume": {"driver": "rexray", "name": "v", "driver_options": options}}});
        let told_mesos = told(app("MESOS"), &[]);
        assert_eq!((&told_mesos["type"], &told_mesos["volumes"]), (&json!("MESOS"), &json!([volume])));
        assert_eq!(told(app("DOCKER"), &[])["volumes"], json!([volume]));
    }
}
