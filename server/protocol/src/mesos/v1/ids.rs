//! Ids: on the wire `{"value": "…"}`; a type for each, so that none is taken for another.

ids! {
    /// An agent, `…-S0`.
    AgentId,
    /// A framework, `…-0000`.
    FrameworkId,
    /// An executor, unique in its framework and agent.
    ExecutorId,
    /// A task, unique in its framework for ever.
    TaskId,
    /// An offer or an inverse offer, `…-O0`.
    OfferId,
    /// An operation, given by the framework.
    OperationId,
    /// A resource provider.
    ResourceProviderId,
    /// Sixteen bytes in Base64.
    Uuid,
}

message! {
    /// A container; nested ones (tasks of a pod) know their parent.
    ContainerId {
        /// The id.
        value: String,
        /// The container that it is nested in.
        parent: Option<Box<ContainerId>>,
    }
}
