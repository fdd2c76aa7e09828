//! Containers of tasks: image, volumes, networks, port mappings.
//!
//! DOCKER leaves the container to a Docker daemon (port mappings in `docker`), MESOS
//! makes it itself (port mappings in `network_infos`): the two places are the way
//! to get it wrong.

use super::{Labels, Parameter, Parameters, Secret};

names! {
    /// Who makes the container.
    ContainerType {
        Docker = "DOCKER",
        Mesos = "MESOS",
    }

    /// How a volume is mounted.
    VolumeMode {
        Rw = "RW",
        Ro = "RO",
    }

    /// The network of a DOCKER container.
    DockerNetwork {
        Host = "HOST",
        Bridge = "BRIDGE",
        None = "NONE",
        User = "USER",
    }

    /// Version of an IP address.
    IpProtocol {
        V4 = "IPv4",
        V6 = "IPv6",
    }
}

message! {
    /// A container.
    ContainerInfo {
        /// Who makes it.
        #[serde(rename = "type")]
        kind: ContainerType,
        /// Volumes.
        volumes: Vec<Volume>,
        /// Host name in the container.
        hostname: Option<String>,
        /// Of a DOCKER container.
        docker: Option<DockerInfo>,
        /// Of a MESOS container.
        mesos: Option<MesosInfo>,
        /// Its networks; none means the agent's.
        network_infos: Vec<NetworkInfo>,
        /// Linux specials.
        linux_info: Option<LinuxInfo>,
        /// Limits of the process.
        rlimit_info: Option<RlimitInfo>,
        /// Terminal.
        tty_info: Option<serde_json::Value>,
    }

    /// What a Docker daemon is told.
    DockerInfo {
        /// Image reference.
        image: String,
        /// Network; absent means HOST.
        network: Option<DockerNetwork>,
        /// Port mappings, in BRIDGE and USER.
        port_mappings: Vec<PortMapping>,
        /// `--privileged`.
        privileged: Option<bool>,
        /// Options of `docker run`, without the dashes.
        parameters: Vec<Parameter>,
        /// Pull even if it is present.
        force_pull_image: Option<bool>,
        /// Deprecated: volume driver.
        volume_driver: Option<String>,
    }

    /// What the Mesos containerizer is told.
    MesosInfo {
        /// Image; absent means the agent's file system.
        image: Option<Image>,
    }

    /// An image.
    Image {
        /// `DOCKER` or `APPC`.
        #[serde(rename = "type")]
        kind: String,
        /// Of a DOCKER image.
        docker: Option<DockerImage>,
        /// Of an APPC image.
        appc: Option<serde_json::Value>,
        /// Whether a copy on the agent will do; default true.
        cached: Option<bool>,
    }

    /// A Docker image.
    DockerImage {
        /// Reference.
        name: String,
        /// Docker `config.json`, for a registry with a password.
        config: Option<Secret>,
    }

    /// A port mapping.
    PortMapping {
        /// Port on the host; it must be among the task's resources.
        host_port: u32,
        /// Port in the container.
        container_port: u32,
        /// `tcp` (default) or `udp`.
        protocol: Option<String>,
    }

    /// A volume.
    Volume {
        /// How it is mounted.
        mode: VolumeMode,
        /// Path in the container; relative means below the sandbox.
        container_path: String,
        /// Path on the host; relative means below the sandbox.
        host_path: Option<String>,
        /// An image to mount.
        image: Option<Image>,
        /// Where it comes from, otherwise.
        source: Option<VolumeSource>,
    }

    /// Where a volume comes from.
    VolumeSource {
        /// `DOCKER_VOLUME`, `HOST_PATH`, `SANDBOX_PATH`, `SECRET` or `CSI_VOLUME`.
        #[serde(rename = "type")]
        kind: String,
        /// A volume of a Docker volume driver.
        docker_volume: Option<DockerVolume>,
        /// A path on the host.
        host_path: Option<HostPath>,
        /// A path in a sandbox.
        sandbox_path: Option<SandboxPath>,
        /// A secret.
        secret: Option<Secret>,
        /// A volume of a CSI plugin.
        csi_volume: Option<serde_json::Value>,
    }

    /// A volume of a Docker volume driver.
    DockerVolume {
        /// Driver.
        driver: Option<String>,
        /// Name.
        name: String,
        /// Options.
        driver_options: Option<Parameters>,
    }

    /// A path on the host.
    HostPath {
        /// Path.
        path: String,
        /// How mounts propagate.
        mount_propagation: Option<serde_json::Value>,
    }

    /// A path in a sandbox.
    SandboxPath {
        /// `SELF` or `PARENT`.
        #[serde(rename = "type")]
        kind: Option<String>,
        /// Path.
        path: String,
    }

    /// A network of a container, asked for or as it is.
    NetworkInfo {
        /// Addresses.
        ip_addresses: Vec<IpAddress>,
        /// Name of the network.
        name: Option<String>,
        /// Groups.
        groups: Vec<String>,
        /// Labels.
        labels: Option<Labels>,
        /// Port mappings (MESOS containers).
        port_mappings: Vec<PortMapping>,
    }

    /// An address of a container.
    IpAddress {
        /// Version.
        protocol: Option<IpProtocol>,
        /// The address.
        ip_address: Option<String>,
    }

    /// Linux specials.
    LinuxInfo {
        /// Deprecated: capabilities.
        capability_info: Option<serde_json::Value>,
        /// Capabilities that the container may have.
        bounding_capabilities: Option<serde_json::Value>,
        /// Capabilities that it has.
        effective_capabilities: Option<serde_json::Value>,
        /// Whether it shares the agent's process ids.
        share_pid_namespace: Option<bool>,
        /// System call filter: `profile_name`, `unconfined`.
        seccomp: Option<serde_json::Value>,
        /// `PRIVATE` or `SHARE_PARENT`.
        ipc_mode: Option<String>,
        /// MiB of shared memory.
        shm_size: Option<u32>,
        /// Whether tasks of a group share a control group.
        share_cgroups: Option<bool>,
    }

    /// Limits of the process.
    RlimitInfo {
        /// They.
        rlimits: Vec<Rlimit>,
    }

    /// A limit of the process.
    Rlimit {
        /// `RLMT_NOFILE`, …
        #[serde(rename = "type")]
        kind: Option<String>,
        /// Hard limit; absent means none.
        hard: Option<u64>,
        /// Soft limit; absent means none.
        soft: Option<u64>,
    }
}
