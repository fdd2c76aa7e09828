//! Offers, inverse offers and what is done with them.
//!
//! Operations of one ACCEPT happen in their order, and each sees what the ones
//! before have made: RESERVE, CREATE, LAUNCH. What is left of the offers is declined
//! with the ACCEPT's filters.

use super::{
    AgentId, AllocationInfo, Attribute, DomainInfo, ExecutorId, ExecutorInfo, FrameworkId, OfferId, OperationId,
    Resource, Resources, Scalar, TaskGroupInfo, TaskInfo, Unavailability, Url,
};

message! {
    /// An offer.
    Offer {
        /// Id.
        id: OfferId,
        /// Framework.
        framework_id: FrameworkId,
        /// Agent.
        agent_id: AgentId,
        /// Host name of the agent.
        hostname: String,
        /// Address of the agent's API.
        url: Option<Url>,
        /// Region and zone.
        domain: Option<DomainInfo>,
        /// What is offered.
        resources: Resources,
        /// Attributes of the agent.
        attributes: Vec<Attribute>,
        /// The framework's executors there.
        executor_ids: Vec<ExecutorId>,
        /// When the agent will not be there.
        unavailability: Option<Unavailability>,
        /// Role that it is offered to.
        allocation_info: Option<AllocationInfo>,
    }

    /// A request to leave an agent (maintenance).
    InverseOffer {
        /// Id.
        id: OfferId,
        /// Address of the agent's API.
        url: Option<Url>,
        /// Framework.
        framework_id: FrameworkId,
        /// Agent.
        agent_id: Option<AgentId>,
        /// When the agent will not be there.
        unavailability: Unavailability,
        /// What is asked back; none means all.
        resources: Resources,
    }

    /// When the rest is offered again.
    Filters {
        /// Seconds; default 5.
        refuse_seconds: Option<f64>,
    }

    /// Launches tasks, each in an executor of its own.
    Launch {
        /// The tasks.
        task_infos: Vec<TaskInfo>,
    }

    /// Launches tasks together, in one executor.
    LaunchGroup {
        /// The executor.
        executor: ExecutorInfo,
        /// The tasks.
        task_group: TaskGroupInfo,
    }

    /// Reserves.
    Reserve {
        /// What they were before (refinement).
        source: Resources,
        /// Resources as they shall be.
        resources: Resources,
    }

    /// Ends reservations.
    Unreserve {
        /// Resources as they are.
        resources: Resources,
    }

    /// Makes volumes.
    Create {
        /// Volumes as they shall be.
        volumes: Resources,
    }

    /// Destroys volumes and what is on them.
    Destroy {
        /// Volumes as they are.
        volumes: Resources,
    }

    /// Makes a volume larger.
    GrowVolume {
        /// The volume.
        volume: Resource,
        /// What is added.
        addition: Resource,
    }

    /// Makes a volume smaller.
    ShrinkVolume {
        /// The volume.
        volume: Resource,
        /// How much is taken off.
        subtract: Scalar,
    }
}

union! {
    /// What is done with an offer.
    Operation {
        /// Id; there: its status is told.
        id: OperationId,
    }
    /// What an operation does.
    OperationBody {
        Launch(Launch) = "LAUNCH",
        LaunchGroup(LaunchGroup) = "LAUNCH_GROUP",
        Reserve(Reserve) = "RESERVE",
        Unreserve(Unreserve) = "UNRESERVE",
        Create(Create) = "CREATE",
        Destroy(Destroy) = "DESTROY",
        GrowVolume(GrowVolume) = "GROW_VOLUME",
        ShrinkVolume(ShrinkVolume) = "SHRINK_VOLUME",
    }
}

impl Filters {
    /// Not before so many seconds.
    pub fn refuse_s(seconds: f64) -> Self {
        Self { refuse_seconds: Some(seconds), ..Self::default() }
    }
}
