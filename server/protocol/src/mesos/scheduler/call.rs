//! What a framework says.

use crate::mesos::v1::{
    AgentId, ExecutorId, Filters, FrameworkId, FrameworkInfo, KillPolicy, OfferId, Operation, OperationId,
    ResourceProviderId, Resources, TaskId,
};

message! {
    /// Begins a session; the answer is the event stream.
    Subscribe {
        /// The framework; its `id` (and the call's) makes it a fail-over.
        framework_info: FrameworkInfo,
        /// Roles that want no offers at first.
        suppressed_roles: Vec<String>,
        /// Which agents' offers each role wants.
        offer_constraints: Option<serde_json::Value>,
    }

    /// Uses offers of one agent.
    Accept {
        /// The offers.
        offer_ids: Vec<OfferId>,
        /// What is done, in this order; nothing means decline.
        operations: Vec<Operation>,
        /// When the rest is offered again.
        filters: Option<Filters>,
    }

    /// Gives offers back.
    Decline {
        /// The offers.
        offer_ids: Vec<OfferId>,
        /// When they are offered again.
        filters: Option<Filters>,
    }

    /// Answers inverse offers, with yes or no by the call's type.
    AnswerInverseOffers {
        /// The inverse offers.
        inverse_offer_ids: Vec<OfferId>,
        /// When they come again.
        filters: Option<Filters>,
    }

    /// Which roles are meant; none means all.
    Roles {
        /// Roles.
        roles: Vec<String>,
    }

    /// Kills a task.
    Kill {
        /// The task.
        task_id: TaskId,
        /// Its agent, if it is known.
        agent_id: Option<AgentId>,
        /// Over the task's own.
        kill_policy: Option<KillPolicy>,
    }

    /// Ends an executor of its own.
    Shutdown {
        /// The executor.
        executor_id: ExecutorId,
        /// Its agent.
        agent_id: AgentId,
    }

    /// An update has been kept and must not come again.
    Acknowledge {
        /// Its agent.
        agent_id: AgentId,
        /// Its task.
        task_id: TaskId,
        /// Its uuid, in Base64.
        uuid: String,
    }

    /// An operation's update has been kept.
    AcknowledgeOperationStatus {
        /// Its agent.
        agent_id: Option<AgentId>,
        /// Its resource provider.
        resource_provider_id: Option<ResourceProviderId>,
        /// Its uuid, in Base64: a bare text, though the event wraps it in `{"value": …}`.
        /// Mesos answers 400 to the wrapped one.
        uuid: String,
        /// Its operation.
        operation_id: OperationId,
    }

    /// Asks for the state of tasks; none means all that the master knows.
    Reconcile {
        /// The tasks. Always written: an empty list is the question for all.
        tasks: Option<Vec<ReconcileTask>>,
    }

    /// A task whose state is asked for.
    ReconcileTask {
        /// The task.
        task_id: TaskId,
        /// Its agent, if it is known.
        agent_id: Option<AgentId>,
    }

    /// Asks for the state of operations.
    ReconcileOperations {
        /// The operations; none means all.
        operations: Vec<ReconcileOperation>,
    }

    /// An operation whose state is asked for.
    ReconcileOperation {
        /// The operation.
        operation_id: OperationId,
        /// Its agent.
        agent_id: Option<AgentId>,
        /// Its resource provider.
        resource_provider_id: Option<ResourceProviderId>,
    }

    /// A message to an executor; it may get lost.
    Message {
        /// Its agent.
        agent_id: AgentId,
        /// The executor.
        executor_id: ExecutorId,
        /// Bytes, in Base64.
        data: String,
    }

    /// Asks for offers (no allocator of Mesos heeds it).
    Request {
        /// What is wanted.
        requests: Vec<WantedResources>,
    }

    /// What is wanted, and where.
    WantedResources {
        /// Agent.
        agent_id: Option<AgentId>,
        /// Resources.
        resources: Resources,
    }

    /// Changes the framework without a new subscription (since 1.9).
    UpdateFramework {
        /// As it shall be; user, checkpoint and principal can't change.
        framework_info: FrameworkInfo,
        /// Roles that want no offers.
        suppressed_roles: Vec<String>,
        /// Which agents' offers each role wants.
        offer_constraints: Option<serde_json::Value>,
    }
}

union! {
    /// A call.
    Call {
        /// The framework; absent at its first subscription only.
        framework_id: FrameworkId,
    }
    /// What a call says.
    CallBody {
        Subscribe(Subscribe) = "SUBSCRIBE",
        /// Ends the framework and all its tasks, for good.
        Teardown = "TEARDOWN",
        Accept(Accept) = "ACCEPT",
        Decline(Decline) = "DECLINE",
        AcceptInverseOffers(AnswerInverseOffers) = "ACCEPT_INVERSE_OFFERS",
        DeclineInverseOffers(AnswerInverseOffers) = "DECLINE_INVERSE_OFFERS",
        /// Forgets filters and wants offers again.
        Revive(Option<Roles>) = "REVIVE",
        /// Wants no offers for now.
        Suppress(Option<Roles>) = "SUPPRESS",
        Kill(Kill) = "KILL",
        Shutdown(Shutdown) = "SHUTDOWN",
        Acknowledge(Acknowledge) = "ACKNOWLEDGE",
        AcknowledgeOperationStatus(AcknowledgeOperationStatus) = "ACKNOWLEDGE_OPERATION_STATUS",
        Reconcile(Reconcile) = "RECONCILE",
        ReconcileOperations(ReconcileOperations) = "RECONCILE_OPERATIONS",
        Message(Message) = "MESSAGE",
        Request(Request) = "REQUEST",
        UpdateFramework(UpdateFramework) = "UPDATE_FRAMEWORK",
    }
}

impl Call {
    /// A call of a framework.
    pub fn of(framework_id: impl Into<FrameworkId>, body: CallBody) -> Self {
        Self { framework_id: Some(framework_id.into()), ..body.into() }
    }
}
